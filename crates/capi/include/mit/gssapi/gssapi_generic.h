/* <gssapi/gssapi_generic.h>: the names that name types had before RFC 2744. New programs use those of gssapi.h. */
#ifndef ORTHROS_GSSAPI_GENERIC_H
#define ORTHROS_GSSAPI_GENERIC_H

#include <gssapi/gssapi.h>

/* Whether there are no octets. */
#define GSS_EMPTY_BUFFER(buffer) \
    ((buffer) == NULL || (buffer)->value == NULL || (buffer)->length == 0)

#ifdef __cplusplus
extern "C" {
#endif

GSS_NULLABILITY_BEGIN

GSS_DLLIMP extern gss_OID GSS_NONNULL gss_nt_user_name;        /* GSS_C_NT_USER_NAME */
GSS_DLLIMP extern gss_OID GSS_NONNULL gss_nt_machine_uid_name; /* GSS_C_NT_MACHINE_UID_NAME */
GSS_DLLIMP extern gss_OID GSS_NONNULL gss_nt_string_uid_name;  /* GSS_C_NT_STRING_UID_NAME */
GSS_DLLIMP extern gss_OID GSS_NONNULL gss_nt_service_name;     /* GSS_C_NT_HOSTBASED_SERVICE */
GSS_DLLIMP extern gss_OID GSS_NONNULL gss_nt_service_name_v2;  /* GSS_C_NT_HOSTBASED_SERVICE_X */
GSS_DLLIMP extern gss_OID GSS_NONNULL gss_nt_exported_name;    /* GSS_C_NT_EXPORT_NAME */

GSS_NULLABILITY_END

#ifdef __cplusplus
}
#endif

#endif
