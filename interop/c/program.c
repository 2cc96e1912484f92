/* A program as others write it, about names, identifiers and the library's objects: what it prints must not depend on
 * the library that it runs on. It runs without a realm. With -DSHARED it is an object that c/opener.c opens. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "face.h"

static void octets(const char *what, const void *value, size_t length)
{
    printf("%s:", what);
    for (size_t i = 0; i < length; i++)
        printf(" %02x", ((const unsigned char *)value)[i]);
    printf("\n");
}

static void identifier(const char *what, gss_const_OID oid)
{
    if (oid == GSS_C_NO_OID)
        printf("%s: none\n", what);
    else
        octets(what, oid->elements, oid->length);
}

static void set(const char *what, gss_OID_set identifiers)
{
    printf("%s: %zu\n", what, identifiers->count);
    for (size_t i = 0; i < identifiers->count; i++)
        identifier("  of it", &identifiers->elements[i]);
}

static void objects(void)
{
#define IDENTIFIER(name) identifier(#name, name);
#define ATTRIBUTE(name) identifier(#name, name);
#define CONSTANT(name) identifier(#name, name);
#define SET(name) set(#name, name);
#define DESCRIPTION(name) identifier(#name, &name);
#include "objects.h"
#ifdef LOCAL_LOGIN_USER
    octets("GSS_C_ATTR_LOCAL_LOGIN_USER", LOCAL_LOGIN_USER->value, LOCAL_LOGIN_USER->length);
#endif
}

static void text(const char *what, OM_uint32 major, gss_buffer_t buffer)
{
    OM_uint32 minor;

    printf("%s: %08x %.*s\n", what, major, (int)buffer->length, (char *)buffer->value);
    gss_release_buffer(&minor, buffer);
    printf("  released: %zu %d\n", buffer->length, buffer->value == NULL);
}

static void name(const char *spelt, gss_OID type)
{
    OM_uint32 minor, major;
    gss_buffer_desc input = {strlen(spelt), (void *)spelt}, output = GSS_C_EMPTY_BUFFER;
    gss_name_t imported = GSS_C_NO_NAME, canonical = GSS_C_NO_NAME, copy = GSS_C_NO_NAME;
    gss_OID shown = GSS_C_NO_OID;
    int equal = -1;

    major = gss_import_name(&minor, &input, type, &imported);
    printf("import %s: %08x %d\n", spelt, major, imported != GSS_C_NO_NAME);
    if (GSS_ERROR(major))
        return;
    major = gss_canonicalize_name(&minor, imported, KERBEROS, &canonical);
    printf("canonicalize: %08x\n", major);
    major = gss_display_name(&minor, canonical, &output, &shown);
    text("display", major, &output);
    identifier("its type", shown);
    major = gss_export_name(&minor, canonical, &output);
    octets("export", output.value, output.length);
    gss_release_buffer(&minor, &output);
    major = gss_duplicate_name(&minor, canonical, &copy);
    major |= gss_compare_name(&minor, canonical, copy, &equal);
    printf("compare: %08x %d\n", major, equal);
    major = gss_release_name(&minor, &imported);
    major |= gss_release_name(&minor, &canonical);
    major |= gss_release_name(&minor, &copy);
    printf("release: %08x %d\n", major, copy == GSS_C_NO_NAME);
}

static void sets(void)
{
    OM_uint32 minor, major;
    gss_OID_set made = GSS_C_NO_OID_SET, mechs = GSS_C_NO_OID_SET, types = GSS_C_NO_OID_SET;
    int there = -1;

    major = gss_create_empty_oid_set(&minor, &made);
    major |= gss_add_oid_set_member(&minor, GSS_C_NT_USER_NAME, &made);
    major |= gss_add_oid_set_member(&minor, KERBEROS, &made);
    printf("set: %08x\n", major);
    set("made", made);
    major = gss_test_oid_set_member(&minor, OTHER_MECHANISM, made, &there);
    printf("test: %08x %d\n", major, there);
    major = gss_release_oid_set(&minor, &made);
    printf("release: %08x %d\n", major, made == GSS_C_NO_OID_SET);
    major = gss_indicate_mechs(&minor, &mechs);
    major |= gss_test_oid_set_member(&minor, KERBEROS, mechs, &there);
    printf("Kerberos is there: %08x %d\n", major, there);
    gss_release_oid_set(&minor, &mechs);
    major = gss_inquire_names_for_mech(&minor, KERBEROS, &types);
    major |= gss_test_oid_set_member(&minor, GSS_KRB5_NT_PRINCIPAL_NAME, types, &there);
    printf("it takes principals: %08x %d\n", major, there);
    gss_release_oid_set(&minor, &types);
}

static void frames(void)
{
    OM_uint32 minor, major;
    gss_buffer_desc input = {5, (void *)"token"}, framed = GSS_C_EMPTY_BUFFER, output = GSS_C_EMPTY_BUFFER;

    major = gss_encapsulate_token(&input, KERBEROS, &framed);
    printf("encapsulate: %08x\n", major);
    octets("its token", framed.value, framed.length);
    major = gss_decapsulate_token(&framed, KERBEROS, &output);
    text("decapsulate", major, &output);
    major = gss_decapsulate_token(&framed, OTHER_MECHANISM, &output);
    printf("decapsulate as another: %d\n", GSS_ERROR(major) != 0);
    gss_release_buffer(&minor, &framed);
}

#ifdef HAS_TEXT_OF_IDENTIFIERS
static void identifiers(void)
{
    OM_uint32 minor, major;
    gss_buffer_desc spelt = {sizeof "{ 1 2 840 113554 1 2 2 }" - 1, (void *)"{ 1 2 840 113554 1 2 2 }"};
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
    gss_OID oid = GSS_C_NO_OID;

    major = gss_str_to_oid(&minor, &spelt, &oid);
    printf("str_to_oid: %08x %d %d\n", major, gss_oid_equal(oid, KERBEROS), gss_oid_equal(oid, OTHER_MECHANISM));
    major = gss_release_oid(&minor, &oid);
    printf("release_oid: %08x %d\n", major, oid == GSS_C_NO_OID);
    major = gss_oid_to_str(&minor, KERBEROS, &output);
    text("oid_to_str", major, &output);
}
#elif defined HAS_NAMES_OF_MECHANISMS
static void identifiers(void)
{
    static const char *const names[] = {"Kerberos 5", "kerberos", "SPNEGO", "spn", "", "Kerberos 6"};
    OM_uint32 minor, major;
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
    gss_OID oid = GSS_C_NO_OID;
    gss_OID_set options = GSS_C_NO_OID_SET;
    int there = -1;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        oid = gss_name_to_oid(names[i]);
        identifier(names[i], oid);
        printf("  its constant: %s\n", oid == GSS_C_NO_OID ? "none" : gss_oid_to_name(oid));
    }
    printf("no mechanism: %d\n", gss_oid_to_name(GSS_C_NT_USER_NAME) == NULL);
    major = gss_duplicate_oid(&minor, KERBEROS, &oid);
    printf("duplicate_oid: %08x %d\n", major, gss_oid_equal(oid, KERBEROS));
    major = gss_release_oid(&minor, &oid);
    printf("release_oid: %08x %d\n", major, oid == GSS_C_NO_OID);
    major = gss_oid_to_str(&minor, KERBEROS, &output);
    text("oid_to_str", major, &output);
    printf("oid_to_str of nothing: %08x\n", gss_oid_to_str(&minor, GSS_C_NO_OID, &output));
    gss_mo_list(KERBEROS, &options);
    gss_test_oid_set_member(&minor, GSS_C_MA_SASL_MECH_NAME, options, &there);
    printf("mo_list: %d\n", there);
    gss_release_oid_set(&minor, &options);
    major = gss_mo_name(KERBEROS, GSS_C_MA_SASL_MECH_NAME, &output);
    text("mo_name", major, &output);
    major = gss_mo_get(KERBEROS, GSS_C_MA_SASL_MECH_NAME, &output);
    text("mo_get", major, &output);
    printf("mo_set: %08x\n", gss_mo_set(KERBEROS, GSS_C_MA_SASL_MECH_NAME, 1, GSS_C_NO_BUFFER));
    printf("mo_get of an attribute: %08x\n", gss_mo_get(KERBEROS, GSS_C_MA_MIC, &output));
}
#elif defined HAS_VERSION
static void identifiers(void)
{
    static const char *const versions[] = {GSS_VERSION, "0.0.1", "1.0", "1.0.5", "2", "x", ""};
    OM_uint32 minor, major;
    gss_name_t name = GSS_C_NO_NAME;
    gss_buffer_desc input = {5, (void *)"alice"};

    printf("version: %s\n", gss_check_version(NULL));
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        printf("at least %s: %d\n", versions[i], gss_check_version(versions[i]) != NULL);
    major = gss_import_name(&minor, &input, GSS_C_NT_USER_NAME, &name);
    printf("userok: %08x %d %d\n", major, gss_userok(name, "alice"), gss_userok(name, "bob"));
    gss_release_name(&minor, &name);
}
#endif

int program(void)
{
    Dl_info where = {0};

    if (dladdr(dlsym(RTLD_DEFAULT, "gss_indicate_mechs"), &where) != 0)
        fprintf(stderr, "library: %s\n", where.dli_fname);
    objects();
#ifndef NO_USER_NAMES
    name("alice", GSS_C_NT_USER_NAME);
#endif
    name("alice@ELSEWHERE.TEST", GSS_KRB5_NT_PRINCIPAL_NAME);
#ifndef SERVICES_WITHOUT_REALM
    name("host@localhost", GSS_C_NT_HOSTBASED_SERVICE);
#endif
    sets();
    frames();
    identifiers();
    return 0;
}

#ifndef SHARED
int main(void)
{
    return program();
}
#endif
