//! From a request to its reply: pure, without IO (RFC 4120 §3.1, §3.3, §5.9).
//!
//! Whatever is wrong with a request goes one way, a `Refusal`, and becomes one KRB-ERROR. What is no request
//! gets no answer at all, so that two servers can't be set to answer each other (CVE-2002-2443).

use orthros_krb5::ErrorCode;
use orthros_krb5::wire::{
    AsReq, DerError, GeneralString, KdcReq, KdcReqBody, KrbError, PVNO, TgsReq, application_number, msg_type,
};
use orthros_wire::der::{Decode, Encode};
use orthros_wire::{Random, Timestamp};

use crate::Realm;

/// The most octets of a reply over UDP; a larger one is fetched over TCP.
pub const LARGEST_DATAGRAM: usize = 1_400;

/// The most octets of a request that are looked at.
pub const LARGEST_REQUEST: usize = 64 * 1024;

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    /// Text for people.
    pub(crate) text: &'static str,
    /// Data of a kind that the code determines.
    pub(crate) data: Option<Vec<u8>>,
    /// The realm where the client belongs, for WRONG_REALM (RFC 6806 §7).
    pub(crate) client_realm: Option<String>,
}

impl Refusal {
    pub(crate) fn new(code: ErrorCode, text: &'static str) -> Self {
        Self { code, text, data: None, client_realm: None }
    }
}

impl From<DerError> for Refusal {
    fn from(_: DerError) -> Self {
        Self::new(ErrorCode::GENERIC, "the request is malformed")
    }
}

/// The moment and the randomness of one answer.
#[derive(Clone, Copy)]
pub(crate) struct Instant<'a> {
    pub(crate) now: Timestamp,
    pub(crate) random: &'a dyn Random,
}

impl Realm {
    /// The reply to `request` at `now`: an AS-REP, a TGS-REP or a KRB-ERROR. `None` if `request` is not a
    /// request: then nothing must be sent.
    ///
    /// ```
    /// # struct Dice;
    /// # impl orthros_wire::Random for Dice { fn fill(&self, octets: &mut [u8]) { octets.fill(4) } }
    /// # let realm = orthros_kdc::Realm::builder("DEMO.TEST").build(&Dice)?;
    /// let now = orthros_wire::Timestamp::from_seconds(1_700_000_000);
    /// assert_eq!(realm.answer(b"GET / HTTP/1.1", now, &Dice), None);
    /// # Ok::<(), orthros_kdc::RealmError>(())
    /// ```
    pub fn answer(&self, request: &[u8], now: Timestamp, random: &dyn Random) -> Option<Vec<u8>> {
        let kind = application_number(request)?;
        if !matches!(kind, msg_type::AS_REQ | msg_type::TGS_REQ) || request.len() > LARGEST_REQUEST {
            return None;
        }
        let decoded = match kind {
            msg_type::AS_REQ => AsReq::from_der(request).map(|request| request.0),
            _ => TgsReq::from_der(request).map(|request| request.0),
        };
        let instant = Instant { now, random };
        let (body, outcome) = match &decoded {
            Ok(decoded) => (Some(&*decoded.req_body), self.outcome(decoded, request, kind, instant)),
            Err(error) => (None, Err(Refusal::from(*error))),
        };
        Some(outcome.unwrap_or_else(|refusal| self.error(&refusal, body, now)))
    }

    /// As [`answer`](Self::answer), for a transport that carries no more than [`LARGEST_DATAGRAM`] octets: a
    /// larger reply becomes KRB_ERR_RESPONSE_TOO_BIG (§7.2.1).
    pub fn answer_datagram(&self, request: &[u8], now: Timestamp, random: &dyn Random) -> Option<Vec<u8>> {
        let answer = self.answer(request, now, random)?;
        if answer.len() <= LARGEST_DATAGRAM {
            return Some(answer);
        }
        let too_big = Refusal::new(ErrorCode::RESPONSE_TOO_BIG, "the reply needs TCP");
        Some(self.error(&too_big, None, now))
    }

    fn outcome(
        &self,
        request: &KdcReq<'_>,
        octets: &[u8],
        kind: i32,
        instant: Instant<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        if request.pvno != PVNO {
            return Err(Refusal::new(ErrorCode::BAD_PVNO, "only protocol version 5 is spoken"));
        }
        if request.msg_type != kind {
            return Err(Refusal::new(
                ErrorCode::MSG_TYPE,
                "the message's type and tag contradict each other",
            ));
        }
        if kind == msg_type::AS_REQ {
            self.initial(request, octets, instant)
        } else {
            self.granting(request, instant)
        }
    }

    /// The KRB-ERROR that tells a refusal.
    fn error(&self, refusal: &Refusal, body: Option<&KdcReqBody<'_>>, now: Timestamp) -> Vec<u8> {
        let own = self.ticket_granting();
        let client = body.and_then(|body| body.cname.clone());
        let error = KrbError {
            pvno: PVNO,
            msg_type: msg_type::KRB_ERROR,
            ctime: None,
            cusec: None,
            stime: now.into(),
            susec: i32::try_from(now.microseconds).unwrap_or_default(),
            error_code: refusal.code.0,
            crealm: client
                .as_ref()
                .map(|_| GeneralString(refusal.client_realm.as_deref().unwrap_or_else(|| self.name()))),
            cname: client,
            realm: GeneralString(self.name()),
            sname: body.and_then(|body| body.sname.clone()).unwrap_or_else(|| own.to_wire()),
            e_text: Some(GeneralString(refusal.text)).filter(|text| !text.0.is_empty()),
            e_data: refusal.data.as_deref(),
        };
        error.to_der()
    }
}
