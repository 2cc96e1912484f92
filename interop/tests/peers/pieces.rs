//! Messages in pieces and with associated data (`gss_wrap_iov`, `gss_wrap_aead` and their kin), sealed and signed,
//! on plain contexts and in DCE style: MIT's library, Heimdal's and ours at either end.
//!
//! What a peer's library cannot do is a table here, and a scenario fails where it can after all.

use interop::process::PATIENCE;
use interop::sample;
use interop::{Enctype, Failure, Realm, Running, Scenario, Side};

const SIDES: [Side; 3] = [Side::Mit, Side::Heimdal, Side::Own];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for initiator in SIDES {
        for acceptor in SIDES {
            let heimdal = [initiator, acceptor].contains(&Side::Heimdal);
            // One of each profile; Heimdal has no Camellia.
            let enctypes = [Enctype::Aes256Sha1, Enctype::Aes256Sha2, Enctype::Camellia256];
            for enctype in enctypes.into_iter().take(if heimdal { 2 } else { 3 }) {
                let theirs = [initiator, acceptor].into_iter().filter(|side| *side != Side::Own);
                let needs: Vec<_> =
                    sample::NEEDS.iter().copied().chain(theirs.map(sample::library)).collect();
                list.push(Scenario::new(
                    format!("pieces::initiator_{initiator}_acceptor_{acceptor}_{enctype}"),
                    &needs,
                    move || every_layout(initiator, acceptor, enctype),
                ));
            }
        }
    }
    list
}

/// How a message goes from one end to the other.
#[derive(Clone, Copy, Debug)]
struct Way {
    sender: Side,
    receiver: Side,
    dce: bool,
    sealed: bool,
    /// How the sender lays it out, and how the receiver opens it.
    layouts: (&'static str, &'static str),
}

const LAYOUTS: [(&str, &[&str]); 5] = [
    ("whole", &["whole"]),
    ("pieces", &["pieces"]),
    ("stream", &["pieces", "rotated"]),
    ("rotated", &["rotated"]),
    ("aead", &["aead"]),
];

impl Way {
    fn back(self) -> Self {
        Self { sender: self.receiver, receiver: self.sender, ..self }
    }

    /// Why it can't go this way, with MIT krb5 1.20 or Heimdal 7.8 at an end.
    fn obstacle(self) -> Option<&'static str> {
        use Side::{Heimdal, Mit};
        let Self { sender, receiver, dce, sealed, layouts: (laid, opened) } = self;
        match (sender, receiver) {
            (_, Heimdal) if matches!(opened, "stream" | "aead") => Some("Heimdal opens no streams"),
            (_, Mit) if dce && matches!(opened, "stream" | "aead") => {
                Some("MIT opens no streams in DCE style")
            }
            (_, Heimdal) if dce && laid == "pieces" => Some("Heimdal has no trailers in DCE style"),
            (Heimdal, _) if dce && laid == "pieces" => Some("Heimdal has no trailers in DCE style"),
            (Heimdal, _) if dce && !sealed && laid != "whole" => Some("Heimdal signs no pieces in DCE style"),
            (Heimdal, Mit) if dce && sealed && laid == "whole" => {
                Some("Heimdal's filler counts as rotation, which MIT does not undo")
            }
            _ => None,
        }
    }
}

const ASSOCIATED: [&str; 3] = ["-associated", "signed beside it", "-layout"];

fn every_layout(initiator: Side, acceptor: Side, enctype: Enctype) -> Result<(), Failure> {
    let realm = Realm::build("PIECES.TEST")
        .enctypes(&[enctype])
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(Side::Mit)?;
    realm.kinit(Side::Own, "alice", &[])?;
    let mut wrong = String::new();
    for (opened, laid) in LAYOUTS {
        // Also on contexts that were moved before their first message.
        let moved: &[&str] = if opened == "pieces" { &["-export"] } else { &[] };
        let options = [moved, &ASSOCIATED, &[opened]].concat();
        let (mut server, port) = sample::serve(acceptor, &realm, &with_verbose(acceptor, &options))?;
        for laid in laid {
            for (dce, sealed) in [(false, true), (false, false), (true, true), (true, false)] {
                let way = Way { sender: initiator, receiver: acceptor, dce, sealed, layouts: (laid, opened) };
                match (message(&realm, &mut server, port, way), way.obstacle()) {
                    (Ok(()), None) | (Err(_), Some(_)) => {}
                    (Ok(()), Some(why)) => wrong += &format!("{way:?} is open, and should not be: {why}\n"),
                    (Err(why), None) => {
                        let output = server.stdout() + &server.stderr();
                        wrong += &format!("{way:?}: {why}\n--- the acceptor: {output}\n");
                    }
                }
            }
        }
    }
    if wrong.is_empty() { refusals(&realm, initiator, acceptor) } else { Err(wrong.into()) }
}

/// Flags are told by our server if it is asked.
fn with_verbose<'a>(side: Side, options: &[&'a str]) -> Vec<&'a str> {
    let verbose: &[&str] = if side == Side::Own { &["-verbose"] } else { &[] };
    [verbose, options].concat()
}

/// The message goes, its MIC over message and associated data comes back.
fn message(realm: &Realm, server: &mut Running, port: u16, way: Way) -> Result<(), Failure> {
    let text = format!("{} {} {}", way.layouts.0, if way.dce { "DCE" } else { "plain" }, way.sealed);
    let style: &[&str] = if way.dce { &["-dce"] } else { &[] };
    let sealing: &[&str] = if way.sealed { &[] } else { &["-no-encrypt"] };
    let options = [style, sealing, &ASSOCIATED, &[way.layouts.0]].concat();
    sample::run(way.sender, realm, port, &options, &text)?.success()?.says("Signature verified.")?;
    // And back, if the acceptor can send what the initiator can open.
    if way.layouts.0 == way.layouts.1 && way.back().obstacle().is_none() {
        let options = [&["-echo"], &options[..]].concat();
        sample::run(way.sender, realm, port, &options, &text)?.success()?.says("Echo received.")?;
    }
    server.wait_for(&format!("Received message: \"{text}\""), PATIENCE)?;
    let told = server.stdout().matches("GSS_C_DCE_STYLE").count();
    if way.dce && told == 0 { Err("the acceptor does not tell of DCE style".into()) } else { Ok(()) }
}

/// Other associated data are another message.
fn refusals(realm: &Realm, initiator: Side, acceptor: Side) -> Result<(), Failure> {
    let (server, port) =
        sample::serve(acceptor, realm, &["-associated", "another text", "-layout", "pieces"])?;
    for sealing in [&[][..], &["-no-encrypt"]] {
        let options = [sealing, &ASSOCIATED, &["pieces"]].concat();
        sample::run(initiator, realm, port, &options, "a message")?.refusal()?;
    }
    let output = server.stdout();
    assert!(output.contains("Accepted connection") && !output.contains("Received message"), "{output}");
    Ok(())
}
