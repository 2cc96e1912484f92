/* What the manual pages of gss_init_sec_context(3) and gss_export_sec_context(3) describe, by a program in C or C++ that
 * includes the header they name: -DHEADER='<gssapi.h>'. It prints a line for each check, with the number of the sentence in
 * manual/sentences.txt. Arguments: a folder, and a credential cache of another user than KRB5CCNAME's. */
#define _GNU_SOURCE 1

#include HEADER

#ifdef HAS_OPTIONS
#include <gssapi/gssapi_orthros.h>
#endif

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
#ifdef HAS_OPTIONS
OM_uint32 gss_set_sec_context_option(OM_uint32 *, gss_ctx_id_t *, gss_OID, gss_buffer_t);
OM_uint32 gss_set_cred_option(OM_uint32 *, gss_cred_id_t *, gss_OID, gss_buffer_t);
#endif

#ifdef __cplusplus
}
#endif

#include "manual/check.h"
#include "manual/export.h"
#include "manual/init.h"

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "import") == 0)
        return other_process();
    need(argc == 3, "a folder and a cache");
    initiation(argv[2]);
    transfer(argv[1]);
    printf("%s\n", failures == 0 ? "every sentence holds" : "not so");
    return failures != 0;
}
