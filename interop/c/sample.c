/* One end of the krb5-gss-samples protocol on whatever GSS library is named.
 *
 *   sample LIBRARY client [options] HOST-BASED-SERVICE MESSAGE
 *   sample LIBRARY server [options] HOST-BASED-SERVICE
 *
 * The library is opened by its path, and what RFC 2744 says of its interface is declared here: neither headers nor
 * a second build are needed for another implementation. The options are those of MIT's samples, and some that they
 * lack: the last ones in option(). -prf and -lucid print key material. The server prints "starting..." once it
 * listens, and serves one connection after the other.
 *
 * A token is one octet of flags, four octets of length (big-endian), and its content.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sample.h"

#define LONGEST 0x100000u

struct library gss;

static const struct { const char *name; void *place; } SYMBOLS[] = {
    {"gss_import_name", &gss.import_name},       {"gss_display_name", &gss.display_name},
    {"gss_acquire_cred", &gss.acquire_cred},     {"gss_inquire_cred", &gss.inquire_cred},
    {"gss_init_sec_context", &gss.init},         {"gss_accept_sec_context", &gss.accept},
    {"gss_delete_sec_context", &gss.delete_context},
    {"gss_export_sec_context", &gss.export_context},
    {"gss_import_sec_context", &gss.import_context},
    {"gss_wrap", &gss.wrap},                     {"gss_unwrap", &gss.unwrap},
    {"gss_get_mic", &gss.get_mic},               {"gss_verify_mic", &gss.verify_mic},
    {"gss_display_status", &gss.display_status}, {"gss_pseudo_random", &gss.pseudo_random},
    {"gss_wrap_iov", &gss.wrap_iov},             {"gss_wrap_iov_length", &gss.wrap_iov_length},
    {"gss_unwrap_iov", &gss.unwrap_iov},         {"gss_wrap_aead", &gss.wrap_aead},
    {"gss_unwrap_aead", &gss.unwrap_aead},
    {"gss_krb5_export_lucid_sec_context", &gss.export_lucid},
    {"gss_inquire_sec_context_by_oid", &gss.inquire_by_oid},
}, LACKED_BY_SOME[] = {
    {"gss_get_mic_iov", &gss.get_mic_iov},       {"gss_verify_mic_iov", &gss.verify_mic_iov},
};

/* 1.2.840.113554.1.2.2, 1.3.6.1.5.5.2, and the name type of services on hosts, 1.2.840.113554.1.2.1.4. */
static oid KRB5 = {9, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
static oid SPNEGO = {6, "\x2b\x06\x01\x05\x05\x02"};
/* 1.3.6.1.4.1.311.2.2.10, for a library that loads it. */
static oid NTLMSSP = {10, "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
static oid HOST_BASED = {10, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04"};

enum { DELEG = 1, MUTUAL = 2, REPLAY = 4, SEQUENCE = 8, CONF = 16, INTEG = 32 };
enum { BOUND = 0x800, DCE_STYLE = 0x1000, DELEG_POLICY = 0x8000 };
static const struct { uint32_t flag; const char *name; } FLAGS[] = {
    {DELEG, "GSS_C_DELEG_FLAG"}, {MUTUAL, "GSS_C_MUTUAL_FLAG"}, {REPLAY, "GSS_C_REPLAY_FLAG"},
    {SEQUENCE, "GSS_C_SEQUENCE_FLAG"}, {CONF, "GSS_C_CONF_FLAG"}, {INTEG, "GSS_C_INTEG_FLAG"},
    {BOUND, "GSS_C_CHANNEL_BOUND_FLAG"}, {DCE_STYLE, "GSS_C_DCE_STYLE"},
};

/* The kinds of tokens that the samples know. */
enum { NOOP = 1, CONTEXT = 2, DATA = 4, MIC = 8, CONTEXT_NEXT = 16, WRAPPED = 32, ENCRYPTED = 64, SEND_MIC = 128 };
/* In a message that is wrapped: it is wanted back, wrapped. MIT's samples never set this bit there. */
enum { ECHO = MIC };

struct asked asked = {.port = 4444, .flags = MUTUAL | REPLAY | CONF | INTEG, .messages = 1, .contexts = 1,
                      .encrypt = 1, .wrap = 1, .mic = 1, .associated = ""};

void fail(const char *what) {
    printf("sample: %s\n", what);
    exit(2);
}

static oid *mechanism(void) {
    return asked.negotiate ? &SPNEGO : asked.ntlm ? &NTLMSSP : &KRB5;
}

int good(const char *doing, status major, status minor) {
    status ignored, codes[2] = {major, minor};
    if (!IS_ERROR(major)) return 1;
    for (int kind = 0; kind < 2; kind++) {
        uint32_t more = 0;
        do {
            buffer text = {0, NULL};
            if (IS_ERROR(gss.display_status(&ignored, codes[kind], kind + 1, mechanism(), &more, &text))) break;
            printf("GSS-API error %s: %.*s\n", doing, (int)text.length, (char *)text.value);
        } while (more);
    }
    return 0;
}

static int all(int sock, void *octets, size_t count, int writing) {
    char *at = octets;
    while (count > 0) {
        ssize_t done = writing ? send(sock, at, count, MSG_NOSIGNAL) : recv(sock, at, count, 0);
        if (done <= 0) return 0;
        at += done;
        count -= (size_t)done;
    }
    return 1;
}

static int give(int sock, int flags, buffer token) {
    uint32_t length = htonl((uint32_t)token.length);
    unsigned char head[5] = {(unsigned char)flags};
    memcpy(head + 1, &length, 4);
    return all(sock, head, 5, 1) && all(sock, token.value, token.length, 1);
}

/* The flags of the next token, or -1 if the peer closed the connection. */
static int take(int sock, buffer *token) {
    unsigned char head[5];
    uint32_t length;
    if (!all(sock, head, 5, 0)) return -1;
    memcpy(&length, head + 1, 4);
    token->length = ntohl(length);
    if (token->length > LONGEST) fail("a token is too long");
    if ((token->value = malloc(token->length + 1)) == NULL) fail("no memory");
    return all(sock, token->value, token->length, 0) ? head[0] : -1;
}

static handle service_name(void) {
    status minor, major;
    handle name = NULL;
    buffer text = {strlen(asked.service), (void *)asked.service};
    major = gss.import_name(&minor, &text, &HOST_BASED, &name);
    if (!good("importing name", major, minor)) exit(1);
    return name;
}

static void print_name(const char *before, handle name) {
    status minor, major;
    buffer text = {0, NULL};
    major = gss.display_name(&minor, name, &text, NULL);
    if (good("displaying name", major, minor))
        printf("%s: \"%.*s\"\n", before, (int)text.length, (char *)text.value);
}

static void print_flags(uint32_t got) {
    for (size_t row = 0; row < sizeof FLAGS / sizeof *FLAGS; row++)
        if (got & FLAGS[row].flag) printf("context flag: %s\n", FLAGS[row].name);
}

/* RFC 4401: 64 octets of each key. */
static void print_material(handle context) {
    buffer label = {0, NULL}, drawn;
    status minor, major;
    if (asked.prf == NULL) return;
    label = (buffer){strlen(asked.prf), (void *)asked.prf};
    for (int key = 0; key < 2; key++) {
        drawn = (buffer){0, NULL};
        major = gss.pseudo_random(&minor, context, key, &label, 64, &drawn);
        if (!good("drawing key material", major, minor)) return;
        printf(key == 0 ? "PRF full: " : "PRF partial: ");
        for (size_t at = 0; at < drawn.length; at++) printf("%02x", ((unsigned char *)drawn.value)[at]);
        printf("\n");
    }
}

static handle initiate(int sock) {
    status minor, major;
    handle context = NULL, name = service_name();
    uint32_t got = 0;
    buffer in = {0, NULL}, none = {0, NULL};
    if (!give(sock, NOOP | CONTEXT_NEXT, none)) fail("the peer closed the connection");
    do {
        buffer out = {0, NULL};
        major = gss.init(&minor, NULL, &context, name, mechanism(), asked.flags, 0, asked.bindings, &in, NULL, &out, &got,
                         NULL);
        if (out.length > 0 && !give(sock, CONTEXT, out)) fail("the peer closed the connection");
        if (!good("initializing context", major, minor)) exit(1);
        if (major & CONTINUE_NEEDED && take(sock, &in) < 0) {
            printf("the peer closed the connection\n");
            exit(1);
        }
    } while (major & CONTINUE_NEEDED);
    /* What was asked for and is missing would go unnoticed otherwise. The two are wishes that need not come true. */
    uint32_t musts = asked.flags & ~(uint32_t)(BOUND | DELEG_POLICY);
    if ((got & musts) != musts) {
        printf("flags asked for: %x, got: %x\n", asked.flags, got);
        exit(1);
    }
    print_flags(got);
    return context;
}

static void send_message(int sock, handle context) {
    status minor, major;
    buffer plain = {strlen(asked.message), (void *)asked.message}, out = plain, answer = {0, NULL};
    int sealed = 0, flags = DATA;
    if (asked.wrap) {
        major = protect(&minor, context, asked.encrypt, plain, &sealed, &out);
        if (!good("wrapping message", major, minor)) exit(1);
        if (sealed != asked.encrypt) fail("sealed and asked to seal differ");
    }
    flags |= (asked.wrap ? WRAPPED : 0) | (asked.encrypt ? ENCRYPTED : 0);
    flags |= asked.echo ? ECHO : asked.mic ? SEND_MIC : 0;
    if (!give(sock, flags, out) || take(sock, &answer) < 0) {
        printf("the peer closed the connection\n");
        exit(1);
    }
    if (asked.echo) {
        major = unprotect(&minor, context, asked.encrypt, answer, &sealed, &out);
        if (!good("unwrapping echo", major, minor)) exit(1);
        if (!sealed != !asked.encrypt) fail("the echo is not sealed as asked");
        if (out.length != plain.length || memcmp(out.value, plain.value, plain.length) != 0) fail("another echo");
        printf("Echo received.\n");
        return;
    }
    if (!asked.mic) {
        printf("Response received.\n");
        return;
    }
    major = verify(&minor, context, plain, answer);
    if (!good("verifying signature", major, minor)) exit(1);
    printf("Signature verified.\n");
}

static void client(struct sockaddr_in where) {
    buffer none = {0, NULL};
    for (int round = 0; round < asked.contexts; round++) {
        status minor;
        int sock = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(sock, (struct sockaddr *)&where, sizeof where) != 0) fail("can't connect");
        handle context = initiate(sock);
        print_material(context);
        for (int count = 0; count < asked.messages; count++) send_message(sock, context);
        give(sock, NOOP, none);
        if (asked.lucid) print_lucid(&context);
        gss.delete_context(&minor, &context, NULL);
        close(sock);
    }
}

static int move_context(handle *context) {
    status minor, major;
    buffer moved = {0, NULL};
    major = gss.export_context(&minor, context, &moved);
    if (!good("exporting context", major, minor)) return 0;
    printf("Exported context: %zu octets\n", moved.length);
    major = gss.import_context(&minor, &moved, context);
    return good("importing context", major, minor);
}

static int accept_context(int sock, handle credential, handle *context) {
    status minor, major;
    handle peer = NULL, delegated = NULL;
    uint32_t got = 0;
    do {
        buffer in = {0, NULL}, out = {0, NULL};
        if (take(sock, &in) < 0) return 0;
        major = gss.accept(&minor, context, credential, &in, asked.bindings, &peer, NULL, &out, &got, NULL,
                           &delegated);
        /* Also after an error: the token tells the peer which. */
        if (out.length > 0 && !give(sock, CONTEXT, out)) return 0;
        if (!good("accepting context", major, minor)) return 0;
    } while (major & CONTINUE_NEEDED);
    print_name("Accepted connection", peer);
    print_flags(got);
    if (delegated != NULL) {
        handle whose = NULL;
        major = gss.inquire_cred(&minor, delegated, &whose, NULL, NULL, NULL);
        if (!good("inquiring delegated credential", major, minor)) return 0;
        print_name("Delegated credential", whose);
    }
    return !asked.move || move_context(context);
}

static void serve(int sock, handle credential) {
    status minor, major;
    handle context = NULL;
    buffer in = {0, NULL}, none = {0, NULL};
    int flags = take(sock, &in);
    if (flags < 0 || !(flags & CONTEXT_NEXT) || !accept_context(sock, credential, &context)) return;
    print_material(context);
    while ((flags = take(sock, &in)) >= 0 && !(flags & NOOP)) {
        buffer plain = in, mic = none;
        int sealed = 0;
        printf("Message token (flags=%d)\n", flags);
        if (flags & WRAPPED) {
            major = unprotect(&minor, context, flags & ENCRYPTED, in, &sealed, &plain);
            if (!good("unwrapping message", major, minor)) return;
            if (!sealed != !(flags & ENCRYPTED)) printf("Warning: sealed is %d\n", sealed);
        }
        if (flags & SEND_MIC) {
            major = sign(&minor, context, plain, &mic);
            if (!good("signing message", major, minor)) return;
        }
        if (flags & ECHO) {
            major = protect(&minor, context, flags & ENCRYPTED, plain, &sealed, &mic);
            if (!good("wrapping echo", major, minor)) return;
        }
        if (!give(sock, flags & ECHO ? DATA : flags & SEND_MIC ? MIC : NOOP, mic)) return;
        printf("Received message: \"%.*s\"\n", (int)plain.length, (char *)plain.value);
    }
    if (asked.lucid) print_lucid(&context);
    gss.delete_context(&minor, &context, NULL);
}

static void server(struct sockaddr_in where) {
    status minor, major;
    handle credential = NULL;
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    major = gss.acquire_cred(&minor, service_name(), 0xffffffffu, NULL, 2, &credential, NULL, NULL);
    if (!good("acquiring credentials", major, minor)) exit(1);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&where, sizeof where) != 0 || listen(listener, 5) != 0)
        fail("can't listen");
    printf("starting...\n");
    for (;;) {
        int sock = accept(listener, NULL, NULL);
        if (sock < 0) fail("can't accept");
        serve(sock, credential);
        close(sock);
    }
}

static int is(const char *word, const char *option) {
    return strcmp(word, option) == 0;
}

/* One option; how many words it took, or 0. */
static int option(char **words) {
    static channel bindings;
    const char *word = words[0], *value = words[1];
    if (is(word, "-krb5") || is(word, "-verbose")) return 1;
    if (is(word, "-d")) return asked.flags |= DELEG, 1;
    if (is(word, "-seq") || is(word, "-sequence")) return asked.flags |= SEQUENCE, 1;
    if (is(word, "-nomutual")) return asked.flags &= ~(uint32_t)MUTUAL, 1;
    if (is(word, "-noreplay")) return asked.flags &= ~(uint32_t)REPLAY, 1;
    if (is(word, "-nx") || is(word, "-no-encrypt")) return asked.encrypt = 0, 1;
    if (is(word, "-nw")) return asked.wrap = 0, 1;
    if (is(word, "-nm")) return asked.mic = 0, 1;
    if (is(word, "-export")) return asked.move = 1;
    if (is(word, "-dce")) return asked.flags |= DCE_STYLE, 1;
    if (is(word, "-bound")) return asked.flags |= BOUND, 1;
    if (is(word, "-delegate-policy")) return asked.flags |= DELEG_POLICY, 1;
    if (is(word, "-ntlm")) return asked.ntlm = 1;
    if (is(word, "-spnego")) return asked.negotiate = 1;
    if (is(word, "-lucid")) return asked.lucid = 1;
    if (is(word, "-echo")) return asked.echo = 1;
    if (value == NULL) return 0;
    if (is(word, "-port")) return asked.port = (uint16_t)atoi(value), 2;
    if (is(word, "-mcount")) return asked.messages = atoi(value), 2;
    if (is(word, "-ccount")) return asked.contexts = atoi(value), 2;
    if (is(word, "-prf")) return asked.prf = value, 2;
    if (is(word, "-associated")) return asked.associated = value, 2;
    if (is(word, "-layout")) return layout_named(value) ? 2 : 0;
    if (is(word, "-bindings")) {
        bindings.application = (buffer){strlen(value), (void *)value};
        return asked.bindings = &bindings, 2;
    }
    return 0;
}

int main(int count, char **words) {
    struct sockaddr_in where = {.sin_family = AF_INET};
    void *library;
    int took, place = 3;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (count < 4) fail("usage: sample LIBRARY client|server [options] SERVICE [MESSAGE]");
    if ((library = dlopen(words[1], RTLD_NOW)) == NULL) fail(dlerror());
    for (size_t row = 0; row < sizeof SYMBOLS / sizeof *SYMBOLS; row++) {
        void *found = dlsym(library, SYMBOLS[row].name);
        if (found == NULL) fail(dlerror());
        memcpy(SYMBOLS[row].place, &found, sizeof found);
    }
    for (size_t row = 0; row < sizeof LACKED_BY_SOME / sizeof *LACKED_BY_SOME; row++) {
        void *found = dlsym(library, LACKED_BY_SOME[row].name);
        memcpy(LACKED_BY_SOME[row].place, &found, sizeof found);
    }
    while (place < count && words[place][0] == '-') {
        if ((took = option(words + place)) == 0) fail("no such option, or its value is missing");
        place += took;
    }
    asked.service = words[place];
    where.sin_port = htons(asked.port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (is(words[2], "server") && count == place + 1) {
        server(where);
    } else if (is(words[2], "client") && count == place + 2) {
        asked.message = words[place + 1];
        client(where);
    } else {
        fail("neither a client with service and message nor a server with service");
    }
    return 0;
}
