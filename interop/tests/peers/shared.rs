//! Caches and keytabs that programs of several implementations use at the same time, and those of old formats.

use std::fs;
use std::process::Command;
use std::thread;

use interop::gss::{self, ClientOptions, Server, ServerOptions};
use interop::peers::Peer;
use interop::process::{self, Finished};
use interop::{Enctype, Failure, Realm, Scenario, Side, realm::orthros};

const NEEDS: &[Peer] = &[
    Peer::KRB5KDC,
    Peer::KDB5_UTIL,
    Peer::KADMIN_LOCAL,
    Peer::KINIT,
    Peer::KLIST,
    Peer::KVNO,
    Peer::KTUTIL,
    Peer::KSWITCH,
    Peer::GSS_CLIENT,
];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let with_heimdal = [NEEDS, Peer::HEIMDAL].concat();
    let mut list = vec![
        Scenario::new("shared::a_folder_of_caches_is_mit_s_and_ours", NEEDS, folder),
        Scenario::new("shared::no_ticket_is_lost_in_a_cache_of_many_writers", &with_heimdal, one_cache),
        Scenario::new(
            "shared::a_cache_that_is_made_again_and_again_is_never_half_there",
            &with_heimdal,
            made_again,
        ),
        Scenario::new("shared::no_key_is_lost_in_a_keytab_of_many_writers", NEEDS, one_keytab),
        Scenario::new("shared::kadmin_gives_new_keys_to_our_running_acceptor", NEEDS, new_keys),
    ];
    for (writer, versions) in [(Side::Mit, 1..=4), (Side::Heimdal, 3..=4)] {
        for version in versions {
            list.push(Scenario::new(
                format!("shared::a_cache_of_{writer}_s_version_{version}_is_read_and_continued"),
                &with_heimdal,
                move || old_cache(writer, version),
            ));
        }
    }
    list
}

/// A realm with alice, bob, and `services` services beside host/localhost.
fn realm(services: usize) -> Result<Realm, Failure> {
    let mut realm = Realm::build("SHARED.TEST")
        .enctypes(&[Enctype::Aes128Sha2])
        .principal("alice", "a")
        .principal("bob", "b")
        .service("host/localhost");
    for number in 0..services {
        realm = realm.service(&service(number));
    }
    realm.start(Side::Mit)
}

fn service(number: usize) -> String {
    format!("s{number}/localhost")
}

fn folder() -> Result<(), Failure> {
    let realm = realm(0)?;
    let name = format!("DIR:{}", realm.folder().join("caches").display());
    let run = |mut command: Command, words: &[&str], input: &str| -> Result<Finished, Failure> {
        command.args(words).env("KRB5CCNAME", &name);
        process::run(command, input.as_bytes())
    };
    let mit = |peer: Peer, words: &[&str], input: &str| run(realm.command(&peer.find()?), words, input);
    let own = |words: &[&str], input: &str| run(realm.command(orthros()?), words, input);

    mit(Peer::KINIT, &["alice"], "a\n")?.success()?;
    own(&["kinit", "bob"], "b\n")?.success()?;
    // Both find a cache of each client, and fill that one again.
    mit(Peer::KINIT, &["bob"], "b\n")?.success()?;
    own(&["kinit", "alice"], "a\n")?.success()?;
    let theirs = mit(Peer::KLIST, &["-l"], "")?.success()?.stdout;
    let ours = own(&["klist", "-l"], "")?.success()?.stdout;
    let rows = |listing: &str| -> Vec<String> {
        let rows = listing.lines().filter(|line| line.contains("SHARED.TEST"));
        let mut rows: Vec<_> = rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        rows.sort();
        rows
    };
    assert_eq!(rows(&theirs), rows(&ours), "{theirs}\n{ours}");
    assert_eq!(rows(&ours).len(), 2, "{ours}");

    mit(Peer::KLIST, &[], "")?.success()?.says("Default principal: alice@")?;
    mit(Peer::KSWITCH, &["-p", "bob"], "")?.success()?;
    own(&["klist"], "")?.success()?.says("Default principal: bob@")?;
    own(&["kswitch", "-p", "alice"], "")?.success()?;
    mit(Peer::KLIST, &[], "")?.success()?.says("Default principal: alice@")?;
    own(&["kdestroy", "-A"], "")?.success()?;
    let left = mit(Peer::KLIST, &["-l"], "")?.stdout;
    assert!(!left.contains("SHARED.TEST"), "{left}");
    Ok(())
}

fn old_cache(writer: Side, version: u8) -> Result<(), Failure> {
    let (relation, fetch) = match writer {
        Side::Heimdal => ("fcache_version", Peer::KGETCRED),
        Side::Mit | Side::Own => ("ccache_type", Peer::KVNO),
    };
    let realm = realm(1)?;
    let config = fs::read_to_string(&realm.config)?;
    let config = config.replacen("[libdefaults]\n", &format!("[libdefaults]\n\t{relation} = {version}\n"), 1);
    fs::write(&realm.config, config)?;
    realm.kinit(writer, "alice", &[])?;
    realm.peer(fetch, &["host/localhost"], "")?.success()?;
    assert_eq!(
        fs::read(&realm.ccache)?.get(..2),
        Some(&[5, version][..]),
        "the writer chose another version"
    );
    let listing = realm.klist(Side::Own)?;
    assert!(
        listing.contains("Default principal: alice@SHARED.TEST") && listing.contains("host/localhost@SHARED"),
        "{listing}"
    );
    // A ticket is got by it; where the format allows, it is kept there and the writer reads it.
    realm.orthros(&["kvno", &service(0)], "")?.success()?;
    let listing = realm.klist(writer)?;
    assert_eq!(listing.contains(&service(0)), version >= 3, "{listing}");
    assert!(listing.contains("host/localhost@SHARED.TEST"), "{listing}");
    Ok(())
}

fn one_cache() -> Result<(), Failure> {
    const EACH: usize = 6;
    let realm = &realm(EACH * 4)?;
    realm.kinit(Side::Mit, "alice", &[])?;
    let ours: fn(&Realm, &str) -> Result<Finished, Failure> =
        |realm, name| realm.orthros(&["kvno", name], "");
    let mit: fn(&Realm, &str) -> Result<Finished, Failure> =
        |realm, name| realm.peer(Peer::KVNO, &[name], "");
    let heimdal: fn(&Realm, &str) -> Result<Finished, Failure> =
        |realm, name| realm.peer(Peer::KGETCRED, &[name], "");
    let writers = [ours, mit, heimdal, ours];
    let results: Vec<Result<(), Failure>> = thread::scope(|scope| {
        let writing = writers.into_iter().enumerate().map(|(place, writer)| {
            scope.spawn(move || {
                (0..EACH).try_for_each(|number| {
                    writer(realm, &service(place * EACH + number))?.success()?;
                    // Whoever reads in between sees a whole cache.
                    let listing = realm.klist(if place % 2 == 0 { Side::Own } else { Side::Mit })?;
                    assert!(listing.contains(&service(place * EACH + number)), "{listing}");
                    Ok(())
                })
            })
        });
        let writing: Vec<_> = writing.collect();
        writing
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|_| Err("a writer panicked".into())))
            .collect()
    });
    results.into_iter().collect::<Result<(), _>>()?;
    for side in [Side::Own, Side::Mit, Side::Heimdal] {
        let listing = realm.klist(side)?;
        for number in 0..EACH * 4 {
            assert!(listing.contains(&service(number)), "{} is lost for {side}: {listing}", service(number));
        }
    }
    Ok(())
}

fn made_again() -> Result<(), Failure> {
    const EACH: usize = 6;
    let realm = &realm(0)?;
    realm.kinit(Side::Own, "alice", &[])?;
    let results: Vec<Result<(), Failure>> = thread::scope(|scope| {
        let makers = [Side::Own, Side::Mit, Side::Heimdal].map(|side| {
            scope.spawn(move || {
                (0..EACH).try_for_each(|number| {
                    realm.kinit(side, if number % 2 == 0 { "alice" } else { "bob" }, &[]).map(drop)
                })
            })
        });
        let readers = [true, false].map(|lists| {
            scope.spawn(move || {
                (0..EACH * 3).try_for_each(|_| {
                    if !lists {
                        return realm.orthros(&["kvno", "host/localhost"], "")?.success().map(drop);
                    }
                    let listing = realm.klist(Side::Own)?;
                    assert!(listing.contains("krbtgt/SHARED.TEST@SHARED.TEST"), "{listing}");
                    Ok(())
                })
            })
        });
        let all = makers.into_iter().chain(readers);
        all.map(|one| one.join().unwrap_or_else(|_| Err("a program failed".into()))).collect()
    });
    results.into_iter().collect()
}

fn one_keytab() -> Result<(), Failure> {
    const EACH: usize = 8;
    let realm = &realm(EACH)?;
    let keytab = &realm.folder().join("shared.keytab").display().to_string();
    let enctype = Enctype::Aes128Sha2.name();
    let own = |writer: usize, number: usize| {
        let name = format!("own{writer}-{number}");
        realm.orthros(&["keytab", "add", keytab, "-p", &name, "-e", enctype, "--random-key"], "")
    };
    let ktutil = |_, number: usize| {
        let script = format!("addent -password -p mit-{number} -k 1 -e {enctype}\npw\nwkt {keytab}\nq\n");
        realm.peer(Peer::KTUTIL, &[], &script)
    };
    let kadmin = |_, number: usize| {
        let words = ["-r", "SHARED.TEST", "ktadd", "-norandkey", "-k", keytab, &service(number)];
        realm.peer(Peer::KADMIN_LOCAL, &words, "")
    };
    type Writer<'a> = &'a (dyn Fn(usize, usize) -> Result<Finished, Failure> + Sync);
    let writers: [Writer<'_>; 4] = [&own, &own, &ktutil, &kadmin];
    // The file is there before MIT's programs are: those that meet while one of them makes it, fail.
    own(EACH, 0)?.success()?;
    let results: Vec<Result<(), Failure>> = thread::scope(|scope| {
        let writing = writers.into_iter().enumerate().map(|(place, writer)| {
            scope.spawn(move || (0..EACH).try_for_each(|number| writer(place, number)?.success().map(drop)))
        });
        let writing: Vec<_> = writing.collect();
        writing
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|_| Err("a writer panicked".into())))
            .collect()
    });
    results.into_iter().collect::<Result<(), _>>()?;
    let ours = realm.orthros(&["keytab", "list", keytab], "")?.success()?.stdout;
    let mit = realm.peer(Peer::KLIST, &["-k", keytab], "")?.success()?.stdout;
    for number in 0..EACH {
        for name in
            [format!("own0-{number}@"), format!("own1-{number}@"), format!("mit-{number}@"), service(number)]
        {
            assert!(ours.contains(&name) && mit.contains(&name), "{name} is lost:\n{ours}\n{mit}");
        }
    }
    // What we remove is gone for MIT too, whose next key fills the hole.
    let size = fs::metadata(keytab)?.len();
    realm.orthros(&["keytab", "remove", keytab, "-p", "mit-0"], "")?.success()?;
    let mit = realm.peer(Peer::KLIST, &["-k", keytab], "")?.success()?.stdout;
    assert!(!mit.contains("mit-0@") && mit.contains("mit-1@"), "{mit}");
    ktutil(0, 0)?.success()?;
    assert_eq!(fs::metadata(keytab)?.len(), size);
    realm.orthros(&["keytab", "list", keytab], "")?.success()?.says("mit-0@").map(drop)
}

fn new_keys() -> Result<(), Failure> {
    let realm = realm(0)?;
    let server = Server::start(Side::Own, &realm, ServerOptions::default())?;
    let options = ClientOptions::default();
    let talk = |side: Side| {
        gss::client(side, &realm, server.port, options, "still here")?
            .success()?
            .says("Signature verified.")
            .map(drop)
    };
    realm.kinit(Side::Mit, "alice", &[])?;
    talk(Side::Mit)?;
    let early = fs::read(&realm.ccache)?;
    for _ in 0..3 {
        let keytab = realm.keytab.display().to_string();
        let words = ["-r", "SHARED.TEST", "ktadd", "-k", &keytab, "host/localhost"];
        realm.peer(Peer::KADMIN_LOCAL, &words, "")?.success()?;
        // A ticket for the new key, then the one for the first key.
        realm.kinit(Side::Mit, "alice", &[])?;
        talk(Side::Mit)?;
        talk(Side::Own)?;
        fs::write(&realm.ccache, &early)?;
        talk(Side::Mit)?;
    }
    realm.orthros(&["keytab", "list"], "")?.success()?.says("4 host/localhost@SHARED.TEST").map(drop)
}
