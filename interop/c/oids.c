/* What Heimdal's own object identifiers answer and set: of contexts, of their options, of credentials. What this prints
 * must not depend on the library, for the same tickets: keys that each context chooses anew are shown by their type and
 * length, and compared with each other. Its arguments are the target, and the names of the cache and of the keytab; the
 * environment names both too. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gssapi.h>
#include <gssapi/gssapi_krb5.h>
#include <gssapi/gssapi_oid.h>

#include "common.h"

/* Of the answer everything is shown, or as many octets. */
#define WHOLE 1000
struct question {
    const char *name;
    gss_OID_desc oid;
    size_t shown;
};

#define HEIMDAL(rest, length) {5 + (length), "\x2a\x85\x70\x2b\x0d" rest}
#define MIT(rest, length) {10 + (length), "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05" rest}

static struct question CONTEXT[] = {
    {"GSS_KRB5_GET_TKT_FLAGS_X", HEIMDAL("\x02", 1), WHOLE},
    {"GSS_KRB5_EXTRACT_AUTHZ_DATA_FROM_SEC_CONTEXT_X", HEIMDAL("\x03", 1), WHOLE},
    {"its type 1", HEIMDAL("\x03\x01", 2), WHOLE},
    {"its type 77", HEIMDAL("\x03\x4d", 2), WHOLE},
    {"its type 128", HEIMDAL("\x03\x81\x00", 3), WHOLE},
    {"its types 1 and 1", HEIMDAL("\x03\x01\x01", 3), WHOLE},
    {"its type without an end", HEIMDAL("\x03\x81", 2), WHOLE},
    {"GSS_KRB5_GET_SUBKEY_X", HEIMDAL("\x08", 1), 6},
    {"GSS_KRB5_GET_INITIATOR_SUBKEY_X", HEIMDAL("\x09", 1), 6},
    {"GSS_KRB5_GET_ACCEPTOR_SUBKEY_X", HEIMDAL("\x0a", 1), 6},
    {"GSS_KRB5_GET_AUTHTIME_X", HEIMDAL("\x0c", 1), WHOLE},
    {"GSS_KRB5_GET_SERVICE_KEYBLOCK_X", HEIMDAL("\x0d", 1), WHOLE},
    {"GSS_KRB5_EXPORT_LUCID_CONTEXT_X", HEIMDAL("\x06", 1), 8},
    {"GSS_KRB5_EXPORT_LUCID_CONTEXT_V1_X", HEIMDAL("\x06\x01", 2), 8},
    {"its version 2", HEIMDAL("\x06\x02", 2), 8},
    {"GSS_C_PEER_HAS_UPDATED_SPNEGO", {9, "\x2b\x06\x01\x04\x01\xa9\x4a\x13\x05"}, WHOLE},
    {"GSS_KRB5_GET_TIME_OFFSET_X", HEIMDAL("\x12", 1), WHOLE},
    {"GSS_KRB5_COPY_CCACHE_X", HEIMDAL("\x01", 1), WHOLE},
    {"GSS_C_ATTR_STREAM_SIZES", {10, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x03"}, WHOLE},
    {"GSS_C_NTLM_SESSION_KEY", HEIMDAL("\x1b", 1), WHOLE},
    {"GSS_C_INQ_SSPI_SESSION_KEY", MIT("\x05", 1), 0},
    {"GSS_C_INQ_NEGOEX_KEY", MIT("\x10", 1), 0},
    {"GSS_C_INQ_NEGOEX_VERIFY_KEY", MIT("\x11", 1), 0},
    {"what nobody knows", {3, "\x2a\x03\x04"}, WHOLE},
};

static const char *major_name(OM_uint32 major)
{
    static char number[16];
    snprintf(number, sizeof number, "%08x", (unsigned)major);
    return number;
}

static void show(const char *what, OM_uint32 major, gss_buffer_set_t set, size_t shown)
{
    printf("  %s: %s", what, major_name(major));
    for (size_t at = 0; set != GSS_C_NO_BUFFER_SET && at < set->count; at++) {
        gss_buffer_desc answer = set->elements[at];
        printf(", %zu octets", answer.length);
        for (size_t octet = 0; octet < answer.length && octet < shown; octet++)
            printf("%s%02x", octet == 0 ? " " : "", ((unsigned char *)answer.value)[octet]);
    }
    printf("\n");
}

static gss_buffer_desc answer(gss_ctx_id_t context, const char *name)
{
    OM_uint32 minor, major;
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    gss_buffer_desc copy = {0, NULL};
    for (size_t row = 0; row < sizeof CONTEXT / sizeof *CONTEXT; row++) {
        if (strcmp(CONTEXT[row].name, name) != 0)
            continue;
        major = gss_inquire_sec_context_by_oid(&minor, context, &CONTEXT[row].oid, &set);
        if (major != GSS_S_COMPLETE || set == GSS_C_NO_BUFFER_SET || set->count != 1)
            break;
        copy.length = set->elements[0].length;
        copy.value = malloc(copy.length);
        memcpy(copy.value, set->elements[0].value, copy.length);
        gss_release_buffer_set(&minor, &set);
        return copy;
    }
    gss_release_buffer_set(&minor, &set);
    return copy;
}

static void inquire(const char *end, gss_ctx_id_t context)
{
    OM_uint32 minor, major;
    printf("%s\n", end);
    for (size_t row = 0; row < sizeof CONTEXT / sizeof *CONTEXT; row++) {
        gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
        major = gss_inquire_sec_context_by_oid(&minor, context, &CONTEXT[row].oid, &set);
        show(CONTEXT[row].name, major, set, CONTEXT[row].shown);
        gss_release_buffer_set(&minor, &set);
    }
}

static void same(const char *what, gss_buffer_desc one, gss_buffer_desc other)
{
    int equal = one.length == other.length && (one.length == 0 || memcmp(one.value, other.value, one.length) == 0);
    printf("  %s: %s\n", what, one.length == 0 && other.length == 0 ? "neither" : equal ? "the same" : "others");
    free(one.value);
    free(other.value);
}

static OM_uint32 set(gss_ctx_id_t *context, const char *name, const char *rest, gss_buffer_t value)
{
    OM_uint32 minor, major;
    gss_OID_desc oid;
    char octets[6] = "\x2a\x85\x70\x2b\x0d";
    octets[5] = *rest;
    oid = identifier(octets, 6);
    major = gss_set_sec_context_option(&minor, context, &oid, value);
    printf("  %s: %s\n", name, major_name(major));
    return major;
}

static const char *realm_of(const char *user)
{
    static char shown[128];
    OM_uint32 minor;
    gss_buffer_desc given = text(user), display;
    gss_name_t name, canonical;
    require(gss_import_name(&minor, &given, GSS_C_NT_USER_NAME, &name), "a name");
    require(gss_canonicalize_name(&minor, name, GSS_KRB5_MECHANISM, &canonical), "a principal");
    require(gss_display_name(&minor, canonical, &display, NULL), "its text");
    snprintf(shown, sizeof shown, "%.*s", (int)display.length, (char *)display.value);
    gss_release_buffer(&minor, &display);
    gss_release_name(&minor, &name);
    gss_release_name(&minor, &canonical);
    return shown;
}

static void options(const char *end, gss_ctx_id_t *context, const char *cache, const char *keytab)
{
    int32_t offset = 7200, got = 0;
    unsigned char on = 1;
    gss_buffer_desc value, empty = {0, NULL};
    int seconds = -1;

    printf("%s, options\n", end);
    value = octets(&on, 1);
    set(context, "GSS_KRB5_COMPAT_DES3_MIC_X", "\x04", &value);
    value = octets(&on, 1);
    set(context, "GSS_KRB5_SET_DNS_CANONICALIZE_X", "\x07", &value);
    on = 0;
    set(context, "its off", "\x07", &value);
    set(context, "its nothing", "\x07", &empty);
    value = text(keytab);
    set(context, "GSS_KRB5_REGISTER_ACCEPTOR_IDENTITY_X", "\x05", &value);
    value = text("OTHER.TEST");
    set(context, "GSS_KRB5_SET_DEFAULT_REALM_X", "\x0f", &value);
    printf("  alice is %s\n", realm_of("alice"));
    set(context, "its nothing", "\x0f", &empty);
    value = text("OIDS.TEST");
    set(context, "its first", "\x0f", &value);
    printf("  alice is %s\n", realm_of("alice"));
    value = text(cache);
    set(context, "GSS_KRB5_CCACHE_NAME_X", "\x10", &value);
    value = octets(&offset, sizeof offset);
    set(context, "GSS_KRB5_SET_TIME_OFFSET_X", "\x11", &value);
    gsskrb5_get_time_offset(&seconds);
    /* The clock may have turned a second meanwhile. */
    printf("  the offset is set: %d\n", seconds > offset - 60 && seconds <= offset);
    value = octets(&got, sizeof got);
    set(context, "GSS_KRB5_GET_TIME_OFFSET_X", "\x12", &value);
    printf("  it says so: %d\n", got - seconds <= 1 && seconds - got <= 1);
    value = octets(&got, 2);
    set(context, "its two octets", "\x12", &value);
    value = octets(&offset, 2);
    set(context, "GSS_KRB5_SET_TIME_OFFSET_X of two octets", "\x11", &value);
    gsskrb5_set_time_offset(0);
    set(context, "GSS_KRB5_SEND_TO_KDC_X", "\x0b", &empty);
    set(context, "GSS_KRB5_PLUGIN_REGISTER_X", "\x13", &empty);
    set(context, "GSS_KRB5_GET_SUBKEY_X", "\x08", &empty);
}

static void ask_credential(gss_cred_id_t credential, const char *name, gss_OID_desc oid)
{
    OM_uint32 minor, major;
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    major = gss_inquire_cred_by_oid(&minor, credential, &oid, &set);
    printf("  %s: %s", name, major_name(major));
    /* Heimdal says it for each mechanism, and SPNEGO is one. */
    if (set != GSS_C_NO_BUFFER_SET && set->count > 0)
        printf(", %.*s", (int)set->elements[0].length, (char *)set->elements[0].value);
    printf("\n");
    gss_release_buffer_set(&minor, &set);
}

/* Strings as Heimdal stores them: four octets of length, the highest first, and the text. */
static gss_buffer_desc strings(char *into, const char *const *texts, size_t count)
{
    size_t at = 0;
    for (size_t row = 0; row < count; row++) {
        size_t length = strlen(texts[row]);
        char head[4] = {0, 0, (char)(length >> 8), (char)length};
        memcpy(into + at, head, 4);
        memcpy(into + at + 4, texts[row], length);
        at += 4 + length;
    }
    return octets(into, at);
}

static void import(const char *what, const char *cache, const char *principal, const char *keytab, size_t count)
{
    static const gss_OID_desc COPY = HEIMDAL("\x01", 1);
    static gss_OID_desc IMPORT = HEIMDAL("\x1e", 1);
    OM_uint32 minor, major, left = 0;
    const char *texts[] = {cache, principal, keytab};
    char place[1024];
    gss_buffer_desc value = strings(place, texts, count), display;
    gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
    gss_cred_usage_t usage = 99;
    gss_name_t name = GSS_C_NO_NAME;

    major = gss_set_cred_option(&minor, &credential, &IMPORT, &value);
    printf("  GSS_KRB5_IMPORT_CRED_X of %s: %s\n", what, major_name(major));
    if (credential == GSS_C_NO_CREDENTIAL)
        return;
    major = gss_inquire_cred_by_mech(&minor, credential, GSS_KRB5_MECHANISM, &name, &left, NULL, &usage);
    printf("  it is for %d, some time left: %d\n", GSS_ERROR(major) ? -1 : (int)usage, left > 0);
    /* Heimdal does not survive the name of a keytab's. */
    if (usage != GSS_C_ACCEPT && name != GSS_C_NO_NAME && gss_display_name(&minor, name, &display, NULL) == GSS_S_COMPLETE) {
        printf("  its name is %.*s\n", (int)display.length, (char *)display.value);
        gss_release_buffer(&minor, &display);
    }
    ask_credential(credential, "its cache", COPY);
    gss_release_name(&minor, &name);
    gss_release_cred(&minor, &credential);
}

static void set_credential(gss_cred_id_t *credential, const char *name, gss_OID_desc oid, gss_buffer_desc value)
{
    OM_uint32 minor;
    OM_uint32 major = gss_set_cred_option(&minor, credential, &oid, &value);
    printf("  %s: %s\n", name, major_name(major));
}

static void credentials(const char *cache, const char *keytab)
{
    static const gss_OID_desc COPY = HEIMDAL("\x01", 1), ENCTYPES = HEIMDAL("\x0e", 1), NO_CI = HEIMDAL("\x1d", 1),
                              PASSWORD = HEIMDAL("\x81\x48", 2), CERTIFICATE = HEIMDAL("\x81\x49", 2),
                              NOBODY = {3, "\x2a\x03\x04"};
    OM_uint32 minor;
    int32_t types[] = {18, 17};
    gss_cred_id_t initiator, acceptor;

    printf("credentials\n");
    require(gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, NULL, GSS_C_INITIATE, &initiator, NULL, NULL), "a credential");
    require(gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, NULL, GSS_C_ACCEPT, &acceptor, NULL, NULL), "a keytab's");
    ask_credential(initiator, "GSS_KRB5_COPY_CCACHE_X", COPY);
    ask_credential(acceptor, "a keytab's", COPY);
    ask_credential(GSS_C_NO_CREDENTIAL, "nobody's", COPY);
    ask_credential(initiator, "what nobody knows", NOBODY);
    set_credential(&initiator, "GSS_KRB5_SET_ALLOWABLE_ENCTYPES_X", ENCTYPES, octets(types, sizeof types));
    set_credential(&initiator, "with half of one", ENCTYPES, octets(types, 6));
    set_credential(&initiator, "with none", ENCTYPES, octets(NULL, 0));
    set_credential(&initiator, "GSS_KRB5_CRED_NO_CI_FLAGS_X", NO_CI, octets(NULL, 0));
    set_credential(&initiator, "GSS_C_CRED_PASSWORD", PASSWORD, text("secret"));
    set_credential(&initiator, "GSS_C_CRED_CERTIFICATE", CERTIFICATE, text("secret"));
    set_credential(&initiator, "what nobody knows", NOBODY, text("x"));
    import("a cache", cache, "", "", 3);
    import("a keytab", "", "", keytab, 3);
    import("a keytab for one", "", "host/localhost@OIDS.TEST", keytab, 3);
    import("both", cache, "", keytab, 3);
    import("two strings", cache, "", NULL, 2);
    import("a cache that is not there", "FILE:/nowhere/cache", "", "", 3);
    gss_release_cred(&minor, &initiator);
    gss_release_cred(&minor, &acceptor);
}

int main(int count, char **words)
{
    OM_uint32 minor;
    gss_buffer_desc target_text;
    gss_name_t target;
    gss_ctx_id_t initiator, acceptor, none = GSS_C_NO_CONTEXT;
    static const char *const KEYS[] = {"GSS_KRB5_GET_SUBKEY_X", "GSS_KRB5_GET_INITIATOR_SUBKEY_X",
                                       "GSS_KRB5_GET_ACCEPTOR_SUBKEY_X"};

    if (count != 4)
        return 2;
    setvbuf(stdout, NULL, _IONBF, 0);
    target_text = text(words[1]);
    require(gss_import_name(&minor, &target_text, GSS_C_NT_HOSTBASED_SERVICE, &target), "a name");
    establish(target, &initiator, &acceptor);
    inquire("initiator", initiator);
    inquire("acceptor", acceptor);
    inquire("no context", GSS_C_NO_CONTEXT);
    printf("keys\n");
    for (size_t row = 0; row < 3; row++)
        same(KEYS[row], answer(initiator, KEYS[row]), answer(acceptor, KEYS[row]));
    same("that of messages and the acceptor's", answer(initiator, KEYS[0]), answer(initiator, KEYS[2]));
    same("that of messages and the initiator's", answer(initiator, KEYS[0]), answer(initiator, KEYS[1]));
    options("a context", &initiator, words[2], words[3]);
    options("no context", &none, words[2], words[3]);
    credentials(words[2], words[3]);
    gss_delete_sec_context(&minor, &initiator, GSS_C_NO_BUFFER);
    gss_delete_sec_context(&minor, &acceptor, GSS_C_NO_BUFFER);
    gss_release_name(&minor, &target);
    return 0;
}
