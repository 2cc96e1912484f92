/* What a GSS library says about its krb5 mechanism and about names, as lines of text.
 *
 *   inquiry LIBRARY mechanism
 *   inquiry LIBRARY attribute OID-IN-HEX
 *   inquiry LIBRARY sasl SASL-NAME
 *   inquiry LIBRARY name TYPE-OID-IN-HEX|- NAME-IN-HEX
 *   inquiry LIBRARY equal TYPE-OID-IN-HEX NAME-IN-HEX TYPE-OID-IN-HEX NAME-IN-HEX
 *
 * The library is opened by its path. Object identifiers are the content octets of their DER, in hex. What the library
 * refuses is a line "WHAT: refused MAJOR", with the major status in hex.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 2744 section 3 and appendix A; gss_OID_set is a pointer to such a set. */
typedef uint32_t status;
typedef struct { size_t length; void *value; } buffer;
typedef struct { uint32_t length; void *elements; } oid;
typedef struct { size_t count; oid *elements; } oid_set;
typedef void *handle;

#define IS_ERROR(major) (((major) & 0xffff0000u) != 0)

static struct {
    status (*import_name)(status *, buffer *, oid *, handle *);
    status (*display_name)(status *, handle, buffer *, oid **);
    status (*canonicalize_name)(status *, handle, oid *, handle *);
    status (*export_name)(status *, handle, buffer *);
    status (*compare_name)(status *, handle, handle, int *);
    status (*inquire_names_for_mech)(status *, oid *, oid_set **);
    status (*inquire_attrs_for_mech)(status *, oid *, oid_set **, oid_set **);
    status (*display_mech_attr)(status *, oid *, buffer *, buffer *, buffer *);
    status (*inquire_saslname)(status *, oid *, buffer *, buffer *, buffer *);
    status (*inquire_mech)(status *, buffer *, oid **);
} gss;

static const struct { const char *name; void *place; } SYMBOLS[] = {
    {"gss_import_name", &gss.import_name},
    {"gss_display_name", &gss.display_name},
    {"gss_canonicalize_name", &gss.canonicalize_name},
    {"gss_export_name", &gss.export_name},
    {"gss_compare_name", &gss.compare_name},
    {"gss_inquire_names_for_mech", &gss.inquire_names_for_mech},
    {"gss_inquire_attrs_for_mech", &gss.inquire_attrs_for_mech},
    {"gss_display_mech_attr", &gss.display_mech_attr},
    {"gss_inquire_saslname_for_mech", &gss.inquire_saslname},
    {"gss_inquire_mech_for_saslname", &gss.inquire_mech},
};

/* 1.2.840.113554.1.2.2 */
static oid KRB5 = {9, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};

static void fail(const char *what) {
    printf("inquiry: %s\n", what);
    exit(2);
}

static buffer octets(const char *hex) {
    size_t length = strlen(hex) / 2;
    unsigned char *value = malloc(length + 1);
    if (value == NULL) fail("no memory");
    for (size_t at = 0; at < length; at++) {
        unsigned octet;
        if (sscanf(hex + 2 * at, "%2x", &octet) != 1) fail("no hex");
        value[at] = (unsigned char)octet;
    }
    value[length] = 0;
    return (buffer){length, value};
}

static oid identifier(const char *hex) {
    buffer content = octets(hex);
    return (oid){(uint32_t)content.length, content.value};
}

static void print_hex(const char *what, const void *value, size_t length) {
    printf("%s: ", what);
    for (size_t at = 0; at < length; at++) printf("%02x", ((const unsigned char *)value)[at]);
    printf("\n");
}

static void print_oid(const char *what, const oid *shown) {
    if (shown == NULL) printf("%s: none\n", what);
    else print_hex(what, shown->elements, shown->length);
}

static void print_set(const char *what, const oid_set *set) {
    for (size_t at = 0; set != NULL && at < set->count; at++) print_oid(what, &set->elements[at]);
}

static void print_text(const char *what, buffer text) {
    printf("%s: %.*s\n", what, (int)text.length, (char *)text.value);
}

/* Says that the library refused; 0 if it did not. */
static int refused(const char *what, status major) {
    if (!IS_ERROR(major)) return 0;
    printf("%s: refused %08x\n", what, major);
    return 1;
}

static void mechanism(void) {
    status minor;
    oid_set *set = NULL, *known = NULL;
    buffer sasl = {0, NULL}, name = {0, NULL}, description = {0, NULL};
    if (!refused("attributes", gss.inquire_attrs_for_mech(&minor, &KRB5, &set, &known))) {
        print_set("attribute", set);
        print_set("known attribute", known);
    }
    if (!refused("sasl name", gss.inquire_saslname(&minor, &KRB5, &sasl, &name, &description))) {
        print_text("sasl name", sasl);
        print_text("name", name);
        print_text("description", description);
    }
    if (!refused("name types", gss.inquire_names_for_mech(&minor, &KRB5, &set))) print_set("name type", set);
}

static void attribute(oid asked) {
    status minor;
    buffer name = {0, NULL}, brief = {0, NULL}, full = {0, NULL};
    if (refused("attribute", gss.display_mech_attr(&minor, &asked, &name, &brief, &full))) return;
    print_text("name", name);
    print_text("short", brief);
    print_text("long", full);
}

static void sasl(const char *name) {
    status minor;
    oid *found = NULL;
    buffer text = {strlen(name), (void *)name};
    if (!refused("mechanism", gss.inquire_mech(&minor, &text, &found))) print_oid("mechanism", found);
}

static void show(const char *what, handle name) {
    status minor;
    buffer text = {0, NULL};
    oid *type = NULL;
    char label[32];
    if (refused(what, gss.display_name(&minor, name, &text, &type))) return;
    print_hex(what, text.value, text.length);
    snprintf(label, sizeof label, "%s type", what);
    print_oid(label, type);
}

static handle import(const char *type, const char *hex) {
    status minor;
    handle name = NULL;
    buffer text = octets(hex);
    oid asked = strcmp(type, "-") == 0 ? (oid){0, NULL} : identifier(type);
    if (refused("import", gss.import_name(&minor, &text, asked.length ? &asked : NULL, &name))) exit(0);
    return name;
}

static void name(const char *type, const char *hex) {
    status minor;
    handle canonical = NULL, given = import(type, hex);
    buffer exported = {0, NULL};
    show("display", given);
    if (refused("canonical", gss.canonicalize_name(&minor, given, &KRB5, &canonical))) return;
    show("canonical", canonical);
    if (!refused("export", gss.export_name(&minor, canonical, &exported)))
        print_hex("export", exported.value, exported.length);
}

static void equal(char **words) {
    status minor;
    int same = -1;
    handle left = import(words[0], words[1]), right = import(words[2], words[3]);
    if (!refused("equal", gss.compare_name(&minor, left, right, &same))) printf("equal: %d\n", same);
}

int main(int count, char **words) {
    if (count < 3) fail("usage: inquiry LIBRARY mechanism|attribute|sasl|name|equal ...");
    void *library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) fail(dlerror());
    for (size_t at = 0; at < sizeof SYMBOLS / sizeof *SYMBOLS; at++) {
        void *found = dlsym(library, SYMBOLS[at].name);
        if (found == NULL) fail(SYMBOLS[at].name);
        memcpy(SYMBOLS[at].place, &found, sizeof found);
    }
    if (strcmp(words[2], "mechanism") == 0) mechanism();
    else if (strcmp(words[2], "attribute") == 0 && count == 4) attribute(identifier(words[3]));
    else if (strcmp(words[2], "sasl") == 0 && count == 4) sasl(words[3]);
    else if (strcmp(words[2], "name") == 0 && count == 5) name(words[3], words[4]);
    else if (strcmp(words[2], "equal") == 0 && count == 7) equal(words + 3);
    else fail("no such question");
    return 0;
}
