/* <GSS/gssapi.h>: what <GSS/GSS.h> brings, of this face. */
#ifndef ORTHROS_GSS_GSSAPI_H
#define ORTHROS_GSS_GSSAPI_H

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>
#include <gssapi/gssapi_oid.h>
#include <gssapi/gssapi_spnego.h>

#endif
