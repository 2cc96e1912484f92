/* GNU GSS: headers, objects, and what its headers have beside RFC 2744. */
#include <gss.h>

#define KERBEROS GSS_KRB5
#define OTHER_MECHANISM GSS_C_NT_ANONYMOUS
#define HAS_VERSION
/* Its Kerberos takes principals and services only. */
#define NO_USER_NAMES
/* It makes principals of them without asking the configuration for their realm. */
#define SERVICES_WITHOUT_REALM
#define MORE_TYPES
