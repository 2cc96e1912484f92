//! What is done by the processes that are ended: each step is one thing that writes files, between two marks that stand
//! among its system calls.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;

use orthros::replay::File2;
use orthros::seal_key::Places;
use orthros::transfer::{NotGiven, Peers};
use orthros::{CacheName, Config, Context, Keytab, KeytabName, Name, Orthros, Step as Stage};
use orthros_wire::hex;

/// The realm, and who is in it.
pub(crate) const REALM: &str = "KILLED.TEST";
pub(crate) const SERVICE: &str = "host/localhost";

/// Hands a line to whoever started the process.
pub(crate) type Say<'a> = &'a mut dyn FnMut(&str);

/// Something that is ended at each of its system calls.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) work: fn(&Place<'_>, &Marks<'_>, Say<'_>) -> Result<(), String>,
}

/// A folder with all files of a process, and the KDC.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) kdc: &'a str,
    /// The keyring of key and ledger, if they are in none of the files.
    pub(crate) keyring: Option<&'a str>,
}

/// Puts the marks; does nothing where nobody looks at the system calls.
pub(crate) struct Marks<'a>(pub(crate) &'a dyn Fn(&str));

impl Marks<'_> {
    pub(crate) const BEGIN: &'static str = "/mark/begin";
    pub(crate) const END: &'static str = "/mark/end";

    fn around<T>(&self, work: impl FnOnce() -> T) -> T {
        (self.0)(Self::BEGIN);
        let done = work();
        (self.0)(Self::END);
        done
    }
}

pub(crate) const STEPS: &[Step] = &[
    Step { name: "a_cache_is_written", work: log_in },
    Step { name: "a_ticket_is_fetched", work: fetch },
    Step { name: "a_cache_is_destroyed", work: destroy },
    Step { name: "a_keytab_is_made", work: add_keys },
    Step { name: "a_key_is_added", work: add_keys },
    Step { name: "a_key_is_removed", work: remove_keys },
    Step { name: "a_first_request_is_accepted", work: accept },
    Step { name: "another_request_is_accepted", work: accept },
    Step { name: "a_first_context_is_exported", work: export },
    Step { name: "a_context_is_imported_and_exported", work: move_on },
    Step { name: "a_context_is_exported_by_the_keyring", work: export },
    Step { name: "a_context_is_imported_by_the_keyring", work: move_twice },
    Step { name: "a_context_is_handed_over", work: hand_over },
    Step { name: "a_context_is_taken_over", work: take_over },
    Step { name: "a_first_context_is_exported_in_c", work: export },
    Step { name: "a_context_is_imported_and_exported_in_c", work: move_on },
    Step { name: "a_context_is_handed_over_in_c", work: hand_over },
    Step { name: "a_context_is_taken_over_in_c", work: take_over },
];

impl Step {
    /// Whether key and ledger are in the kernel.
    pub(crate) fn is_by_keyring(&self) -> bool {
        self.name.ends_with("_by_the_keyring")
    }

    /// What the program in C is told to do, if it is the one that is ended.
    pub(crate) fn in_c(&self) -> Option<&'static str> {
        match self.name.strip_suffix("_in_c")? {
            "a_context_is_handed_over" => Some("give"),
            "a_context_is_taken_over" => Some("take"),
            "a_first_context_is_exported" => Some("export"),
            _ => Some("move"),
        }
    }

    /// Whether a token waits to be imported.
    pub(crate) fn has_token(&self) -> bool {
        self.name.starts_with("a_context_is_imported_and_exported")
    }

    /// Whether its context comes or goes over a socket.
    pub(crate) fn is_handover(&self) -> bool {
        self.name.contains("_handed_over") || self.takes_over()
    }

    /// Whether it is the one to which the context comes.
    pub(crate) fn takes_over(&self) -> bool {
        self.name.contains("_taken_over")
    }
}

impl Place<'_> {
    /// An object of its own, as another process would have.
    pub(crate) fn orthros(&self) -> Result<Orthros, String> {
        let config = Config::for_realm(REALM, &[self.kdc]).map_err(text)?;
        Ok(Orthros::builder()
            .config(config)
            .default_cache(self.cache())
            .default_keytab(self.keytab())
            .replay_cache(File2::at(self.folder.join("replay")))
            .transfer_places(match self.keyring {
                Some(name) => Places::new().keyring(rustix::process::geteuid().as_raw(), name),
                None => Places::new().within(self.folder),
            })
            .build())
    }

    pub(crate) fn cache(&self) -> CacheName {
        CacheName::File(self.folder.join("cache"))
    }

    pub(crate) fn keytab(&self) -> KeytabName {
        KeytabName::File(self.folder.join("keytab"))
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        fs::read(self.folder.join(name)).map_err(|why| format!("{name}: {why}"))
    }
}

pub(crate) fn text(error: impl ToString) -> String {
    error.to_string()
}

fn log_in(place: &Place<'_>, marks: &Marks<'_>, say: Say<'_>) -> Result<(), String> {
    let orthros = place.orthros()?;
    let fresh = orthros.read_cache(&CacheName::File(place.folder.join("fresh"))).map_err(text)?;
    marks.around(|| {
        orthros.write_cache(&place.cache(), fresh).map_err(text)?;
        say("done");
        Ok(())
    })
}

fn fetch(place: &Place<'_>, marks: &Marks<'_>, say: Say<'_>) -> Result<(), String> {
    let orthros = place.orthros()?;
    let initiate = orthros.initiate(Name::hostbased_service("host", "localhost")).map_err(text)?;
    marks.around(|| {
        let stage = provided(&orthros, initiate.start());
        let Stage::Send(_) = stage else { return Err(format!("{stage:?}")) };
        say("done");
        Ok(())
    })
}

fn destroy(place: &Place<'_>, marks: &Marks<'_>, say: Say<'_>) -> Result<(), String> {
    let orthros = place.orthros()?;
    marks.around(|| {
        orthros.destroy_cache(&place.cache()).map_err(text)?;
        say("done");
        Ok(())
    })
}

fn add_keys(place: &Place<'_>, marks: &Marks<'_>, say: Say<'_>) -> Result<(), String> {
    let orthros = place.orthros()?;
    let more = Keytab::parse(&place.read("more")?).map_err(text)?;
    marks.around(|| {
        orthros.add_to_keytab(&place.keytab(), &more).map_err(text)?;
        say("done");
        Ok(())
    })
}

fn remove_keys(place: &Place<'_>, marks: &Marks<'_>, say: Say<'_>) -> Result<(), String> {
    let orthros = place.orthros()?;
    marks.around(|| {
        let unwanted = |entry: &str| entry.starts_with("host/more");
        orthros
            .remove_from_keytab(&place.keytab(), |_, entry| unwanted(&entry.principal().name_text()))
            .map_err(text)?;
        say("done");
        Ok(())
    })
}

fn accept(place: &Place<'_>, marks: &Marks<'_>, say: Say<'_>) -> Result<(), String> {
    let orthros = place.orthros()?;
    let (request, credential) = (place.read("request")?, orthros.acceptor().map_err(text)?);
    marks.around(|| {
        answered(&orthros, orthros.accept(&credential).start(), &request)?;
        say("accepted");
        Ok(())
    })
}

fn export(place: &Place<'_>, marks: &Marks<'_>, say: Say<'_>) -> Result<(), String> {
    let orthros = place.orthros()?;
    let context = acceptor_side(&orthros)?;
    marks.around(|| {
        say(&hex::encode(&orthros.export(context).map_err(|kept| text(kept.error))?));
        Ok(())
    })
}

/// Imports the token in the file `token`, says so by what only a live context makes, and exports it again.
fn move_on(place: &Place<'_>, marks: &Marks<'_>, say: Say<'_>) -> Result<(), String> {
    let (orthros, token) = (place.orthros()?, place.read("token")?);
    marks.around(|| {
        let context = orthros.import(&token).map_err(text)?;
        say(&format!("live {}", hex::encode(&context.wrap_integrity(b"live").map_err(text)?)));
        say(&hex::encode(&orthros.export(context).map_err(|kept| text(kept.error))?));
        Ok(())
    })
}

/// Puts a token into the file `token`, and moves it on: what is in a keyring can't be copied with the folder.
fn move_twice(place: &Place<'_>, marks: &Marks<'_>, say: Say<'_>) -> Result<(), String> {
    let orthros = place.orthros()?;
    let token = orthros.export(acceptor_side(&orthros)?).map_err(|kept| text(kept.error))?;
    fs::write(place.folder.join("token"), token).map_err(text)?;
    move_on(place, marks, say)
}

/// Where the other end of a handover listens.
pub(crate) fn door(folder: &Path) -> std::path::PathBuf {
    folder.join("door")
}

fn hand_over(place: &Place<'_>, marks: &Marks<'_>, say: Say<'_>) -> Result<(), String> {
    let orthros = place.orthros()?;
    let context = acceptor_side(&orthros)?;
    let stream = UnixStream::connect(door(place.folder)).map_err(text)?;
    marks.around(|| match orthros.hand_over(context, &stream, &Peers::same_user()) {
        Ok(()) => {
            say("given");
            Ok(())
        }
        Err(NotGiven::Kept(kept)) => {
            say(&format!("live {}", hex::encode(&kept.context.wrap_integrity(b"live").map_err(text)?)));
            Ok(())
        }
        Err(other) => Err(text(other)),
    })
}

fn take_over(place: &Place<'_>, marks: &Marks<'_>, say: Say<'_>) -> Result<(), String> {
    let orthros = place.orthros()?;
    let stream = UnixStream::connect(door(place.folder)).map_err(text)?;
    marks.around(|| {
        let context = orthros.take_over(&stream, &Peers::same_user()).map_err(text)?;
        say(&format!("live {}", hex::encode(&context.wrap_integrity(b"live").map_err(text)?)));
        Ok(())
    })
}

/// The acceptor's end of a context whose ticket lies in the cache; the KDC is not asked.
pub(crate) fn acceptor_side(orthros: &Orthros) -> Result<Context, String> {
    let request = first_token(orthros)?;
    let credential = orthros.acceptor().map_err(text)?;
    answered(orthros, orthros.accept(&credential).start(), &request)
}

/// The first and only token of an initiator.
pub(crate) fn first_token(orthros: &Orthros) -> Result<Vec<u8>, String> {
    let initiate = orthros.initiate(Name::hostbased_service("host", "localhost")).map_err(text)?;
    match provided(orthros, initiate.start()) {
        Stage::Send(owed) => Ok(owed.token().to_vec()),
        other => Err(format!("{other:?}")),
    }
}

fn answered(orthros: &Orthros, stage: Stage, token: &[u8]) -> Result<Context, String> {
    let Stage::Receive(wait) = stage else { return Err(format!("{stage:?}")) };
    match provided(orthros, wait.token(token)) {
        Stage::Done(context) => Ok(context),
        Stage::Send(owed) => match owed.sent() {
            Stage::Failed(error) => Err(text(error)),
            other => Err(format!("{other:?}")),
        },
        Stage::Failed(error) => Err(text(error)),
        other => Err(format!("{other:?}")),
    }
}

fn provided(orthros: &Orthros, mut stage: Stage) -> Stage {
    while let Stage::Need(need) = stage {
        stage = orthros.provide(need);
    }
    stage
}
