/* What RFC 2744 and its extensions say of a GSS library's interface, and what the files of the sample share. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* RFC 2744 section 3 and appendix A. */
typedef uint32_t status;
typedef struct { size_t length; void *value; } buffer;
typedef struct { uint32_t length; void *elements; } oid;
typedef struct {
    uint32_t initiator_type;
    buffer initiator;
    uint32_t acceptor_type;
    buffer acceptor;
    buffer application;
} channel;
typedef void *handle;

typedef struct { uint32_t type; buffer buffer; } piece;

/* gss_buffer_set_desc. */
struct buffers { size_t count; buffer *elements; };

#define CONTINUE_NEEDED 1u
#define IS_ERROR(major) (((major) & 0xffff0000u) != 0)

/* The library's functions. */
extern struct library {
    status (*import_name)(status *, buffer *, oid *, handle *);
    status (*display_name)(status *, handle, buffer *, oid **);
    status (*acquire_cred)(status *, handle, uint32_t, handle, int, handle *, handle *, uint32_t *);
    status (*inquire_cred)(status *, handle, handle *, uint32_t *, int *, handle *);
    status (*init)(status *, handle, handle *, handle, oid *, uint32_t, uint32_t, channel *, buffer *, oid **,
                   buffer *, uint32_t *, uint32_t *);
    status (*accept)(status *, handle *, handle, buffer *, channel *, handle *, oid **, buffer *, uint32_t *,
                     uint32_t *, handle *);
    status (*delete_context)(status *, handle *, buffer *);
    status (*export_context)(status *, handle *, buffer *);
    status (*import_context)(status *, buffer *, handle *);
    status (*wrap)(status *, handle, int, uint32_t, buffer *, int *, buffer *);
    status (*unwrap)(status *, handle, buffer *, buffer *, int *, uint32_t *);
    status (*get_mic)(status *, handle, uint32_t, buffer *, buffer *);
    status (*verify_mic)(status *, handle, buffer *, buffer *, uint32_t *);
    status (*display_status)(status *, uint32_t, int, oid *, uint32_t *, buffer *);
    status (*pseudo_random)(status *, handle, int, const buffer *, ssize_t, buffer *);
    status (*wrap_iov)(status *, handle, int, uint32_t, int *, piece *, int);
    status (*wrap_iov_length)(status *, handle, int, uint32_t, int *, piece *, int);
    status (*unwrap_iov)(status *, handle, int *, uint32_t *, piece *, int);
    status (*wrap_aead)(status *, handle, int, uint32_t, buffer *, buffer *, int *, buffer *);
    status (*unwrap_aead)(status *, handle, buffer *, buffer *, buffer *, int *, uint32_t *);
    status (*export_lucid)(status *, handle *, uint32_t, void **);
    status (*inquire_by_oid)(status *, handle, oid *, struct buffers **);
    /* Heimdal 7.8 lacks these two: NULL then. */
    status (*get_mic_iov)(status *, handle, uint32_t, piece *, int);
    status (*verify_mic_iov)(status *, handle, uint32_t *, piece *, int);
} gss;

/* How a message is laid out; both ends must be told the same, but STREAM opens what PIECES and ROTATED wrapped. */
enum layout { WHOLE, PIECES, ROTATED, STREAM, AEAD };

extern struct asked {
    uint16_t port;
    uint32_t flags;
    int messages, contexts;
    int encrypt, wrap, mic, move, lucid, echo, negotiate, ntlm;
    channel *bindings;
    const char *service, *message, *prf, *associated;
    enum layout layout;
} asked;

void fail(const char *what);

/* Says what the library holds against it; 0 if there is something. */
int good(const char *doing, status major, status minor);

/* 0 if there is no such layout. */
int layout_named(const char *name);

/* Messages as asked.layout says, with asked.associated signed before them. Memory is not given back. */
status protect(status *minor, handle context, int sealed, buffer plain, int *was_sealed, buffer *token);
status unprotect(status *minor, handle context, int sealed, buffer token, int *was_sealed, buffer *plain);
status sign(status *minor, handle context, buffer plain, buffer *mic);
status verify(status *minor, handle context, buffer plain, buffer mic);

/* Prints what the context answers by object identifier, what the kernel would get, and ends the context. Prints key material. */
void print_lucid(handle *context);

#endif
