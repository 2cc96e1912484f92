//! How a program's own tests use the embedded KDC: a realm in memory, a clock that the test sets, nothing of the
//! machine's Kerberos, and the same course in every run.
//!
//! Above is the program: one function that two processes run with each other. Below are its tests, as they would
//! stand in the program. Run them: `cargo test -p examples testing`.

use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use examples::{Outcome, OwnRealm, finish, frame};
use orthros::{InitiatorCredential, Name, Orthros};

/// Delivers a sealed message, and gives what the server makes of it.
///
/// Everything of the outside comes by the two [`Orthros`]: in production both are `Orthros::from_system()?`.
pub(crate) fn deliver(
    client: &Orthros,
    credential: &Arc<InitiatorCredential>,
    server: &Orthros,
    text: &str,
) -> Outcome<String> {
    let (mut here, mut there) = UnixStream::pair()?;
    let server = server.clone();
    let serving = thread::spawn(move || -> Outcome<String> {
        let context = server.establish(server.accept(&server.acceptor()?).start(), &mut there)?;
        let token = frame::receive(&mut there)?.ok_or("the client went away")?;
        let opened = context.unwrap(&token)?;
        Ok(format!("{}: {}", context.initiator(), String::from_utf8(opened.message)?))
    });
    let target = Name::hostbased_service("host", "localhost");
    let request = client.initiate_with(credential, target).mutual().confidential();
    let context = client.establish(request.start(), &mut here)?;
    frame::send(&mut here, &context.wrap(text.as_bytes())?)?;
    serving.join().map_err(|_| "the server panicked")?
}

/// Delivers one message by the system's clock.
pub(crate) fn main() -> ExitCode {
    finish("testing", run())
}

/// As `main`.
pub(crate) fn run() -> Outcome<()> {
    let realm = OwnRealm::start(&[("alice", "open sesame")])?;
    let orthros = realm.orthros()?;
    let alice = orthros.acquire("alice").password("open sesame").blocking()?;
    println!("{}", deliver(&orthros, &alice, &orthros, "hello")?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use orthros::{Config, Error, Major};
    use orthros_kdc::{Listener, Realm};
    use orthros_krb5::ErrorCode;
    use orthros_wire::testing::{ManualClock, SeededRandom};

    /// 2026-01-01T00:00:00Z. Any moment will do: nothing here asks the system's clock.
    const START: i64 = 1_767_225_600;
    const HOUR: i64 = 3_600;

    /// A realm whose tickets are good for ten hours, and whose clock is set by the test.
    struct World {
        clock: Arc<ManualClock>,
        kdc: Listener,
    }

    impl World {
        fn new() -> Outcome<Self> {
            let clock = Arc::new(ManualClock::new(START));
            let random = SeededRandom::new(1);
            let realm = Realm::builder("TEST").principal("alice", "open sesame").service("host/localhost");
            let realm = realm.max_lifetime(10 * HOUR).build(&random)?;
            let kdc = Listener::start_with(realm, clock.clone(), Arc::new(random))?;
            Ok(Self { clock, kdc })
        }

        /// A machine in this realm, with the service's keys, and with a clock of its own or the realm's.
        fn machine(&self, clock: &Arc<ManualClock>) -> Outcome<Orthros> {
            let config = Config::for_realm("TEST", &[&self.kdc.address().to_string()])?;
            let builder = Orthros::builder().config(config).random(SeededRandom::new(2));
            let machine = builder.clock(Arc::clone(clock)).build();
            machine.write_keytab(machine.default_keytab(), self.kdc.realm().keytab("host/localhost")?)?;
            Ok(machine)
        }
    }

    #[test]
    fn a_wrong_password_is_told_from_an_unknown_user() -> Outcome<()> {
        let world = World::new()?;
        let machine = world.machine(&world.clock)?;
        let refused = |user: &str, password: &str| machine.acquire(user).password(password).blocking().err();
        let code = |error: Option<Error>| error.and_then(|error| error.kerberos_code());
        assert_eq!(code(refused("alice", "open barley")), Some(ErrorCode::PREAUTH_FAILED));
        assert_eq!(code(refused("mallory", "open sesame")), Some(ErrorCode::C_PRINCIPAL_UNKNOWN));
        assert!(refused("alice", "open sesame").is_none());
        Ok(())
    }

    #[test]
    fn a_ticket_is_good_until_it_ends_and_no_longer() -> Outcome<()> {
        let world = World::new()?;
        let machine = world.machine(&world.clock)?;
        let alice = machine.acquire("alice").password("open sesame").blocking()?;
        world.clock.advance(10 * HOUR - 1);
        assert_eq!(deliver(&machine, &alice, &machine, "still here")?, "alice@TEST: still here");

        // No waiting for ten hours: the test sets the clock.
        world.clock.advance(1);
        let target = Name::hostbased_service("host", "localhost");
        let step = machine.initiate_with(&alice, target).start();
        let (mut nobody, _listens) = UnixStream::pair()?;
        let failure = machine.establish(step, &mut nobody).err().ok_or("the ticket outlived its time")?;
        let orthros::blocking::EstablishError::Context(error) = failure else { return Err(failure.into()) };
        assert_eq!(error.major(), Major::CredentialsExpired);
        assert_eq!(
            error.to_string(),
            "the ticket-granting ticket of alice@TEST ended at 2026-01-01T10:00:00Z: run kinit"
        );
        Ok(())
    }

    #[test]
    fn clocks_may_differ_by_five_minutes() -> Outcome<()> {
        let world = World::new()?;
        let client = world.machine(&world.clock)?;
        let alice = client.acquire("alice").password("open sesame").blocking()?;
        for (apart, accepted) in [(-300, true), (300, true), (-301, false), (301, false)] {
            let server = world.machine(&Arc::new(ManualClock::new(START + apart)))?;
            let outcome = deliver(&client, &alice, &server, "what time is it?");
            assert_eq!(outcome.is_ok(), accepted, "{apart} s apart: {outcome:?}");
        }
        Ok(())
    }
}
