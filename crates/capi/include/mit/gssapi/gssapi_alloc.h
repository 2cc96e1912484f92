/* <gssapi/gssapi_alloc.h>: memory that crosses between a mechanism plug-in and the library is the process's malloc(). */
#ifndef ORTHROS_GSSAPI_ALLOC_H
#define ORTHROS_GSSAPI_ALLOC_H

#include <stdlib.h>
#include <string.h>

static inline void gssalloc_free(void *value)
{
    free(value);
}

static inline void *gssalloc_malloc(size_t size)
{
    return malloc(size);
}

static inline void *gssalloc_calloc(size_t count, size_t size)
{
    return calloc(count, size);
}

static inline void *gssalloc_realloc(void *value, size_t size)
{
    return realloc(value, size);
}

static inline char *gssalloc_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = (char *)malloc(size);

    return copy == NULL ? NULL : (char *)memcpy(copy, text, size);
}

#endif
