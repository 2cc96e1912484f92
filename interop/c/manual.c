/* What the manual pages of gss_init_sec_context(3) and gss_export_sec_context(3) describe, by a program in C or C++ that
 * includes the header they name: -DHEADER='<gssapi.h>'. Both ends of a context are in this process. It says where a
 * sentence does not hold. */
#include <stdio.h>
#include <string.h>

#include HEADER

#ifdef __cplusplus
extern "C" {
#endif

/* As the pages write them. */
OM_uint32  gss_export_sec_context (
          OM_uint32 *minor_status,
          gss_ctx_id_t *context_handle,
          gss_buffer_t interprocess_token);

OM_uint32 gss_export_sec_context(OM_uint32 * minor_status, gss_ctx_id_t
* context_handle, gss_buffer_t interprocess_token);

OM_uint32 gss_delete_sec_context(OM_uint32 *, gss_ctx_id_t *, gss_buffer_t);
OM_uint32 gss_release_cred(OM_uint32 *, gss_cred_id_t *);
#ifdef FRAMEWORK
OM_uint32 gss_set_sec_context_option(OM_uint32 *, gss_ctx_id_t *, gss_OID, gss_buffer_t);
#endif

#ifdef __cplusplus
}
#endif

static int failures;

#define MUST(what)                                                  \
    do {                                                            \
        if (!(what)) {                                              \
            failures++;                                             \
            printf("line %d does not hold: %s\n", __LINE__, #what); \
        }                                                           \
    } while (0)

static const gss_buffer_desc nothing = GSS_C_EMPTY_BUFFER;

static gss_buffer_desc text(const char *of)
{
    gss_buffer_desc made;

    made.length = strlen(of);
    made.value = (void *)of;
    return made;
}

static gss_name_t service(void)
{
    OM_uint32 minor;
    gss_buffer_desc spelt = text("host@localhost");
    gss_name_t name = GSS_C_NO_NAME;

    MUST(gss_import_name(&minor, &spelt, GSS_C_NT_HOSTBASED_SERVICE, &name) == GSS_S_COMPLETE);
    return name;
}

static void types(void)
{
    static unsigned char octets[] = {0x2a, 0x03, 0x04};
    OM_uint32 minor;
    gss_OID_desc foreign;
    gss_buffer_desc spelt = text("alice");
    gss_name_t name = GSS_C_NO_NAME;

    foreign.length = sizeof octets;
    foreign.elements = octets;
    MUST(gss_import_name(&minor, &spelt, &foreign, &name) == GSS_S_BAD_NAMETYPE);
    MUST(name == GSS_C_NO_NAME);
}

/* A context with every default, as both pages' examples have it: "GSS_C_NO_CREDENTIAL", "GSS_C_NO_OID" (Kerberos),
 * "GSS_C_NO_CHANNEL_BINDINGS", "GSS_C_INDEFINITE" where a time can be asked for. */
static void establish(gss_ctx_id_t *here, gss_ctx_id_t *there, gss_OID *mechanism)
{
    OM_uint32 minor, major = GSS_S_CONTINUE_NEEDED, accepted = GSS_S_CONTINUE_NEEDED, flags = ~0u, time = 0, left = 0;
    gss_buffer_desc to = nothing, back = nothing;
    gss_name_t target = service();
    int rounds;

    for (rounds = 0; rounds < 4 && major == GSS_S_CONTINUE_NEEDED; rounds++) {
        major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, here, target, GSS_C_NO_OID,
                                     GSS_C_MUTUAL_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG, GSS_C_INDEFINITE,
                                     GSS_C_NO_CHANNEL_BINDINGS, &back, mechanism, &to, &flags, &time);
        gss_release_buffer(&minor, &back);
        if (major == GSS_S_CONTINUE_NEEDED)
            MUST((flags & GSS_C_TRANS_FLAG) == 0);
        if (to.length != 0) {
            accepted = gss_accept_sec_context(&minor, there, GSS_C_NO_CREDENTIAL, &to, GSS_C_NO_CHANNEL_BINDINGS, NULL,
                                              NULL, &back, NULL, NULL, NULL);
            gss_release_buffer(&minor, &to);
        }
    }
    MUST(major == GSS_S_COMPLETE && accepted == GSS_S_COMPLETE);
    MUST((flags & (GSS_C_TRANS_FLAG | GSS_C_MUTUAL_FLAG)) == (GSS_C_TRANS_FLAG | GSS_C_MUTUAL_FLAG));
    MUST(gss_context_time(&minor, *here, &left) == GSS_S_COMPLETE);
    MUST(time != 0 && time != GSS_C_INDEFINITE && left <= time && time - left < 60);
    MUST(gss_release_name(&minor, &target) == GSS_S_COMPLETE && target == GSS_C_NO_NAME);
}

static void speak(gss_ctx_id_t from, gss_ctx_id_t to)
{
    OM_uint32 minor;
    gss_buffer_desc message = text("a message"), sealed = nothing, opened = nothing;
    int confidential = 0;

    MUST(gss_wrap(&minor, from, 1, GSS_C_QOP_DEFAULT, &message, &confidential, &sealed) == GSS_S_COMPLETE);
    MUST(confidential);
    MUST(gss_unwrap(&minor, to, &sealed, &opened, NULL, NULL) == GSS_S_COMPLETE);
    MUST(opened.length == message.length && memcmp(opened.value, message.value, message.length) == 0);
    gss_release_buffer(&minor, &sealed);
    gss_release_buffer(&minor, &opened);
}

/* "deactivates the security context for the calling process", "Only a single instantiation ... may be active". */
static void move(gss_ctx_id_t here, gss_ctx_id_t *there)
{
    OM_uint32 minor;
    gss_ctx_id_t copy = *there, moved = GSS_C_NO_CONTEXT, again = GSS_C_NO_CONTEXT, none = GSS_C_NO_CONTEXT;
    gss_buffer_desc token = nothing, empty = nothing, message = text("x");

    MUST(gss_export_sec_context(&minor, &none, &token) == GSS_S_NO_CONTEXT && token.length == 0);
    MUST(gss_export_sec_context(&minor, there, &token) == GSS_S_COMPLETE);
    MUST(*there == GSS_C_NO_CONTEXT && token.length != 0);
    MUST(gss_wrap(&minor, copy, 0, GSS_C_QOP_DEFAULT, &message, NULL, &empty) == GSS_S_NO_CONTEXT);
    MUST(gss_export_sec_context(&minor, &copy, &empty) == GSS_S_NO_CONTEXT && empty.length == 0);
    MUST(gss_import_sec_context(&minor, &token, &moved) == GSS_S_COMPLETE);
    MUST(GSS_ERROR(gss_import_sec_context(&minor, &token, &again)) && again == GSS_C_NO_CONTEXT);
    gss_release_buffer(&minor, &token);
    speak(here, moved);
    speak(moved, here);
    *there = moved;
}

int main(void)
{
    OM_uint32 minor;
    gss_ctx_id_t here = GSS_C_NO_CONTEXT, there = GSS_C_NO_CONTEXT;
    gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
    gss_OID mechanism = GSS_C_NO_OID;
    gss_buffer_desc late = text("no token");

    types();
    establish(&here, &there, &mechanism);
    speak(here, there);
    move(here, &there);
#ifdef FRAMEWORK
    MUST(gss_oid_equal(mechanism, GSS_KRB5_MECHANISM));
    MUST(GSS_ERROR(gss_set_sec_context_option(&minor, &here, mechanism, GSS_C_NO_BUFFER)));
#endif
    MUST(GSS_ERROR(gss_process_context_token(&minor, here, &late)));
    speak(here, there);
    MUST(gss_delete_sec_context(&minor, &here, GSS_C_NO_BUFFER) == GSS_S_COMPLETE && here == GSS_C_NO_CONTEXT);
    MUST(gss_delete_sec_context(&minor, &there, GSS_C_NO_BUFFER) == GSS_S_COMPLETE);
    /* "held in static memory". */
    MUST(mechanism->length == 9);
    MUST(gss_release_cred(&minor, &credential) == GSS_S_COMPLETE);
    printf("%s\n", failures == 0 ? "every sentence holds" : "not so");
    return failures != 0;
}
