/* A context that is exported, or imported and exported again, or goes or comes over the socket "door", in a process that is
 * ended at each of its system calls (tests/peers/killed): its argument is "export", "move", "give" or "take". The calls that
 * count lie between two marks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_orthros.h>

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

/* Says so by what only a live context makes. */
static void lives(gss_ctx_id_t context)
{
    OM_uint32 minor;
    gss_buffer_desc message = {4, "live"}, sealed;

    gss_ok(gss_wrap(&minor, context, 0, GSS_C_QOP_DEFAULT, &message, NULL, &sealed), &minor, "wrap");
    say("live ", &sealed);
    gss_release_buffer(&minor, &sealed);
}

/* The value of the option by which a context goes or comes over a connection to the door. */
static gss_buffer_desc at_the_door(void)
{
    struct sockaddr_un door = {AF_UNIX, "door"};
    gss_buffer_desc words = {0, malloc(32)};
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connection < 0 || connect(connection, (struct sockaddr *)&door, sizeof door) != 0)
        exit(1);
    words.length = (size_t)sprintf(words.value, "socket=%d", connection);
    return words;
}

/* The context is gone here if it was taken, and lives on here if it was not. */
static void give(void)
{
    OM_uint32 major, minor;
    gss_ctx_id_t context = acceptor_side();
    gss_buffer_desc words = at_the_door(), nothing = GSS_C_EMPTY_BUFFER;

    mark("/mark/begin");
    major = gss_set_sec_context_option(&minor, &context, GSS_ORTHROS_HANDOVER, &words);
    if (context != GSS_C_NO_CONTEXT)
        lives(context);
    else
        gss_ok(major, &minor, "give");
    if (!GSS_ERROR(major))
        say("given", &nothing);
    mark("/mark/end");
    gss_delete_sec_context(&minor, &context, NULL);
    free(words.value);
}

static void take(void)
{
    OM_uint32 minor;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_buffer_desc words = at_the_door();

    mark("/mark/begin");
    gss_ok(gss_set_sec_context_option(&minor, &context, GSS_ORTHROS_HANDOVER, &words), &minor, "take");
    lives(context);
    mark("/mark/end");
    gss_delete_sec_context(&minor, &context, NULL);
    free(words.value);
}

static void move(const char *first)
{
    OM_uint32 minor;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_buffer_desc token;

    if (strcmp(first, "export") == 0) {
        context = acceptor_side();
        mark("/mark/begin");
    } else {
        token = content("token");
        mark("/mark/begin");
        gss_ok(gss_import_sec_context(&minor, &token, &context), &minor, "import");
        lives(context);
        free(token.value);
    }
    gss_ok(gss_export_sec_context(&minor, &context, &token), &minor, "export");
    say("", &token);
    mark("/mark/end");
    gss_release_buffer(&minor, &token);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 1;
    if (strcmp(argv[1], "give") == 0)
        give();
    else if (strcmp(argv[1], "take") == 0)
        take();
    else
        move(argv[1]);
    return 0;
}
