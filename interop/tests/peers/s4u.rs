//! Services that act for users: our client at MIT's KDC, MIT's client at ours, and credentials that one stores and the
//! other uses.
//!
//! Heimdal's KDC (7.8) does not prove for which user it makes a ticket, so its S4U2Self is refused; and its S4U2Proxy
//! takes no other evidence, from MIT's client neither.

use std::fs;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;

use interop::c_library::Maker;
use interop::gss::{self, ClientOptions, Server, ServerOptions};
use interop::peers::Peer;
use interop::process;
use interop::{Failure, Realm, Scenario, Side};
use orthros::{Config, Context, InitiatorCredential, Keytab, Name, Orthros, Principal};
use orthros_krb5::exchange::ReplyFault;

const WEB: &str = "HTTP/web";
const DB: &str = "db/localhost";
const OTHER: &str = "host/localhost";

pub(crate) fn scenarios() -> Vec<Scenario> {
    let with_directory = [Peer::MIT, Peer::MIT_LDAP].concat();
    let with_python = [&with_directory[..], &[Peer::PYTHON, Peer::PYTHON_GSSAPI]].concat();
    let mut list = Vec::new();
    for client in Side::ALL {
        for kdc in Side::ALL {
            list.push(Scenario::new(
                format!("s4u::{client}_names_a_user_and_is_the_user_to_another_kdc_{kdc}"),
                &with_directory,
                move || by_kvno(client, kdc),
            ));
        }
    }
    for kdc in Side::ALL {
        list.push(Scenario::new(
            format!("s4u::an_acceptor_is_its_client_to_another_kdc_{kdc}"),
            &with_directory,
            move || by_acceptor(kdc),
        ));
    }
    list.push(Scenario::new(
        "s4u::a_credential_that_we_stored_is_used_by_mit",
        &with_directory,
        stored_by_us,
    ));
    list.push(Scenario::new("s4u::a_credential_that_mit_stored_is_used_by_us", &with_python, stored_by_mit));
    for library in Maker::ALL {
        let name = format!("s4u::a_service_in_python_on_{library:?}").to_lowercase();
        let needs = [&with_python[..], &[Peer::CC]].concat();
        list.push(Scenario::new(name, &needs, move || in_python(library)));
    }
    list.push(Scenario::new("s4u::the_error_names_the_missing_flag_kdc_mit", &with_directory, missing_flags));
    list.push(Scenario::new("s4u::heimdals_kdc_proves_no_user", Peer::HEIMDAL, unproved));
    list
}

fn said(why: impl std::fmt::Display) -> Failure {
    Failure::new(why.to_string())
}

fn check(holds: bool, what: &str, about: &impl std::fmt::Debug) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::new(format!("{what}: {about:?}"))) }
}

fn start(kdc: Side) -> Result<Realm, Failure> {
    Realm::build("S4U.TEST")
        .principal("alice", "wonderland")
        .service(WEB)
        .service(DB)
        .service(OTHER)
        .impersonates(WEB)
        .delegates_to(WEB, &[DB])
        .start(kdc)
}

/// The service gets its own ticket.
fn log_in(realm: &Realm, side: Side) -> Result<(), Failure> {
    let keytab = realm.keytab.display().to_string();
    let words = ["-f", "-k", "-t", &keytab, WEB];
    match side {
        Side::Own => realm.orthros(&[&["kinit"], &words[..]].concat(), ""),
        _ => realm.peer(Peer::KINIT, &words, ""),
    }?
    .success()
    .map(drop)
}

/// `kvno` by the default cache, which is the service's.
fn kvno(realm: &Realm, side: Side, words: &[&str]) -> Result<interop::process::Finished, Failure> {
    let keytab = realm.keytab.display().to_string();
    match side {
        Side::Own => realm.orthros(&[&["kvno"], words].concat(), ""),
        // It wants to open the evidence.
        _ => realm.peer(Peer::KVNO, &[&["-k", &keytab], words].concat(), ""),
    }
}

/// A context with the service `db` by the credentials of this cache, of which MIT's acceptor says whose it is.
fn speak(realm: &Realm, client: Side, cache: &str) -> Result<(), Failure> {
    fs::copy(cache, &realm.ccache)?;
    let service = Some("db@localhost");
    let mut server = Server::start(Side::Mit, realm, ServerOptions { service, ..ServerOptions::default() })?;
    let options = ClientOptions { service, ..ClientOptions::default() };
    gss::client(client, realm, server.port, options, "for alice")?.success()?;
    server.says("alice@S4U.TEST")?;
    server.says("for alice")
}

fn path(realm: &Realm, name: &str) -> String {
    realm.folder().join(name).display().to_string()
}

fn by_kvno(client: Side, kdc: Side) -> Result<(), Failure> {
    let realm = start(kdc)?;
    log_in(&realm, client)?;
    kvno(&realm, client, &["-U", "alice", WEB])?.success()?;
    kvno(&realm, client, &["-I", "alice", WEB])?.success()?.says("HTTP/web@S4U.TEST: kvno")?;
    kvno(&realm, client, &["-I", "alice", "-P", DB])?.success()?.says("db/localhost@S4U.TEST: kvno")?;
    let told = kvno(&realm, client, &["-I", "alice", "-P", OTHER])?.refusal()?;
    if client == Side::Own {
        check(told.stderr.contains("krbAllowedToDelegateTo"), "the refusal does not say why", &told)?;
    }
    kvno(&realm, client, &["-I", "nobody", WEB])?.refusal().map(drop)
}

fn stored_by_us() -> Result<(), Failure> {
    let realm = start(Side::Mit)?;
    log_in(&realm, Side::Mit)?;
    let cache = path(&realm, "alice");
    kvno(&realm, Side::Own, &["-I", "alice", WEB, "--out-cache", &cache])?.success()?;
    let listing = realm.peer(Peer::KLIST, &["-C", "-c", &cache], "")?.success()?;
    listing.says("proxy_impersonator = HTTP/web@S4U.TEST")?;
    speak(&realm, Side::Mit, &cache)
}

fn stored_by_mit() -> Result<(), Failure> {
    let realm = start(Side::Mit)?;
    log_in(&realm, Side::Mit)?;
    let cache = path(&realm, "alice");
    let script = format!(
        "import gssapi\n\
         own = gssapi.Credentials(usage='initiate')\n\
         alice = own.impersonate(gssapi.Name('alice', gssapi.NameType.user))\n\
         alice.store(store={{'ccache': 'FILE:{cache}'}}, usage='initiate', overwrite=True)\n"
    );
    realm.peer(Peer::PYTHON, &["-c", &script], "")?.success()?;
    speak(&realm, Side::Own, &cache)
}

/// `python/acting.py` on this library.
fn in_python(library: Maker) -> Result<(), Failure> {
    let realm = start(Side::Mit)?;
    realm.kinit(Side::Mit, "alice", &["-f"])?;
    let alice = path(&realm, "alice");
    fs::rename(&realm.ccache, &alice)?;
    log_in(&realm, Side::Mit)?;
    let mut command = realm.command(&Peer::PYTHON.find()?);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/acting.py")).arg(&alice);
    command.envs(library.environment()?);
    let told = process::run(command, b"")?.success()?;
    let names: Vec<&str> = told.stdout.lines().collect();
    check(names == ["alice@S4U.TEST"; 3], "somebody else spoke", &told)
}

fn own(realm: &Realm) -> Result<Orthros, Failure> {
    let config = Config::parse(&fs::read_to_string(&realm.config)?).map_err(said)?;
    Ok(Orthros::builder().config(config).build())
}

fn web(realm: &Realm, orthros: &Orthros) -> Result<(Arc<InitiatorCredential>, Keytab), Failure> {
    let keytab = Keytab::parse(&fs::read(&realm.keytab)?).map_err(said)?;
    let web = orthros.acquire(WEB).keytab(&keytab).forwardable(true).blocking().map_err(said)?;
    Ok((web, keytab))
}

fn db() -> Result<Principal, Failure> {
    format!("{DB}@S4U.TEST").parse().map_err(said)
}

fn missing_flags() -> Result<(), Failure> {
    let realm = Realm::build("S4U.TEST")
        .principal("alice", "wonderland")
        .service(WEB)
        .service(DB)
        .service(OTHER)
        .delegates_to(WEB, &[DB])
        .start(Side::Mit)?;
    let orthros = own(&realm)?;
    let (web, _) = web(&realm, &orthros)?;
    // MIT's KDC lets every service name users, for itself.
    let alice = orthros.impersonate(&web, &Name::user("alice")).map_err(said)?;
    let told =
        orthros.service_ticket(&alice, &db()?).err().map(|error| error.to_string()).unwrap_or_default();
    check(told.contains("ok_to_auth_as_delegate"), "the refusal does not name the flag", &told)
}

fn unproved() -> Result<(), Failure> {
    let realm = start(Side::Heimdal)?;
    let orthros = own(&realm)?;
    let (web, _) = web(&realm, &orthros)?;
    let error = orthros.impersonate(&web, &Name::user("alice")).err().map(|error| error.to_string());
    let told = error.unwrap_or_default();
    check(told.contains(&ReplyFault::Unproved.to_string()), "it was believed", &told)
}

/// Both ends of a context between alice and the service, and what the service was delegated.
fn by_acceptor(kdc: Side) -> Result<(), Failure> {
    let realm = start(kdc)?;
    let orthros = own(&realm)?;
    let (web, keytab) = web(&realm, &orthros)?;
    let alice = orthros.acquire("alice").password("wonderland").forwardable(true).blocking().map_err(said)?;
    let acceptor = orthros::AcceptorCredential::any(Arc::new(keytab)).delegating(web);
    let (mut here, mut there) = UnixStream::pair()?;
    let accepting = orthros.clone();
    let accepted = thread::spawn(move || -> Result<Context, String> {
        let step = accepting.accept(&acceptor).start();
        accepting.establish(step, &mut there).map_err(|error| error.to_string())
    });
    let target = Name::Principal(format!("{WEB}@S4U.TEST").parse().map_err(said)?);
    let step = orthros.initiate_with(&alice, target).mutual().start();
    orthros.establish(step, &mut here).map_err(said)?;
    let context =
        accepted.join().map_err(|_| Failure::new("the acceptor's thread ended badly"))?.map_err(said)?;
    let delegated = context.delegated_credential().ok_or_else(|| Failure::new("nothing was delegated"))?;
    let ticket = orthros.service_ticket(delegated, &db()?).map_err(said)?;
    check(ticket.client.to_string() == "alice@S4U.TEST", "it is somebody else's", &ticket.client)?;
    let refused = orthros.service_ticket(delegated, &format!("{OTHER}@S4U.TEST").parse().map_err(said)?);
    let told = refused.err().map(|error| error.to_string()).unwrap_or_default();
    check(told.contains("must be among those"), "the refusal does not say why", &told)
}
