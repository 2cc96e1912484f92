/*
 * What <gssapi/gssapi.h> of every face declares: the types, numbers and calls of RFC 2744, and the calls of RFC 5801 and
 * RFC 6339 that all originals have. Section numbers are RFC 2744's unless another RFC is named.
 *
 * Not to be included by itself. Before it is, the face's header declares the handles, gss_name_t, gss_cred_id_t and
 * gss_ctx_id_t with their gss_const_ forms, and says by macros in what its original differs:
 *   GSS_IN_NAME, GSS_IN_CRED, GSS_IN_CONTEXT   the type of a handle that a call only reads
 *   GSS_NUMBER(n)                              the type of status codes and masks
 *   GSS_SUPPLEMENTARY_NUMBER(n)                the type of supplementary bits
 *
 * GSS_NONNULL and GSS_NULLABLE say what may be null, to compilers that ask (Clang, Swift).
 */
#ifndef ORTHROS_GSSAPI_CORE_H
#define ORTHROS_GSSAPI_CORE_H

#include <stddef.h>
#include <orthros/nullability.h>

#ifdef __cplusplus
extern "C" {
#endif

GSS_NULLABILITY_BEGIN

/* ---- Types (section 3) ---- */

/* An object identifier: the content octets of its DER. */
typedef struct gss_OID_desc_struct {
    OM_uint32 length;
    void *GSS_NULLABLE elements;
} gss_OID_desc, *gss_OID;

typedef struct gss_OID_set_desc_struct {
    size_t count;
    gss_OID GSS_NULLABLE elements;
} gss_OID_set_desc, *gss_OID_set;

/* Octets. Those that a call returns are freed with gss_release_buffer(). */
typedef struct gss_buffer_desc_struct {
    size_t length;
    void *GSS_NULLABLE value;
} gss_buffer_desc, *gss_buffer_t;

/* What both ends must agree on (section 3.11). */
typedef struct gss_channel_bindings_struct {
    OM_uint32 initiator_addrtype;
    gss_buffer_desc initiator_address;
    OM_uint32 acceptor_addrtype;
    gss_buffer_desc acceptor_address;
    gss_buffer_desc application_data;
} *gss_channel_bindings_t;

typedef OM_uint32 gss_qop_t;
typedef int gss_cred_usage_t;

/* The same types for what a call only reads (RFC 5587). */
typedef const gss_buffer_desc *gss_const_buffer_t;
typedef const struct gss_channel_bindings_struct *gss_const_channel_bindings_t;
typedef const gss_OID_desc *gss_const_OID;
typedef const gss_OID_set_desc *gss_const_OID_set;

/* ---- Numbers (appendix A) ---- */

/* Services of a context: what init_sec_context asks for, and what the context has. */
#define GSS_C_DELEG_FLAG 1
#define GSS_C_MUTUAL_FLAG 2
#define GSS_C_REPLAY_FLAG 4
#define GSS_C_SEQUENCE_FLAG 8
#define GSS_C_CONF_FLAG 16
#define GSS_C_INTEG_FLAG 32
#define GSS_C_ANON_FLAG 64
#define GSS_C_PROT_READY_FLAG 128
#define GSS_C_TRANS_FLAG 256

#define GSS_C_BOTH 0
#define GSS_C_INITIATE 1
#define GSS_C_ACCEPT 2

/* Which of its two statuses gss_display_status() is asked about. */
#define GSS_C_GSS_CODE 1
#define GSS_C_MECH_CODE 2

/* Address types of channel bindings. */
#define GSS_C_AF_UNSPEC 0
#define GSS_C_AF_LOCAL 1
#define GSS_C_AF_INET 2
#define GSS_C_AF_IMPLINK 3
#define GSS_C_AF_PUP 4
#define GSS_C_AF_CHAOS 5
#define GSS_C_AF_NS 6
#define GSS_C_AF_NBS 7
#define GSS_C_AF_ECMA 8
#define GSS_C_AF_DATAKIT 9
#define GSS_C_AF_CCITT 10
#define GSS_C_AF_SNA 11
#define GSS_C_AF_DECnet 12
#define GSS_C_AF_DLI 13
#define GSS_C_AF_LAT 14
#define GSS_C_AF_HYLINK 15
#define GSS_C_AF_APPLETALK 16
#define GSS_C_AF_BSC 17
#define GSS_C_AF_DSS 18
#define GSS_C_AF_OSI 19
#define GSS_C_AF_X25 21
#define GSS_C_AF_NULLADDR 255

/* Null values. */
#define GSS_C_NO_NAME ((gss_name_t)0)
#define GSS_C_NO_BUFFER ((gss_buffer_t)0)
#define GSS_C_NO_OID ((gss_OID)0)
#define GSS_C_NO_OID_SET ((gss_OID_set)0)
#define GSS_C_NO_CONTEXT ((gss_ctx_id_t)0)
#define GSS_C_NO_CREDENTIAL ((gss_cred_id_t)0)
#define GSS_C_NO_CHANNEL_BINDINGS ((gss_channel_bindings_t)0)
#define GSS_C_EMPTY_BUFFER {0, NULL}

/* Their names in version 1 of the interface. */
#define GSS_C_NULL_OID GSS_C_NO_OID
#define GSS_C_NULL_OID_SET GSS_C_NO_OID_SET

#define GSS_C_QOP_DEFAULT 0

/* A lifetime without an end. */
#define GSS_C_INDEFINITE GSS_NUMBER(0xffffffff)

/* ---- Major status (section 3.9) ---- */

#define GSS_S_COMPLETE 0

#define GSS_C_CALLING_ERROR_OFFSET 24
#define GSS_C_ROUTINE_ERROR_OFFSET 16
#define GSS_C_SUPPLEMENTARY_OFFSET 0
#define GSS_C_CALLING_ERROR_MASK GSS_NUMBER(0377)
#define GSS_C_ROUTINE_ERROR_MASK GSS_NUMBER(0377)
#define GSS_C_SUPPLEMENTARY_MASK GSS_NUMBER(0177777)

/* The parts of a status, where they stand. */
#define GSS_CALLING_ERROR(x) ((x) & (GSS_C_CALLING_ERROR_MASK << GSS_C_CALLING_ERROR_OFFSET))
#define GSS_ROUTINE_ERROR(x) ((x) & (GSS_C_ROUTINE_ERROR_MASK << GSS_C_ROUTINE_ERROR_OFFSET))
#define GSS_SUPPLEMENTARY_INFO(x) ((x) & (GSS_C_SUPPLEMENTARY_MASK << GSS_C_SUPPLEMENTARY_OFFSET))
#define GSS_ERROR(x)                                                  \
    ((x) & ((GSS_C_CALLING_ERROR_MASK << GSS_C_CALLING_ERROR_OFFSET) | \
            (GSS_C_ROUTINE_ERROR_MASK << GSS_C_ROUTINE_ERROR_OFFSET)))

#define GSS_S_CALL_INACCESSIBLE_READ (GSS_NUMBER(1) << GSS_C_CALLING_ERROR_OFFSET)
#define GSS_S_CALL_INACCESSIBLE_WRITE (GSS_NUMBER(2) << GSS_C_CALLING_ERROR_OFFSET)
#define GSS_S_CALL_BAD_STRUCTURE (GSS_NUMBER(3) << GSS_C_CALLING_ERROR_OFFSET)

#define GSS_S_BAD_MECH (GSS_NUMBER(1) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_BAD_NAME (GSS_NUMBER(2) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_BAD_NAMETYPE (GSS_NUMBER(3) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_BAD_BINDINGS (GSS_NUMBER(4) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_BAD_STATUS (GSS_NUMBER(5) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_BAD_SIG (GSS_NUMBER(6) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_BAD_MIC GSS_S_BAD_SIG
#define GSS_S_NO_CRED (GSS_NUMBER(7) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_NO_CONTEXT (GSS_NUMBER(8) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_DEFECTIVE_TOKEN (GSS_NUMBER(9) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_DEFECTIVE_CREDENTIAL (GSS_NUMBER(10) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_CREDENTIALS_EXPIRED (GSS_NUMBER(11) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_CONTEXT_EXPIRED (GSS_NUMBER(12) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_FAILURE (GSS_NUMBER(13) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_BAD_QOP (GSS_NUMBER(14) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_UNAUTHORIZED (GSS_NUMBER(15) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_UNAVAILABLE (GSS_NUMBER(16) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_DUPLICATE_ELEMENT (GSS_NUMBER(17) << GSS_C_ROUTINE_ERROR_OFFSET)
#define GSS_S_NAME_NOT_MN (GSS_NUMBER(18) << GSS_C_ROUTINE_ERROR_OFFSET)

#define GSS_S_CONTINUE_NEEDED (GSS_SUPPLEMENTARY_NUMBER(1) << (GSS_C_SUPPLEMENTARY_OFFSET + 0))
#define GSS_S_DUPLICATE_TOKEN (GSS_SUPPLEMENTARY_NUMBER(1) << (GSS_C_SUPPLEMENTARY_OFFSET + 1))
#define GSS_S_OLD_TOKEN (GSS_SUPPLEMENTARY_NUMBER(1) << (GSS_C_SUPPLEMENTARY_OFFSET + 2))
#define GSS_S_UNSEQ_TOKEN (GSS_SUPPLEMENTARY_NUMBER(1) << (GSS_C_SUPPLEMENTARY_OFFSET + 3))
#define GSS_S_GAP_TOKEN (GSS_SUPPLEMENTARY_NUMBER(1) << (GSS_C_SUPPLEMENTARY_OFFSET + 4))

/* ---- Credentials ---- */

/* gss_acquire_cred(3): get a credential that is there. */
OM_uint32
gss_acquire_cred(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_NAME GSS_NULLABLE desired_name,
                 OM_uint32 time_req, gss_OID_set GSS_NULLABLE desired_mechs,
                 gss_cred_usage_t cred_usage,
                 gss_cred_id_t GSS_NULLABLE *GSS_NONNULL output_cred_handle,
                 gss_OID_set GSS_NULLABLE *GSS_NULLABLE actual_mechs,
                 OM_uint32 *GSS_NULLABLE time_rec);

/* gss_add_cred(3): add an element to a credential. */
OM_uint32
gss_add_cred(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_CRED GSS_NULLABLE input_cred_handle,
             GSS_IN_NAME GSS_NULLABLE desired_name, gss_OID GSS_NULLABLE desired_mech,
             gss_cred_usage_t cred_usage, OM_uint32 initiator_time_req, OM_uint32 acceptor_time_req,
             gss_cred_id_t GSS_NULLABLE *GSS_NULLABLE output_cred_handle,
             gss_OID_set GSS_NULLABLE *GSS_NULLABLE actual_mechs,
             OM_uint32 *GSS_NULLABLE initiator_time_rec, OM_uint32 *GSS_NULLABLE acceptor_time_rec);

/* gss_inquire_cred(3): tell what is known of a credential. */
OM_uint32
gss_inquire_cred(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_CRED GSS_NULLABLE cred_handle,
                 gss_name_t GSS_NULLABLE *GSS_NULLABLE name, OM_uint32 *GSS_NULLABLE lifetime,
                 gss_cred_usage_t *GSS_NULLABLE cred_usage,
                 gss_OID_set GSS_NULLABLE *GSS_NULLABLE mechanisms);

/* gss_inquire_cred_by_mech(3): tell what is known of a credential for one mechanism. */
OM_uint32
gss_inquire_cred_by_mech(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_CRED GSS_NULLABLE cred_handle,
                         gss_OID GSS_NULLABLE mech_type, gss_name_t GSS_NULLABLE *GSS_NULLABLE name,
                         OM_uint32 *GSS_NULLABLE initiator_lifetime,
                         OM_uint32 *GSS_NULLABLE acceptor_lifetime,
                         gss_cred_usage_t *GSS_NULLABLE cred_usage);

/* gss_release_cred(3): release a credential. */
OM_uint32
gss_release_cred(OM_uint32 *GSS_NONNULL minor_status,
                 gss_cred_id_t GSS_NULLABLE *GSS_NONNULL cred_handle);

/* ---- Contexts ---- */

/* A token that is not empty is to be sent to the peer whatever the status; so with gss_accept_sec_context(). */
/* gss_init_sec_context(3): begin a security context, or go on with it, as the initiator. */
OM_uint32
gss_init_sec_context(OM_uint32 *GSS_NONNULL minor_status,
                     GSS_IN_CRED GSS_NULLABLE initiator_cred_handle,
                     gss_ctx_id_t GSS_NULLABLE *GSS_NONNULL context_handle,
                     GSS_IN_NAME GSS_NONNULL target_name, gss_OID GSS_NULLABLE mech_type,
                     OM_uint32 req_flags, OM_uint32 time_req,
                     gss_channel_bindings_t GSS_NULLABLE input_chan_bindings,
                     gss_buffer_t GSS_NULLABLE input_token,
                     gss_OID GSS_NULLABLE *GSS_NULLABLE actual_mech_type,
                     gss_buffer_t GSS_NONNULL output_token, OM_uint32 *GSS_NULLABLE ret_flags,
                     OM_uint32 *GSS_NULLABLE time_rec);

/* gss_accept_sec_context(3): begin a security context, or go on with it, as the acceptor. */
OM_uint32
gss_accept_sec_context(OM_uint32 *GSS_NONNULL minor_status,
                       gss_ctx_id_t GSS_NULLABLE *GSS_NONNULL context_handle,
                       GSS_IN_CRED GSS_NULLABLE acceptor_cred_handle,
                       gss_buffer_t GSS_NONNULL input_token,
                       gss_channel_bindings_t GSS_NULLABLE input_chan_bindings,
                       gss_name_t GSS_NULLABLE *GSS_NULLABLE src_name,
                       gss_OID GSS_NULLABLE *GSS_NULLABLE mech_type,
                       gss_buffer_t GSS_NONNULL output_token, OM_uint32 *GSS_NULLABLE ret_flags,
                       OM_uint32 *GSS_NULLABLE time_rec,
                       gss_cred_id_t GSS_NULLABLE *GSS_NULLABLE delegated_cred_handle);

/* gss_process_context_token(3): take a token that came after the context was up. */
OM_uint32
gss_process_context_token(OM_uint32 *GSS_NONNULL minor_status,
                          GSS_IN_CONTEXT GSS_NONNULL context_handle,
                          gss_buffer_t GSS_NONNULL token_buffer);

/* gss_delete_sec_context(3): end a security context. */
OM_uint32
gss_delete_sec_context(OM_uint32 *GSS_NONNULL minor_status,
                       gss_ctx_id_t GSS_NULLABLE *GSS_NONNULL context_handle,
                       gss_buffer_t GSS_NULLABLE output_token);

/* gss_context_time(3): tell how long a context is still valid. */
OM_uint32
gss_context_time(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_CONTEXT GSS_NONNULL context_handle,
                 OM_uint32 *GSS_NONNULL time_rec);

/* gss_inquire_context(3): tell what is known of a context. */
OM_uint32
gss_inquire_context(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_CONTEXT GSS_NONNULL context_handle,
                    gss_name_t GSS_NULLABLE *GSS_NULLABLE src_name,
                    gss_name_t GSS_NULLABLE *GSS_NULLABLE targ_name,
                    OM_uint32 *GSS_NULLABLE lifetime_rec,
                    gss_OID GSS_NULLABLE *GSS_NULLABLE mech_type, OM_uint32 *GSS_NULLABLE ctx_flags,
                    int *GSS_NULLABLE locally_initiated, int *GSS_NULLABLE open);

/* Moves the context out of this process: the handle is GSS_C_NO_CONTEXT afterwards. */
/* gss_export_sec_context(3): transfer a security context to another process. */
OM_uint32
gss_export_sec_context(OM_uint32 *GSS_NONNULL minor_status,
                       gss_ctx_id_t GSS_NULLABLE *GSS_NONNULL context_handle,
                       gss_buffer_t GSS_NONNULL interprocess_token);

/* gss_import_sec_context(3): take over a security context that another process exported. */
OM_uint32
gss_import_sec_context(OM_uint32 *GSS_NONNULL minor_status,
                       gss_buffer_t GSS_NONNULL interprocess_token,
                       gss_ctx_id_t GSS_NULLABLE *GSS_NONNULL context_handle);

/* ---- Messages ---- */

/* gss_get_mic(3): sign a message, apart from it. */
OM_uint32
gss_get_mic(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_CONTEXT GSS_NONNULL context_handle,
            gss_qop_t qop_req, gss_buffer_t GSS_NONNULL message_buffer,
            gss_buffer_t GSS_NONNULL message_token);

/* gss_verify_mic(3): verify the signature of a message. */
OM_uint32
gss_verify_mic(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_CONTEXT GSS_NONNULL context_handle,
               gss_buffer_t GSS_NONNULL message_buffer, gss_buffer_t GSS_NONNULL message_token,
               gss_qop_t *GSS_NULLABLE qop_state);

/* gss_wrap(3): protect a message, and put it into a token. */
OM_uint32
gss_wrap(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_CONTEXT GSS_NONNULL context_handle,
         int conf_req_flag, gss_qop_t qop_req, gss_buffer_t GSS_NONNULL input_message_buffer,
         int *GSS_NULLABLE conf_state, gss_buffer_t GSS_NONNULL output_message_buffer);

/* gss_unwrap(3): verify a protected message, and take it out of its token. */
OM_uint32
gss_unwrap(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_CONTEXT GSS_NONNULL context_handle,
           gss_buffer_t GSS_NONNULL input_message_buffer,
           gss_buffer_t GSS_NONNULL output_message_buffer, int *GSS_NULLABLE conf_state,
           gss_qop_t *GSS_NULLABLE qop_state);

/* gss_wrap_size_limit(3): tell how long a message may be that fits a token of some length. */
OM_uint32
gss_wrap_size_limit(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_CONTEXT GSS_NONNULL context_handle,
                    int conf_req_flag, gss_qop_t qop_req, OM_uint32 req_output_size,
                    OM_uint32 *GSS_NONNULL max_input_size);

/* ---- Messages, by the names of version 1 (section 5, and RFC 1509) ---- */

/* gss_sign(3): sign a message, apart from it. */
OM_uint32
gss_sign(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle, int qop_req,
         gss_buffer_t GSS_NONNULL message_buffer, gss_buffer_t GSS_NONNULL message_token);

/* gss_verify(3): verify the signature of a message. */
OM_uint32
gss_verify(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
           gss_buffer_t GSS_NONNULL message_buffer, gss_buffer_t GSS_NONNULL token_buffer,
           int *GSS_NULLABLE qop_state);

/* gss_seal(3): protect a message, and put it into a token. */
OM_uint32
gss_seal(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
         int conf_req_flag, int qop_req, gss_buffer_t GSS_NONNULL input_message_buffer,
         int *GSS_NULLABLE conf_state, gss_buffer_t GSS_NONNULL output_message_buffer);

/* gss_unseal(3): verify a protected message, and take it out of its token. */
OM_uint32
gss_unseal(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
           gss_buffer_t GSS_NONNULL input_message_buffer,
           gss_buffer_t GSS_NONNULL output_message_buffer, int *GSS_NULLABLE conf_state,
           int *GSS_NULLABLE qop_state);

/* ---- Names ---- */

/* gss_import_name(3): make a name of text. */
OM_uint32
gss_import_name(OM_uint32 *GSS_NONNULL minor_status, gss_buffer_t GSS_NONNULL input_name_buffer,
                gss_OID GSS_NULLABLE input_name_type,
                gss_name_t GSS_NULLABLE *GSS_NONNULL output_name);

/* gss_display_name(3): tell a name for people. */
OM_uint32
gss_display_name(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_NAME GSS_NONNULL input_name,
                 gss_buffer_t GSS_NONNULL output_name_buffer,
                 gss_OID GSS_NULLABLE *GSS_NULLABLE output_name_type);

/* gss_compare_name(3): tell whether two names mean the same. */
OM_uint32
gss_compare_name(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_NAME GSS_NONNULL name1,
                 GSS_IN_NAME GSS_NONNULL name2, int *GSS_NONNULL name_equal);

/* gss_canonicalize_name(3): make a name one of a mechanism. */
OM_uint32
gss_canonicalize_name(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_NAME GSS_NONNULL input_name,
                      gss_OID GSS_NULLABLE mech_type,
                      gss_name_t GSS_NULLABLE *GSS_NONNULL output_name);

/* gss_export_name(3): make octets of a name that can be compared octet by octet. */
OM_uint32
gss_export_name(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_NAME GSS_NONNULL input_name,
                gss_buffer_t GSS_NONNULL exported_name);

/* gss_duplicate_name(3): copy a name. */
OM_uint32
gss_duplicate_name(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_NAME GSS_NONNULL input_name,
                   gss_name_t GSS_NULLABLE *GSS_NONNULL dest_name);

/* gss_release_name(3): release a name. */
OM_uint32
gss_release_name(OM_uint32 *GSS_NONNULL minor_status,
                 gss_name_t GSS_NULLABLE *GSS_NONNULL input_name);

/* gss_inquire_names_for_mech(3): tell which types of names a mechanism takes. */
OM_uint32
gss_inquire_names_for_mech(OM_uint32 *GSS_NONNULL minor_status, gss_OID GSS_NULLABLE mechanism,
                           gss_OID_set GSS_NULLABLE *GSS_NONNULL name_types);

/* gss_inquire_mechs_for_name(3): tell which mechanisms take a name. */
OM_uint32
gss_inquire_mechs_for_name(OM_uint32 *GSS_NONNULL minor_status, GSS_IN_NAME GSS_NONNULL input_name,
                           gss_OID_set GSS_NULLABLE *GSS_NONNULL mech_types);

/* ---- Status, buffers, sets of identifiers ---- */

/* gss_display_status(3): tell what a status means. */
OM_uint32
gss_display_status(OM_uint32 *GSS_NONNULL minor_status, OM_uint32 status_value, int status_type,
                   gss_OID GSS_NULLABLE mech_type, OM_uint32 *GSS_NONNULL message_context,
                   gss_buffer_t GSS_NONNULL status_string);

/* gss_indicate_mechs(3): tell which mechanisms there are. */
OM_uint32
gss_indicate_mechs(OM_uint32 *GSS_NONNULL minor_status,
                   gss_OID_set GSS_NULLABLE *GSS_NONNULL mech_set);

/* gss_release_buffer(3): free what a buffer holds. */
OM_uint32
gss_release_buffer(OM_uint32 *GSS_NONNULL minor_status, gss_buffer_t GSS_NONNULL buffer);

/* gss_create_empty_oid_set(3): make a set of object identifiers with nothing in it. */
OM_uint32
gss_create_empty_oid_set(OM_uint32 *GSS_NONNULL minor_status,
                         gss_OID_set GSS_NULLABLE *GSS_NONNULL oid_set);

/* gss_add_oid_set_member(3): put an object identifier into a set. */
OM_uint32
gss_add_oid_set_member(OM_uint32 *GSS_NONNULL minor_status, gss_OID GSS_NONNULL member_oid,
                       gss_OID_set GSS_NULLABLE *GSS_NONNULL oid_set);

/* gss_test_oid_set_member(3): tell whether an object identifier is in a set. */
OM_uint32
gss_test_oid_set_member(OM_uint32 *GSS_NONNULL minor_status, gss_OID GSS_NONNULL member,
                        gss_OID_set GSS_NONNULL set, int *GSS_NONNULL present);

/* gss_release_oid_set(3): free a set of object identifiers. */
OM_uint32
gss_release_oid_set(OM_uint32 *GSS_NONNULL minor_status, gss_OID_set GSS_NULLABLE *GSS_NONNULL set);

/* ---- SASL names (RFC 5801) ---- */

OM_uint32
gss_inquire_saslname_for_mech(OM_uint32 *GSS_NONNULL minor_status, gss_OID GSS_NONNULL desired_mech,
                              gss_buffer_t GSS_NULLABLE sasl_mech_name,
                              gss_buffer_t GSS_NULLABLE mech_name,
                              gss_buffer_t GSS_NULLABLE mech_description);

OM_uint32
gss_inquire_mech_for_saslname(OM_uint32 *GSS_NONNULL minor_status,
                              gss_buffer_t GSS_NONNULL sasl_mech_name,
                              gss_OID GSS_NULLABLE *GSS_NULLABLE mech_type);

/* ---- Framing, comparing (RFC 6339) ---- */

OM_uint32
gss_encapsulate_token(gss_const_buffer_t GSS_NONNULL input_token,
                      gss_const_OID GSS_NONNULL token_oid, gss_buffer_t GSS_NONNULL output_token);

OM_uint32
gss_decapsulate_token(gss_const_buffer_t GSS_NONNULL input_token,
                      gss_const_OID GSS_NONNULL token_oid, gss_buffer_t GSS_NONNULL output_token);

int
gss_oid_equal(gss_const_OID GSS_NULLABLE first_oid, gss_const_OID GSS_NULLABLE second_oid);

GSS_NULLABILITY_END

#ifdef __cplusplus
}
#endif

#endif
