/* <gssapi.h>: the GSS-API for C programs (RFC 2744), under the name without a folder. */
#ifndef GSSAPI_H_
#define GSSAPI_H_

#include <gssapi/gssapi.h>

#endif
