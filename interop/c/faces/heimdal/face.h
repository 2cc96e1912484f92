/* Heimdal: headers, objects, and what its headers have beside RFC 2744. */
#include <gssapi.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>
#include <gssapi/gssapi_ntlm.h>
#include <gssapi/gssapi_oid.h>
#include <gssapi/gssapi_spnego.h>

#define KERBEROS GSS_KRB5_MECHANISM
#define OTHER_MECHANISM GSS_SPNEGO_MECHANISM
#define LOCAL_LOGIN_USER GSS_C_ATTR_LOCAL_LOGIN_USER
#define HAS_NAMES_OF_MECHANISMS
#define HAS_PIECES
#define HAS_LUCID

#define MORE_TYPES \
    TYPE(OM_uint64); SIGNED(OM_uint64); \
    TYPE(gss_context_stream_sizes); \
    FIELD(gss_context_stream_sizes, header); FIELD(gss_context_stream_sizes, trailer); \
    FIELD(gss_context_stream_sizes, max_msg_size); FIELD(gss_context_stream_sizes, buffers); \
    FIELD(gss_context_stream_sizes, blocksize);
