/* A program that shares its process with Heimdal's libkrb5, and lends objects of it to the GSS library: caches in memory,
 * keytabs, principals, keys. Its arguments are the target and its principal; the environment names cache and keytab. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gssapi.h>
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

static void gss_ok(OM_uint32 major, OM_uint32 minor, const char *what)
{
    OM_uint32 ignored, more = 0;
    gss_buffer_desc text;

    if (GSS_ERROR(major)) {
        gss_display_status(&ignored, minor, GSS_C_MECH_CODE, GSS_KRB5_MECHANISM, &more, &text);
        printf("%s: %08x %.*s\n", what, major, (int)text.length, (char *)text.value);
    }
    require(!GSS_ERROR(major), what);
}

/* How many tickets of this service a cache holds. */
static int tickets(krb5_ccache cache, const char *service)
{
    krb5_cc_cursor cursor;
    krb5_creds creds;
    int count = 0;

    krb5_ok(krb5_cc_start_seq_get(krb5, cache, &cursor), "a cache is read");
    while (krb5_cc_next_cred(krb5, cache, &cursor, &creds) == 0) {
        const char *first = krb5_principal_get_comp_string(krb5, creds.server, 0);
        count += first != NULL && strcmp(first, service) == 0;
        krb5_free_cred_contents(krb5, &creds);
    }
    krb5_ok(krb5_cc_end_seq_get(krb5, cache, &cursor), "a cache was read");
    return count;
}

static void same_keys(gss_ctx_id_t one, gss_ctx_id_t other)
{
    OM_uint32 minor, major;
    gss_ctx_id_t ends[] = {one, other};
    struct EncryptionKey *keys[2];
    OM_uint32 flags;

    for (int i = 0; i < 2; i++) {
        major = gsskrb5_get_subkey(&minor, ends[i], &keys[i]);
        gss_ok(major, minor, "a context's key");
    }
    /* Heimdal's initiators don't know them. */
    major = gss_krb5_get_tkt_flags(&minor, other, &flags);
    gss_ok(major, minor, "its ticket's flags");
    require(keys[0]->keytype == keys[1]->keytype, "both ends' keys are of a type");
    require(keys[0]->keyvalue.length == keys[1]->keyvalue.length &&
                memcmp(keys[0]->keyvalue.data, keys[1]->keyvalue.data, keys[0]->keyvalue.length) == 0,
            "both ends' keys are the same");
    /* Flag 1 of RFC 4120, counted from the lowest bit. */
    require((flags & 2) != 0, "the ticket can be forwarded");
    for (int i = 0; i < 2; i++)
        krb5_free_keyblock(krb5, keys[i]);
}

static void context(gss_cred_id_t initiator, gss_cred_id_t acceptor, const char *target)
{
    OM_uint32 minor, major = GSS_S_CONTINUE_NEEDED, other = GSS_S_CONTINUE_NEEDED;
    gss_ctx_id_t here = GSS_C_NO_CONTEXT, there = GSS_C_NO_CONTEXT;
    gss_buffer_desc spelt = {strlen(target), (void *)target}, to = GSS_C_EMPTY_BUFFER, back = GSS_C_EMPTY_BUFFER;
    gss_name_t name;

    other = gss_import_name(&minor, &spelt, GSS_C_NT_HOSTBASED_SERVICE, &name);
    gss_ok(other, minor, "the target's name");
    while (major == GSS_S_CONTINUE_NEEDED) {
        major = gss_init_sec_context(&minor, initiator, &here, name, GSS_KRB5_MECHANISM, GSS_C_MUTUAL_FLAG, 0,
                                     GSS_C_NO_CHANNEL_BINDINGS, &back, NULL, &to, NULL, NULL);
        gss_ok(major, minor, "the initiator");
        gss_release_buffer(&minor, &back);
        if (to.length == 0)
            break;
        other = gss_accept_sec_context(&minor, &there, acceptor, &to, GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL, &back,
                                       NULL, NULL, NULL);
        gss_ok(other, minor, "the acceptor");
        gss_release_buffer(&minor, &to);
    }
    require(major == GSS_S_COMPLETE && other == GSS_S_COMPLETE, "the context is up");
    same_keys(here, there);
    gss_delete_sec_context(&minor, &here, NULL);
    gss_delete_sec_context(&minor, &there, NULL);
    gss_release_name(&minor, &name);
}

int main(int argc, char **argv)
{
    OM_uint32 minor, major;
    krb5_ccache file, memory, copy;
    krb5_keytab keytab;
    krb5_principal client, service;
    gss_cred_id_t initiator, acceptor;

    require(argc == 3, "two arguments");
    krb5_ok(krb5_init_context(&krb5), "libkrb5");
    krb5_ok(krb5_cc_default(krb5, &file), "the default cache");
    krb5_ok(krb5_cc_get_principal(krb5, file, &client), "its client");
    krb5_ok(krb5_cc_resolve(krb5, "MEMORY:lent", &memory), "a cache in memory");
    krb5_ok(krb5_cc_initialize(krb5, memory, client), "it is made");
    krb5_ok(krb5_cc_copy_cache(krb5, file, memory), "it is filled");
    krb5_ok(krb5_kt_default(krb5, &keytab), "the default keytab");
    krb5_ok(krb5_parse_name(krb5, argv[2], &service), "the service");

    major = gss_krb5_import_cred(&minor, memory, NULL, NULL, &initiator);
    gss_ok(major, minor, "a cache is a credential");
    major = gss_krb5_import_cred(&minor, NULL, service, keytab, &acceptor);
    gss_ok(major, minor, "a keytab is a credential");
    context(initiator, acceptor, argv[1]);

    krb5_ok(krb5_cc_resolve(krb5, "MEMORY:copy", &copy), "another cache");
    krb5_ok(krb5_cc_initialize(krb5, copy, client), "it is made");
    major = gss_krb5_copy_ccache(&minor, initiator, copy);
    gss_ok(major, minor, "it is filled with a credential");
    require(tickets(copy, "krbtgt") >= 1, "the ticket was copied");

    gss_release_cred(&minor, &initiator);
    gss_release_cred(&minor, &acceptor);
    krb5_free_principal(krb5, client);
    krb5_free_principal(krb5, service);
    krb5_kt_close(krb5, keytab);
    krb5_ok(krb5_cc_destroy(krb5, memory), "the cache is destroyed");
    krb5_ok(krb5_cc_destroy(krb5, copy), "and the other");
    krb5_cc_close(krb5, file);
    krb5_free_context(krb5);
    printf("all held\n");
    return 0;
}
