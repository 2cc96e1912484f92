//! Calls of a context or a name that are only passed on: a row each. What they put out, buffers and numbers, is memory of
//! `malloc`, and goes to the caller as it is.

use super::functions::Done;
use super::objects::Element;
use crate::abi::{GssBuffer, OidDesc, OmUint32};
use crate::memory::BufferSet;
use crate::pieces::Iov;
use crate::pointers::{In, Out};
use crate::status::Failed;

macro_rules! passed_on {
    ($($function:ident($($argument:ident: $type:ty),*);)*) => {
        #[allow(clippy::too_many_arguments, reason = "the C interface has as many")]
        impl Element {
            $(pub(crate) fn $function(&self, $($argument: $type),*) -> Result<Done, Failed> {
                self.plugin().$function(self.object(), $($argument),*)
            })*
        }
    };
}

passed_on! {
    gss_process_context_token(token: In<GssBuffer>);
    gss_context_time(left: Out<OmUint32>);
    gss_complete_auth_token(token: In<GssBuffer>);
    gss_inquire_sec_context_by_oid(question: In<OidDesc>, answers: Out<BufferSet>);
    gss_get_mic(qop: OmUint32, message: In<GssBuffer>, token: Out<GssBuffer>);
    gss_verify_mic(message: In<GssBuffer>, token: In<GssBuffer>, qop: Out<OmUint32>);
    gss_wrap(seal: i32, qop: OmUint32, message: In<GssBuffer>, sealed: Out<i32>, token: Out<GssBuffer>);
    gss_unwrap(token: In<GssBuffer>, message: Out<GssBuffer>, sealed: Out<i32>, qop: Out<OmUint32>);
    gss_wrap_size_limit(seal: i32, qop: OmUint32, size: OmUint32, limit: Out<OmUint32>);
    gss_wrap_iov(seal: i32, qop: OmUint32, sealed: Out<i32>, iov: Iov, count: i32);
    gss_wrap_iov_length(seal: i32, qop: OmUint32, sealed: Out<i32>, iov: Iov, count: i32);
    gss_unwrap_iov(sealed: Out<i32>, qop: Out<OmUint32>, iov: Iov, count: i32);
    gss_get_mic_iov(qop: OmUint32, iov: Iov, count: i32);
    gss_get_mic_iov_length(qop: OmUint32, iov: Iov, count: i32);
    gss_verify_mic_iov(qop: Out<OmUint32>, iov: Iov, count: i32);
    gss_wrap_aead(seal: i32, qop: OmUint32, associated: In<GssBuffer>, message: In<GssBuffer>, sealed: Out<i32>, token: Out<GssBuffer>);
    gss_unwrap_aead(token: In<GssBuffer>, associated: In<GssBuffer>, message: Out<GssBuffer>, sealed: Out<i32>, qop: Out<OmUint32>);
    gss_pseudo_random(key: i32, input: In<GssBuffer>, length: isize, output: Out<GssBuffer>);
    gss_display_name_ext(wanted: In<OidDesc>, text: Out<GssBuffer>);
    gss_export_name_composite(octets: Out<GssBuffer>);
    gss_get_name_attribute(attribute: In<GssBuffer>, authenticated: Out<i32>, complete: Out<i32>, value: Out<GssBuffer>, shown: Out<GssBuffer>, more: Out<i32>);
    gss_set_name_attribute(complete: i32, attribute: In<GssBuffer>, value: In<GssBuffer>);
    gss_delete_name_attribute(attribute: In<GssBuffer>);
    gss_map_name_to_any(authenticated: i32, kind: In<GssBuffer>, output: Out<usize>);
    gss_release_any_name_mapping(kind: In<GssBuffer>, input: Out<usize>);
}
