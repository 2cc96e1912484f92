/* A row for every call of RFC 2744 that arguments.c has none of, and for those of RFC 4401, 5587, 5588, 5801, 6339 and 6680
 * and the extensions beside them: null, empty, twice, wild, stale, foreign, the same for in and out, and in several threads
 * at a time. Each gives the documented status and leaves its outputs empty. It compiles as C and as C++. Its argument is the
 * target; the environment names cache and keytab. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <gssapi/gssapi_orthros.h>

#include "common.h"

static int failures, rows;
static gss_name_t target;
static OM_uint32 minor;

#define READ GSS_S_CALL_INACCESSIBLE_READ
#define WRITE GSS_S_CALL_INACCESSIBLE_WRITE
#define WHOLE(major) ((major) & 0xffff0000u)

static void row(const char *call, int holds, OM_uint32 major)
{
    rows++;
    if (!holds) {
        failures++;
        printf("not so: %s (%08x)\n", call, (unsigned)major);
    }
}

/* The call gives exactly this error, or none. */
#define IS(wanted, call)                                         \
    do {                                                         \
        OM_uint32 got = call;                                    \
        row(#call " is " #wanted, WHOLE(got) == (wanted), got);  \
    } while (0)
/* What else must be so after it. */
#define AND(holds) row(#holds, holds, 0)

/* Every call that takes a context, with one that is none. */
static void no_context(gss_ctx_id_t context)
{
    gss_buffer_desc in = text("hello"), out;
    gss_buffer_set_t set = (gss_buffer_set_t)1;
    gss_iov_buffer_desc pieces[2];
    gss_ctx_id_t copy = context;
    void *lucid = (void *)1;
    krb5_flags ticket = 99;
    int some = 99, qop = 99;
    gss_qop_t quality = 99;
    krb5_timestamp when = 99;

    memset(pieces, 0, sizeof pieces);
    pieces[0].type = GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE;
    pieces[1].type = GSS_IOV_BUFFER_TYPE_DATA;
    pieces[1].buffer = in;
    out = dirty();
    IS(GSS_S_NO_CONTEXT, gss_sign(&minor, context, 0, &in, &out));
    AND(is_empty(out));
    IS(GSS_S_NO_CONTEXT, gss_verify(&minor, context, &in, &in, &qop));
    AND(qop == 0);
    out = dirty();
    IS(GSS_S_NO_CONTEXT, gss_seal(&minor, context, 1, 0, &in, &some, &out));
    AND(is_empty(out) && some == 0);
    out = dirty();
    some = qop = 99;
    IS(GSS_S_NO_CONTEXT, gss_unseal(&minor, context, &in, &out, &some, &qop));
    AND(is_empty(out) && some == 0 && qop == 0);
    out = dirty();
    IS(GSS_S_NO_CONTEXT, gss_wrap_aead(&minor, context, 1, 0, &in, &in, &some, &out));
    AND(is_empty(out));
    out = dirty();
    IS(GSS_S_NO_CONTEXT, gss_unwrap_aead(&minor, context, &in, &in, &out, &some, &quality));
    AND(is_empty(out));
    IS(GSS_S_NO_CONTEXT, gss_wrap_iov(&minor, context, 1, 0, &some, pieces, 2));
    IS(GSS_S_NO_CONTEXT, gss_unwrap_iov(&minor, context, &some, &quality, pieces, 2));
    IS(GSS_S_NO_CONTEXT, gss_wrap_iov_length(&minor, context, 1, 0, &some, pieces, 2));
    IS(GSS_S_NO_CONTEXT, gss_get_mic_iov(&minor, context, 0, pieces, 2));
    IS(GSS_S_NO_CONTEXT, gss_get_mic_iov_length(&minor, context, 0, pieces, 2));
    IS(GSS_S_NO_CONTEXT, gss_verify_mic_iov(&minor, context, &quality, pieces, 2));
    AND(pieces[0].buffer.value == NULL && pieces[1].buffer.length == 5);
    out = dirty();
    IS(GSS_S_NO_CONTEXT, gss_pseudo_random(&minor, context, GSS_C_PRF_KEY_FULL, &in, 32, &out));
    AND(is_empty(out));
    IS(GSS_S_NO_CONTEXT, gss_inquire_sec_context_by_oid(&minor, context, GSS_C_INQ_SSPI_SESSION_KEY, &set));
    AND(set == GSS_C_NO_BUFFER_SET);
    IS(GSS_S_NO_CONTEXT, gss_set_sec_context_option(&minor, &copy, GSS_ORTHROS_KDC_MESSAGE, &in));
    AND(copy == context);
    IS(GSS_S_NO_CONTEXT, gss_krb5_get_tkt_flags(&minor, context, &ticket));
    AND(ticket == 0);
    IS(GSS_S_NO_CONTEXT, gsskrb5_extract_authtime_from_sec_context(&minor, context, &when));
    AND(when == 0);
    out = dirty();
    IS(GSS_S_NO_CONTEXT, gsskrb5_extract_authz_data_from_sec_context(&minor, context, 1, &out));
    AND(is_empty(out));
    IS(GSS_S_NO_CONTEXT, gss_krb5_export_lucid_sec_context(&minor, &copy, 1, &lucid));
    AND(lucid == NULL && copy == context);
}

/* Every call that takes a name, with one that is none. */
static void no_name(gss_name_t name)
{
    gss_buffer_desc attribute = text("urn:x"), secret = text("wonderland"), out = dirty(), shown;
    gss_OID_set types = (gss_OID_set)1;
    gss_buffer_set_t set = (gss_buffer_set_t)1;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_cred_id_t cred = (gss_cred_id_t)1;
    gss_OID mech = (gss_OID)1;
    int some = 99, more = 0;
    uid_t uid = 99;

    IS(GSS_S_BAD_NAME, gss_inquire_mechs_for_name(&minor, name, &types));
    AND(types == GSS_C_NO_OID_SET);
    IS(GSS_S_BAD_NAME, gss_display_name_ext(&minor, name, GSS_C_NT_USER_NAME, &out));
    AND(is_empty(out));
    IS(GSS_S_BAD_NAME, gss_inquire_name(&minor, name, &some, &mech, &set));
    AND(some == 0 && mech == GSS_C_NO_OID && set == GSS_C_NO_BUFFER_SET);
    out = shown = dirty();
    IS(GSS_S_BAD_NAME, gss_get_name_attribute(&minor, name, &attribute, &some, &some, &out, &shown, &more));
    AND(is_empty(out) && is_empty(shown) && more == 0);
    IS(GSS_S_BAD_NAME, gss_set_name_attribute(&minor, name, 1, &attribute, &attribute));
    IS(GSS_S_BAD_NAME, gss_delete_name_attribute(&minor, name, &attribute));
    out = dirty();
    IS(GSS_S_BAD_NAME, gss_export_name_composite(&minor, name, &out));
    AND(is_empty(out));
    out = dirty();
    IS(GSS_S_BAD_NAME, gss_localname(&minor, name, GSS_C_NO_OID, &out));
    AND(is_empty(out));
    IS(GSS_S_BAD_NAME, gss_pname_to_uid(&minor, name, GSS_C_NO_OID, &uid));
    IS(GSS_S_BAD_NAME, gss_authorize_localname(&minor, name, target));
    IS(GSS_S_BAD_NAME, gss_authorize_localname(&minor, target, name));
    AND(gss_userok(name, "root") == 0);
    out = dirty();
    IS(GSS_S_BAD_NAME, gss_init_sec_context(&minor, NULL, &context, name, NULL, 0, 0, NULL, NULL, NULL, &out, NULL, NULL));
    AND(is_empty(out) && context == GSS_C_NO_CONTEXT);
    if (name != GSS_C_NO_NAME) {
        /* No name is a demand for the default one here. */
        IS(GSS_S_BAD_NAME, gss_acquire_cred(&minor, name, 0, NULL, GSS_C_INITIATE, &cred, NULL, NULL));
        AND(cred == GSS_C_NO_CREDENTIAL);
        IS(GSS_S_BAD_NAME, gss_acquire_cred_from(&minor, name, 0, NULL, GSS_C_INITIATE, NULL, &cred, NULL, NULL));
        IS(GSS_S_BAD_NAME, gss_add_cred(&minor, NULL, name, GSS_C_NO_OID, GSS_C_INITIATE, 0, 0, &cred, NULL, NULL, NULL));
        cred = (gss_cred_id_t)1;
        IS(GSS_S_BAD_NAME, gss_acquire_cred_with_password(&minor, name, &secret, 0, NULL, GSS_C_INITIATE, &cred, NULL, NULL));
        AND(cred == GSS_C_NO_CREDENTIAL);
    }
}

/* Every call that takes a credential, with one that is none. As with MIT krb5 it is GSS_S_NO_CRED or
 * GSS_S_DEFECTIVE_CREDENTIAL, and never the default one. */
#define NO_CREDENTIAL(call)                                                                                       \
    do {                                                                                                          \
        OM_uint32 got = call;                                                                                     \
        row(#call, WHOLE(got) == GSS_S_NO_CRED || WHOLE(got) == GSS_S_DEFECTIVE_CREDENTIAL, got);                 \
    } while (0)

static void no_credential(gss_cred_id_t cred)
{
    gss_name_t name = (gss_name_t)1;
    gss_cred_id_t copy = cred, made = (gss_cred_id_t)1;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_OID_set stored = (gss_OID_set)1;
    gss_buffer_set_t set = (gss_buffer_set_t)1;
    gss_buffer_desc in = text("hello"), out = dirty();
    gss_cred_usage_t usage = 99;
    krb5_enctype enctypes[] = {18};
    OM_uint32 one = 99, other = 99;

    NO_CREDENTIAL(gss_inquire_cred_by_mech(&minor, cred, gss_mech_krb5, &name, &one, &other, &usage));
    AND(name == GSS_C_NO_NAME && one == 0 && other == 0);
    NO_CREDENTIAL(gss_add_cred(&minor, cred, NULL, gss_mech_krb5, GSS_C_INITIATE, 0, 0, &made, NULL, NULL, NULL));
    AND(made == GSS_C_NO_CREDENTIAL);
    NO_CREDENTIAL(gss_add_cred_from(&minor, cred, NULL, gss_mech_krb5, GSS_C_INITIATE, 0, 0, NULL, NULL, NULL, NULL, NULL));
    NO_CREDENTIAL(gss_store_cred(&minor, cred, GSS_C_INITIATE, NULL, 1, 1, &stored, &usage));
    AND(stored == GSS_C_NO_OID_SET);
    NO_CREDENTIAL(gss_store_cred_into(&minor, cred, GSS_C_INITIATE, NULL, 1, 1, NULL, &stored, &usage));
    NO_CREDENTIAL(gss_export_cred(&minor, cred, &out));
    AND(is_empty(out));
    NO_CREDENTIAL(gss_inquire_cred_by_oid(&minor, cred, GSS_C_SEC_CONTEXT_SASL_SSF, &set));
    AND(set == GSS_C_NO_BUFFER_SET);
    NO_CREDENTIAL(gss_set_cred_option(&minor, &copy, GSS_ORTHROS_CARRY, &in));
    AND(copy == cred);
    NO_CREDENTIAL(gss_set_neg_mechs(&minor, cred, (gss_OID_set)gss_mech_set_krb5));
    NO_CREDENTIAL(gss_krb5_set_allowable_enctypes(&minor, cred, 1, enctypes));
    NO_CREDENTIAL(gss_acquire_cred_impersonate_name(&minor, cred, target, 0, NULL, GSS_C_INITIATE, &made, NULL, NULL));
    out = dirty();
    NO_CREDENTIAL(gss_accept_sec_context(&minor, &context, cred, &in, NULL, &name, NULL, &out, NULL, NULL, NULL));
    AND(is_empty(out) && context == GSS_C_NO_CONTEXT && name == GSS_C_NO_NAME);
}

/* Null where a place for a result, or an input, is demanded. */
static void nulls(gss_ctx_id_t context, gss_cred_id_t cred)
{
    gss_buffer_desc some = text("hello"), out = dirty();
    gss_OID_set set = GSS_C_NO_OID_SET;
    gss_cred_id_t made = GSS_C_NO_CREDENTIAL;
    OM_uint32 more = 0, number;
    int present = 99;

    /* The minor status, which RFC 2744 lets no caller leave out. */
    IS(WRITE, gss_add_cred(NULL, NULL, NULL, NULL, GSS_C_INITIATE, 0, 0, &made, NULL, NULL, NULL));
    IS(WRITE, gss_inquire_cred(NULL, NULL, NULL, NULL, NULL, NULL));
    IS(WRITE, gss_inquire_cred_by_mech(NULL, NULL, gss_mech_krb5, NULL, NULL, NULL, NULL));
    IS(WRITE, gss_display_status(NULL, 0, GSS_C_GSS_CODE, NULL, &more, &out));
    IS(WRITE, gss_indicate_mechs(NULL, &set));
    IS(WRITE, gss_inquire_names_for_mech(NULL, gss_mech_krb5, &set));
    IS(WRITE, gss_inquire_mechs_for_name(NULL, target, &set));
    IS(WRITE, gss_create_empty_oid_set(NULL, &set));
    IS(WRITE, gss_add_oid_set_member(NULL, gss_mech_krb5, &set));
    IS(WRITE, gss_test_oid_set_member(NULL, gss_mech_krb5, set, &present));
    IS(WRITE, gss_release_oid_set(NULL, &set));
    IS(WRITE, gss_wrap(NULL, context, 1, 0, &some, NULL, &out));
    IS(WRITE, gss_unwrap(NULL, context, &some, &out, NULL, NULL));
    IS(WRITE, gss_get_mic(NULL, context, 0, &some, &out));
    IS(WRITE, gss_verify_mic(NULL, context, &some, &some, NULL));
    IS(WRITE, gss_wrap_size_limit(NULL, context, 1, 0, 100, &number));
    IS(WRITE, gss_process_context_token(NULL, context, &some));
    IS(WRITE, gss_release_buffer(NULL, &some));
    IS(WRITE, gss_pseudo_random(NULL, context, 0, &some, 8, &out));
    IS(WRITE, gss_store_cred(NULL, cred, GSS_C_INITIATE, NULL, 1, 1, NULL, NULL));
    IS(WRITE, gss_inquire_attrs_for_mech(NULL, gss_mech_krb5, &set, NULL));
    IS(WRITE, gss_inquire_saslname_for_mech(NULL, gss_mech_krb5, &out, NULL, NULL));
    /* Results. */
    IS(WRITE, gss_indicate_mechs(&minor, NULL));
    IS(WRITE, gss_inquire_names_for_mech(&minor, gss_mech_krb5, NULL));
    IS(WRITE, gss_inquire_mechs_for_name(&minor, target, NULL));
    IS(WRITE, gss_add_oid_set_member(&minor, gss_mech_krb5, NULL));
    IS(WRITE, gss_display_status(&minor, 0, GSS_C_GSS_CODE, NULL, &more, NULL));
    IS(WRITE, gss_wrap(&minor, context, 1, 0, &some, NULL, NULL));
    IS(WRITE, gss_unwrap(&minor, context, &some, NULL, NULL, NULL));
    IS(WRITE, gss_get_mic(&minor, context, 0, &some, NULL));
    IS(WRITE, gss_wrap_size_limit(&minor, context, 1, 0, 100, NULL));
    IS(WRITE, gss_seal(&minor, context, 1, 0, &some, NULL, NULL));
    IS(WRITE, gss_sign(&minor, context, 0, &some, NULL));
    IS(WRITE, gss_pseudo_random(&minor, context, 0, &some, 8, NULL));
    IS(WRITE, gss_export_cred(&minor, cred, NULL));
    IS(WRITE, gss_import_cred(&minor, &some, NULL));
    IS(WRITE, gss_indicate_mechs_by_attrs(&minor, NULL, NULL, NULL, NULL));
    IS(WRITE, gss_export_name_composite(&minor, target, NULL));
    IS(WRITE, gss_localname(&minor, target, NULL, NULL));
    IS(WRITE, gss_create_empty_buffer_set(&minor, NULL));
    IS(WRITE, gss_oid_to_str(&minor, gss_mech_krb5, NULL));
    IS(WRITE, gss_str_to_oid(&minor, &some, NULL));
    IS(WRITE, gss_encapsulate_token(&some, gss_mech_krb5, NULL));
    /* Inputs. */
    out = dirty();
    IS(READ, gss_wrap(&minor, context, 1, 0, NULL, NULL, &out));
    AND(is_empty(out));
    out = dirty();
    IS(READ, gss_unwrap(&minor, context, NULL, &out, NULL, NULL));
    AND(is_empty(out));
    IS(READ, gss_get_mic(&minor, context, 0, NULL, &out));
    IS(READ, gss_verify_mic(&minor, context, NULL, &some, NULL));
    IS(READ, gss_verify_mic(&minor, context, &some, NULL, NULL));
    IS(READ, gss_process_context_token(&minor, context, NULL));
    IS(READ, gss_import_cred(&minor, NULL, &made));
    IS(READ, gss_add_oid_set_member(&minor, NULL, &set));
    IS(READ, gss_test_oid_set_member(&minor, NULL, set, &present));
    IS(READ, gss_test_oid_set_member(&minor, gss_mech_krb5, NULL, &present));
    IS(READ, gss_oid_to_str(&minor, NULL, &out));
    IS(READ, gss_str_to_oid(&minor, NULL, (gss_OID *)&set));
    IS(READ, gss_encapsulate_token(NULL, gss_mech_krb5, &out));
    IS(READ, gss_encapsulate_token(&some, NULL, &out));
    IS(READ, gss_decapsulate_token(NULL, gss_mech_krb5, &out));
    IS(READ, gss_inquire_mech_for_saslname(&minor, NULL, (gss_OID *)&set));
    IS(READ, gss_display_mech_attr(&minor, NULL, &out, NULL, NULL));
    IS(READ, gss_acquire_cred_impersonate_name(&minor, NULL, target, 0, NULL, GSS_C_INITIATE, &made, NULL, NULL));
    IS(READ, gss_set_neg_mechs(&minor, cred, GSS_C_NO_OID_SET));
    AND(gss_oid_equal(NULL, gss_mech_krb5) == 0 && gss_oid_equal(gss_mech_krb5, NULL) == 0);
    AND(gss_userok(target, NULL) == 0);
    /* Results that may be null: nothing is to be told, and nothing is lost. */
    IS(GSS_S_COMPLETE, gss_inquire_cred(&minor, cred, NULL, NULL, NULL, NULL));
    IS(GSS_S_COMPLETE, gss_inquire_cred_by_mech(&minor, cred, gss_mech_krb5, NULL, NULL, NULL, NULL));
    IS(GSS_S_COMPLETE, gss_inquire_context(&minor, context, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    IS(GSS_S_COMPLETE, gss_inquire_attrs_for_mech(&minor, gss_mech_krb5, NULL, NULL));
    IS(GSS_S_COMPLETE, gss_inquire_saslname_for_mech(&minor, gss_mech_krb5, NULL, NULL, NULL));
    IS(GSS_S_COMPLETE, gss_display_status(&minor, 0, GSS_C_GSS_CODE, NULL, NULL, &out)); /* for the first sentence */
    AND(out.length != 0);
    gss_release_buffer(&minor, &out);
    IS(GSS_S_COMPLETE, gss_release_cred(&minor, NULL));
    IS(GSS_S_COMPLETE, gss_release_name(&minor, NULL));
    IS(GSS_S_COMPLETE, gss_release_buffer(&minor, NULL));
    IS(GSS_S_COMPLETE, gss_release_oid_set(&minor, NULL));
    IS(GSS_S_COMPLETE, gss_release_buffer_set(&minor, NULL));
    IS(GSS_S_COMPLETE, gss_delete_sec_context(&minor, NULL, NULL));
}

/* Empty, malformed and unknown: identifiers, buffers, statuses, qualities, sets. */
static void values(gss_ctx_id_t initiator, gss_ctx_id_t acceptor)
{
    gss_OID_desc foreign = identifier("\x2a\x03\x04", 3), none = identifier("", 0), cut = identifier("\x2a\x86", 2);
    gss_OID_desc hollow = identifier(NULL, 9);
    gss_buffer_desc empty = octets("", 0), hollow_buffer = octets(NULL, 7), huge = octets("x", (size_t)-1), out, opened;
    gss_buffer_desc nonsense = text("NONSENSE");
    gss_OID_set set = GSS_C_NO_OID_SET, again = GSS_C_NO_OID_SET, hollow_set;
    gss_OID_set_desc lying;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
    gss_name_t name = GSS_C_NO_NAME;
    gss_OID made = GSS_C_NO_OID;
    OM_uint32 more = 0, number = 99;
    int present = 99, conf = 99;

    lying.count = 3;
    lying.elements = NULL;
    hollow_set = &lying;
    IS(GSS_S_BAD_MECH, gss_inquire_names_for_mech(&minor, &foreign, &set));
    IS(GSS_S_BAD_MECH, gss_inquire_cred_by_mech(&minor, NULL, &foreign, NULL, NULL, NULL, NULL));
    IS(GSS_S_BAD_MECH, gss_add_cred(&minor, NULL, NULL, &foreign, GSS_C_INITIATE, 0, 0, &cred, NULL, NULL, NULL));
    IS(GSS_S_BAD_MECH, gss_canonicalize_name(&minor, target, &foreign, &name));
    IS(GSS_S_BAD_MECH, gss_inquire_saslname_for_mech(&minor, &foreign, &out, NULL, NULL));
    IS(GSS_S_BAD_MECH, gss_inquire_mech_for_saslname(&minor, &nonsense, &made));
    IS(GSS_S_BAD_MECH, gss_inquire_attrs_for_mech(&minor, &foreign, &set, &again));
    AND(set == GSS_C_NO_OID_SET && again == GSS_C_NO_OID_SET && cred == GSS_C_NO_CREDENTIAL && name == GSS_C_NO_NAME);
    IS(19u << 16, gss_display_mech_attr(&minor, &foreign, &out, NULL, NULL)); /* GSS_S_BAD_MECH_ATTR */
    /* An identifier without octets, with half a number, and with octets that are not there. */
    AND(GSS_ERROR(gss_inquire_names_for_mech(&minor, &none, &set)) && set == GSS_C_NO_OID_SET);
    AND(GSS_ERROR(gss_inquire_names_for_mech(&minor, &cut, &set)) && set == GSS_C_NO_OID_SET);
    AND(GSS_ERROR(gss_inquire_names_for_mech(&minor, &hollow, &set)) && set == GSS_C_NO_OID_SET);
    AND(GSS_ERROR(gss_import_name(&minor, &nonsense, &cut, &name)) && name == GSS_C_NO_NAME);
    AND(GSS_ERROR(gss_acquire_cred(&minor, NULL, 0, hollow_set, GSS_C_INITIATE, &cred, NULL, NULL)));
    AND(GSS_ERROR(gss_acquire_cred(&minor, NULL, 0, NULL, 77, &cred, NULL, NULL)) && cred == GSS_C_NO_CREDENTIAL);
    /* Buffers whose octets are not there. */
    IS(READ, gss_wrap(&minor, initiator, 1, 0, &hollow_buffer, NULL, &out));
    IS(READ, gss_unwrap(&minor, initiator, &hollow_buffer, &out, NULL, NULL));
    IS(READ, gss_import_cred(&minor, &hollow_buffer, &cred));
    IS(READ, gss_import_sec_context(&minor, &hollow_buffer, &context));
    IS(READ, gss_process_context_token(&minor, initiator, &hollow_buffer));
    IS(GSS_S_CALL_BAD_STRUCTURE, gss_get_mic(&minor, initiator, 0, &huge, &out));
    /* Statuses. */
    IS(GSS_S_BAD_STATUS, gss_display_status(&minor, 0, 77, NULL, &more, &out));
    IS(GSS_S_BAD_STATUS, gss_display_status(&minor, 0xffu << 16, GSS_C_GSS_CODE, NULL, &more, &out));
    AND(is_empty(out) && more == 0);
    IS(GSS_S_BAD_MECH, gss_display_status(&minor, 22, GSS_C_MECH_CODE, &foreign, &more, &out));
    IS(GSS_S_COMPLETE, gss_display_status(&minor, 22, GSS_C_MECH_CODE, NULL, &more, &out));
    AND(out.length != 0);
    gss_release_buffer(&minor, &out);
    /* Qualities of protection: there is one. */
    IS(GSS_S_BAD_QOP, gss_wrap(&minor, initiator, 1, 7, &nonsense, &conf, &out));
    AND(is_empty(out) && conf == 0);
    IS(GSS_S_BAD_QOP, gss_get_mic(&minor, initiator, 7, &nonsense, &out));
    IS(GSS_S_BAD_QOP, gss_wrap_size_limit(&minor, initiator, 1, 7, 100, &number));
    IS(GSS_S_BAD_QOP, gss_seal(&minor, initiator, 1, 7, &nonsense, NULL, &out));
    IS(GSS_S_BAD_QOP, gss_sign(&minor, initiator, 7, &nonsense, &out));
    IS(GSS_S_COMPLETE, gss_wrap_size_limit(&minor, initiator, 1, 0, 0, &number));
    AND(number == 0);
    /* The empty message is one; the empty token is none. */
    IS(GSS_S_COMPLETE, gss_wrap(&minor, initiator, 1, 0, &empty, NULL, &out));
    IS(GSS_S_COMPLETE, gss_unwrap(&minor, acceptor, &out, &opened, NULL, NULL));
    AND(opened.length == 0);
    gss_release_buffer(&minor, &out);
    gss_release_buffer(&minor, &opened);
    IS(GSS_S_COMPLETE, gss_get_mic(&minor, initiator, 0, &empty, &out));
    IS(GSS_S_COMPLETE, gss_verify_mic(&minor, acceptor, &empty, &out, NULL));
    gss_release_buffer(&minor, &out);
    IS(GSS_S_DEFECTIVE_TOKEN, gss_unwrap(&minor, acceptor, &empty, &out, NULL, NULL));
    IS(GSS_S_DEFECTIVE_TOKEN, gss_verify_mic(&minor, acceptor, &empty, &empty, NULL));
    IS(GSS_S_DEFECTIVE_TOKEN, gss_import_sec_context(&minor, &empty, &context));
    IS(GSS_S_DEFECTIVE_TOKEN, gss_import_cred(&minor, &empty, &cred));
    IS(GSS_S_DEFECTIVE_TOKEN, gss_process_context_token(&minor, acceptor, &empty));
    IS(GSS_S_DEFECTIVE_TOKEN, gss_decapsulate_token(&empty, gss_mech_krb5, &out));
    AND(is_empty(out));
    /* Sets of identifiers. */
    IS(GSS_S_COMPLETE, gss_create_empty_oid_set(&minor, &set));
    AND(set != GSS_C_NO_OID_SET && set->count == 0);
    IS(GSS_S_COMPLETE, gss_add_oid_set_member(&minor, &foreign, &set));
    IS(GSS_S_COMPLETE, gss_add_oid_set_member(&minor, &foreign, &set)); /* once more is once */
    AND(set->count == 1);
    IS(GSS_S_COMPLETE, gss_test_oid_set_member(&minor, gss_mech_krb5, set, &present));
    AND(present == 0);
    IS(GSS_S_COMPLETE, gss_release_oid_set(&minor, &set));
    IS(GSS_S_COMPLETE, gss_release_oid_set(&minor, &set)); /* twice */
    AND(set == GSS_C_NO_OID_SET);
    IS(GSS_S_COMPLETE, gss_indicate_mechs_by_attrs(&minor, NULL, NULL, NULL, &set));
    IS(GSS_S_COMPLETE, gss_release_oid_set(&minor, &set));
}

/* What one call gives and another, or itself, takes, in the same place. */
static void aliased(gss_ctx_id_t *initiator, gss_ctx_id_t *acceptor)
{
    char octets_of[] = "the message";
    gss_buffer_desc one = text(octets_of), mic;
    gss_OID_set set = GSS_C_NO_OID_SET;
    gss_buffer_set_t buffers = GSS_C_NO_BUFFER_SET;
    gss_name_t name, old;
    gss_cred_id_t cred = GSS_C_NO_CREDENTIAL, before;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT, other = GSS_C_NO_CONTEXT;
    OM_uint32 major;
    void *given;
    int same = 0;

    /* The buffer of the message is that of the token: the token is of that message. */
    IS(GSS_S_COMPLETE, gss_wrap(&minor, *initiator, 1, 0, &one, NULL, &one));
    AND(one.value != octets_of);
    given = one.value;
    IS(GSS_S_COMPLETE, gss_unwrap(&minor, *acceptor, &one, &one, NULL, NULL));
    AND(one.length == strlen(octets_of) && memcmp(one.value, octets_of, one.length) == 0);
    free(given);
    gss_release_buffer(&minor, &one);
    one = mic = text(octets_of);
    IS(GSS_S_COMPLETE, gss_get_mic(&minor, *initiator, 0, &mic, &mic));
    IS(GSS_S_COMPLETE, gss_verify_mic(&minor, *acceptor, &one, &mic, NULL));
    gss_release_buffer(&minor, &mic);
    IS(GSS_S_COMPLETE, gss_encapsulate_token(&one, gss_mech_krb5, &one));
    given = one.value;
    IS(GSS_S_COMPLETE, gss_decapsulate_token(&one, gss_mech_krb5, &one));
    AND(one.length == strlen(octets_of) && memcmp(one.value, octets_of, one.length) == 0);
    free(given);
    gss_release_buffer(&minor, &one);
    /* With associated data, which are the same buffer too, and what is drawn from a key. */
    one = text(octets_of);
    mic = text(octets_of);
    IS(GSS_S_COMPLETE, gss_wrap_aead(&minor, *initiator, 1, 0, &mic, &one, NULL, &one));
    AND(one.value != octets_of);
    given = one.value;
    IS(GSS_S_COMPLETE, gss_unwrap_aead(&minor, *acceptor, &one, &mic, &one, NULL, NULL));
    AND(one.length == strlen(octets_of) && memcmp(one.value, octets_of, one.length) == 0);
    free(given);
    gss_release_buffer(&minor, &one);
    one = text(octets_of);
    IS(GSS_S_COMPLETE, gss_wrap_aead(&minor, *initiator, 1, 0, &one, &mic, NULL, &one));
    AND(one.value != octets_of);
    given = one.value;
    IS(GSS_S_COMPLETE, gss_unwrap_aead(&minor, *acceptor, &one, &mic, &mic, NULL, NULL));
    AND(mic.length == strlen(octets_of) && memcmp(mic.value, octets_of, mic.length) == 0);
    free(given);
    gss_release_buffer(&minor, &mic);
    one = mic = text(octets_of);
    IS(GSS_S_COMPLETE, gss_pseudo_random(&minor, *initiator, 0, &one, 16, &one));
    IS(GSS_S_COMPLETE, gss_pseudo_random(&minor, *acceptor, 0, &mic, 16, &mic));
    AND(one.length == 16 && mic.length == 16 && memcmp(one.value, mic.value, 16) == 0);
    gss_release_buffer(&minor, &one);
    gss_release_buffer(&minor, &mic);
    /* What fails leaves the place empty: the caller's own octets are the caller's. */
    one = text(octets_of);
    IS(GSS_S_DEFECTIVE_TOKEN, gss_unwrap(&minor, *acceptor, &one, &one, NULL, NULL));
    AND(is_empty(one));
    /* One buffer for the token that comes and the one that goes. */
    major = gss_init_sec_context(&minor, NULL, &context, target, NULL, GSS_C_MUTUAL_FLAG, 0, NULL, NULL, NULL, &one, NULL, NULL);
    row("gss_init_sec_context", major == GSS_S_CONTINUE_NEEDED, major);
    given = one.value;
    major = gss_accept_sec_context(&minor, &other, NULL, &one, NULL, NULL, NULL, &one, NULL, NULL, NULL);
    row("gss_accept_sec_context with one buffer", major == GSS_S_COMPLETE && one.value != given, major);
    free(given);
    given = one.value;
    major = gss_init_sec_context(&minor, NULL, &context, target, NULL, GSS_C_MUTUAL_FLAG, 0, NULL, &one, NULL, &one, NULL, NULL);
    row("gss_init_sec_context with one buffer", major == GSS_S_COMPLETE && is_empty(one), major);
    free(given);
    gss_delete_sec_context(&minor, &context, NULL);
    gss_delete_sec_context(&minor, &other, NULL);
    /* The same name on both sides, and a name in the place of its own copy. */
    IS(GSS_S_COMPLETE, gss_compare_name(&minor, target, target, &same));
    AND(same == 1);
    IS(GSS_S_COMPLETE, gss_duplicate_name(&minor, target, &name));
    old = name;
    IS(GSS_S_COMPLETE, gss_canonicalize_name(&minor, name, NULL, &name));
    AND(name != old);
    IS(GSS_S_COMPLETE, gss_release_name(&minor, &old));
    old = name;
    IS(GSS_S_COMPLETE, gss_duplicate_name(&minor, name, &name));
    IS(GSS_S_COMPLETE, gss_release_name(&minor, &old));
    IS(GSS_S_COMPLETE, gss_release_name(&minor, &name));
    /* A member of the set that it is added to. */
    IS(GSS_S_COMPLETE, gss_indicate_mechs(&minor, &set));
    IS(GSS_S_COMPLETE, gss_add_oid_set_member(&minor, &set->elements[0], &set));
    IS(GSS_S_COMPLETE, gss_test_oid_set_member(&minor, &set->elements[0], set, &same));
    AND(same == 1);
    IS(GSS_S_COMPLETE, gss_release_oid_set(&minor, &set));
    one = text(octets_of);
    IS(GSS_S_COMPLETE, gss_create_empty_buffer_set(&minor, &buffers));
    IS(GSS_S_COMPLETE, gss_add_buffer_set_member(&minor, &one, &buffers));
    IS(GSS_S_COMPLETE, gss_add_buffer_set_member(&minor, &buffers->elements[0], &buffers));
    AND(buffers->count == 2 && buffers->elements[1].length == one.length &&
        memcmp(buffers->elements[1].value, octets_of, one.length) == 0);
    IS(GSS_S_COMPLETE, gss_release_buffer_set(&minor, &buffers));
    IS(GSS_S_COMPLETE, gss_release_buffer_set(&minor, &buffers));
    /* A credential in the place of what is added to it. */
    IS(GSS_S_COMPLETE, gss_acquire_cred(&minor, NULL, 0, NULL, GSS_C_ACCEPT, &cred, NULL, NULL));
    before = cred;
    major = gss_add_cred(&minor, cred, NULL, gss_mech_krb5, GSS_C_INITIATE, 0, 0, &cred, NULL, NULL, NULL);
    if (cred != before)
        gss_release_cred(&minor, &before);
    row("gss_add_cred in place", !GSS_ERROR(major) || WHOLE(major) == GSS_S_DUPLICATE_ELEMENT, major);
    gss_release_cred(&minor, &cred);
    /* A context that is imported where its token's exporter stood. */
    IS(GSS_S_COMPLETE, gss_export_sec_context(&minor, acceptor, &one));
    IS(GSS_S_COMPLETE, gss_import_sec_context(&minor, &one, acceptor));
    gss_release_buffer(&minor, &one);
}

/* What is shared by threads that use, move and end it at a time. */
static struct shared {
    gss_ctx_id_t initiator, acceptor;
    gss_cred_id_t cred;
    gss_name_t name;
    pthread_mutex_t lock;
    int wrong, moves;
} shared;

static int allowed(OM_uint32 major, OM_uint32 gone)
{
    return !GSS_ERROR(major) || WHOLE(major) == gone;
}

static void *using_them(void *which)
{
    OM_uint32 own, time;
    gss_buffer_desc in = text("hello"), out;
    int wrong = 0;

    for (int i = 0; i < 200; i++) {
        gss_ctx_id_t context = GSS_C_NO_CONTEXT;
        gss_name_t copy = GSS_C_NO_NAME;
        gss_cred_usage_t usage;
        wrong += !allowed(gss_wrap(&own, shared.acceptor, 1, 0, &in, NULL, &out), GSS_S_NO_CONTEXT);
        gss_release_buffer(&own, &out);
        wrong += !allowed(gss_get_mic(&own, shared.acceptor, 0, &in, &out), GSS_S_NO_CONTEXT);
        gss_release_buffer(&own, &out);
        wrong += !allowed(gss_context_time(&own, shared.acceptor, &time), GSS_S_NO_CONTEXT);
        wrong += !allowed(gss_inquire_cred(&own, shared.cred, NULL, &time, &usage, NULL), GSS_S_NO_CRED) &&
                 !allowed(gss_inquire_cred(&own, shared.cred, NULL, &time, &usage, NULL), GSS_S_DEFECTIVE_CREDENTIAL);
        wrong += !allowed(gss_duplicate_name(&own, shared.name, &copy), GSS_S_BAD_NAME);
        gss_release_name(&own, &copy);
        if (i % 20 == (which != NULL)) {
            OM_uint32 major = gss_init_sec_context(&own, shared.cred, &context, target, NULL, 0, 0, NULL, NULL, NULL, &out, NULL,
                                                   NULL);
            wrong += !allowed(major, GSS_S_NO_CRED) && !allowed(major, GSS_S_DEFECTIVE_CREDENTIAL);
            gss_release_buffer(&own, &out);
            gss_delete_sec_context(&own, &context, NULL);
        }
    }
    pthread_mutex_lock(&shared.lock);
    shared.wrong += wrong;
    pthread_mutex_unlock(&shared.lock);
    return NULL;
}

/* Moves the context away and back, and at last ends all. */
static void *moving_them(void *ignored)
{
    OM_uint32 own;

    for (int i = 0; i < 50; i++) {
        gss_buffer_desc token;
        gss_ctx_id_t mine = shared.acceptor;
        if (gss_export_sec_context(&own, &mine, &token) == GSS_S_COMPLETE &&
            gss_import_sec_context(&own, &token, &mine) == GSS_S_COMPLETE) {
            shared.moves++;
            shared.acceptor = mine;
        }
        gss_release_buffer(&own, &token);
    }
    {
        gss_cred_id_t cred = shared.cred;
        gss_name_t name = shared.name;
        gss_ctx_id_t context = shared.acceptor;
        gss_release_cred(&own, &cred);
        gss_release_name(&own, &name);
        gss_delete_sec_context(&own, &context, NULL);
    }
    return ignored;
}

static void concurrent(void)
{
    pthread_t threads[4];

    establish(target, &shared.initiator, &shared.acceptor);
    require(gss_acquire_cred(&minor, NULL, 0, NULL, GSS_C_INITIATE, &shared.cred, NULL, NULL), "a credential");
    require(gss_duplicate_name(&minor, target, &shared.name), "a name");
    pthread_mutex_init(&shared.lock, NULL);
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, i == 0 ? moving_them : using_them, i == 1 ? &shared : NULL) != 0)
            exit(2);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    AND(shared.wrong == 0);
    AND(shared.moves == 50);
    gss_delete_sec_context(&minor, &shared.initiator, NULL);
}

int main(int argc, char **argv)
{
    gss_ctx_id_t initiator, acceptor, stale;
    gss_cred_id_t cred, stale_cred;
    gss_buffer_desc buffer;
    gss_name_t name, stale_name;

    if (argc != 2)
        return 2;
    buffer = text(argv[1]);
    require(gss_import_name(&minor, &buffer, GSS_C_NT_HOSTBASED_SERVICE, &target), "a target");
    require(gss_duplicate_name(&minor, target, &name), "a name");
    stale_name = name;
    require(gss_release_name(&minor, &name), "it is released");
    require(gss_acquire_cred(&minor, NULL, 0, NULL, GSS_C_INITIATE, &cred, NULL, NULL), "a credential");
    stale_cred = cred;
    require(gss_release_cred(&minor, &cred), "it is released");
    establish(target, &initiator, &acceptor);
    stale = initiator;
    require(gss_delete_sec_context(&minor, &initiator, NULL), "it is deleted");
    require(gss_delete_sec_context(&minor, &acceptor, NULL), "and the other");

    no_context(GSS_C_NO_CONTEXT);
    no_context((gss_ctx_id_t)(uintptr_t)0x1234567890abcdu);
    no_context((gss_ctx_id_t)&buffer);
    no_context((gss_ctx_id_t)target);
    no_context(stale);
    no_name(GSS_C_NO_NAME);
    no_name((gss_name_t)(uintptr_t)0x1234567890abcdu);
    no_name((gss_name_t)&buffer);
    no_name((gss_name_t)stale);
    no_name(stale_name);
    no_credential((gss_cred_id_t)(uintptr_t)0x1234567890abcdu);
    no_credential((gss_cred_id_t)&buffer);
    no_credential((gss_cred_id_t)target);
    no_credential(stale_cred);

    establish(target, &initiator, &acceptor);
    require(gss_acquire_cred(&minor, NULL, 0, NULL, GSS_C_INITIATE, &cred, NULL, NULL), "a credential");
    nulls(initiator, cred);
    values(initiator, acceptor);
    aliased(&initiator, &acceptor);
    gss_release_cred(&minor, &cred);
    gss_delete_sec_context(&minor, &initiator, NULL);
    gss_delete_sec_context(&minor, &acceptor, NULL);
    concurrent();
    require(gss_release_name(&minor, &target), "the target is released");
    nothing_lives();
    printf("%d rows\n", rows);
    if (failures == 0)
        printf("all held\n");
    return failures != 0;
}
