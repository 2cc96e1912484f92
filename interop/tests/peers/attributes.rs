//! What an acceptor learns of its initiator beside the name (RFC 6680), of one ticket on MIT's library and on ours: the
//! PAC that MIT's KDC puts in, and how the initiator authenticated itself.

use interop::c_library::{Kind, Maker, NEEDS, compile, counting};
use interop::peers::Peer;
use interop::{Failure, Realm, Scenario, Side, process};

/// Whoever authenticates itself by SPAKE is said to have done so, in two words.
const INDICATED: &str = "[libdefaults]\n\
    \tspake_preauth_groups = edwards25519\n\
    [kdcdefaults]\n\
    \tspake_preauth_kdc_challenge = edwards25519\n\
    [realms]\n\
    \tATTRIBUTES.TEST = {\n\
    \t\tspake_preauth_indicator = by spake\n\
    \t\tspake_preauth_indicator = twice\n\
    \t}\n";

pub(crate) fn scenarios() -> Vec<Scenario> {
    let needs = [Peer::MIT, NEEDS].concat();
    let mut list = Vec::new();
    for (name, config, indicated) in [
        ("attributes::pac_and_indicators_are_those_that_mit_tells", INDICATED, true),
        ("attributes::without_indicators_there_is_the_pac", "", false),
    ] {
        list.push(Scenario::new(name, &needs, move || told(config, indicated)));
    }
    list
}

fn told(config: &str, indicated: bool) -> Result<(), Failure> {
    let realm = Realm::build("ATTRIBUTES.TEST")
        .config(config)
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(Side::Mit)?;
    realm.peer(Peer::KADMIN_LOCAL, &["-q", "modprinc +requires_preauth alice"], "")?.success()?;
    realm.kinit(Side::Mit, "alice", &[])?;
    // One ticket for both.
    realm.peer(Peer::KVNO, &["host/localhost"], "")?.success()?;
    let mut said = Vec::new();
    for library in Maker::ALL {
        let program = compile("attributes", library, Kind::Pie, realm.folder())?;
        let mut command = realm.command(&program);
        command.arg("host@localhost").envs(library.environment()?);
        if library == Maker::Own {
            command.envs([counting()?]);
        }
        let finished = process::run(command, b"")?.success()?.says("all held")?;
        said.push(finished.stdout);
    }
    let [mit, own] = <[String; 2]>::try_from(said).map_err(|_| "two libraries")?;
    let own = own.strip_suffix("live handles: 0\n").ok_or_else(|| format!("something lives: {own}"))?;
    assert_eq!(own, mit);
    let told = |name: &str| own.lines().any(|line| line == name);
    assert!(told("urn:mspac:client-info") && told("urn:mspac:server-checksum"), "{own}");
    assert_eq!(told("auth-indicators"), indicated, "{own}");
    Ok(())
}
