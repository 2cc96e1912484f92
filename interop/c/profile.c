/* What MIT krb5 makes of configuration files, durations and local names.
 *
 *   profile LIBKRB5
 *
 * reads requests from standard input, one on a line, and answers each with lines and a line with a dot. Fields are
 * separated by tabs, and octets other than printable ASCII, and % and /, are %XX in both directions.
 *
 *   dump FILES            every value of the files (separated by colons): "PATH = VALUE", or "error NUMBER"
 *   duration TEXT         its seconds, or "error NUMBER"
 *   local FILES NAME      the local name of a principal, or "error NUMBER"
 *   login FILES NAME USER whether the principal may log in as the user: "1" or "0"
 *   realm FILES HOST      the realm of a host, empty if there is none, or "error NUMBER"
 *   boolean FILES NAME    a relation of [libdefaults], or "error NUMBER"
 *   integer FILES NAME    likewise
 *
 * The library is opened by its path, and what krb5.h and profile.h say of its interface is declared here.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void *handle;

static struct {
    long (*init_path)(const char *, handle *);
    void (*release)(handle);
    long (*values)(handle, const char *const *, char ***);
    long (*relations)(handle, const char *const *, char ***);
    long (*subsections)(handle, const char *const *, char ***);
    void (*free_list)(char **);
    long (*boolean)(handle, const char *, const char *, const char *, int, int *);
    long (*integer)(handle, const char *, const char *, const char *, int, int *);
    int32_t (*to_deltat)(char *, int32_t *);
    int32_t (*init_context)(handle *);
    void (*free_context)(handle);
    int32_t (*parse_name)(handle, const char *, handle *);
    void (*free_principal)(handle, handle);
    int32_t (*to_localname)(handle, handle, int, char *);
    unsigned (*kuserok)(handle, handle, const char *);
    int32_t (*host_realm)(handle, const char *, char ***);
    int32_t (*free_host_realm)(handle, char **);
} mit;

static const struct { const char *name; void *place; } SYMBOLS[] = {
    {"profile_init_path", &mit.init_path},
    {"profile_release", &mit.release},
    {"profile_get_values", &mit.values},
    {"profile_get_relation_names", &mit.relations},
    {"profile_get_subsection_names", &mit.subsections},
    {"profile_free_list", &mit.free_list},
    {"profile_get_boolean", &mit.boolean},
    {"profile_get_integer", &mit.integer},
    {"krb5_string_to_deltat", &mit.to_deltat},
    {"krb5_init_context", &mit.init_context},
    {"krb5_free_context", &mit.free_context},
    {"krb5_parse_name", &mit.parse_name},
    {"krb5_free_principal", &mit.free_principal},
    {"krb5_aname_to_localname", &mit.to_localname},
    {"krb5_kuserok", &mit.kuserok},
    {"krb5_get_host_realm", &mit.host_realm},
    {"krb5_free_host_realm", &mit.free_host_realm},
};

/* How deep sections are looked into. */
enum { DEEPEST = 200, LONGEST = 1 << 20 };

static void show(const char *text) {
    for (; *text; text++) {
        unsigned char octet = (unsigned char)*text;
        if (octet <= ' ' || octet > '~' || octet == '%' || octet == '/')
            printf("%%%02X", octet);
        else
            putchar(octet);
    }
}

static void unescape(char *text) {
    char *to = text;
    for (char *from = text; *from; from++) {
        unsigned octet;
        if (*from == '%' && sscanf(from + 1, "%2x", &octet) == 1) {
            *to++ = (char)octet;
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = 0;
}

static void show_path(const char *const *path, int depth) {
    for (int at = 0; at < depth; at++) {
        putchar('/');
        show(path[at]);
    }
}

static void dump(handle profile, const char **path, int depth) {
    char **names, **values;
    path[depth] = NULL;
    if (depth > 0 && mit.relations(profile, path, &names) == 0) {
        for (char **name = names; *name; name++) {
            path[depth] = *name;
            path[depth + 1] = NULL;
            if (mit.values(profile, path, &values) != 0)
                continue;
            for (char **value = values; *value; value++) {
                show_path(path, depth + 1);
                printf(" = ");
                show(*value);
                putchar('\n');
            }
            mit.free_list(values);
        }
        mit.free_list(names);
    }
    path[depth] = NULL;
    if (depth + 2 >= DEEPEST || mit.subsections(profile, path, &names) != 0)
        return;
    for (char **name = names; *name; name++) {
        int seen = 0;
        for (char **earlier = names; earlier < name; earlier++)
            seen |= strcmp(*earlier, *name) == 0;
        if (seen)
            continue;
        path[depth] = *name;
        show_path(path, depth + 1);
        printf(" {}\n");
        dump(profile, path, depth + 1);
    }
    mit.free_list(names);
}

static void on_profile(const char *what, const char *files, const char *name) {
    handle profile;
    const char *path[DEEPEST + 2];
    int value = 0;
    long error = mit.init_path(files, &profile);
    if (error != 0) {
        printf("error %ld\n", error);
        return;
    }
    if (strcmp(what, "dump") == 0) {
        dump(profile, path, 0);
    } else {
        error = (*what == 'b' ? mit.boolean : mit.integer)(profile, "libdefaults", name, NULL, -77, &value);
        if (error != 0)
            printf("error %ld\n", error);
        else
            printf("%d\n", value);
    }
    mit.release(profile);
}

static int32_t in_context(const char *what, handle context, const char *name, const char *user) {
    handle principal;
    char **realms, local[4096];
    int32_t error;
    if (strcmp(what, "realm") == 0) {
        if ((error = mit.host_realm(context, name, &realms)) != 0)
            return error;
        show(realms[0] ? realms[0] : "");
        putchar('\n');
        mit.free_host_realm(context, realms);
        return 0;
    }
    if ((error = mit.parse_name(context, name, &principal)) != 0)
        return error;
    if (strcmp(what, "login") == 0) {
        printf("%u\n", mit.kuserok(context, principal, user));
    } else if ((error = mit.to_localname(context, principal, sizeof local, local)) == 0) {
        show(local);
        putchar('\n');
    }
    mit.free_principal(context, principal);
    return error;
}

static void with_context(const char *what, const char *files, const char *name, const char *user) {
    handle context;
    setenv("KRB5_CONFIG", files, 1);
    int32_t error = mit.init_context(&context);
    if (error == 0) {
        error = in_context(what, context, name, user);
        mit.free_context(context);
    }
    if (error != 0)
        printf("error %ld\n", (long)error);
}

static void answer(char *line) {
    char *fields[4] = {line, "", "", ""};
    for (int count = 1; count < 4 && (line = strchr(line, '\t')); count++) {
        *line++ = 0;
        fields[count] = line;
    }
    for (int count = 1; count < 4; count++)
        if (*fields[count])
            unescape(fields[count]);
    const char *what = fields[0];
    if (strcmp(what, "duration") == 0) {
        int32_t seconds, error = mit.to_deltat(fields[1], &seconds);
        if (error != 0)
            printf("error %ld\n", (long)error);
        else
            printf("%ld\n", (long)seconds);
    } else if (strcmp(what, "dump") == 0 || strcmp(what, "boolean") == 0 || strcmp(what, "integer") == 0) {
        on_profile(what, fields[1], fields[2]);
    } else {
        with_context(what, fields[1], fields[2], fields[3]);
    }
}

int main(int count, char **arguments) {
    static char line[LONGEST];
    void *library = count == 2 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) {
        fprintf(stderr, "usage: profile LIBKRB5\n%s\n", count == 2 ? dlerror() : "");
        return 2;
    }
    for (size_t at = 0; at < sizeof SYMBOLS / sizeof *SYMBOLS; at++) {
        void *symbol = dlsym(library, SYMBOLS[at].name);
        if (!symbol) {
            fprintf(stderr, "the library has no %s\n", SYMBOLS[at].name);
            return 2;
        }
        memcpy(SYMBOLS[at].place, &symbol, sizeof symbol);
    }
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        answer(line);
        puts(".");
        fflush(stdout);
    }
    return 0;
}
