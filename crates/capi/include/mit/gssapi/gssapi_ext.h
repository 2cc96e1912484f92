/*
 * <gssapi/gssapi_ext.h>: calls beyond RFC 2744.
 *
 * RFC 6680 (naming extensions) says what its calls do; the others are extensions that MIT krb5 and Heimdal share, or
 * MIT's own. Types, numbers and calls are those of MIT krb5's header.
 */
#ifndef ORTHROS_GSSAPI_EXT_H
#define ORTHROS_GSSAPI_EXT_H

#include <gssapi/gssapi.h>

#ifdef __cplusplus
extern "C" {
#endif

GSS_NULLABILITY_BEGIN

/* ---- Local users ---- */

OM_uint32 KRB5_CALLCONV
gss_pname_to_uid(OM_uint32 *GSS_NONNULL minor, const gss_name_t GSS_NONNULL name,
                 const gss_OID GSS_NULLABLE mech_type, uid_t *GSS_NONNULL uid_out);

/* The local user's name that the mechanism makes of a name. */
OM_uint32 KRB5_CALLCONV
gss_localname(OM_uint32 *GSS_NONNULL minor, const gss_name_t GSS_NONNULL name,
              gss_const_OID GSS_NULLABLE mech_type, gss_buffer_t GSS_NONNULL localname);

/* 1 if the name may act as the local user of this name, else 0, whatever the reason. */
int KRB5_CALLCONV
gss_userok(const gss_name_t GSS_NONNULL name, const char *GSS_NONNULL username);

/* The same for a user given as a name (GSS_C_NT_USER_NAME): GSS_S_COMPLETE, GSS_S_UNAUTHORIZED or the error. */
OM_uint32 KRB5_CALLCONV
gss_authorize_localname(OM_uint32 *GSS_NONNULL minor, const gss_name_t GSS_NONNULL name,
                        const gss_name_t GSS_NONNULL user);

/* ---- Credentials from a password ---- */

OM_uint32 KRB5_CALLCONV
gss_acquire_cred_with_password(OM_uint32 *GSS_NONNULL minor_status,
                               const gss_name_t GSS_NULLABLE desired_name,
                               const gss_buffer_t GSS_NONNULL password, OM_uint32 time_req,
                               const gss_OID_set GSS_NULLABLE desired_mechs,
                               gss_cred_usage_t cred_usage,
                               gss_cred_id_t GSS_NULLABLE *GSS_NONNULL output_cred_handle,
                               gss_OID_set GSS_NULLABLE *GSS_NULLABLE actual_mechs,
                               OM_uint32 *GSS_NULLABLE time_rec);

OM_uint32 KRB5_CALLCONV
gss_add_cred_with_password(OM_uint32 *GSS_NONNULL minor_status,
                           const gss_cred_id_t GSS_NULLABLE input_cred_handle,
                           const gss_name_t GSS_NULLABLE desired_name,
                           const gss_OID GSS_NULLABLE desired_mech,
                           const gss_buffer_t GSS_NONNULL password, gss_cred_usage_t cred_usage,
                           OM_uint32 initiator_time_req, OM_uint32 acceptor_time_req,
                           gss_cred_id_t GSS_NULLABLE *GSS_NULLABLE output_cred_handle,
                           gss_OID_set GSS_NULLABLE *GSS_NULLABLE actual_mechs,
                           OM_uint32 *GSS_NULLABLE initiator_time_rec,
                           OM_uint32 *GSS_NULLABLE acceptor_time_rec);

/* ---- Credentials from a place, and into one ---- */

struct gss_key_value_element_struct {
    const char *GSS_NONNULL key;
    const char *GSS_NONNULL value;
};
typedef struct gss_key_value_element_struct gss_key_value_element_desc;

struct gss_key_value_set_struct {
    OM_uint32 count;
    gss_key_value_element_desc *GSS_NULLABLE elements;
};
typedef struct gss_key_value_set_struct gss_key_value_set_desc;
typedef const gss_key_value_set_desc *gss_const_key_value_set_t;

#define GSS_C_NO_CRED_STORE ((gss_const_key_value_set_t)0)

/* Keys: "ccache", "keytab", "client_keytab", "rcache", "password", "verify". */
OM_uint32 KRB5_CALLCONV
gss_acquire_cred_from(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NULLABLE desired_name,
                      OM_uint32 time_req, gss_OID_set GSS_NULLABLE desired_mechs,
                      gss_cred_usage_t cred_usage,
                      gss_const_key_value_set_t GSS_NULLABLE cred_store,
                      gss_cred_id_t GSS_NULLABLE *GSS_NONNULL output_cred_handle,
                      gss_OID_set GSS_NULLABLE *GSS_NULLABLE actual_mechs,
                      OM_uint32 *GSS_NULLABLE time_rec);

OM_uint32 KRB5_CALLCONV
gss_add_cred_from(OM_uint32 *GSS_NONNULL minor_status, gss_cred_id_t GSS_NULLABLE input_cred_handle,
                  gss_name_t GSS_NULLABLE desired_name, gss_OID GSS_NULLABLE desired_mech,
                  gss_cred_usage_t cred_usage, OM_uint32 initiator_time_req,
                  OM_uint32 acceptor_time_req, gss_const_key_value_set_t GSS_NULLABLE cred_store,
                  gss_cred_id_t GSS_NULLABLE *GSS_NULLABLE output_cred_handle,
                  gss_OID_set GSS_NULLABLE *GSS_NULLABLE actual_mechs,
                  OM_uint32 *GSS_NULLABLE initiator_time_rec,
                  OM_uint32 *GSS_NULLABLE acceptor_time_rec);

OM_uint32 KRB5_CALLCONV
gss_store_cred_into(OM_uint32 *GSS_NONNULL minor_status,
                    gss_cred_id_t GSS_NULLABLE input_cred_handle, gss_cred_usage_t input_usage,
                    gss_OID GSS_NULLABLE desired_mech, OM_uint32 overwrite_cred,
                    OM_uint32 default_cred, gss_const_key_value_set_t GSS_NULLABLE cred_store,
                    gss_OID_set GSS_NULLABLE *GSS_NULLABLE elements_stored,
                    gss_cred_usage_t *GSS_NULLABLE cred_usage_stored);

OM_uint32 KRB5_CALLCONV
gss_export_cred(OM_uint32 *GSS_NONNULL minor_status, gss_cred_id_t GSS_NONNULL cred_handle,
                gss_buffer_t GSS_NONNULL token);

OM_uint32 KRB5_CALLCONV
gss_import_cred(OM_uint32 *GSS_NONNULL minor_status, gss_buffer_t GSS_NONNULL token,
                gss_cred_id_t GSS_NULLABLE *GSS_NONNULL cred_handle);

/* ---- Credentials for another, without that one's password (S4U2Self) ---- */

OM_uint32 KRB5_CALLCONV
gss_acquire_cred_impersonate_name(OM_uint32 *GSS_NONNULL minor_status,
                                  const gss_cred_id_t GSS_NONNULL impersonator_cred_handle,
                                  const gss_name_t GSS_NULLABLE desired_name, OM_uint32 time_req,
                                  const gss_OID_set GSS_NULLABLE desired_mechs,
                                  gss_cred_usage_t cred_usage,
                                  gss_cred_id_t GSS_NULLABLE *GSS_NONNULL output_cred_handle,
                                  gss_OID_set GSS_NULLABLE *GSS_NULLABLE actual_mechs,
                                  OM_uint32 *GSS_NULLABLE time_rec);

OM_uint32 KRB5_CALLCONV
gss_add_cred_impersonate_name(OM_uint32 *GSS_NONNULL minor_status,
                              gss_cred_id_t GSS_NULLABLE input_cred_handle,
                              const gss_cred_id_t GSS_NONNULL impersonator_cred_handle,
                              const gss_name_t GSS_NULLABLE desired_name,
                              const gss_OID GSS_NULLABLE desired_mech, gss_cred_usage_t cred_usage,
                              OM_uint32 initiator_time_req, OM_uint32 acceptor_time_req,
                              gss_cred_id_t GSS_NULLABLE *GSS_NULLABLE output_cred_handle,
                              gss_OID_set GSS_NULLABLE *GSS_NULLABLE actual_mechs,
                              OM_uint32 *GSS_NULLABLE initiator_time_rec,
                              OM_uint32 *GSS_NULLABLE acceptor_time_rec);

/* ---- Sets of buffers ---- */

typedef struct gss_buffer_set_desc_struct {
    size_t count;
    gss_buffer_desc *GSS_NULLABLE elements;
} gss_buffer_set_desc, *gss_buffer_set_t;

#define GSS_C_NO_BUFFER_SET ((gss_buffer_set_t)0)

OM_uint32 KRB5_CALLCONV
gss_create_empty_buffer_set(OM_uint32 *GSS_NONNULL minor_status,
                            gss_buffer_set_t GSS_NULLABLE *GSS_NONNULL buffer_set);

OM_uint32 KRB5_CALLCONV
gss_add_buffer_set_member(OM_uint32 *GSS_NONNULL minor_status,
                          const gss_buffer_t GSS_NONNULL member_buffer,
                          gss_buffer_set_t GSS_NULLABLE *GSS_NONNULL buffer_set);

OM_uint32 KRB5_CALLCONV
gss_release_buffer_set(OM_uint32 *GSS_NONNULL minor_status,
                       gss_buffer_set_t GSS_NULLABLE *GSS_NONNULL buffer_set);

/* ---- Questions and options that have an identifier ---- */

OM_uint32 KRB5_CALLCONV
gss_inquire_sec_context_by_oid(OM_uint32 *GSS_NONNULL minor_status,
                               const gss_ctx_id_t GSS_NONNULL context_handle,
                               const gss_OID GSS_NONNULL desired_object,
                               gss_buffer_set_t GSS_NULLABLE *GSS_NONNULL data_set);

OM_uint32 KRB5_CALLCONV
gss_inquire_cred_by_oid(OM_uint32 *GSS_NONNULL minor_status,
                        const gss_cred_id_t GSS_NULLABLE cred_handle,
                        const gss_OID GSS_NONNULL desired_object,
                        gss_buffer_set_t GSS_NULLABLE *GSS_NONNULL data_set);

OM_uint32 KRB5_CALLCONV
gss_set_sec_context_option(OM_uint32 *GSS_NONNULL minor_status,
                           gss_ctx_id_t GSS_NULLABLE *GSS_NONNULL context_handle,
                           const gss_OID GSS_NONNULL desired_object,
                           const gss_buffer_t GSS_NULLABLE value);

OM_uint32 KRB5_CALLCONV
gss_set_cred_option(OM_uint32 *GSS_NONNULL minor_status,
                    gss_cred_id_t GSS_NULLABLE *GSS_NONNULL cred_handle,
                    const gss_OID GSS_NONNULL desired_object,
                    const gss_buffer_t GSS_NULLABLE value);

OM_uint32 KRB5_CALLCONV
gssspi_mech_invoke(OM_uint32 *GSS_NONNULL minor_status, const gss_OID GSS_NONNULL desired_mech,
                   const gss_OID GSS_NONNULL desired_object, gss_buffer_t GSS_NULLABLE value);

/* Of a context: the session key in the first buffer, its type as an identifier in the second. */
GSS_DLLIMP extern gss_OID GSS_NONNULL GSS_C_INQ_SSPI_SESSION_KEY;
/* Of a context of a NegoEx mechanism: a key, and its encryption type in four octets, the least first. */
GSS_DLLIMP extern gss_OID GSS_NONNULL GSS_C_INQ_NEGOEX_KEY;
GSS_DLLIMP extern gss_OID GSS_NONNULL GSS_C_INQ_NEGOEX_VERIFY_KEY;
/* Of a context: its strength as SASL counts it, four octets, the most significant first. */
GSS_DLLIMP extern gss_OID GSS_NONNULL GSS_C_SEC_CONTEXT_SASL_SSF;

/* ---- Messages with data beside them ---- */

OM_uint32 KRB5_CALLCONV
gss_wrap_aead(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
              int conf_req_flag, gss_qop_t qop_req, gss_buffer_t GSS_NULLABLE input_assoc_buffer,
              gss_buffer_t GSS_NONNULL input_payload_buffer, int *GSS_NULLABLE conf_state,
              gss_buffer_t GSS_NONNULL output_message_buffer);

OM_uint32 KRB5_CALLCONV
gss_unwrap_aead(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
                gss_buffer_t GSS_NONNULL input_message_buffer,
                gss_buffer_t GSS_NULLABLE input_assoc_buffer,
                gss_buffer_t GSS_NONNULL output_payload_buffer, int *GSS_NULLABLE conf_state,
                gss_qop_t *GSS_NULLABLE qop_state);

/* ---- Messages in pieces, where they are ---- */

/* More flags of contexts, of SSPI. */
#define GSS_C_DCE_STYLE 0x1000
#define GSS_C_IDENTIFY_FLAG 0x2000
#define GSS_C_EXTENDED_ERROR_FLAG 0x4000
/* Returned to an acceptor: both ends gave channel bindings, and the same. */
#define GSS_C_CHANNEL_BOUND_FLAG 2048

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
#define GSS_IOV_BUFFER_TYPE_MIC_TOKEN 12  /* where a MIC goes or is */

#define GSS_IOV_BUFFER_FLAG_MASK 0xFFFF0000
#define GSS_IOV_BUFFER_FLAG_ALLOCATE 0x00010000  /* the library is to allocate this piece */
#define GSS_IOV_BUFFER_FLAG_ALLOCATED 0x00020000 /* it has; gss_release_iov_buffer() frees it */

#define GSS_IOV_BUFFER_TYPE(type) ((type) & ~(GSS_IOV_BUFFER_FLAG_MASK))
#define GSS_IOV_BUFFER_FLAGS(type) ((type) & GSS_IOV_BUFFER_FLAG_MASK)

/*
 * Protects the DATA pieces in place, with HEADER, PADDING and TRAILER around them. SIGN_ONLY pieces are covered by the
 * checksum and stay as they are. Room for the others comes from gss_wrap_iov_length(), or from the ALLOCATE flag.
 */
OM_uint32 KRB5_CALLCONV
gss_wrap_iov(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
             int conf_req_flag, gss_qop_t qop_req, int *GSS_NULLABLE conf_state,
             gss_iov_buffer_desc *GSS_NONNULL iov, int iov_count);

/* The other way; with STREAM and one DATA piece, DATA points into STREAM afterwards, or has a copy (ALLOCATE). */
OM_uint32 KRB5_CALLCONV
gss_unwrap_iov(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
               int *GSS_NULLABLE conf_state, gss_qop_t *GSS_NULLABLE qop_state,
               gss_iov_buffer_desc *GSS_NONNULL iov, int iov_count);

OM_uint32 KRB5_CALLCONV
gss_wrap_iov_length(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
                    int conf_req_flag, gss_qop_t qop_req, int *GSS_NULLABLE conf_state,
                    gss_iov_buffer_desc *GSS_NONNULL iov, int iov_count);

/* A MIC over the DATA and SIGN_ONLY pieces in their order, into or from the MIC_TOKEN piece. */
OM_uint32 KRB5_CALLCONV
gss_get_mic_iov(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
                gss_qop_t qop_req, gss_iov_buffer_desc *GSS_NONNULL iov, int iov_count);

OM_uint32 KRB5_CALLCONV
gss_get_mic_iov_length(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
                       gss_qop_t qop_req, gss_iov_buffer_desc *GSS_NONNULL iov, int iov_count);

OM_uint32 KRB5_CALLCONV
gss_verify_mic_iov(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
                   gss_qop_t *GSS_NULLABLE qop_state, gss_iov_buffer_desc *GSS_NONNULL iov,
                   int iov_count);

OM_uint32 KRB5_CALLCONV
gss_release_iov_buffer(OM_uint32 *GSS_NONNULL minor_status, gss_iov_buffer_desc *GSS_NONNULL iov,
                       int iov_count);

OM_uint32 KRB5_CALLCONV
gss_complete_auth_token(OM_uint32 *GSS_NONNULL minor_status,
                        const gss_ctx_id_t GSS_NONNULL context_handle,
                        gss_buffer_t GSS_NONNULL input_message_buffer);

/* ---- Naming extensions (RFC 6680) ---- */

GSS_DLLIMP extern gss_buffer_t GSS_NONNULL GSS_C_ATTR_LOCAL_LOGIN_USER; /* the attribute "local-login-user" */
GSS_DLLIMP extern gss_OID GSS_NONNULL GSS_C_NT_COMPOSITE_EXPORT;        /* 1.3.6.1.5.6.6 */

OM_uint32 KRB5_CALLCONV
gss_display_name_ext(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NONNULL name,
                     gss_OID GSS_NONNULL display_as_name_type,
                     gss_buffer_t GSS_NONNULL display_name);

OM_uint32 KRB5_CALLCONV
gss_inquire_name(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NONNULL name,
                 int *GSS_NULLABLE name_is_MN, gss_OID GSS_NULLABLE *GSS_NULLABLE MN_mech,
                 gss_buffer_set_t GSS_NULLABLE *GSS_NULLABLE attrs);

OM_uint32 KRB5_CALLCONV
gss_get_name_attribute(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NONNULL name,
                       gss_buffer_t GSS_NONNULL attr, int *GSS_NULLABLE authenticated,
                       int *GSS_NULLABLE complete, gss_buffer_t GSS_NULLABLE value,
                       gss_buffer_t GSS_NULLABLE display_value, int *GSS_NULLABLE more);

OM_uint32 KRB5_CALLCONV
gss_set_name_attribute(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NONNULL name,
                       int complete, gss_buffer_t GSS_NONNULL attr, gss_buffer_t GSS_NONNULL value);

OM_uint32 KRB5_CALLCONV
gss_delete_name_attribute(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NONNULL name,
                          gss_buffer_t GSS_NONNULL attr);

OM_uint32 KRB5_CALLCONV
gss_export_name_composite(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NONNULL name,
                          gss_buffer_t GSS_NONNULL exp_composite_name);

typedef struct gss_any *gss_any_t;

OM_uint32 KRB5_CALLCONV
gss_map_name_to_any(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NONNULL name,
                    int authenticated, gss_buffer_t GSS_NONNULL type_id,
                    gss_any_t GSS_NULLABLE *GSS_NONNULL output);

OM_uint32 KRB5_CALLCONV
gss_release_any_name_mapping(OM_uint32 *GSS_NONNULL minor_status, gss_name_t GSS_NONNULL name,
                             gss_buffer_t GSS_NONNULL type_id,
                             gss_any_t GSS_NULLABLE *GSS_NONNULL input);

/* ---- What a mechanism plug-in defines to be negotiated by NegoEx; no library exports these ---- */

OM_uint32 KRB5_CALLCONV
gssspi_query_meta_data(OM_uint32 *GSS_NONNULL minor_status, gss_const_OID GSS_NONNULL mech_oid,
                       gss_cred_id_t GSS_NULLABLE cred_handle,
                       gss_ctx_id_t GSS_NULLABLE *GSS_NONNULL context_handle,
                       const gss_name_t GSS_NONNULL targ_name, OM_uint32 req_flags,
                       gss_buffer_t GSS_NONNULL meta_data);

OM_uint32 KRB5_CALLCONV
gssspi_exchange_meta_data(OM_uint32 *GSS_NONNULL minor_status, gss_const_OID GSS_NONNULL mech_oid,
                          gss_cred_id_t GSS_NULLABLE cred_handle,
                          gss_ctx_id_t GSS_NULLABLE *GSS_NONNULL context_handle,
                          const gss_name_t GSS_NONNULL targ_name, OM_uint32 req_flags,
                          gss_const_buffer_t GSS_NONNULL meta_data);

OM_uint32 KRB5_CALLCONV
gssspi_query_mechanism_info(OM_uint32 *GSS_NONNULL minor_status, gss_const_OID GSS_NONNULL mech_oid,
                            unsigned char auth_scheme[GSS_NONNULL 16]);

GSS_DLLIMP extern gss_const_OID GSS_NONNULL GSS_C_MA_NEGOEX_AND_SPNEGO;

GSS_NULLABILITY_END

#ifdef __cplusplus
}
#endif

#endif
