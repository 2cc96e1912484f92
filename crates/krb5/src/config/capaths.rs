//! Which realms lie on the way from one realm to another: `[capaths]`, or else the realms' names
//! (RFC 4120 §1.2, §2.7).
//!
//! ```text
//! [capaths]
//!     CLIENT.REALM = {
//!         SERVER.REALM = MIDDLE.REALM      a realm on the way; several stand in order
//!         OTHER.REALM = .                  none: the two realms trust each other
//!     }
//! ```
//!
//! Where nothing is configured, a way leads up the components of the client's realm and down those of the
//! server's: from `A.B.C` to `X.C` by `B.C` and `C`.

use std::collections::BTreeMap;

use super::profile::{self, Profile};

/// The most realms that a way without configuration may lead through. A realm's name comes from a peer too, and
/// may have any number of dots.
const LONGEST_WALK: usize = 16;

/// The section `[capaths]`.
///
/// ```
/// use orthros_krb5::config::Capaths;
/// let mut capaths = Capaths::default();
/// capaths.insert("A.TEST", "C.ORG", &["B.NET"]);
/// assert_eq!(capaths.between("A.TEST", "C.ORG"), ["B.NET"]);
/// assert_eq!(capaths.between("X.A.TEST", "Y.TEST"), ["A.TEST", "TEST"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capaths {
    /// By client's realm and server's realm.
    configured: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Capaths {
    pub(super) fn read(profiles: &[Profile]) -> Self {
        let mut capaths = Self::default();
        for client in profile::subsections(profiles, &["capaths"]) {
            for value in profile::relations(profiles, &["capaths", client]) {
                let servers = capaths.configured.entry(client.to_owned()).or_default();
                let way = servers.entry(value.name.to_owned()).or_default();
                way.extend(value.text.split_whitespace().filter(|realm| *realm != ".").map(str::to_owned));
            }
        }
        capaths
    }

    /// Sets the realms between `client` and `server`, those near the client first; none: the two trust each
    /// other.
    pub fn insert(&mut self, client: &str, server: &str, between: &[&str]) {
        let between = between.iter().map(|realm| (*realm).to_owned()).collect();
        self.configured.entry(client.to_owned()).or_default().insert(server.to_owned(), between);
    }

    /// What is configured for the way from `client` to `server`; `None` if nothing is.
    pub fn configured(&self, client: &str, server: &str) -> Option<&[String]> {
        self.configured.get(client)?.get(server).map(Vec::as_slice)
    }

    /// The realms between `client` and `server`, both left out, those near the client first: as configured, or
    /// by the components of their names.
    pub fn between(&self, client: &str, server: &str) -> Vec<String> {
        match self.configured(client, server) {
            Some(between) => between.to_vec(),
            None => hierarchical(client, server),
        }
    }
}

/// Up from `client` to what both names share, and down to `server`. Where they share nothing there is no
/// way by names.
pub(crate) fn hierarchical(client: &str, server: &str) -> Vec<String> {
    let up: Vec<&str> = ancestors(client).take(LONGEST_WALK).collect();
    let down: Vec<&str> = ancestors(server).take(LONGEST_WALK).collect();
    let Some((peak_up, peak_down)) = up
        .iter()
        .enumerate()
        .find_map(|(index, realm)| Some((index, down.iter().position(|other| other == realm)?)))
    else {
        return Vec::new();
    };
    let descent = down.iter().take(peak_down).rev();
    let mut way = up.iter().take(peak_up.saturating_add(1)).chain(descent).copied().collect::<Vec<_>>();
    way.retain(|realm| *realm != client && *realm != server);
    way.into_iter().map(str::to_owned).collect()
}

/// The realm and those above it.
fn ancestors(realm: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(realm), |name| name.split_once('.').map(|(_, parent)| parent))
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn names_lead_up_and_down() {
        for (client, server, way) in [
            ("A.B.C", "X.C", &["B.C", "C"][..]),
            ("B.C", "A.B.C", &[]),
            ("A.B.C", "B.C", &[]),
            ("C", "A.B.C", &["B.C"]),
            ("A.B.C", "C", &["B.C"]),
            ("A", "B", &[]),
            ("A.COM", "B.ORG", &[]),
            ("A.COM", "B.COM", &["COM"]),
            ("A.COM", "A.COM", &[]),
        ] {
            assert_eq!(hierarchical(client, server), way, "{client} {server}");
        }
        assert!(hierarchical(&"a.".repeat(100_000), &"a.".repeat(50_000)).len() <= 2 * LONGEST_WALK);
    }

    #[test]
    fn capaths_are_read_in_order_and_a_dot_means_none() {
        let config = Config::parse(
            "[capaths]\nA = {\n  C = B1\n  C = B2\n  D = .\n  E = X Y\n }\n B = {\n C = .\n }\n",
        )
        .unwrap();
        assert_eq!(config.capath("A", "C"), ["B1", "B2"]);
        assert_eq!(config.capath("A", "E"), ["X", "Y"]);
        assert!(config.capath("A", "D").is_empty());
        assert_eq!(config.capaths().configured("A", "D"), Some(&[][..]));
        assert_eq!(config.capaths().configured("A", "Z"), None);
    }
}
