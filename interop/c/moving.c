/* A context that is exported, or imported and exported again, in a process that is ended at each of its system calls
 * (tests/peers/killed): its argument is "export" or "move". The calls that count lie between two marks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gssapi/gssapi.h>

static void gss_ok(OM_uint32 major, const OM_uint32 *minor, const char *what)
{
    OM_uint32 ignored, more = 0;
    gss_buffer_desc text;

    if (GSS_ERROR(major)) {
        gss_display_status(&ignored, *minor, GSS_C_MECH_CODE, GSS_C_NO_OID, &more, &text);
        fprintf(stderr, "%s: %08x %.*s\n", what, major, (int)text.length, (char *)text.value);
        exit(1);
    }
}

static void mark(const char *name)
{
    struct stat ignored;

    if (stat(name, &ignored) == 0)
        exit(1);
}

/* A line with the octets in hexadecimal, at once. */
static void say(const char *word, gss_buffer_t octets)
{
    size_t start = strlen(word), i;
    char *line = malloc(start + 2 * octets->length + 2);

    strcpy(line, word);
    for (i = 0; i < octets->length; i++)
        sprintf(line + start + 2 * i, "%02x", ((unsigned char *)octets->value)[i]);
    strcat(line, "\n");
    if (write(1, line, strlen(line)) < 0)
        exit(1);
    free(line);
}

static gss_ctx_id_t acceptor_side(void)
{
    OM_uint32 major, minor;
    gss_buffer_desc text = {14, "host@localhost"}, token, back;
    gss_ctx_id_t initiator = GSS_C_NO_CONTEXT, acceptor = GSS_C_NO_CONTEXT;
    gss_name_t name;

    gss_ok(gss_import_name(&minor, &text, GSS_C_NT_HOSTBASED_SERVICE, &name), &minor, "a name");
    major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &initiator, name, GSS_C_NO_OID, 0, 0,
                                 GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER, NULL, &token, NULL, NULL);
    gss_ok(major, &minor, "an initiator");
    major = gss_accept_sec_context(&minor, &acceptor, GSS_C_NO_CREDENTIAL, &token, GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL,
                                   &back, NULL, NULL, NULL);
    gss_ok(major, &minor, "an acceptor");
    gss_release_buffer(&minor, &token);
    gss_release_buffer(&minor, &back);
    gss_delete_sec_context(&minor, &initiator, NULL);
    gss_release_name(&minor, &name);
    return acceptor;
}

static gss_buffer_desc content(const char *path)
{
    gss_buffer_desc octets = {0, malloc(65536)};
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        exit(1);
    octets.length = fread(octets.value, 1, 65536, file);
    fclose(file);
    return octets;
}

int main(int argc, char **argv)
{
    OM_uint32 minor;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_buffer_desc token, message = {4, "live"}, sealed;

    if (argc != 2)
        return 1;
    if (strcmp(argv[1], "export") == 0) {
        context = acceptor_side();
        mark("/mark/begin");
    } else {
        token = content("token");
        mark("/mark/begin");
        gss_ok(gss_import_sec_context(&minor, &token, &context), &minor, "import");
        gss_ok(gss_wrap(&minor, context, 0, GSS_C_QOP_DEFAULT, &message, NULL, &sealed), &minor, "wrap");
        say("live ", &sealed);
        gss_release_buffer(&minor, &sealed);
        free(token.value);
    }
    gss_ok(gss_export_sec_context(&minor, &context, &token), &minor, "export");
    say("", &token);
    mark("/mark/end");
    gss_release_buffer(&minor, &token);
    return 0;
}
