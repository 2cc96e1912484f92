/*
 * <gssapi/gssapi.h>: the GSS-API for C programs, as programs for Heimdal expect it.
 *
 * RFC 2744 says what each of its calls does. Beside it stand the calls of RFC 4401 (pseudo-random function), RFC 5587
 * (mechanism attributes), RFC 5588 (storing credentials), RFC 5801 (SASL names), RFC 6339 (framing) and RFC 6680 (naming
 * extensions), and extensions. Types, numbers and calls are those of Heimdal's header of this name: a program compiled
 * with either runs on either library.
 */
#ifndef ORTHROS_HEIMDAL_GSSAPI_H
#define ORTHROS_HEIMDAL_GSSAPI_H

/* Other headers look at Heimdal's guards to see whether the GSS-API is there. */
#ifndef GSSAPI_GSSAPI_H_
#define GSSAPI_GSSAPI_H_
#endif

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define GSSAPI_LIB_FUNCTION
#define GSSAPI_LIB_CALL
#define GSSAPI_LIB_VARIABLE
#define GSSAPI_CALLCONV

#ifdef __cplusplus
#define GSSAPI_CPP_START extern "C" {
#define GSSAPI_CPP_END }
#else
#define GSSAPI_CPP_START
#define GSSAPI_CPP_END
#endif

GSSAPI_CPP_START

/* ---- Types ---- */

typedef uint32_t OM_uint32;
typedef uint64_t OM_uint64;
typedef uint32_t gss_uint32;

/* Handles. What is behind them belongs to the library; they are compared with the null values and nothing else. */
struct gss_name_t_desc_struct;
typedef struct gss_name_t_desc_struct *gss_name_t;
typedef const struct gss_name_t_desc_struct *gss_const_name_t;
struct gss_cred_id_t_desc_struct;
typedef struct gss_cred_id_t_desc_struct *gss_cred_id_t;
typedef const struct gss_cred_id_t_desc_struct *gss_const_cred_id_t;
struct gss_ctx_id_t_desc_struct;
typedef struct gss_ctx_id_t_desc_struct *gss_ctx_id_t;
typedef const struct gss_ctx_id_t_desc_struct *gss_const_ctx_id_t;

/* ---- RFC 2744 ---- */

#define GSS_IN_NAME gss_const_name_t
#define GSS_IN_CRED gss_const_cred_id_t
#define GSS_IN_CONTEXT gss_const_ctx_id_t
#define GSS_NUMBER(n) n##ul
#define GSS_SUPPLEMENTARY_NUMBER(n) n##ul

GSSAPI_CPP_END

#include <orthros/gssapi_core.h>
#include <gssapi/gssapi_oid.h>

GSSAPI_CPP_START
GSS_NULLABILITY_BEGIN

#undef GSS_IN_NAME
#undef GSS_IN_CRED
#undef GSS_IN_CONTEXT

/* ---- More numbers ---- */

#define GSS_C_DELEG_POLICY_FLAG 32768 /* RFC 5896 */
/* Flags of SSPI. */
#define GSS_C_DCE_STYLE 4096
#define GSS_C_IDENTIFY_FLAG 8192
#define GSS_C_EXTENDED_ERROR_FLAG 16384

#define GSS_C_AF_INET6 24

/* Which key of the context gss_pseudo_random() works with (RFC 4401). */
#define GSS_C_PRF_KEY_FULL 0
#define GSS_C_PRF_KEY_PARTIAL 1

#define GSS_S_BAD_MECH_ATTR (GSS_NUMBER(19) << GSS_C_ROUTINE_ERROR_OFFSET) /* RFC 5587 */

/* A name of version 1. */
#define GSS_S_CRED_UNAVAIL GSS_S_FAILURE

/* Beside the usage of a credential: nobody is there to be asked. */
#define GSS_C_OPTION_MASK 0xffff
#define GSS_C_CRED_NO_UI 0x10000

/* Qualities of protection that no mechanism here has. */
#define GSS_KRB5_CONF_C_QOP_DES 0x0100
#define GSS_KRB5_CONF_C_QOP_DES3_KD 0x0200

/* ---- Name types (section 3.10, appendix A) ---- */

extern gss_OID_desc __gss_c_nt_user_name_oid_desc; /* 1.2.840.113554.1.2.1.1 */
#define GSS_C_NT_USER_NAME (&__gss_c_nt_user_name_oid_desc)

extern gss_OID_desc __gss_c_nt_machine_uid_name_oid_desc; /* 1.2.840.113554.1.2.1.2 */
#define GSS_C_NT_MACHINE_UID_NAME (&__gss_c_nt_machine_uid_name_oid_desc)

extern gss_OID_desc __gss_c_nt_string_uid_name_oid_desc; /* 1.2.840.113554.1.2.1.3 */
#define GSS_C_NT_STRING_UID_NAME (&__gss_c_nt_string_uid_name_oid_desc)

extern gss_OID_desc __gss_c_nt_hostbased_service_oid_desc; /* 1.2.840.113554.1.2.1.4 */
#define GSS_C_NT_HOSTBASED_SERVICE (&__gss_c_nt_hostbased_service_oid_desc)

extern gss_OID_desc __gss_c_nt_hostbased_service_x_oid_desc; /* 1.3.6.1.5.6.2, accepted and never handed out */
#define GSS_C_NT_HOSTBASED_SERVICE_X (&__gss_c_nt_hostbased_service_x_oid_desc)

extern gss_OID_desc __gss_c_nt_anonymous_oid_desc; /* 1.3.6.1.5.6.3 */
#define GSS_C_NT_ANONYMOUS (&__gss_c_nt_anonymous_oid_desc)

extern gss_OID_desc __gss_c_nt_export_name_oid_desc; /* 1.3.6.1.5.6.4 */
#define GSS_C_NT_EXPORT_NAME (&__gss_c_nt_export_name_oid_desc)

/* ---- Credentials ---- */

/* RFC 5588. */
OM_uint32
gss_store_cred(OM_uint32 *GSS_NONNULL minor_status, gss_cred_id_t GSS_NULLABLE input_cred_handle,
               gss_cred_usage_t cred_usage, const gss_OID GSS_NULLABLE desired_mech,
               OM_uint32 overwrite_cred, OM_uint32 default_cred,
               gss_OID_set GSS_NULLABLE *GSS_NULLABLE elements_stored,
               gss_cred_usage_t *GSS_NULLABLE cred_usage_stored);

OM_uint32
gss_acquire_cred_with_password(OM_uint32 *GSS_NONNULL minor_status,
                               gss_const_name_t GSS_NULLABLE desired_name,
                               const gss_buffer_t GSS_NONNULL password, OM_uint32 time_req,
                               const gss_OID_set GSS_NULLABLE desired_mechs,
                               gss_cred_usage_t cred_usage,
                               gss_cred_id_t GSS_NULLABLE *GSS_NONNULL output_cred_handle,
                               gss_OID_set GSS_NULLABLE *GSS_NULLABLE actual_mechs,
                               OM_uint32 *GSS_NULLABLE time_rec);

OM_uint32
gss_add_cred_with_password(OM_uint32 *GSS_NONNULL minor_status,
                           gss_const_cred_id_t GSS_NULLABLE input_cred_handle,
                           gss_const_name_t GSS_NULLABLE desired_name,
                           const gss_OID GSS_NULLABLE desired_mech,
                           const gss_buffer_t GSS_NONNULL password, gss_cred_usage_t cred_usage,
                           OM_uint32 initiator_time_req, OM_uint32 acceptor_time_req,
                           gss_cred_id_t GSS_NULLABLE *GSS_NULLABLE output_cred_handle,
                           gss_OID_set GSS_NULLABLE *GSS_NULLABLE actual_mechs,
                           OM_uint32 *GSS_NULLABLE initiator_time_rec,
                           OM_uint32 *GSS_NULLABLE acceptor_time_rec);

OM_uint32
gss_export_cred(OM_uint32 *GSS_NONNULL minor_status, gss_cred_id_t GSS_NONNULL cred_handle,
                gss_buffer_t GSS_NONNULL cred_token);

OM_uint32
gss_import_cred(OM_uint32 *GSS_NONNULL minor_status, gss_buffer_t GSS_NONNULL cred_token,
                gss_cred_id_t GSS_NULLABLE *GSS_NONNULL cred_handle);

/* ---- Sets of buffers ---- */

typedef struct gss_buffer_set_desc_struct {
    size_t count;
    gss_buffer_desc *GSS_NULLABLE elements;
} gss_buffer_set_desc, *gss_buffer_set_t;

#define GSS_C_NO_BUFFER_SET ((gss_buffer_set_t)0)

OM_uint32
gss_create_empty_buffer_set(OM_uint32 *GSS_NONNULL minor_status,
                            gss_buffer_set_t GSS_NULLABLE *GSS_NONNULL buffer_set);

OM_uint32
gss_add_buffer_set_member(OM_uint32 *GSS_NONNULL minor_status,
                          const gss_buffer_t GSS_NONNULL member_buffer,
                          gss_buffer_set_t GSS_NULLABLE *GSS_NONNULL buffer_set);

OM_uint32
gss_release_buffer_set(OM_uint32 *GSS_NONNULL minor_status,
                       gss_buffer_set_t GSS_NULLABLE *GSS_NONNULL buffer_set);

/* ---- Questions and options that have an identifier ---- */

OM_uint32
gss_inquire_sec_context_by_oid(OM_uint32 *GSS_NONNULL minor_status,
                               gss_const_ctx_id_t GSS_NONNULL context_handle,
                               const gss_OID GSS_NONNULL desired_object,
                               gss_buffer_set_t GSS_NULLABLE *GSS_NONNULL data_set);

OM_uint32
gss_inquire_cred_by_oid(OM_uint32 *GSS_NONNULL minor_status,
                        gss_const_cred_id_t GSS_NULLABLE cred_handle,
                        const gss_OID GSS_NONNULL desired_object,
                        gss_buffer_set_t GSS_NULLABLE *GSS_NONNULL data_set);

OM_uint32
gss_set_sec_context_option(OM_uint32 *GSS_NONNULL minor_status,
                           gss_ctx_id_t GSS_NULLABLE *GSS_NONNULL context_handle,
                           const gss_OID GSS_NONNULL desired_object,
                           const gss_buffer_t GSS_NULLABLE value);

OM_uint32
gss_set_cred_option(OM_uint32 *GSS_NONNULL minor_status,
                    gss_cred_id_t GSS_NULLABLE *GSS_NONNULL cred_handle,
                    const gss_OID GSS_NONNULL object, const gss_buffer_t GSS_NULLABLE value);

/* What a sealed message needs beside its data, in octets. */
typedef struct {
    size_t header;
    size_t trailer;
    size_t max_msg_size;
    size_t buffers;   /* empty pieces to be passed beside */
    size_t blocksize; /* the longest padding */
} gss_context_stream_sizes;

extern gss_OID_desc __gss_c_attr_stream_sizes_oid_desc;
#define GSS_C_ATTR_STREAM_SIZES (&__gss_c_attr_stream_sizes_oid_desc)

OM_uint32
gss_context_query_attributes(OM_uint32 *GSS_NONNULL minor_status,
                             gss_const_ctx_id_t GSS_NONNULL context_handle,
                             const gss_OID GSS_NONNULL attribute, void *GSS_NONNULL data,
                             size_t len);

/* ---- Messages ---- */

/* RFC 4401. */
OM_uint32
gss_pseudo_random(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context,
                  int prf_key, const gss_buffer_t GSS_NONNULL prf_in, ssize_t desired_output_len,
                  gss_buffer_t GSS_NONNULL prf_out);

OM_uint32
gss_wrap_aead(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
              int conf_req_flag, gss_qop_t qop_req, gss_buffer_t GSS_NULLABLE input_assoc_buffer,
              gss_buffer_t GSS_NONNULL input_payload_buffer, int *GSS_NULLABLE conf_state,
              gss_buffer_t GSS_NONNULL output_message_buffer);

OM_uint32
gss_unwrap_aead(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
                gss_buffer_t GSS_NONNULL input_message_buffer,
                gss_buffer_t GSS_NULLABLE input_assoc_buffer,
                gss_buffer_t GSS_NONNULL output_payload_buffer, int *GSS_NULLABLE conf_state,
                gss_qop_t *GSS_NULLABLE qop_state);

/* ---- Messages in pieces, where they are ---- */

typedef struct gss_iov_buffer_desc_struct {
    OM_uint32 type;
    gss_buffer_desc buffer;
} gss_iov_buffer_desc, *gss_iov_buffer_t;

#define GSS_C_NO_IOV_BUFFER ((gss_iov_buffer_t)0)

#define GSS_IOV_BUFFER_TYPE_EMPTY 0
#define GSS_IOV_BUFFER_TYPE_DATA 1        /* protected as the call asks */
#define GSS_IOV_BUFFER_TYPE_HEADER 2      /* the token's beginning */
#define GSS_IOV_BUFFER_TYPE_MECH_PARAMS 3 /* the mechanism's own */
#define GSS_IOV_BUFFER_TYPE_TRAILER 7     /* the token's end */
#define GSS_IOV_BUFFER_TYPE_PADDING 9     /* what fills the last block */
#define GSS_IOV_BUFFER_TYPE_STREAM 10     /* a whole token */
#define GSS_IOV_BUFFER_TYPE_SIGN_ONLY 11  /* integrity only, not part of the token */

#define GSS_IOV_BUFFER_TYPE_FLAG_MASK 0xffff0000
#define GSS_IOV_BUFFER_FLAG_ALLOCATE 0x00010000  /* the library is to allocate this piece */
#define GSS_IOV_BUFFER_FLAG_ALLOCATED 0x00020000 /* it has; gss_release_iov_buffer() frees it */
/* The same by older names. */
#define GSS_IOV_BUFFER_TYPE_FLAG_ALLOCATE 0x00010000
#define GSS_IOV_BUFFER_TYPE_FLAG_ALLOCATED 0x00020000

#define GSS_IOV_BUFFER_TYPE(type) ((type) & ~GSS_IOV_BUFFER_TYPE_FLAG_MASK)
#define GSS_IOV_BUFFER_FLAGS(type) ((type) & GSS_IOV_BUFFER_TYPE_FLAG_MASK)

/*
 * Protects the DATA pieces in place, with HEADER, PADDING and TRAILER around them. SIGN_ONLY pieces are covered by the
 * checksum and stay as they are. Room for the others comes from gss_wrap_iov_length(), or from the ALLOCATE flag.
 */
OM_uint32
gss_wrap_iov(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
             int conf_req_flag, gss_qop_t qop_req, int *GSS_NULLABLE conf_state,
             gss_iov_buffer_desc *GSS_NONNULL iov, int iov_count);

OM_uint32
gss_unwrap_iov(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
               int *GSS_NULLABLE conf_state, gss_qop_t *GSS_NULLABLE qop_state,
               gss_iov_buffer_desc *GSS_NONNULL iov, int iov_count);

OM_uint32
gss_wrap_iov_length(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
                    int conf_req_flag, gss_qop_t qop_req, int *GSS_NULLABLE conf_state,
                    gss_iov_buffer_desc *GSS_NONNULL iov, int iov_count);

OM_uint32
gss_release_iov_buffer(OM_uint32 *GSS_NONNULL minor_status, gss_iov_buffer_desc *GSS_NONNULL iov,
                       int iov_count);

/* ---- Identifiers ---- */

OM_uint32
gss_duplicate_oid(OM_uint32 *GSS_NONNULL minor_status, gss_OID GSS_NULLABLE src_oid,
                  gss_OID GSS_NULLABLE *GSS_NONNULL dest_oid);

OM_uint32
gss_release_oid(OM_uint32 *GSS_NONNULL minor_status, gss_OID GSS_NULLABLE *GSS_NONNULL oid);

/* As text in the form "1 2 840 113554 1 2 2". */
OM_uint32
gss_oid_to_str(OM_uint32 *GSS_NONNULL minor_status, gss_OID GSS_NONNULL oid,
               gss_buffer_t GSS_NONNULL str);

/* The name of the constant that stands for a mechanism, and the mechanism that people call so; null if there is none. */
const char *GSS_NULLABLE
gss_oid_to_name(gss_const_OID GSS_NONNULL oid);

gss_OID GSS_NULLABLE
gss_name_to_oid(const char *GSS_NONNULL oid_name);

/* ---- Mechanisms ---- */

/* RFC 5587. */
OM_uint32
gss_indicate_mechs_by_attrs(OM_uint32 *GSS_NONNULL minor_status,
                            gss_const_OID_set GSS_NULLABLE desired_mech_attrs,
                            gss_const_OID_set GSS_NULLABLE except_mech_attrs,
                            gss_const_OID_set GSS_NULLABLE critical_mech_attrs,
                            gss_OID_set GSS_NULLABLE *GSS_NONNULL mechs);

OM_uint32
gss_inquire_attrs_for_mech(OM_uint32 *GSS_NONNULL minor_status, gss_const_OID GSS_NULLABLE mech,
                           gss_OID_set GSS_NULLABLE *GSS_NULLABLE mech_attrs,
                           gss_OID_set GSS_NULLABLE *GSS_NULLABLE known_mech_attrs);

OM_uint32
gss_display_mech_attr(OM_uint32 *GSS_NONNULL minor_status, gss_const_OID GSS_NONNULL mech_attr,
                      gss_buffer_t GSS_NULLABLE name, gss_buffer_t GSS_NULLABLE short_desc,
                      gss_buffer_t GSS_NULLABLE long_desc);

/* Options of a mechanism: its names (GSS_C_MA_SASL_MECH_NAME, ...) and its attributes. The calls that return an int
 * return a major status. */
int
gss_mo_set(gss_const_OID GSS_NONNULL mech, gss_const_OID GSS_NONNULL option, int enable,
           gss_buffer_t GSS_NULLABLE value);

int
gss_mo_get(gss_const_OID GSS_NONNULL mech, gss_const_OID GSS_NONNULL option,
           gss_buffer_t GSS_NONNULL value);

void
gss_mo_list(gss_const_OID GSS_NONNULL mech, gss_OID_set GSS_NULLABLE *GSS_NONNULL options);

OM_uint32
gss_mo_name(gss_const_OID GSS_NONNULL mech, gss_const_OID GSS_NONNULL option,
            gss_buffer_t GSS_NONNULL name);

/* ---- Local users ---- */

/* The local user's name that the mechanism makes of a name. */
OM_uint32
gss_localname(OM_uint32 *GSS_NONNULL minor, gss_const_name_t GSS_NONNULL name,
              const gss_OID GSS_NULLABLE mech_type, gss_buffer_t GSS_NONNULL localname);

OM_uint32
gss_pname_to_uid(OM_uint32 *GSS_NONNULL minor, gss_const_name_t GSS_NONNULL name,
                 const gss_OID GSS_NULLABLE mech_type, uid_t *GSS_NONNULL uid_out);

/* Whether the name may act as the local user: GSS_S_COMPLETE, GSS_S_UNAUTHORIZED or the error. */
OM_uint32
gss_authorize_localname(OM_uint32 *GSS_NONNULL minor, gss_const_name_t GSS_NONNULL name,
                        gss_const_name_t GSS_NONNULL user);

/* The same as 1 or 0, whatever the reason. */
int
gss_userok(gss_const_name_t GSS_NONNULL name, const char *GSS_NONNULL user);

extern gss_buffer_desc __gss_c_attr_local_login_user;
#define GSS_C_ATTR_LOCAL_LOGIN_USER (&__gss_c_attr_local_login_user)

/* ---- Naming extensions (RFC 6680) ---- */

OM_uint32
gss_display_name_ext(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NONNULL name,
                     gss_OID GSS_NONNULL display_as_name_type,
                     gss_buffer_t GSS_NONNULL display_name);

OM_uint32
gss_inquire_name(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NONNULL name,
                 int *GSS_NULLABLE name_is_MN, gss_OID GSS_NULLABLE *GSS_NULLABLE MN_mech,
                 gss_buffer_set_t GSS_NULLABLE *GSS_NULLABLE attrs);

OM_uint32
gss_get_name_attribute(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NONNULL name,
                       gss_buffer_t GSS_NONNULL attr, int *GSS_NULLABLE authenticated,
                       int *GSS_NULLABLE complete, gss_buffer_t GSS_NULLABLE value,
                       gss_buffer_t GSS_NULLABLE display_value, int *GSS_NULLABLE more);

OM_uint32
gss_set_name_attribute(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NONNULL name,
                       int complete, gss_buffer_t GSS_NONNULL attr, gss_buffer_t GSS_NONNULL value);

OM_uint32
gss_delete_name_attribute(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NONNULL name,
                          gss_buffer_t GSS_NONNULL attr);

OM_uint32
gss_export_name_composite(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NONNULL name,
                          gss_buffer_t GSS_NONNULL exp_composite_name);

GSS_NULLABILITY_END
GSSAPI_CPP_END

#endif
