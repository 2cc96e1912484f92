/* Messages in pieces (gss_wrap_iov and its kin) and with associated data (gss_wrap_aead), as both libraries have
 * them, and the exported keys of a context.
 *
 * On the wire the pieces follow each other; what is signed only does not travel. The receiver cuts a token by the
 * lengths that its own library tells for its own context. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

enum { DATA_PIECE = 1, HEADER = 2, TRAILER = 7, PADDING = 9, STREAM_PIECE = 10, SIGN_ONLY = 11, MIC_TOKEN = 12 };
#define ALLOCATE 0x00010000u
#define MOST 6

static const char *const LAYOUTS[] = {"whole", "pieces", "rotated", "stream", "aead"};

int layout_named(const char *name) {
    for (int row = 0; row <= AEAD; row++)
        if (strcmp(LAYOUTS[row], name) == 0) return asked.layout = row, 1;
    return 0;
}

static buffer room(size_t length) {
    buffer made = {length, malloc(length + 1)};
    if (made.value == NULL) fail("no memory");
    return made;
}

static buffer joined(buffer first, buffer second) {
    buffer both = room(first.length + second.length);
    memcpy(both.value, first.value, first.length);
    memcpy((char *)both.value + first.length, second.value, second.length);
    return both;
}

static buffer associated(void) {
    return (buffer){strlen(asked.associated), (void *)asked.associated};
}

/* The pieces in their order; how many. The data come in two pieces where `split`. */
static int lay(piece *pieces, buffer data, int split) {
    int count = 0;
    size_t half = split ? data.length / 2 : 0;
    pieces[count++] = (piece){HEADER, {0, NULL}};
    pieces[count++] = (piece){SIGN_ONLY, associated()};
    if (split) pieces[count++] = (piece){DATA_PIECE, {half, data.value}};
    pieces[count++] = (piece){DATA_PIECE, {data.length - half, (char *)data.value + half}};
    if (asked.layout == ROTATED) return count;
    pieces[count++] = (piece){PADDING, {0, NULL}};
    pieces[count++] = (piece){TRAILER, {0, NULL}};
    return count;
}

static int travels(const piece *piece) {
    return piece->type != SIGN_ONLY;
}

static status protect_pieces(status *minor, handle context, int sealed, buffer plain, int *was_sealed, buffer *token) {
    piece pieces[MOST];
    buffer data = joined(plain, (buffer){0, ""});
    int count = lay(pieces, data, asked.layout != ROTATED);
    status major = gss.wrap_iov_length(minor, context, sealed, 0, was_sealed, pieces, count);
    if (IS_ERROR(major)) return major;
    for (int at = 0; at < count; at++)
        if (travels(pieces + at) && pieces[at].type != DATA_PIECE) pieces[at].buffer = room(pieces[at].buffer.length);
    major = gss.wrap_iov(minor, context, sealed, 0, was_sealed, pieces, count);
    *token = (buffer){0, ""};
    for (int at = 0; at < count; at++)
        if (travels(pieces + at)) *token = joined(*token, pieces[at].buffer);
    return major;
}

static status unprotect_pieces(status *minor, handle context, int sealed, buffer token, int *was_sealed, buffer *plain) {
    piece pieces[MOST];
    size_t beside = 0, place = 0;
    int count = lay(pieces, (buffer){0, ""}, 0);
    status major = gss.wrap_iov_length(minor, context, sealed, 0, was_sealed, pieces, count);
    if (IS_ERROR(major)) return major;
    for (int at = 0; at < count; at++)
        if (travels(pieces + at)) beside += pieces[at].buffer.length;
    if (token.length < beside) fail("a token is shorter than its pieces");
    for (int at = 0; at < count; at++) {
        if (!travels(pieces + at)) continue;
        if (pieces[at].type == DATA_PIECE) pieces[at].buffer.length = token.length - beside;
        pieces[at].buffer.value = (char *)token.value + place;
        place += pieces[at].buffer.length;
    }
    major = gss.unwrap_iov(minor, context, was_sealed, NULL, pieces, count);
    *plain = pieces[2].buffer;
    return major;
}

static status unprotect_stream(status *minor, handle context, buffer token, int *was_sealed, buffer *plain) {
    piece pieces[] = {{STREAM_PIECE, token}, {SIGN_ONLY, associated()}, {DATA_PIECE, {0, NULL}}};
    status major = gss.unwrap_iov(minor, context, was_sealed, NULL, pieces, 3);
    *plain = pieces[2].buffer;
    return major;
}

status protect(status *minor, handle context, int sealed, buffer plain, int *was_sealed, buffer *token) {
    buffer beside = associated();
    switch (asked.layout) {
    case WHOLE: return gss.wrap(minor, context, sealed, 0, &plain, was_sealed, token);
    case AEAD: return gss.wrap_aead(minor, context, sealed, 0, &beside, &plain, was_sealed, token);
    default: return protect_pieces(minor, context, sealed, plain, was_sealed, token);
    }
}

status unprotect(status *minor, handle context, int sealed, buffer token, int *was_sealed, buffer *plain) {
    buffer beside = associated();
    switch (asked.layout) {
    case WHOLE: return gss.unwrap(minor, context, &token, plain, was_sealed, NULL);
    case AEAD: return gss.unwrap_aead(minor, context, &token, &beside, plain, was_sealed, NULL);
    case STREAM: return unprotect_stream(minor, context, token, was_sealed, plain);
    default: return unprotect_pieces(minor, context, sealed, token, was_sealed, plain);
    }
}

/* Over the associated data and the message; the library that can't take pieces gets them joined. */
status sign(status *minor, handle context, buffer plain, buffer *mic) {
    piece pieces[] = {{SIGN_ONLY, associated()}, {DATA_PIECE, plain}, {MIC_TOKEN | ALLOCATE, {0, NULL}}};
    buffer both = joined(associated(), plain);
    status major;
    if (asked.layout == WHOLE || gss.get_mic_iov == NULL) return gss.get_mic(minor, context, 0, &both, mic);
    major = gss.get_mic_iov(minor, context, 0, pieces, 3);
    *mic = pieces[2].buffer;
    return major;
}

status verify(status *minor, handle context, buffer plain, buffer mic) {
    piece pieces[] = {{SIGN_ONLY, associated()}, {DATA_PIECE, plain}, {MIC_TOKEN, mic}};
    buffer both = joined(associated(), plain);
    if (asked.layout == WHOLE || gss.verify_mic_iov == NULL) return gss.verify_mic(minor, context, &both, &mic, NULL);
    return gss.verify_mic_iov(minor, context, NULL, pieces, 3);
}

/* gss_krb5_lucid_context_v1_t, the same in both libraries. */
struct lucid_key { uint32_t enctype, length; unsigned char *octets; };
struct lucid {
    uint32_t version, initiate, end;
    uint64_t send, receive;
    uint32_t protocol;
    struct { uint32_t sign, seal; struct lucid_key key; } rfc1964;
    struct { uint32_t have_acceptor_subkey; struct lucid_key key, acceptor_subkey; } cfx;
};

static void print_key(const char *before, struct lucid_key key) {
    printf(" %s=%u:", before, key.enctype);
    for (uint32_t at = 0; at < key.length; at++) printf("%02x", key.octets[at]);
}

/* What is asked by object identifier: the last arcs behind 1.2.840.113554.1.2.2.5, as MIT numbered them. */
static const struct { const char *name; char arc; } QUESTIONS[] = {
    {"flags", 1}, {"key", 5}, {"authtime", 12}, {"ssf", 15},
};

/* All members of each answer in hexadecimal, "-" where the library knows no answer. */
static void print_inquiry(handle context) {
    printf("Inquiry:");
    for (size_t at = 0; at < sizeof QUESTIONS / sizeof *QUESTIONS; at++) {
        char octets[] = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05?";
        oid question = {11, octets};
        status minor, major;
        struct buffers *answers = NULL;
        octets[10] = QUESTIONS[at].arc;
        major = gss.inquire_by_oid(&minor, context, &question, &answers);
        printf(" %s=", QUESTIONS[at].name);
        if (IS_ERROR(major) || answers == NULL) {
            printf("-");
            continue;
        }
        for (size_t member = 0; member < answers->count; member++) {
            const unsigned char *value = answers->elements[member].value;
            if (member > 0) printf(",");
            for (size_t octet = 0; octet < answers->elements[member].length; octet++) printf("%02x", value[octet]);
        }
    }
    printf("\n");
}

void print_lucid(handle *context) {
    status minor, major;
    print_inquiry(*context);
    struct lucid *lucid = NULL;
    major = gss.export_lucid(&minor, context, 1, (void **)&lucid);
    if (!good("exporting the keys", major, minor)) exit(1);
    if (lucid->version != 1 || lucid->protocol != 1) fail("another version or protocol than asked for");
    printf("Lucid: initiator=%u send=%llu receive=%llu end=%u", lucid->initiate, (unsigned long long)lucid->send,
           (unsigned long long)lucid->receive, lucid->end);
    print_key("context", lucid->cfx.key);
    if (lucid->cfx.have_acceptor_subkey) print_key("acceptor", lucid->cfx.acceptor_subkey);
    printf("\n");
}
