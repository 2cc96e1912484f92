/* <GSS/gssapi.h>: what <GSS/GSS.h> brings, of this face. */
#ifndef ORTHROS_GSS_GSSAPI_H
#define ORTHROS_GSS_GSSAPI_H

#include <gss.h>

/* The mechanism that is the default. */
#define GSS_KRB5_MECHANISM GSS_KRB5

#endif
