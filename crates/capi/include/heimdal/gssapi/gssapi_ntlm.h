/* <gssapi/gssapi_ntlm.h>: what belongs to NTLM has only identifiers, which <gssapi/gssapi_oid.h> declares. */
#ifndef GSSAPI_NTLM_H_
#define GSSAPI_NTLM_H_

#include <gssapi.h>

#endif
