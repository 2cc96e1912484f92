/* Foreign octets through C: every token that a call takes, with each octet changed and cut at each length, and the kept inputs
 * of the fuzz targets. No output stays behind an error, and a context outlives what it refuses. Each input lies in memory of
 * its own size, so that tools see a reading beyond it. Arguments: the target, how many changes an octet gets (1 or 8), and
 * the folders of the kept inputs. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "live.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include "common.h"

static int failures, inputs, changes;
static gss_name_t target;
static gss_ctx_id_t here, there;
static OM_uint32 minor;
static gss_OID_desc negotiation = {6, (void *)"\x2b\x06\x01\x05\x05\x02"};

static void expect(int holds, const char *call, const char *what)
{
    if (!holds) {
        failures++;
        printf("not so: %s: %s\n", call, what);
    }
}

static void first_token(gss_OID mech, gss_ctx_id_t *context, gss_buffer_t token)
{
    *context = GSS_C_NO_CONTEXT;
    require(gss_init_sec_context(&minor, NULL, context, target, mech, GSS_C_MUTUAL_FLAG, 0, NULL, NULL, NULL, token, NULL,
                                 NULL), "a request");
}

static void alive(const char *after)
{
    gss_buffer_desc in = text("still here"), token, out;
    OM_uint32 major;
    require(gss_wrap(&minor, here, 1, 0, &in, NULL, &token), after);
    major = gss_unwrap(&minor, there, &token, &out, NULL, NULL);
    expect(!GSS_ERROR(major) && out.length == in.length, after, "the context is over");
    gss_release_buffer(&minor, &token);
    gss_release_buffer(&minor, &out);
}

/* What takes octets: whether it took these. It checks that an error leaves nothing behind. */
typedef int (*taking)(gss_buffer_t);

static int takes_request(gss_buffer_t token)
{
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_name_t from = (gss_name_t)1;
    gss_cred_id_t delegated = (gss_cred_id_t)1;
    gss_OID mech = (gss_OID)1;
    gss_buffer_desc out = dirty();
    OM_uint32 flags = 99, time = 99;
    OM_uint32 major = gss_accept_sec_context(&minor, &context, NULL, token, NULL, &from, &mech, &out, &flags, &time, &delegated);
    if (GSS_ERROR(major))
        expect(context == GSS_C_NO_CONTEXT && from == GSS_C_NO_NAME && delegated == GSS_C_NO_CREDENTIAL && mech == NULL &&
                   flags == 0 && time == 0 && (out.length != 99),
               "gss_accept_sec_context", "an output after an error");
    gss_release_buffer(&minor, &out);
    gss_release_name(&minor, &from);
    gss_release_cred(&minor, &delegated);
    gss_delete_sec_context(&minor, &context, NULL);
    return major == GSS_S_COMPLETE;
}

/* The answer to a request that is made for each: `how` it was changed is repeated on the true answer. One that is shorter
 * than the first was, so that the change is behind its end, counts only if it is to be taken `whole`. */
static struct {
    gss_OID mech;
    size_t place, cut;
    unsigned char bits;
    int whole;
} how;

static int takes_answer(gss_buffer_t given)
{
    gss_ctx_id_t context, acceptor = GSS_C_NO_CONTEXT;
    gss_buffer_desc token, back, out = dirty(), *brought = given;
    OM_uint32 flags = 99, time = 99, major;
    int untouched = 0;

    first_token(how.mech, &context, &token);
    require(gss_accept_sec_context(&minor, &acceptor, NULL, &token, NULL, NULL, NULL, &back, NULL, NULL, NULL), "an acceptor");
    gss_release_buffer(&minor, &token);
    if (given == NULL) {
        /* The answer has a time in it, so its length may be another by an octet or two. */
        void *own;
        untouched = how.place >= back.length && how.cut >= back.length;
        if (how.place < back.length)
            ((unsigned char *)back.value)[how.place] ^= how.bits;
        token.length = how.cut < back.length ? how.cut : back.length;
        own = malloc(token.length ? token.length : 1);
        memcpy(own, back.value, token.length);
        token.value = own;
        brought = &token;
    }
    major = gss_init_sec_context(&minor, NULL, &context, target, how.mech, GSS_C_MUTUAL_FLAG, 0, NULL, brought, NULL, &out,
                                 &flags, &time);
    if (GSS_ERROR(major)) {
        gss_buffer_desc in = text("x"), sealed = dirty();
        expect(flags == 0 && time == 0 && out.length != 99, "gss_init_sec_context", "an output after an error");
        expect(gss_wrap(&minor, context, 1, 0, &in, NULL, &sealed) == GSS_S_NO_CONTEXT && is_empty(sealed),
               "gss_init_sec_context", "a context after an error");
    }
    if (given == NULL)
        free(token.value);
    gss_release_buffer(&minor, &out);
    gss_release_buffer(&minor, &back);
    gss_delete_sec_context(&minor, &context, NULL);
    gss_delete_sec_context(&minor, &acceptor, NULL);
    return major == GSS_S_COMPLETE && (!untouched || how.whole);
}

static int takes_message(gss_buffer_t token)
{
    gss_buffer_desc out = dirty();
    int conf = 99;
    gss_qop_t qop = 99;
    OM_uint32 major = gss_unwrap(&minor, there, token, &out, &conf, &qop);
    if (GSS_ERROR(major))
        expect(is_empty(out) && conf == 0 && qop == 0, "gss_unwrap", "an output after an error");
    else
        expect(out.length == 5 && memcmp(out.value, "hello", 5) == 0, "gss_unwrap", "another message");
    gss_release_buffer(&minor, &out);
    return !GSS_ERROR(major);
}

static int takes_pieces(gss_buffer_t token)
{
    gss_iov_buffer_desc pieces[2];
    OM_uint32 major;
    gss_buffer_desc out = dirty(), beside = text("beside");
    memset(pieces, 0, sizeof pieces);
    pieces[0].type = GSS_IOV_BUFFER_TYPE_STREAM;
    pieces[0].buffer.length = token->length;
    pieces[0].buffer.value = malloc(token->length ? token->length : 1);
    memcpy(pieces[0].buffer.value, token->value, token->length);
    pieces[1].type = GSS_IOV_BUFFER_TYPE_DATA;
    major = gss_unwrap_iov(&minor, there, NULL, NULL, pieces, 2);
    free(pieces[0].buffer.value);
    if (GSS_ERROR(gss_unwrap_aead(&minor, there, token, &beside, &out, NULL, NULL)))
        expect(is_empty(out), "gss_unwrap_aead", "an output after an error");
    gss_release_buffer(&minor, &out);
    return !GSS_ERROR(major);
}

static int takes_mic(gss_buffer_t token)
{
    gss_buffer_desc in = text("hello");
    gss_qop_t qop = 99;
    OM_uint32 major = gss_verify_mic(&minor, there, &in, token, &qop);
    expect(qop == 0, "gss_verify_mic", "a quality of protection");
    return !GSS_ERROR(major);
}

static int takes_context(gss_buffer_t token)
{
    gss_ctx_id_t context = (gss_ctx_id_t)1;
    OM_uint32 major = gss_import_sec_context(&minor, token, &context);
    if (GSS_ERROR(major))
        expect(context == GSS_C_NO_CONTEXT, "gss_import_sec_context", "a context after an error");
    gss_delete_sec_context(&minor, &context, NULL);
    return !GSS_ERROR(major);
}

static int takes_credential(gss_buffer_t token)
{
    gss_cred_id_t cred = (gss_cred_id_t)1;
    OM_uint32 major = gss_import_cred(&minor, token, &cred);
    if (GSS_ERROR(major))
        expect(cred == GSS_C_NO_CREDENTIAL, "gss_import_cred", "a credential after an error");
    gss_release_cred(&minor, &cred);
    return !GSS_ERROR(major);
}

/* A name of any octets may be good: then it can be shown, compared and exported. */
static int takes_name_of(gss_buffer_t token, gss_OID type)
{
    gss_name_t name = (gss_name_t)1, copy = GSS_C_NO_NAME;
    gss_buffer_desc shown = dirty(), exported = dirty();
    int same = 0;
    OM_uint32 major = gss_import_name(&minor, token, type, &name);
    if (GSS_ERROR(major)) {
        expect(name == GSS_C_NO_NAME, "gss_import_name", "a name after an error");
        return 0;
    }
    expect(gss_display_name(&minor, name, &shown, NULL) == GSS_S_COMPLETE, "gss_display_name", "a name that was taken");
    if (GSS_ERROR(gss_export_name(&minor, name, &exported)))
        expect(is_empty(exported), "gss_export_name", "an output after an error");
    if (!GSS_ERROR(gss_duplicate_name(&minor, name, &copy)))
        gss_compare_name(&minor, name, copy, &same);
    gss_release_buffer(&minor, &shown);
    gss_release_buffer(&minor, &exported);
    gss_release_name(&minor, &name);
    gss_release_name(&minor, &copy);
    return 1;
}

static int takes_name(gss_buffer_t token)
{
    return takes_name_of(token, GSS_C_NT_EXPORT_NAME);
}

static int takes_any_name(gss_buffer_t token)
{
    return takes_name_of(token, GSS_C_NT_COMPOSITE_EXPORT) + takes_name_of(token, GSS_C_NT_HOSTBASED_SERVICE) +
           takes_name_of(token, GSS_C_NT_USER_NAME) + takes_name_of(token, GSS_C_NO_OID);
}

static int takes_late(gss_buffer_t token)
{
    return !GSS_ERROR(gss_process_context_token(&minor, here, token));
}

/* The same octets in memory of their own size. */
static int given(taking take, const void *octets, size_t length)
{
    gss_buffer_desc token;
    int taken;
    token.length = length;
    token.value = malloc(length ? length : 1);
    memcpy(token.value, octets, length);
    inputs++;
    taken = take(&token);
    free(token.value);
    return taken;
}

/* Each octet changed, and each cut: how many were taken. */
static int changed(taking take, gss_buffer_t token)
{
    unsigned char *octets = (unsigned char *)token->value;
    int taken = 0;
    for (size_t i = 0; i < token->length; i++) {
        for (int bit = 0; bit < changes; bit++) {
            unsigned char bits = changes == 1 ? 0x55 : (unsigned char)(1 << bit);
            octets[i] ^= bits;
            taken += given(take, octets, token->length);
            octets[i] ^= bits;
        }
        expect(!given(take, octets, i), "a cut token", "is taken");
    }
    return taken;
}

/* The same for answers, each to a request of its own. */
static int changed_answers(gss_OID mech, size_t length)
{
    int taken = 0;
    how.mech = mech;
    for (size_t i = 0; i < length; i++) {
        how.place = i;
        how.cut = length + 99;
        for (int bit = 0; bit < changes; bit++, inputs++) {
            how.bits = changes == 1 ? 0x55 : (unsigned char)(1 << bit);
            taken += takes_answer(NULL);
        }
        how.place = length + 99;
        how.cut = i;
        inputs++;
        expect(!takes_answer(NULL), "a cut answer", "is taken");
    }
    how.cut = length + 99;
    how.whole = 1;
    expect(takes_answer(NULL), "the answer itself", "is refused");
    how.whole = 0;
    return taken;
}

static void contexts(void)
{
    gss_OID mechs[] = {gss_mech_krb5, &negotiation};
    for (int i = 0; i < 2; i++) {
        gss_ctx_id_t context, acceptor = GSS_C_NO_CONTEXT;
        gss_buffer_desc token, back;
        int taken;
        first_token(mechs[i], &context, &token);
        taken = changed(takes_request, &token);
        printf("requests of %s: %zu octets, %d changes are taken\n", i ? "SPNEGO" : "Kerberos", token.length, taken);
        /* The AP-REQ has options that nobody has given a meaning; nothing else of a request is free. */
        expect(taken <= 2, "gss_accept_sec_context", "too much may be changed");
        gss_release_buffer(&minor, &token);
        gss_delete_sec_context(&minor, &context, NULL);
        first_token(mechs[i], &context, &token);
        require(gss_accept_sec_context(&minor, &acceptor, NULL, &token, NULL, NULL, NULL, &back, NULL, NULL, NULL),
                "the request itself");
        taken = changed_answers(mechs[i], back.length);
        printf("answers of %s: %zu octets, %d changes are taken\n", i ? "SPNEGO" : "Kerberos", back.length, taken);
        expect(taken == 0, "gss_init_sec_context", "something may be changed");
        gss_release_buffer(&minor, &token);
        gss_release_buffer(&minor, &back);
        gss_delete_sec_context(&minor, &context, NULL);
        gss_delete_sec_context(&minor, &acceptor, NULL);
    }
}

static void messages(void)
{
    gss_buffer_desc in = text("hello"), token;
    for (int sealed = 0; sealed < 2; sealed++) {
        require(gss_wrap(&minor, here, sealed, 0, &in, NULL, &token), "a message");
        /* By how much the token is turned is protected by nothing (RFC 4121 section 4.2.5): a multiple of its length is no
         * turn at all. */
        expect(changed(takes_message, &token) <= 2 * changes, "gss_unwrap", "a changed octet");
        expect(changed(takes_pieces, &token) <= 2 * changes, "gss_unwrap_iov", "a changed octet");
        alive("gss_unwrap");
        expect(given(takes_message, token.value, token.length), "gss_unwrap", "the message itself");
        gss_release_buffer(&minor, &token);
    }
    require(gss_get_mic(&minor, here, 0, &in, &token), "a MIC");
    expect(changed(takes_mic, &token) == 0, "gss_verify_mic", "a changed octet");
    alive("gss_verify_mic");
    expect(given(takes_mic, token.value, token.length), "gss_verify_mic", "the MIC itself");
    gss_release_buffer(&minor, &token);
}

static void stored(void)
{
    gss_buffer_desc token, back;
    gss_ctx_id_t context, acceptor;
    gss_cred_id_t cred;
    gss_name_t name;

    establish(target, &context, &acceptor);
    require(gss_export_sec_context(&minor, &acceptor, &token), "an export");
    expect(changed(takes_context, &token) == 0, "gss_import_sec_context", "a changed octet");
    expect(given(takes_context, token.value, token.length), "gss_import_sec_context", "the token itself");
    expect(!given(takes_context, token.value, token.length), "gss_import_sec_context", "a second time");
    gss_release_buffer(&minor, &token);
    gss_delete_sec_context(&minor, &context, NULL);

    require(gss_acquire_cred(&minor, NULL, 0, NULL, GSS_C_INITIATE, &cred, NULL, NULL), "a credential");
    require(gss_export_cred(&minor, cred, &token), "its export");
    gss_release_cred(&minor, &cred);
    expect(changed(takes_credential, &token) == 0, "gss_import_cred", "a changed octet");
    expect(given(takes_credential, token.value, token.length), "gss_import_cred", "the token itself");
    gss_release_buffer(&minor, &token);

    require(gss_canonicalize_name(&minor, target, GSS_C_NO_OID, &name), "a name");
    require(gss_export_name(&minor, name, &token), "its export");
    gss_release_name(&minor, &name);
    changed(takes_name, &token);
    expect(given(takes_name, token.value, token.length), "gss_import_name", "the name itself");
    gss_release_buffer(&minor, &token);

    /* A late error token: what is malformed is refused, and nothing ends the context. */
    first_token(NULL, &context, &token);
    ((char *)token.value)[token.length - 1] ^= 1;
    acceptor = GSS_C_NO_CONTEXT;
    gss_accept_sec_context(&minor, &acceptor, NULL, &token, NULL, NULL, NULL, &back, NULL, NULL, NULL);
    expect(back.length != 0, "gss_accept_sec_context", "no error token");
    changed(takes_late, &back);
    expect(given(takes_late, back.value, back.length), "gss_process_context_token", "the token itself");
    alive("gss_process_context_token");
    gss_release_buffer(&minor, &token);
    gss_release_buffer(&minor, &back);
    gss_delete_sec_context(&minor, &context, NULL);
}

/* Credential caches, keytabs and configurations are foreign octets too. */
static void as_file(const char *path)
{
    static const char *variables[] = {"KRB5CCNAME", "KRB5_KTNAME", "KRB5_CONFIG"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        gss_cred_id_t cred = (gss_cred_id_t)1;
        char *own = strdup(getenv(variables[i]));
        setenv(variables[i], path, 1);
        if (GSS_ERROR(gss_acquire_cred(&minor, NULL, 0, NULL, i == 1 ? GSS_C_ACCEPT : GSS_C_INITIATE, &cred, NULL, NULL)))
            expect(cred == GSS_C_NO_CREDENTIAL, path, "a credential after an error");
        gss_release_cred(&minor, &cred);
        setenv(variables[i], own, 1);
        free(own);
        inputs++;
    }
}

/* Each kept input goes to each call. */
static void kept(const char *folder)
{
    static const taking calls[] = {takes_request, takes_answer, takes_message, takes_pieces, takes_mic,
                                   takes_context, takes_credential, takes_name, takes_any_name, takes_late};
    DIR *listing = opendir(folder);
    struct dirent *entry;
    static char octets[1 << 20];

    if (listing == NULL)
        exit(2);
    how.mech = gss_mech_krb5;
    while ((entry = readdir(listing)) != NULL) {
        char path[1024];
        struct stat found;
        size_t length;
        FILE *file;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &found) != 0 || !S_ISREG(found.st_mode))
            continue;
        file = fopen(path, "r");
        if (file == NULL)
            exit(2);
        length = fread(octets, 1, sizeof octets, file);
        fclose(file);
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
            given(calls[i], octets, length);
        as_file(path);
    }
    closedir(listing);
    alive(folder);
}

int main(int argc, char **argv)
{
    gss_buffer_desc name;

    if (argc < 4)
        return 2;
    name = text(argv[1]);
    changes = atoi(argv[2]);
    require(gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE, &target), "a target");
    establish(target, &here, &there);
    contexts();
    messages();
    stored();
    for (int i = 3; i < argc; i++)
        kept(argv[i]);
    gss_delete_sec_context(&minor, &here, NULL);
    gss_delete_sec_context(&minor, &there, NULL);
    gss_release_name(&minor, &target);
    nothing_lives();
    printf("%d inputs\n", inputs);
    if (failures == 0)
        printf("all held\n");
    return failures != 0;
}
