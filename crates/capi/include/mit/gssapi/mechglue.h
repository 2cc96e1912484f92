/* <gssapi/mechglue.h>: kept for programs that include it; all of it is in the headers below. */
#ifndef ORTHROS_GSSAPI_MECHGLUE_H
#define ORTHROS_GSSAPI_MECHGLUE_H

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>

#endif
