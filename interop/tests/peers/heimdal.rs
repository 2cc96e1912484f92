//! Heimdal: its KDC with our client and acceptor, its tools on our files, its library at either end.

use interop::peers::Peer;
use interop::{Enctype, Failure, Realm, Scenario, Side};

use crate::matrix;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for enctype in Enctype::AES {
        list.push(Scenario::new(
            format!("heimdal::our_tools_on_its_kdc_{enctype}"),
            Peer::HEIMDAL,
            move || tools(enctype),
        ));
        list.push(Scenario::new(
            format!("heimdal::kdc_heimdal_initiator_own_acceptor_own_{enctype}"),
            Peer::HEIMDAL,
            move || matrix::cell(Side::Heimdal, Side::Own, Side::Own, enctype),
        ));
        let with_mit = [Peer::MIT, Peer::HEIMDAL].concat();
        for (initiator, acceptor) in PAIRS {
            list.push(Scenario::new(
                format!("heimdal::kdc_mit_initiator_{initiator}_acceptor_{acceptor}_{enctype}"),
                &with_mit,
                move || matrix::cell(Side::Mit, initiator, acceptor, enctype),
            ));
        }
    }
    for (initiator, acceptor) in PAIRS {
        let enctype = Enctype::Aes256Sha2;
        list.push(Scenario::new(
            format!("heimdal::kdc_heimdal_initiator_{initiator}_acceptor_{acceptor}_{enctype}"),
            Peer::HEIMDAL,
            move || matrix::cell(Side::Heimdal, initiator, acceptor, enctype),
        ));
    }
    for writer in [Side::Heimdal, Side::Own] {
        list.push(Scenario::new(
            format!("heimdal::a_cache_of_{writer}_is_read_and_continued_by_the_other"),
            Peer::HEIMDAL,
            move || cache(writer),
        ));
    }
    list.push(Scenario::new(
        "heimdal::a_keytab_of_its_ktutil_logs_in_with_our_kinit",
        Peer::HEIMDAL,
        their_keytab,
    ));
    list.push(Scenario::new("heimdal::a_keytab_of_ours_logs_in_with_its_kinit", Peer::HEIMDAL, own_keytab));
    list.push(Scenario::new("heimdal::refusals_of_its_kdc_say_what_to_do", Peer::HEIMDAL, refusals));
    list
}

/// Who meets whom where Heimdal's library takes part.
const PAIRS: [(Side, Side); 3] =
    [(Side::Heimdal, Side::Heimdal), (Side::Heimdal, Side::Own), (Side::Own, Side::Heimdal)];

fn realm(enctypes: &[Enctype]) -> Result<Realm, Failure> {
    Realm::build("HEIMDAL.TEST")
        .enctypes(enctypes)
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(Side::Heimdal)
}

/// Password, keytab and service ticket, with one enctype for everything.
fn tools(enctype: Enctype) -> Result<(), Failure> {
    let realm = realm(&[enctype])?;
    realm.kinit(Side::Own, "alice", &["-f"])?;
    let words = ["kvno", "host/localhost"];
    realm.orthros(&words, "")?.success()?.says("host/localhost@HEIMDAL.TEST: kvno = 1")?;
    let listing = realm.klist(Side::Heimdal)?;
    assert!(listing.contains("Principal: alice@HEIMDAL.TEST"), "{listing}");
    for server in ["krbtgt/HEIMDAL.TEST", "host/localhost"] {
        assert!(listing.contains(&format!("Server: {server}@HEIMDAL.TEST")), "{listing}");
    }
    assert!(listing.contains(&format!("Ticket etype: {enctype}, kvno 1")), "{listing}");
    for other in Enctype::AES.into_iter().filter(|other| *other != enctype) {
        assert!(!listing.contains(other.name()), "{listing}");
    }
    let keytab = realm.keytab.display().to_string();
    realm.orthros(&["kinit", "-k", "-t", &keytab, "host/localhost"], "")?.success()?;
    let listing = realm.klist(Side::Heimdal)?;
    assert!(listing.contains("Principal: host/localhost@HEIMDAL.TEST"), "{listing}");
    Ok(())
}

fn cache(writer: Side) -> Result<(), Failure> {
    let realm = realm(&Enctype::AES)?;
    let other = if writer == Side::Own { Side::Heimdal } else { Side::Own };
    realm.kinit(writer, "alice", &["-f"])?;
    let listing = realm.klist(other)?;
    assert!(listing.contains("alice@HEIMDAL.TEST"), "{listing}");
    assert!(listing.contains("krbtgt/HEIMDAL.TEST@HEIMDAL.TEST"), "{listing}");
    // The other continues the cache by a service ticket; the writer reads what it added.
    match other {
        Side::Own => realm.orthros(&["kvno", "host/localhost"], ""),
        Side::Heimdal | Side::Mit => realm.peer(Peer::KGETCRED, &["host/localhost"], ""),
    }?
    .success()?;
    let listing = realm.klist(writer)?;
    assert!(listing.contains("host/localhost@HEIMDAL.TEST"), "{listing}");
    Ok(())
}

fn their_keytab() -> Result<(), Failure> {
    let realm = realm(&Enctype::AES)?;
    let keytab = realm.folder().join("alice.keytab").display().to_string();
    for enctype in Enctype::AES {
        let words = [
            "-k",
            &keytab,
            "add",
            "--principal=alice@HEIMDAL.TEST",
            "-V",
            "1",
            "-e",
            enctype.name(),
            "--password=wonderland",
        ];
        realm.peer(Peer::HEIMDAL_KTUTIL, &words, "")?.success()?;
    }
    let listing = realm.orthros(&["keytab", "list", &keytab], "")?.success()?.stdout;
    for enctype in Enctype::AES {
        assert!(listing.contains(enctype.name()), "{listing}");
    }
    realm.orthros(&["kinit", "-k", "-t", &keytab, "alice"], "")?.success()?;
    let listing = realm.klist(Side::Heimdal)?;
    assert!(listing.contains("Principal: alice@HEIMDAL.TEST"), "{listing}");
    Ok(())
}

fn own_keytab() -> Result<(), Failure> {
    let realm = realm(&Enctype::AES)?;
    let keytab = realm.folder().join("alice.keytab").display().to_string();
    for enctype in Enctype::AES {
        let words =
            ["keytab", "add", &keytab, "-p", "alice", "-k", "1", "-e", enctype.name(), "--password-stdin"];
        realm.orthros(&words, "wonderland\n")?.success()?;
    }
    let listing = realm.peer(Peer::HEIMDAL_KTUTIL, &["-k", &keytab, "list"], "")?.success()?.stdout;
    for enctype in Enctype::AES {
        let row = listing.lines().find(|line| line.contains(enctype.name()));
        assert!(row.is_some_and(|row| row.contains("alice@HEIMDAL.TEST")), "{listing}");
    }
    let words = ["-k", "-t", &keytab, "alice"];
    realm.peer(Peer::HEIMDAL_KINIT, &words, "")?.success()?;
    let listing = realm.klist(Side::Own)?;
    assert!(listing.contains("alice@HEIMDAL.TEST"), "{listing}");
    Ok(())
}

fn refusals() -> Result<(), Failure> {
    let realm = realm(&Enctype::AES)?;
    realm.orthros(&["kinit", "alice"], "looking-glass\n")?.refusal()?.says("alice@HEIMDAL.TEST")?;
    realm.orthros(&["kinit", "nobody"], "x\n")?.refusal()?.says("nobody@HEIMDAL.TEST")?;
    assert!(!realm.ccache.exists());
    realm.kinit(Side::Own, "alice", &[])?;
    realm
        .orthros(&["kvno", "imap/nowhere.test"], "")?
        .refusal()?
        .says("imap/nowhere.test@HEIMDAL.TEST")
        .map(drop)
}
