/* What only Orthros has: its arguments are the target and the port of the KDC; with no second argument another library is
 * asked, which must know nothing of it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <gssapi/gssapi_orthros.h>

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

static gss_name_t target(const char *text)
{
    OM_uint32 minor, major;
    gss_buffer_desc buffer = {strlen(text), (void *)text};
    gss_name_t name;

    major = gss_import_name(&minor, &buffer, GSS_C_NT_HOSTBASED_SERVICE, &name);
    gss_ok(major, &minor, "a target's name");
    return name;
}

static gss_cred_id_t credential(gss_OID option, const char *value)
{
    OM_uint32 minor, major;
    gss_buffer_desc buffer = {strlen(value), (void *)value};
    gss_cred_id_t cred;

    major = gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, GSS_C_NO_OID_SET, GSS_C_INITIATE, &cred, NULL, NULL);
    gss_ok(major, &minor, "a credential");
    gss_ok(gss_set_cred_option(&minor, &cred, option, &buffer), &minor, "its option");
    return cred;
}

/* All octets out, or in. */
static void all(int out, int connection, unsigned char *octets, size_t length)
{
    while (length > 0) {
        ssize_t count = out ? write(connection, octets, length) : read(connection, octets, length);
        require(count > 0, "the KDC is there");
        octets += count;
        length -= (size_t)count;
    }
}

/* Carries a request to the KDC on this port, by TCP. */
static gss_buffer_desc ask(const char *port, gss_buffer_t request)
{
    struct sockaddr_in kdc = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
    unsigned char length[4];
    gss_buffer_desc reply;
    int connection = socket(AF_INET, SOCK_STREAM, 0);

    kdc.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(connect(connection, (struct sockaddr *)&kdc, sizeof kdc) == 0, "the KDC listens");
    for (int i = 0; i < 4; i++)
        length[i] = (unsigned char)(request->length >> (24 - 8 * i));
    all(1, connection, length, 4);
    all(1, connection, request->value, request->length);
    all(0, connection, length, 4);
    reply.length = (size_t)length[0] << 24 | (size_t)length[1] << 16 | (size_t)length[2] << 8 | length[3];
    reply.value = malloc(reply.length);
    all(0, connection, reply.value, reply.length);
    close(connection);
    return reply;
}

static OM_uint32 initiate(OM_uint32 *minor, gss_cred_id_t cred, gss_ctx_id_t *context, gss_name_t name, gss_buffer_t in,
                          gss_buffer_t out, OM_uint32 *flags)
{
    return gss_init_sec_context(minor, cred, context, name, GSS_C_NO_OID, 0, 0, GSS_C_NO_CHANNEL_BINDINGS, in, NULL, out,
                                flags, NULL);
}

static void carried(gss_name_t name, const char *port)
{
    OM_uint32 minor, major, flags;
    gss_cred_id_t cred = credential(GSS_ORTHROS_CARRY, "");
    gss_ctx_id_t context = GSS_C_NO_CONTEXT, accepted = GSS_C_NO_CONTEXT;
    gss_buffer_desc token, reply, back, empty = GSS_C_EMPTY_BUFFER;
    gss_buffer_set_t asked;
    int requests = 0;

    major = initiate(&minor, cred, &context, name, GSS_C_NO_BUFFER, &token, &flags);
    while (major == GSS_S_CONTINUE_NEEDED) {
        require(token.length == 0, "nothing is for the peer yet");
        major = initiate(&minor, cred, &context, name, GSS_C_NO_BUFFER, &token, &flags);
        require(GSS_ERROR(major) == GSS_S_NO_CONTEXT, "without the reply it does not go on, and asks again");
        major = gss_inquire_sec_context_by_oid(&minor, context, GSS_ORTHROS_KDC_MESSAGE, &asked);
        gss_ok(major, &minor, "it asks a KDC");
        require(asked->count == 2 && asked->elements[0].length > 0, "of a realm, something");
        reply = ask(port, &asked->elements[1]);
        gss_release_buffer_set(&minor, &asked);
        gss_ok(gss_set_sec_context_option(&minor, &context, GSS_ORTHROS_KDC_MESSAGE, &reply), &minor, "the reply is taken");
        free(reply.value);
        requests++;
        major = initiate(&minor, cred, &context, name, GSS_C_NO_BUFFER, &token, &flags);
    }
    gss_ok(major, &minor, "the context is up");
    require(requests > 0, "a KDC was asked");
    major = gss_accept_sec_context(&minor, &accepted, GSS_C_NO_CREDENTIAL, &token, GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL,
                                   &back, NULL, NULL, NULL);
    gss_ok(major, &minor, "the acceptor takes it");
    require(GSS_ERROR(gss_inquire_sec_context_by_oid(&minor, context, GSS_ORTHROS_KDC_MESSAGE, &asked)), "nothing is asked");
    require(GSS_ERROR(gss_set_sec_context_option(&minor, &context, GSS_ORTHROS_KDC_MESSAGE, &empty)), "no reply is due");
    gss_release_buffer(&minor, &token);
    gss_release_buffer(&minor, &back);
    gss_delete_sec_context(&minor, &context, NULL);
    gss_delete_sec_context(&minor, &accepted, NULL);
    gss_release_cred(&minor, &cred);
}

static void nobody_there(gss_name_t name)
{
    OM_uint32 minor, major, ignored, more = 0;
    gss_cred_id_t cred = credential(GSS_ORTHROS_CARRY, "");
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_buffer_desc token, text, empty = GSS_C_EMPTY_BUFFER;

    major = initiate(&minor, cred, &context, name, GSS_C_NO_BUFFER, &token, NULL);
    require(major == GSS_S_CONTINUE_NEEDED, "a KDC is to be asked");
    gss_ok(gss_set_sec_context_option(&minor, &context, GSS_ORTHROS_KDC_MESSAGE, &empty), &minor, "there is no reply");
    major = initiate(&minor, cred, &context, name, GSS_C_NO_BUFFER, &token, NULL);
    require(GSS_ERROR(major), "so there is no context");
    gss_display_status(&ignored, minor, GSS_C_MECH_CODE, GSS_C_NO_OID, &more, &text);
    printf("told: %.*s\n", (int)text.length, (char *)text.value);
    gss_release_buffer(&minor, &text);
    gss_delete_sec_context(&minor, &context, NULL);
    gss_release_cred(&minor, &cred);
}

static void explained(void)
{
    OM_uint32 minor, major, ignored, more = 0;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_name_t name = target("nothing@localhost");
    gss_buffer_desc token, text;

    major = initiate(&minor, GSS_C_NO_CREDENTIAL, &context, name, GSS_C_NO_BUFFER, &token, NULL);
    require(GSS_ERROR(major), "a service that nobody knows");
    gss_ok(gss_display_status(&ignored, minor, GSS_C_ORTHROS_JSON, GSS_C_NO_OID, &more, &text), &ignored, "as JSON");
    printf("json: %.*s\n", (int)text.length, (char *)text.value);
    gss_release_buffer(&minor, &text);
    gss_release_name(&minor, &name);
}

static void stays(gss_name_t name, const char *value, int may_move)
{
    OM_uint32 minor, major, flags;
    gss_cred_id_t cred = credential(GSS_ORTHROS_TRANSFER, value);
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_buffer_desc token, message = {5, "still"}, mic;

    gss_ok(initiate(&minor, cred, &context, name, GSS_C_NO_BUFFER, &token, &flags), &minor, "a context");
    gss_release_buffer(&minor, &token);
    require(!(flags & GSS_C_TRANS_FLAG) == !may_move, "its flag says whether it moves");
    major = gss_export_sec_context(&minor, &context, &token);
    if (may_move) {
        gss_ok(major, &minor, "it moves");
        require(context == GSS_C_NO_CONTEXT, "it is gone here");
        gss_release_buffer(&minor, &token);
    } else {
        require(GSS_ERROR(major) == GSS_S_UNAVAILABLE && token.length == 0, "it does not move");
        gss_ok(gss_get_mic(&minor, context, 0, &message, &mic), &minor, "it goes on");
        gss_release_buffer(&minor, &mic);
        gss_delete_sec_context(&minor, &context, NULL);
    }
    gss_release_cred(&minor, &cred);
}

/* What a context's token demands is checked at its import. */
static void demands(gss_name_t name)
{
    OM_uint32 minor, major;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT, moved = GSS_C_NO_CONTEXT;
    gss_buffer_desc token, kept, wrong = {8, "somebody"}, here = {15, "user,executable"}, mail = {13, "audience=mail"};

    gss_ok(initiate(&minor, GSS_C_NO_CREDENTIAL, &context, name, GSS_C_NO_BUFFER, &token, NULL), &minor, "a context");
    gss_release_buffer(&minor, &token);
    major = gss_set_sec_context_option(&minor, &context, GSS_ORTHROS_TRANSFER_POLICY, &wrong);
    require(GSS_ERROR(major) == GSS_S_FAILURE, "a word that is none");
    major = gss_set_sec_context_option(&minor, &context, GSS_ORTHROS_TRANSFER_POLICY, &here);
    gss_ok(major, &minor, "for processes like this one");
    gss_ok(gss_export_sec_context(&minor, &context, &token), &minor, "it moves");
    gss_ok(gss_import_sec_context(&minor, &token, &moved), &minor, "to this process");
    gss_release_buffer(&minor, &token);

    major = gss_set_sec_context_option(&minor, &moved, GSS_ORTHROS_TRANSFER_POLICY, &mail);
    gss_ok(major, &minor, "for another audience");
    major = gss_set_sec_context_option(&minor, &moved, GSS_ORTHROS_TRANSFER_POLICY, &mail);
    require(GSS_ERROR(major) == GSS_S_UNAVAILABLE, "it is said once");
    gss_ok(gss_export_sec_context(&minor, &moved, &kept), &minor, "it moves again");
    major = gss_import_sec_context(&minor, &kept, &moved);
    require(GSS_ERROR(major) == GSS_S_UNAUTHORIZED && moved == GSS_C_NO_CONTEXT, "this process names no audience");
    gss_release_buffer(&minor, &kept);
}

static void unknown_elsewhere(void)
{
    OM_uint32 minor, major;
    gss_cred_id_t cred;
    gss_buffer_desc value = {3, "off"};

    major = gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, GSS_C_NO_OID_SET, GSS_C_INITIATE, &cred, NULL, NULL);
    gss_ok(major, &minor, "a credential");
    major = gss_set_cred_option(&minor, &cred, GSS_ORTHROS_TRANSFER, &value);
    require(GSS_ERROR(major) == GSS_S_UNAVAILABLE, "another library knows nothing of it");
    gss_release_cred(&minor, &cred);
}

int main(int argc, char **argv)
{
    OM_uint32 minor;
    gss_name_t name;

    require(argc == 2 || argc == 3, "one argument or two");
    if (argc == 2) {
        unknown_elsewhere();
    } else {
        name = target(argv[1]);
        nobody_there(name);
        carried(name, argv[2]);
        explained();
        stays(name, "off", 0);
        stays(name, "on", 1);
        demands(name);
        gss_release_name(&minor, &name);
    }
    nothing_lives();
    printf("all held\n");
    return 0;
}
