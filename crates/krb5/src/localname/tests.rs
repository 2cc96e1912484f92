use super::ere::Expression;
use super::*;

fn config(relations: &str) -> Config {
    Config::parse(&format!("[libdefaults]\ndefault_realm = R\n[realms]\nR = {{\n{relations}\n}}\n")).unwrap()
}

fn local(relations: &str, principal: &str) -> Result<Option<String>, BadConfig> {
    local_name(&config(relations), &principal.parse().unwrap())
}

#[test]
fn a_principal_becomes_the_user_that_the_first_fitting_rule_says() {
    for (rules, principal, user) in [
        ("", "a@R", Some("a")),
        ("", "a/R@R", Some("a")),
        ("", "a/b@R", None),
        ("", "a@S", None),
        ("auth_to_local = RULE:[1:$1@$0](.*@S)s/@.*//", "a@S", Some("a")),
        ("auth_to_local = RULE:[1:$1@$0](.*@S)s/@.*//", "a@R", None),
        ("auth_to_local = RULE:[1:$1@$0](S)", "a@S", None),
        ("auth_to_local = RULE:[2:$2-$1-$9]\nauth_to_local = DEFAULT", "a@R", Some("a")),
        ("auth_to_local = RULE:[2:$2$1x$]", "a/b@S", Some("baxS")),
        ("auth_to_local = RULE:s/a/b/", "aa/a@S", Some("ba/a")),
        ("auth_to_local = RULE:s/a/b/gs/b/c/ s/c//", "aa@S", Some("b")),
        ("auth_to_local = RULE:s/^a//g", "aaab@S", Some("b")),
        ("auth_to_local = RULE:s/a|ab/x/", "abc@S", Some("xc")),
        ("auth_to_local = RULE:s/x*/-/g", "axb@S", Some("-axb")),
        ("auth_to_local = RULE:(a{2}s/a//", "aa@S", None),
        ("auth_to_local_names = {\n a = one\n a = two\n a/b = three\n}", "a@S", Some("two")),
        ("auth_to_local_names = {\n a = one\n a = two\n a/b = three\n}", "a/b@S", Some("three")),
    ] {
        let expected = user.map(str::to_owned);
        match local(rules, principal) {
            Ok(user) => assert_eq!(user, expected, "{rules}: {principal}"),
            Err(error) => assert_eq!((rules, error.line), ("auth_to_local = RULE:(a{2}s/a//", 5)),
        }
    }
    let nameless = Config::default();
    assert_eq!(local_name(&nameless, &"a@R".parse().unwrap()), Ok(None));
}

#[test]
fn a_malformed_rule_ends_the_search_and_is_named() {
    for (rule, what) in [
        ("RULE", "RULE needs a : and a rule"),
        ("DB:x", "it is neither RULE: nor DEFAULT"),
        ("RULE:[1:$1", "its [ has no ]"),
        ("RULE:[1]", "its selection is not [components:string]"),
        ("RULE:[-1:$1]", "its selection is not [components:string]"),
        ("RULE:[1:$2]", "it selects a component that is not there"),
        ("RULE:[1:$99999999999999999999]", "the number after a $ is too large"),
        ("RULE:[1:$1](a", "its ( has no )"),
        ("RULE:[1:$1]s/a/b", "a replacement is not s/expression/text/ or s/expression/text/g"),
        ("RULE:[1:$1]s/a/b/i", "a replacement is not s/expression/text/ or s/expression/text/g"),
    ] {
        let error = local(&format!("auth_to_local = {rule}\nauth_to_local = DEFAULT"), "a@R").unwrap_err();
        assert_eq!((error.line, error.what), (5, format!("auth_to_local = {rule}: {what}")));
    }
}

#[test]
fn expressions_mean_what_posix_says() {
    for (expression, text, fits) in [
        ("", "", true),
        ("a|", "", true),
        ("(a|b)*c", "ababc", true),
        ("a{2,3}", "aaaa", false),
        ("a{,2}b", "aab", true),
        ("[]a]+", "]a", true),
        ("[^]a]", "b", true),
        ("[a-c-]*", "b-", true),
        ("[[:alpha:]_][[:digit:]]?", "_7", true),
        ("[[.-.]x[=y=]]*", "-xy", true),
        ("[\\]", "\\", true),
        ("a.c", "abc", true),
        (r"\.\w\W\s\S", ".a- b", true),
        (r"\<a\>\b-\Bx?", "a-", true),
        ("^a$", "a", true),
        ("a)", "a)", true),
        ("x}", "x}", true),
        ("()", "", true),
    ] {
        assert_eq!(Expression::parse(expression).unwrap().fits(text), fits, "{expression}");
    }
    let deep = "(".repeat(100_000);
    let large = "((a{200}){200}){200}";
    for bad in [
        "*a",
        "a|*",
        "(*a)",
        "^*",
        "{1}",
        "a{",
        "a{x}",
        "a{2,1}",
        "a{99999}",
        "[a",
        "[b-a]",
        "[a-c-e]",
        "[[:x:]]",
        "[[:alpha:]-z]",
        "(a",
        "a\\",
        r"(a)\1",
        &deep,
        large,
    ] {
        assert!(Expression::parse(bad).is_err(), "{bad}");
    }
    // As long as the product of both lengths, not more.
    let slow = Expression::parse("(a*)*(a|aa)*b").unwrap();
    assert!(!slow.fits(&"a".repeat(1_000)));
}

#[test]
fn the_login_file_decides_where_there_is_one() {
    let mut config = config("");
    let alice: Principal = "alice@R".parse().unwrap();
    let listed = LoginFile::Content(b"bob@S\nalice@R");
    let other = LoginFile::Content(b"# alice@R\nalice@R \nalice@R\r\nalice\nalice@R\0\n");
    assert!(may_log_in(&config, &alice, "root", listed));
    assert!(may_log_in(&config, &alice, "alice", LoginFile::Absent));
    assert!(!may_log_in(&config, &alice, "root", LoginFile::Absent));
    assert!(!may_log_in(&config, &alice, "alice", other));
    assert!(!may_log_in(&config, &alice, "alice", LoginFile::Refused));
    config.k5login_authoritative = false;
    assert!(may_log_in(&config, &alice, "alice", other));
    assert!(may_log_in(&config, &alice, "alice", LoginFile::Refused));
    assert!(!may_log_in(&config, &alice, "root", other));
}
