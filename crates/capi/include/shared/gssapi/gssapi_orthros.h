/* What only Orthros has. No function is new: these identifiers are handed to calls that every library has, and another
 * library answers GSS_S_UNAVAILABLE to them. */
#ifndef GSSAPI_ORTHROS_H
#define GSSAPI_ORTHROS_H

#include <gssapi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GSS_ORTHROS_OID_(name, last)                                                                                    \
    static inline gss_OID name(void)                                                                                   \
    {                                                                                                                  \
        static gss_OID_desc oid = {                                                                                    \
            21, (void *)("\x69\x81\xde\x8a\xbe\x87\xc7\xd5\x92\xae\x9f\x9a\xa0\xc3\x8b\xe8\xe9\x9e\xed\x13" last)};       \
        return &oid;                                                                                                   \
    }

GSS_ORTHROS_OID_(gss_orthros_transfer_, "\x01")
GSS_ORTHROS_OID_(gss_orthros_carry_, "\x02")
GSS_ORTHROS_OID_(gss_orthros_kdc_message_, "\x03")
GSS_ORTHROS_OID_(gss_orthros_transfer_policy_, "\x05")
GSS_ORTHROS_OID_(gss_orthros_suspend_, "\x06")
GSS_ORTHROS_OID_(gss_orthros_token_, "\x07")
GSS_ORTHROS_OID_(gss_orthros_handover_, "\x08")

/* gss_set_cred_option: whether contexts that are made with the credential may be exported; the value is "on" or "off". */
#define GSS_ORTHROS_TRANSFER gss_orthros_transfer_()

/* gss_set_cred_option: contexts that are initiated with the credential never wait for the network. Where one needs a
 * ticket, gss_init_sec_context returns GSS_S_CONTINUE_NEEDED with an empty token. The program then asks for realm and
 * request, carries the request to a KDC of that realm, hands over the reply, and calls gss_init_sec_context again with
 * an empty token. */
#define GSS_ORTHROS_CARRY gss_orthros_carry_()

/* gss_inquire_sec_context_by_oid: of a context that asks a KDC two buffers, the realm and the request.
 * gss_set_sec_context_option: the reply; an empty one says that no KDC could be reached. */
#define GSS_ORTHROS_KDC_MESSAGE gss_orthros_kdc_message_()

/* gss_set_sec_context_option, once, before gss_export_sec_context: what the token demands of its importer, words with
 * commas between them: "user", "process-group", "executable", "audience=TEXT", "off". The importer names its audience by
 * transfer_policy in section [orthros] of krb5.conf, by ORTHROS_TRANSFER, or by this option where the context is still
 * GSS_C_NO_CONTEXT: that makes a handle for the context that GSS_ORTHROS_TOKEN brings. */
#define GSS_ORTHROS_TRANSFER_POLICY gss_orthros_transfer_policy_()

/* gss_set_sec_context_option, of an acceptor's context on its way up; the value is not looked at: gss_export_sec_context
 * makes a cookie of it, instead of GSS_S_NO_CONTEXT. gss_import_sec_context takes the cookie, here or in another process
 * with the same key, and gss_accept_sec_context goes on with the handle, a credential, and the initiator's next token. It
 * is good for two minutes and goes on once. transfer_suspend in section [orthros] says the same for every context. */
#define GSS_ORTHROS_SUSPEND gss_orthros_suspend_()

/* gss_set_sec_context_option, where the context is GSS_C_NO_CONTEXT or a handle that GSS_ORTHROS_TRANSFER_POLICY has made:
 * the token of gss_export_sec_context, imported as by gss_import_sec_context. */
#define GSS_ORTHROS_TOKEN gss_orthros_token_()

/* gss_set_sec_context_option, "socket=NUMBER" and, with commas between them, any of "uid=NUMBER" and "gid=NUMBER": a context
 * that is up goes to the process at the other end of that connected, blocking Unix socket, if the kernel says that it is
 * of such a user or group (without a word: of this process's user), and GSS_C_NO_CONTEXT stands in its place. Of
 * GSS_C_NO_CONTEXT: the context comes that the process at the other end hands over. No key and no ledger are needed, and
 * nothing is lost if it fails before the other end has acknowledged. The socket is shut down if it fails. */
#define GSS_ORTHROS_HANDOVER gss_orthros_handover_()

/* gss_display_status, status_type: a minor status with its story as a JSON object: "minor", "story", and for errors of
 * Kerberos "kerberos_error" and "kerberos_error_name". */
#define GSS_C_ORTHROS_JSON 0x4f52

#ifdef __cplusplus
}
#endif

#endif
