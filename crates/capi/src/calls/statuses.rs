//! What a status means, for people (RFC 2744 §5.11).

use orthros::Major;

use super::chosen;
use crate::abi::{GssBuffer, OidDesc, OmUint32, STATUS_MAJOR, STATUS_MINOR};
use crate::boundary::boundary;
use crate::extensions::{self, STATUS_JSON};
use crate::plugins;
use crate::pointers::{In, Out};
use crate::status::{self, COMPLETE, Failed};

/// A sentence for what a status says: of a major one each thing in turn, of a minor one its whole story.
/// `message_context` counts on, and is zero after the last sentence.
#[unsafe(no_mangle)]
pub extern "C" fn gss_display_status(
    minor_status: Out<OmUint32>,
    status_value: OmUint32,
    status_type: i32,
    mech_type: In<OidDesc>,
    message_context: Out<OmUint32>,
    status_string: Out<GssBuffer>,
) -> OmUint32 {
    status_string.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        status_string.require()?;
        let place = message_context.get().unwrap_or(0);
        let unknown = || Failed::plain(Major::BadStatus, "the number is no status");
        let (text, more) = match status_type {
            STATUS_MAJOR => {
                let sentences = status::tell_major(status_value).ok_or_else(unknown)?;
                let place = usize::try_from(place).map_err(|_| unknown())?;
                let sentence = sentences.get(place).ok_or_else(unknown)?;
                ((*sentence).to_owned(), place + 1 < sentences.len())
            }
            STATUS_MINOR if place == 0 => {
                if plugins::named(mech_type)?.is_none() {
                    chosen(mech_type)?;
                }
                (status::tell_minor(status_value), false)
            }
            STATUS_JSON if place == 0 => (extensions::json(status_value), false),
            _ => return Err(unknown()),
        };
        status_string.give(text.as_bytes())?;
        message_context.set(if more { place + 1 } else { 0 });
        Ok(COMPLETE)
    })
}
