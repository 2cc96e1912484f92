/* What a compiler makes of the headers: types, layouts, macros with arguments; constants come from a generated file.
 * Run on two libraries' headers, it prints the same. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "face.h"

/* Each object once more with its type: another one would not compile. */
#define IDENTIFIER(name) extern gss_OID name;
#define ATTRIBUTE(name) extern gss_const_OID name;
#define CONSTANT(name) extern const gss_OID name;
#define SET(name) extern const gss_OID_set name;
#define DESCRIPTION(name) extern gss_OID_desc name;
#include "objects.h"

#define TYPE(type) printf("%s: %zu octets, at multiples of %zu\n", #type, sizeof(type), _Alignof(type))
#define FIELD(type, field) \
    printf("%s.%s: %zu octets at %zu\n", #type, #field, sizeof(((type *)0)->field), offsetof(type, field))
#define SIGNED(type) printf("%s: %s\n", #type, (type)-1 < (type)1 ? "signed" : "unsigned")

static void layouts(void)
{
    TYPE(gss_uint32); TYPE(OM_uint32); TYPE(gss_qop_t); TYPE(gss_cred_usage_t);
    SIGNED(gss_uint32); SIGNED(OM_uint32); SIGNED(gss_qop_t); SIGNED(gss_cred_usage_t);
    TYPE(gss_name_t); TYPE(gss_cred_id_t); TYPE(gss_ctx_id_t);
    TYPE(gss_OID_desc); FIELD(gss_OID_desc, length); FIELD(gss_OID_desc, elements);
    TYPE(gss_OID_set_desc); FIELD(gss_OID_set_desc, count); FIELD(gss_OID_set_desc, elements);
    TYPE(gss_buffer_desc); FIELD(gss_buffer_desc, length); FIELD(gss_buffer_desc, value);
    typedef struct gss_channel_bindings_struct bindings;
    TYPE(bindings);
    FIELD(bindings, initiator_addrtype); FIELD(bindings, initiator_address);
    FIELD(bindings, acceptor_addrtype); FIELD(bindings, acceptor_address); FIELD(bindings, application_data);
#ifdef HAS_PIECES
    TYPE(gss_buffer_set_desc); FIELD(gss_buffer_set_desc, count); FIELD(gss_buffer_set_desc, elements);
    TYPE(gss_iov_buffer_desc); FIELD(gss_iov_buffer_desc, type); FIELD(gss_iov_buffer_desc, buffer);
    TYPE(gss_iov_buffer_t); TYPE(gss_buffer_set_t);
#endif
#ifdef HAS_LUCID
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
#endif
    TYPE(gss_const_buffer_t); TYPE(gss_const_channel_bindings_t); TYPE(gss_const_ctx_id_t);
    TYPE(gss_const_cred_id_t); TYPE(gss_const_name_t); TYPE(gss_const_OID); TYPE(gss_const_OID_set);
    MORE_TYPES
}

static void macros(void)
{
    static const OM_uint32 statuses[] = {
        GSS_S_COMPLETE, GSS_S_CONTINUE_NEEDED, GSS_S_FAILURE | GSS_S_GAP_TOKEN, GSS_S_CALL_BAD_STRUCTURE,
        GSS_S_CALL_INACCESSIBLE_READ | GSS_S_NO_CRED, 0xffffffff,
    };
    gss_buffer_desc none = GSS_C_EMPTY_BUFFER;

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        OM_uint32 x = statuses[i];
        printf("%08" PRIx32 ": %08jx %08jx %08jx %08jx\n", x, (uintmax_t)GSS_ERROR(x),
               (uintmax_t)GSS_CALLING_ERROR(x), (uintmax_t)GSS_ROUTINE_ERROR(x),
               (uintmax_t)GSS_SUPPLEMENTARY_INFO(x));
#ifdef HAS_STATUS_FIELDS
        printf("  %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", GSS_CALLING_ERROR_FIELD(x), GSS_ROUTINE_ERROR_FIELD(x),
               GSS_SUPPLEMENTARY_INFO_FIELD(x));
#endif
    }
    printf("empty: %zu %d\n", none.length, none.value == NULL);
#ifdef HAS_PIECES
    printf("iov: %x %x\n", GSS_IOV_BUFFER_TYPE(0x2000aU), GSS_IOV_BUFFER_FLAGS(0x2000aU));
#endif
#ifdef GSS_EMPTY_BUFFER
    gss_buffer_desc some = {1, &none}, *nowhere = NULL;
    printf("empty: %d %d %d\n", GSS_EMPTY_BUFFER(&none), GSS_EMPTY_BUFFER(&some), GSS_EMPTY_BUFFER(nowhere));
#endif
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

/* A constant that is a text. */
#define SHOW_TEXT(name) printf("%s: %s\n", #name, name);

int main(void)
{
    layouts();
    macros();
#include "constants.h"
    return 0;
}
