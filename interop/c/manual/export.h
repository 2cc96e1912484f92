/* The two pages of gss_export_sec_context, of DCE-GSSAPI and of GNU GSS: sentences dce.* and gnu.*. */
#ifndef MANUAL_EXPORT_H
#define MANUAL_EXPORT_H

#include <malloc.h>

#include "check.h"

#define MUTUAL (GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG)

static void put(int to, gss_buffer_t what)
{
    need(write(to, &what->length, sizeof what->length) == (ssize_t)sizeof what->length, "a pipe");
    need(write(to, what->value, what->length) == (ssize_t)what->length, "a pipe");
}

static gss_buffer_desc take(int from)
{
    static unsigned char place[2][1 << 16];
    static int used;
    gss_buffer_desc got;

    used = !used;
    got.length = 0;
    got.value = place[used];
    if (read(from, &got.length, sizeof got.length) != (ssize_t)sizeof got.length || got.length > sizeof place[0])
        got.length = 0;
    for (size_t have = 0; have < got.length;) {
        ssize_t more = read(from, place[used] + have, got.length - have);
        need(more > 0, "a pipe");
        have += (size_t)more;
    }
    return got;
}

/* The other process: it takes a context from its standard input, opens a message, and answers on its standard output. */
static int other_process(void)
{
    OM_uint32 minor, major;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_buffer_desc token = take(0), message = take(0), opened = nothing, answer = nothing, empty = text("");

    major = gss_import_sec_context(&minor, &token, &context);
    if (major == GSS_S_COMPLETE && gss_unwrap(&minor, context, &message, &opened, NULL, NULL) == GSS_S_COMPLETE &&
        gss_wrap(&minor, context, 1, GSS_C_QOP_DEFAULT, &opened, NULL, &answer) == GSS_S_COMPLETE)
        put(1, &answer);
    else
        put(1, &empty);
    gss_release_buffer(&minor, &opened);
    gss_release_buffer(&minor, &answer);
    gss_delete_sec_context(&minor, &context, NULL);
    return 0;
}

/* What the other process answers to a token and a message. */
static gss_buffer_desc ask_other_process(gss_buffer_t token, gss_buffer_t message)
{
    int in[2], out[2];
    pid_t child;
    gss_buffer_desc answer;

    need(pipe(in) == 0 && pipe(out) == 0, "pipes");
    child = fork();
    need(child >= 0, "a child");
    if (child == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execl("/proc/self/exe", "manual", "import", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    put(in[1], token);
    put(in[1], message);
    answer = take(out[0]);
    close(in[1]);
    close(out[0]);
    need(waitpid(child, NULL, 0) == child, "the child's end");
    return answer;
}

/* Another process goes on where this one stopped: the sentences about sharing the work of an acceptor. */
static void to_another_process(void)
{
    OM_uint32 minor;
    struct pair pair = established(MUTUAL);
    gss_buffer_desc token = nothing, message = text("work"), sealed = nothing, opened = nothing, answer;
    gss_ctx_id_t again = GSS_C_NO_CONTEXT;

    SHOWN("dce.10", (pair.early_flags & GSS_C_TRANS_FLAG) == 0 && (pair.ret_flags & GSS_C_TRANS_FLAG) != 0);
    SHOWN("dce.11", (pair.accepted_flags & GSS_C_TRANS_FLAG) != 0);
    need(gss_export_sec_context(&minor, &pair.there, &token) == GSS_S_COMPLETE, "an export");
    SHOWN("dce.3", token.length != 0);
    SHOWN("gnu.7", token.length != 0);
    need(gss_wrap(&minor, pair.here, 1, 0, &message, NULL, &sealed) == GSS_S_COMPLETE, "a message");
    answer = ask_other_process(&token, &sealed);
    SHOWN("dce.4", answer.length != 0 && gss_unwrap(&minor, pair.here, &answer, &opened, NULL, NULL) == GSS_S_COMPLETE);
    SHOWN("gnu.5", opened.length == 4 && memcmp(opened.value, "work", 4) == 0);
    SHOWN("gnu.6", opened.length == 4);
    /* It lives there, so neither here nor in a third one. */
    SHOWN("dce.5", gss_import_sec_context(&minor, &token, &again) == GSS_S_NO_CONTEXT && again == GSS_C_NO_CONTEXT);
    answer = ask_other_process(&token, &sealed);
    SHOWN("gnu.8", answer.length == 0);
    SHOWN("gnu.4", gss_release_buffer(&minor, &token) == GSS_S_COMPLETE && token.length == 0 && token.value == NULL);
    gss_release_buffer(&minor, &sealed);
    gss_release_buffer(&minor, &opened);
    take_down(&pair);
}

static int shows(gss_buffer_t octets_of, const void *what, size_t length)
{
    int so = 0;

    for (size_t i = 0; i + length <= octets_of->length; i++)
        so |= memcmp((char *)octets_of->value + i, what, length) == 0;
    return so;
}

/* The context that comes back is the one that went. */
static void identical(void)
{
    OM_uint32 minor, time[2], inquired[2];
    gss_name_t from[2], to[2];
    gss_OID mechanism[2];
    int local[2], open[2], same_from = 0, same_to = 0;
    gss_buffer_desc message = text("one"), seen = nothing, later = nothing, opened = nothing, token = nothing, second = nothing;
    struct pair pair = established(MUTUAL);
    gss_ctx_id_t *context = &pair.there;
    gss_ctx_id_t here_is;

    need(gss_wrap(&minor, pair.here, 1, 0, &message, NULL, &seen) == GSS_S_COMPLETE, "a message");
    need(gss_wrap(&minor, pair.here, 1, 0, &message, NULL, &later) == GSS_S_COMPLETE, "another");
    need(gss_unwrap(&minor, pair.there, &seen, &opened, NULL, NULL) == GSS_S_COMPLETE, "it is opened");
    gss_release_buffer(&minor, &opened);
    for (int i = 0; i < 2; i++) {
        need(gss_inquire_context(&minor, *context, &from[i], &to[i], &time[i], &mechanism[i], &inquired[i], &local[i],
                                 &open[i]) == GSS_S_COMPLETE, "what is known");
        if (i == 1)
            break;
        here_is = *context;
        SHOWN("dce.12", gss_export_sec_context(&minor, context, &token) == GSS_S_COMPLETE);
        SHOWN("dce.15", minor == 0 && token.length != 0);
        SHOWN("gnu.17", minor == 0 && token.length != 0);
        SHOWN("dce.9", *context == GSS_C_NO_CONTEXT);
        SHOWN("gnu.14", *context == GSS_C_NO_CONTEXT);
        SHOWN("gnu.3", *context == GSS_C_NO_CONTEXT && speaks(pair.here, here_is) == 0);
        need(gss_import_sec_context(&minor, &token, context) == GSS_S_COMPLETE, "an import");
        SHOWN("dce.13", *context != GSS_C_NO_CONTEXT);
    }
    gss_compare_name(&minor, from[0], from[1], &same_from);
    gss_compare_name(&minor, to[0], to[1], &same_to);
    SHOWN("dce.7", same_from && same_to && mechanism[0] == mechanism[1] && inquired[0] == inquired[1]);
    SHOWN("dce.7", local[0] == local[1] && open[0] && open[1] && time[1] <= time[0] && time[0] - time[1] < 60);
    /* What was seen is a repetition there too, and what was not is not. (The message of speaks() above went by.) */
    SHOWN("dce.7", (gss_unwrap(&minor, pair.there, &seen, &opened, NULL, NULL) & GSS_S_DUPLICATE_TOKEN) != 0);
    gss_release_buffer(&minor, &opened);
    SHOWN("dce.7", gss_unwrap(&minor, pair.there, &later, &opened, NULL, NULL) == GSS_S_COMPLETE);
    gss_release_buffer(&minor, &opened);
    /* Nothing of what is protected by its keys, nor the same octets twice: it is sealed. */
    need(gss_export_sec_context(&minor, &pair.there, &second) == GSS_S_COMPLETE, "another export");
    SHOWN("gnu.11", !shows(&token, "alice", 5) && !shows(&token, "MANUAL.TEST", 11) && !shows(&second, "alice", 5));
    SHOWN("gnu.12", second.length < 32 || !shows(&token, (char *)second.value + second.length - 32, 32));
    gss_release_buffer(&minor, &seen);
    gss_release_buffer(&minor, &later);
    gss_release_buffer(&minor, &token);
    gss_release_buffer(&minor, &second);
    for (int i = 0; i < 2; i++) {
        gss_release_name(&minor, &from[i]);
        gss_release_name(&minor, &to[i]);
    }
    take_down(&pair);
}

/* Every call of the exporter on what it has given away. */
static void gone_here(void)
{
    OM_uint32 minor, number;
    int confidential;
    struct pair pair = established(MUTUAL);
    gss_ctx_id_t copy = pair.there;
    gss_buffer_desc token = nothing, empty = nothing, message = text("x");

    need(gss_export_sec_context(&minor, &pair.there, &token) == GSS_S_COMPLETE, "an export");
    SHOWN("dce.2", gss_wrap(&minor, copy, 0, 0, &message, &confidential, &empty) == GSS_S_NO_CONTEXT && empty.length == 0);
    SHOWN("gnu.7", gss_get_mic(&minor, copy, 0, &message, &empty) == GSS_S_NO_CONTEXT && empty.length == 0);
    SHOWN("dce.6", gss_unwrap(&minor, copy, &message, &empty, NULL, NULL) == GSS_S_NO_CONTEXT);
    SHOWN("dce.6", gss_verify_mic(&minor, copy, &message, &message, NULL) == GSS_S_NO_CONTEXT);
    SHOWN("dce.6", gss_context_time(&minor, copy, &number) == GSS_S_NO_CONTEXT);
    SHOWN("dce.6", gss_inquire_context(&minor, copy, NULL, NULL, NULL, NULL, NULL, NULL, NULL) == GSS_S_NO_CONTEXT);
    SHOWN("gnu.8", gss_wrap_size_limit(&minor, copy, 1, 0, 100, &number) == GSS_S_NO_CONTEXT);
    SHOWN("gnu.8", gss_process_context_token(&minor, copy, &message) == GSS_S_NO_CONTEXT);
    SHOWN("dce.17", gss_export_sec_context(&minor, &copy, &empty) == GSS_S_NO_CONTEXT && empty.length == 0);
    SHOWN("gnu.19", gss_export_sec_context(&minor, &pair.there, &empty) == GSS_S_NO_CONTEXT && empty.length == 0);
    SHOWN("dce.14", minor != 0 && tells(minor, "handle"));
    SHOWN("gnu.2", minor != 0 && tells(minor, "handle"));
    SHOWN("dce.6", gss_delete_sec_context(&minor, &copy, NULL) == GSS_S_NO_CONTEXT);
    gss_release_buffer(&minor, &token);
    take_down(&pair);
}

/* Nothing stays behind in the process: neither memory, nor descriptors, nor handles. */
static void deallocated(void)
{
    OM_uint32 minor;
    size_t (*live)(void);
    size_t memory = 0, handles = 0;
    int before = 0;

    *(void **)&live = dlsym(RTLD_DEFAULT, "orthros_live_handles");
    for (int i = 0; i < 200; i++) {
        struct pair pair = established(0);
        gss_buffer_desc token = nothing;
        gss_delete_sec_context(&minor, &pair.here, NULL);
        need(gss_export_sec_context(&minor, &pair.there, &token) == GSS_S_COMPLETE, "an export");
        gss_release_buffer(&minor, &token);
        if (i == 50) {
            memory = mallinfo2().uordblks;
            before = dup(0);
            close(before);
            handles = live == NULL ? 0 : live();
        }
    }
    SHOWN("dce.8", mallinfo2().uordblks < memory + (32 << 10));
    SHOWN("gnu.14", live == NULL || live() == handles);
    {
        /* Descriptors are given out lowest first, and a few may be kept for the replay cache. */
        int after = dup(0);
        close(after);
        SHOWN("gnu.14", after < before + 8);
    }
}

/* A context that has failed to go is still here, and whole. */
static int untouched(struct pair *pair, gss_ctx_id_t handle, gss_buffer_t token)
{
    return pair->there == handle && token->length == 0 && token->value == NULL && speak(pair);
}

static void kept(const char *folder)
{
    OM_uint32 minor;
    struct pair pair, late = defaults(MUTUAL);
    gss_ctx_id_t copy, half = GSS_C_NO_CONTEXT, moved = GSS_C_NO_CONTEXT;
    gss_buffer_desc token = nothing, empty = nothing;
    gss_name_t target = name_of("host@localhost");
    char other[1024];

    /* Where transfer is switched off. */
    setenv("ORTHROS_TRANSFER", "off", 1);
    pair = established(MUTUAL);
    SHOWN("dce.10", (pair.ret_flags & GSS_C_TRANS_FLAG) == 0);
    SHOWN("dce.11", (pair.accepted_flags & GSS_C_TRANS_FLAG) == 0);
    copy = pair.there;
    SHOWN("dce.18", gss_export_sec_context(&minor, &pair.there, &token) == GSS_S_UNAVAILABLE);
    SHOWN("gnu.20", untouched(&pair, copy, &token));
    SHOWN("gnu.15", untouched(&pair, copy, &token));
    take_down(&pair);
    unsetenv("ORTHROS_TRANSFER");
    /* Where there is no place for the token. */
    pair = established(MUTUAL);
    copy = pair.there;
    SHOWN("gnu.15", GSS_ERROR(gss_export_sec_context(&minor, &pair.there, GSS_C_NO_BUFFER)) && minor != 0);
    SHOWN("gnu.16", untouched(&pair, copy, &token));
    take_down(&pair);
    /* Its time is over. */
    late.time = 1;
    bring_up(&late);
    sleep(2);
    copy = late.here;
    SHOWN("dce.16", gss_export_sec_context(&minor, &late.here, &token) == GSS_S_CONTEXT_EXPIRED);
    SHOWN("gnu.18", late.here == copy && token.length == 0 && token.value == NULL);
    SHOWN("gnu.16", gss_delete_sec_context(&minor, &late.here, NULL) == GSS_S_COMPLETE);
    take_down(&late);
    /* It is not up yet. */
    need(gss_init_sec_context(&minor, NULL, &half, target, NULL, GSS_C_MUTUAL_FLAG, 0, NULL, NULL, NULL, &token, NULL, NULL) ==
             GSS_S_CONTINUE_NEEDED, "half a context");
    gss_release_buffer(&minor, &token);
    copy = half;
    SHOWN("gnu.19", gss_export_sec_context(&minor, &half, &token) == GSS_S_NO_CONTEXT && half == copy && token.length == 0);
    gss_delete_sec_context(&minor, &half, NULL);

    /* A process with another key, such as another account's, gets nothing, and spoils nothing. */
    pair = established(MUTUAL);
    need(gss_export_sec_context(&minor, &pair.there, &token) == GSS_S_COMPLETE, "an export");
    snprintf(other, sizeof other, "%s/other-key", folder);
    need(mkdir(other, 0700) == 0, "a folder");
    setenv("ORTHROS_TRANSFER", other, 1);
    SHOWN("gnu.9", GSS_ERROR(gss_import_sec_context(&minor, &token, &moved)) == GSS_S_UNAUTHORIZED);
    SHOWN("gnu.9", moved == GSS_C_NO_CONTEXT);
    empty = ask_other_process(&token, &token);
    SHOWN("gnu.10", empty.length == 0);
    unsetenv("ORTHROS_TRANSFER");
    SHOWN("gnu.9", gss_import_sec_context(&minor, &token, &pair.there) == GSS_S_COMPLETE && speak(&pair));
    gss_release_buffer(&minor, &token);
    gss_release_name(&minor, &target);
    take_down(&pair);
}

static void transfer(const char *folder)
{
    /* That they are declared as the pages have it, the compiler has seen. */
    OM_uint32 (*declared)(OM_uint32 *, gss_ctx_id_t *, gss_buffer_t) = gss_export_sec_context;

    SHOWN("dce.1", declared != NULL);
    SHOWN("gnu.1", declared != NULL);
    to_another_process();
    identical();
    gone_here();
    deallocated();
    kept(folder);
}

#endif
