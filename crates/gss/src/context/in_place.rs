//! Protection of messages where they lie: whole, in pieces, and with associated data.

use std::ops::Range;

use super::Context;
use crate::error::{Error, Misuse};
use crate::message::{Piece, PieceLengths, Verified};
use crate::status::Order;
use crate::{Flags, Unwrapped};

impl Context {
    /// How many octets [`wrap_in_place`](Self::wrap_in_place) needs before and behind a message.
    pub fn wrap_room(&self, confidential: bool) -> (usize, usize) {
        self.0.protection.room(confidential)
    }

    /// Wraps a message where it lies: `buffer` is [room](Self::wrap_room), message, room, and becomes the token.
    /// Nothing is allocated.
    ///
    /// # Errors
    /// As [`wrap`](Self::wrap), and [`Misuse::Pieces`] if the buffer is shorter than the rooms.
    pub fn wrap_in_place(&self, confidential: bool, buffer: &mut [u8]) -> Result<(), Error> {
        self.check_wrap(confidential)?;
        self.0.protection.wrap_in_place(confidential, buffer, &*self.0.env.random)
    }

    /// Verifies the peer's wrap token and opens it where it lies: tells where in it the message is. Nothing is
    /// allocated.
    ///
    /// # Errors
    /// [`Error::Token`]. The context is as before, and `token` then holds no plain text that was sealed.
    pub fn unwrap_in_place(&self, token: &mut [u8]) -> Result<(Range<usize>, Verified), Error> {
        let (message, confidential, order) = self.0.protection.unwrap_in_place(token)?;
        Ok((message, Verified { confidential, order }))
    }

    /// The lengths of the pieces that a token needs beside its data (`gss_wrap_iov_length`).
    pub fn piece_lengths(&self, confidential: bool, with_trailer: bool) -> PieceLengths {
        self.0.protection.piece_lengths(confidential, with_trailer)
    }

    /// Wraps a message in pieces, each where it lies (`gss_wrap_iov`). Header, padding and trailer must have the
    /// [lengths](Self::piece_lengths) that the token needs. The data may be in several pieces.
    ///
    /// # Errors
    /// As [`wrap`](Self::wrap), and [`Misuse::Pieces`]; the pieces are unchanged then.
    pub fn wrap_pieces(&self, confidential: bool, pieces: &mut [Piece<'_>]) -> Result<(), Error> {
        self.check_wrap(confidential)?;
        self.0.protection.wrap_pieces(confidential, pieces, &*self.0.env.random)
    }

    /// Verifies a message in pieces and opens it where it lies (`gss_unwrap_iov`). The pieces must be cut as they
    /// were when they were wrapped.
    ///
    /// # Errors
    /// [`Error::Token`], [`Misuse::Pieces`]. The context is as before, and the pieces then hold no plain text that
    /// was sealed.
    pub fn unwrap_pieces(&self, pieces: &mut [Piece<'_>]) -> Result<Verified, Error> {
        self.0.protection.unwrap_pieces(pieces)
    }

    /// Opens a whole token where it lies, with pieces that were signed with it before and after its data
    /// (`gss_unwrap_iov` with a stream): tells where in it the data are.
    ///
    /// # Errors
    /// As [`unwrap_in_place`](Self::unwrap_in_place).
    pub fn unwrap_stream(
        &self,
        token: &mut [u8],
        before: &[&[u8]],
        after: &[&[u8]],
    ) -> Result<(Range<usize>, Verified), Error> {
        self.0.protection.unwrap_stream(token, before, after)
    }

    /// Wraps a message with associated data, which are signed and do not travel in the token (`gss_wrap_aead`).
    ///
    /// # Errors
    /// As [`wrap`](Self::wrap).
    pub fn wrap_aead(&self, confidential: bool, associated: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        let lengths = self.piece_lengths(confidential, true);
        let mut token = Vec::with_capacity(lengths.header + message.len() + lengths.trailer);
        token.resize(lengths.header, 0);
        token.extend_from_slice(message);
        token.resize(lengths.header + message.len() + lengths.trailer, 0);
        let (header, rest) = token.split_at_mut(lengths.header);
        let (data, trailer) = rest.split_at_mut(message.len());
        self.wrap_pieces(
            confidential,
            &mut [
                Piece::Header(header),
                Piece::SignOnly(associated),
                Piece::Data(data),
                Piece::Trailer(trailer),
            ],
        )?;
        Ok(token)
    }

    /// Verifies and opens a token with its associated data (`gss_unwrap_aead`).
    ///
    /// # Errors
    /// As [`unwrap`](Self::unwrap).
    pub fn unwrap_aead(&self, associated: &[u8], token: &[u8]) -> Result<Unwrapped, Error> {
        let mut message = token.to_vec();
        let (range, verified) = self.unwrap_stream(&mut message, &[associated], &[])?;
        message.truncate(range.end);
        message.drain(..range.start);
        Ok(Unwrapped { message, confidential: verified.confidential, order: verified.order })
    }

    /// Signs pieces, laid end to end, apart from them (`gss_get_mic_iov`).
    ///
    /// # Errors
    /// As [`mic`](Self::mic).
    pub fn mic_over(&self, pieces: &[&[u8]]) -> Result<Vec<u8>, Error> {
        self.check_time()?;
        self.0.protection.mic(pieces)
    }

    /// Verifies the peer's MIC over pieces, laid end to end (`gss_verify_mic_iov`).
    ///
    /// # Errors
    /// As [`verify_mic`](Self::verify_mic).
    pub fn verify_mic_over(&self, pieces: &[&[u8]], token: &[u8]) -> Result<Order, Error> {
        self.0.protection.verify_mic(pieces, token)
    }

    /// Whether a message may be wrapped so, now.
    pub(super) fn check_wrap(&self, confidential: bool) -> Result<(), Misuse> {
        if confidential && !self.0.protection.flags.contains(Flags::CONFIDENTIALITY) {
            return Err(Misuse::NotConfidential);
        }
        self.check_time()
    }
}
