/* MIT krb5: headers, objects, and what its headers have beside RFC 2744. */
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_generic.h>
#include <gssapi/gssapi_krb5.h>
#include <gssapi/mechglue.h>
#include <gssapi/gssapi_alloc.h>
#include <gssapi.h>

#define KERBEROS gss_mech_krb5
#define OTHER_MECHANISM gss_mech_iakerb
#define LOCAL_LOGIN_USER GSS_C_ATTR_LOCAL_LOGIN_USER
#define HAS_TEXT_OF_IDENTIFIERS
#define HAS_STATUS_FIELDS
#define HAS_PIECES
#define HAS_LUCID

#define MORE_TYPES \
    TYPE(gss_int32); SIGNED(gss_int32); TYPE(gss_any_t); \
    TYPE(gss_key_value_element_desc); \
    FIELD(gss_key_value_element_desc, key); FIELD(gss_key_value_element_desc, value); \
    TYPE(gss_key_value_set_desc); FIELD(gss_key_value_set_desc, count); FIELD(gss_key_value_set_desc, elements); \
    TYPE(gss_const_key_value_set_t);
