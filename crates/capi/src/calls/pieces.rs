//! Messages in pieces, with associated data, and key material (extensions of MIT krb5 and Heimdal; RFC 4401).

use orthros::{Context, Flags, Major, Piece, PrfKey};

use super::contexts::context;
use super::messages::check_qop;
use crate::abi::{GssBuffer, Handle, OmUint32};
use crate::boundary::boundary;
use crate::pieces::{Iov, Kind, Place, octets};
use crate::plugins::by_context;
use crate::pointers::{In, Out};
use crate::status::{COMPLETE, Failed};

fn seals(context: &Context, wanted: i32) -> bool {
    wanted != 0 && context.flags().contains(Flags::CONFIDENTIALITY)
}

/// Tells each piece that is not data how long it has to be, by `set`.
fn lay_out(
    context: &Context,
    sealed: bool,
    places: &mut [Place],
    set: impl Fn(&mut Place, usize) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let with_trailer = places.iter().any(|place| place.kind == Kind::Trailer);
    let lengths = context.piece_lengths(sealed, with_trailer);
    for place in places {
        match place.kind {
            Kind::Header => set(place, lengths.header)?,
            Kind::Padding => set(place, lengths.padding)?,
            Kind::Trailer => set(place, lengths.trailer)?,
            Kind::Data | Kind::Empty | Kind::SignOnly => {}
            Kind::Mic | Kind::Stream => {
                return Err(Failed::plain(
                    Major::Failure,
                    "such a piece has no place in a message to be wrapped",
                ));
            }
        }
    }
    Ok(())
}

fn as_pieces<'a>(places: &[Place]) -> Result<Vec<Piece<'a>>, Failed> {
    let pairs = places.iter().zip(octets(places)?);
    let piece = |(place, octets): (&Place, &'a mut [u8])| match place.kind {
        Kind::Data => Some(Piece::Data(octets)),
        Kind::Header => Some(Piece::Header(octets)),
        Kind::Padding => Some(Piece::Padding(octets)),
        Kind::SignOnly => Some(Piece::SignOnly(octets)),
        Kind::Trailer => Some(Piece::Trailer(octets)),
        Kind::Empty | Kind::Mic | Kind::Stream => None,
    };
    Ok(pairs.filter_map(piece).collect())
}

/// Wraps a message in pieces, each where it lies.
#[unsafe(no_mangle)]
pub extern "C" fn gss_wrap_iov(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    conf_req_flag: i32,
    qop_req: OmUint32,
    conf_state: Out<i32>,
    iov: Iov,
    iov_count: i32,
) -> OmUint32 {
    conf_state.set(0);
    boundary(minor_status, || {
        by_context!(minor_status, context_handle => gss_wrap_iov(conf_req_flag, qop_req, conf_state, iov, iov_count));
        let context = context(context_handle)?;
        check_qop(qop_req)?;
        let sealed = seals(&context, conf_req_flag);
        let mut places = iov.places(iov_count)?;
        let wrapped = lay_out(&context, sealed, &mut places, Place::room)
            .and_then(|()| Ok(context.wrap_pieces(sealed, &mut as_pieces(&places)?)?));
        if let Err(failed) = wrapped {
            places.iter_mut().for_each(Place::release);
            return Err(failed);
        }
        conf_state.set(i32::from(sealed));
        Ok(COMPLETE)
    })
}

/// How long the pieces have to be that are not data.
#[unsafe(no_mangle)]
pub extern "C" fn gss_wrap_iov_length(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    conf_req_flag: i32,
    qop_req: OmUint32,
    conf_state: Out<i32>,
    iov: Iov,
    iov_count: i32,
) -> OmUint32 {
    conf_state.set(0);
    boundary(minor_status, || {
        by_context!(minor_status, context_handle => gss_wrap_iov_length(conf_req_flag, qop_req, conf_state, iov, iov_count));
        let context = context(context_handle)?;
        check_qop(qop_req)?;
        let sealed = seals(&context, conf_req_flag);
        lay_out(&context, sealed, &mut iov.places(iov_count)?, |place, length| {
            place.set_len(length);
            Ok(())
        })?;
        conf_state.set(i32::from(sealed));
        Ok(COMPLETE)
    })
}

/// Opens a message in pieces, each where it lies; or a stream, a whole token, into which the piece of data points then.
#[unsafe(no_mangle)]
pub extern "C" fn gss_unwrap_iov(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    conf_state: Out<i32>,
    qop_state: Out<OmUint32>,
    iov: Iov,
    iov_count: i32,
) -> OmUint32 {
    conf_state.set(0);
    qop_state.set(0);
    boundary(minor_status, || {
        by_context!(minor_status, context_handle => gss_unwrap_iov(conf_state, qop_state, iov, iov_count));
        let context = context(context_handle)?;
        let mut places = iov.places(iov_count)?;
        let verified = if places.iter().any(|place| place.kind == Kind::Stream) {
            unwrap_stream(&context, &mut places)?
        } else {
            context.unwrap_pieces(&mut as_pieces(&places)?)?
        };
        conf_state.set(i32::from(verified.confidential));
        Ok(COMPLETE | verified.order.number())
    })
}

fn unwrap_stream(context: &Context, places: &mut [Place]) -> Result<orthros::Verified, Failed> {
    let one = || {
        Failed::plain(
            Major::Failure,
            "a stream goes with one piece of data, and with pieces that are signed only",
        )
    };
    let (mut stream, mut data, mut before, mut after) = (None, None, Vec::new(), Vec::new());
    for (number, place) in places.iter().enumerate() {
        match place.kind {
            Kind::Stream if stream.is_none() => stream = Some(*place),
            Kind::Data if data.is_none() => data = Some(number),
            Kind::SignOnly if data.is_none() => before.push(*place),
            Kind::SignOnly => after.push(*place),
            Kind::Empty | Kind::Header | Kind::Padding | Kind::Trailer => {}
            Kind::Data | Kind::Mic | Kind::Stream => return Err(one()),
        }
    }
    let (Some(stream), Some(data)) = (stream, data) else { return Err(one()) };
    let lent: Vec<Place> = [stream].into_iter().chain(before.iter().copied()).chain(after).collect();
    let mut slices = octets(&lent)?.into_iter();
    let token = slices.next().ok_or_else(one)?;
    let signed: Vec<&[u8]> = slices.map(|slice| &*slice).collect();
    let (before, after) = signed.split_at(before.len());
    let (range, verified) = context.unwrap_stream(token, before, after)?;
    let Some(place) = places.get_mut(data) else { return Err(one()) };
    if place.allocates() {
        place.room(range.len())?;
        let copy: Vec<u8> = token.get(range).unwrap_or_default().to_vec();
        octets(&[*place])?.into_iter().for_each(|room| room.copy_from_slice(&copy));
    } else {
        place.point(&stream, range);
    }
    Ok(verified)
}

/// Frees what the library has made for pieces.
#[unsafe(no_mangle)]
pub extern "C" fn gss_release_iov_buffer(minor_status: Out<OmUint32>, iov: Iov, iov_count: i32) -> OmUint32 {
    boundary(minor_status, || {
        iov.places(iov_count)?.iter_mut().for_each(Place::release);
        Ok(COMPLETE)
    })
}

/// What a MIC covers, and the piece that the MIC is.
fn signed(places: &[Place]) -> Result<(Vec<Place>, usize), Failed> {
    let mic = places.iter().position(|place| place.kind == Kind::Mic);
    let mic = mic.ok_or_else(|| Failed::plain(Major::Failure, "there is no piece for the MIC"))?;
    let covered = places.iter().filter(|place| matches!(place.kind, Kind::Data | Kind::SignOnly));
    Ok((covered.copied().collect(), mic))
}

/// Signs pieces, laid end to end; the MIC goes into a piece of its own.
#[unsafe(no_mangle)]
pub extern "C" fn gss_get_mic_iov(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    qop_req: OmUint32,
    iov: Iov,
    iov_count: i32,
) -> OmUint32 {
    boundary(minor_status, || {
        by_context!(minor_status, context_handle => gss_get_mic_iov(qop_req, iov, iov_count));
        let context = context(context_handle)?;
        check_qop(qop_req)?;
        let mut places = iov.places(iov_count)?;
        let (covered, mic) = signed(&places)?;
        let slices = octets(&covered)?;
        let token = context.mic_over(&slices.iter().map(|slice| &**slice).collect::<Vec<_>>())?;
        let place = places.get_mut(mic).ok_or_else(Failed::no_memory)?;
        place.room(token.len())?;
        octets(&[*place])?.into_iter().for_each(|room| room.copy_from_slice(&token));
        Ok(COMPLETE)
    })
}

/// How long the piece for a MIC has to be.
#[unsafe(no_mangle)]
pub extern "C" fn gss_get_mic_iov_length(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    qop_req: OmUint32,
    iov: Iov,
    iov_count: i32,
) -> OmUint32 {
    boundary(minor_status, || {
        by_context!(minor_status, context_handle => gss_get_mic_iov_length(qop_req, iov, iov_count));
        let context = context(context_handle)?;
        check_qop(qop_req)?;
        let mut places = iov.places(iov_count)?;
        let (_, mic) = signed(&places)?;
        // A MIC is the header of a token, and the checksum that a signed message has behind it.
        let lengths = context.piece_lengths(false, true);
        places.get_mut(mic).ok_or_else(Failed::no_memory)?.set_len(lengths.header + lengths.trailer);
        Ok(COMPLETE)
    })
}

/// Verifies the peer's MIC over pieces.
#[unsafe(no_mangle)]
pub extern "C" fn gss_verify_mic_iov(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    qop_state: Out<OmUint32>,
    iov: Iov,
    iov_count: i32,
) -> OmUint32 {
    qop_state.set(0);
    boundary(minor_status, || {
        by_context!(minor_status, context_handle => gss_verify_mic_iov(qop_state, iov, iov_count));
        let context = context(context_handle)?;
        let places = iov.places(iov_count)?;
        let (covered, mic) = signed(&places)?;
        let slices = octets(&covered)?;
        let token = octets(places.get(mic..=mic).unwrap_or_default())?;
        let pieces: Vec<&[u8]> = slices.iter().map(|slice| &**slice).collect();
        let order = context.verify_mic_over(&pieces, token.first().map_or(&[], |token| &**token))?;
        Ok(COMPLETE | order.number())
    })
}

/// Wraps a message with associated data, which are signed and do not travel in the token.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has eight")]
pub extern "C" fn gss_wrap_aead(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    conf_req_flag: i32,
    qop_req: OmUint32,
    input_assoc_buffer: In<GssBuffer>,
    input_payload_buffer: In<GssBuffer>,
    conf_state: Out<i32>,
    output_message_buffer: Out<GssBuffer>,
) -> OmUint32 {
    // Before the output is emptied, here and below: some programs use one buffer for both.
    let (associated, message) = (input_assoc_buffer.octets_or_none(), input_payload_buffer.octets());
    conf_state.set(0);
    output_message_buffer.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        output_message_buffer.require()?;
        by_context!(minor_status, context_handle => gss_wrap_aead(conf_req_flag, qop_req, input_assoc_buffer, input_payload_buffer, conf_state, output_message_buffer));
        let context = context(context_handle)?;
        check_qop(qop_req)?;
        let sealed = seals(&context, conf_req_flag);
        output_message_buffer.give(&context.wrap_aead(sealed, associated?, message?)?)?;
        conf_state.set(i32::from(sealed));
        Ok(COMPLETE)
    })
}

/// Opens a token with its associated data.
#[unsafe(no_mangle)]
pub extern "C" fn gss_unwrap_aead(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    input_message_buffer: In<GssBuffer>,
    input_assoc_buffer: In<GssBuffer>,
    output_payload_buffer: Out<GssBuffer>,
    conf_state: Out<i32>,
    qop_state: Out<OmUint32>,
) -> OmUint32 {
    let (token, associated) = (input_message_buffer.octets(), input_assoc_buffer.octets_or_none());
    output_payload_buffer.set(GssBuffer::EMPTY);
    conf_state.set(0);
    qop_state.set(0);
    boundary(minor_status, || {
        output_payload_buffer.require()?;
        by_context!(minor_status, context_handle => gss_unwrap_aead(input_message_buffer, input_assoc_buffer, output_payload_buffer, conf_state, qop_state));
        let opened = context(context_handle)?.unwrap_aead(associated?, token?)?;
        output_payload_buffer.give(&opened.message)?;
        conf_state.set(i32::from(opened.confidential));
        Ok(COMPLETE | opened.order.number())
    })
}

/// Key material that both ends draw alike (RFC 4401 §2).
#[unsafe(no_mangle)]
pub extern "C" fn gss_pseudo_random(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    prf_key: i32,
    prf_in: In<GssBuffer>,
    desired_output_len: isize,
    prf_out: Out<GssBuffer>,
) -> OmUint32 {
    let input = prf_in.octets();
    prf_out.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        prf_out.require()?;
        by_context!(minor_status, context_handle => gss_pseudo_random(prf_key, prf_in, desired_output_len, prf_out));
        let key = match prf_key {
            0 => PrfKey::Full,
            1 => PrfKey::Partial,
            _ => {
                return Err(Failed::plain(
                    Major::Failure,
                    "the key is none of GSS_C_PRF_KEY_FULL and GSS_C_PRF_KEY_PARTIAL",
                ));
            }
        };
        let length = usize::try_from(desired_output_len)
            .map_err(|_| Failed::plain(Major::Failure, "the length is less than nothing"))?;
        let drawn = context(context_handle)?.pseudo_random(key, input?, length)?;
        prf_out.give(drawn.expose_octets())?;
        Ok(COMPLETE)
    })
}
