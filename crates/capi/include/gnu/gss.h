/* <gss.h>: the GSS-API for C programs (RFC 2744), as programs for GNU GSS expect it. */
#ifndef ORTHROS_GSS_H
#define ORTHROS_GSS_H

/* The version of GNU GSS that the face stands in for; gss_check_version() tells that of the library. */
#define GSS_VERSION "1.0.4"
#define GSS_VERSION_MAJOR 1
#define GSS_VERSION_MINOR 0
#define GSS_VERSION_PATCH 4
#define GSS_VERSION_NUMBER 0x010004

#include <gss/api.h>
#include <gss/ext.h>
#include <gss/krb5.h>
#include <gss/krb5-ext.h>

#endif
