/* <gss/krb5.h>: what RFC 1964 names of the Kerberos mechanism. */
#ifndef GSS_KRB5_H
#define GSS_KRB5_H

#include <gss/api.h>

/* ---- Minor statuses (RFC 1964 section 4.1). The library's own are those of MIT krb5, never these. ---- */

#define GSS_KRB5_S_G_BAD_SERVICE_NAME 1 /* a service name without @ */
#define GSS_KRB5_S_G_BAD_STRING_UID 2 /* a user number in text with signs that are no digits */
#define GSS_KRB5_S_G_NOUSER 3 /* no user has this number */
#define GSS_KRB5_S_G_VALIDATE_FAILED 4 /* what was given did not validate */
#define GSS_KRB5_S_G_BUFFER_ALLOC 5 /* no memory for a buffer */
#define GSS_KRB5_S_G_BAD_MSG_CTX 6 /* the message context is none */
#define GSS_KRB5_S_G_WRONG_SIZE 7 /* a buffer of the wrong size */
#define GSS_KRB5_S_G_BAD_USAGE 8 /* an unknown usage of credentials */
#define GSS_KRB5_S_G_UNKNOWN_QOP 9 /* an unknown quality of protection */
#define GSS_KRB5_S_KG_CCACHE_NOMATCH 10 /* the cache is of another principal */
#define GSS_KRB5_S_KG_KEYTAB_NOMATCH 11 /* the keytab has no such principal */
#define GSS_KRB5_S_KG_TGT_MISSING 12 /* the cache has no ticket-granting ticket */
#define GSS_KRB5_S_KG_NO_SUBKEY 13 /* the authenticator has no subkey */
#define GSS_KRB5_S_KG_CONTEXT_ESTABLISHED 14 /* the context is up already */
#define GSS_KRB5_S_KG_BAD_SIGN_TYPE 15 /* an unknown checksum in a token */
#define GSS_KRB5_S_KG_BAD_LENGTH 16 /* a wrong length in a token */
#define GSS_KRB5_S_KG_CTX_INCOMPLETE 17 /* the context is not up yet */

#ifdef __cplusplus
extern "C" {
#endif

GSS_NULLABILITY_BEGIN

/* ---- Name types ---- */

extern gss_OID GSS_NONNULL GSS_KRB5_NT_USER_NAME;              /* as GSS_C_NT_USER_NAME */
extern gss_OID GSS_NONNULL GSS_KRB5_NT_HOSTBASED_SERVICE_NAME; /* as GSS_C_NT_HOSTBASED_SERVICE */
extern gss_OID GSS_NONNULL GSS_KRB5_NT_PRINCIPAL_NAME;         /* 1.2.840.113554.1.2.2.1 */
extern gss_OID GSS_NONNULL GSS_KRB5_NT_MACHINE_UID_NAME;       /* as GSS_C_NT_MACHINE_UID_NAME */
extern gss_OID GSS_NONNULL GSS_KRB5_NT_STRING_UID_NAME;        /* as GSS_C_NT_STRING_UID_NAME */

GSS_NULLABILITY_END

#ifdef __cplusplus
}
#endif

#endif
