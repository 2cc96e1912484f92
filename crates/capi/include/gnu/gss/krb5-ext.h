/* <gss/krb5-ext.h>: what GNU GSS names of the Kerberos mechanism beside RFC 1964. */
#ifndef GSS_KRB5_EXT_H
#define GSS_KRB5_EXT_H

#include <gss/api.h>

#ifdef __cplusplus
extern "C" {
#endif

GSS_NULLABILITY_BEGIN

extern gss_OID GSS_NONNULL GSS_KRB5; /* the mechanism, 1.2.840.113554.1.2.2 */

GSS_NULLABILITY_END

/* The identifiers themselves, for tables that are initialised with their addresses. */
extern gss_OID_desc GSS_KRB5_static;
extern gss_OID_desc GSS_KRB5_NT_USER_NAME_static;
extern gss_OID_desc GSS_KRB5_NT_PRINCIPAL_NAME_static;
extern gss_OID_desc GSS_KRB5_NT_MACHINE_UID_NAME_static;
extern gss_OID_desc GSS_KRB5_NT_STRING_UID_NAME_static;

#ifdef __cplusplus
}
#endif

#endif
