//! Where no folder can hold them, key and ledger of transfer tokens are in the kernel: processes race for a token, the
//! keyring is lost, the user has as many keys as allowed, and the kernel gives none.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};

use interop::peers::Peer;
use interop::{Failure, Scenario, process};
use orthros::clock::SystemClock;
use orthros::ledger::Ledger;
use orthros::random::SystemRandom;
use orthros::seal_key::{Places, UserKey};
use orthros::sys::keyring::{Kind, Persistent};
use orthros::transfer::TransferRefusal;
use orthros::{Config, Context, Error, Name, Orthros};
use orthros_kdc::{Listener, Realm};
use orthros_wire::{Clock, hex};

const ROLE: &str = "KEYRING_ROLE";
const NAME: &str = "KEYRING_NAME";
const TOKEN: &str = "KEYRING_TOKEN";
/// Nobody's, so that its persistent keyring is empty.
const STRANGER: u32 = 65_531;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("keyring::a_token_is_imported_twice_by_processes_that_race", &[], race)
            .only_if(kernel_has_keys),
        Scenario::new("keyring::a_token_is_good_again_after_the_keyring_was_lost", &[], lost)
            .only_if(kernel_has_keys),
        Scenario::new("keyring::moves_use_up_the_keys_that_a_user_may_have", &[], crowded)
            .only_if(kernel_has_keys),
        Scenario::new("keyring::a_context_is_lost_where_the_kernel_gives_no_keys", &[Peer::STRACE], refused)
            .only_if(kernel_has_keys),
    ]
}

/// Whether there are persistent keyrings here at all.
pub(crate) fn kernel_has_keys() -> Result<(), String> {
    let user = rustix::process::geteuid().as_raw();
    let had = Persistent::of(user).map(drop);
    had.map_err(|error| format!("the kernel gives no persistent keyring here: {error}"))
}

/// A keyring of a test's own, until this is dropped.
pub(crate) struct Ring(pub(crate) String);

impl Ring {
    fn new(what: &str) -> Self {
        Self(format!("orthros-test-{what}-{}", std::process::id()))
    }

    fn places(&self) -> Places {
        Places::new().keyring(rustix::process::geteuid().as_raw(), &self.0)
    }

    fn unlink(&self) {
        let Ok(persistent) = Persistent::of(rustix::process::geteuid().as_raw()) else { return };
        if let Ok(Some(ring)) = persistent.find(persistent.serial(), Kind::Keyring, &self.0) {
            let _ = persistent.unlink(ring, persistent.serial());
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        self.unlink();
    }
}

/// In a process of its own: its role. `None` in the one that runs the scenarios.
pub(crate) fn play() -> Option<ExitCode> {
    let variable = |name| std::env::var(name).ok();
    let (role, ring) = (variable(ROLE)?, Ring(variable(NAME)?));
    let played = match role.as_str() {
        "import" => {
            let told = import(&ring, &variable(TOKEN)?);
            // The keyring is the scenario's.
            std::mem::forget(ring);
            told
        }
        "crowd" => crowd(&ring),
        "refused" => kept(&ring, &variable(TOKEN)?),
        _ => return None,
    };
    Some(match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    })
}

fn role(role: &str, ring: &Ring, token: &str) -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env_clear().env(ROLE, role).env(NAME, &ring.0).env(TOKEN, token);
    Ok(command)
}

fn failure(error: impl ToString) -> Failure {
    Failure::new(error.to_string())
}

/// A realm with one client and one service, and what is configured for it.
fn realm() -> Result<(Listener, Config), Failure> {
    let realm = Realm::builder("KEYRING.TEST").principal("alice", "a").service("host/localhost");
    let kdc = Listener::start(realm.build(&SystemRandom).map_err(failure)?)?;
    let config = Config::for_realm("KEYRING.TEST", &[&kdc.address().to_string()]).map_err(failure)?;
    Ok((kdc, config))
}

fn exported(orthros: &Orthros, context: Context) -> Result<Vec<u8>, Failure> {
    orthros.export(context).map_err(|kept| failure(kept.error))
}

/// Both ends of a context: the initiator's, and the acceptor's, which moves.
fn ends(orthros: &Orthros, kdc: &Listener) -> Result<(Context, Context), Failure> {
    let keytab = kdc.realm().keytab("host/localhost").map_err(failure)?;
    orthros.write_keytab(orthros.default_keytab(), keytab).map_err(failure)?;
    let alice = orthros.acquire("alice").password("a").blocking().map_err(failure)?;
    let (mut near, mut far) = UnixStream::pair()?;
    let server = orthros.clone();
    let accepting = std::thread::spawn(move || {
        let request = server.accept(&server.acceptor().map_err(failure)?);
        server.establish(request.start(), &mut far).map_err(failure)
    });
    let request = orthros.initiate_with(&alice, Name::hostbased_service("host", "localhost"));
    let near = orthros.establish(request.mutual().confidential().start(), &mut near).map_err(failure)?;
    let far = accepting.join().map_err(|_| failure("the acceptor panicked"))??;
    Ok((near, far))
}

fn import(ring: &Ring, token: &str) -> Result<(), Failure> {
    let orthros = Orthros::builder().transfer_places(ring.places()).build();
    let token = hex::decode(token).ok_or_else(|| failure("no token"))?;
    let mut line = String::new();
    // So that all begin at once.
    std::io::stdin().read_line(&mut line)?;
    match orthros.import(&token) {
        Ok(context) => println!("live {}", hex::encode(&context.wrap(b"live").map_err(failure)?)),
        Err(error) => println!("{error}"),
    }
    Ok(())
}

fn race() -> Result<(), Failure> {
    let ring = Ring::new("race");
    let (kdc, config) = realm()?;
    let orthros = Orthros::builder().config(config).transfer_places(ring.places()).build();
    for _ in 0..5 {
        let (near, far) = ends(&orthros, &kdc)?;
        let token = hex::encode(&exported(&orthros, far)?);
        let start = || -> Result<Child, Failure> {
            let mut command = role("import", &ring, &token)?;
            Ok(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?)
        };
        let mut racers = (0..6).map(|_| start()).collect::<Result<Vec<_>, _>>()?;
        for racer in &mut racers {
            racer.stdin.take().ok_or_else(|| failure("no pipe"))?.write_all(b"go\n")?;
        }
        let mut winners = Vec::new();
        for racer in racers {
            let pid = racer.id();
            let ended = racer.wait_with_output()?;
            let said = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
            match said.strip_prefix("live ").and_then(hex::decode) {
                Some(message) => {
                    assert_eq!(near.unwrap(&message).map_err(failure)?.message, b"live");
                    winners.push(pid);
                }
                // Whoever is second before the first has told can't be told who that was.
                None => assert!(said.contains("was spent"), "{said}"),
            }
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        let late = orthros.import(&hex::decode(&token).ok_or_else(|| failure("no token"))?);
        let Err(Error::Transfer(TransferRefusal::SpentBefore(spent))) = late else {
            return Err(failure(format!("the late import: {late:?}")));
        };
        assert_eq!(vec![spent.pid], winners);
    }
    Ok(())
}

fn lost() -> Result<(), Failure> {
    let ring = Ring::new("lost");
    let (kdc, config) = realm()?;
    let build = || Orthros::builder().config(config.clone()).transfer_places(ring.places()).build();
    let (first, second) = (build(), build());
    let (_near, far) = ends(&first, &kdc)?;
    let token = exported(&first, far)?;
    assert!(matches!(first.transfer_folder(), Ok(None)), "it lies in no folder");
    ring.unlink();
    for orthros in [&first, &second] {
        let refused = orthros.import(&token);
        assert!(refused.is_err(), "the keyring is gone, and the token was taken: {refused:?}");
    }
    // What comes next has the new keyring's key.
    let (near, far) = ends(&first, &kdc)?;
    let moved = second.import(&exported(&first, far)?).map_err(failure)?;
    let _ = near.unwrap(&moved.wrap(b"on").map_err(failure)?).map_err(failure)?;
    assert!(second.import(&token).is_err(), "a token of the lost keyring");
    Ok(())
}

/// As a user who may have 200 keys: root may have a million.
fn crowded() -> Result<(), Failure> {
    let ring = Ring::new("crowd");
    let mut command = role("crowd", &ring, "")?;
    if rustix::process::geteuid().is_root() {
        command.uid(STRANGER).gid(STRANGER);
    }
    process::run(command, b"")?.success()?.says("all held").map(drop)
}

fn crowd(ring: &Ring) -> Result<(), Failure> {
    let (kdc, config) = realm()?;
    let orthros = Orthros::builder().config(config).transfer_places(ring.places()).build();
    let (near, mut far) = ends(&orthros, &kdc)?;
    // What was spent does not count in the end.
    for _ in 0..300 {
        far = orthros.import(&exported(&orthros, far)?).map_err(failure)?;
    }
    let now = SystemClock.now();
    let until = now.plus_seconds(600);
    let ledger = UserKey::open(&ring.places()).map_err(failure)?.ledger();
    let id = |number: u16| [number.to_be_bytes(); 8].concat().try_into().unwrap_or([0; 16]);
    let refusal = (0..1_000).find_map(|number| Some((number, ledger.issue(&id(number), until, now).err()?)));
    let (waiting, refusal) = refusal.ok_or_else(|| failure("a thousand keys were taken"))?;
    assert!(waiting > 100, "{waiting} tokens may wait");
    assert!(refusal.to_string().contains("/proc/sys/kernel/keys/maxkeys"), "{refusal}");

    let kept = match orthros.export(far) {
        Ok(_) => return Err(failure("there was room for one more")),
        Err(kept) => kept,
    };
    assert!(kept.error.to_string().contains("/proc/sys/kernel/keys/maxkeys"), "{}", kept.error);
    let _ = near.unwrap(&kept.context.wrap(b"still here").map_err(failure)?).map_err(failure)?;
    // Each import makes room.
    for number in 0..4 {
        ledger.spend(&id(number), until, now).map_err(failure)?;
    }
    let moved = orthros.import(&exported(&orthros, kept.context)?).map_err(failure)?;
    let _ = near.unwrap(&moved.wrap(b"gone on").map_err(failure)?).map_err(failure)?;
    for number in 0..4 {
        assert!(ledger.spend(&id(number), until, now).is_err(), "{number} is spent twice");
    }
    println!("all held");
    Ok(())
}

/// As where a sandbox forbids keyctl(2), a kernel has none, or the user has too many keys.
fn refused() -> Result<(), Failure> {
    for (call, error, word) in [
        ("keyctl", "EPERM", "a sandbox or container allows none"),
        ("keyctl", "ENOSYS", "the kernel has no keys"),
        ("add_key", "EDQUOT", "/proc/sys/kernel/keys/maxkeys"),
    ] {
        let ring = Ring::new("refused");
        let mut command = Command::new(Peer::STRACE.find()?);
        let inject = format!("inject={call}:error={error}");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject, "--"]);
        command.arg(std::env::current_exe()?);
        command.env_clear().env(ROLE, "refused").env(NAME, &ring.0).env(TOKEN, word);
        process::run(command, b"")?.success()?.says("all held")?;
    }
    Ok(())
}

/// The error names each place, and the context goes on.
fn kept(ring: &Ring, word: &str) -> Result<(), Failure> {
    let (kdc, config) = realm()?;
    let user = rustix::process::geteuid().as_raw();
    let places = Places::new().within("/nowhere").keyring(user, &ring.0);
    let orthros = Orthros::builder().config(config).transfer_places(places).build();
    let (near, far) = ends(&orthros, &kdc)?;
    let kept = match orthros.export(far) {
        Ok(_) => return Err(failure("it was exported")),
        Err(kept) => kept,
    };
    let said = kept.error.to_string();
    for word in ["/nowhere/orthros", &format!("in the persistent keyring of uid {user}"), word] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let _ = near.unwrap(&kept.context.wrap(b"still here").map_err(failure)?).map_err(failure)?;
    println!("all held");
    Ok(())
}
