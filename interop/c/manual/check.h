/* Checks of sentences, and contexts to check them on: both ends are in this process. */
#ifndef MANUAL_CHECK_H
#define MANUAL_CHECK_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common.h"

static int failures;

/* That the sentence of this number in sentences.txt holds, as far as this can tell. */
#define SHOWN(sentence, what)                                                              \
    do {                                                                                   \
        if (what) {                                                                        \
            printf("holds: %s\n", sentence);                                               \
        } else {                                                                           \
            failures++;                                                                    \
            printf("does not hold: %s (%s:%d: %s)\n", sentence, __FILE__, __LINE__, #what); \
        }                                                                                  \
    } while (0)

/* That what the checks stand on is there. */
static void need(int there, const char *what)
{
    if (!there) {
        printf("cannot go on: %s\n", what);
        exit(2);
    }
}

static const gss_buffer_desc nothing = GSS_C_EMPTY_BUFFER;

#define KERBEROS_OCTETS "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"
#define SPNEGO_OCTETS "\x2b\x06\x01\x05\x05\x02"
#define FOREIGN_OCTETS "\x2a\x03\x04"

static int is_identifier(gss_OID given, const char *of, OM_uint32 length)
{
    return given != GSS_C_NO_OID && given->length == length && memcmp(given->elements, of, length) == 0;
}

static gss_name_t name_of(const char *spelt)
{
    OM_uint32 minor;
    gss_buffer_desc given = text(spelt);
    gss_name_t name = GSS_C_NO_NAME;

    need(gss_import_name(&minor, &given, GSS_C_NT_HOSTBASED_SERVICE, &name) == GSS_S_COMPLETE, "a name");
    return name;
}

/* Whether a name is shown as something that begins so. It is released. */
static int is_named(gss_name_t name, const char *beginning)
{
    OM_uint32 minor;
    gss_buffer_desc shown = nothing;
    int so = gss_display_name(&minor, name, &shown, NULL) == GSS_S_COMPLETE && shown.length >= strlen(beginning) &&
             memcmp(shown.value, beginning, strlen(beginning)) == 0;

    gss_release_buffer(&minor, &shown);
    gss_release_name(&minor, &name);
    return so;
}

/* Whether the story of a minor status holds these words. */
static int tells(OM_uint32 minor, const char *words)
{
    OM_uint32 ignored, more = 0;
    gss_buffer_desc told = nothing;
    int so = 0;

    if (gss_display_status(&ignored, minor, GSS_C_MECH_CODE, GSS_C_NO_OID, &more, &told) != GSS_S_COMPLETE)
        return 0;
    if (told.length >= strlen(words))
        for (size_t i = 0; i + strlen(words) <= told.length; i++)
            so |= memcmp((char *)told.value + i, words, strlen(words)) == 0;
    gss_release_buffer(&ignored, &told);
    return so;
}

/* What a context is asked to be, and what is seen of it on its way. */
struct pair {
    gss_cred_id_t credential;
    gss_OID mechanism;
    OM_uint32 flags, time;
    gss_channel_bindings_t bindings, acceptor_bindings;
    const char *target;

    gss_ctx_id_t here, there, first_handle;
    OM_uint32 minor, major, accepted, rounds;
    OM_uint32 early_flags, ret_flags, accepted_flags, time_rec;
    size_t first_token;
    gss_OID actual;
};

static struct pair defaults(OM_uint32 flags)
{
    struct pair made;

    memset(&made, 0, sizeof made);
    made.credential = GSS_C_NO_CREDENTIAL;
    made.mechanism = GSS_C_NO_OID;
    made.flags = flags;
    made.time = GSS_C_INDEFINITE;
    made.bindings = made.acceptor_bindings = GSS_C_NO_CHANNEL_BINDINGS;
    made.target = "host@localhost";
    made.here = made.there = GSS_C_NO_CONTEXT;
    made.early_flags = 0;
    return made;
}

/* Both ends speak until neither has more to say, or one fails. */
static void bring_up(struct pair *pair)
{
    OM_uint32 ignored, flags;
    gss_buffer_desc to = nothing, back = nothing;
    gss_name_t target = name_of(pair->target);

    pair->major = pair->accepted = GSS_S_CONTINUE_NEEDED;
    for (pair->rounds = 0; pair->rounds < 5 && pair->major == GSS_S_CONTINUE_NEEDED; pair->rounds++) {
        flags = ~0u;
        pair->major = gss_init_sec_context(&pair->minor, pair->credential, &pair->here, target, pair->mechanism, pair->flags,
                                           pair->time, pair->bindings, pair->rounds == 0 ? GSS_C_NO_BUFFER : &back,
                                           &pair->actual, &to, &flags, &pair->time_rec);
        gss_release_buffer(&ignored, &back);
        pair->ret_flags = flags;
        if (pair->rounds == 0) {
            pair->first_handle = pair->here;
            pair->first_token = to.length;
        }
        if (pair->major == GSS_S_CONTINUE_NEEDED)
            pair->early_flags |= flags;
        if (to.length != 0)
            pair->accepted = gss_accept_sec_context(&ignored, &pair->there, GSS_C_NO_CREDENTIAL, &to, pair->acceptor_bindings,
                                                    NULL, NULL, &back, &pair->accepted_flags, NULL, NULL);
        gss_release_buffer(&ignored, &to);
        if (GSS_ERROR(pair->accepted))
            break;
    }
    gss_release_buffer(&ignored, &back);
    gss_release_name(&ignored, &target);
}

static int is_up(const struct pair *pair)
{
    return pair->major == GSS_S_COMPLETE && pair->accepted == GSS_S_COMPLETE;
}

static struct pair established(OM_uint32 flags)
{
    struct pair pair = defaults(flags);

    bring_up(&pair);
    need(is_up(&pair), "a context");
    return pair;
}

static void take_down(struct pair *pair)
{
    OM_uint32 minor;

    gss_delete_sec_context(&minor, &pair->here, GSS_C_NO_BUFFER);
    gss_delete_sec_context(&minor, &pair->there, GSS_C_NO_BUFFER);
}

/* Whether a sealed message passes from the one to the other. */
static int speaks(gss_ctx_id_t from, gss_ctx_id_t to)
{
    OM_uint32 minor;
    gss_buffer_desc message = text("a message"), sealed = nothing, opened = nothing;
    int confidential = 0;
    int so = gss_wrap(&minor, from, 1, GSS_C_QOP_DEFAULT, &message, &confidential, &sealed) == GSS_S_COMPLETE &&
             confidential && gss_unwrap(&minor, to, &sealed, &opened, NULL, NULL) == GSS_S_COMPLETE &&
             opened.length == message.length && memcmp(opened.value, message.value, message.length) == 0;

    gss_release_buffer(&minor, &sealed);
    gss_release_buffer(&minor, &opened);
    return so;
}

static int speak(const struct pair *pair)
{
    return speaks(pair->here, pair->there) && speaks(pair->there, pair->here);
}

#endif
