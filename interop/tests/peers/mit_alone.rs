//! MIT against MIT: proves the harness, so that a later failure lies with the side that was exchanged.

use interop::gss::{self, ClientOptions, Server, ServerOptions};
use interop::peers::Peer;
use interop::process::PATIENCE;
use interop::{Enctype, Failure, Realm, Scenario, Side};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for enctype in Enctype::STRONG {
        list.push(Scenario::new(
            format!("mit_alone::mit_tools_agree_with_each_other_on_{enctype}"),
            Peer::MIT,
            move || round_trip(enctype),
        ));
    }
    list.push(Scenario::new("mit_alone::a_wrong_password_is_refused", Peer::MIT, wrong_password));
    list.push(Scenario::new("mit_alone::the_samples_know_every_option", Peer::MIT, options));
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

fn options() -> Result<(), Failure> {
    let realm = Realm::build("MIT.TEST")
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(Side::Mit)?;
    realm.kinit(Side::Mit, "alice", &["-f"])?;
    let plain = ClientOptions { krb5: true, ..ClientOptions::default() };
    // What the server must have said, and what it must not have said.
    for (options, said, unsaid) in [
        (ClientOptions { delegate: true, ..plain }, "GSS_C_DELEG_FLAG", "GSS_C_SEQUENCE_FLAG"),
        (ClientOptions { sequence: true, ..plain }, "GSS_C_SEQUENCE_FLAG", "GSS_C_DELEG_FLAG"),
        (ClientOptions { no_mutual: true, ..plain }, "GSS_C_REPLAY_FLAG", "GSS_C_MUTUAL_FLAG"),
        (ClientOptions { no_replay: true, ..plain }, "GSS_C_MUTUAL_FLAG", "GSS_C_REPLAY_FLAG"),
        (plain, "Message token (flags=228)", "flags=164"),
        (ClientOptions { no_encrypt: true, ..plain }, "Message token (flags=164)", "flags=228"),
        (ClientOptions { no_wrap: true, ..plain }, "Message token (flags=196)", "flags=228"),
        (ClientOptions { no_mic: true, ..plain }, "Message token (flags=100)", "flags=228"),
    ] {
        let mut server =
            Server::start(Side::Mit, &realm, ServerOptions { export: true, ..ServerOptions::default() })?;
        gss::client(Side::Mit, &realm, server.port, options, "a message")?.success()?;
        server.says("Received message").map_err(|why| why.while_doing(format!("{options:?}")))?;
        let output = server.output();
        assert!(output.contains("Exported context"), "{options:?}: {output}");
        assert!(output.contains(said) && !output.contains(unsaid), "{options:?}: {output}");
    }
    let mut server = Server::start(Side::Mit, &realm, ServerOptions::default())?;
    let many = ClientOptions { messages: 3, contexts: 2, ..plain };
    gss::client(Side::Mit, &realm, server.port, many, "a message")?.success()?;
    server.process.wait_for_times("Accepted connection", 2, PATIENCE)?;
    server.process.wait_for_times("Received message", 6, PATIENCE)
}
