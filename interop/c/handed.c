/* Root accepts a context and exports it; a process of one account, then one of another, tries to go on with it, the latter
 * twice. Arguments: the target, the account that must not, the account that must. */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live.h"

#include <gssapi/gssapi.h>

static void require(int holds, const char *what)
{
    if (!holds) {
        printf("not so: %s\n", what);
        exit(1);
    }
}

static void gss_ok(OM_uint32 major, const OM_uint32 *minor, const char *what)
{
    OM_uint32 ignored, more = 0;
    gss_buffer_desc text;

    if (GSS_ERROR(major)) {
        gss_display_status(&ignored, *minor, GSS_C_MECH_CODE, GSS_C_NO_OID, &more, &text);
        printf("%s: %08x %.*s\n", what, major, (int)text.length, (char *)text.value);
    }
    require(!GSS_ERROR(major), what);
}

/* A process of this account goes on with the context, if it can: whether it could. */
static int taken(uid_t account, gss_buffer_t token, gss_buffer_t sealed)
{
    OM_uint32 minor, major;
    gss_ctx_id_t context;
    gss_buffer_desc message;
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    require(child >= 0, "a process");
    if (child == 0) {
        require(setgroups(0, NULL) == 0 && setgid(account) == 0 && setuid(account) == 0, "another account");
        major = gss_import_sec_context(&minor, token, &context);
        if (GSS_ERROR(major)) {
            OM_uint32 ignored, more = 0;
            gss_display_status(&ignored, minor, GSS_C_MECH_CODE, GSS_C_NO_OID, &more, &message);
            printf("uid %u: refused, %.*s\n", (unsigned)account, (int)message.length, (char *)message.value);
            exit(2);
        }
        gss_ok(gss_unwrap(&minor, context, sealed, &message, NULL, NULL), &minor, "a message to the context");
        require(message.length == 5 && memcmp(message.value, "hello", 5) == 0, "what was sent");
        printf("uid %u: goes on\n", (unsigned)account);
        gss_release_buffer(&minor, &message);
        gss_delete_sec_context(&minor, &context, NULL);
        exit(0);
    }
    require(waitpid(child, &status, 0) == child && WIFEXITED(status), "it ends");
    require(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2, "one of two ends");
    return WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
    OM_uint32 minor, major;
    gss_ctx_id_t initiator = GSS_C_NO_CONTEXT, acceptor = GSS_C_NO_CONTEXT;
    gss_buffer_desc text, token, sealed, hello = {5, "hello"}, none;
    gss_name_t name;

    require(argc == 4, "three arguments");
    text.value = argv[1];
    text.length = strlen(argv[1]);
    gss_ok(gss_import_name(&minor, &text, GSS_C_NT_HOSTBASED_SERVICE, &name), &minor, "a name");
    major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &initiator, name, GSS_C_NO_OID, GSS_C_CONF_FLAG, 0,
                                 GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER, NULL, &token, NULL, NULL);
    gss_ok(major, &minor, "an initiator");
    major = gss_accept_sec_context(&minor, &acceptor, GSS_C_NO_CREDENTIAL, &token, GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL,
                                   &none, NULL, NULL, NULL);
    gss_ok(major, &minor, "an acceptor");
    gss_release_buffer(&minor, &token);
    gss_release_buffer(&minor, &none);
    gss_ok(gss_wrap(&minor, initiator, 1, GSS_C_QOP_DEFAULT, &hello, NULL, &sealed), &minor, "a message");
    gss_ok(gss_export_sec_context(&minor, &acceptor, &token), &minor, "it is exported");

    require(!taken((uid_t)atoi(argv[2]), &token, &sealed), "one account may not have it");
    require(taken((uid_t)atoi(argv[3]), &token, &sealed), "the other has it");
    require(!taken((uid_t)atoi(argv[3]), &token, &sealed), "and only once");
    gss_release_buffer(&minor, &token);
    gss_release_buffer(&minor, &sealed);
    gss_delete_sec_context(&minor, &initiator, NULL);
    gss_release_name(&minor, &name);
    nothing_lives();
    printf("all held\n");
    return 0;
}
