//! Processes are ended at each of their system calls, by strace: what they leave is the old or the new, MIT's programs
//! read it too, the next process goes on, and of no context there are two.
//!
//! Each scenario runs its step once and reads its system calls between two marks. Then, for each of them, it runs the
//! step on a copy of the same folder and ends the process on entering that call; the end behind the last is among
//! them. What is not covered: an end in the middle of one write(2), of which Linux makes no promise.

mod other_end;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use interop::c_library::{self, Kind, Maker};
use interop::peers::Peer;
use interop::process::{self, Finished};
use interop::{Failure, Scenario};
use orthros::random::SystemRandom;
use orthros::{CacheName, Error, Orthros};
use orthros_kdc::{Listener, Realm};
use orthros_wire::hex;
use tempfile::TempDir;

use super::keyring::Ring;
use other_end::OtherEnd;
use steps::{Marks, Place, REALM, SERVICE, STEPS, Step, text};

const STEP: &str = "KILLED_STEP";
const FOLDER: &str = "KILLED_FOLDER";
const KDC: &str = "KILLED_KDC";
const RING: &str = "KILLED_RING";
/// What a program in C is built with.
const C: &[Peer] = &[Peer::CC, Peer::C_HEADERS];
/// What KILL makes of a process.
const KILLED: i32 = 9;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |step: &'static Step| {
        let name = format!("killed::something_is_torn_doubled_or_left_locked_when_{}", step.name);
        let needs = [&[Peer::STRACE, Peer::KLIST][..], if step.in_c().is_some() { C } else { &[] }].concat();
        let scenario = Scenario::new(name, &needs, move || everywhere(step));
        if step.is_by_keyring() { scenario.only_if(super::keyring::kernel_has_keys) } else { scenario }
    };
    STEPS.iter().map(scenario).collect()
}

/// In the process that is ended: its step. `None` in the one that runs the scenarios.
pub(crate) fn play() -> Option<ExitCode> {
    let variable = |name| std::env::var(name).ok();
    let (name, folder, kdc) = (variable(STEP)?, variable(FOLDER)?, variable(KDC)?);
    let step = STEPS.iter().find(|step| step.name == name)?;
    // A call that fails, and does nothing but to stand among the others.
    let marks = Marks(&|mark| drop(fs::metadata(mark)));
    let ring = variable(RING);
    let place = Place { folder: Path::new(&folder), kdc: &kdc, keyring: ring.as_deref() };
    Some(match (step.work)(&place, &marks, &mut |line| println!("{line}")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    })
}

/// What a step starts from, and what it makes of that where nobody ends it.
struct Bench {
    step: &'static Step,
    template: TempDir,
    kdc: Listener,
    address: String,
    /// The program in C that is ended, and where it is.
    program: Option<(PathBuf, TempDir)>,
    /// Caches and keytab as MIT's `klist` shows them, before and after.
    before: String,
    after: String,
    /// The files that are there in the end.
    files: BTreeSet<PathBuf>,
}

/// One system call of a process: the which-th of its name.
#[derive(Clone, Debug)]
struct Call {
    name: String,
    number: usize,
}

fn everywhere(step: &'static Step) -> Result<(), Failure> {
    let mut bench = Bench::new(step)?;
    let calls = bench.watched()?;
    // Less would mean that the marks are not where they should be.
    assert!(calls.len() >= 4, "{calls:?}");
    let mut survivors = Vec::new();
    for call in &calls {
        if !bench.ended_at(call).map_err(|why| why.while_doing(format!("ended at {call:?}")))? {
            survivors.push(call);
        }
    }
    // The kernel decides how often it is asked for memory; everything else comes in the same order each time.
    assert!(survivors.len() * 10 <= calls.len(), "not ended: {survivors:?} of {calls:?}");
    Ok(())
}

impl Bench {
    fn new(step: &'static Step) -> Result<Self, Failure> {
        let realm = Realm::builder(REALM).principal("alice", "a").principal("bob", "b").service(SERVICE);
        let kdc = Listener::start(realm.service("host/more").build(&SystemRandom).map_err(failure)?)?;
        let program = match step.in_c() {
            Some(_) => {
                let folder = tempfile::tempdir()?;
                Some((c_library::compile("moving", Maker::Own, Kind::Pie, folder.path())?, folder))
            }
            None => None,
        };
        let mut bench = Self {
            step,
            template: tempfile::tempdir()?,
            address: kdc.address().to_string(),
            kdc,
            program,
            before: String::new(),
            after: String::new(),
            files: BTreeSet::new(),
        };
        bench.prepare()?;
        bench.before = listing(bench.template.path())?;
        Ok(bench)
    }

    fn place<'a>(&'a self, folder: &'a Path) -> Place<'a> {
        // The kernel keeps names that begin with a dot for itself.
        let name = || folder.file_name()?.to_str().map(|name| name.trim_start_matches('.'));
        Place { folder, kdc: &self.address, keyring: name().filter(|_| self.step.is_by_keyring()) }
    }

    fn prepare(&self) -> Result<(), Failure> {
        let place = self.place(self.template.path());
        let _ring = place.keyring.map(|name| Ring(name.to_owned()));
        let orthros = place.orthros()?;
        let log_in = |name: &str, cache: &CacheName| {
            orthros.acquire(name).password(&name[..1]).blocking_into(cache).map(drop).map_err(failure)
        };
        let keytab = |name: &str| self.kdc.realm().keytab(name).map_err(failure);
        let add =
            |name: &str| orthros.add_to_keytab(orthros.default_keytab(), &keytab(name)?).map_err(failure);
        log_in("alice", &place.cache())?;
        match self.step.name {
            "a_cache_is_written" => {
                log_in("alice", &CacheName::File(place.folder.join("fresh")))?;
                log_in("bob", &place.cache())?;
            }
            "a_ticket_is_fetched" | "a_cache_is_destroyed" => {}
            "a_keytab_is_made" => fs::write(place.folder.join("more"), octets(&keytab("host/more")?))?,
            "a_key_is_added" => {
                add(SERVICE)?;
                fs::write(place.folder.join("more"), octets(&keytab("host/more")?))?;
            }
            "a_key_is_removed" => {
                add("host/more")?;
                add(SERVICE)?;
            }
            "a_first_request_is_accepted" | "another_request_is_accepted" => {
                add(SERVICE)?;
                if self.step.name == "another_request_is_accepted" {
                    steps::acceptor_side(&orthros)?;
                }
                fs::write(place.folder.join("request"), steps::first_token(&orthros)?)?;
            }
            _ => {
                add(SERVICE)?;
                let context = steps::acceptor_side(&orthros)?;
                if self.step.has_token() {
                    fs::write(place.folder.join("token"), exported(&orthros, context)?)?;
                }
            }
        }
        Ok(())
    }

    /// Runs the step on a copy to its end, and says what system calls there are between the marks, the second included.
    fn watched(&mut self) -> Result<Vec<Call>, Failure> {
        let folder = self.copy()?;
        let log = self.template.path().with_extension("log");
        let strace = ["-f", "-qq", "-e", "signal=none", "-o"];
        let _ring = self.place(folder.path()).keyring.map(|name| Ring(name.to_owned()));
        let other = OtherEnd::of(&self.place(folder.path()), self.step)?;
        self.play(folder.path(), |command| command.args(strace).arg(&log))?.success()?;
        other.map(OtherEnd::outcome).transpose()?;
        let calls = between_marks(&fs::read_to_string(&log)?);
        fs::remove_file(log)?;
        self.after = listing(folder.path())?;
        self.files = files(folder.path())?;
        Ok(calls)
    }

    fn copy(&self) -> Result<TempDir, Failure> {
        let folder = tempfile::tempdir()?;
        copy(self.template.path(), folder.path())?;
        Ok(folder)
    }

    fn play(
        &self,
        folder: &Path,
        options: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Result<Finished, Failure> {
        let mut command = Command::new(Peer::STRACE.find()?);
        options(&mut command).arg("--").env_clear();
        match (&self.program, self.step.in_c()) {
            (Some((program, _)), Some(word)) => {
                let file = |kind: &str, name: &str| format!("{kind}{}", folder.join(name).display());
                command.arg(program).arg(word).envs(Maker::Own.environment()?).current_dir(folder);
                command.env("KRB5_CONFIG", configuration(program)).env("ORTHROS_TRANSFER", folder);
                command.env("KRB5CCNAME", file("FILE:", "cache")).env("KRB5_KTNAME", file("FILE:", "keytab"));
                command.env("KRB5RCACHENAME", file("file2:", "replay"));
                fs::write(configuration(program), self.configured())?;
            }
            _ => {
                let place = self.place(folder);
                command.arg(std::env::current_exe()?);
                command.env(STEP, self.step.name).env(FOLDER, folder).env(KDC, &self.address);
                command.envs(place.keyring.map(|name| (RING, name)));
            }
        }
        process::run(command, b"")
    }

    /// The configuration of a program in C.
    fn configured(&self) -> String {
        format!(
            "[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n dns_canonicalize_hostname = false\n\
             [realms]\n {REALM} = {{\n kdc = {}\n }}\n",
            self.address
        )
    }

    /// Ends the step at `call` and looks at what it left; `false` if it came to its end.
    fn ended_at(&self, call: &Call) -> Result<bool, Failure> {
        let folder = self.copy()?;
        let trace = format!("trace={}", call.name);
        let inject = format!("inject={}:signal=KILL:when={}", call.name, call.number);
        let quiet = ["-f", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e", &trace, "-e", &inject];
        let _ring = self.place(folder.path()).keyring.map(|name| Ring(name.to_owned()));
        let other = OtherEnd::of(&self.place(folder.path()), self.step)?;
        let played = self.play(folder.path(), |command| command.args(quiet))?;
        if let Some(outcome) = other.map(OtherEnd::outcome).transpose()? {
            outcome.check(&played.stdout).map_err(|why| why.while_doing(&played.stdout))?;
        }
        let ended = match (played.status.signal(), played.status.success()) {
            (Some(KILLED), _) => true,
            (None, true) => false,
            _ => return Err(played.complaint("was neither ended nor did it end well")),
        };
        self.look_at(folder.path(), &played).map_err(|why| why.while_doing(&played.stdout))?;
        Ok(ended)
    }

    fn look_at(&self, folder: &Path, played: &Finished) -> Result<(), Failure> {
        let left = files(folder)?;
        let strange: Vec<_> = left.difference(&self.files).collect();
        let known = files(self.template.path())?;
        let drafts = strange.iter().filter(|name| !known.contains(**name)).count();
        assert!(drafts <= 1, "one file at most is left behind: {strange:?}");
        let now = listing(folder)?;
        let done = played.stdout.lines().any(|line| line == "done");
        let wiped = self.step.name == "a_cache_is_destroyed" && is_wiped(&folder.join("cache"))?;
        let on_the_way = now == self.before || wiped || self.is_between(&now);
        assert!(now == self.after || (!done && on_the_way), "neither old nor new: {now}");

        let place = self.place(folder);
        match self.step.name {
            "a_first_request_is_accepted" | "another_request_is_accepted" => {
                accepted_once(self.step, &place, played)?
            }
            "a_context_is_imported_by_the_keyring" => moved_once(&place, played)?,
            _ if self.step.has_token() => moved_once(&place, played)?,
            _ if self.step.is_handover() => {
                // Another context goes the same way.
                let other = OtherEnd::of(&place, self.step)?;
                let mut said = String::new();
                (self.step.work)(&place, &Marks(&|_| ()), &mut |line| said.push_str(line))?;
                if let Some(outcome) = other.map(OtherEnd::outcome).transpose()? {
                    assert!(outcome.is_through(), "{said}: {outcome:?}");
                    outcome.check(&said)?;
                }
            }
            _ => {
                if let Some(token) = played.stdout.lines().find_map(hex::decode) {
                    imported_once(&place.orthros()?, &token)?;
                }
                // The next process does the same, and puts away what the other has left.
                (self.step.work)(&place, &Marks(&|_| ()), &mut |_| ())?;
                assert_eq!(listing(folder)?, self.after);
            }
        }
        assert_eq!(files(folder)?, self.files, "files are left behind");
        Ok(())
    }
}

impl Bench {
    /// Whether it is what was there before and some, but not all, of the keys that are added or removed: a keytab is
    /// changed key by key.
    fn is_between(&self, now: &str) -> bool {
        let several = self.step.name.contains("key");
        let words = |listing: &str| -> BTreeMap<String, usize> {
            let words = listing.split_whitespace().map(str::to_owned);
            words.fold(BTreeMap::new(), |mut counts, word| {
                *counts.entry(word).or_default() += 1;
                counts
            })
        };
        let (before, now, after) = (words(&self.before), words(now), words(&self.after));
        let count = |listing: &BTreeMap<String, usize>, word| listing.get(word).copied().unwrap_or(0);
        let known = before.keys().chain(after.keys()).chain(now.keys());
        several && { known }.all(|word| {
            let (before, after) = (count(&before, word), count(&after, word));
            (before.min(after)..=before.max(after)).contains(&count(&now, word))
        })
    }
}

/// Whoever said that he accepted the request is the only one; and whoever comes second is refused in any case.
fn accepted_once(step: &Step, place: &Place<'_>, played: &Finished) -> Result<(), Failure> {
    let again = || (step.work)(place, &Marks(&|_| ()), &mut |_| ());
    let said = played.stdout.contains("accepted");
    for refused in [said, true] {
        match again() {
            Ok(()) if refused => return Err(Failure::new("a request was accepted twice")),
            Err(why) if !why.contains("replay") => return Err(why.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Of the context in the file `token` there was one that lived, at most, and there is one now, at most.
fn moved_once(place: &Place<'_>, played: &Finished) -> Result<(), Failure> {
    let orthros = place.orthros()?;
    let first = orthros.import(&fs::read(place.folder.join("token"))?);
    if played.stdout.contains("live") && first.is_ok() {
        return Err(Failure::new("the context lives twice"));
    }
    if let Some(next) = played.stdout.lines().find_map(hex::decode) {
        imported_once(&orthros, &next)?;
    }
    // Neither lock nor key is lost: another context goes the same way.
    let context = steps::acceptor_side(&orthros)?;
    imported_once(&orthros, &exported(&orthros, context)?)
}

fn imported_once(orthros: &Orthros, token: &[u8]) -> Result<(), Failure> {
    orthros.import(token).map_err(failure)?;
    match orthros.import(token) {
        Err(Error::Transfer(_)) => Ok(()),
        other => Err(Failure::new(format!("the second import: {other:?}"))),
    }
}

fn exported(orthros: &Orthros, context: orthros::Context) -> Result<Vec<u8>, Failure> {
    orthros.export(context).map_err(|kept| failure(kept.error))
}

fn failure(error: impl ToString) -> Failure {
    Failure::new(text(error))
}

fn octets(keytab: &orthros::Keytab) -> Vec<u8> {
    keytab.to_octets().expose_octets().to_vec()
}

/// Beside the program, for it is no file that the step writes.
fn configuration(program: &Path) -> PathBuf {
    program.with_extension("conf")
}

fn is_wiped(path: &Path) -> Result<bool, Failure> {
    Ok(path.exists() && fs::read(path)?.iter().all(|octet| *octet == 0))
}

/// What MIT's `klist` shows of cache and keytab, but for the times; and ours shows no less.
fn listing(folder: &Path) -> Result<String, Failure> {
    let mut listing = String::new();
    for (option, name) in [("-c", "cache"), ("-k", "keytab")] {
        let path = folder.join(name);
        if !path.exists() {
            continue;
        }
        let mut klist = Command::new(Peer::KLIST.find()?);
        klist.env_clear().args([option, &path.display().to_string()]);
        let shown = process::run(klist, b"")?;
        let words = shown.stdout.split_whitespace().filter(|word| word.contains('@'));
        listing.push_str(&format!("{name}, {}: {}\n", shown.status, words.collect::<Vec<_>>().join(" ")));
    }
    Ok(listing)
}

/// All files below a folder, by their paths within.
fn files(folder: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let (path, name) = {
            let entry = entry?;
            (entry.path(), PathBuf::from(entry.file_name()))
        };
        if path.is_dir() {
            names.extend(files(&path)?.into_iter().map(|below| name.join(below)));
        } else {
            names.insert(name);
        }
    }
    Ok(names)
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    for entry in fs::read_dir(from)? {
        let (source, target) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        if source.is_dir() {
            fs::create_dir(&target)?;
            fs::set_permissions(&target, fs::metadata(&source)?.permissions())?;
            copy(&source, &target)?;
        } else {
            fs::copy(source, target)?;
        }
    }
    Ok(())
}

/// The calls of strace's `log` from behind the first mark to the second, each with its number among those of its name.
fn between_marks(log: &str) -> Vec<Call> {
    let mut counts = BTreeMap::new();
    let mut calls = Vec::new();
    let mut within = false;
    for line in log.lines() {
        let line = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        let Some((name, _)) = line.split_once('(').filter(|(name, _)| is_name(name)) else { continue };
        let number = counts.entry(name).or_insert(0);
        *number += 1;
        if within {
            calls.push(Call { name: name.to_owned(), number: *number });
        }
        if line.contains(Marks::END) {
            break;
        }
        within |= line.contains(Marks::BEGIN);
    }
    calls
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
