/*
 * Times of a GSS-API library, opened by path: peers LIBRARY SERVICE@HOST
 *
 * Prints "case<TAB>nanoseconds" lines under the names that the program `speed` uses, and is run by it with the
 * environment of its tickets and keys. Processor time of this thread; buffers are released inside the time, as
 * Rust's are dropped inside it. Only functions are looked up, no data: names and mechanisms are given by value.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef uint32_t u32;
typedef struct { u32 length; void *elements; } oid;
typedef struct { size_t length; void *value; } buffer;
typedef struct { size_t count; oid *elements; } oid_set;
typedef void *handle;

enum { INITIATE = 1, ACCEPT = 2, CONTINUE = 1, MUTUAL = 2, REPLAY = 4, SEQUENCE = 8, CONF = 16, INTEG = 32, BATCH = 64 };
#define RUN 0.06e9

static oid krb5 = { 9, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02" };
static oid hostbased = { 10, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04" };
static oid_set mechanisms = { 1, &krb5 };

static u32 (*import_name)(u32 *, buffer *, oid *, handle *);
static u32 (*release_name)(u32 *, handle *);
static u32 (*acquire_cred)(u32 *, handle, u32, oid_set *, int, handle *, oid_set **, u32 *);
static u32 (*release_cred)(u32 *, handle *);
static u32 (*init_sec_context)(u32 *, handle, handle *, handle, oid *, u32, u32, void *, buffer *, oid **, buffer *, u32 *, u32 *);
static u32 (*accept_sec_context)(u32 *, handle *, handle, buffer *, void *, handle *, oid **, buffer *, u32 *, u32 *, handle *);
static u32 (*delete_sec_context)(u32 *, handle *, buffer *);
static u32 (*release_buffer)(u32 *, buffer *);
static u32 (*wrap)(u32 *, handle, int, u32, buffer *, int *, buffer *);
static u32 (*unwrap)(u32 *, handle, buffer *, buffer *, int *, u32 *);
static u32 (*get_mic)(u32 *, handle, u32, buffer *, buffer *);
static u32 (*verify_mic)(u32 *, handle, buffer *, buffer *, u32 *);
static u32 (*export_sec_context)(u32 *, handle *, buffer *);
static u32 (*import_sec_context)(u32 *, buffer *, handle *);

static handle target, initiator_cred, acceptor_cred;
static const char *service;
static u32 minor;

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (!found) {
        fprintf(stderr, "%s is missing\n", name);
        exit(1);
    }
    return found;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

/* Errors of a routine or of its call end the program; "old" and "duplicate" are for information. */
static void must(const char *what, u32 major)
{
    if (major & 0xffff0000u) {
        fprintf(stderr, "%s: major 0x%08x, minor %u\n", what, major, minor);
        exit(1);
    }
}

static void print(const char *name, size_t size, double nanoseconds)
{
    if (size)
        printf("%s %zu\t%.2f\n", name, size, nanoseconds);
    else
        printf("%s\t%.2f\n", name, nanoseconds);
}

static void first_token(handle *context, buffer *token)
{
    u32 flags = MUTUAL | REPLAY | SEQUENCE | CONF | INTEG;
    must("init", init_sec_context(&minor, initiator_cred, context, target, &krb5, flags, 0, NULL, NULL, NULL, token,
                                  NULL, NULL));
}

static void accept_token(handle *context, buffer *token, buffer *answer)
{
    must("accept", accept_sec_context(&minor, context, acceptor_cred, token, NULL, NULL, NULL, answer, NULL, NULL,
                                      NULL));
}

static void pair(handle *initiator, handle *acceptor)
{
    buffer token = { 0, NULL }, answer = { 0, NULL }, none = { 0, NULL };
    *initiator = *acceptor = NULL;
    first_token(initiator, &token);
    accept_token(acceptor, &token, &answer);
    must("init", init_sec_context(&minor, initiator_cred, initiator, target, &krb5, MUTUAL | REPLAY | SEQUENCE | CONF |
                                  INTEG, 0, NULL, &answer, NULL, &none, NULL, NULL));
    release_buffer(&minor, &token);
    release_buffer(&minor, &answer);
    release_buffer(&minor, &none);
}

static void delete(handle *context)
{
    delete_sec_context(&minor, context, NULL);
}

static void contexts(void)
{
    double spent = 0, start;
    long count = 0;
    handle one, other;
    for (; spent < RUN; count++) {
        start = now();
        pair(&one, &other);
        delete(&one);
        delete(&other);
        spent += now() - start;
    }
    print("context", 0, spent / count);
    for (spent = 0, count = 0; spent < RUN; count += BATCH) {
        handle initiators[BATCH] = { 0 };
        buffer tokens[BATCH] = { { 0, NULL } };
        for (int at = 0; at < BATCH; at++)
            first_token(&initiators[at], &tokens[at]);
        start = now();
        for (int at = 0; at < BATCH; at++) {
            buffer answer = { 0, NULL };
            other = NULL;
            accept_token(&other, &tokens[at], &answer);
            release_buffer(&minor, &answer);
            delete(&other);
        }
        spent += now() - start;
        for (int at = 0; at < BATCH; at++) {
            release_buffer(&minor, &tokens[at]);
            delete(&initiators[at]);
        }
    }
    print("context, acceptor", 0, spent / count);
}

/* One call that makes a token of a message, and one that takes it; the same for wrap and for MIC. */
static void make(int sealed, handle context, buffer *message, buffer *token)
{
    must("make", sealed ? wrap(&minor, context, 1, 0, message, NULL, token)
                        : get_mic(&minor, context, 0, message, token));
}

static void take(int sealed, handle context, buffer *message, buffer *token)
{
    buffer plain = { 0, NULL };
    if (!sealed) {
        must("verify_mic", verify_mic(&minor, context, message, token, NULL));
        return;
    }
    must("unwrap", unwrap(&minor, context, token, &plain, NULL, NULL));
    release_buffer(&minor, &plain);
}

static void messages(int sealed, size_t size, handle sender, handle receiver)
{
    int batch = (256 << 10) / size < 1 ? 1 : (256 << 10) / size > BATCH ? BATCH : (256 << 10) / size;
    buffer message = { size, calloc(1, size) }, tokens[BATCH];
    double out = 0, in = 0, start;
    long made = 0, taken = 0;
    for (; out < RUN; made += batch) {
        start = now();
        for (int at = 0; at < batch; at++) {
            make(sealed, sender, &message, &tokens[0]);
            release_buffer(&minor, &tokens[0]);
        }
        out += now() - start;
    }
    for (; in < RUN; taken += batch) {
        for (int at = 0; at < batch; at++)
            make(sealed, sender, &message, &tokens[at]);
        start = now();
        for (int at = 0; at < batch; at++)
            take(sealed, receiver, &message, &tokens[at]);
        in += now() - start;
        for (int at = 0; at < batch; at++)
            release_buffer(&minor, &tokens[at]);
    }
    print(sealed ? "wrap" : "mic", size, out / made);
    print(sealed ? "unwrap" : "verify mic", size, in / taken);
    free(message.value);
}

static void transfer(void)
{
    double out = 0, in = 0, start;
    long count = 0;
    size_t length = 0;
    for (; in < RUN || out < RUN; count += BATCH) {
        handle contexts[BATCH], one;
        buffer tokens[BATCH];
        for (int at = 0; at < BATCH; at++) {
            pair(&one, &contexts[at]);
            delete(&one);
        }
        start = now();
        for (int at = 0; at < BATCH; at++)
            must("export", export_sec_context(&minor, &contexts[at], &tokens[at]));
        out += now() - start;
        length = tokens[0].length;
        start = now();
        for (int at = 0; at < BATCH; at++)
            must("import", import_sec_context(&minor, &tokens[at], &contexts[at]));
        in += now() - start;
        for (int at = 0; at < BATCH; at++) {
            release_buffer(&minor, &tokens[at]);
            delete(&contexts[at]);
        }
    }
    print("export", 0, out / count);
    print("import", 0, in / count);
    print("exported token (octets)", 0, length);
}

static void small_calls(void)
{
    buffer text = { strlen(service), (void *)service };
    const char *names[] = { "import name", "acquire initiator", "acquire acceptor by name" };
    for (int call = 0; call < 3; call++) {
        double spent = 0, start;
        long count = 0;
        for (; spent < RUN; count += BATCH) {
            start = now();
            for (int at = 0; at < BATCH; at++) {
                handle made = NULL;
                if (call == 0) {
                    must("import_name", import_name(&minor, &text, &hostbased, &made));
                    release_name(&minor, &made);
                } else {
                    must("acquire", acquire_cred(&minor, call == 1 ? NULL : target, 0, &mechanisms,
                                                 call == 1 ? INITIATE : ACCEPT, &made, NULL, NULL));
                    release_cred(&minor, &made);
                }
            }
            spent += now() - start;
        }
        print(names[call], 0, spent / count);
    }
}

int main(int count, char **arguments)
{
    if (count != 3) {
        fputs("peers LIBRARY SERVICE@HOST\n", stderr);
        return 2;
    }
    void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
#define FIND(name) *(void **)&name = symbol(library, "gss_" #name)
    FIND(import_name); FIND(release_name); FIND(acquire_cred); FIND(release_cred);
    FIND(init_sec_context); FIND(accept_sec_context); FIND(delete_sec_context); FIND(release_buffer);
    FIND(wrap); FIND(unwrap); FIND(get_mic); FIND(verify_mic);
    FIND(export_sec_context); FIND(import_sec_context);
    service = arguments[2];
    buffer text = { strlen(service), (void *)service };
    must("import_name", import_name(&minor, &text, &hostbased, &target));
    must("acquire", acquire_cred(&minor, NULL, 0, &mechanisms, INITIATE, &initiator_cred, NULL, NULL));
    must("acquire", acquire_cred(&minor, NULL, 0, &mechanisms, ACCEPT, &acceptor_cred, NULL, NULL));

    contexts();
    handle sender, receiver;
    pair(&sender, &receiver);
    size_t sizes[] = { 64, 1 << 10, 16 << 10, 1 << 20 };
    for (int at = 0; at < 4; at++)
        messages(1, sizes[at], sender, receiver);
    messages(0, 64, sender, receiver);
    messages(0, 16 << 10, sender, receiver);
    transfer();
    small_calls();
    return 0;
}
