/* <GSS/gssapi.h>: what <GSS/GSS.h> brings, of this face. */
#ifndef ORTHROS_GSS_GSSAPI_H
#define ORTHROS_GSS_GSSAPI_H

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

/* The mechanism that is the default. */
#define GSS_KRB5_MECHANISM gss_mech_krb5

#endif
