//! What mechanisms and names are to us, to MIT's library and to Heimdal's: equal octet by octet, or different for a
//! reason that is written here and that ceases to be good when the difference does.

use std::collections::{BTreeMap, BTreeSet};

use interop::inquiry::Inquiry;
use interop::peers::Peer;
use interop::sample;
use interop::{Failure, Scenario, Side};
use orthros::mechanism::{self, KRB5, attribute};
use orthros::name::name_type;
use orthros::{Config, Major, Name, Orthros};
use orthros_wire::{Oid, hex};

const CONFIGURATION: &str = "[libdefaults]\ndefault_realm = NAMES.TEST\ndns_canonicalize_hostname = false\n\
     rdns = false\ndns_lookup_realm = false\n[domain_realm]\n.example.com = EXAMPLE.COM\n";

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for side in [Side::Mit, Side::Heimdal] {
        let needs = [Peer::CC, Peer::C_HEADERS, sample::library(side)];
        let asks: [(&str, Ask); 4] = [
            ("krb5_offers_what_they_say", attributes),
            ("sasl_names_are_theirs", sasl_names),
            ("names_of_every_type_mean_the_same", names),
            ("names_are_compared_as_the_rfc_says", comparisons),
        ];
        for (name, ask) in asks {
            list.push(Scenario::new(format!("inquiry::{name}_{side}"), &needs, move || ask(side)));
        }
    }
    list
}

type Ask = fn(Side) -> Result<(), Failure>;

fn inquiry(side: Side) -> Result<Inquiry, Failure> {
    Inquiry::new(sample::library(side), CONFIGURATION)
}

fn octets(oid: &Oid) -> String {
    hex::encode(oid.content())
}

fn values(said: &[(String, String)], key: &str) -> BTreeSet<String> {
    said.iter().filter(|(known, _)| known == key).map(|(_, value)| value.clone()).collect()
}

fn attributes(side: Side) -> Result<(), Failure> {
    let inquiry = inquiry(side)?;
    let said = inquiry.ask(&["mechanism"])?;
    let own: BTreeSet<String> = KRB5.attributes.iter().map(octets).collect();
    let theirs = values(&said, "attribute");
    let more: BTreeSet<String> = match side {
        // Heimdal's own attributes; and anonymous initiators and forward secrecy, which it has by way of PKINIT.
        Side::Heimdal => ["2a85702b0d64", "2a85702b0d65", "2a85702b0d66", "2b060105050d0e", "2b060105050d19"]
            .map(str::to_owned)
            .into(),
        Side::Mit | Side::Own => BTreeSet::new(),
    };
    assert_eq!(theirs.difference(&own).cloned().collect::<BTreeSet<_>>(), more);
    assert!(own.is_subset(&theirs), "{own:?}");
    let known = values(&said, "known attribute");
    for row in &attribute::ATTRIBUTES {
        let said = inquiry.ask(&["attribute", &octets(&row.oid)])?;
        if side == Side::Heimdal && !known.contains(&octets(&row.oid)) {
            continue;
        }
        assert_eq!(values(&said, "name"), [row.name.to_owned()].into());
        // The RFC's table says "targ", MIT's "target".
        let short = match (side, row.short) {
            (Side::Mit, "auth-targ-princ-initial") => "auth-target-princ-initial",
            (_, short) => short,
        };
        assert_eq!(values(&said, "short"), [short.to_owned()].into());
    }
    let types = values(&said, "name type");
    let own: BTreeSet<String> = KRB5.name_types.iter().map(octets).collect();
    // A pointer to a structure of MIT's library is no name outside of it.
    let pointer: BTreeSet<String> = ["2a864886f71201020202".to_owned()].into();
    let lacking: BTreeSet<String> = types.difference(&own).cloned().collect();
    assert_eq!(lacking, if side == Side::Mit { pointer } else { BTreeSet::new() });
    Ok(())
}

fn sasl_names(side: Side) -> Result<(), Failure> {
    let inquiry = inquiry(side)?;
    let said = inquiry.ask(&["mechanism"])?;
    assert_eq!(values(&said, "sasl name"), [KRB5.sasl_name()].into());
    let name = values(&said, "name").into_iter().map(|name| name.to_lowercase()).collect::<Vec<_>>();
    assert_eq!(name, [KRB5.name]);
    for asked in ["GS2-KRB5", "GSSAPI", "GS2-DT4PIK22T6A", "gs2-krb5"] {
        let own = mechanism::for_sasl_name(asked).map(|(row, _)| octets(&row.oid));
        let own = own.unwrap_or_else(|| refused(Major::BadMechanism));
        assert_eq!(values(&inquiry.ask(&["sasl", asked])?, "mechanism"), [own].into(), "{asked}");
    }
    // MIT's library knows the computed name too; the name with channel binding is ours alone.
    for (asked, known) in [("GS2-KRB5-PLUS", false), ("GS2-QLJHGJLWNPL", side == Side::Mit)] {
        assert!(mechanism::for_sasl_name(asked).is_some());
        let theirs = values(&inquiry.ask(&["sasl", asked])?, "mechanism");
        let answer = if known { octets(&KRB5.oid) } else { refused(Major::BadMechanism) };
        assert_eq!(theirs, [answer].into(), "{asked}");
    }
    Ok(())
}

fn refused(major: Major) -> String {
    format!("refused {:08x}", major.number())
}

/// A name, and in what the others differ.
struct Row {
    kind: Option<Oid>,
    octets: Vec<u8>,
    mit: Differs,
    heimdal: Differs,
}

/// In what the answers differ, and why ours are right.
#[derive(Clone, Copy)]
enum Differs {
    Not,
    In(&'static [&'static str], &'static str),
    Wholly(&'static str),
}

use Differs::{In, Not, Wholly};

const NO_TYPE: Differs = Wholly("Heimdal 7 does not know the type");
const CUTS: Differs = Wholly("they end the name at the NUL; two names must not become one");

fn row(kind: &Oid, octets: impl AsRef<[u8]>, mit: Differs, heimdal: Differs) -> Row {
    Row { kind: Some(kind.clone()), octets: octets.as_ref().to_vec(), mit, heimdal }
}

/// An exported name, written out (RFC 2743 §3.2).
fn exported(form: u8, length: u32, name: &[u8], more: &[u8]) -> Vec<u8> {
    [&[4, form, 0, 11, 6, 9], KRB5.oid.content(), &length.to_be_bytes(), name, more].concat()
}

fn rows() -> Vec<Row> {
    use name_type::{
        ANONYMOUS, COMPOSITE_EXPORTED, ENTERPRISE, EXPORTED, HOSTBASED_SERVICE, HOSTBASED_SERVICE_X,
        KRB5_PRINCIPAL, MACHINE_UID, STRING_UID, USER_NAME,
    };
    let x_type = In(&["display type"], "the older identifier is taken, never given (RFC 2744 4.8)");
    let dot = In(&["canonical", "export"], "the final dot is no part of a principal, and no part of a realm");
    let escape = In(
        &["canonical"],
        "what is displayed can be imported again, so a letter with a meaning stays escaped",
    );
    let digits = In(&["display", "display type"], "a number is shown in digits, which are the string type");
    let whoever = In(&["display"], "what was given for an anonymous name means nothing, and is not shown");
    let untyped = In(&["display type"], "a displayed name has a type, and krb5's own is the default");
    let wellknown = In(&["canonical type"], "an anonymous principal has the anonymous type (RFC 8062 3)");
    let nameless = Wholly("a service without a name is none");
    let short = Wholly("a number has four octets");
    let word = Wholly("a word is no number (RFC 2744 4.4)");
    let early = Wholly("what cannot be a principal is refused at import already");
    let realmless =
        Wholly("an exported name holds its realm (RFC 1964 2.1.3), else it changes with the configuration");
    let by_token = Wholly("the form is told by the token, whichever of the two types is named");
    let nul = In(&["canonical", "export"], "an escaped NUL ends no name");
    let plain = exported(1, 16, b"alice@NAMES.TEST", b"");
    let composite = exported(2, 16, b"alice@NAMES.TEST", &[0; 4]);
    let unfinished = exported(2, 16, b"alice@NAMES.TEST", b"");
    let lying = exported(1, 17, b"alice@NAMES.TEST", b"");
    let bare = exported(1, 5, b"alice", b"");
    vec![
        row(&HOSTBASED_SERVICE, "HTTP@www.Example.com", Not, Not),
        row(&HOSTBASED_SERVICE, "a/b@www.example.com", Not, escape),
        row(&HOSTBASED_SERVICE, "a@b@www.example.com", Not, escape),
        row(&HOSTBASED_SERVICE, "http@www.example.com.", Not, dot),
        row(&HOSTBASED_SERVICE, "@www.example.com", nameless, nameless),
        row(&HOSTBASED_SERVICE, "ht\0tp@www.example.com", CUTS, CUTS),
        row(&HOSTBASED_SERVICE_X, "HTTP@www.example.com", x_type, NO_TYPE),
        row(&USER_NAME, "alice", Not, Not),
        row(&USER_NAME, "alice@OTHER", Not, Not),
        row(&USER_NAME, "al\\/ice/admin", Not, escape),
        row(&USER_NAME, "al\0ice", CUTS, CUTS),
        row(&MACHINE_UID, 0_u32.to_ne_bytes(), digits, NO_TYPE),
        row(&MACHINE_UID, [0; 2], short, NO_TYPE),
        row(&STRING_UID, "0", Not, NO_TYPE),
        row(&STRING_UID, "root", word, NO_TYPE),
        row(&ANONYMOUS, "whoever", whoever, NO_TYPE),
        Row { kind: None, octets: b"alice".to_vec(), mit: untyped, heimdal: untyped },
        row(&KRB5_PRINCIPAL, "alice/admin", Not, Not),
        row(&KRB5_PRINCIPAL, "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS", Not, wellknown),
        row(&KRB5_PRINCIPAL, "a\\0b", Not, nul),
        row(&KRB5_PRINCIPAL, "al\0ice", CUTS, CUTS),
        row(&KRB5_PRINCIPAL, "a@b@c", early, Not),
        row(&ENTERPRISE, "alice@example.com", Not, NO_TYPE),
        row(&ENTERPRISE, "alice@example.com@OTHER", Not, NO_TYPE),
        row(&EXPORTED, &plain, Not, Not),
        row(&EXPORTED, &lying, Not, Not),
        row(&EXPORTED, &bare, realmless, realmless),
        row(&EXPORTED, &composite, Not, by_token),
        row(&COMPOSITE_EXPORTED, &composite, Not, NO_TYPE),
        row(&COMPOSITE_EXPORTED, &plain, Not, NO_TYPE),
        row(&COMPOSITE_EXPORTED, &unfinished, Not, NO_TYPE),
    ]
}

fn names(side: Side) -> Result<(), Failure> {
    let inquiry = inquiry(side)?;
    for row in rows() {
        let kind = row.kind.as_ref().map_or_else(|| "-".to_owned(), octets);
        let theirs: BTreeMap<_, _> =
            inquiry.ask(&["name", &kind, &hex::encode(&row.octets)])?.into_iter().collect();
        let own = own_answers(&row)?;
        let shown = format!("{:?} {:?}", row.kind, String::from_utf8_lossy(&row.octets));
        match if side == Side::Heimdal { row.heimdal } else { row.mit } {
            Not => assert_eq!(own, theirs, "{shown}"),
            Wholly(reason) => assert_ne!(own, theirs, "{shown}: {reason}"),
            In(keys, reason) => {
                let differing: Vec<&str> =
                    own.keys().filter(|key| own.get(*key) != theirs.get(*key)).map(String::as_str).collect();
                assert_eq!(differing, keys, "{shown}: {reason}\n{own:?}\n{theirs:?}");
                assert_eq!(own.len(), theirs.len(), "{shown}");
            }
        }
    }
    Ok(())
}

/// The same lines from us.
fn own_answers(row: &Row) -> Result<BTreeMap<String, String>, Failure> {
    let orthros = orthros()?;
    let mut lines = BTreeMap::new();
    let mut line = |key: &str, value: String| lines.insert(key.to_owned(), value);
    let given = match Name::import(&row.octets, row.kind.as_ref()) {
        Ok(name) => name,
        Err(error) => {
            line("import", refused(orthros::Error::from(error).major()));
            return Ok(lines);
        }
    };
    let shown = given.display();
    line("display", hex::encode(shown.text.as_bytes()));
    line("display type", octets(&shown.name_type));
    let resolved = orthros.resolve_name(&given).map_err(|error| Failure::new(error.to_string()))?;
    match resolved.to_principal(orthros.config(), None) {
        Err(error) => {
            line("canonical", refused(orthros::Error::from(error).major()));
        }
        Ok(principal) => {
            let exported = Name::export(&principal);
            let shown = Name::Principal(principal).display();
            line("canonical", hex::encode(shown.text.as_bytes()));
            line("canonical type", octets(&shown.name_type));
            line("export", hex::encode(&exported));
        }
    }
    Ok(lines)
}

fn orthros() -> Result<Orthros, Failure> {
    let config = Config::parse(CONFIGURATION).map_err(|error| Failure::new(error.to_string()))?;
    Ok(Orthros::builder().config(config).build())
}

fn comparisons(side: Side) -> Result<(), Failure> {
    use name_type::{HOSTBASED_SERVICE, KRB5_PRINCIPAL, USER_NAME};
    let inquiry = inquiry(side)?;
    let orthros = orthros()?;
    let nobody = "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS";
    let meant = Some("names are compared by whom they mean, not by how they were given");
    for (left, right, differs) in [
        ((KRB5_PRINCIPAL, "alice@A"), (KRB5_PRINCIPAL, "alice@A"), None),
        ((KRB5_PRINCIPAL, "alice@A"), (KRB5_PRINCIPAL, "alice@B"), None),
        ((USER_NAME, "alice"), (USER_NAME, "bob"), None),
        ((HOSTBASED_SERVICE, "host@h"), (HOSTBASED_SERVICE, "host@h"), None),
        ((USER_NAME, "alice"), (KRB5_PRINCIPAL, "alice@NAMES.TEST"), meant),
        ((HOSTBASED_SERVICE, "host@H"), (HOSTBASED_SERVICE, "host@h"), meant),
        (
            (KRB5_PRINCIPAL, nobody),
            (KRB5_PRINCIPAL, nobody),
            Some("anonymous names never match (RFC 2743 2.4.3)"),
        ),
    ] {
        let import = |(kind, text): &(Oid, &str)| Name::import(text.as_bytes(), Some(kind));
        let same = import(&left)
            .and_then(|name| name.same_as(&import(&right)?, orthros.config()))
            .map_err(|error| Failure::new(error.to_string()))?;
        let words = |(kind, text): &(Oid, &str)| [octets(kind), hex::encode(text.as_bytes())];
        let [left_kind, left_text] = words(&left);
        let [right_kind, right_text] = words(&right);
        let said = inquiry.ask(&["equal", &left_kind, &left_text, &right_kind, &right_text])?;
        let theirs = values(&said, "equal");
        let own: BTreeSet<String> = [u8::from(same).to_string()].into();
        match differs {
            None => assert_eq!(own, theirs, "{left:?} {right:?}"),
            Some(reason) => assert_ne!(own, theirs, "{left:?} {right:?}: {reason}"),
        }
    }
    Ok(())
}
