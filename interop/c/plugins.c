/* Every call that a library leads to a plug-in: c/mechanism.c is one. What this prints must not depend on the library. With
 * an argument only what needs few functions is tried. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>

static gss_OID_desc MECHANISM = {4, "\x2a\x03\x04\x05"}, OTHER = {5, "\x2a\x03\x04\x05\x06"};
static gss_OID_set_desc SET = {1, &MECHANISM};
static OM_uint32 major, minor, ignored;

static gss_buffer_desc text(const char *octets)
{
    return (gss_buffer_desc){strlen(octets), (void *)octets};
}

/* What a call answered, and what the mechanism says of it; the minor number itself is the library's affair, and so is what
 * the library says of its own. */
static void said(const char *call)
{
    OM_uint32 more = 0;
    gss_buffer_desc story = GSS_C_EMPTY_BUFFER;
    printf("%s: %08x", call, major);
    if (GSS_ERROR(major) && minor != 0) {
        gss_display_status(&ignored, minor, GSS_C_MECH_CODE, &MECHANISM, &more, &story);
        /* Ours names the mechanism first. */
        char *sentence = memmem(story.value, story.length, "it was refused", 14);
        if (sentence == NULL)
            sentence = memmem(story.value, story.length, "the token is none", 17);
        if (sentence != NULL)
            printf(" %s", sentence[3] == 'w' ? "refused" : "no token");
        gss_release_buffer(&ignored, &story);
    }
    printf("\n");
}

static void octets(gss_buffer_desc *buffer)
{
    printf("  %zu ", buffer->length);
    for (size_t i = 0; i < buffer->length; i++) {
        unsigned char octet = ((unsigned char *)buffer->value)[i];
        printf(octet >= ' ' && octet < 127 ? "%c" : "\\%02x", octet);
    }
    printf("\n");
    gss_release_buffer(&minor, buffer);
}

static void set(gss_OID_set *set)
{
    for (size_t i = 0; *set != NULL && i < (*set)->count; i++) {
        gss_OID oid = &(*set)->elements[i];
        if (oid->length == MECHANISM.length && memcmp(oid->elements, MECHANISM.elements, oid->length) == 0)
            printf("  it is among them\n");
    }
    gss_release_oid_set(&minor, set);
}

static void buffers(gss_buffer_set_t *set)
{
    printf("  %zu buffers\n", *set == NULL ? 0 : (*set)->count);
    for (size_t i = 0; *set != NULL && i < (*set)->count; i++)
        printf("  %.*s\n", (int)(*set)->elements[i].length, (char *)(*set)->elements[i].value);
    gss_release_buffer_set(&minor, set);
}

static void identifier(gss_OID oid)
{
    printf("  %s\n", oid == NULL ? "no identifier" : gss_oid_equal(oid, &MECHANISM) ? "the mechanism" : "another");
}

static void name(gss_name_t *name)
{
    gss_buffer_desc shown = GSS_C_EMPTY_BUFFER;
    gss_OID type = NULL;
    major = gss_display_name(&minor, *name, &shown, &type);
    said("  gss_display_name");
    printf("  a user's: %d\n", gss_oid_equal(type, GSS_C_NT_USER_NAME));
    octets(&shown);
    gss_release_name(&minor, name);
}

static gss_name_t user(const char *spelt)
{
    gss_buffer_desc octets = text(spelt);
    gss_name_t made = GSS_C_NO_NAME;
    major = gss_import_name(&minor, &octets, GSS_C_NT_USER_NAME, &made);
    return made;
}

static void credentials(void)
{
    gss_cred_id_t credential = NULL, other = NULL;
    gss_OID_set mechanisms = NULL;
    OM_uint32 left = 1, acceptor = 1;
    gss_buffer_desc buffer = text("open sesame"), token = GSS_C_EMPTY_BUFFER, bad = text("bad");
    gss_buffer_set_t answers = NULL;
    gss_name_t who = user("alice"), nobody = user("nobody");
    int usage = 9;

    major = gss_acquire_cred(&minor, nobody, 0, &SET, GSS_C_INITIATE, &credential, NULL, NULL);
    said("gss_acquire_cred of nobody");
    printf("  nothing: %d\n", credential == NULL);
    major = gss_acquire_cred(&minor, who, 0, &SET, GSS_C_INITIATE, &credential, &mechanisms, &left);
    said("gss_acquire_cred");
    set(&mechanisms);
    major = gss_inquire_cred(&minor, credential, NULL, &left, &usage, &mechanisms);
    said("gss_inquire_cred");
    printf("  %u\n", left);
    set(&mechanisms);
    gss_release_name(&minor, &who);
    major = gss_inquire_cred_by_mech(&minor, credential, &MECHANISM, &who, &left, &acceptor, &usage);
    said("gss_inquire_cred_by_mech");
    printf("  %u %u %d\n", left, acceptor, usage);
    name(&who);
    major = gss_inquire_cred_by_oid(&minor, credential, &OTHER, &answers);
    said("gss_inquire_cred_by_oid");
    buffers(&answers);
    major = gss_set_cred_option(&minor, &credential, &OTHER, &buffer);
    said("gss_set_cred_option");
    major = gss_set_cred_option(&minor, &credential, &OTHER, &bad);
    said("gss_set_cred_option that is bad");
    major = gss_add_cred(&minor, credential, GSS_C_NO_NAME, &MECHANISM, GSS_C_INITIATE, 0, 0, &other, NULL, NULL, NULL);
    said("gss_add_cred twice");
    major = gss_store_cred(&minor, credential, GSS_C_INITIATE, &MECHANISM, 1, 1, NULL, &usage);
    said("gss_store_cred");
    printf("  %d\n", usage);
    major = gss_export_cred(&minor, credential, &token);
    said("gss_export_cred");
    gss_release_cred(&minor, &credential);
    major = gss_import_cred(&minor, &token, &credential);
    said("gss_import_cred");
    octets(&token);
    major = gss_inquire_cred(&minor, credential, &who, NULL, NULL, NULL);
    said("gss_inquire_cred");
    name(&who);
    gss_release_cred(&minor, &credential);
    who = user("bob");
    major = gss_acquire_cred_with_password(&minor, who, &bad, 0, &SET, GSS_C_INITIATE, &credential, NULL, NULL);
    said("gss_acquire_cred_with_password that is bad");
    major = gss_acquire_cred_with_password(&minor, who, &buffer, 0, &SET, GSS_C_INITIATE, &credential, NULL, NULL);
    said("gss_acquire_cred_with_password");
    major = gss_release_cred(&minor, &credential);
    said("gss_release_cred");
    major = gss_add_cred(&minor, GSS_C_NO_CREDENTIAL, who, &MECHANISM, GSS_C_INITIATE, 0, 0, &credential, NULL, NULL, NULL);
    said("gss_add_cred to nothing");
    gss_release_cred(&minor, &credential);
    gss_release_name(&minor, &who);
    gss_release_name(&minor, &nobody);
}

static void names(void)
{
    gss_name_t given = user("carol"), canonical = NULL, copy = NULL, again = NULL;
    gss_buffer_desc buffer = GSS_C_EMPTY_BUFFER, shown = GSS_C_EMPTY_BUFFER, shoes = text("shoes"), hat = text("hat");
    gss_buffer_set_t attributes = NULL;
    gss_OID mechanism = NULL;
    int is = 9, complete = 9, more = -1;

    major = gss_canonicalize_name(&minor, given, &MECHANISM, &canonical);
    said("gss_canonicalize_name");
    major = gss_compare_name(&minor, given, canonical, &is);
    said("gss_compare_name");
    printf("  %d\n", is);
    major = gss_duplicate_name(&minor, canonical, &copy);
    said("gss_duplicate_name");
    major = gss_compare_name(&minor, copy, canonical, &is);
    said("gss_compare_name");
    printf("  %d\n", is);
    name(&copy);
    major = gss_export_name(&minor, canonical, &buffer);
    said("gss_export_name");
    major = gss_import_name(&minor, &buffer, GSS_C_NT_EXPORT_NAME, &again);
    said("gss_import_name of it");
    octets(&buffer);
    name(&again);
    major = gss_inquire_name(&minor, canonical, &is, &mechanism, &attributes);
    said("gss_inquire_name");
    printf("  %d\n", is);
    identifier(mechanism);
    buffers(&attributes);
    major = gss_get_name_attribute(&minor, canonical, &shoes, &is, &complete, &buffer, &shown, &more);
    said("gss_get_name_attribute");
    printf("  %d %d %d\n", is, complete, more);
    octets(&buffer);
    octets(&shown);
    major = gss_get_name_attribute(&minor, canonical, &hat, &is, &complete, &buffer, &shown, &more);
    said("gss_get_name_attribute of none");
    major = gss_set_name_attribute(&minor, canonical, 1, &shoes, &hat);
    said("gss_set_name_attribute");
    major = gss_delete_name_attribute(&minor, canonical, &shoes);
    said("gss_delete_name_attribute");
    major = gss_export_name_composite(&minor, canonical, &buffer);
    said("gss_export_name_composite");
    octets(&buffer);
    major = gss_localname(&minor, canonical, &MECHANISM, &buffer);
    said("gss_localname");
    octets(&buffer);
    gss_release_name(&minor, &canonical);
    major = gss_release_name(&minor, &given);
    said("gss_release_name");
}

static void mechanism(void)
{
    gss_OID_set found = NULL, known = NULL;
    gss_OID oid = NULL;
    gss_buffer_desc sasl = GSS_C_EMPTY_BUFFER, called = GSS_C_EMPTY_BUFFER, described = GSS_C_EMPTY_BUFFER;
    gss_buffer_desc ours = text("TEST-1"), bad = text("bad");
    gss_OID_set_desc wrapping = {1, (gss_OID)GSS_C_MA_WRAP}, binding = {1, (gss_OID)GSS_C_MA_CBINDINGS};

    major = gss_inquire_names_for_mech(&minor, &MECHANISM, &found);
    said("gss_inquire_names_for_mech");
    printf("  %zu\n", found == NULL ? 0 : found->count);
    gss_release_oid_set(&minor, &found);
    major = gss_inquire_attrs_for_mech(&minor, &MECHANISM, &found, &known);
    said("gss_inquire_attrs_for_mech");
    int wraps = 0;
    gss_test_oid_set_member(&minor, (gss_OID)GSS_C_MA_WRAP, found, &wraps);
    printf("  %d\n", wraps);
    gss_release_oid_set(&minor, &found);
    gss_release_oid_set(&minor, &known);
    major = gss_indicate_mechs_by_attrs(&minor, &wrapping, &binding, NULL, &found);
    said("gss_indicate_mechs_by_attrs");
    set(&found);
    major = gss_indicate_mechs_by_attrs(&minor, &wrapping, &wrapping, NULL, &found);
    said("gss_indicate_mechs_by_attrs");
    set(&found);
    major = gss_inquire_saslname_for_mech(&minor, &MECHANISM, &sasl, &called, &described);
    said("gss_inquire_saslname_for_mech");
    octets(&sasl);
    octets(&called);
    octets(&described);
    major = gss_inquire_mech_for_saslname(&minor, &ours, &oid);
    said("gss_inquire_mech_for_saslname");
    identifier(oid);
    major = gssspi_mech_invoke(&minor, &MECHANISM, &OTHER, &ours);
    said("gssspi_mech_invoke");
    major = gssspi_mech_invoke(&minor, &MECHANISM, &OTHER, &bad);
    said("gssspi_mech_invoke that is bad");
}

static void protection(gss_ctx_id_t context)
{
    gss_buffer_desc message = text("a message"), token = GSS_C_EMPTY_BUFFER, plain = GSS_C_EMPTY_BUFFER, bad = text("bad");
    gss_iov_buffer_desc iov[2] = {{GSS_IOV_BUFFER_TYPE_HEADER, GSS_C_EMPTY_BUFFER}, {GSS_IOV_BUFFER_TYPE_DATA, message}};
    int sealed = 9;
    gss_qop_t qop = 9;
    OM_uint32 limit = 0;

    major = gss_wrap(&minor, context, 1, 7, &message, &sealed, &token);
    said("gss_wrap of another quality");
    major = gss_wrap(&minor, context, 1, 0, &message, &sealed, &token);
    said("gss_wrap");
    printf("  %d\n", sealed);
    major = gss_unwrap(&minor, context, &token, &plain, &sealed, &qop);
    said("gss_unwrap");
    octets(&token);
    octets(&plain);
    major = gss_unwrap(&minor, context, &bad, &plain, NULL, NULL);
    said("gss_unwrap of nothing");
    printf("  %zu\n", plain.length);
    major = gss_get_mic(&minor, context, 0, &message, &token);
    said("gss_get_mic");
    if (!GSS_ERROR(major)) {
        major = gss_verify_mic(&minor, context, &message, &token, &qop);
        said("gss_verify_mic");
        printf("  %u\n", qop);
        octets(&token);
    }
    major = gss_verify_mic(&minor, context, &message, &bad, NULL);
    said("gss_verify_mic of nothing");
    major = gss_wrap_size_limit(&minor, context, 1, 0, 100, &limit);
    said("gss_wrap_size_limit");
    printf("  %u\n", limit);
#define LENGTH if (!GSS_ERROR(major)) printf("  %d %zu\n", sealed, iov[0].buffer.length)
    major = gss_wrap_iov(&minor, context, 1, 0, &sealed, iov, 2);
    said("gss_wrap_iov");
    LENGTH;
    major = gss_wrap_iov_length(&minor, context, 0, 0, &sealed, iov, 2);
    said("gss_wrap_iov_length");
    LENGTH;
    major = gss_unwrap_iov(&minor, context, &sealed, &qop, iov, 2);
    said("gss_unwrap_iov");
    LENGTH;
    major = gss_get_mic_iov(&minor, context, 0, iov, 2);
    said("gss_get_mic_iov");
    LENGTH;
    major = gss_get_mic_iov_length(&minor, context, 0, iov, 2);
    said("gss_get_mic_iov_length");
    LENGTH;
    major = gss_verify_mic_iov(&minor, context, &qop, iov, 2);
    said("gss_verify_mic_iov");
    LENGTH;
    major = gss_wrap_aead(&minor, context, 1, 0, &bad, &message, &sealed, &token);
    said("gss_wrap_aead");
    major = gss_unwrap_aead(&minor, context, &token, &bad, &plain, &sealed, &qop);
    said("gss_unwrap_aead");
    octets(&token);
    octets(&plain);
    major = gss_pseudo_random(&minor, context, 0, &message, 13, &token);
    said("gss_pseudo_random");
    octets(&token);
}

static void inquiries(gss_ctx_id_t *context)
{
    gss_name_t source = NULL, target = NULL;
    OM_uint32 left = 1, flags = 0;
    gss_OID oid = NULL;
    int initiates = 9, open = 9;
    gss_buffer_desc token = text("token"), bad = text("bad"), nothing = text("");
    gss_buffer_set_t answers = NULL;

    major = gss_context_time(&minor, *context, &left);
    said("gss_context_time");
    printf("  %u\n", left);
    major = gss_inquire_context(&minor, *context, &source, &target, &left, &oid, &flags, &initiates, &open);
    said("gss_inquire_context");
    printf("  %u %x %d %d\n", left, flags, initiates, open);
    identifier(oid);
    name(&source);
    name(&target);
    major = gss_process_context_token(&minor, *context, &token);
    said("gss_process_context_token");
    major = gss_process_context_token(&minor, *context, &bad);
    said("gss_process_context_token of nothing");
    major = gss_complete_auth_token(&minor, *context, &token);
    said("gss_complete_auth_token");
    major = gss_inquire_sec_context_by_oid(&minor, *context, &MECHANISM, &answers);
    said("gss_inquire_sec_context_by_oid");
    buffers(&answers);
    major = gss_inquire_sec_context_by_oid(&minor, *context, &OTHER, &answers);
    said("gss_inquire_sec_context_by_oid of another");
    major = gss_set_sec_context_option(&minor, context, &OTHER, &bad);
    said("gss_set_sec_context_option");
    /* MIT's library forgets what the mechanism said. */
    major = gss_export_sec_context(&minor, context, &token);
    printf("gss_export_sec_context that is forbidden: %08x\n  there: %d\n", major, *context != NULL);
    major = gss_set_sec_context_option(&minor, context, &OTHER, &nothing);
    said("gss_set_sec_context_option");
    major = gss_export_sec_context(&minor, context, &token);
    said("gss_export_sec_context");
    printf("  gone: %d\n", *context == NULL);
    major = gss_import_sec_context(&minor, &token, context);
    said("gss_import_sec_context");
    octets(&token);
}

/* Both ends of a context; what is tried with it if `all`. */
static void context(int all)
{
    gss_ctx_id_t initiator = NULL, acceptor = NULL;
    gss_cred_id_t credential = NULL, delegated = NULL;
    gss_buffer_desc first = GSS_C_EMPTY_BUFFER, second = GSS_C_EMPTY_BUFFER, bad = text("bad");
    gss_name_t target = user("target"), nobody = user("nobody"), source = NULL;
    gss_OID oid = NULL;
    OM_uint32 flags = 0, left = 1;

    major = gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, &SET, GSS_C_BOTH, &credential, NULL, NULL);
    said("gss_acquire_cred");
    major = gss_init_sec_context(&minor, NULL, &initiator, nobody, &MECHANISM, 0, 0, NULL, NULL, NULL, &first, NULL, NULL);
    said("gss_init_sec_context with nobody");
    printf("  nothing: %d\n", initiator == NULL);
    major = gss_init_sec_context(&minor, credential, &initiator, target, &MECHANISM, GSS_C_MUTUAL_FLAG, 0, NULL, NULL, &oid,
                                 &first, &flags, &left);
    said("gss_init_sec_context");
    identifier(oid);
    printf("  %x %u\n", flags, left);
    oid = NULL;
    major = gss_accept_sec_context(&minor, &acceptor, credential, &first, NULL, &source, &oid, &second, &flags, &left,
                                   &delegated);
    said("gss_accept_sec_context");
    identifier(oid);
    printf("  %x %u\n", flags, left);
    octets(&first);
    name(&source);
    if (all) {
        major = gss_inquire_cred_by_mech(&minor, delegated, &MECHANISM, &source, NULL, NULL, NULL);
        said("gss_inquire_cred_by_mech");
        name(&source);
    }
    gss_release_cred(&minor, &delegated);
    major = gss_init_sec_context(&minor, credential, &initiator, target, &MECHANISM, GSS_C_MUTUAL_FLAG, 0, NULL, &second,
                                 NULL, &first, &flags, NULL);
    said("gss_init_sec_context");
    octets(&second);
    protection(initiator);
    if (all) {
        inquiries(&initiator);
        inquiries(&acceptor);
    }
    major = gss_delete_sec_context(&minor, &acceptor, NULL);
    said("gss_delete_sec_context");
    major = gss_delete_sec_context(&minor, &initiator, NULL);
    said("gss_delete_sec_context");
    major = gss_init_sec_context(&minor, credential, &initiator, target, &MECHANISM, 0, 0, NULL, NULL, NULL, &first, NULL, NULL);
    said("gss_init_sec_context");
    gss_release_buffer(&minor, &first);
    major = gss_init_sec_context(&minor, credential, &initiator, target, &MECHANISM, 0, 0, NULL, &bad, NULL, &first, NULL, NULL);
    said("gss_init_sec_context by a bad token");
    gss_delete_sec_context(&minor, &initiator, NULL);
    gss_release_name(&minor, &target);
    gss_release_name(&minor, &nobody);
    gss_release_cred(&minor, &credential);
}

int main(int count, char **words)
{
    gss_OID_set found = NULL;

    (void)words;
    major = gss_indicate_mechs(&minor, &found);
    said("gss_indicate_mechs");
    set(&found);
    context(count == 1);
    if (count == 1) {
        credentials();
        names();
        mechanism();
    }
    return 0;
}
