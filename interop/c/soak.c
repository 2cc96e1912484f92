/* Many contexts in two threads: neither memory nor descriptors grow with them once the first fifth is over. Arguments: the target,
 * how many contexts in all. */
#include <dirent.h>
#include <pthread.h>
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

static gss_name_t target;
static long each;

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

static void *contexts(void *ignored)
{
    for (long i = 0; i < each; i++) {
        OM_uint32 minor;
        gss_ctx_id_t initiator = GSS_C_NO_CONTEXT, acceptor = GSS_C_NO_CONTEXT;
        gss_buffer_desc there, back, none, sealed, hello = {5, "hello"}, opened;

        require(gss_init_sec_context(&minor, NULL, &initiator, target, NULL, GSS_C_MUTUAL_FLAG, 0, NULL, NULL, NULL, &there,
                                     NULL, NULL), "an initiator");
        require(gss_accept_sec_context(&minor, &acceptor, NULL, &there, NULL, NULL, NULL, &back, NULL, NULL, NULL),
                "an acceptor");
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
    return ignored;
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
        for (int i = 0; i < 2; i++)
            if (pthread_create(&threads[i], NULL, contexts, NULL) != 0)
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
    gss_release_name(&minor, &target);
    nothing_lives();
    if (!grown)
        printf("all held\n");
    return grown;
}
