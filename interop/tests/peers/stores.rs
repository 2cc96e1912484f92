//! Caches and keytabs, read and written both ways.

use interop::peers::Peer;
use interop::{Enctype, Failure, Realm, Scenario, Side};

const NEEDS: &[Peer] =
    &[Peer::KRB5KDC, Peer::KDB5_UTIL, Peer::KADMIN_LOCAL, Peer::KINIT, Peer::KLIST, Peer::KVNO, Peer::KTUTIL];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for kdc in Side::ALL {
        for writer in Side::ALL {
            list.push(Scenario::new(
                format!("stores::a_cache_of_{writer}_is_read_and_continued_by_the_other_kdc_{kdc}"),
                NEEDS,
                move || cache(kdc, writer),
            ));
        }
        list.push(Scenario::new(
            format!("stores::a_keytab_of_ours_logs_in_with_mit_kinit_kdc_{kdc}"),
            NEEDS,
            move || own_keytab(kdc),
        ));
        list.push(Scenario::new(
            format!("stores::a_keytab_of_ktutil_logs_in_with_our_kinit_kdc_{kdc}"),
            NEEDS,
            move || mit_keytab(kdc),
        ));
        list.push(Scenario::new(
            format!("stores::tickets_that_went_through_a_token_are_read_and_used_by_mit_kdc_{kdc}"),
            NEEDS,
            move || sealed(kdc),
        ));
        list.push(Scenario::new(
            format!("stores::refusals_of_the_kdc_say_what_to_do_kdc_{kdc}"),
            NEEDS,
            move || refusals(kdc),
        ));
    }
    list
}

fn realm(kdc: Side) -> Result<Realm, Failure> {
    Realm::build("STORES.TEST").principal("alice", "wonderland").service("host/localhost").start(kdc)
}

fn other(side: Side) -> Side {
    match side {
        Side::Mit | Side::Heimdal => Side::Own,
        Side::Own => Side::Mit,
    }
}

fn kvno(side: Side, realm: &Realm, service: &str) -> Result<(), Failure> {
    match side {
        Side::Mit => realm.peer(Peer::KVNO, &[service], ""),
        Side::Heimdal => realm.peer(Peer::KGETCRED, &[service], ""),
        Side::Own => realm.orthros(&["kvno", service], ""),
    }?
    .success()?
    .says(&format!("{service}@STORES.TEST: kvno = "))
    .map(drop)
}

fn cache(kdc: Side, writer: Side) -> Result<(), Failure> {
    let realm = realm(kdc)?;
    realm.kinit(writer, "alice", &["-f"])?;
    let listing = realm.klist(other(writer))?;
    assert!(
        listing.contains("alice@STORES.TEST") && listing.contains("krbtgt/STORES.TEST@STORES.TEST"),
        "{listing}"
    );
    // The other continues the cache by a service ticket; the writer reads what it added.
    kvno(other(writer), &realm, "host/localhost")?;
    let listing = realm.klist(writer)?;
    assert!(listing.contains("host/localhost@STORES.TEST"), "{listing}");
    kvno(writer, &realm, "krbtgt/STORES.TEST")?;
    let listing = realm.klist(other(writer))?;
    assert!(listing.contains("host/localhost@STORES.TEST"), "{listing}");
    match other(writer) {
        Side::Mit => realm.peer(Peer::KLIST, &["-s"], ""),
        Side::Heimdal => realm.peer(Peer::HEIMTOOLS, &["klist", "-s"], ""),
        Side::Own => realm.orthros(&["klist", "-s"], ""),
    }?
    .success()?;
    realm.orthros(&["kdestroy"], "")?.success()?;
    assert!(!realm.ccache.exists());
    Ok(())
}

/// MIT's cache goes through a token of ours, and MIT's programs go on with what comes out.
fn sealed(kdc: Side) -> Result<(), Failure> {
    let realm = realm(kdc)?;
    realm.kinit(Side::Mit, "alice", &["-f"])?;
    let (token, opened) = (path(&realm, "token"), format!("FILE:{}", path(&realm, "opened")));
    let before = realm.klist(Side::Mit)?;
    realm.orthros(&["token", "seal", "-o", &token], "")?.success()?;
    realm.orthros(&["token", "unseal", &token, "-c", &opened], "")?.success()?;
    let listing = realm.peer(Peer::KLIST, &["-e", "-f", "-a", "-n", "-c", &opened], "")?.success()?.stdout;
    let told = |listing: &str| listing.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(told(&listing), told(&before), "but for the cache's name nothing is another");
    realm.peer(Peer::KVNO, &["-c", &opened, "host/localhost"], "")?.success()?;
    // The same in the default cache.
    realm.orthros(&["kdestroy"], "")?.success()?;
    realm.orthros(&["token", "unseal", &token], "")?.success()?;
    assert_eq!(told(&realm.klist(Side::Mit)?), told(&before));
    kvno(Side::Mit, &realm, "host/localhost")
}

fn path(realm: &Realm, name: &str) -> String {
    realm.folder().join(name).display().to_string()
}

fn own_keytab(kdc: Side) -> Result<(), Failure> {
    let realm = realm(kdc)?;
    let keytab = path(&realm, "alice.keytab");
    for enctype in Enctype::AES {
        let words = [
            "keytab",
            "add",
            &keytab,
            "-p",
            "alice",
            "--kvno",
            "1",
            "-e",
            enctype.name(),
            "--password-stdin",
        ];
        realm.orthros(&words, "wonderland\n")?.success()?;
    }
    let listing = realm.peer(Peer::KLIST, &["-k", "-e", &keytab], "")?.success()?.stdout;
    for enctype in Enctype::AES {
        assert!(listing.contains(&format!("1 alice@STORES.TEST ({enctype})")), "{listing}");
    }
    realm.peer(Peer::KINIT, &["-k", "-t", &keytab, "alice"], "")?.success()?;
    let listing = realm.klist(Side::Own)?;
    assert!(listing.contains("alice@STORES.TEST"), "{listing}");
    Ok(())
}

fn mit_keytab(kdc: Side) -> Result<(), Failure> {
    let realm = realm(kdc)?;
    let keytab = path(&realm, "alice.keytab");
    let script: String = Enctype::AES
        .iter()
        .map(|enctype| format!("addent -password -p alice@STORES.TEST -k 1 -e {enctype}\nwonderland\n"))
        .collect();
    realm.peer(Peer::KTUTIL, &[], &format!("{script}wkt {keytab}\nq\n"))?.success()?;
    let listing = realm.orthros(&["keytab", "list", &keytab], "")?.success()?.stdout;
    for enctype in Enctype::AES {
        assert!(listing.contains(enctype.name()), "{listing}");
    }
    realm.orthros(&["kinit", "-k", "-t", &keytab, "alice"], "")?.success()?;
    realm.peer(Peer::KLIST, &[], "")?.success()?.says("Default principal: alice@STORES.TEST")?;
    // The keytab that the realm came with opens tickets: a service logs in with it too.
    let keytab = realm.keytab.display().to_string();
    realm.orthros(&["kinit", "-k", "-t", &keytab, "host/localhost"], "")?.success()?;
    realm
        .peer(Peer::KLIST, &[], "")?
        .success()?
        .says("Default principal: host/localhost@STORES.TEST")
        .map(drop)
}

fn refusals(kdc: Side) -> Result<(), Failure> {
    let realm = realm(kdc)?;
    realm.orthros(&["kinit", "alice"], "looking-glass\n")?.refusal()?.says("alice@STORES.TEST")?;
    realm.orthros(&["kinit", "nobody"], "x\n")?.refusal()?.says("nobody@STORES.TEST")?;
    assert!(!realm.ccache.exists());
    realm.kinit(Side::Own, "alice", &[])?;
    realm
        .orthros(&["kvno", "imap/nowhere.test"], "")?
        .refusal()?
        .says("imap/nowhere.test@STORES.TEST")
        .map(drop)
}
