/* <gssapi.h>: the GSS-API for C programs (RFC 2744), under the name that others give it. */
#include <gss.h>
