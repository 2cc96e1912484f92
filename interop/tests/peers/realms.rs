//! From realm to realm: two and three realms of MIT's, and one of ours beside one of MIT's.

use interop::gss::{self, ClientOptions, Server, ServerOptions};
use interop::peers::Peer;
use interop::{Failure, Realm, Scenario, Side};
use orthros_kdc::{Listener, SystemRandom};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    type Body = fn(Side, Side) -> Result<(), Failure>;
    let table: [(&str, Body); 4] = [
        ("two_realms_trust_each_other", two_realms),
        ("a_third_realm_by_capaths", third_by_capaths),
        ("a_third_realm_by_referrals", third_by_referrals),
        ("a_realm_by_the_kdcs_referral_alone", by_referral),
    ];
    for (name, body) in table {
        for (initiator, acceptor) in [(Side::Own, Side::Mit), (Side::Mit, Side::Own), (Side::Own, Side::Own)]
        {
            list.push(Scenario::new(
                format!("realms::{name}_initiator_{initiator}_acceptor_{acceptor}"),
                Peer::MIT,
                move || body(initiator, acceptor),
            ));
        }
    }
    for client in Side::ALL {
        list.push(Scenario::new(
            format!("realms::our_kdc_and_mits_trust_each_other_client_{client}"),
            Peer::MIT,
            move || beside_ours(client),
        ));
        list.push(Scenario::new(
            format!("realms::our_kdc_refers_to_mits_client_{client}"),
            Peer::MIT,
            move || our_referral(client),
        ));
    }
    list.push(Scenario::new("realms::a_way_that_nobody_knows_is_told", Peer::MIT, no_way));
    list
}

fn alice(name: &str) -> interop::realm::RealmBuilder {
    Realm::build(name).principal("alice", "wonderland")
}

/// A context between alice of `home` and the service on localhost in `far`, twice: the second time from the cache.
fn context(home: &Realm, far: &Realm, initiator: Side, acceptor: Side) -> Result<(), Failure> {
    home.kinit(initiator, "alice", &[])?;
    let mut server = Server::start(acceptor, far, SERVER)?;
    for _ in 0..2 {
        gss::client(initiator, home, server.port, client(), "a message from afar")?.success()?;
    }
    server.says("alice@")?;
    server.says("a message from afar")
}

/// The other side reads from the cache which tickets there are.
fn cached(home: &Realm, initiator: Side, wanted: &[&str]) -> Result<(), Failure> {
    let reader = if initiator == Side::Mit { Side::Own } else { Side::Mit };
    let listing = home.klist(reader)?;
    match wanted.iter().find(|ticket| !listing.contains(**ticket)) {
        None => Ok(()),
        Some(ticket) => Err(Failure::new(format!("{ticket} is not in the cache: {listing}"))),
    }
}

fn two_realms(initiator: Side, acceptor: Side) -> Result<(), Failure> {
    let home = alice("A.ONE").trust("B.TWO", "shared").service("host/svc.far.test").start(Side::Mit)?;
    let far = Realm::build("B.TWO")
        .principal("bob", "builder")
        .trust("A.ONE", "shared")
        .service("host/svc.far.test")
        .start(Side::Mit)?;
    home.configure_clients(&[("B.TWO", far.port)], Some((HOST, "B.TWO")), "")?;
    context(&home, &far, initiator, acceptor)?;
    cached(&home, initiator, &["krbtgt/B.TWO@A.ONE", "host/svc.far.test@B.TWO"])?;
    // And back.
    far.configure_clients(&[("A.ONE", home.port)], Some((HOST, "A.ONE")), "")?;
    far.kinit(initiator, "bob", &[])?;
    home.configure_clients(&[], Some((HOST, "A.ONE")), "")?;
    let mut server = Server::start(acceptor, &home, SERVER)?;
    gss::client(initiator, &far, server.port, client(), "a message back")?.success()?;
    server.says("a message back")
}

/// Another host than the one that is connected to: MIT's KDC refers nobody for a name without a dot.
const HOST: &str = "svc.far.test";
const SERVER: ServerOptions = ServerOptions { export: false, service: Some("host@svc.far.test") };

fn client() -> ClientOptions {
    ClientOptions { krb5: true, service: SERVER.service, ..ClientOptions::default() }
}

const B_HAS_THE_HOST: &str = "[domain_realm]\n\tsvc.far.test = B.TWO\n";
const C_HAS_THE_HOST: &str = "[domain_realm]\n\tsvc.far.test = C.THREE\n";
const WAY: &str = "[capaths]\n\tA.ONE = {\n\t\tC.THREE = B.TWO\n\t}\n";

/// A trusts B and B trusts C.
fn three_realms() -> Result<[Realm; 3], Failure> {
    let home = alice("A.ONE").trust("B.TWO", "1").config(C_HAS_THE_HOST).config(WAY).start(Side::Mit)?;
    let middle = Realm::build("B.TWO").trust("A.ONE", "1").trust("C.THREE", "2").config(C_HAS_THE_HOST);
    let far = Realm::build("C.THREE").trust("B.TWO", "2").service("host/svc.far.test").config(WAY);
    Ok([home, middle.start(Side::Mit)?, far.start(Side::Mit)?])
}

fn third_by_capaths(initiator: Side, acceptor: Side) -> Result<(), Failure> {
    let [home, middle, far] = three_realms()?;
    let others = [("B.TWO", middle.port), ("C.THREE", far.port)];
    home.configure_clients(&others, Some((HOST, "C.THREE")), WAY)?;
    context(&home, &far, initiator, acceptor)?;
    // MIT's library keeps the last ticket-granting ticket of a way only.
    let middle = if initiator == Side::Own { "krbtgt/B.TWO@A.ONE" } else { "krbtgt/A.ONE@A.ONE" };
    cached(&home, initiator, &[middle, "krbtgt/C.THREE@B.TWO", "host/svc.far.test@C.THREE"])
}

fn third_by_referrals(initiator: Side, acceptor: Side) -> Result<(), Failure> {
    let [home, middle, far] = three_realms()?;
    home.configure_clients(&[("B.TWO", middle.port), ("C.THREE", far.port)], None, "")?;
    context(&home, &far, initiator, acceptor)
}

fn by_referral(initiator: Side, acceptor: Side) -> Result<(), Failure> {
    let home = alice("A.ONE").trust("B.TWO", "shared").config(B_HAS_THE_HOST).start(Side::Mit)?;
    let far = Realm::build("B.TWO").trust("A.ONE", "shared").service("host/svc.far.test").start(Side::Mit)?;
    home.configure_clients(&[("B.TWO", far.port)], None, "")?;
    context(&home, &far, initiator, acceptor)
}

fn no_way() -> Result<(), Failure> {
    let home = alice("A.ONE").start(Side::Mit)?;
    home.kinit(Side::Own, "alice", &[])?;
    let told = home.orthros(&["kvno", "host/svc.far.test@C.THREE"], "")?.refusal()?;
    told.says("krbtgt/C.THREE@A.ONE")?.says("capaths").map(drop)
}

/// Our KDC, in this process, with alice and a service.
fn ours(trusted: &str) -> Result<Listener, Failure> {
    let realm = orthros_kdc::Realm::builder("OWN.TEST")
        .principal("carol", "carols")
        .service("host/far.own.test")
        .trust(trusted, "shared")
        .refer_domain(".far.test", trusted)
        .build(&SystemRandom)
        .map_err(|why| Failure::new(why.to_string()))?;
    Ok(Listener::start(realm)?)
}

fn kvno(client: Side, realm: &Realm, service: &str) -> Result<(), Failure> {
    let finished = match client {
        Side::Own => realm.orthros(&["kvno", service], ""),
        Side::Mit | Side::Heimdal => realm.peer(Peer::KVNO, &[service], ""),
    };
    finished?.success()?.says(": kvno = ").map(drop)
}

fn login_at_ours(client: Side, realm: &Realm) -> Result<(), Failure> {
    match client {
        Side::Own => realm.orthros(&["kinit", "carol@OWN.TEST"], "carols\n"),
        Side::Mit | Side::Heimdal => realm.peer(Peer::KINIT, &["carol@OWN.TEST"], "carols\n"),
    }?
    .success()
    .map(drop)
}

fn beside_ours(client: Side) -> Result<(), Failure> {
    let mit = alice("MIT.TEST").trust("OWN.TEST", "shared").service("host/svc.far.test").start(Side::Mit)?;
    let own = ours("MIT.TEST")?;
    mit.configure_clients(&[("OWN.TEST", own.address().port())], None, "")?;
    mit.kinit(client, "alice", &[])?;
    kvno(client, &mit, "host/far.own.test@OWN.TEST")?;
    login_at_ours(client, &mit)?;
    kvno(client, &mit, "host/svc.far.test@MIT.TEST")
}

fn our_referral(side: Side) -> Result<(), Failure> {
    let mit = alice("MIT.TEST").trust("OWN.TEST", "shared").service("host/svc.far.test").start(Side::Mit)?;
    let own = ours("MIT.TEST")?;
    mit.configure_clients(&[("OWN.TEST", own.address().port())], None, "")?;
    login_at_ours(side, &mit)?;
    let mut server = Server::start(Side::Mit, &mit, SERVER)?;
    gss::client(side, &mit, server.port, client(), "referred")?.success()?;
    server.says("carol@OWN.TEST")
}
