/* <gssapi/gssapi_spnego.h>: the negotiation of mechanisms (RFC 4178). */
#ifndef GSSAPI_SPNEGO_H_
#define GSSAPI_SPNEGO_H_

#include <gssapi.h>

#define gss_mech_spnego GSS_SPNEGO_MECHANISM

#endif
