/* What an acceptor learns of its initiator beside the name (RFC 6680). It is both ends itself; the argument is the target,
 * the environment names cache and keytab. What it prints of one ticket is the same on every library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

static void require(int holds, const char *what)
{
    if (!holds) {
        printf("not so: %s\n", what);
        exit(1);
    }
}

static void ok(OM_uint32 major, const char *what)
{
    if (GSS_ERROR(major))
        printf("%s: %08x\n", what, major);
    require(!GSS_ERROR(major), what);
}

static gss_buffer_desc text(const char *octets)
{
    gss_buffer_desc buffer = {strlen(octets), (void *)octets};
    return buffer;
}

static void print(const char *what, const gss_buffer_desc *buffer)
{
    size_t place;

    printf("%s ", what);
    for (place = 0; place < buffer->length; place++)
        printf("%02x", ((unsigned char *)buffer->value)[place]);
    printf("\n");
}

static gss_buffer_set_t names_of(gss_name_t name)
{
    OM_uint32 minor;
    int is_mn = 0;
    gss_OID mech = GSS_C_NO_OID;
    gss_buffer_set_t names = GSS_C_NO_BUFFER_SET;

    ok(gss_inquire_name(&minor, name, &is_mn, &mech, &names), "inquire");
    require(is_mn && mech != GSS_C_NO_OID, "it is a mechanism's name");
    return names;
}

/* Every attribute with all its values. */
static void tell(const char *whose, gss_name_t name, int with_values)
{
    OM_uint32 minor;
    gss_buffer_set_t names = names_of(name);
    size_t place;

    printf("%s: %zu attributes\n", whose, names == GSS_C_NO_BUFFER_SET ? (size_t)0 : names->count);
    for (place = 0; names != GSS_C_NO_BUFFER_SET && place < names->count; place++) {
        gss_buffer_t attribute = &names->elements[place];
        int more = -1, authenticated, complete;

        printf("%.*s\n", (int)attribute->length, (char *)attribute->value);
        while (with_values && more != 0) {
            gss_buffer_desc value = GSS_C_EMPTY_BUFFER, shown = GSS_C_EMPTY_BUFFER;

            authenticated = complete = -1;
            ok(gss_get_name_attribute(&minor, name, attribute, &authenticated, &complete, &value, &shown, &more),
               "a value");
            require(authenticated == 1 && complete == 1, "the KDC vouches for all of it");
            print(" ", &value);
            gss_release_buffer(&minor, &value);
            gss_release_buffer(&minor, &shown);
        }
    }
    gss_release_buffer_set(&minor, &names);
}

/* What is no attribute has no value, and leaves nothing behind. */
static void absent(gss_name_t name, const char *octets)
{
    OM_uint32 minor, major;
    gss_buffer_desc attribute = text(octets), value = {9, (void *)"leftover"}, shown = value;
    int more = -1, authenticated = -1, complete = -1;

    major = gss_get_name_attribute(&minor, name, &attribute, &authenticated, &complete, &value, &shown, &more);
    require(major == GSS_S_UNAVAILABLE, octets);
    require(value.value == NULL && value.length == 0 && shown.value == NULL, "the outputs are empty");
}

/* What a KDC did not give can't be set, and what it gave can't be taken away. */
static void fixed(gss_name_t name, const char *octets)
{
    OM_uint32 minor;
    gss_buffer_desc attribute = text(octets), given = text("a value");

    require(gss_set_name_attribute(&minor, name, 1, &attribute, &given) == GSS_S_UNAVAILABLE, "nothing can be set");
    require(gss_delete_name_attribute(&minor, name, &attribute) == GSS_S_UNAVAILABLE, "nothing can be deleted");
}

/* A name that comes as octets has its attributes. */
static void travel(gss_name_t name)
{
    OM_uint32 minor, major;
    gss_buffer_desc octets = GSS_C_EMPTY_BUFFER, value = GSS_C_EMPTY_BUFFER, attribute = text("urn:mspac:");
    gss_name_t again = GSS_C_NO_NAME;
    int more = -1, authenticated = 0, complete = 0;

    ok(gss_export_name_composite(&minor, name, &octets), "composite");
    print("composite", &octets);
    ok(gss_import_name(&minor, &octets, GSS_C_NT_COMPOSITE_EXPORT, &again), "imported");
    tell("imported", again, 0);
    major = gss_get_name_attribute(&minor, again, &attribute, &authenticated, &complete, &value, NULL, &more);
    /* MIT's library believes what stands in the octets. */
    if (dlsym(RTLD_DEFAULT, "orthros_live_handles") != NULL)
        require(major == GSS_S_COMPLETE && !authenticated, "whoever writes the octets vouches for nothing");
    else
        require(major == GSS_S_COMPLETE, "the PAC is there");
    gss_release_buffer(&minor, &value);
    gss_release_name(&minor, &again);
    /* Cut octets are an error or the name alone, and no more. */
    while (octets.length > 0) {
        octets.length--;
        if (gss_import_name(&minor, &octets, GSS_C_NT_COMPOSITE_EXPORT, &again) == GSS_S_COMPLETE)
            gss_release_name(&minor, &again);
    }
    octets.length = 1;
    gss_release_buffer(&minor, &octets);
}

/* Attributes as objects of another library: what each kind answers. */
static void mapped(const char *whose, gss_name_t name)
{
    static const char *const KINDS[] = {"mspac", "urn:mspac:", "greet", "auth-indicators", "nothing", ""};
    OM_uint32 minor, major;
    gss_buffer_desc kind;
    gss_any_t object;
    size_t row;

    for (row = 0; row < sizeof KINDS / sizeof *KINDS; row++) {
        kind = text(KINDS[row]);
        object = (gss_any_t)1;
        major = gss_map_name_to_any(&minor, name, 1, &kind, &object);
        /* Of a PAC, MIT's library makes an object of its libkrb5. */
        if (major == GSS_S_COMPLETE)
            require(row == 0 && object != NULL && dlsym(RTLD_DEFAULT, "orthros_live_handles") == NULL, "a PAC's object");
        else
            require((major & ~GSS_S_CALL_INACCESSIBLE_READ) == (name == NULL ? GSS_S_BAD_NAME : GSS_S_UNAVAILABLE)
                        && object == NULL, "nothing is mapped");
        if (row != 0)
            printf("%s as %s: %08x\n", whose, KINDS[row], major);
        major = gss_release_any_name_mapping(&minor, name, &kind, &object);
        printf("%s released as %s: %08x, something: %d\n", whose, KINDS[row], major, object != NULL);
    }
}

int main(int count, char **words)
{
    OM_uint32 minor;
    gss_buffer_desc target_text, first = GSS_C_EMPTY_BUFFER, second = GSS_C_EMPTY_BUFFER, moved = GSS_C_EMPTY_BUFFER;
    gss_name_t target = GSS_C_NO_NAME, initiator = GSS_C_NO_NAME, copy = GSS_C_NO_NAME, here = GSS_C_NO_NAME;
    gss_ctx_id_t ours = GSS_C_NO_CONTEXT, theirs = GSS_C_NO_CONTEXT;

    require(count == 2, "one argument");
    target_text = text(words[1]);
    ok(gss_import_name(&minor, &target_text, GSS_C_NT_HOSTBASED_SERVICE, &target), "the target");
    ok(gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &ours, target, GSS_C_NO_OID, 0, 0,
                            GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER, NULL, &first, NULL, NULL), "initiating");
    ok(gss_accept_sec_context(&minor, &theirs, GSS_C_NO_CREDENTIAL, &first, GSS_C_NO_CHANNEL_BINDINGS, &initiator,
                              NULL, &second, NULL, NULL, NULL), "accepting");
    tell("initiator", initiator, 1);
    absent(initiator, "urn:mspac:99");
    absent(initiator, "urn:mspac:logon-info-of-nobody");
    absent(initiator, "urn:mspac");
    absent(initiator, "nothing");
    absent(initiator, "");
    fixed(initiator, "nothing");
    fixed(initiator, "auth-indicators");
    ok(gss_duplicate_name(&minor, initiator, &copy), "a copy");
    tell("copy", copy, 1);
    travel(initiator);
    mapped("initiator", initiator);
    mapped("what was imported", target);
    mapped("no name", GSS_C_NO_NAME);
    gss_release_name(&minor, &initiator);
    gss_release_name(&minor, &copy);
    ok(gss_inquire_context(&minor, theirs, &initiator, &copy, NULL, NULL, NULL, NULL, NULL), "asked");
    tell("asked", initiator, 1);
    tell("acceptor", copy, 1);
    gss_release_name(&minor, &initiator);
    gss_release_name(&minor, &copy);
    ok(gss_export_sec_context(&minor, &theirs, &moved), "exported");
    ok(gss_import_sec_context(&minor, &moved, &theirs), "moved");
    ok(gss_inquire_context(&minor, theirs, &initiator, NULL, NULL, NULL, NULL, NULL, NULL), "asked after the move");
    tell("moved", initiator, 1);
    ok(gss_canonicalize_name(&minor, target, (gss_OID)gss_mech_krb5, &here), "canonical");
    tell("target", here, 1);
    mapped("target", here);
    printf("all held\n");
    gss_release_buffer(&minor, &first);
    gss_release_buffer(&minor, &second);
    gss_release_buffer(&minor, &moved);
    gss_release_name(&minor, &target);
    gss_release_name(&minor, &here);
    gss_release_name(&minor, &initiator);
    gss_delete_sec_context(&minor, &ours, GSS_C_NO_BUFFER);
    gss_delete_sec_context(&minor, &theirs, GSS_C_NO_BUFFER);
    nothing_lives();
    return 0;
}
