//! Claims: what a token demands of its importer, and what an importer shows.
//!
//! They lie under the seal, before the state, and the token's type says that they are there:
//!
//! ```text
//! length of what follows(2) { claim(1) length(2) octets }
//! ```
//!
//! | claim | octets | what holds it up |
//! |---|---|---|
//! | 1 user | the effective user id, 4 | who can read the sealing key; with a fleet's key the importer's word |
//! | 2 process group | its id, 4 | the importer's word: a guard against mistakes |
//! | 3 executable | the path of the program | the importer's word: a guard against mistakes |
//! | 4 audience | a text that both ends agree on | the importer's word: keeps apart what shares a key |
//!
//! Whoever holds the sealing key could open the token by other means and look at no claim; so they divide the holders of
//! one key into parts that should not meet, and hold off nobody who wants to do harm. The numbers ascend, each is there
//! at most once, and one that is not known here refuses the token.

use std::fmt;

use orthros_wire::Reader;

use super::{Header, SealingKey, TransferRefusal};

/// What a token demands of who imports it; at import, what the importer is.
///
/// ```
/// use orthros_gss::transfer::{Claims, SealingKey, export_credential, import_credential};
/// # use orthros_gss::{Error, InitiatorCredential, Settings};
/// fn for_mail(
///     credential: &InitiatorCredential,
///     key: &SealingKey,
///     settings: &Settings,
/// ) -> Result<InitiatorCredential, Error> {
///     let mail = Claims { audience: Some("mail".into()), ..Claims::NONE };
///     let token = export_credential(credential, key.under(&mail), settings)?;
///     assert!(import_credential(&token, key, settings).is_err(), "names no audience");
///     import_credential(&token, key.under(&mail), settings)
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The effective user id.
    pub user: Option<u32>,
    /// The id of the process group.
    pub process_group: Option<u32>,
    /// The path of the program that runs, as octets.
    pub executable: Option<Vec<u8>>,
    /// For whom the token is meant: any text. An importer that names one takes no token without it.
    pub audience: Option<String>,
}

/// A kind of claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// [`Claims::audience`].
    Audience,
    /// [`Claims::executable`].
    Executable,
    /// [`Claims::process_group`].
    ProcessGroup,
    /// [`Claims::user`].
    User,
}

/// A claim in which a token and its importer differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which.
    pub claim: Claim,
    /// What the token demands; `None`: nothing, but the importer asked for it.
    pub sealed: Option<String>,
    /// What the importer shows.
    pub shown: Option<String>,
}

impl Claims {
    /// Nothing is demanded, nothing shown.
    pub const NONE: Self = Self { user: None, process_group: None, executable: None, audience: None };

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// As octets; none for no claims.
    pub(crate) fn to_octets(&self) -> Result<Vec<u8>, TransferRefusal> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let (user, group) = (self.user.map(u32::to_be_bytes), self.process_group.map(u32::to_be_bytes));
        let claims = [
            (USER, user.as_ref().map(<[u8; 4]>::as_slice)),
            (PROCESS_GROUP, group.as_ref().map(<[u8; 4]>::as_slice)),
            (EXECUTABLE, self.executable.as_deref()),
            (AUDIENCE, self.audience.as_deref().map(str::as_bytes)),
        ];
        let length = |octets: &[u8]| u16::try_from(octets.len()).map_err(|_| TransferRefusal::TooLarge);
        let mut list = Vec::new();
        for (number, octets) in claims {
            let Some(octets) = octets else { continue };
            list.push(number);
            list.extend_from_slice(&length(octets)?.to_be_bytes());
            list.extend_from_slice(octets);
        }
        Ok([&length(&list)?.to_be_bytes()[..], &list].concat())
    }

    /// Reads what [`to_octets`](Self::to_octets) wrote; the reader stands behind it then.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, TransferRefusal> {
        let number = |octets: &[u8]| -> Result<Option<u32>, TransferRefusal> {
            let octets = octets.try_into().map_err(|_| TransferRefusal::Damaged)?;
            Ok(Some(u32::from_be_bytes(octets)))
        };
        let mut list = Reader::new(reader.counted_u16()?);
        let (mut claims, mut last) = (Self::NONE, 0);
        while !list.is_empty() {
            let (claim, octets) = (list.u8()?, list.counted_u16()?);
            if claim <= last {
                return Err(TransferRefusal::Damaged);
            }
            last = claim;
            match claim {
                USER => claims.user = number(octets)?,
                PROCESS_GROUP => claims.process_group = number(octets)?,
                EXECUTABLE => claims.executable = Some(octets.to_vec()),
                AUDIENCE => {
                    let text = std::str::from_utf8(octets).map_err(|_| TransferRefusal::Damaged)?;
                    claims.audience = Some(text.to_owned());
                }
                _ => return Err(TransferRefusal::Version),
            }
        }
        Ok(claims)
    }

    /// Whether an importer that shows `shown` is whom these claims demand.
    pub(crate) fn check(&self, shown: &Self) -> Result<(), Mismatch> {
        let text = |number: &Option<u32>| number.map(|number| number.to_string());
        let path =
            |path: &Option<Vec<u8>>| path.as_ref().map(|path| String::from_utf8_lossy(path).into_owned());
        let rows = [
            (Claim::User, text(&self.user), text(&shown.user), self.user == shown.user),
            (
                Claim::ProcessGroup,
                text(&self.process_group),
                text(&shown.process_group),
                self.process_group == shown.process_group,
            ),
            (
                Claim::Executable,
                path(&self.executable),
                path(&shown.executable),
                self.executable == shown.executable,
            ),
            (Claim::Audience, self.audience.clone(), shown.audience.clone(), self.audience == shown.audience),
        ];
        for (claim, sealed, shown, same) in rows {
            // What an importer is, it need not be asked for; an audience it names only if it means it.
            if !same && (sealed.is_some() || claim == Claim::Audience) {
                return Err(Mismatch { claim, sealed, shown });
            }
        }
        Ok(())
    }
}

const USER: u8 = 1;
const PROCESS_GROUP: u8 = 2;
const EXECUTABLE: u8 = 3;
const AUDIENCE: u8 = 4;

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Audience => "audience",
            Self::Executable => "executable",
            Self::ProcessGroup => "process group",
            Self::User => "user id",
        })
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { claim, sealed, shown } = self;
        match sealed {
            Some(sealed) => write!(f, "the token was sealed for {claim} {sealed}, and this importer")?,
            None => write!(f, "the token was sealed for no {claim}, and this importer")?,
        }
        match shown {
            Some(shown) => write!(f, " is {shown}"),
            None => f.write_str(" names none"),
        }
    }
}

/// A sealing key, and what is demanded or shown beside it. Wherever one is taken, a [`SealingKey`] will do: then nothing
/// is.
#[derive(Clone, Copy)]
pub struct Seal<'a> {
    pub(crate) key: &'a SealingKey,
    pub(crate) claims: &'a Claims,
    pub(crate) issue: Option<Issue<'a>>,
}

/// Who hears of a token that can be spent before it leaves: whoever keeps the unspent ones must know it.
pub type Issue<'a> = &'a dyn Fn(&Header) -> Result<(), TransferRefusal>;

impl<'a> Seal<'a> {
    /// Tells `issue` of each token that a ledger will be asked for, before it leaves. If that refuses, nothing leaves: the
    /// context is untouched.
    pub fn issued_by(self, issue: Issue<'a>) -> Self {
        Self { issue: Some(issue), ..self }
    }
}

impl fmt::Debug for Seal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({:?}, {:?})", self.key, self.claims)
    }
}

impl<'a> From<&'a SealingKey> for Seal<'a> {
    fn from(key: &'a SealingKey) -> Self {
        const NONE: &Claims = &Claims::NONE;
        Self { key, claims: NONE, issue: None }
    }
}

impl SealingKey {
    /// With these claims: what a token demands where one is sealed, what the importer is where one is opened.
    pub fn under<'a>(&'a self, claims: &'a Claims) -> Seal<'a> {
        Seal { key: self, claims, issue: None }
    }
}

impl From<Mismatch> for TransferRefusal {
    fn from(mismatch: Mismatch) -> Self {
        Self::Claim(Box::new(mismatch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Claims {
        Claims {
            user: Some(1000),
            process_group: Some(77),
            executable: Some(b"/usr/sbin/d\xff".to_vec()),
            audience: Some("mail".into()),
        }
    }

    fn read(octets: &[u8]) -> Result<Claims, TransferRefusal> {
        Claims::read(&mut Reader::new(octets))
    }

    #[test]
    fn what_was_demanded_is_read_again_and_nothing_takes_no_octets() {
        assert_eq!(Claims::NONE.to_octets().unwrap(), []);
        let octets = all().to_octets().unwrap();
        assert_eq!(read(&octets), Ok(all()));
        let one = Claims { audience: Some(String::new()), ..Claims::NONE };
        assert_eq!(read(&one.to_octets().unwrap()), Ok(one));
        for length in 0..octets.len() {
            assert!(read(&octets[..length]).is_err(), "{length} octets");
        }
    }

    #[test]
    fn a_claim_that_is_unknown_twice_there_or_of_another_length_is_refused() {
        assert_eq!(read(&[0, 3, 9, 0, 0]), Err(TransferRefusal::Version));
        assert_eq!(read(&[0, 6, 4, 0, 0, 4, 0, 0]), Err(TransferRefusal::Damaged));
        assert_eq!(read(&[0, 6, 4, 0, 0, 3, 0, 0]), Err(TransferRefusal::Damaged));
        assert_eq!(read(&[0, 6, 1, 0, 3, 0, 0, 1]), Err(TransferRefusal::Damaged));
        assert_eq!(read(&[0, 4, 4, 0, 1, 0xff]), Err(TransferRefusal::Damaged));
    }

    #[test]
    fn each_claim_is_checked_and_an_audience_both_ways() {
        assert_eq!(all().check(&all()), Ok(()));
        let facts = Claims { audience: None, ..all() };
        assert_eq!(Claims::NONE.check(&facts), Ok(()), "what was not demanded");
        assert_eq!(Claims::NONE.check(&all()).unwrap_err().claim, Claim::Audience);
        let others = [
            (Claim::User, Claims { user: Some(0), ..all() }),
            (Claim::ProcessGroup, Claims { process_group: None, ..all() }),
            (Claim::Executable, Claims { executable: Some(b"/bin/sh".to_vec()), ..all() }),
            (Claim::Audience, Claims { audience: Some("www".into()), ..all() }),
        ];
        for (claim, other) in others {
            assert_eq!(all().check(&other).unwrap_err().claim, claim);
        }
        let said = all().check(&Claims { audience: Some("www".into()), ..all() }).unwrap_err().to_string();
        assert_eq!(said, "the token was sealed for audience mail, and this importer is www");
    }
}
