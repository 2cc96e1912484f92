/*
 * <gssapi/gssapi.h>: the GSS-API for C programs.
 *
 * RFC 2744 says what each call does; section numbers below are its own unless another RFC is named. Beside it stand
 * the calls of RFC 4401 (pseudo-random function), RFC 5587 (mechanism attributes), RFC 5588 (storing credentials) and
 * RFC 5801 (SASL names). Types, numbers and calls are those of MIT krb5's header of this name: a program compiled with
 * either runs on either library.
 */
#ifndef ORTHROS_GSSAPI_H
#define ORTHROS_GSSAPI_H

/* Other headers look at MIT's guard to see whether the GSS-API is there. */
#ifndef _GSSAPI_H_
#define _GSSAPI_H_
#endif

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef KRB5_CALLCONV
#define KRB5_CALLCONV
#define KRB5_CALLCONV_C
#endif

#define GSS_DLLIMP

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Types (section 3) ---- */

typedef uint32_t gss_uint32;
typedef int32_t gss_int32;
typedef gss_uint32 OM_uint32;

/* Handles. What is behind them belongs to the library; they are compared with the null values below and nothing else. */
struct gss_name_struct;
typedef struct gss_name_struct *gss_name_t;
struct gss_cred_id_struct;
typedef struct gss_cred_id_struct *gss_cred_id_t;
struct gss_ctx_id_struct;
typedef struct gss_ctx_id_struct *gss_ctx_id_t;

typedef const struct gss_name_struct *gss_const_name_t;
typedef const struct gss_cred_id_struct *gss_const_cred_id_t;
typedef const struct gss_ctx_id_struct *gss_const_ctx_id_t;

/* ---- RFC 2744 ---- */

#define GSS_IN_NAME gss_name_t
#define GSS_IN_CRED gss_cred_id_t
#define GSS_IN_CONTEXT gss_ctx_id_t
#define GSS_NUMBER(n) ((OM_uint32)n##ul)
#define GSS_SUPPLEMENTARY_NUMBER(n) n

#ifdef __cplusplus
}
#endif

#include <orthros/gssapi_core.h>

#ifdef __cplusplus
extern "C" {
#endif

GSS_NULLABILITY_BEGIN

#undef GSS_IN_NAME
#undef GSS_IN_CRED
#undef GSS_IN_CONTEXT

/* ---- More numbers ---- */

#define GSS_C_DELEG_POLICY_FLAG 32768 /* RFC 5896 */
#define GSS_C_AF_NETBIOS 20

/* Which key of the context gss_pseudo_random() works with (RFC 4401). */
#define GSS_C_PRF_KEY_FULL 0
#define GSS_C_PRF_KEY_PARTIAL 1

#define GSS_S_BAD_MECH_ATTR (GSS_NUMBER(19) << GSS_C_ROUTINE_ERROR_OFFSET) /* RFC 5587 */

/* A name of version 1. */
#define GSS_S_CRED_UNAVAIL GSS_S_FAILURE

/* The parts of a status as small numbers. */
#define GSS_CALLING_ERROR_FIELD(x) (((x) >> GSS_C_CALLING_ERROR_OFFSET) & GSS_C_CALLING_ERROR_MASK)
#define GSS_ROUTINE_ERROR_FIELD(x) (((x) >> GSS_C_ROUTINE_ERROR_OFFSET) & GSS_C_ROUTINE_ERROR_MASK)
#define GSS_SUPPLEMENTARY_INFO_FIELD(x) (((x) >> GSS_C_SUPPLEMENTARY_OFFSET) & GSS_C_SUPPLEMENTARY_MASK)

/* ---- Name types (section 3.10, appendix A) ---- */

GSS_DLLIMP extern gss_OID GSS_NONNULL GSS_C_NT_USER_NAME;           /* 1.2.840.113554.1.2.1.1 */
GSS_DLLIMP extern gss_OID GSS_NONNULL GSS_C_NT_MACHINE_UID_NAME;    /* 1.2.840.113554.1.2.1.2 */
GSS_DLLIMP extern gss_OID GSS_NONNULL GSS_C_NT_STRING_UID_NAME;     /* 1.2.840.113554.1.2.1.3 */
GSS_DLLIMP extern gss_OID GSS_NONNULL GSS_C_NT_HOSTBASED_SERVICE;   /* 1.2.840.113554.1.2.1.4 */
GSS_DLLIMP extern gss_OID GSS_NONNULL GSS_C_NT_HOSTBASED_SERVICE_X; /* 1.3.6.1.5.6.2, accepted and never handed out */
GSS_DLLIMP extern gss_OID GSS_NONNULL GSS_C_NT_ANONYMOUS;           /* 1.3.6.1.5.6.3 */
GSS_DLLIMP extern gss_OID GSS_NONNULL GSS_C_NT_EXPORT_NAME;         /* 1.3.6.1.5.6.4 */

/* ---- Credentials ---- */

/* RFC 5588. */
OM_uint32 KRB5_CALLCONV
gss_store_cred(OM_uint32 *GSS_NONNULL minor_status,
               const gss_cred_id_t GSS_NULLABLE input_cred_handle, gss_cred_usage_t input_usage,
               const gss_OID GSS_NULLABLE desired_mech, OM_uint32 overwrite_cred,
               OM_uint32 default_cred, gss_OID_set GSS_NULLABLE *GSS_NULLABLE elements_stored,
               gss_cred_usage_t *GSS_NULLABLE cred_usage_stored);

/* Which mechanisms SPNEGO may offer or take with this credential (RFC 4178, appendix). */
OM_uint32 KRB5_CALLCONV
gss_set_neg_mechs(OM_uint32 *GSS_NONNULL minor_status, gss_cred_id_t GSS_NONNULL cred_handle,
                  const gss_OID_set GSS_NONNULL mech_set);

/* ---- Messages ---- */

/* RFC 4401. */
OM_uint32 KRB5_CALLCONV
gss_pseudo_random(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context,
                  int prf_key, const gss_buffer_t GSS_NONNULL prf_in, ssize_t desired_output_len,
                  gss_buffer_t GSS_NONNULL prf_out);

/* ---- Status, buffers, object identifiers ---- */

OM_uint32 KRB5_CALLCONV
gss_release_oid(OM_uint32 *GSS_NONNULL minor_status, gss_OID GSS_NULLABLE *GSS_NONNULL oid);

/* Between an identifier and text in the form "{ 1 2 840 113554 1 2 2 }". */
OM_uint32 KRB5_CALLCONV
gss_str_to_oid(OM_uint32 *GSS_NONNULL minor_status, gss_buffer_t GSS_NONNULL oid_str,
               gss_OID GSS_NULLABLE *GSS_NONNULL oid);

OM_uint32 KRB5_CALLCONV
gss_oid_to_str(OM_uint32 *GSS_NONNULL minor_status, gss_OID GSS_NONNULL oid,
               gss_buffer_t GSS_NONNULL oid_str);

/* ---- Mechanisms ---- */

/* RFC 5587. */
OM_uint32 KRB5_CALLCONV
gss_indicate_mechs_by_attrs(OM_uint32 *GSS_NONNULL minor_status,
                            gss_const_OID_set GSS_NULLABLE desired_mech_attrs,
                            gss_const_OID_set GSS_NULLABLE except_mech_attrs,
                            gss_const_OID_set GSS_NULLABLE critical_mech_attrs,
                            gss_OID_set GSS_NULLABLE *GSS_NONNULL mechs);

OM_uint32 KRB5_CALLCONV
gss_inquire_attrs_for_mech(OM_uint32 *GSS_NONNULL minor_status, gss_const_OID GSS_NULLABLE mech,
                           gss_OID_set GSS_NULLABLE *GSS_NULLABLE mech_attrs,
                           gss_OID_set GSS_NULLABLE *GSS_NULLABLE known_mech_attrs);

OM_uint32 KRB5_CALLCONV
gss_display_mech_attr(OM_uint32 *GSS_NONNULL minor_status, gss_const_OID GSS_NONNULL mech_attr,
                      gss_buffer_t GSS_NULLABLE name, gss_buffer_t GSS_NULLABLE short_desc,
                      gss_buffer_t GSS_NULLABLE long_desc);

GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_MECH_CONCRETE;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_MECH_PSEUDO;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_MECH_COMPOSITE;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_MECH_NEGO;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_MECH_GLUE;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_NOT_MECH;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_DEPRECATED;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_NOT_DFLT_MECH;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_ITOK_FRAMED;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_AUTH_INIT;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_AUTH_TARG;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_AUTH_INIT_INIT;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_AUTH_TARG_INIT;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_AUTH_INIT_ANON;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_AUTH_TARG_ANON;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_DELEG_CRED;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_INTEG_PROT;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_CONF_PROT;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_MIC;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_WRAP;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_PROT_READY;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_REPLAY_DET;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_OOS_DET;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_CBINDINGS;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_PFS;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_COMPRESS;
GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_CTX_TRANS;

GSS_NULLABILITY_END

#ifdef __cplusplus
}
#endif

#endif
