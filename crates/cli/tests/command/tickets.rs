//! kinit, klist, kvno, kdestroy against our KDC.

use crate::sandbox::Sandbox;

#[test]
fn a_ticket_is_got_listed_used_and_destroyed() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    sandbox.good(&["kinit", "-f", "-r", "2d", "-l", "2h", "alice"], "wonderland\n");
    sandbox.good(&["klist", "-s"], "");
    let listed = sandbox.json(&["klist", "--json"]);
    assert_eq!(listed["principal"], "alice@CLI.TEST");
    assert_eq!(listed["cache"], format!("FILE:{}/cc", sandbox.path().display()));
    let ticket = &listed["tickets"][0];
    assert_eq!(ticket["server"], "krbtgt/CLI.TEST@CLI.TEST");
    assert_eq!(ticket["ticket_enctype"], "aes256-cts-hmac-sha384-192");
    assert_eq!(ticket["expired"], false);
    let flags: Vec<_> =
        ticket["flags"].as_array().unwrap().iter().map(|flag| flag.as_str().unwrap()).collect();
    assert_eq!(flags, ["forwardable", "renewable", "initial", "pre-authent"]);

    assert_eq!(sandbox.good(&["kvno", "host/localhost"], ""), "host/localhost@CLI.TEST: kvno = 1\n");
    let versions = sandbox.json(&["kvno", "--json", "--name", "host@localhost"]);
    assert_eq!(versions[0]["service"], "host/localhost@CLI.TEST");
    assert_eq!((&versions[0]["kvno"], &versions[0]["enctype"]), (&1.into(), &20.into()));

    let listed = sandbox.good(&["klist", "-e", "-f"], "");
    assert!(listed.contains("Default principal: alice@CLI.TEST\n"), "{listed}");
    assert!(listed.contains("  host/localhost@CLI.TEST\n"), "{listed}");
    assert!(listed.contains("Flags: FRIA\n"), "{listed}");
    assert_eq!(listed.matches("Etype (skey, tkt): ").count(), 2, "{listed}");
    assert_eq!(
        listed.matches("host/localhost").count(),
        1,
        "the second kvno fetched the ticket again: {listed}"
    );

    sandbox.good(&["kdestroy"], "");
    assert!(!sandbox.path().join("cc").exists());
    assert!(sandbox.bad(&["kdestroy"], "").contains("no such credential cache"));
    assert!(sandbox.bad(&["klist"], "").contains("hint: orthros kinit"));
    assert_eq!(sandbox.run(&["klist", "-s"], "").status, Some(1));
}

#[test]
fn a_named_cache_is_used_and_the_default_one_left_alone() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    sandbox.good(&["kinit", "-c", "FILE:other", "alice@CLI.TEST"], "wonderland");
    assert!(sandbox.path().join("other").exists() && !sandbox.path().join("cc").exists());
    assert_eq!(sandbox.json(&["klist", "-c", "other", "--json"])["principal"], "alice@CLI.TEST");
    assert!(sandbox.good(&["klist", "other"], "").contains("alice@CLI.TEST"));
    sandbox.good(&["kvno", "-c", "other", "host/localhost"], "");
    // Whose it is, is known from the cache.
    sandbox.good(&["kinit", "-F", "-c", "other"], "wonderland\n");
    let listed = sandbox.json(&["klist", "-c", "other", "--json"]);
    assert_eq!(listed["tickets"].as_array().unwrap().len(), 1);
    assert!(!listed["tickets"][0]["flags"].to_string().contains("forwardable"));
    sandbox.good(&["kdestroy", "-c", "other"], "");
}

#[test]
fn a_wrong_password_says_so_and_leaves_the_old_tickets() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    let story = sandbox.bad(&["kinit", "alice"], "looking-glass\n");
    assert!(story.contains("password") && story.contains("alice@CLI.TEST"), "{story}");
    assert!(!story.contains("looking-glass"), "{story}");
    assert!(!sandbox.path().join("cc").exists());
    sandbox.good(&["kinit", "alice"], "wonderland\n");
    sandbox.bad(&["kinit", "alice"], "looking-glass\n");
    sandbox.good(&["klist", "-s"], "");
}

#[test]
fn what_is_missing_is_named() {
    let sandbox = Sandbox::new();
    let kdc = sandbox.realm();
    assert!(sandbox.bad(&["kinit", "bob"], "x\n").contains("bob@CLI.TEST"));
    assert!(sandbox.bad(&["kinit"], "x\n").contains("nobody is named"));
    assert!(sandbox.bad(&["kinit", "alice"], "").contains("no password on standard input"));
    assert!(sandbox.bad(&["kinit", "-t", "none.keytab"], "").contains("none.keytab"));
    assert!(sandbox.bad(&["kvno", "host/localhost"], "").contains("cc"));
    sandbox.good(&["kinit", "alice"], "wonderland\n");
    assert!(sandbox.bad(&["kvno", "host/elsewhere"], "").contains("host/elsewhere"));
    drop(kdc);
    assert!(
        sandbox.bad(&["kvno", "host/localhost"], "").contains("127.0.0.1"),
        "the KDC that is gone is named"
    );
}

#[test]
fn a_keytab_serves_in_place_of_a_password() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    sandbox.good(&["kinit", "-k", "host/localhost"], "");
    assert_eq!(sandbox.json(&["klist", "--json"])["principal"], "host/localhost@CLI.TEST");
    sandbox.good(&["kinit", "-t", "keytab", "-S", "host/localhost"], "");
    assert_eq!(sandbox.json(&["klist", "--json"])["tickets"][0]["server"], "host/localhost@CLI.TEST");
}

#[test]
fn a_folder_holds_a_cache_for_each_client_and_one_is_in_use() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    let good = |words: &[&str], input| sandbox.good_with(("KRB5CCNAME", "DIR:caches"), words, input);
    let json = |words: &[&str]| serde_json::from_str::<serde_json::Value>(&good(words, "")).unwrap();
    good(&["kinit", "alice"], "wonderland\n");
    good(&["kinit", "-k", "-t", "keytab", "host/localhost"], "");
    good(&["kinit", "alice"], "wonderland\n");
    let listed = json(&["klist", "-l", "--json"]);
    let names: Vec<_> =
        listed.as_array().unwrap().iter().map(|one| one["principal"].as_str().unwrap()).collect();
    assert_eq!(names, ["alice@CLI.TEST", "host/localhost@CLI.TEST"]);
    assert_eq!((&listed[0]["cache"], &listed[0]["expired"]), (&"DIR::caches/tkt".into(), &false.into()));
    assert!(good(&["klist", "-l"], "").contains("alice@CLI.TEST                 DIR::caches/tkt\n"));

    good(&["kswitch", "-p", "host/localhost"], "");
    assert_eq!(json(&["klist", "--json"])["principal"], "host/localhost@CLI.TEST");
    good(&["kswitch", "-c", "DIR::caches/tkt"], "");
    let shown = good(&["klist", "-a", "-n"], "");
    assert!(
        shown.contains("Ticket cache: DIR::caches/tkt\n") && shown.contains("Addresses: (none)"),
        "{shown}"
    );
    assert_eq!(json(&["klist", "-A", "--json"]).as_array().unwrap().len(), 2);
    assert_eq!(good(&["klist", "-A"], "").matches("Default principal: ").count(), 2);

    good(&["kdestroy", "-p", "host/localhost"], "");
    assert_eq!(json(&["klist", "-l", "--json"]).as_array().unwrap().len(), 1);
    good(&["kdestroy", "-A"], "");
    good(&["kdestroy", "-A"], "");
    assert!(sandbox.bad(&["klist", "-l", "-c", "DIR:caches"], "").contains("no credential cache"));
    // A file has no others beside it.
    assert!(sandbox.bad(&["kswitch", "-c", "FILE:cc"], "").contains("FILE:cc"));
    assert!(sandbox.bad(&["kswitch", "-p", "nobody"], "").contains("nobody@CLI.TEST"));
}
