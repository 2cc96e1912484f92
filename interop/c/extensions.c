/* What only Orthros has: its arguments are the target and the port of the KDC; with no second argument another library is
 * asked, which must know nothing of it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
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

static gss_buffer_desc buffer_of(const char *text)
{
    gss_buffer_desc buffer = {strlen(text), (void *)text};
    return buffer;
}

static gss_name_t target(const char *text)
{
    OM_uint32 minor, major;
    gss_buffer_desc buffer = buffer_of(text);
    gss_name_t name;

    major = gss_import_name(&minor, &buffer, GSS_C_NT_HOSTBASED_SERVICE, &name);
    gss_ok(major, &minor, "a target's name");
    return name;
}

static gss_cred_id_t credential(gss_OID option, const char *value)
{
    OM_uint32 minor, major;
    gss_buffer_desc buffer = buffer_of(value);
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
    struct sockaddr_in kdc;
    unsigned char length[4];
    gss_buffer_desc reply;
    int connection = socket(AF_INET, SOCK_STREAM, 0);

    memset(&kdc, 0, sizeof kdc);
    kdc.sin_family = AF_INET;
    kdc.sin_port = htons((unsigned short)atoi(port));
    kdc.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(connect(connection, (struct sockaddr *)&kdc, sizeof kdc) == 0, "the KDC listens");
    for (int i = 0; i < 4; i++)
        length[i] = (unsigned char)(request->length >> (24 - 8 * i));
    all(1, connection, length, 4);
    all(1, connection, (unsigned char *)request->value, request->length);
    all(0, connection, length, 4);
    reply.length = (size_t)length[0] << 24 | (size_t)length[1] << 16 | (size_t)length[2] << 8 | length[3];
    reply.value = malloc(reply.length);
    all(0, connection, (unsigned char *)reply.value, reply.length);
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
    gss_buffer_desc token, message = buffer_of("still"), mic;

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
    gss_buffer_desc token, kept, wrong = buffer_of("somebody"), here = buffer_of("user,executable"), mail = buffer_of("audience=mail");

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

static OM_uint32 accept_token(OM_uint32 *minor, gss_ctx_id_t *context, gss_buffer_t token, gss_buffer_t back)
{
    return gss_accept_sec_context(minor, context, GSS_C_NO_CREDENTIAL, token, GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL, back,
                                  NULL, NULL, NULL);
}

/* What one end protects, the other opens. */
static void talks(gss_ctx_id_t from, gss_ctx_id_t to)
{
    OM_uint32 minor;
    gss_buffer_desc message = buffer_of("still"), sealed, opened;

    gss_ok(gss_wrap(&minor, from, 1, GSS_C_QOP_DEFAULT, &message, NULL, &sealed), &minor, "one end");
    gss_ok(gss_unwrap(&minor, to, &sealed, &opened, NULL, NULL), &minor, "the other end");
    require(opened.length == 5 && memcmp(opened.value, "still", 5) == 0, "what was sent");
    gss_release_buffer(&minor, &sealed);
    gss_release_buffer(&minor, &opened);
}

static void both_ends(gss_name_t name, gss_ctx_id_t *initiator, gss_ctx_id_t *acceptor)
{
    OM_uint32 minor;
    gss_buffer_desc token, back;

    *initiator = *acceptor = GSS_C_NO_CONTEXT;
    gss_ok(initiate(&minor, GSS_C_NO_CREDENTIAL, initiator, name, GSS_C_NO_BUFFER, &token, NULL), &minor, "an initiator");
    gss_ok(accept_token(&minor, acceptor, &token, &back), &minor, "an acceptor");
    gss_release_buffer(&minor, &token);
    gss_release_buffer(&minor, &back);
}

/* An acceptor's context on its way up goes on by a cookie, once, if that was asked for. */
static void suspended(gss_name_t name)
{
    OM_uint32 minor, major;
    gss_ctx_id_t near = GSS_C_NO_CONTEXT, far = GSS_C_NO_CONTEXT, again = GSS_C_NO_CONTEXT;
    gss_buffer_desc first, second, third, cookie, none = GSS_C_EMPTY_BUFFER;
    OM_uint32 flags = GSS_C_MUTUAL_FLAG | GSS_C_DCE_STYLE;
    const char *configured = getenv("ORTHROS_TRANSFER");

    major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &near, name, GSS_C_NO_OID, flags, 0,
                                 GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER, NULL, &first, NULL, NULL);
    gss_ok(major, &minor, "three tokens");
    major = gss_set_sec_context_option(&minor, &far, GSS_ORTHROS_SUSPEND, &none);
    require(GSS_ERROR(major) == GSS_S_NO_CONTEXT, "there is nothing to suspend");
    require(accept_token(&minor, &far, &first, &second) == GSS_S_CONTINUE_NEEDED, "the third is awaited");
    if (configured == NULL || strstr(configured, "suspend") == NULL) {
        major = gss_export_sec_context(&minor, &far, &cookie);
        require(GSS_ERROR(major) == GSS_S_NO_CONTEXT && far != GSS_C_NO_CONTEXT, "not up, and nobody wants a cookie");
        gss_ok(gss_set_sec_context_option(&minor, &far, GSS_ORTHROS_SUSPEND, &none), &minor, "now it is wanted");
    }
    gss_ok(gss_export_sec_context(&minor, &far, &cookie), &minor, "a cookie");
    require(far == GSS_C_NO_CONTEXT && cookie.length > 0, "it is gone here");
    major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &near, name, GSS_C_NO_OID, flags, 0,
                                 GSS_C_NO_CHANNEL_BINDINGS, &second, NULL, &third, NULL, NULL);
    gss_ok(major, &minor, "the initiator is up");
    gss_release_buffer(&minor, &first);
    gss_release_buffer(&minor, &second);

    gss_ok(gss_import_sec_context(&minor, &cookie, &far), &minor, "the cookie");
    gss_ok(gss_import_sec_context(&minor, &cookie, &again), &minor, "a second handle");
    require(GSS_ERROR(gss_context_time(&minor, far, &flags)) == GSS_S_NO_CONTEXT, "it is not up yet");
    gss_ok(accept_token(&minor, &far, &third, &second), &minor, "it goes on");
    talks(near, far);
    talks(far, near);
    gss_release_buffer(&minor, &second);
    major = accept_token(&minor, &again, &third, &second);
    require(GSS_ERROR(major) == GSS_S_NO_CONTEXT, "the cookie was spent");
    gss_release_buffer(&minor, &second);
    ((unsigned char *)cookie.value)[cookie.length - 1] ^= 1;
    gss_delete_sec_context(&minor, &again, NULL);
    major = gss_import_sec_context(&minor, &cookie, &again);
    require(GSS_ERROR(major) == GSS_S_DEFECTIVE_TOKEN && again == GSS_C_NO_CONTEXT, "a changed cookie");
    gss_release_buffer(&minor, &third);
    gss_release_buffer(&minor, &cookie);
    gss_delete_sec_context(&minor, &near, NULL);
    gss_delete_sec_context(&minor, &far, NULL);
}

/* The importer names the audience of one token. */
static void audience(gss_name_t name)
{
    OM_uint32 minor, major;
    gss_ctx_id_t near, far, coming = GSS_C_NO_CONTEXT;
    gss_buffer_desc token, mail = buffer_of("audience=mail"), news = buffer_of("audience=news"), wrong = buffer_of("all");

    both_ends(name, &near, &far);
    gss_ok(gss_set_sec_context_option(&minor, &far, GSS_ORTHROS_TRANSFER_POLICY, &mail), &minor, "for mail");
    gss_ok(gss_export_sec_context(&minor, &far, &token), &minor, "a token");
    major = gss_import_sec_context(&minor, &token, &far);
    require(GSS_ERROR(major) == GSS_S_UNAUTHORIZED && far == GSS_C_NO_CONTEXT, "no audience is named");
    major = gss_set_sec_context_option(&minor, &far, GSS_ORTHROS_TOKEN, &token);
    require(GSS_ERROR(major) == GSS_S_UNAUTHORIZED && far == GSS_C_NO_CONTEXT, "here neither");
    major = gss_set_sec_context_option(&minor, &coming, GSS_ORTHROS_TRANSFER_POLICY, &wrong);
    require(GSS_ERROR(major) == GSS_S_FAILURE && coming == GSS_C_NO_CONTEXT, "a word that is none");
    gss_ok(gss_set_sec_context_option(&minor, &coming, GSS_ORTHROS_TRANSFER_POLICY, &news), &minor, "another audience");
    major = gss_set_sec_context_option(&minor, &coming, GSS_ORTHROS_TOKEN, &token);
    require(GSS_ERROR(major) == GSS_S_UNAUTHORIZED && coming != GSS_C_NO_CONTEXT, "it is not for that one");
    require(GSS_ERROR(gss_context_time(&minor, coming, &major)) == GSS_S_NO_CONTEXT, "nothing came");
    require(GSS_ERROR(gss_export_sec_context(&minor, &coming, &wrong)) == GSS_S_NO_CONTEXT, "nothing can go");
    gss_delete_sec_context(&minor, &coming, NULL);
    gss_ok(gss_set_sec_context_option(&minor, &far, GSS_ORTHROS_TRANSFER_POLICY, &mail), &minor, "the right audience");
    gss_ok(gss_set_sec_context_option(&minor, &far, GSS_ORTHROS_TOKEN, &token), &minor, "its token");
    talks(far, near);
    major = gss_set_sec_context_option(&minor, &far, GSS_ORTHROS_TOKEN, &token);
    require(GSS_ERROR(major) == GSS_S_UNAVAILABLE, "the handle is taken");
    gss_release_buffer(&minor, &token);
    gss_delete_sec_context(&minor, &near, NULL);
    gss_delete_sec_context(&minor, &far, NULL);
}

struct hand {
    int socket;
    unsigned user;
    OM_uint32 major, minor;
    gss_ctx_id_t context;
};

static void *hand(void *argument)
{
    struct hand *hand = (struct hand *)argument;
    char words[64];
    gss_buffer_desc value = {0, words};

    value.length = (size_t)sprintf(words, "socket=%d,uid=%u", hand->socket, hand->user);
    hand->major = gss_set_sec_context_option(&hand->minor, &hand->context, GSS_ORTHROS_HANDOVER, &value);
    return NULL;
}

/* A context goes over a socket, or stays where it is. */
static void over_a_socket(gss_name_t name)
{
    OM_uint32 minor;
    gss_ctx_id_t near;
    gss_buffer_desc nowhere = buffer_of("socket=99"), wrong = buffer_of("mail");
    struct hand giver, taker;
    pthread_t taking;
    int pair[2];

    memset(&giver, 0, sizeof giver);
    memset(&taker, 0, sizeof taker);
    giver.user = geteuid();
    both_ends(name, &near, &giver.context);
    require(GSS_ERROR(gss_set_sec_context_option(&minor, &giver.context, GSS_ORTHROS_HANDOVER, &nowhere)), "no socket");
    require(GSS_ERROR(gss_set_sec_context_option(&minor, &giver.context, GSS_ORTHROS_HANDOVER, &wrong)), "no word");
    for (int ours = 0; ours < 2; ours++) {
        taker.user = geteuid() + !ours;
        require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "a pair of sockets");
        giver.socket = pair[0];
        taker.socket = pair[1];
        require(pthread_create(&taking, NULL, hand, &taker) == 0, "a thread");
        hand(&giver);
        pthread_join(taking, NULL);
        close(pair[0]);
        close(pair[1]);
        if (!ours) {
            require(GSS_ERROR(taker.major) && taker.context == GSS_C_NO_CONTEXT, "the taker wants it from another user");
            require(GSS_ERROR(giver.major), "so it is not given");
            talks(giver.context, near);
        }
    }
    gss_ok(taker.major, &taker.minor, "it comes");
    gss_ok(giver.major, &giver.minor, "it goes");
    require(giver.context == GSS_C_NO_CONTEXT, "it is gone there");
    talks(near, taker.context);
    talks(taker.context, near);
    gss_delete_sec_context(&minor, &near, NULL);
    gss_delete_sec_context(&minor, &taker.context, NULL);
}

static void unknown_elsewhere(void)
{
    OM_uint32 minor, major;
    gss_cred_id_t cred;
    gss_buffer_desc value = buffer_of("off");

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
        suspended(name);
        audience(name);
        over_a_socket(name);
        gss_release_name(&minor, &name);
    }
    nothing_lives();
    printf("all held\n");
    return 0;
}
