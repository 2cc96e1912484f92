//! MIT against MIT: proves the harness, so that a later failure lies with the side that was exchanged.

use interop::gss::{self, ClientOptions, Server, ServerOptions};
use interop::peers::Peer;
use interop::{Enctype, Failure, Realm, Scenario, Side};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for enctype in Enctype::ALL {
        list.push(Scenario::new(
            format!("mit_alone::mit_tools_agree_with_each_other_on_{enctype}"),
            Peer::MIT,
            move || round_trip(enctype),
        ));
    }
    list.push(Scenario::new("mit_alone::a_wrong_password_is_refused", Peer::MIT, wrong_password));
    list
}

fn round_trip(enctype: Enctype) -> Result<(), Failure> {
    let realm = Realm::build("MIT.TEST")
        .enctypes(&[enctype])
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(Side::Mit)?;
    realm.kinit(Side::Mit, "alice", &["-f"])?;
    let listing = realm.klist(Side::Mit)?;
    assert!(listing.contains("Default principal: alice@MIT.TEST"), "{listing}");
    assert!(listing.contains(&format!("(skey, tkt): {enctype}, {enctype}")), "{listing}");

    let mut server = Server::start(Side::Mit, &realm, ServerOptions::default())?;
    let options = ClientOptions { krb5: true, ..ClientOptions::default() };
    gss::client(Side::Mit, &realm, server.port, options, "a message")?
        .success()?
        .says("Signature verified.")?;
    server.says("Accepted connection: \"alice@MIT.TEST\"")?;
    server.says("Received message: \"a message\"")
}

fn wrong_password() -> Result<(), Failure> {
    let realm = Realm::build("MIT.TEST").principal("alice", "wonderland").start(Side::Mit)?;
    realm.peer(Peer::KINIT, &["alice"], "looking-glass\n")?.refusal()?.says("Password incorrect")?;
    assert!(!realm.ccache.exists());
    Ok(())
}
