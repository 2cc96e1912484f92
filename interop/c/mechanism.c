/* A mechanism for tests, which a library loads as a plug-in: it protects nothing. Two tokens make a context. Each call
 * checks that it was given what it has made itself, and ends the process if not; LACKING leaves most calls out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>

/* What the objects are: nobody but this file makes one. */
enum kind { CONTEXT = 0x434f4e54, CREDENTIAL = 0x43524544, NAME = 0x4e414d45 };

struct object {
    enum kind kind;
    int initiates, up, option;
    char text[64];
};

static gss_OID_desc OWN = {4, "\x2a\x03\x04\x05"};
/* The minor status of what it refuses, and one that is an errno too. */
enum { REFUSED = 0x4d450001, LIKE_AN_ERRNO = 2 };

static struct object *make(enum kind kind, const char *text, size_t length)
{
    struct object *made = calloc(1, sizeof *made);
    made->kind = kind;
    if (length >= sizeof made->text)
        length = sizeof made->text - 1;
    memcpy(made->text, text, length);
    return made;
}

static struct object *own(void *given, enum kind kind)
{
    struct object *object = given;
    if (object == NULL || object->kind != kind) {
        printf("the mechanism was given an object that is not its own\n");
        abort();
    }
    return object;
}

static OM_uint32 release(OM_uint32 *minor, void **place, enum kind kind)
{
    *minor = 0;
    if (*place != NULL) {
        own(*place, kind)->kind = 0;
        free(*place);
        *place = NULL;
    }
    return GSS_S_COMPLETE;
}

static void check(gss_const_OID mechanism)
{
    if (mechanism == NULL || mechanism->length != OWN.length || memcmp(mechanism->elements, OWN.elements, OWN.length)) {
        printf("the mechanism was given another mechanism's identifier\n");
        abort();
    }
}

static OM_uint32 give(OM_uint32 *minor, gss_buffer_t place, const char *before, const void *text, size_t length)
{
    size_t head = strlen(before);
    char *made = malloc(head + length + 1);
    memcpy(made, before, head);
    memcpy(made + head, text, length);
    *minor = 0;
    place->value = made;
    place->length = head + length;
    return GSS_S_COMPLETE;
}

static OM_uint32 refuse(OM_uint32 *minor, OM_uint32 why, OM_uint32 major)
{
    *minor = why;
    return major;
}

static int begins(gss_buffer_t token, const char *with)
{
    return token->length >= strlen(with) && memcmp(token->value, with, strlen(with)) == 0;
}

OM_uint32 gss_acquire_cred(OM_uint32 *minor, gss_name_t name, OM_uint32 time, gss_OID_set mechanisms, int usage,
                           gss_cred_id_t *credential, gss_OID_set *actual, OM_uint32 *left)
{
    const char *text = name == NULL ? "default" : own(name, NAME)->text;
    (void)time, (void)usage;
    if (mechanisms == NULL || mechanisms->count != 1)
        abort();
    check(mechanisms->elements);
    if (strcmp(text, "nobody") == 0)
        return refuse(minor, REFUSED, GSS_S_NO_CRED);
    *credential = (gss_cred_id_t)make(CREDENTIAL, text, strlen(text));
    if (actual != NULL)
        gss_create_empty_oid_set(minor, actual), gss_add_oid_set_member(minor, &OWN, actual);
    if (left != NULL)
        *left = 77;
    return *minor = 0;
}

OM_uint32 gss_release_cred(OM_uint32 *minor, gss_cred_id_t *credential)
{
    return release(minor, (void **)credential, CREDENTIAL);
}

OM_uint32 gss_init_sec_context(OM_uint32 *minor, gss_cred_id_t credential, gss_ctx_id_t *context, gss_name_t target,
                               gss_OID mechanism, OM_uint32 flags, OM_uint32 time, gss_channel_bindings_t bindings,
                               gss_buffer_t token, gss_OID *actual, gss_buffer_t output, OM_uint32 *got,
                               OM_uint32 *left)
{
    gss_buffer_desc hello = {5, "hello"};
    (void)time, (void)bindings;
    check(mechanism);
    if (credential != NULL)
        own(credential, CREDENTIAL);
    if (actual != NULL)
        *actual = &OWN;
    if (got != NULL)
        *got = flags;
    if (left != NULL)
        *left = 99;
    if (*context == NULL) {
        if (strcmp(own(target, NAME)->text, "nobody") == 0)
            return refuse(minor, REFUSED, GSS_S_BAD_NAME);
        *context = (gss_ctx_id_t)make(CONTEXT, own(target, NAME)->text, strlen(own(target, NAME)->text));
        own(*context, CONTEXT)->initiates = 1;
        *minor = 0;
        return gss_encapsulate_token(&hello, &OWN, output) | GSS_S_CONTINUE_NEEDED;
    }
    if (!begins(token, "world")) {
        release(minor, (void **)context, CONTEXT);
        return refuse(minor, LIKE_AN_ERRNO, GSS_S_DEFECTIVE_TOKEN);
    }
    own(*context, CONTEXT)->up = 1;
    return *minor = 0;
}

OM_uint32 gss_accept_sec_context(OM_uint32 *minor, gss_ctx_id_t *context, gss_cred_id_t credential, gss_buffer_t token,
                                 gss_channel_bindings_t bindings, gss_name_t *source, gss_OID *actual,
                                 gss_buffer_t output, OM_uint32 *got, OM_uint32 *left, gss_cred_id_t *delegated)
{
    (void)bindings, (void)token;
    if (credential != NULL)
        own(credential, CREDENTIAL);
    *context = (gss_ctx_id_t)make(CONTEXT, "initiator", 9);
    own(*context, CONTEXT)->up = 1;
    if (source != NULL)
        *source = (gss_name_t)make(NAME, "initiator", 9);
    if (delegated != NULL)
        *delegated = (gss_cred_id_t)make(CREDENTIAL, "delegated", 9);
    if (actual != NULL)
        *actual = &OWN;
    if (got != NULL)
        *got = GSS_C_DELEG_FLAG | GSS_C_INTEG_FLAG;
    if (left != NULL)
        *left = 99;
    return give(minor, output, "", "world", 5);
}

OM_uint32 gss_delete_sec_context(OM_uint32 *minor, gss_ctx_id_t *context, gss_buffer_t output)
{
    if (output != NULL)
        output->length = 0, output->value = NULL;
    return release(minor, (void **)context, CONTEXT);
}

OM_uint32 gss_wrap(OM_uint32 *minor, gss_ctx_id_t context, int seal, gss_qop_t qop, gss_buffer_t message, int *sealed,
                   gss_buffer_t token)
{
    own(context, CONTEXT);
    if (qop != 0)
        return refuse(minor, REFUSED, GSS_S_BAD_QOP);
    if (sealed != NULL)
        *sealed = seal;
    return give(minor, token, "wrapped:", message->value, message->length);
}

OM_uint32 gss_unwrap(OM_uint32 *minor, gss_ctx_id_t context, gss_buffer_t token, gss_buffer_t message, int *sealed,
                     gss_qop_t *qop)
{
    own(context, CONTEXT);
    if (!begins(token, "wrapped:"))
        return refuse(minor, LIKE_AN_ERRNO, GSS_S_BAD_SIG);
    if (sealed != NULL)
        *sealed = 1;
    if (qop != NULL)
        *qop = 0;
    return give(minor, message, "", (char *)token->value + 8, token->length - 8) | GSS_S_OLD_TOKEN;
}

OM_uint32 gss_import_name(OM_uint32 *minor, gss_buffer_t octets, gss_OID type, gss_name_t *name)
{
    (void)type;
    if (begins(octets, "\4\1")) {
        *name = (gss_name_t)make(NAME, (char *)octets->value + 14, octets->length - 14);
        return *minor = 0;
    }
    *name = (gss_name_t)make(NAME, octets->value, octets->length);
    return *minor = 0;
}

OM_uint32 gss_release_name(OM_uint32 *minor, gss_name_t *name)
{
    return release(minor, (void **)name, NAME);
}

OM_uint32 gss_display_name(OM_uint32 *minor, gss_name_t name, gss_buffer_t text, gss_OID *type)
{
    if (type != NULL)
        *type = GSS_C_NT_USER_NAME;
    return give(minor, text, "", own(name, NAME)->text, strlen(own(name, NAME)->text));
}

OM_uint32 gss_display_status(OM_uint32 *minor, OM_uint32 value, int kind, gss_OID mechanism, OM_uint32 *more,
                             gss_buffer_t text)
{
    check(mechanism);
    *more = 0;
    if (kind != GSS_C_MECH_CODE)
        return refuse(minor, 0, GSS_S_BAD_STATUS);
    if (value == REFUSED)
        return give(minor, text, "", "it was refused", 14);
    if (value == LIKE_AN_ERRNO)
        return give(minor, text, "", "the token is none", 17);
    return refuse(minor, 0, GSS_S_BAD_STATUS);
}

#ifndef LACKING
OM_uint32 gss_context_time(OM_uint32 *minor, gss_ctx_id_t context, OM_uint32 *left)
{
    own(context, CONTEXT);
    *left = 55;
    return *minor = 0;
}

OM_uint32 gss_process_context_token(OM_uint32 *minor, gss_ctx_id_t context, gss_buffer_t token)
{
    own(context, CONTEXT);
    return begins(token, "bad") ? refuse(minor, REFUSED, GSS_S_DEFECTIVE_TOKEN) : (*minor = 0);
}

OM_uint32 gss_inquire_context(OM_uint32 *minor, gss_ctx_id_t context, gss_name_t *source, gss_name_t *target,
                              OM_uint32 *left, gss_OID *mechanism, OM_uint32 *flags, int *initiates, int *open)
{
    struct object *inquired = own(context, CONTEXT);
    if (source != NULL)
        *source = (gss_name_t)make(NAME, "source", 6);
    if (target != NULL)
        *target = (gss_name_t)make(NAME, inquired->text, strlen(inquired->text));
    if (left != NULL)
        *left = 44;
    if (mechanism != NULL)
        *mechanism = &OWN;
    if (flags != NULL)
        *flags = GSS_C_INTEG_FLAG;
    if (initiates != NULL)
        *initiates = inquired->initiates;
    if (open != NULL)
        *open = inquired->up;
    return *minor = 0;
}

OM_uint32 gss_export_sec_context(OM_uint32 *minor, gss_ctx_id_t *context, gss_buffer_t token)
{
    struct object *moved = own(*context, CONTEXT);
    char initiates = moved->initiates ? 'i' : 'a';
    if (moved->option)
        return refuse(minor, REFUSED, GSS_S_UNAVAILABLE);
    give(minor, token, "moved:", &initiates, 1);
    return release(minor, (void **)context, CONTEXT);
}

OM_uint32 gss_import_sec_context(OM_uint32 *minor, gss_buffer_t token, gss_ctx_id_t *context)
{
    if (token->length != 7 || !begins(token, "moved:"))
        return refuse(minor, REFUSED, GSS_S_DEFECTIVE_TOKEN);
    *context = (gss_ctx_id_t)make(CONTEXT, "moved", 5);
    own(*context, CONTEXT)->initiates = ((char *)token->value)[6] == 'i';
    own(*context, CONTEXT)->up = 1;
    return *minor = 0;
}

OM_uint32 gss_complete_auth_token(OM_uint32 *minor, gss_ctx_id_t context, gss_buffer_t token)
{
    own(context, CONTEXT);
    (void)token;
    return *minor = 0;
}

OM_uint32 gss_inquire_sec_context_by_oid(OM_uint32 *minor, gss_ctx_id_t context, gss_OID question,
                                         gss_buffer_set_t *answers)
{
    gss_buffer_desc answer = {6, "answer"};
    own(context, CONTEXT);
    if (question->length != OWN.length)
        return refuse(minor, REFUSED, GSS_S_UNAVAILABLE);
    return gss_add_buffer_set_member(minor, &answer, answers);
}

OM_uint32 gss_set_sec_context_option(OM_uint32 *minor, gss_ctx_id_t *context, gss_OID option, gss_buffer_t value)
{
    (void)option;
    own(*context, CONTEXT)->option = (int)value->length;
    return *minor = 0;
}

OM_uint32 gss_get_mic(OM_uint32 *minor, gss_ctx_id_t context, gss_qop_t qop, gss_buffer_t message, gss_buffer_t token)
{
    own(context, CONTEXT);
    (void)qop;
    return give(minor, token, "mic:", message->value, message->length);
}

OM_uint32 gss_verify_mic(OM_uint32 *minor, gss_ctx_id_t context, gss_buffer_t message, gss_buffer_t token,
                         gss_qop_t *qop)
{
    own(context, CONTEXT);
    (void)message;
    if (qop != NULL)
        *qop = 3;
    return begins(token, "mic:") ? (*minor = 0) : refuse(minor, REFUSED, GSS_S_BAD_SIG);
}

OM_uint32 gss_wrap_size_limit(OM_uint32 *minor, gss_ctx_id_t context, int seal, gss_qop_t qop, OM_uint32 size,
                              OM_uint32 *limit)
{
    own(context, CONTEXT);
    (void)seal, (void)qop;
    *limit = size - 8;
    return *minor = 0;
}

static OM_uint32 pieces(OM_uint32 *minor, gss_ctx_id_t context, gss_iov_buffer_desc *iov, int count, size_t length)
{
    own(context, CONTEXT);
    for (int row = 0; row < count; row++)
        if (iov[row].type != GSS_IOV_BUFFER_TYPE_DATA)
            iov[row].buffer.length = length;
    return *minor = 0;
}

OM_uint32 gss_wrap_iov(OM_uint32 *minor, gss_ctx_id_t context, int seal, gss_qop_t qop, int *sealed,
                       gss_iov_buffer_desc *iov, int count)
{
    (void)qop;
    *sealed = seal;
    return pieces(minor, context, iov, count, 1);
}

OM_uint32 gss_wrap_iov_length(OM_uint32 *minor, gss_ctx_id_t context, int seal, gss_qop_t qop, int *sealed,
                              gss_iov_buffer_desc *iov, int count)
{
    (void)qop;
    *sealed = seal;
    return pieces(minor, context, iov, count, 2);
}

OM_uint32 gss_unwrap_iov(OM_uint32 *minor, gss_ctx_id_t context, int *sealed, gss_qop_t *qop,
                         gss_iov_buffer_desc *iov, int count)
{
    *sealed = 1;
    *qop = 0;
    return pieces(minor, context, iov, count, 3);
}

OM_uint32 gss_get_mic_iov(OM_uint32 *minor, gss_ctx_id_t context, gss_qop_t qop, gss_iov_buffer_desc *iov, int count)
{
    (void)qop;
    return pieces(minor, context, iov, count, 4);
}

OM_uint32 gss_get_mic_iov_length(OM_uint32 *minor, gss_ctx_id_t context, gss_qop_t qop, gss_iov_buffer_desc *iov,
                                 int count)
{
    (void)qop;
    return pieces(minor, context, iov, count, 5);
}

OM_uint32 gss_verify_mic_iov(OM_uint32 *minor, gss_ctx_id_t context, gss_qop_t *qop, gss_iov_buffer_desc *iov,
                             int count)
{
    *qop = 0;
    return pieces(minor, context, iov, count, 6);
}

OM_uint32 gss_wrap_aead(OM_uint32 *minor, gss_ctx_id_t context, int seal, gss_qop_t qop, gss_buffer_t associated,
                        gss_buffer_t message, int *sealed, gss_buffer_t token)
{
    (void)associated;
    return gss_wrap(minor, context, seal, qop, message, sealed, token);
}

OM_uint32 gss_unwrap_aead(OM_uint32 *minor, gss_ctx_id_t context, gss_buffer_t token, gss_buffer_t associated,
                          gss_buffer_t message, int *sealed, gss_qop_t *qop)
{
    (void)associated;
    return gss_unwrap(minor, context, token, message, sealed, qop);
}

OM_uint32 gss_pseudo_random(OM_uint32 *minor, gss_ctx_id_t context, int key, const gss_buffer_t input, ssize_t length,
                            gss_buffer_t output)
{
    own(context, CONTEXT);
    (void)key, (void)length;
    return give(minor, output, "prf:", input->value, input->length);
}

OM_uint32 gss_inquire_cred(OM_uint32 *minor, gss_cred_id_t credential, gss_name_t *name, OM_uint32 *left, int *usage,
                           gss_OID_set *mechanisms)
{
    const char *text = credential == NULL ? "default" : own(credential, CREDENTIAL)->text;
    if (name != NULL)
        *name = (gss_name_t)make(NAME, text, strlen(text));
    if (left != NULL)
        *left = 33;
    if (usage != NULL)
        *usage = GSS_C_BOTH;
    if (mechanisms != NULL)
        gss_create_empty_oid_set(minor, mechanisms), gss_add_oid_set_member(minor, &OWN, mechanisms);
    return *minor = 0;
}

OM_uint32 gss_inquire_cred_by_mech(OM_uint32 *minor, gss_cred_id_t credential, gss_OID mechanism, gss_name_t *name,
                                   OM_uint32 *initiator, OM_uint32 *acceptor, int *usage)
{
    check(mechanism);
    if (acceptor != NULL)
        *acceptor = 22;
    return gss_inquire_cred(minor, credential, name, initiator, usage, NULL);
}

OM_uint32 gss_inquire_cred_by_oid(OM_uint32 *minor, gss_cred_id_t credential, gss_OID question,
                                  gss_buffer_set_t *answers)
{
    gss_buffer_desc answer = {8, "an asset"};
    own(credential, CREDENTIAL);
    (void)question;
    return gss_add_buffer_set_member(minor, &answer, answers);
}

OM_uint32 gssspi_set_cred_option(OM_uint32 *minor, gss_cred_id_t *credential, gss_OID option, gss_buffer_t value)
{
    (void)option;
    own(*credential, CREDENTIAL);
    return begins(value, "bad") ? refuse(minor, REFUSED, GSS_S_FAILURE) : (*minor = 0);
}

OM_uint32 gssspi_acquire_cred_with_password(OM_uint32 *minor, gss_name_t name, gss_buffer_t password, OM_uint32 time,
                                            gss_OID_set mechanisms, int usage, gss_cred_id_t *credential,
                                            gss_OID_set *actual, OM_uint32 *left)
{
    if (!begins(password, "open sesame"))
        return refuse(minor, REFUSED, GSS_S_NO_CRED);
    return gss_acquire_cred(minor, name, time, mechanisms, usage, credential, actual, left);
}

OM_uint32 gss_export_cred(OM_uint32 *minor, gss_cred_id_t credential, gss_buffer_t token)
{
    return give(minor, token, "", own(credential, CREDENTIAL)->text, strlen(own(credential, CREDENTIAL)->text));
}

OM_uint32 gss_import_cred(OM_uint32 *minor, gss_buffer_t token, gss_cred_id_t *credential)
{
    *credential = (gss_cred_id_t)make(CREDENTIAL, token->value, token->length);
    return *minor = 0;
}

OM_uint32 gss_store_cred(OM_uint32 *minor, gss_cred_id_t credential, gss_cred_usage_t usage, gss_OID mechanism,
                         OM_uint32 overwrite, OM_uint32 as_default, gss_OID_set *elements, gss_cred_usage_t *stored)
{
    own(credential, CREDENTIAL);
    check(mechanism);
    (void)usage, (void)overwrite, (void)as_default, (void)elements;
    if (stored != NULL)
        *stored = GSS_C_INITIATE;
    return *minor = 0;
}

OM_uint32 gss_compare_name(OM_uint32 *minor, gss_name_t left, gss_name_t right, int *equal)
{
    *equal = strcmp(own(left, NAME)->text, own(right, NAME)->text) == 0;
    return *minor = 0;
}

OM_uint32 gss_duplicate_name(OM_uint32 *minor, gss_name_t name, gss_name_t *copy)
{
    *copy = (gss_name_t)make(NAME, own(name, NAME)->text, strlen(own(name, NAME)->text));
    return *minor = 0;
}

OM_uint32 gss_export_name(OM_uint32 *minor, gss_name_t name, gss_buffer_t octets)
{
    const char *text = own(name, NAME)->text;
    char head[] = {4, 1, 0, 6, 6, 4, 0x2a, 3, 4, 5, 0, 0, 0, (char)strlen(text)}, whole[96];
    memcpy(whole, head, sizeof head);
    memcpy(whole + sizeof head, text, strlen(text));
    return give(minor, octets, "", whole, sizeof head + strlen(text));
}

OM_uint32 gss_inquire_name(OM_uint32 *minor, gss_name_t name, int *is_mechanism_name, gss_OID *mechanism,
                           gss_buffer_set_t *attributes)
{
    gss_buffer_desc attribute = {5, "shoes"};
    own(name, NAME);
    if (is_mechanism_name != NULL)
        *is_mechanism_name = 1;
    if (mechanism != NULL)
        *mechanism = &OWN;
    return attributes == NULL ? (*minor = 0) : gss_add_buffer_set_member(minor, &attribute, attributes);
}

OM_uint32 gss_get_name_attribute(OM_uint32 *minor, gss_name_t name, gss_buffer_t attribute, int *authenticated,
                                 int *complete, gss_buffer_t value, gss_buffer_t shown, int *more)
{
    own(name, NAME);
    if (!begins(attribute, "shoes"))
        return refuse(minor, REFUSED, GSS_S_UNAVAILABLE);
    *authenticated = *complete = 1;
    *more = 0;
    give(minor, value, "", "red", 3);
    return give(minor, shown, "", "Red", 3);
}

OM_uint32 gss_set_name_attribute(OM_uint32 *minor, gss_name_t name, int complete, gss_buffer_t attribute,
                                 gss_buffer_t value)
{
    own(name, NAME);
    (void)complete, (void)attribute, (void)value;
    return *minor = 0;
}

OM_uint32 gss_delete_name_attribute(OM_uint32 *minor, gss_name_t name, gss_buffer_t attribute)
{
    own(name, NAME);
    (void)attribute;
    return refuse(minor, REFUSED, GSS_S_UNAUTHORIZED);
}

OM_uint32 gss_export_name_composite(OM_uint32 *minor, gss_name_t name, gss_buffer_t octets)
{
    own(name, NAME);
    return give(minor, octets, "", "composite", 9);
}

OM_uint32 gss_display_name_ext(OM_uint32 *minor, gss_name_t name, gss_OID wanted, gss_buffer_t text)
{
    own(name, NAME);
    (void)wanted;
    return give(minor, text, "", "otherwise", 9);
}

OM_uint32 gss_localname(OM_uint32 *minor, gss_name_t name, gss_const_OID mechanism, gss_buffer_t local)
{
    own(name, NAME);
    check(mechanism);
    return give(minor, local, "", "root", 4);
}

OM_uint32 gss_inquire_names_for_mech(OM_uint32 *minor, gss_OID mechanism, gss_OID_set *types)
{
    check(mechanism);
    gss_create_empty_oid_set(minor, types);
    return gss_add_oid_set_member(minor, GSS_C_NT_USER_NAME, types);
}

OM_uint32 gss_inquire_attrs_for_mech(OM_uint32 *minor, gss_const_OID mechanism, gss_OID_set *attributes,
                                     gss_OID_set *known)
{
    check(mechanism);
    if (known != NULL)
        gss_create_empty_oid_set(minor, known);
    gss_create_empty_oid_set(minor, attributes);
    gss_add_oid_set_member(minor, (gss_OID)GSS_C_MA_WRAP, attributes);
    return gss_add_oid_set_member(minor, (gss_OID)GSS_C_MA_AUTH_INIT, attributes);
}

OM_uint32 gss_inquire_saslname_for_mech(OM_uint32 *minor, const gss_OID mechanism, gss_buffer_t sasl,
                                        gss_buffer_t name, gss_buffer_t description)
{
    check(mechanism);
    give(minor, sasl, "", "TEST-1", 6);
    give(minor, name, "", "test", 4);
    return give(minor, description, "", "A mechanism for tests", 21);
}

OM_uint32 gss_inquire_mech_for_saslname(OM_uint32 *minor, const gss_buffer_t sasl, gss_OID *mechanism)
{
    if (!begins(sasl, "TEST-1"))
        return refuse(minor, REFUSED, GSS_S_BAD_MECH);
    *mechanism = &OWN;
    return *minor = 0;
}

OM_uint32 gssspi_mech_invoke(OM_uint32 *minor, const gss_OID mechanism, const gss_OID object, gss_buffer_t value)
{
    check(mechanism);
    (void)object;
    return begins(value, "bad") ? refuse(minor, REFUSED, GSS_S_UNAVAILABLE) : (*minor = 0);
}
#endif
