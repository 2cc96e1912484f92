/* What a compiler makes of the headers: types, layouts, macros with arguments; constants come from a generated file.
 * Run on two libraries' headers, it prints the same. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_generic.h>
#include <gssapi/gssapi_krb5.h>
#include <gssapi/mechglue.h>
#include <gssapi/gssapi_alloc.h>
#include <gssapi.h>

/* Each object once more with its type: another one would not compile. */
#define IDENTIFIER(name) extern gss_OID name;
#define ATTRIBUTE(name) extern gss_const_OID name;
#define CONSTANT(name) extern const gss_OID name;
#define SET(name) extern const gss_OID_set name;
#include "objects.h"
extern gss_buffer_t GSS_C_ATTR_LOCAL_LOGIN_USER;

#define TYPE(type) printf("%s: %zu octets, at multiples of %zu\n", #type, sizeof(type), _Alignof(type))
#define FIELD(type, field) \
    printf("%s.%s: %zu octets at %zu\n", #type, #field, sizeof(((type *)0)->field), offsetof(type, field))
#define SIGNED(type) printf("%s: %s\n", #type, (type)-1 < (type)1 ? "signed" : "unsigned")

static void layouts(void)
{
    TYPE(gss_uint32); TYPE(gss_int32); TYPE(OM_uint32); TYPE(gss_qop_t); TYPE(gss_cred_usage_t);
    SIGNED(gss_uint32); SIGNED(gss_int32); SIGNED(OM_uint32); SIGNED(gss_qop_t); SIGNED(gss_cred_usage_t);
    TYPE(gss_name_t); TYPE(gss_cred_id_t); TYPE(gss_ctx_id_t); TYPE(gss_any_t);
    TYPE(gss_OID_desc); FIELD(gss_OID_desc, length); FIELD(gss_OID_desc, elements);
    TYPE(gss_OID_set_desc); FIELD(gss_OID_set_desc, count); FIELD(gss_OID_set_desc, elements);
    TYPE(gss_buffer_desc); FIELD(gss_buffer_desc, length); FIELD(gss_buffer_desc, value);
    typedef struct gss_channel_bindings_struct bindings;
    TYPE(bindings);
    FIELD(bindings, initiator_addrtype); FIELD(bindings, initiator_address);
    FIELD(bindings, acceptor_addrtype); FIELD(bindings, acceptor_address); FIELD(bindings, application_data);
    TYPE(gss_buffer_set_desc); FIELD(gss_buffer_set_desc, count); FIELD(gss_buffer_set_desc, elements);
    TYPE(gss_iov_buffer_desc); FIELD(gss_iov_buffer_desc, type); FIELD(gss_iov_buffer_desc, buffer);
    TYPE(gss_key_value_element_desc);
    FIELD(gss_key_value_element_desc, key); FIELD(gss_key_value_element_desc, value);
    TYPE(gss_key_value_set_desc);
    FIELD(gss_key_value_set_desc, count); FIELD(gss_key_value_set_desc, elements);
    TYPE(gss_krb5_lucid_key_t);
    FIELD(gss_krb5_lucid_key_t, type); FIELD(gss_krb5_lucid_key_t, length); FIELD(gss_krb5_lucid_key_t, data);
    TYPE(gss_krb5_rfc1964_keydata_t);
    FIELD(gss_krb5_rfc1964_keydata_t, sign_alg); FIELD(gss_krb5_rfc1964_keydata_t, seal_alg);
    FIELD(gss_krb5_rfc1964_keydata_t, ctx_key);
    TYPE(gss_krb5_cfx_keydata_t);
    FIELD(gss_krb5_cfx_keydata_t, have_acceptor_subkey); FIELD(gss_krb5_cfx_keydata_t, ctx_key);
    FIELD(gss_krb5_cfx_keydata_t, acceptor_subkey);
    TYPE(gss_krb5_lucid_context_v1_t);
    FIELD(gss_krb5_lucid_context_v1_t, version); FIELD(gss_krb5_lucid_context_v1_t, initiate);
    FIELD(gss_krb5_lucid_context_v1_t, endtime); FIELD(gss_krb5_lucid_context_v1_t, send_seq);
    FIELD(gss_krb5_lucid_context_v1_t, recv_seq); FIELD(gss_krb5_lucid_context_v1_t, protocol);
    FIELD(gss_krb5_lucid_context_v1_t, rfc1964_kd); FIELD(gss_krb5_lucid_context_v1_t, cfx_kd);
    TYPE(gss_krb5_lucid_context_version_t); FIELD(gss_krb5_lucid_context_version_t, version);
    TYPE(gss_const_buffer_t); TYPE(gss_const_channel_bindings_t); TYPE(gss_const_ctx_id_t);
    TYPE(gss_const_cred_id_t); TYPE(gss_const_name_t); TYPE(gss_const_OID); TYPE(gss_const_OID_set);
    TYPE(gss_const_key_value_set_t); TYPE(gss_iov_buffer_t); TYPE(gss_buffer_set_t);
}

static void macros(void)
{
    static const OM_uint32 statuses[] = {
        GSS_S_COMPLETE, GSS_S_CONTINUE_NEEDED, GSS_S_FAILURE | GSS_S_GAP_TOKEN, GSS_S_CALL_BAD_STRUCTURE,
        GSS_S_CALL_INACCESSIBLE_READ | GSS_S_NO_CRED, 0xffffffff,
    };
    gss_buffer_desc none = GSS_C_EMPTY_BUFFER, some = {1, &none}, *nowhere = NULL;

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        OM_uint32 x = statuses[i];
        printf("%08" PRIx32 ": %08" PRIx32 " %08" PRIx32 " %08" PRIx32 " %08" PRIx32 " %" PRIu32 " %" PRIu32
               " %" PRIu32 "\n", x, GSS_ERROR(x), GSS_CALLING_ERROR(x), GSS_ROUTINE_ERROR(x),
               GSS_SUPPLEMENTARY_INFO(x), GSS_CALLING_ERROR_FIELD(x), GSS_ROUTINE_ERROR_FIELD(x),
               GSS_SUPPLEMENTARY_INFO_FIELD(x));
    }
    printf("iov: %x %x\n", GSS_IOV_BUFFER_TYPE(0x2000aU), GSS_IOV_BUFFER_FLAGS(0x2000aU));
    printf("empty: %zu, %d %d %d\n", none.length, GSS_EMPTY_BUFFER(&none), GSS_EMPTY_BUFFER(&some),
           GSS_EMPTY_BUFFER(nowhere));
}

/* A constant's size, whether it is signed, and its value. */
#define SHOW(name)                                                                                          \
    printf("%s: %zu octets, %d, %jx\n", #name, sizeof(name), (int)((__typeof__(name))-1 < (__typeof__(name))1), \
           (uintmax_t)(uintptr_t)(name));

/* A constant that stands for an object: what the object holds. */
#define SHOW_OID(name)                                                    \
    printf("%s:", #name);                                                 \
    for (OM_uint32 i = 0; i < (name)->length; i++)                        \
        printf(" %02x", ((const unsigned char *)(name)->elements)[i]);    \
    printf("\n");

int main(void)
{
    layouts();
    macros();
#include "constants.h"
    return 0;
}
