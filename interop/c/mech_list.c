/* Stands before fopen(3): who opens /etc/gss/mech gets the file that MECH_LIST names. For libraries that have no variable
 * for it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

FILE *fopen(const char *path, const char *mode)
{
    FILE *(*next)(const char *, const char *);
    void *found = dlsym(RTLD_NEXT, "fopen");

    memcpy(&next, &found, sizeof next);
    return next(strcmp(path, "/etc/gss/mech") == 0 ? getenv("MECH_LIST") : path, mode);
}
