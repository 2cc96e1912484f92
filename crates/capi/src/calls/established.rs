//! Contexts that are up tell of themselves (RFC 2744 §5.7, §5.20), and hear a late word of the peer's (§5.23).

use orthros::{Error, Major, Name};
use orthros_gss::error::Refusal;

use super::contexts::{body, context, time_left, up};
use super::{NAMES, Named, insert};
use crate::abi::{GssBuffer, Handle, OmUint32};
use crate::boundary::boundary;
use crate::oids::{StaticOid, interned};
use crate::plugins::{self, by_context};
use crate::pointers::{In, Out};
use crate::status::{COMPLETE, Failed};

/// How many seconds are left (§5.7).
#[unsafe(no_mangle)]
pub extern "C" fn gss_context_time(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    time_rec: Out<OmUint32>,
) -> OmUint32 {
    time_rec.set(0);
    boundary(minor_status, || {
        time_rec.require()?;
        by_context!(minor_status, context_handle => gss_context_time(time_rec));
        let left = time_left(&*context(context_handle)?);
        time_rec.set(left);
        if left == 0 {
            return Err(Failed::plain(Major::ContextExpired, "the context's time is over"));
        }
        Ok(COMPLETE)
    })
}

/// What is known of a context that is up (§5.20).
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has nine")]
pub extern "C" fn gss_inquire_context(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    src_name: Out<Handle>,
    targ_name: Out<Handle>,
    lifetime_rec: Out<OmUint32>,
    mech_type: Out<StaticOid>,
    ctx_flags: Out<OmUint32>,
    locally_initiated: Out<i32>,
    open: Out<i32>,
) -> OmUint32 {
    src_name.set(Handle::NONE);
    targ_name.set(Handle::NONE);
    lifetime_rec.set(0);
    mech_type.set(std::ptr::null());
    ctx_flags.set(0);
    locally_initiated.set(0);
    open.set(0);
    boundary(minor_status, || {
        if let Some(context) = plugins::context(context_handle)? {
            let told = plugins::contexts::Inquiry {
                source: src_name,
                target: targ_name,
                left: lifetime_rec,
                mechanism: mech_type,
                flags: ctx_flags,
                initiates: locally_initiated,
                open,
            };
            return Ok(plugins::contexts::inquire(&context, &told)?.tell(minor_status));
        }
        let body = body(context_handle)?;
        // Nothing here waits for anything.
        let state = body.state();
        let context = up(&state)?;
        lifetime_rec.set(time_left(context));
        mech_type.set(interned(&context.mechanism()));
        ctx_flags.set(context.flags().0);
        locally_initiated.set(i32::from(context.is_initiator()));
        open.set(1);
        if src_name.is_present() {
            src_name.set(insert(&NAMES, Named::initiator(context))?);
        }
        if targ_name.is_present() {
            targ_name.set(insert(&NAMES, Name::Principal(context.acceptor().clone()))?);
        }
        Ok(COMPLETE)
    })
}

/// Takes a token that came after the context was up (§5.23): an error token of the peer's becomes the context's
/// explanation, and never ends it, for nobody can tell who sent it. The call is complete; the minor status is the number of
/// the first such error, and its story what the peer said.
#[unsafe(no_mangle)]
pub extern "C" fn gss_process_context_token(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    token_buffer: In<GssBuffer>,
) -> OmUint32 {
    boundary(minor_status, || {
        by_context!(minor_status, context_handle => gss_process_context_token(token_buffer));
        let context = context(context_handle)?;
        context.process(token_buffer.octets()?)?;
        if let Some(error) = context.late_error() {
            let told = Failed::from(Error::from(Refusal::Remote(error.clone())));
            minor_status.set(told.minor());
            told.tell();
        }
        Ok(COMPLETE)
    })
}
