/* What the programs share that call with odd arguments: buffers, identifiers, and a context with both ends here. It is
 * included behind the header of the library. */
#ifndef COMMON_H
#define COMMON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline gss_buffer_desc octets(const void *of, size_t length)
{
    gss_buffer_desc made;
    made.length = length;
    made.value = (void *)of;
    return made;
}

static inline gss_buffer_desc text(const char *of)
{
    return octets(of, strlen(of));
}

static inline gss_OID_desc identifier(const char *of, OM_uint32 length)
{
    gss_OID_desc made;
    made.length = length;
    made.elements = (void *)of;
    return made;
}

/* A buffer that holds something, so that a call which does not empty it is found out. */
static inline gss_buffer_desc dirty(void)
{
    static char octet;
    return octets(&octet, 99);
}

static inline int is_empty(gss_buffer_desc buffer)
{
    return buffer.length == 0 && buffer.value == NULL;
}

static inline void require(OM_uint32 major, const char *what)
{
    if (GSS_ERROR(major)) {
        printf("cannot begin: %s (%08x)\n", what, (unsigned)major);
        exit(1);
    }
}

/* Both ends of a context with mutual authentication. */
static inline void establish(gss_name_t target, gss_ctx_id_t *initiator, gss_ctx_id_t *acceptor)
{
    OM_uint32 own;
    gss_buffer_desc there, back;
    *initiator = *acceptor = GSS_C_NO_CONTEXT;
    require(gss_init_sec_context(&own, NULL, initiator, target, NULL, GSS_C_MUTUAL_FLAG, 0, NULL, NULL, NULL, &there, NULL,
                                 NULL), "an initiator");
    require(gss_accept_sec_context(&own, acceptor, NULL, &there, NULL, NULL, NULL, &back, NULL, NULL, NULL), "an acceptor");
    gss_release_buffer(&own, &there);
    require(gss_init_sec_context(&own, NULL, initiator, target, NULL, GSS_C_MUTUAL_FLAG, 0, NULL, &back, NULL, &there, NULL,
                                 NULL), "its reply");
    gss_release_buffer(&own, &back);
}

#endif
