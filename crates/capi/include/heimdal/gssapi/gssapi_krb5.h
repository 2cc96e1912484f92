/*
 * <gssapi/gssapi_krb5.h>: what belongs to the Kerberos mechanism (RFC 1964, RFC 4121), as programs for Heimdal expect it.
 *
 * Some calls take objects of the program's own libkrb5; here they are incomplete types.
 */
#ifndef GSSAPI_KRB5_H_
#define GSSAPI_KRB5_H_

#include <gssapi.h>
#include <gssapi/gssapi_oid.h>

GSSAPI_CPP_START
GSS_NULLABILITY_BEGIN

#ifndef GSSKRB5_FUNCTION_DEPRECATED
#define GSSKRB5_FUNCTION_DEPRECATED __attribute__((deprecated))
#endif

/* ---- Identifiers ---- */

extern gss_OID_desc __gss_krb5_nt_principal_name_oid_desc; /* 1.2.840.113554.1.2.2.1 */
#define GSS_KRB5_NT_PRINCIPAL_NAME (&__gss_krb5_nt_principal_name_oid_desc)

/* RFC 1964's names for the types that every mechanism has. */
#define GSS_KRB5_NT_USER_NAME (&__gss_c_nt_user_name_oid_desc)
#define GSS_KRB5_NT_MACHINE_UID_NAME (&__gss_c_nt_machine_uid_name_oid_desc)
#define GSS_KRB5_NT_STRING_UID_NAME (&__gss_c_nt_string_uid_name_oid_desc)

#define gss_mech_krb5 GSS_KRB5_MECHANISM
#define gss_krb5_nt_general_name GSS_KRB5_NT_PRINCIPAL_NAME

/* ---- Where keys and tickets are ---- */

struct krb5_keytab_data;
struct krb5_ccache_data;
struct Principal;

/* The cache of initiators in this thread that name none; the name until now comes back in out_name. */
OM_uint32
gss_krb5_ccache_name(OM_uint32 *GSS_NONNULL minor_status, const char *GSS_NULLABLE name,
                     const char *GSS_NULLABLE *GSS_NULLABLE out_name);

/* The keytab of acceptors in this process that name none. */
OM_uint32
gsskrb5_register_acceptor_identity(const char *GSS_NULLABLE identity);

OM_uint32
krb5_gss_register_acceptor_identity(const char *GSS_NULLABLE identity);

/* Copies the tickets of a credential into a cache of the program's libkrb5. */
OM_uint32
gss_krb5_copy_ccache(OM_uint32 *GSS_NONNULL minor, gss_cred_id_t GSS_NONNULL cred,
                     struct krb5_ccache_data *GSS_NONNULL out);

/* A credential made of a cache, or a keytab, or both, of the program's libkrb5. */
OM_uint32
gss_krb5_import_cred(OM_uint32 *GSS_NONNULL minor, struct krb5_ccache_data *GSS_NULLABLE in,
                     struct Principal *GSS_NULLABLE keytab_principal,
                     struct krb5_keytab_data *GSS_NULLABLE keytab,
                     gss_cred_id_t GSS_NULLABLE *GSS_NONNULL out);

/* Which encryption types contexts of this credential may end up with. */
OM_uint32
gss_krb5_set_allowable_enctypes(OM_uint32 *GSS_NONNULL minor_status, gss_cred_id_t GSS_NONNULL cred,
                                OM_uint32 num_enctypes, int32_t *GSS_NULLABLE enctypes);

/* ---- What a context knows ---- */

/* The flags of the service ticket, bit 0 of RFC 4120 being the least significant. */
OM_uint32
gss_krb5_get_tkt_flags(OM_uint32 *GSS_NONNULL minor, gss_ctx_id_t GSS_NONNULL context_handle,
                       OM_uint32 *GSS_NONNULL tkt_flags);

/* The ticket's authorization data of one type. */
OM_uint32
gsskrb5_extract_authz_data_from_sec_context(OM_uint32 *GSS_NONNULL minor_status,
                                            gss_ctx_id_t GSS_NONNULL context_handle, int ad_type,
                                            gss_buffer_t GSS_NONNULL ad_data);

/* When the initiator authenticated to its KDC. */
OM_uint32
gsskrb5_extract_authtime_from_sec_context(OM_uint32 *GSS_NONNULL minor_status,
                                          gss_ctx_id_t GSS_NONNULL context_handle,
                                          time_t *GSS_NONNULL authtime);

/* Keys, each to be freed with the program's krb5_free_keyblock(). No context keeps the service's. */
struct EncryptionKey;

OM_uint32
gsskrb5_extract_service_keyblock(OM_uint32 *GSS_NONNULL minor_status,
                                 gss_ctx_id_t GSS_NONNULL context_handle,
                                 struct EncryptionKey *GSS_NULLABLE *GSS_NONNULL out);

OM_uint32
gsskrb5_get_initiator_subkey(OM_uint32 *GSS_NONNULL minor_status,
                             gss_ctx_id_t GSS_NONNULL context_handle,
                             struct EncryptionKey *GSS_NULLABLE *GSS_NONNULL out);

OM_uint32
gsskrb5_get_subkey(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t GSS_NONNULL context_handle,
                   struct EncryptionKey *GSS_NULLABLE *GSS_NONNULL out);

/* ---- What holds for the whole process ---- */

OM_uint32
gsskrb5_set_dns_canonicalize(int flag);

/* Null: the configured one again. */
OM_uint32
gsskrb5_set_default_realm(const char *GSS_NULLABLE realm);

/* Seconds. */
OM_uint32
gsskrb5_set_time_offset(int offset);

OM_uint32
gsskrb5_get_time_offset(int *GSS_NONNULL offset);

/* Refused: the function works on structures of Heimdal's libkrb5. */
struct gsskrb5_send_to_kdc {
    void *GSS_NULLABLE func;
    void *GSS_NULLABLE ptr;
};

OM_uint32
gsskrb5_set_send_to_kdc(struct gsskrb5_send_to_kdc *GSS_NULLABLE carrier) GSSKRB5_FUNCTION_DEPRECATED;

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
    OM_uint64 send_seq;
    OM_uint64 recv_seq;
    OM_uint32 protocol; /* which of the following two counts; the other is zeros */
    gss_krb5_rfc1964_keydata_t rfc1964_kd;
    gss_krb5_cfx_keydata_t cfx_kd;
} gss_krb5_lucid_context_v1_t;

/* How each version begins. */
typedef struct gss_krb5_lucid_context_version {
    OM_uint32 version;
} gss_krb5_lucid_context_version_t;

/* Moves the context out: the handle is GSS_C_NO_CONTEXT afterwards. Version 1 is known. */
OM_uint32
gss_krb5_export_lucid_sec_context(OM_uint32 *GSS_NONNULL minor_status,
                                  gss_ctx_id_t GSS_NULLABLE *GSS_NONNULL context_handle,
                                  OM_uint32 version, void *GSS_NULLABLE *GSS_NONNULL kctx);

OM_uint32
gss_krb5_free_lucid_sec_context(OM_uint32 *GSS_NONNULL minor_status, void *GSS_NULLABLE kctx);

GSS_NULLABILITY_END
GSSAPI_CPP_END

#endif
