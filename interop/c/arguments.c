/* Wrong arguments to the calls of RFC 2744: null, empty, twice, wild, stale, foreign. A row for each call and handle: the
 * status must be the documented one, and every output at its empty value. It compiles as C and as C++. Its argument is the
 * target; the environment names cache and keytab. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"

#include <gssapi/gssapi.h>

#include "common.h"

static int failures;
static gss_name_t target;
static OM_uint32 minor;

#define NO_CONTEXT GSS_S_NO_CONTEXT
#define ROUTINE(major) ((major) & 0xff0000u)

static void expect(int holds, const char *call, const char *what, OM_uint32 major)
{
    if (!holds) {
        printf("not so: %s: %s (%08x)\n", call, what, (unsigned)major);
        failures++;
    }
}

/* Each call that takes a context that is up; `emptied` says whether its outputs were set to their empty value. */
typedef OM_uint32 (*context_call)(gss_ctx_id_t, int *emptied);

static OM_uint32 call_time(gss_ctx_id_t context, int *emptied)
{
    OM_uint32 time = 99, major = gss_context_time(&minor, context, &time);
    *emptied = time == 0;
    return major;
}

static OM_uint32 call_inquire(gss_ctx_id_t context, int *emptied)
{
    gss_name_t from = (gss_name_t)1, to = (gss_name_t)1;
    gss_OID mech = (gss_OID)1;
    OM_uint32 time = 99, flags = 99, major;
    int local = 99, open = 99;
    major = gss_inquire_context(&minor, context, &from, &to, &time, &mech, &flags, &local, &open);
    *emptied = from == GSS_C_NO_NAME && to == GSS_C_NO_NAME && mech == GSS_C_NO_OID && !time && !flags && !local && !open;
    return major;
}

static OM_uint32 call_get_mic(gss_ctx_id_t context, int *emptied)
{
    gss_buffer_desc in = text("hello"), out = dirty();
    OM_uint32 major = gss_get_mic(&minor, context, GSS_C_QOP_DEFAULT, &in, &out);
    *emptied = is_empty(out);
    return major;
}

static OM_uint32 call_verify_mic(gss_ctx_id_t context, int *emptied)
{
    gss_buffer_desc in = text("hello");
    gss_qop_t qop = 99;
    OM_uint32 major = gss_verify_mic(&minor, context, &in, &in, &qop);
    *emptied = qop == 0;
    return major;
}

static OM_uint32 call_wrap(gss_ctx_id_t context, int *emptied)
{
    gss_buffer_desc in = text("hello"), out = dirty();
    int conf = 99;
    OM_uint32 major = gss_wrap(&minor, context, 1, GSS_C_QOP_DEFAULT, &in, &conf, &out);
    *emptied = is_empty(out) && conf == 0;
    return major;
}

static OM_uint32 call_unwrap(gss_ctx_id_t context, int *emptied)
{
    gss_buffer_desc in = text("hello"), out = dirty();
    int conf = 99;
    gss_qop_t qop = 99;
    OM_uint32 major = gss_unwrap(&minor, context, &in, &out, &conf, &qop);
    *emptied = is_empty(out) && conf == 0 && qop == 0;
    return major;
}

static OM_uint32 call_limit(gss_ctx_id_t context, int *emptied)
{
    OM_uint32 size = 99, major = gss_wrap_size_limit(&minor, context, 1, GSS_C_QOP_DEFAULT, 100, &size);
    *emptied = size == 0;
    return major;
}

static OM_uint32 call_process(gss_ctx_id_t context, int *emptied)
{
    gss_buffer_desc in = text("hello");
    *emptied = 1;
    return gss_process_context_token(&minor, context, &in);
}

static OM_uint32 call_export(gss_ctx_id_t context, int *emptied)
{
    gss_buffer_desc out = dirty();
    gss_ctx_id_t given = context;
    OM_uint32 major = gss_export_sec_context(&minor, &given, &out);
    *emptied = is_empty(out) && given == context;
    return major;
}

static OM_uint32 call_init(gss_ctx_id_t context, int *emptied)
{
    gss_buffer_desc in = text("hello"), out = dirty();
    gss_OID mech = (gss_OID)1;
    OM_uint32 flags = 99, time = 99, major;
    if (context == GSS_C_NO_CONTEXT) { /* that is a first call, which is no error */
        *emptied = 1;
        return GSS_S_NO_CONTEXT;
    }
    major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &context, target, GSS_C_NO_OID, 0, 0,
                                 GSS_C_NO_CHANNEL_BINDINGS, &in, &mech, &out, &flags, &time);
    *emptied = is_empty(out) && mech == GSS_C_NO_OID && flags == 0 && time == 0;
    return major;
}

static OM_uint32 call_accept(gss_ctx_id_t context, int *emptied)
{
    gss_buffer_desc in = text("hello"), out = dirty();
    gss_name_t from = (gss_name_t)1;
    gss_cred_id_t delegated = (gss_cred_id_t)1;
    gss_OID mech = (gss_OID)1;
    OM_uint32 flags = 99, time = 99, major;
    if (context == GSS_C_NO_CONTEXT) {
        *emptied = 1;
        return GSS_S_NO_CONTEXT;
    }
    major = gss_accept_sec_context(&minor, &context, GSS_C_NO_CREDENTIAL, &in, GSS_C_NO_CHANNEL_BINDINGS, &from, &mech,
                                   &out, &flags, &time, &delegated);
    *emptied = is_empty(out) && from == GSS_C_NO_NAME && delegated == GSS_C_NO_CREDENTIAL && mech == GSS_C_NO_OID &&
               flags == 0 && time == 0;
    return major;
}

static OM_uint32 call_delete(gss_ctx_id_t context, int *emptied)
{
    gss_buffer_desc out = dirty();
    gss_ctx_id_t given = context;
    OM_uint32 major = gss_delete_sec_context(&minor, &given, &out);
    *emptied = is_empty(out) && given == GSS_C_NO_CONTEXT;
    /* To delete nothing is allowed (RFC 2744 section 5.9). */
    return context == GSS_C_NO_CONTEXT && major == GSS_S_COMPLETE ? GSS_S_NO_CONTEXT : major;
}

static const struct {
    const char *name;
    context_call call;
} OF_CONTEXTS[] = {
    {"gss_context_time", call_time},       {"gss_inquire_context", call_inquire},
    {"gss_get_mic", call_get_mic},         {"gss_verify_mic", call_verify_mic},
    {"gss_wrap", call_wrap},               {"gss_unwrap", call_unwrap},
    {"gss_wrap_size_limit", call_limit},   {"gss_process_context_token", call_process},
    {"gss_export_sec_context", call_export}, {"gss_init_sec_context", call_init},
    {"gss_accept_sec_context", call_accept}, {"gss_delete_sec_context", call_delete},
};

static void contexts(const char *handle, gss_ctx_id_t context)
{
    char what[80];
    for (size_t i = 0; i < sizeof OF_CONTEXTS / sizeof *OF_CONTEXTS; i++) {
        int emptied = 0;
        OM_uint32 major = OF_CONTEXTS[i].call(context, &emptied);
        snprintf(what, sizeof what, "%s handle gives GSS_S_NO_CONTEXT", handle);
        expect(ROUTINE(major) == NO_CONTEXT, OF_CONTEXTS[i].name, what, major);
        snprintf(what, sizeof what, "%s handle leaves outputs empty", handle);
        expect(emptied, OF_CONTEXTS[i].name, what, major);
    }
}

static void names(const char *handle, gss_name_t name)
{
    gss_buffer_desc out = dirty();
    gss_OID type = (gss_OID)1;
    gss_name_t made = (gss_name_t)1;
    int equal = 99;
    OM_uint32 major = gss_display_name(&minor, name, &out, &type);
    expect(ROUTINE(major) == GSS_S_BAD_NAME && is_empty(out) && type == GSS_C_NO_OID, "gss_display_name", handle, major);
    major = gss_compare_name(&minor, target, name, &equal);
    expect(ROUTINE(major) == GSS_S_BAD_NAME && equal == 0, "gss_compare_name", handle, major);
    major = gss_duplicate_name(&minor, name, &made);
    expect(ROUTINE(major) == GSS_S_BAD_NAME && made == GSS_C_NO_NAME, "gss_duplicate_name", handle, major);
    made = (gss_name_t)1;
    major = gss_canonicalize_name(&minor, name, GSS_C_NO_OID, &made);
    expect(GSS_ERROR(major) && made == GSS_C_NO_NAME, "gss_canonicalize_name", handle, major);
    out = dirty();
    major = gss_export_name(&minor, name, &out);
    expect(ROUTINE(major) == GSS_S_BAD_NAME && is_empty(out), "gss_export_name", handle, major);
    made = name;
    major = gss_release_name(&minor, &made);
    expect(name == GSS_C_NO_NAME || ROUTINE(major) == GSS_S_BAD_NAME, "gss_release_name", handle, major);
}

static void credentials(const char *handle, gss_cred_id_t cred)
{
    gss_name_t name = (gss_name_t)1;
    gss_OID_set mechs = (gss_OID_set)1;
    gss_cred_usage_t usage = 99;
    gss_cred_id_t given = cred;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_buffer_desc out = dirty();
    OM_uint32 time = 99, major = gss_inquire_cred(&minor, cred, &name, &time, &usage, &mechs);
    expect(GSS_ERROR(major) && name == GSS_C_NO_NAME && mechs == GSS_C_NO_OID_SET, "gss_inquire_cred", handle, major);
    major = gss_init_sec_context(&minor, cred, &context, target, GSS_C_NO_OID, 0, 0, GSS_C_NO_CHANNEL_BINDINGS,
                                 GSS_C_NO_BUFFER, NULL, &out, NULL, NULL);
    expect(GSS_ERROR(major) && context == GSS_C_NO_CONTEXT && is_empty(out), "gss_init_sec_context", handle, major);
    major = gss_release_cred(&minor, &given);
    expect(GSS_ERROR(major), "gss_release_cred", handle, major);
}

/* A null pointer where a place for a result is demanded, and for the minor status. */
static void nulls(void)
{
    gss_buffer_desc some = text("hello"), out = dirty(), hollow;
    gss_name_t name = (gss_name_t)1;
    OM_uint32 major;
#define WRITE(call) major = call; expect((major & GSS_S_CALL_INACCESSIBLE_WRITE) != 0, #call, "a place is demanded", major)
#define READ(call) major = call; expect(GSS_ERROR(major) != 0, #call, "an input is demanded", major)
    hollow.length = 5;
    hollow.value = NULL;
    WRITE(gss_context_time(NULL, GSS_C_NO_CONTEXT, &major));
    WRITE(gss_import_name(NULL, &some, GSS_C_NT_USER_NAME, &name));
    WRITE(gss_import_name(&minor, &some, GSS_C_NT_USER_NAME, NULL));
    WRITE(gss_display_name(&minor, target, NULL, NULL));
    WRITE(gss_compare_name(&minor, target, target, NULL));
    WRITE(gss_duplicate_name(&minor, target, NULL));
    WRITE(gss_export_name(&minor, target, NULL));
    WRITE(gss_indicate_mechs(&minor, NULL));
    WRITE(gss_create_empty_oid_set(&minor, NULL));
    WRITE(gss_acquire_cred(&minor, NULL, 0, NULL, GSS_C_INITIATE, NULL, NULL, NULL));
    WRITE(gss_export_sec_context(&minor, NULL, &out));
    WRITE(gss_import_sec_context(&minor, &some, NULL));
    WRITE(gss_init_sec_context(&minor, NULL, NULL, target, NULL, 0, 0, NULL, NULL, NULL, &out, NULL, NULL));
    WRITE(gss_accept_sec_context(&minor, NULL, NULL, &some, NULL, NULL, NULL, &out, NULL, NULL, NULL));
    READ(gss_import_name(&minor, NULL, GSS_C_NT_USER_NAME, &name));
    expect(name == GSS_C_NO_NAME, "gss_import_name", "no name comes of nothing", major);
    READ(gss_import_name(&minor, &hollow, GSS_C_NT_USER_NAME, &name));
    {
        gss_ctx_id_t context = GSS_C_NO_CONTEXT;
        READ(gss_accept_sec_context(&minor, &context, NULL, NULL, NULL, NULL, NULL, &out, NULL, NULL, NULL));
        READ(gss_accept_sec_context(&minor, &context, NULL, &some, NULL, NULL, NULL, &out, NULL, NULL, NULL));
        expect(context == GSS_C_NO_CONTEXT, "gss_accept_sec_context", "a first call that fails leaves no handle", major);
        gss_release_buffer(&minor, &out);
        context = (gss_ctx_id_t)1;
        READ(gss_import_sec_context(&minor, &some, &context));
        expect(context == GSS_C_NO_CONTEXT, "gss_import_sec_context", "garbage makes no context", major);
    }
    /* To release nothing is no error, and once more neither. */
    out.length = 0;
    out.value = NULL;
    require(gss_release_buffer(&minor, &out), "an empty buffer is released");
    require(gss_release_buffer(&minor, &out), "and again");
}

/* Every octet of a message is changed in turn: no output, and the context goes on. */
static void tampered(gss_ctx_id_t initiator, gss_ctx_id_t acceptor)
{
    gss_buffer_desc in = text("hello"), sealed, mic, out;
    OM_uint32 major;
    require(gss_wrap(&minor, initiator, 1, 0, &in, NULL, &sealed), "a message");
    require(gss_get_mic(&minor, initiator, 0, &in, &mic), "a MIC");
    for (size_t i = 0; i < sealed.length; i++) {
        ((unsigned char *)sealed.value)[i] ^= 0x55;
        out = dirty();
        major = gss_unwrap(&minor, acceptor, &sealed, &out, NULL, NULL);
        expect(GSS_ERROR(major) && is_empty(out), "gss_unwrap", "a changed octet", major);
        ((unsigned char *)sealed.value)[i] ^= 0x55;
    }
    for (size_t i = 0; i < mic.length; i++) {
        ((unsigned char *)mic.value)[i] ^= 0x55;
        major = gss_verify_mic(&minor, acceptor, &in, &mic, NULL);
        expect(GSS_ERROR(major), "gss_verify_mic", "a changed octet", major);
        ((unsigned char *)mic.value)[i] ^= 0x55;
    }
    require(gss_unwrap(&minor, acceptor, &sealed, &out, NULL, NULL), "the message itself is still taken");
    expect(out.length == 5 && memcmp(out.value, "hello", 5) == 0, "gss_unwrap", "what was sent", 0);
    free(out.value); /* free() does as well as gss_release_buffer() */
    require(gss_verify_mic(&minor, acceptor, &in, &mic, NULL), "the MIC itself is still taken");
    gss_release_buffer(&minor, &sealed);
    gss_release_buffer(&minor, &mic);
}

/* An exported context's token, changed and cut, makes none; the token itself does, once. */
static void moved(gss_ctx_id_t *context)
{
    gss_buffer_desc token, cut;
    gss_ctx_id_t stale = *context, made;
    OM_uint32 major;
    require(gss_export_sec_context(&minor, context, &token), "an export");
    expect(*context == GSS_C_NO_CONTEXT, "gss_export_sec_context", "the handle is GSS_C_NO_CONTEXT", 0);
    contexts("an exported", stale);
    for (size_t i = 0; i < token.length; i++) {
        ((unsigned char *)token.value)[i] ^= 0x55;
        made = (gss_ctx_id_t)1;
        major = gss_import_sec_context(&minor, &token, &made);
        expect(GSS_ERROR(major) && made == GSS_C_NO_CONTEXT, "gss_import_sec_context", "a changed octet", major);
        ((unsigned char *)token.value)[i] ^= 0x55;
        cut.length = i;
        cut.value = token.value;
        major = gss_import_sec_context(&minor, &cut, &made);
        expect(GSS_ERROR(major) && made == GSS_C_NO_CONTEXT, "gss_import_sec_context", "a cut token", major);
    }
    require(gss_import_sec_context(&minor, &token, context), "the token itself");
    major = gss_import_sec_context(&minor, &token, &made);
    expect(GSS_ERROR(major) && made == GSS_C_NO_CONTEXT, "gss_import_sec_context", "a second time", major);
    gss_release_buffer(&minor, &token);
}

/* Two threads delete one context: one of them does. */
static void *deleting(void *handle)
{
    OM_uint32 own;
    gss_ctx_id_t context = *(gss_ctx_id_t *)handle;
    return (void *)(uintptr_t)(gss_delete_sec_context(&own, &context, NULL) == GSS_S_COMPLETE);
}

int main(int argc, char **argv)
{
    gss_ctx_id_t initiator, acceptor, stale;
    gss_buffer_desc buffer;
    gss_name_t name;
    gss_cred_id_t cred, stale_cred;
    pthread_t thread;
    void *one, *other;

    if (argc != 2)
        return 2;
    buffer = text(argv[1]);
    require(gss_import_name(&minor, &buffer, GSS_C_NT_HOSTBASED_SERVICE, &target), "a target");
    nulls();
    contexts("no", GSS_C_NO_CONTEXT);
    contexts("a wild", (gss_ctx_id_t)(uintptr_t)0x1234567890abcdu);
    contexts("an address as", (gss_ctx_id_t)&buffer);
    contexts("a name's", (gss_ctx_id_t)target);
    names("no name", GSS_C_NO_NAME);
    names("a wild name", (gss_name_t)(uintptr_t)0x1234567890abcdu);
    names("an address", (gss_name_t)&buffer);
    require(gss_duplicate_name(&minor, target, &name), "a second name");
    {
        gss_name_t copy = name;
        require(gss_release_name(&minor, &name), "it is released");
        names("a released name", copy);
    }
    require(gss_acquire_cred(&minor, NULL, 0, NULL, GSS_C_INITIATE, &cred, NULL, NULL), "a credential");
    names("a credential", (gss_name_t)cred);
    contexts("a credential's", (gss_ctx_id_t)cred);
    stale_cred = cred;
    require(gss_release_cred(&minor, &cred), "it is released");
    credentials("a released credential", stale_cred);
    credentials("a wild credential", (gss_cred_id_t)(uintptr_t)0x1234567890abcdu);
    credentials("a name", (gss_cred_id_t)target);

    establish(target, &initiator, &acceptor);
    names("a context", (gss_name_t)initiator);
    credentials("a context", (gss_cred_id_t)initiator);
    tampered(initiator, acceptor);
    moved(&acceptor);
    tampered(initiator, acceptor);
    stale = initiator;
    require(gss_delete_sec_context(&minor, &initiator, NULL), "it is deleted");
    contexts("a deleted", stale);
    stale = acceptor;
    if (pthread_create(&thread, NULL, deleting, &stale) != 0)
        return 2;
    one = deleting(&stale);
    pthread_join(thread, &other);
    expect((one != NULL) + (other != NULL) == 1, "gss_delete_sec_context", "one of two threads deletes", 0);
    require(gss_release_name(&minor, &target), "the target is released");
    nothing_lives();
    if (failures == 0)
        printf("all held\n");
    return failures != 0;
}
