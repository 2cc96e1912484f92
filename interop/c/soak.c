/* Many contexts in two threads: neither memory nor descriptors grow with them once the first fifth is over. One of the threads
 * exchanges the credentials that both use: a call that comes with the released one is refused for that, or has it to its end.
 * Arguments: the target, how many contexts in all. */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"

#include <gssapi/gssapi.h>

#define ROUNDS 5
/* By how much memory may move, in KiB: of 100,000 contexts, 7 octets each beyond the first fifth. */
#define SLACK 512
/* By how many descriptors: the replay cache keeps up to eight for calls that meet at it, which takes until they do. */
#define SWING 8

/* So many contexts have the same credentials. */
#define EXCHANGE 40

static gss_name_t target;
static long each;
static _Atomic(gss_cred_id_t) initiating, accepting;

static void require(OM_uint32 major, const char *what)
{
    if (GSS_ERROR(major)) {
        printf("not so: %s (%08x)\n", what, (unsigned)major);
        exit(1);
    }
}

static long resident(void)
{
    long all, pages;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%ld %ld", &all, &pages) != 2)
        exit(2);
    fclose(file);
    return pages * 4;
}

static int descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    if (folder == NULL)
        exit(2);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static int released(OM_uint32 major)
{
    return GSS_ROUTINE_ERROR(major) == GSS_S_NO_CRED;
}

/* Puts a new credential in the place of one that is in use. */
static void exchange(_Atomic(gss_cred_id_t) *place, gss_cred_usage_t usage)
{
    OM_uint32 minor;
    gss_cred_id_t fresh = GSS_C_NO_CREDENTIAL, old, stale;

    require(gss_acquire_cred(&minor, NULL, 0, NULL, usage, &fresh, NULL, NULL), "a credential");
    stale = old = atomic_exchange(place, fresh);
    require(gss_release_cred(&minor, &old), "the one before");
    if (stale != GSS_C_NO_CREDENTIAL && !released(gss_inquire_cred(&minor, stale, NULL, NULL, NULL, NULL)))
        require(GSS_S_FAILURE, "nothing of the one before");
}

static void *contexts(void *exchanges)
{
    long lost = 0;

    for (long i = 0; i < each; i++) {
        OM_uint32 major, minor;
        int by_default = i % 4 == 0;
        gss_ctx_id_t initiator = GSS_C_NO_CONTEXT, acceptor = GSS_C_NO_CONTEXT;
        gss_buffer_desc there, back, none, sealed, hello = {5, "hello"}, opened;

        if (exchanges != NULL && i % EXCHANGE == 0) {
            exchange(&initiating, GSS_C_INITIATE);
            exchange(&accepting, GSS_C_ACCEPT);
        }
        major = gss_init_sec_context(&minor, by_default ? NULL : atomic_load(&initiating), &initiator, target, NULL,
                                     GSS_C_MUTUAL_FLAG, 0, NULL, NULL, NULL, &there, NULL, NULL);
        if (released(major) && !by_default) {
            lost++;
            continue;
        }
        require(major, "an initiator");
        major = gss_accept_sec_context(&minor, &acceptor, by_default ? NULL : atomic_load(&accepting), &there, NULL, NULL, NULL,
                                       &back, NULL, NULL, NULL);
        if (released(major) && !by_default) {
            lost++;
            gss_release_buffer(&minor, &there);
            gss_delete_sec_context(&minor, &initiator, NULL);
            continue;
        }
        require(major, "an acceptor");
        require(gss_init_sec_context(&minor, NULL, &initiator, target, NULL, GSS_C_MUTUAL_FLAG, 0, NULL, &back, NULL, &none,
                                     NULL, NULL), "the reply");
        require(gss_wrap(&minor, initiator, 1, GSS_C_QOP_DEFAULT, &hello, NULL, &sealed), "a message");
        require(gss_unwrap(&minor, acceptor, &sealed, &opened, NULL, NULL), "it is opened");
        gss_release_buffer(&minor, &there);
        gss_release_buffer(&minor, &back);
        gss_release_buffer(&minor, &sealed);
        gss_release_buffer(&minor, &opened);
        gss_delete_sec_context(&minor, &initiator, NULL);
        gss_delete_sec_context(&minor, &acceptor, NULL);
    }
    /* Of the thread that exchanges none is lost; of the other some, where it came between the look and the call. */
    if (exchanges != NULL && lost > 0)
        require(GSS_S_FAILURE, "a credential that nobody else ends");
    if (lost > each / 10)
        require(GSS_S_FAILURE, "credentials that are there");
    return NULL;
}

int main(int argc, char **argv)
{
    OM_uint32 minor;
    gss_buffer_desc name;
    pthread_t threads[2];
    long memory = 0;
    int open = 0, grown = 0;

    if (argc != 3)
        return 2;
    name.value = argv[1];
    name.length = strlen(argv[1]);
    each = atol(argv[2]) / (2 * ROUNDS);
    require(gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE, &target), "a target");
    for (int round = 0; round < ROUNDS; round++) {
        exchange(&initiating, GSS_C_INITIATE);
        exchange(&accepting, GSS_C_ACCEPT);
        for (int i = 0; i < 2; i++)
            if (pthread_create(&threads[i], NULL, contexts, i == 0 ? &target : NULL) != 0)
                return 2;
        for (int i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
        printf("after %ld: %ld KiB, %d descriptors\n", (round + 1) * each * 2, resident(), descriptors());
        if (round == 0) {
            memory = resident();
            open = descriptors();
        }
        grown |= resident() > memory + SLACK || descriptors() > open + SWING;
    }
    {
        gss_cred_id_t last[2] = {atomic_load(&initiating), atomic_load(&accepting)};

        require(gss_release_cred(&minor, &last[0]), "the last credential");
        require(gss_release_cred(&minor, &last[1]), "the last credential");
    }
    gss_release_name(&minor, &target);
    nothing_lives();
    if (!grown)
        printf("all held\n");
    return grown;
}
