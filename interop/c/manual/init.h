/* The page of gss_init_sec_context of Apple's GSS framework: sentences init.*. */
#ifndef MANUAL_INIT_H
#define MANUAL_INIT_H

#include "check.h"

/* The declaration's thirteen parameters, of which these may be null, and those of the functions that it names. */
static void declarations(void)
{
    OM_uint32 minor, major;
    gss_ctx_id_t here = GSS_C_NO_CONTEXT, there = GSS_C_NO_CONTEXT;
    gss_buffer_desc token = nothing, back = nothing;
    gss_name_t target = name_of("host@localhost");

    major = gss_init_sec_context(&minor, NULL, &here, target, NULL, 0, 0, NULL, NULL, NULL, &token, NULL, NULL);
    SHOWN("init.2", major == GSS_S_COMPLETE && here != GSS_C_NO_CONTEXT && token.length != 0);
    SHOWN("init.31", major == GSS_S_COMPLETE);
    major = gss_accept_sec_context(&minor, &there, NULL, &token, NULL, NULL, NULL, &back, NULL, NULL, NULL);
    SHOWN("init.32", major == GSS_S_COMPLETE && speaks(here, there));
    gss_release_buffer(&minor, &token);
    gss_release_buffer(&minor, &back);
    token = text("what is not empty");
    major = gss_delete_sec_context(&minor, &here, &token);
    SHOWN("init.33", major == GSS_S_COMPLETE && here == GSS_C_NO_CONTEXT && token.length == 0);
    major = gss_delete_sec_context(&minor, &there, NULL);
    SHOWN("init.33", major == GSS_S_COMPLETE && there == GSS_C_NO_CONTEXT);
    gss_release_name(&minor, &target);
}

/* Octets of the credential cache, which grows by the ticket that the KDC has given. */
static long long cache_size(void)
{
    struct stat found;
    const char *name = getenv("KRB5CCNAME");

    need(name != NULL, "KRB5CCNAME");
    if (strncmp(name, "FILE:", 5) == 0)
        name += 5;
    need(stat(name, &found) == 0, "a credential cache");
    return (long long)found.st_size;
}

static void statuses(void)
{
    OM_uint32 minor, major, open_time = 0;
    int open = 0;
    long long before = cache_size();
    struct pair pair = established(GSS_C_MUTUAL_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG);
    gss_ctx_id_t half = GSS_C_NO_CONTEXT, copy;
    gss_name_t target = name_of("host@localhost"), none = GSS_C_NO_NAME;
    gss_buffer_desc token = nothing, junk = text("junk"), sealed = nothing;
    gss_OID_desc foreign = identifier(FOREIGN_OCTETS, 3);

    SHOWN("init.7", cache_size() > before);
    SHOWN("init.1", speak(&pair));
    SHOWN("init.4", pair.rounds == 2 && pair.first_token != 0);
    major = gss_inquire_context(&minor, pair.here, NULL, NULL, &open_time, NULL, NULL, NULL, &open);
    SHOWN("init.3", pair.major == GSS_S_COMPLETE && major == GSS_S_COMPLETE && open && open_time != 0);
    SHOWN("init.11", pair.first_handle != GSS_C_NO_CONTEXT);
    SHOWN("init.12", pair.first_handle == pair.here);

    /* While more is needed there is no context to speak on. */
    major = gss_init_sec_context(&minor, NULL, &half, target, NULL, GSS_C_MUTUAL_FLAG, 0, NULL, NULL, NULL, &token, NULL, NULL);
    SHOWN("init.4", major == GSS_S_CONTINUE_NEEDED && token.length != 0);
    SHOWN("init.4", gss_wrap(&minor, half, 1, 0, &junk, NULL, &sealed) == GSS_S_NO_CONTEXT);
    gss_release_buffer(&minor, &token);

    /* The statuses of RFC 2744 section 5.19 that a caller can bring about here. */
    major = gss_init_sec_context(&minor, NULL, &half, target, NULL, GSS_C_MUTUAL_FLAG, 0, NULL, &junk, NULL, &token, NULL, NULL);
    SHOWN("init.5", GSS_ERROR(major) && major != GSS_S_COMPLETE && !(major & GSS_S_CONTINUE_NEEDED));
    SHOWN("init.6", GSS_ERROR(major) == GSS_S_DEFECTIVE_TOKEN);
    SHOWN("init.8", minor != 0 && !tells(minor, "no error"));
    gss_release_buffer(&minor, &token);
    copy = half;
    SHOWN("init.13", gss_delete_sec_context(&minor, &half, NULL) == GSS_S_COMPLETE && half == GSS_C_NO_CONTEXT);
    SHOWN("init.8", minor == 0);
    major = gss_init_sec_context(&minor, NULL, &copy, target, NULL, 0, 0, NULL, &junk, NULL, &token, NULL, NULL);
    SHOWN("init.13", GSS_ERROR(major) == GSS_S_NO_CONTEXT && token.length == 0);
    SHOWN("init.6", GSS_ERROR(major) == GSS_S_NO_CONTEXT);
    major = gss_init_sec_context(&minor, NULL, &half, none, NULL, 0, 0, NULL, NULL, NULL, &token, NULL, NULL);
    SHOWN("init.6", GSS_ERROR(major) == GSS_S_BAD_NAME && half == GSS_C_NO_CONTEXT && token.length == 0);
    major = gss_init_sec_context(&minor, NULL, &half, target, &foreign, 0, 0, NULL, NULL, NULL, &token, NULL, NULL);
    SHOWN("init.16", GSS_ERROR(major) == GSS_S_BAD_MECH && half == GSS_C_NO_CONTEXT && token.length == 0);
    SHOWN("init.24", pair.first_token != 0);
    SHOWN("init.23", is_up(&pair));
    gss_release_name(&minor, &target);
    take_down(&pair);
}

/* Whose credential it is: alice's by default, bob's where KRB5CCNAME names his cache, and a handle's whatever that names. */
static void credentials(const char *other_cache)
{
    OM_uint32 minor;
    gss_name_t from = GSS_C_NO_NAME;
    gss_cred_id_t copy;
    struct pair pair = established(0), with = defaults(0);
    char *own = strdup(getenv("KRB5CCNAME"));

    need(gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, GSS_C_NO_OID_SET, GSS_C_INITIATE, &with.credential, NULL,
                          NULL) == GSS_S_COMPLETE, "a credential");
    gss_inquire_context(&minor, pair.here, &from, NULL, NULL, NULL, NULL, NULL, NULL);
    SHOWN("init.10", is_named(from, "alice@"));
    take_down(&pair);
    setenv("KRB5CCNAME", other_cache, 1);
    pair = established(0);
    gss_inquire_context(&minor, pair.there, &from, NULL, NULL, NULL, NULL, NULL, NULL);
    SHOWN("init.10", is_named(from, "bob@"));
    take_down(&pair);
    bring_up(&with);
    gss_inquire_context(&minor, with.there, &from, NULL, NULL, NULL, NULL, NULL, NULL);
    SHOWN("init.9", is_up(&with) && is_named(from, "alice@"));
    take_down(&with);
    setenv("KRB5CCNAME", "FILE:/nonexistent/cache", 1);
    pair = defaults(0);
    bring_up(&pair);
    SHOWN("init.6", GSS_ERROR(pair.major) == GSS_S_NO_CRED && pair.here == GSS_C_NO_CONTEXT);
    setenv("KRB5CCNAME", own, 1);
    free(own);

    copy = with.credential;
    SHOWN("init.34", gss_release_cred(&minor, &with.credential) == GSS_S_COMPLETE);
    SHOWN("init.34", with.credential == GSS_C_NO_CREDENTIAL);
    with = defaults(0);
    with.credential = copy;
    bring_up(&with);
    SHOWN("init.34", GSS_ERROR(with.major) && with.here == GSS_C_NO_CONTEXT);
    copy = GSS_C_NO_CREDENTIAL;
    SHOWN("init.34", gss_release_cred(&minor, &copy) == GSS_S_COMPLETE);
}

static void names(void)
{
    OM_uint32 minor;
    gss_OID_desc foreign = identifier(FOREIGN_OCTETS, 3), kerberos = identifier(KERBEROS_OCTETS, 9);
    gss_OID_set types = GSS_C_NO_OID_SET;
    gss_buffer_desc spelt = text("alice");
    gss_name_t name = GSS_C_NO_NAME, to = GSS_C_NO_NAME;
    struct pair pair = established(0);
    int present = 0;

    gss_inquire_context(&minor, pair.here, NULL, &to, NULL, NULL, NULL, NULL, NULL);
    SHOWN("init.14", is_named(to, "host/localhost@"));
    take_down(&pair);
    SHOWN("init.15", gss_inquire_names_for_mech(&minor, &kerberos, &types) == GSS_S_COMPLETE);
    need(types != GSS_C_NO_OID_SET, "the types of names");
    gss_test_oid_set_member(&minor, GSS_C_NT_HOSTBASED_SERVICE, types, &present);
    SHOWN("init.15", present);
    gss_test_oid_set_member(&minor, &foreign, types, &present);
    SHOWN("init.15", !present);
    SHOWN("init.15", gss_import_name(&minor, &spelt, &foreign, &name) == GSS_S_BAD_NAMETYPE && name == GSS_C_NO_NAME);
    gss_release_oid_set(&minor, &types);
}

/* Whether a token is framed for a mechanism (RFC 2743 section 3.1), and where what it frames begins. */
static const unsigned char *framed(gss_buffer_t token, const char *of, size_t length)
{
    const unsigned char *at = (const unsigned char *)token->value;
    size_t head = 2;

    if (token->length < 4 || at[0] != 0x60)
        return NULL;
    if (at[1] & 0x80)
        head += at[1] & 0x7f;
    if (token->length < head + 2 + length + 2 || at[head] != 6 || at[head + 1] != length)
        return NULL;
    return memcmp(at + head + 2, of, length) == 0 ? at + head + 2 + length : NULL;
}

static void mechanisms(void)
{
    OM_uint32 minor, major;
    gss_OID_desc kerberos = identifier(KERBEROS_OCTETS, 9), negotiation = identifier(SPNEGO_OCTETS, 6);
    gss_OID first, named[2];
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_name_t target = name_of("host@localhost");
    gss_buffer_desc token = nothing;
    struct pair pair;
    int i;

    pair = established(0);
    SHOWN("init.17", is_identifier(pair.actual, KERBEROS_OCTETS, 9));
    SHOWN("init.25", is_identifier(pair.actual, KERBEROS_OCTETS, 9));
    first = pair.actual;
    take_down(&pair);
    SHOWN("init.26", is_identifier(first, KERBEROS_OCTETS, 9));
    pair = defaults(GSS_C_MUTUAL_FLAG);
    pair.mechanism = &kerberos;
    bring_up(&pair);
    SHOWN("init.16", is_up(&pair) && is_identifier(pair.actual, KERBEROS_OCTETS, 9));
    SHOWN("init.26", pair.actual == first && pair.actual != &kerberos);
    take_down(&pair);
    named[0] = &kerberos;
    named[1] = &negotiation;
    for (i = 0; i < 2; i++) {
        major = gss_init_sec_context(&minor, NULL, &context, target, named[i], GSS_C_MUTUAL_FLAG, 0, NULL, NULL, NULL, &token,
                                     NULL, NULL);
        SHOWN("init.16", major == GSS_S_CONTINUE_NEEDED &&
                             framed(&token, (const char *)named[i]->elements, named[i]->length) != NULL);
        gss_release_buffer(&minor, &token);
        gss_delete_sec_context(&minor, &context, NULL);
    }
    gss_release_name(&minor, &target);
}

static void flags(void)
{
    static const OM_uint32 each[] = {GSS_C_MUTUAL_FLAG, GSS_C_REPLAY_FLAG, GSS_C_SEQUENCE_FLAG, GSS_C_DELEG_FLAG,
                                     GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_DELEG_FLAG};
    const OM_uint32 those = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_DELEG_FLAG;
    struct pair pair = established(0);
    size_t i;

    SHOWN("init.18", (pair.ret_flags & those) == 0 && (pair.accepted_flags & those) == 0);
    take_down(&pair);
    for (i = 0; i < sizeof each / sizeof *each; i++) {
        OM_uint32 minor, inquired = 0;
        pair = established(each[i]);
        SHOWN("init.18", (pair.ret_flags & those) == each[i] && (pair.accepted_flags & those) == each[i]);
        gss_inquire_context(&minor, pair.here, NULL, NULL, NULL, NULL, &inquired, NULL, NULL);
        SHOWN("init.29", inquired == pair.ret_flags && (pair.ret_flags & GSS_C_CONF_FLAG) && speak(&pair));
        take_down(&pair);
    }
}

static void times(void)
{
    OM_uint32 minor, left = 0, longest;
    struct pair pair = established(0);

    longest = pair.time_rec;
    SHOWN("init.20", longest > 3600 && longest != GSS_C_INDEFINITE);
    SHOWN("init.30", gss_context_time(&minor, pair.here, &left) == GSS_S_COMPLETE && left <= longest && longest - left < 60);
    take_down(&pair);
    pair = defaults(0);
    pair.time = 300;
    bring_up(&pair);
    SHOWN("init.19", is_up(&pair) && pair.time_rec <= 300 && pair.time_rec > 240);
    SHOWN("init.30", gss_context_time(&minor, pair.here, &left) == GSS_S_COMPLETE && left <= pair.time_rec);
    take_down(&pair);
    pair = defaults(0);
    pair.time = 0;
    bring_up(&pair);
    SHOWN("init.20", is_up(&pair) && pair.time_rec + 60 > longest);
    take_down(&pair);
    pair = defaults(0);
    pair.time = 1;
    bring_up(&pair);
    sleep(2);
    SHOWN("init.19", gss_context_time(&minor, pair.here, &left) == GSS_S_CONTEXT_EXPIRED && left == 0);
    take_down(&pair);
}

static void bindings(void)
{
    struct gss_channel_bindings_struct one, other;
    struct pair pair;

    memset(&one, 0, sizeof one);
    one.initiator_addrtype = one.acceptor_addrtype = GSS_C_AF_NULLADDR;
    one.application_data = text("tls-exporter:one");
    other = one;
    other.application_data = text("tls-exporter:other");
    pair = defaults(GSS_C_MUTUAL_FLAG);
    pair.bindings = pair.acceptor_bindings = &one;
    bring_up(&pair);
    SHOWN("init.21", is_up(&pair) && speak(&pair));
    take_down(&pair);
    pair.acceptor_bindings = &other;
    bring_up(&pair);
    SHOWN("init.21", GSS_ERROR(pair.accepted) == GSS_S_BAD_BINDINGS);
    take_down(&pair);
    pair = established(GSS_C_MUTUAL_FLAG);
    SHOWN("init.22", speak(&pair));
    take_down(&pair);
}

/* A KRB-ERROR in the frame of the mechanism (RFC 4121 section 4.1): what an acceptor makes of a changed request. */
static gss_buffer_desc refusal(OM_uint32 *major, gss_ctx_id_t *initiator)
{
    OM_uint32 minor;
    gss_ctx_id_t there = GSS_C_NO_CONTEXT;
    gss_name_t target = name_of("host@localhost");
    gss_buffer_desc token = nothing, back = nothing;

    need(gss_init_sec_context(&minor, NULL, initiator, target, NULL, GSS_C_MUTUAL_FLAG, 0, NULL, NULL, NULL, &token, NULL,
                              NULL) == GSS_S_CONTINUE_NEEDED, "a request");
    ((unsigned char *)token.value)[token.length - 1] ^= 1;
    *major = gss_accept_sec_context(&minor, &there, NULL, &token, NULL, NULL, NULL, &back, NULL, NULL, NULL);
    gss_release_buffer(&minor, &token);
    gss_delete_sec_context(&minor, &there, NULL);
    gss_release_name(&minor, &target);
    return back;
}

static int is_refusal(gss_buffer_t token)
{
    const unsigned char *inner = framed(token, KERBEROS_OCTETS, 9);

    return inner != NULL && inner[0] == 3 && inner[1] == 0 &&
           inner + 3 < (const unsigned char *)token->value + token->length && inner[2] == 0x7e;
}

static void tokens(void)
{
    OM_uint32 minor, major;
    gss_ctx_id_t half = GSS_C_NO_CONTEXT;
    gss_name_t target = name_of("host@localhost");
    gss_buffer_desc told, token = nothing;
    struct pair pair = established(0);

    SHOWN("init.27", is_up(&pair) && pair.first_token != 0);
    SHOWN("init.28", pair.rounds == 1 && pair.major == GSS_S_COMPLETE && pair.accepted == GSS_S_COMPLETE);
    take_down(&pair);
    pair = established(GSS_C_MUTUAL_FLAG);
    SHOWN("init.28", pair.rounds == 2 && pair.first_token != 0);
    take_down(&pair);

    told = refusal(&major, &half);
    SHOWN("init.28", GSS_ERROR(major) && is_refusal(&told));
    /* The initiator learns why. */
    major = gss_init_sec_context(&minor, NULL, &half, target, NULL, GSS_C_MUTUAL_FLAG, 0, NULL, &told, NULL, &token, NULL, NULL);
    SHOWN("init.28", GSS_ERROR(major) && tells(minor, "integrity"));
    SHOWN("init.28", token.length == 0 || is_refusal(&token));
    gss_release_buffer(&minor, &token);
    gss_delete_sec_context(&minor, &half, NULL);

    /* Late, it explains and ends nothing; what is no error token is refused, and ends nothing either. */
    pair = established(GSS_C_MUTUAL_FLAG);
    major = gss_process_context_token(&minor, pair.here, &told);
    SHOWN("init.35", major == GSS_S_COMPLETE && minor != 0 && tells(minor, "integrity"));
    SHOWN("init.35", speak(&pair));
    token = text("no token");
    SHOWN("init.35", GSS_ERROR(gss_process_context_token(&minor, pair.here, &token)) == GSS_S_DEFECTIVE_TOKEN);
    SHOWN("init.35", speak(&pair));
    take_down(&pair);
    gss_release_buffer(&minor, &told);
    gss_release_name(&minor, &target);
}

#ifdef HAS_OPTIONS
/* An option of ours: the reply of a KDC, which the program carries. Here it has none to bring. */
static void options(void)
{
    OM_uint32 minor, major;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_name_t target = name_of("other@localhost");
    gss_buffer_desc empty = text(""), token = nothing;
    gss_OID_desc foreign = identifier(FOREIGN_OCTETS, 3);
    gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
    struct pair pair = established(GSS_C_MUTUAL_FLAG);

    need(gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, GSS_C_NO_OID_SET, GSS_C_INITIATE, &credential, NULL, NULL) ==
             GSS_S_COMPLETE, "a credential");
    need(gss_set_cred_option(&minor, &credential, GSS_ORTHROS_CARRY, &empty) == GSS_S_COMPLETE, "its option");
    major = gss_init_sec_context(&minor, credential, &context, target, NULL, 0, 0, NULL, NULL, NULL, &token, NULL, NULL);
    need(major == GSS_S_CONTINUE_NEEDED && token.length == 0, "a context that asks a KDC");
    SHOWN("init.36", gss_set_sec_context_option(&minor, &context, GSS_ORTHROS_KDC_MESSAGE, &empty) == GSS_S_COMPLETE);
    major = gss_init_sec_context(&minor, credential, &context, target, NULL, 0, 0, NULL, NULL, NULL, &token, NULL, NULL);
    SHOWN("init.36", GSS_ERROR(major) && tells(minor, "the program could reach none"));
    gss_delete_sec_context(&minor, &context, NULL);
    SHOWN("init.36", GSS_ERROR(gss_set_sec_context_option(&minor, &pair.here, &foreign, GSS_C_NO_BUFFER)));
    SHOWN("init.36", GSS_ERROR(gss_set_sec_context_option(&minor, NULL, &foreign, &empty)));
    SHOWN("init.36", speak(&pair));
    gss_release_cred(&minor, &credential);
    gss_release_name(&minor, &target);
    take_down(&pair);
}
#endif

static void initiation(const char *other_cache)
{
    statuses();
    declarations();
    credentials(other_cache);
    names();
    mechanisms();
    flags();
    times();
    bindings();
    tokens();
#ifdef HAS_OPTIONS
    options();
#endif
}

#endif
