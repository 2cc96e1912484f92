use super::*;

fn config(text: &str) -> Config {
    Config::parse(text).unwrap()
}

fn texts(profile: &Profile, path: &[&str]) -> Vec<String> {
    profile.values(path).map(|value| value.text.to_owned()).collect()
}

#[test]
fn sections_subsections_quotes_and_comments_are_read() {
    let profile = Profile::parse(
        "\u{feff}before the first section nothing counts\r
# comment\r
 [zero]
 plain = lost
[one]  \r
\tplain = a value with spaces   \r
  ; comment
\tquoted = \"  a \\\"b\\\" \\t\\\\ \" ignored
 group = {
   inner =
   {  # passed over
     deep = 1
   }
   deep = 2
 }
 group = {
   deep = 3
 }
[two]
 plain = x
[one]
 plain = again
",
        "f",
    )
    .unwrap();
    assert_eq!(texts(&profile, &["one", "plain"]), ["a value with spaces", "again"]);
    assert_eq!(texts(&profile, &["one", "quoted"]), ["  a \"b\" \t\\ "]);
    assert_eq!(texts(&profile, &["one", "group", "deep"]), ["2", "3"]);
    assert_eq!(texts(&profile, &["one", "group", "inner", "deep"]), ["1"]);
    assert_eq!(texts(&profile, &["one", "group"]), [""; 0]);
    assert_eq!(texts(&profile, &[]), [""; 0]);
    assert_eq!(profile.values(&["two", "plain"]).next().unwrap().line, 20);
}

#[test]
fn a_fault_is_named_with_file_and_line() {
    for (text, line, what) in [
        ("[a", 1, "a ] is missing"),
        ("[a] b", 1, "something follows the ]"),
        ("[a]\nb", 2, "a relation needs a ="),
        ("[a]\n= b", 2, "a relation needs a name"),
        ("[a]\nb c = d", 2, "the name of a relation has a space in it"),
        ("[a]\n}", 2, "this } closes nothing"),
        ("[a]\nb =\n\n{", 3, "a { is missing"),
        ("[a]\nb =\nc = d", 3, "a { is missing"),
        ("[a]\nb = {\n[c]", 3, "a section begins within a subsection: a } is missing before it"),
        ("module x.so", 1, "configuration modules cannot be loaded here"),
        ("include /x", 1, "/x cannot be included: this configuration has no files"),
        ("include x", 1, "\"x\" is no whole path: what is included is named from / on"),
    ] {
        let error = Profile::parse(text, "krb5.conf").unwrap_err();
        assert_eq!((error.line, error.what.as_str()), (line, what), "{text:?}");
        assert_eq!(error.to_string(), format!("krb5.conf, line {line}: {what}"));
    }
}

#[test]
fn what_does_not_count_is_told() {
    let text = b"realm = R\n[a]\nb = \"c\" d\ne = {\n} f\ng = h\0i\nj = \xe9\n# \xe9\nk = {\n l = {\nm = 1\n";
    let profile = Profile::parse_with(text, "f", &mut |_| Ok(Vec::new())).unwrap();
    let told: Vec<_> = profile.warnings().iter().map(|told| (told.line, told.what.as_str())).collect();
    assert_eq!(
        told,
        [
            (1, "this stands before the first [section], which begins its line: it does not count"),
            (3, "\"d\" at the end of the line does not count"),
            (5, "\"f\" at the end of the line does not count"),
            (6, "the line has a zero octet: what follows it does not count"),
            (7, "the line is not UTF-8: other octets are replaced by U+FFFD"),
            (11, "the file ends within a subsection: a } is missing"),
        ]
    );
    assert_eq!(texts(&profile, &["a", "g"]), ["h"]);
    assert_eq!(texts(&profile, &["a", "j"]), ["\u{fffd}"]);
    assert_eq!(texts(&profile, &["a", "k", "l", "m"]), ["1"]);
    let deep = format!("[a]\n{}", "b = {\n".repeat(100_000));
    assert_eq!(Profile::parse(&deep, "f").unwrap().warnings().len(), 1);
}

#[test]
fn earlier_files_win_and_final_keeps_later_ones_out() {
    let values = |first: &str, path: &[&str]| {
        let second = "[s]\nv = 2\n[t]\nv = 2\ng = {\n v = 2\n}";
        let files = [first, second].map(|text| Profile::parse(text, "f").unwrap());
        let found = Config::from_profiles(files.to_vec()).unwrap();
        found.values(path).map(|value| value.text.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(values("[s]\nv = 1", &["s", "v"]), ["1", "2"]);
    assert_eq!(values("[s]\nv* = 1\nv = 3", &["s", "v"]), ["1", "3"]);
    assert_eq!(values("[s]*\nv = 1", &["s", "v"]), ["1"]);
    assert_eq!(values("[s]*\nv = 1", &["t", "v"]), ["2"]);
    assert_eq!(values("[t]\ng = {\n}*", &["t", "g", "v"]), [""; 0]);
    assert_eq!(values("[t]\ng* = {\n}", &["t", "g", "v"]), [""; 0]);
    assert_eq!(values("[t]\ng = {\n}", &["t", "g", "v"]), ["2"]);
}

#[test]
fn includes_are_resolved_where_they_stand_and_do_not_run_away() {
    let mut asked = Vec::new();
    let mut resolver = |include: Include<'_>| {
        asked.push(format!("{include:?}"));
        Ok(vec![("b".to_owned(), "[s]\nv = b".into()), ("c".to_owned(), "[s]\nv = c".into())])
    };
    let text = "[s]\nv = a\nincludedir /etc/d\nw = 1\ninclude \t/x y \n";
    let profile = Profile::parse_with(text.as_bytes(), "a", &mut resolver).unwrap();
    assert_eq!(asked, ["Directory(\"/etc/d\")", "File(\"/x y \")"]);
    assert_eq!(texts(&profile, &["s", "v"]), ["a", "b", "c", "b", "c"]);
    assert_eq!(texts(&profile, &["s", "w"]), ["1"]);
    let origin = profile.values(&["s", "v"]).nth(1).unwrap();
    assert_eq!((origin.origin, origin.line), ("b", 2));

    let text = "[r]\nR = {\n kdc = a\ninclude /x\n kdc = d\n}*\n";
    let mut other = |_: Include<'_>| Ok(vec![("x".to_owned(), "[r]\nR = {\n kdc = b\n}".into())]);
    let profile = Profile::parse_with(text.as_bytes(), "a", &mut other).unwrap();
    assert_eq!(texts(&profile, &["r", "R", "kdc"]), ["a", "b", "d"]);

    let mut itself = |_: Include<'_>| Ok(vec![("me".to_owned(), "include /me\ninclude /me".into())]);
    let error = Profile::parse_with(b"include /me", "me", &mut itself).unwrap_err();
    assert!(error.what.contains("too"), "{error}");
    let mut gone = |_: Include<'_>| Err("no such file".to_owned());
    let error = Profile::parse_with(b"\ninclude /me", "f", &mut gone).unwrap_err();
    assert_eq!(error.to_string(), "f, line 2: no such file");
}

#[test]
fn only_suitable_names_of_a_directory_are_included() {
    for name in ["a", "a-b_9", "a.conf", "a b.conf", "a~.conf"] {
        assert!(Include::takes_name(name), "{name}");
    }
    for name in ["", ".conf", ".a.conf", "a~", "a.bak", "a.rpmnew", "#a#", "a.conf~"] {
        assert!(!Include::takes_name(name), "{name}");
    }
}

#[test]
fn every_value_of_libdefaults_is_understood() {
    let config = config(
        "[libdefaults]
 default_realm = R
 default_ccache_name = FILE:/tmp/cc_%{uid}
 default_keytab_name = FILE:/k
 default_client_keytab_name = FILE:/c
 allow_weak_crypto = 1
 canonicalize = on
 clockskew = 1m
 dns_canonicalize_hostname = Fallback
 dns_lookup_kdc = No
 dns_lookup_realm = TRUE
 dns_uri_lookup = off
 client_aware_channel_bindings = 1
 enforce_ok_as_delegate = yes
 forwardable = y
 ignore_acceptor_hostname = t
 kdc_timesync = 0
 noaddresses = nil
 proxiable = yes
 rdns = false
 qualify_shortname = \"\"
 extra_addresses = 192.0.2.1, 2001:db8::1
 enforce_ok_as_delegate = yes
 verify_ap_req_nofail = no
 k5login_authoritative = no
 k5login_directory = /etc/k5login.d
 renew_lifetime = 7d
 ticket_lifetime = 10:00:00
 udp_preference_limit = 1
 permitted_enctypes = aes256-sha2 rc4-hmac, aes128-cts
 default_tkt_enctypes = DEFAULT -aes128-cts
[orthros]
 transfer = no
 transfer_key = file:/k
 transfer_ledger = memory
 transfer_allow = uid
 transfer_policy = user, audience=mail
 transfer_suspend = yes",
    );
    assert_eq!(config.default_realm.as_deref(), Some("R"));
    assert_eq!(config.default_ccache_name.as_deref(), Some("FILE:/tmp/cc_%{uid}"));
    assert_eq!(config.default_keytab_name.as_deref(), Some("FILE:/k"));
    assert_eq!(config.default_client_keytab_name.as_deref(), Some("FILE:/c"));
    assert!(config.allow_weak_crypto && config.canonicalize && config.dns_lookup_realm);
    assert!(config.client_aware_channel_bindings && config.enforce_ok_as_delegate);
    assert!(config.forwardable && config.ignore_acceptor_hostname && config.proxiable);
    assert!(!config.dns_lookup_kdc && !config.dns_uri_lookup && !config.kdc_timesync);
    assert!(!config.noaddresses && !config.rdns && !config.k5login_authoritative);
    assert!(config.enforce_ok_as_delegate && !config.verify_ap_req_nofail);
    assert_eq!(config.k5login_directory.as_deref(), Some("/etc/k5login.d"));
    assert_eq!(config.qualify_shortname.as_deref(), Some(""));
    assert_eq!(config.extra_addresses, ["192.0.2.1", "2001:db8::1"]);
    assert_eq!(config.dns_canonicalize_hostname, CanonicalizeHost::Fallback);
    assert_eq!((config.clockskew, config.ticket_lifetime), (60, 36_000));
    assert_eq!((config.renew_lifetime, config.udp_preference_limit), (Some(604_800), 1));
    let numbers = |list: &[Enctype]| list.iter().map(|enctype| enctype.number()).collect::<Vec<_>>();
    assert_eq!(numbers(&config.permitted_enctypes), [20, 23, 17]);
    assert_eq!(numbers(&config.default_tkt_enctypes), [18, 20, 19, 16, 23, 26, 25]);
    assert_eq!(numbers(&config.default_tgs_enctypes), [20, 23, 17]);
    let [key, ledger, allow] = ["file:/k", "memory", "uid"].map(|text| Some(text.to_owned()));
    let policy = Some("user, audience=mail".to_owned());
    assert_eq!(config.transfer, Transfer { enabled: false, key, ledger, allow, policy, suspend: true });
}

#[test]
fn weak_enctypes_count_only_where_they_are_listed_and_switched_on() {
    let numbers = |lines: &str| {
        let config = Config::parse(&format!("[libdefaults]\n{lines}")).unwrap();
        assert_eq!(config.default_tkt_enctypes, config.permitted_enctypes);
        assert_eq!(config.default_tgs_enctypes, config.permitted_enctypes);
        config.permitted_enctypes.iter().map(|enctype| enctype.number()).collect::<Vec<_>>()
    };
    let strong = [18, 17, 20, 19, 26, 25];
    assert_eq!(numbers(""), strong);
    assert_eq!(Config::default().permitted_enctypes, Enctype::STRONG);
    assert_eq!(numbers("permitted_enctypes = DEFAULT rc4 des3"), strong);
    assert_eq!(numbers("allow_rc4 = true"), [18, 17, 20, 19, 23, 26, 25]);
    assert_eq!(numbers("allow_des3 = true"), [18, 17, 20, 19, 16, 26, 25]);
    assert_eq!(numbers("allow_weak_crypto = true"), [18, 17, 20, 19, 16, 23, 26, 25]);
    assert_eq!(numbers("allow_rc4 = true\npermitted_enctypes = aes256-cts"), [18]);
    assert_eq!(numbers("allow_rc4 = true\npermitted_enctypes = rc4 des3 aes256-cts"), [23, 18]);
    let refused = Config::parse("[libdefaults]\npermitted_enctypes = rc4-hmac").unwrap_err();
    assert_eq!(
        refused.what,
        "permitted_enctypes = \"rc4-hmac\" is no list of enctypes that are strong enough: allow_rc4 = true \
         would allow it"
    );
}

#[test]
fn a_value_that_means_nothing_is_refused_with_its_place() {
    for (relation, what) in [
        ("forwardable = maybe", "forwardable = \"maybe\" is no boolean: write yes or no"),
        ("clockskew = -5", "clockskew = \"-5\" is no duration: write 36000, 10h or 10:00:00"),
        ("udp_preference_limit = x", "udp_preference_limit = \"x\" is no number"),
        (
            "permitted_enctypes = des",
            "permitted_enctypes = \"des\" is no list that names an enctype which can be used here",
        ),
    ] {
        let error = Config::parse(&format!("[libdefaults]\n{relation}")).unwrap_err();
        assert_eq!((error.line, error.what.as_str()), (2, what));
    }
    let other = Config::parse("[realms]\nR = {\n kdc = :88\n kdc = a\n}").unwrap();
    let told: Vec<_> =
        other.warnings().map(|told| (told.line, told.what.starts_with("kdc = \":88\" is no"))).collect();
    assert_eq!((told.as_slice(), other.kdcs("R").len()), (&[(3, true)][..], 1));
    assert!(Config::for_realm("R", &["host:port"]).is_err());
}

#[test]
fn durations_are_read_in_every_form() {
    for (text, seconds) in [
        ("0", Some(0)),
        (" 300", Some(300)),
        ("300 ", None),
        ("10h", Some(36_000)),
        ("1d2h3m4s", Some(93_784)),
        ("1d 2h 3m 4s", Some(93_784)),
        ("10 h", None),
        ("1h ", Some(3_600)),
        ("1s ", None),
        ("100:30", Some(361_800)),
        ("1:100", None),
        ("2d-1h", Some(169_200)),
        ("10x", Some(10)),
        ("10:30", Some(37_800)),
        ("10:30:15", Some(37_815)),
        ("1-0:0:1", Some(86_401)),
        ("2147483647", Some(2_147_483_647)),
        ("2147483648", None),
        ("99999999d", None),
        ("", None),
        ("h", None),
        ("1h2h", None),
        ("1s2h", None),
        ("1h30", None),
        ("1:2:3:4", None),
        ("-1", None),
        ("1é", Some(1)),
        ("x", None),
    ] {
        assert_eq!(parse_duration(text), seconds, "{text:?}");
    }
}

#[test]
fn addresses_of_kdcs_are_read_and_written() {
    for (text, written) in [
        ("kdc.example.com", "kdc.example.com:88"),
        ("kdc.example.com:750", "kdc.example.com:750"),
        ("127.0.0.1:1", "127.0.0.1:1"),
        ("[::1]:750", "[::1]:750"),
        ("[::1]", "[::1]:88"),
        ("2001:db8::1", "[2001:db8::1]:88"),
        ("tcp/kdc:750", "tcp/kdc:750"),
        ("udp/[::1]:750", "udp/[::1]:750"),
        ("https://proxy.example.com/KdcProxy", "https://proxy.example.com:443/KdcProxy"),
        ("https://proxy:8443", "https://proxy:8443/"),
    ] {
        let address = KdcAddress::parse(text, 88).unwrap();
        assert_eq!(address.to_string(), written);
        assert_eq!(KdcAddress::parse(written, 1), Some(address));
    }
    for text in
        ["", ":88", "kdc:", "kdc:0", "kdc:65536", "kdc:+1", "[::1", "[::1]x", "a b", "ftp://x", "tcp/"]
    {
        assert_eq!(KdcAddress::parse(text, 88), None, "{text:?}");
    }
}

#[test]
fn the_first_file_that_names_kdcs_comes_first() {
    let files = [
        "[realms]\nR = {\n kdc = a\n kdc = b:89\n kpasswd_server = p\n}",
        "[realms]\nR = {\n kdc = c\n master_kdc = m\n}\nS = {\n}",
    ];
    let profiles = files.map(|text| Profile::parse(text, "f").unwrap()).to_vec();
    let config = Config::from_profiles(profiles).unwrap();
    let hosts = |list: &[KdcAddress]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(hosts(config.kdcs("R")), ["a:88", "b:89", "c:88"]);
    let realm = config.realm("R").unwrap();
    assert_eq!(hosts(&realm.kpasswd_servers), ["p:464"]);
    assert_eq!(hosts(&realm.primary_kdcs), ["m:88"]);
    assert_eq!(config.realms().map(|(name, _)| name).collect::<Vec<_>>(), ["R", "S"]);
    assert!(config.kdcs("T").is_empty());
}

#[test]
fn a_host_belongs_to_the_realm_of_its_nearest_domain() {
    let config = config(
        "[domain_realm]\n www.example.com = WWW\n .example.com = DOT\n example.com = BARE\n Org = ORG\n",
    );
    for (host, realm) in [
        ("www.example.com", Some("WWW")),
        ("WWW.Example.Com.", Some("WWW")),
        ("a.www.example.com", Some("WWW")),
        ("mail.example.com", Some("DOT")),
        ("example.com", Some("BARE")),
        ("x.y.org", Some("ORG")),
        ("org", Some("ORG")),
        ("com", None),
        ("localhost", None),
        ("127.0.0.1", None),
        ("::1", None),
        ("", None),
        (".", None),
    ] {
        assert_eq!(config.realm_of_host(host), realm, "{host}");
    }
}

#[test]
fn heimdals_lists_of_enctypes_count_where_mits_do_not_stand() {
    let numbers = |text: &str| {
        let config = Config::parse(&format!("[libdefaults]\n{text}")).unwrap();
        [config.default_tkt_enctypes, config.default_tgs_enctypes]
            .map(|list| list.iter().map(|enctype| enctype.number()).collect::<Vec<_>>())
    };
    assert_eq!(numbers("default_etypes = aes256-cts"), [[18], [18]]);
    assert_eq!(numbers("default_etypes = aes256-cts\ndefault_as_etypes = aes128-cts"), [[17], [18]]);
    assert_eq!(numbers("default_tgs_etypes = aes128-sha2\ndefault_etypes = aes256-cts"), [[18], [19]]);
    assert_eq!(numbers("default_tkt_enctypes = aes256-sha2\ndefault_etypes = aes256-cts"), [[20], [18]]);
}

#[test]
fn misspelt_relations_are_told_and_known_ones_are_not() {
    let text = "[libdefaults]
 Default-Realm = R
 ticket_lifetme = 1h
 frobnicate = 1
 pkinit_anchors = FILE:/x
 default_etypes = aes256-cts
 R = {
  anything = goes
 }
[relams]
[realms]
 R = {
  kcd = x
  auth_to_local_name = {
  }
 }
[orthros]
 transfer_keys = x
[domain_realm]
 any.thing = R
";
    let told: Vec<_> =
        config(text).unknown_relations().into_iter().map(|told| (told.line, told.what)).collect();
    let expected = [
        (10, "relams as a section is not known: did you mean realms?"),
        (2, "Default-Realm in [libdefaults] is not known: did you mean default_realm?"),
        (3, "ticket_lifetme in [libdefaults] is not known: did you mean ticket_lifetime?"),
        (4, "frobnicate in [libdefaults] is not known"),
        (18, "transfer_keys in [orthros] is not known: did you mean transfer_key?"),
        (13, "kcd in R of [realms] is not known"),
        (14, "auth_to_local_name in R of [realms] is not known: did you mean auth_to_local_names?"),
    ];
    assert_eq!(told, expected.map(|(line, what)| (line, what.to_owned())));
}

#[test]
fn heimdals_name_of_the_cache_gives_way_to_mits() {
    let name = |text: &str| config(&format!("[libdefaults]\n{text}")).default_ccache_name;
    assert_eq!(name("default_cc_name = a").as_deref(), Some("a"));
    assert_eq!(name("default_cc_name = a\ndefault_ccache_name = b").as_deref(), Some("b"));
}

#[test]
fn the_nearest_default_of_an_application_wins() {
    let config = config("[appdefaults]\no = 1\nR = {\no = 2\n}\na = {\no = 3\nR = {\no = 4\n}\n}\n");
    for (application, realm, option, value) in [
        ("a", "R", "o", Some("4")),
        ("a", "S", "o", Some("3")),
        ("b", "R", "o", Some("2")),
        ("b", "S", "o", Some("1")),
        ("a", "R", "p", None),
    ] {
        assert_eq!(config.appdefault(application, realm, option), value, "{application} {realm}");
    }
}

#[test]
fn tokens_in_names_are_replaced() {
    let tokens = PathTokens { uid: 1000, euid: 0, username: "alice".into(), temp: "/tmp".into() };
    for (template, name) in [
        ("FILE:%{TEMP}/krb5cc_%{uid}", "FILE:/tmp/krb5cc_1000"),
        ("%{euid}%{null}%{username}%{USERID}", "0alice1000"),
        ("100%", "100%"),
    ] {
        assert_eq!(tokens.expand(template).as_deref(), Ok(name));
    }
    for bad in ["%{home}", "%{uid"] {
        assert!(tokens.expand(bad).unwrap_err().to_string().starts_with(bad));
    }
}

#[test]
fn a_realm_can_be_configured_without_a_text() {
    let mut config = Config::for_realm("R", &["127.0.0.1:88", "tcp/[::1]"]).unwrap();
    config.set_realm_of_host(".Example.com", "R");
    assert_eq!(config.kdcs("R").len(), 2);
    assert_eq!(config.default_realm.as_deref(), Some("R"));
    assert_eq!(config.realm_of_host("x.example.com"), Some("R"));
    assert!(!config.dns_lookup_kdc);
}
