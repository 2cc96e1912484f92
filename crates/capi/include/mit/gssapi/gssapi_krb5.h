/*
 * <gssapi/gssapi_krb5.h>: what belongs to the Kerberos mechanism (RFC 1964, RFC 4121).
 *
 * Some calls take objects of the program's own libkrb5. Where its header <krb5.h> is installed it is included, as MIT's
 * header of this name does; where it is not, these objects stay incomplete types.
 */
#ifndef ORTHROS_GSSAPI_KRB5_H
#define ORTHROS_GSSAPI_KRB5_H

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <stdint.h>

#ifdef __has_include
#if __has_include(<krb5.h>)
#include <krb5.h>
#define ORTHROS_HAVE_KRB5_H
#endif
#endif

#ifndef ORTHROS_HAVE_KRB5_H
typedef int32_t krb5_flags;
typedef int32_t krb5_enctype;
typedef int32_t krb5_timestamp;
struct _krb5_ccache;
typedef struct _krb5_ccache *krb5_ccache;
struct _krb5_kt;
typedef struct _krb5_kt *krb5_keytab;
struct krb5_principal_data;
typedef struct krb5_principal_data *krb5_principal;
struct krb5_rc_st;
typedef struct krb5_rc_st *krb5_rcache;
#endif

#ifdef __cplusplus
extern "C" {
#endif

GSS_NULLABILITY_BEGIN

/* ---- Identifiers ---- */

GSS_DLLIMP extern const gss_OID GSS_NONNULL GSS_KRB5_NT_PRINCIPAL_NAME;  /* 1.2.840.113554.1.2.2.1 (RFC 1964, 2.1.1) */
GSS_DLLIMP extern const gss_OID GSS_NONNULL GSS_KRB5_NT_ENTERPRISE_NAME; /* 1.2.840.113554.1.2.2.6 (RFC 6806, 5) */
GSS_DLLIMP extern const gss_OID GSS_NONNULL GSS_KRB5_NT_X509_CERT;       /* 1.2.840.113554.1.2.2.7 */

/* RFC 1964's names for the types that every mechanism has. */
#define GSS_KRB5_NT_HOSTBASED_SERVICE_NAME GSS_C_NT_HOSTBASED_SERVICE
#define GSS_KRB5_NT_USER_NAME GSS_C_NT_USER_NAME
#define GSS_KRB5_NT_MACHINE_UID_NAME GSS_C_NT_MACHINE_UID_NAME
#define GSS_KRB5_NT_STRING_UID_NAME GSS_C_NT_STRING_UID_NAME

GSS_DLLIMP extern const gss_OID GSS_NONNULL gss_mech_krb5;       /* 1.2.840.113554.1.2.2 */
GSS_DLLIMP extern const gss_OID GSS_NONNULL gss_mech_krb5_old;   /* 1.3.5.1.5.2, before RFC 1964 */
GSS_DLLIMP extern const gss_OID GSS_NONNULL gss_mech_krb5_wrong; /* 1.2.840.48018.1.2.2, an old error of Windows */
GSS_DLLIMP extern const gss_OID GSS_NONNULL gss_mech_iakerb;     /* 1.3.6.1.5.2.5 */
GSS_DLLIMP extern const gss_OID_set GSS_NONNULL gss_mech_set_krb5;
GSS_DLLIMP extern const gss_OID_set GSS_NONNULL gss_mech_set_krb5_old;
GSS_DLLIMP extern const gss_OID_set GSS_NONNULL gss_mech_set_krb5_both;

GSS_DLLIMP extern const gss_OID GSS_NONNULL gss_nt_krb5_name;      /* as GSS_KRB5_NT_PRINCIPAL_NAME */
GSS_DLLIMP extern const gss_OID GSS_NONNULL gss_nt_krb5_principal; /* 1.2.840.113554.1.2.2.2: a krb5_principal in memory */

#define gss_krb5_nt_general_name gss_nt_krb5_name
#define gss_krb5_nt_principal gss_nt_krb5_principal
#define gss_krb5_nt_service_name gss_nt_service_name
#define gss_krb5_nt_user_name gss_nt_user_name
#define gss_krb5_nt_machine_uid_name gss_nt_machine_uid_name
#define gss_krb5_nt_string_uid_name gss_nt_string_uid_name

/* For gss_set_cred_option(): contexts don't ask for confidentiality and integrity unless the program does. */
GSS_DLLIMP extern const gss_OID GSS_NONNULL GSS_KRB5_CRED_NO_CI_FLAGS_X; /* 1.2.752.43.13.29 */
/* For gss_inquire_cred_by_oid(): who acts for the credential's principal, if somebody does. */
GSS_DLLIMP extern const gss_OID GSS_NONNULL GSS_KRB5_GET_CRED_IMPERSONATOR; /* 1.2.840.113554.1.2.2.5.14 */

/* ---- Where keys and tickets are ---- */

/* The keytab of acceptors in this process that name none. */
OM_uint32 KRB5_CALLCONV
krb5_gss_register_acceptor_identity(const char *GSS_NULLABLE keytab);

/* Heimdal's name for it. */
#define gsskrb5_register_acceptor_identity krb5_gss_register_acceptor_identity

/* The cache of initiators in this thread that name none; the name until now comes back in out_name. */
OM_uint32 KRB5_CALLCONV
gss_krb5_ccache_name(OM_uint32 *GSS_NONNULL minor_status, const char *GSS_NULLABLE name,
                     const char *GSS_NULLABLE *GSS_NULLABLE out_name);

/* Copies the tickets of a credential into a cache of the program's libkrb5. */
OM_uint32 KRB5_CALLCONV
gss_krb5_copy_ccache(OM_uint32 *GSS_NONNULL minor_status, gss_cred_id_t GSS_NONNULL cred_handle,
                     krb5_ccache GSS_NONNULL out_ccache);

/* A credential made of a cache, or a keytab, or both, of the program's libkrb5. */
OM_uint32 KRB5_CALLCONV
gss_krb5_import_cred(OM_uint32 *GSS_NONNULL minor_status, krb5_ccache GSS_NULLABLE id,
                     krb5_principal GSS_NULLABLE keytab_principal, krb5_keytab GSS_NULLABLE keytab,
                     gss_cred_id_t GSS_NULLABLE *GSS_NONNULL cred);

OM_uint32 KRB5_CALLCONV
gss_krb5_set_cred_rcache(OM_uint32 *GSS_NONNULL minor_status, gss_cred_id_t GSS_NONNULL cred,
                         krb5_rcache GSS_NONNULL rcache);

/* Which encryption types contexts of this credential may end up with. */
OM_uint32 KRB5_CALLCONV
gss_krb5_set_allowable_enctypes(OM_uint32 *GSS_NONNULL minor_status, gss_cred_id_t GSS_NONNULL cred,
                                OM_uint32 num_ktypes, krb5_enctype *GSS_NULLABLE ktypes);

/* ---- What a context knows ---- */

/* The flags of the service ticket, bit 0 of RFC 4120 being the most significant. */
OM_uint32 KRB5_CALLCONV
gss_krb5_get_tkt_flags(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
                       krb5_flags *GSS_NONNULL ticket_flags);

/* When the initiator authenticated to its KDC, in seconds since 1970. */
OM_uint32 KRB5_CALLCONV
gsskrb5_extract_authtime_from_sec_context(OM_uint32 *GSS_NONNULL minor_status,
                                          gss_ctx_id_t GSS_NONNULL context_handle,
                                          krb5_timestamp *GSS_NONNULL authtime);

/* The ticket's authorization data of one type. */
OM_uint32 KRB5_CALLCONV
gsskrb5_extract_authz_data_from_sec_context(OM_uint32 *GSS_NONNULL minor_status,
                                            const gss_ctx_id_t GSS_NONNULL context_handle,
                                            int ad_type, gss_buffer_t GSS_NONNULL ad_data);

/* ---- A context's keys in the open ("lucid") ---- */

typedef struct gss_krb5_lucid_key {
    OM_uint32 type;   /* the encryption type */
    OM_uint32 length; /* octets of the key */
    void *GSS_NULLABLE data;       /* the key */
} gss_krb5_lucid_key_t;

/* Protocol 0: RFC 1964. */
typedef struct gss_krb5_rfc1964_keydata {
    OM_uint32 sign_alg;
    OM_uint32 seal_alg;
    gss_krb5_lucid_key_t ctx_key;
} gss_krb5_rfc1964_keydata_t;

/* Protocol 1: RFC 4121. */
typedef struct gss_krb5_cfx_keydata {
    OM_uint32 have_acceptor_subkey;       /* 1 if the acceptor gave one */
    gss_krb5_lucid_key_t ctx_key;         /* the initiator's subkey, or the session key */
    gss_krb5_lucid_key_t acceptor_subkey; /* zeros if there is none */
} gss_krb5_cfx_keydata_t;

typedef struct gss_krb5_lucid_context_v1 {
    OM_uint32 version;  /* 1 */
    OM_uint32 initiate; /* 1 for the initiator's end */
    OM_uint32 endtime;  /* seconds since 1970 */
    uint64_t send_seq;
    uint64_t recv_seq;
    OM_uint32 protocol; /* which of the following two counts; the other is zeros */
    gss_krb5_rfc1964_keydata_t rfc1964_kd;
    gss_krb5_cfx_keydata_t cfx_kd;
} gss_krb5_lucid_context_v1_t;

/* How each version begins. */
typedef struct gss_krb5_lucid_context_version {
    OM_uint32 version;
} gss_krb5_lucid_context_version_t;

/* Moves the context out: the handle is GSS_C_NO_CONTEXT afterwards. Version 1 is known. */
OM_uint32 KRB5_CALLCONV
gss_krb5_export_lucid_sec_context(OM_uint32 *GSS_NONNULL minor_status,
                                  gss_ctx_id_t GSS_NULLABLE *GSS_NONNULL context_handle,
                                  OM_uint32 version, void *GSS_NULLABLE *GSS_NONNULL kctx);

OM_uint32 KRB5_CALLCONV
gss_krb5_free_lucid_sec_context(OM_uint32 *GSS_NONNULL minor_status, void *GSS_NULLABLE kctx);

GSS_NULLABILITY_END

#ifdef __cplusplus
}
#endif

#endif
