/* A program that shares its process with libkrb5: caches and keytabs cross between the two libraries, in both
 * directions. Its arguments are the target and a folder to write to; the environment names cache and keytab. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>

static krb5_context krb5;

static void require(int holds, const char *what)
{
    if (!holds) {
        printf("not so: %s\n", what);
        exit(1);
    }
}

static void krb5_ok(krb5_error_code code, const char *what)
{
    if (code != 0)
        printf("%s: %s\n", what, krb5_get_error_message(krb5, code));
    require(code == 0, what);
}

static void gss_ok(OM_uint32 major, const OM_uint32 *minor, const char *what)
{
    OM_uint32 ignored, more = 0;
    gss_buffer_desc text;

    if (GSS_ERROR(major)) {
        gss_display_status(&ignored, *minor, GSS_C_MECH_CODE, (gss_OID)gss_mech_krb5, &more, &text);
        printf("%s: %08x %.*s\n", what, major, (int)text.length, (char *)text.value);
    }
    require(!GSS_ERROR(major), what);
}

static gss_name_t target(const char *text)
{
    OM_uint32 minor, major;
    gss_buffer_desc buffer = {strlen(text), (void *)text};
    gss_name_t name;

    major = gss_import_name(&minor, &buffer, GSS_C_NT_HOSTBASED_SERVICE, &name);
    gss_ok(major, &minor, "the target's name");
    return name;
}

/* How many tickets of this service a cache holds. */
static int tickets(krb5_ccache cache, const char *service)
{
    krb5_cc_cursor cursor;
    krb5_creds creds;
    int count = 0;

    krb5_ok(krb5_cc_start_seq_get(krb5, cache, &cursor), "a cache is read");
    while (krb5_cc_next_cred(krb5, cache, &cursor, &creds) == 0) {
        krb5_data *first = creds.server->data;
        if (!krb5_is_config_principal(krb5, creds.server))
            count += first->length == strlen(service) && memcmp(first->data, service, first->length) == 0;
        krb5_free_cred_contents(krb5, &creds);
    }
    krb5_ok(krb5_cc_end_seq_get(krb5, cache, &cursor), "a cache was read");
    return count;
}

struct ends {
    gss_ctx_id_t initiator, acceptor;
    OM_uint32 flags;
    gss_cred_id_t delegated;
};

/* Both ends of a context, in this process; whether it came up. */
static int establish(gss_cred_id_t initiator, gss_cred_id_t acceptor, gss_OID mech, OM_uint32 flags, gss_name_t name,
                     struct ends *ends)
{
    OM_uint32 minor, major = GSS_S_CONTINUE_NEEDED, other = GSS_S_CONTINUE_NEEDED;
    gss_buffer_desc there = GSS_C_EMPTY_BUFFER, back = GSS_C_EMPTY_BUFFER;

    memset(ends, 0, sizeof *ends);
    while (major == GSS_S_CONTINUE_NEEDED || other == GSS_S_CONTINUE_NEEDED) {
        major = gss_init_sec_context(&minor, initiator, &ends->initiator, name, mech, flags, 0,
                                     GSS_C_NO_CHANNEL_BINDINGS, &back, NULL, &there, NULL, NULL);
        gss_release_buffer(&minor, &back);
        if (GSS_ERROR(major))
            return 0;
        if (there.length == 0)
            break;
        other = gss_accept_sec_context(&minor, &ends->acceptor, acceptor, &there, GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL,
                                       &back, &ends->flags, NULL, &ends->delegated);
        gss_release_buffer(&minor, &there);
        if (GSS_ERROR(other)) {
            gss_ok(other, &minor, "the acceptor");
            return 0;
        }
    }
    return major == GSS_S_COMPLETE && other == GSS_S_COMPLETE;
}

static void finish(struct ends *ends)
{
    OM_uint32 minor;

    gss_delete_sec_context(&minor, &ends->initiator, NULL);
    gss_delete_sec_context(&minor, &ends->acceptor, NULL);
    gss_release_cred(&minor, &ends->delegated);
}

/* The enctype of a context's session key. */
static int enctype(gss_ctx_id_t context)
{
    OM_uint32 minor, major;
    gss_buffer_set_t set;
    size_t last;
    int found = 0;

    major = gss_inquire_sec_context_by_oid(&minor, context, GSS_C_INQ_SSPI_SESSION_KEY, &set);
    gss_ok(major, &minor, "the session key is told");
    /* The second member is an identifier that ends with the enctype. */
    last = set->elements[1].length - 1;
    found = ((unsigned char *)set->elements[1].value)[last];
    gss_release_buffer_set(&minor, &set);
    return found;
}

static void caches_in_memory(gss_name_t name, const char *folder)
{
    OM_uint32 minor, major;
    krb5_ccache file, memory, stored;
    krb5_principal client, told;
    gss_cred_id_t cred;
    gss_key_value_element_desc element = {"ccache", "MEMORY:stored"};
    gss_key_value_set_desc store = {1, &element};
    struct ends ends;
    char path[1024];

    krb5_ok(krb5_cc_default(krb5, &file), "the default cache");
    krb5_ok(krb5_cc_get_principal(krb5, file, &client), "its client");
    krb5_ok(krb5_cc_resolve(krb5, "MEMORY:together", &memory), "a cache in memory");
    krb5_ok(krb5_cc_initialize(krb5, memory, client), "it is made");
    krb5_ok(krb5_cc_copy_creds(krb5, file, memory), "it is filled");
    require(tickets(memory, "host") == 0, "no ticket of the target's yet");

    /* What libkrb5 has in its memory initiates, and what is fetched is put there. */
    gss_ok(gss_krb5_ccache_name(&minor, "MEMORY:together", NULL), &minor, "the thread's cache");
    require(establish(GSS_C_NO_CREDENTIAL, GSS_C_NO_CREDENTIAL, GSS_C_NO_OID, GSS_C_MUTUAL_FLAG, name, &ends),
            "a context by a cache in libkrb5's memory");
    finish(&ends);
    require(tickets(memory, "host") == 1, "the fetched ticket lies in libkrb5's memory");

    /* What is stored into memory is there for libkrb5. */
    major = gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, GSS_C_NO_OID_SET, GSS_C_INITIATE, &cred, NULL, NULL);
    gss_ok(major, &minor, "a credential of it");
    major = gss_store_cred_into(&minor, cred, GSS_C_INITIATE, GSS_C_NO_OID, 1, 0, &store, NULL, NULL);
    gss_ok(major, &minor, "it is stored");
    krb5_ok(krb5_cc_resolve(krb5, "MEMORY:stored", &stored), "the stored cache");
    krb5_ok(krb5_cc_get_principal(krb5, stored, &told), "its client");
    require(krb5_principal_compare(krb5, told, client), "it is the same client");
    require(tickets(stored, "krbtgt") == 1, "its ticket is there");
    krb5_free_principal(krb5, told);
    krb5_ok(krb5_cc_destroy(krb5, stored), "it is destroyed");

    /* A cache of the program's is filled with a credential. */
    snprintf(path, sizeof path, "FILE:%s/copied", folder);
    krb5_ok(krb5_cc_resolve(krb5, path, &stored), "another cache");
    krb5_ok(krb5_cc_initialize(krb5, stored, client), "it is made");
    gss_ok(gss_krb5_copy_ccache(&minor, cred, stored), &minor, "it is filled");
    require(tickets(stored, "krbtgt") >= 1, "its ticket was copied");
    krb5_ok(krb5_cc_close(krb5, stored), "it is closed");
    gss_release_cred(&minor, &cred);
    gss_ok(gss_krb5_ccache_name(&minor, NULL, NULL), &minor, "the default cache again");

    /* One that is not there names itself. */
    gss_ok(gss_krb5_ccache_name(&minor, "MEMORY:nobody's", NULL), &minor, "a cache that nobody made");
    major = gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, GSS_C_NO_OID_SET, GSS_C_INITIATE, &cred, NULL, NULL);
    require(GSS_ERROR(major), "nothing comes of a cache that nobody made");
    gss_ok(gss_krb5_ccache_name(&minor, NULL, NULL), &minor, "the default cache again");
    krb5_free_principal(krb5, client);
    krb5_ok(krb5_cc_close(krb5, file), "the default cache is closed");
}

static void objects(gss_name_t name)
{
    OM_uint32 minor, major;
    krb5_ccache cache;
    krb5_keytab file, memory;
    krb5_keytab_entry entry;
    krb5_kt_cursor cursor;
    krb5_principal service, other;
    gss_cred_id_t initiator, acceptor, both;
    gss_cred_usage_t usage;
    struct ends ends;
    int keys = 0;

    krb5_ok(krb5_cc_resolve(krb5, "MEMORY:together", &cache), "the cache in memory");
    krb5_ok(krb5_kt_default(krb5, &file), "the default keytab");
    krb5_ok(krb5_kt_resolve(krb5, "MEMORY:keys", &memory), "a keytab in memory");
    krb5_ok(krb5_kt_start_seq_get(krb5, file, &cursor), "the keytab is read");
    while (krb5_kt_next_entry(krb5, file, &entry, &cursor) == 0) {
        krb5_ok(krb5_kt_add_entry(krb5, memory, &entry), "a key is added");
        if (keys++ == 0)
            krb5_ok(krb5_copy_principal(krb5, entry.principal, &service), "the service");
        krb5_free_keytab_entry_contents(krb5, &entry);
    }
    krb5_kt_end_seq_get(krb5, file, &cursor);

    gss_ok(gss_krb5_import_cred(&minor, cache, NULL, NULL, &initiator), &minor, "a cache is a credential");
    gss_ok(gss_krb5_import_cred(&minor, NULL, NULL, memory, &acceptor), &minor, "a keytab is a credential");
    require(establish(initiator, acceptor, GSS_C_NO_OID, GSS_C_MUTUAL_FLAG, name, &ends), "a context of the two");
    finish(&ends);
    gss_release_cred(&minor, &acceptor);
    gss_ok(gss_krb5_import_cred(&minor, NULL, service, file, &acceptor), &minor, "a keytab's key is a credential");
    require(establish(initiator, acceptor, GSS_C_NO_OID, GSS_C_MUTUAL_FLAG, name, &ends), "a context of that service");
    finish(&ends);
    gss_release_cred(&minor, &acceptor);
    gss_ok(gss_krb5_import_cred(&minor, cache, NULL, file, &both), &minor, "both are one credential");
    major = gss_inquire_cred(&minor, both, NULL, NULL, &usage, NULL);
    gss_ok(major, &minor, "it is told of");
    require(usage == GSS_C_BOTH, "it is for both");
    require(establish(both, both, (gss_OID)gss_mech_krb5, GSS_C_MUTUAL_FLAG, name, &ends), "a context of it alone");
    finish(&ends);
    gss_release_cred(&minor, &both);
    krb5_ok(krb5_parse_name(krb5, "nobody/nowhere", &other), "another service");
    require(GSS_ERROR(gss_krb5_import_cred(&minor, NULL, other, file, &both)), "a keytab without that service's key");
    require(GSS_ERROR(gss_krb5_import_cred(&minor, NULL, NULL, NULL, &both)), "nothing makes no credential");
    gss_release_cred(&minor, &initiator);
    krb5_free_principal(krb5, service);
    krb5_free_principal(krb5, other);
    krb5_kt_close(krb5, file);
    krb5_kt_close(krb5, memory);
    krb5_ok(krb5_cc_destroy(krb5, cache), "the cache is destroyed");
}

static gss_cred_id_t fresh(gss_cred_usage_t usage)
{
    OM_uint32 minor, major;
    gss_cred_id_t cred;

    major = gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, GSS_C_NO_OID_SET, usage, &cred, NULL, NULL);
    gss_ok(major, &minor, "a credential");
    return cred;
}

static void options(gss_name_t name)
{
    static gss_OID_desc spnego = {6, "\x2b\x06\x01\x05\x05\x02"};
    OM_uint32 minor, protection = GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG;
    krb5_enctype one[] = {ENCTYPE_AES128_CTS_HMAC_SHA1_96}, none[] = {9999};
    int before;
    gss_OID_set_desc krb5_only = {1, (gss_OID)gss_mech_krb5};
    gss_buffer_desc empty = GSS_C_EMPTY_BUFFER;
    gss_cred_id_t cred = fresh(GSS_C_INITIATE);
    struct ends ends;

    require(establish(cred, NULL, GSS_C_NO_OID, 0, name, &ends), "a context that asks for nothing");
    require((ends.flags & protection) == protection, "the initiator tells its peer of protection");
    finish(&ends);
    gss_ok(gss_set_cred_option(&minor, &cred, (gss_OID)GSS_KRB5_CRED_NO_CI_FLAGS_X, &empty), &minor, "the option is set");
    require(establish(cred, NULL, GSS_C_NO_OID, 0, name, &ends), "a context that asks for nothing");
    require((ends.flags & protection) == 0, "and nothing was told of it");
    finish(&ends);
    require(establish(cred, NULL, GSS_C_NO_OID, GSS_C_INTEG_FLAG, name, &ends), "a context that asks for integrity");
    require((ends.flags & protection) == GSS_C_INTEG_FLAG, "which was told, and no more");
    finish(&ends);
    require(GSS_ERROR(gss_set_cred_option(&minor, &cred, &spnego, &empty)), "an option that is none");
    gss_release_cred(&minor, &cred);

    cred = fresh(GSS_C_INITIATE);
    require(establish(cred, NULL, GSS_C_NO_OID, 0, name, &ends), "a context of any enctype");
    before = enctype(ends.initiator);
    if (before == one[0])
        one[0] = ENCTYPE_AES256_CTS_HMAC_SHA1_96;
    finish(&ends);
    gss_ok(gss_krb5_set_allowable_enctypes(&minor, cred, 1, one), &minor, "one enctype is named");
    require(establish(cred, NULL, GSS_C_NO_OID, 0, name, &ends), "a context of this enctype");
    require(enctype(ends.initiator) == one[0], "its key is of this enctype, and of no other as before");
    finish(&ends);
    require(GSS_ERROR(gss_krb5_set_allowable_enctypes(&minor, cred, 1, none)), "an enctype that is none");
    gss_release_cred(&minor, &cred);

    cred = fresh(GSS_C_INITIATE);
    gss_ok(gss_set_neg_mechs(&minor, cred, &krb5_only), &minor, "only Kerberos is negotiated");
    require(establish(cred, NULL, &spnego, GSS_C_MUTUAL_FLAG, name, &ends), "a negotiated context");
    finish(&ends);
    gss_release_cred(&minor, &cred);
}

int main(int argc, char **argv)
{
    OM_uint32 minor;
    gss_name_t name;

    require(argc == 3, "two arguments");
    krb5_ok(krb5_init_context(&krb5), "libkrb5");
    name = target(argv[1]);
    caches_in_memory(name, argv[2]);
    objects(name);
    options(name);
    gss_release_name(&minor, &name);
    krb5_free_context(krb5);
    nothing_lives();
    printf("all held\n");
    return 0;
}
