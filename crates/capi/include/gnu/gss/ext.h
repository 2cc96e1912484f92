/* <gss/ext.h>: what GNU GSS has beside the RFCs. */
#ifndef GSS_EXT_H_
#define GSS_EXT_H_

#include <gss/api.h>

#ifdef __cplusplus
extern "C" {
#endif

GSS_NULLABILITY_BEGIN

/* The library's version, if it is this one or a later one, or if null is given; else null. */
const char *GSS_NULLABLE
gss_check_version(const char *GSS_NULLABLE req_version);

/* 1 if the name, as gss_display_name() shows it, is this text; else 0. */
int
gss_userok(const gss_name_t GSS_NONNULL name, const char *GSS_NONNULL username);

GSS_NULLABILITY_END

/* The identifiers of name types themselves, for tables that are initialised with their addresses. */
extern gss_OID_desc GSS_C_NT_USER_NAME_static;
extern gss_OID_desc GSS_C_NT_MACHINE_UID_NAME_static;
extern gss_OID_desc GSS_C_NT_STRING_UID_NAME_static;
extern gss_OID_desc GSS_C_NT_HOSTBASED_SERVICE_X_static;
extern gss_OID_desc GSS_C_NT_HOSTBASED_SERVICE_static;
extern gss_OID_desc GSS_C_NT_ANONYMOUS_static;
extern gss_OID_desc GSS_C_NT_EXPORT_NAME_static;

#ifdef __cplusplus
}
#endif

#endif
