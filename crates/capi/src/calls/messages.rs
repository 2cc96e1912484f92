//! Protection of messages (RFC 2744 §5.15, §5.31 to §5.34), and the same under their names of RFC 1509 (appendix B).

use orthros::{Flags, Major, Order};

use super::contexts::context;
use crate::abi::{GssBuffer, Handle, OmUint32};
use crate::boundary::boundary;
use crate::plugins::by_context;
use crate::pointers::{In, Out};
use crate::status::{COMPLETE, Failed};

/// The default quality of protection, which is the only one.
pub(super) fn check_qop(qop: OmUint32) -> Result<(), Failed> {
    if qop == 0 {
        Ok(())
    } else {
        Err(Failed::plain(Major::BadQop, "Kerberos has one quality of protection, 0"))
    }
}

fn told(order: Order) -> OmUint32 {
    COMPLETE | order.number()
}

/// Seals a message if that is wanted and the context has confidentiality, else signs it; `conf_state` tells which (§5.33).
#[unsafe(no_mangle)]
pub extern "C" fn gss_wrap(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    conf_req_flag: i32,
    qop_req: OmUint32,
    input_message_buffer: In<GssBuffer>,
    conf_state: Out<i32>,
    output_message_buffer: Out<GssBuffer>,
) -> OmUint32 {
    // Before the output is emptied: some programs use one buffer for both.
    let message = input_message_buffer.octets();
    conf_state.set(0);
    output_message_buffer.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        output_message_buffer.require()?;
        by_context!(minor_status, context_handle => gss_wrap(conf_req_flag, qop_req, input_message_buffer, conf_state, output_message_buffer));
        let context = context(context_handle)?;
        check_qop(qop_req)?;
        let message = message?;
        let sealed = conf_req_flag != 0 && context.flags().contains(Flags::CONFIDENTIALITY);
        let token = if sealed { context.wrap(message)? } else { context.wrap_integrity(message)? };
        output_message_buffer.give(&token)?;
        conf_state.set(i32::from(sealed));
        Ok(COMPLETE)
    })
}

/// Verifies and opens the peer's message (§5.31). How it stands among the others is told with it.
#[unsafe(no_mangle)]
pub extern "C" fn gss_unwrap(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    input_message_buffer: In<GssBuffer>,
    output_message_buffer: Out<GssBuffer>,
    conf_state: Out<i32>,
    qop_state: Out<OmUint32>,
) -> OmUint32 {
    let token = input_message_buffer.octets();
    output_message_buffer.set(GssBuffer::EMPTY);
    conf_state.set(0);
    qop_state.set(0);
    boundary(minor_status, || {
        output_message_buffer.require()?;
        by_context!(minor_status, context_handle => gss_unwrap(input_message_buffer, output_message_buffer, conf_state, qop_state));
        let opened = context(context_handle)?.unwrap(token?)?;
        output_message_buffer.give(&opened.message)?;
        conf_state.set(i32::from(opened.confidential));
        Ok(told(opened.order))
    })
}

/// Signs a message, apart from it (§5.15).
#[unsafe(no_mangle)]
pub extern "C" fn gss_get_mic(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    qop_req: OmUint32,
    message_buffer: In<GssBuffer>,
    message_token: Out<GssBuffer>,
) -> OmUint32 {
    let message = message_buffer.octets();
    message_token.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        message_token.require()?;
        by_context!(minor_status, context_handle => gss_get_mic(qop_req, message_buffer, message_token));
        let context = context(context_handle)?;
        check_qop(qop_req)?;
        message_token.give(&context.mic(message?)?)?;
        Ok(COMPLETE)
    })
}

/// Verifies the peer's signature of a message (§5.32).
#[unsafe(no_mangle)]
pub extern "C" fn gss_verify_mic(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    message_buffer: In<GssBuffer>,
    token_buffer: In<GssBuffer>,
    qop_state: Out<OmUint32>,
) -> OmUint32 {
    qop_state.set(0);
    boundary(minor_status, || {
        by_context!(minor_status, context_handle => gss_verify_mic(message_buffer, token_buffer, qop_state));
        let context = context(context_handle)?;
        Ok(told(context.verify_mic(message_buffer.octets()?, token_buffer.octets()?)?))
    })
}

/// How long a message may be whose token has at most so many octets (§5.34).
#[unsafe(no_mangle)]
pub extern "C" fn gss_wrap_size_limit(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    conf_req_flag: i32,
    qop_req: OmUint32,
    req_output_size: OmUint32,
    max_input_size: Out<OmUint32>,
) -> OmUint32 {
    max_input_size.set(0);
    boundary(minor_status, || {
        max_input_size.require()?;
        by_context!(minor_status, context_handle => gss_wrap_size_limit(conf_req_flag, qop_req, req_output_size, max_input_size));
        let context = context(context_handle)?;
        check_qop(qop_req)?;
        let octets = usize::try_from(req_output_size).unwrap_or(usize::MAX);
        let limit = context.wrap_size_limit(conf_req_flag != 0, octets);
        max_input_size.set(u32::try_from(limit).unwrap_or(u32::MAX));
        Ok(COMPLETE)
    })
}

/// [`gss_get_mic`] under its name of RFC 1509.
#[unsafe(no_mangle)]
pub extern "C" fn gss_sign(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    qop_req: i32,
    message_buffer: In<GssBuffer>,
    message_token: Out<GssBuffer>,
) -> OmUint32 {
    gss_get_mic(minor_status, context_handle, qop_req.unsigned_abs(), message_buffer, message_token)
}

/// [`gss_verify_mic`] under its name of RFC 1509.
#[unsafe(no_mangle)]
pub extern "C" fn gss_verify(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    message_buffer: In<GssBuffer>,
    token_buffer: In<GssBuffer>,
    qop_state: Out<OmUint32>,
) -> OmUint32 {
    gss_verify_mic(minor_status, context_handle, message_buffer, token_buffer, qop_state)
}

/// [`gss_wrap`] under its name of RFC 1509.
#[unsafe(no_mangle)]
pub extern "C" fn gss_seal(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    conf_req_flag: i32,
    qop_req: i32,
    input_message_buffer: In<GssBuffer>,
    conf_state: Out<i32>,
    output_message_buffer: Out<GssBuffer>,
) -> OmUint32 {
    gss_wrap(
        minor_status,
        context_handle,
        conf_req_flag,
        qop_req.unsigned_abs(),
        input_message_buffer,
        conf_state,
        output_message_buffer,
    )
}

/// [`gss_unwrap`] under its name of RFC 1509.
#[unsafe(no_mangle)]
pub extern "C" fn gss_unseal(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    input_message_buffer: In<GssBuffer>,
    output_message_buffer: Out<GssBuffer>,
    conf_state: Out<i32>,
    qop_state: Out<OmUint32>,
) -> OmUint32 {
    gss_unwrap(
        minor_status,
        context_handle,
        input_message_buffer,
        output_message_buffer,
        conf_state,
        qop_state,
    )
}
