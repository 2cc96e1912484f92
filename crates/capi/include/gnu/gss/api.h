/*
 * <gss/api.h>: the GSS-API for C programs, as programs for GNU GSS expect it.
 *
 * RFC 2744 says what each call does, RFC 5801 and RFC 6339 what the others do. Types, numbers and calls are those of GNU
 * GSS's header of this name: a program compiled with either runs on either library.
 */
#ifndef ORTHROS_GNU_GSSAPI_H
#define ORTHROS_GNU_GSSAPI_H

/* Other headers look at GNU's guard to see whether the GSS-API is there. */
#ifndef GSSAPI_H_
#define GSSAPI_H_
#endif

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Types (section 3) ---- */

typedef unsigned int gss_uint32;
typedef gss_uint32 OM_uint32;

/* Handles. What is behind them belongs to the library; they are compared with the null values and nothing else. */
struct gss_name_struct;
typedef struct gss_name_struct *gss_name_t;
typedef const struct gss_name_struct *gss_const_name_t;
struct gss_cred_id_struct;
typedef struct gss_cred_id_struct *gss_cred_id_t;
typedef const struct gss_cred_id_struct *gss_const_cred_id_t;
struct gss_ctx_id_struct;
typedef struct gss_ctx_id_struct *gss_ctx_id_t;
typedef const struct gss_ctx_id_struct *gss_const_ctx_id_t;

/* ---- RFC 2744 ---- */

#define GSS_IN_NAME gss_name_t
#define GSS_IN_CRED gss_cred_id_t
#define GSS_IN_CONTEXT gss_ctx_id_t
#define GSS_NUMBER(n) n##ul
#define GSS_SUPPLEMENTARY_NUMBER(n) n##ul

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

/* ---- Name types (section 3.10, appendix A) ---- */

extern gss_OID GSS_NONNULL GSS_C_NT_USER_NAME;           /* 1.2.840.113554.1.2.1.1 */
extern gss_OID GSS_NONNULL GSS_C_NT_MACHINE_UID_NAME;    /* 1.2.840.113554.1.2.1.2 */
extern gss_OID GSS_NONNULL GSS_C_NT_STRING_UID_NAME;     /* 1.2.840.113554.1.2.1.3 */
extern gss_OID GSS_NONNULL GSS_C_NT_HOSTBASED_SERVICE;   /* 1.2.840.113554.1.2.1.4 */
extern gss_OID GSS_NONNULL GSS_C_NT_HOSTBASED_SERVICE_X; /* 1.3.6.1.5.6.2, accepted and never handed out */
extern gss_OID GSS_NONNULL GSS_C_NT_ANONYMOUS;           /* 1.3.6.1.5.6.3 */
extern gss_OID GSS_NONNULL GSS_C_NT_EXPORT_NAME;         /* 1.3.6.1.5.6.4 */

GSS_NULLABILITY_END

#ifdef __cplusplus
}
#endif

#endif
