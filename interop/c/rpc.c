/* Remote procedure calls with RPCSEC_GSS (RFC 2203), by libtirpc, without a port mapper.
 *
 *   rpc server SERVICE
 *   rpc client SERVICE PORT
 *
 * The server listens on a port of 127.0.0.1 and prints "listening on PORT"; its one procedure answers who called, at
 * which level of protection, and the octets it was given. The client calls it at each level with messages of some
 * lengths, prints each answer up to the octets, and sees that these came back; then it calls without any credential,
 * which must be refused.
 */
#include <arpa/inet.h>
#include <rpc/rpc.h>
#include <rpc/rpcsec_gss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PROGRAM = 0x20004f52, VERSION = 1, ECHO = 1, LONGEST = 8000 };

struct answer {
    char *who;
    u_int level, length;
    char *octets;
};

static bool_t xdr_message(XDR *xdrs, struct answer *message) {
    return xdr_bytes(xdrs, &message->octets, &message->length, LONGEST);
}

static bool_t xdr_answer(XDR *xdrs, struct answer *answer) {
    return xdr_string(xdrs, &answer->who, 256) && xdr_u_int(xdrs, &answer->level) && xdr_message(xdrs, answer);
}

static void serve(struct svc_req *request, SVCXPRT *transport) {
    struct answer answer = {0};
    rpc_gss_rawcred_t *caller;
    if (request->rq_proc != ECHO)
        svcerr_noproc(transport);
    else if (request->rq_cred.oa_flavor != RPCSEC_GSS || !rpc_gss_getcred(request, &caller, NULL, NULL))
        svcerr_weakauth(transport);
    else if (!svc_getargs(transport, (xdrproc_t)xdr_message, (caddr_t)&answer))
        svcerr_decode(transport);
    else {
        /* The display name, which nothing ends but its length. */
        answer.who = strndup(caller->client_principal->name, (size_t)caller->client_principal->len);
        answer.level = caller->service;
        svc_sendreply(transport, (xdrproc_t)xdr_answer, (caddr_t)&answer);
        free(answer.who);
        svc_freeargs(transport, (xdrproc_t)xdr_message, (caddr_t)&answer);
    }
}

static int server(char *service) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    SVCXPRT *transport;
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 4)
        || getsockname(listener, (struct sockaddr *)&address, &length)
        || !(transport = svc_vc_create(listener, 0, 0)) || !svc_reg(transport, PROGRAM, VERSION, serve, NULL)
        || !rpc_gss_set_svc_name(service, "kerberos_v5", 0, PROGRAM, VERSION)) {
        fprintf(stderr, "the server can't be set up\n");
        return 1;
    }
    printf("listening on %d\n", ntohs(address.sin_port));
    fflush(stdout);
    svc_run();
    return 1;
}

static CLIENT *connected(char *port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)atoi(port))};
    struct netbuf peer = {.maxlen = sizeof address, .len = sizeof address, .buf = &address};
    int link = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(link, (struct sockaddr *)&address, sizeof address))
        return NULL;
    CLIENT *client = clnt_vc_create(link, &peer, PROGRAM, VERSION, 0, 0);
    if (client)
        clnt_control(client, CLSET_FD_CLOSE, NULL);
    return client;
}

static enum clnt_stat call(CLIENT *client, u_int length, struct answer *answer) {
    static char octets[LONGEST];
    struct answer message = {.length = length, .octets = octets};
    struct timeval patience = {.tv_sec = 20};
    for (u_int place = 0; place < length; place++)
        octets[place] = (char)(place * 7 + length);
    enum clnt_stat status = clnt_call(
        client, ECHO, (xdrproc_t)xdr_message, (caddr_t)&message, (xdrproc_t)xdr_answer, (caddr_t)answer, patience);
    if (status == RPC_SUCCESS && (answer->length != length || memcmp(answer->octets, octets, length))) {
        fprintf(stderr, "other octets came back\n");
        exit(1);
    }
    return status;
}

static int client(char *service, char *port) {
    static const u_int LENGTHS[] = {0, 1, 4096, LONGEST};
    CLIENT *client = connected(port);
    if (!client) {
        clnt_pcreateerror("connecting");
        return 1;
    }
    for (int level = rpcsec_gss_svc_none; level <= rpcsec_gss_svc_privacy; level++) {
        rpc_gss_options_ret_t told;
        client->cl_auth = rpc_gss_seccreate(client, service, "kerberos_v5", level, NULL, NULL, &told);
        if (!client->cl_auth) {
            fprintf(stderr, "no context: %#x %d\n", (unsigned)told.major_status, told.minor_status);
            return 1;
        }
        for (size_t which = 0; which < sizeof LENGTHS / sizeof *LENGTHS; which++) {
            struct answer answer = {0};
            if (call(client, LENGTHS[which], &answer) != RPC_SUCCESS) {
                clnt_perror(client, "a call");
                return 1;
            }
            printf("%s at level %u: %u octets\n", answer.who, answer.level, answer.length);
            xdr_free((xdrproc_t)xdr_answer, &answer);
        }
        auth_destroy(client->cl_auth);
    }
    struct answer answer = {0};
    client->cl_auth = authnone_create();
    if (call(client, 1, &answer) != RPC_AUTHERROR) {
        fprintf(stderr, "a call without credential was answered\n");
        return 1;
    }
    clnt_destroy(client);
    return 0;
}

int main(int count, char **words) {
    if (count == 3 && !strcmp(words[1], "server"))
        return server(words[2]);
    if (count == 4 && !strcmp(words[1], "client"))
        return client(words[2], words[3]);
    fprintf(stderr, "rpc server SERVICE | rpc client SERVICE PORT\n");
    return 2;
}
