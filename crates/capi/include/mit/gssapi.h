/* <gssapi.h>: the GSS-API for C programs (RFC 2744), under the name without a folder. */
#include <gssapi/gssapi.h>
