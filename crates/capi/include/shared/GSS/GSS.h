/* <GSS/GSS.h>: the GSS-API, as programs for Apple's GSS framework include it. */
#ifndef ORTHROS_GSS_GSS_H
#define ORTHROS_GSS_GSS_H

#include <GSS/gssapi.h>

#endif
