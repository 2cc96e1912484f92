//! Local users: ours and MIT's library name the same user for a principal, and let the same principals log in.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;

use interop::profile::{NEEDS, ask, plain};
use interop::{Failure, Scenario};
use orthros_krb5::config::Config;
use orthros_krb5::localname::{LoginFile, local_name, may_log_in};
use orthros_wire::testing::SeededRandom;

use crate::profile::below;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("local_names::rules", NEEDS, local_names),
        Scenario::new("local_names::random_expressions", NEEDS, random_rules),
        Scenario::new("local_names::logins", NEEDS, logins),
    ]
}

const PRINCIPALS: &[&str] = &[
    "alice@R",
    "bob@S",
    "alice/admin@R",
    "alice/R@R",
    "alice/S@R",
    "host/www.example.com@R",
    "a/b/c@R",
    "johndoe@R",
    "johndoe/admin@S",
    "aaab@R",
    "abcabc@R",
    "ab\\@c@R",
    "x\\/y@R",
    "AbC123@S.EXAMPLE",
    "_-.@R",
    "b@R",
];

/// A file with these rules, and what becomes of every principal.
fn compare_rules(lists: &[String]) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut requests = Vec::new();
    for (number, rules) in lists.iter().enumerate() {
        let file = folder.path().join(number.to_string());
        fs::write(&file, with_rules(rules))?;
        let path = file.into_os_string().into_encoded_bytes();
        requests
            .extend(PRINCIPALS.iter().map(|name| ("local", vec![path.clone(), name.as_bytes().to_vec()])));
    }
    let mut answers = ask(&requests)?.into_iter();
    for rules in lists {
        let config = Config::parse(&with_rules(rules)).unwrap();
        for name in PRINCIPALS {
            let theirs = answers.next().unwrap();
            let theirs = match theirs[0].strip_prefix("error ") {
                None => Ok(Some(plain(&theirs[0]))),
                Some("-1765328208") => Ok(None),
                Some(number) => Err(number.to_owned()),
            };
            let ours = local_name(&config, &name.parse().unwrap());
            let same = match (&ours, &theirs) {
                (Ok(ours), Ok(theirs)) => ours == theirs,
                (ours, theirs) => ours.is_err() && theirs.is_err(),
            };
            assert!(same, "{rules}\n{name}: {ours:?}, {theirs:?}");
        }
    }
    Ok(())
}

fn with_rules(rules: &str) -> String {
    format!("[libdefaults]\ndefault_realm = R\n[realms]\nR = {{\n{rules}\n}}\n")
}

fn local_names() -> Result<(), Failure> {
    let rules = [
        "RULE:[1:$1]",
        "RULE:[1:$1@$0](.*@S)s/@.*//",
        "RULE:[2:$1](johndoe)s/^.*$/guest/",
        "RULE:[2:$1;$2](^.*;admin$)s/;admin$//",
        "RULE:[2:$2]",
        "RULE:[3:$3.$2.$1]",
        "RULE:[1:$0$1$0]",
        "RULE:[1:$x]",
        "RULE:[1:$-1]",
        "RULE:[1:$2]",
        "RULE:[2:$2$3]",
        "RULE:[0:x]",
        "RULE:[-1:x]",
        "RULE:[ 1:x]",
        "RULE:[+1:x]",
        "RULE:[:x]",
        "RULE:[1x]",
        "RULE:[1:x",
        "RULE:[1:]",
        "RULE:",
        "RULE",
        "RULE:s/a/b/",
        "RULE:s/a/b/g",
        "RULE:s/a/b",
        "RULE:s/a/",
        "RULE:s/a/b/x",
        "RULE:s/a/b/ ",
        "RULE: s/a/b/",
        "RULE:s/a/b/s/b/c/",
        "RULE:s/a/b/g s/b/c/g",
        "RULE:(alice)",
        "RULE:(a.*)s/^a//",
        "RULE:(al(i)ce)",
        "RULE:(",
        "RULE:()",
        "RULE:(alice)x",
        "RULE:[1:$1](^[a-z]+$)",
        "RULE:[1:$1](^[[:alpha:]]*$)",
        "RULE:[1:$1]([^a]*)",
        "RULE:[1:$1](*a)",
        "RULE:[1:$1](a**)",
        "RULE:[1:$1](a+?lice)",
        "RULE:[1:$1](a{3}b)",
        "RULE:[1:$1](a{,3}b)",
        "RULE:[1:$1](a{1,}b)",
        "RULE:[1:$1](a{2,1}b)",
        "RULE:[1:$1](a{b)",
        "RULE:[1:$1]({)",
        "RULE:[1:$1](.*})",
        "RULE:[1:$1](a|alice)",
        "RULE:[1:$1](|alice)",
        "RULE:[1:$1](alice|)",
        "RULE:[1:$1](^^alice$$)",
        "RULE:[1:$1](^*alice)",
        "RULE:[1:$1](\\w+)",
        "RULE:[1:$1](\\<alice\\>)",
        "RULE:[1:$1](\\alice)",
        "RULE:[1:$1](alice\\)",
        "RULE:[1:$1]([]a-z]*)",
        "RULE:[1:$1]([a-c-e]*)",
        "RULE:[1:$1]([z-a])",
        "RULE:[1:$1]([[:foo:]])",
        "RULE:[1:$1]([a)",
        "RULE:[1:$1]([[.a.]]*lice)",
        "RULE:[1:$1]([[=a=]]*lice)",
        "RULE:[1:$1]([\\w]*)",
        "RULE:s/a|ab|abc/-/",
        "RULE:s/(a|ab)(c|bcd)?/-/g",
        "RULE:s/(b|ca)*/-/",
        "RULE:s/^a//g",
        "RULE:s/a$/-/g",
        "RULE:s/[0-9]+//g",
        "RULE:s/.//",
        "RULE:s/b+/&/g",
        "RULE:s/(a)/\\1\\1/",
        "RULE:s/\\./-/g",
        "RULE:s/a)/x/",
        "RULE:s/(a/x/",
        "RULE:s/()/x/",
        "RULE:s/(^a|b$)/x/g",
        "RULE:s/(|a)+/x/",
        "RULE:s/(a*)+b/x/",
        "RULE:s/\\bc/x/g",
        "RULE:s/b\\B/x/g",
        "RULE:s/\\W/x/g",
        "DEFAULT",
        "DEFAULT:x",
        "default",
        "DB:/x",
        "",
        "RULE :x",
        "RULE:[1:$1] (alice)",
    ];
    let mut lists: Vec<String> =
        rules.iter().map(|rule| format!("auth_to_local = \"{}\"", rule.replace('\\', "\\\\"))).collect();
    let chains: Vec<String> = lists.iter().map(|rule| format!("{rule}\nauth_to_local = DEFAULT")).collect();
    lists.extend(chains);
    lists.push(String::new());
    lists.push("auth_to_local_names = {\n alice = one\n alice = two\n alice/admin = three\n}\nauth_to_local = RULE:[2:x]".into());
    lists.push("auth_to_local_names = {\n ab\\@c = at\n x\\/y = slash\n b@R = no\n}".into());
    compare_rules(&lists)
}

/// Replacements by expressions drawn at random: which match is the leftmost, and which of those the longest.
fn random_rules() -> Result<(), Failure> {
    const WORDS: &[&str] = &[
        "a",
        "b",
        "c",
        "ab",
        "|",
        "|",
        "(",
        ")",
        "*",
        "+",
        "?",
        ".",
        "[ab]",
        "[^b]",
        "{2}",
        "{1,2}",
        "^",
        "$",
        "\\\\b",
        "\\\\<",
        "[[:alpha:]]",
        "\\\\w",
        "()",
        "{,1}",
    ];
    let random = SeededRandom::new(22);
    let lists: Vec<String> = (0..600)
        .map(|number| {
            let count = 1 + below(&random, 7);
            let expression: String = (0..count).map(|_| WORDS[below(&random, WORDS.len())]).collect();
            match number % 2 {
                0 => format!("auth_to_local = \"RULE:[1:$1]s/{expression}/-/\""),
                _ => format!("auth_to_local = \"RULE:[1:$1]({expression})\""),
            }
        })
        .collect();
    compare_rules(&lists)
}

/// `.k5login` of the user that runs this, in a configured directory.
fn logins() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let user = "root";
    let file = folder.path().join(user);
    let contents: &[Option<&[u8]>] = &[
        None,
        Some(b""),
        Some(b"root@R\n"),
        Some(b"alice@R"),
        Some(b"bob@S\nalice@R\n"),
        Some(b" alice@R\n"),
        Some(b"alice@R \n"),
        Some(b"alice@R\r\n"),
        Some(b"# alice@R\nalice\n"),
        Some(b"alice@R extra\n\nroot@R"),
    ];
    for authoritative in ["true", "false"] {
        let text = format!(
            "[libdefaults]\ndefault_realm = R\nk5login_directory = {}\nk5login_authoritative = {authoritative}\n",
            folder.path().display()
        );
        let conf = folder.path().join("krb5.conf");
        fs::write(&conf, &text)?;
        let config = Config::parse(&text).unwrap();
        for content in contents {
            match content {
                Some(content) => fs::write(&file, content)?,
                None => drop(fs::remove_file(&file)),
            }
            let login = content.map_or(LoginFile::Absent, LoginFile::Content);
            for name in ["alice@R", "root@R", "bob@S", "root@S"] {
                let theirs = ask(&[("login", vec![conf.to_str().unwrap(), name, user])])?;
                let ours = may_log_in(&config, &name.parse().unwrap(), user, login);
                assert_eq!(theirs, [[u32::from(ours).to_string()]], "{name}, {authoritative}, {content:?}");
            }
        }
        let theirs = ask(&[("login", vec![conf.to_str().unwrap(), "no-such-user@R", "no-such-user"])])?;
        let ours =
            may_log_in(&config, &"no-such-user@R".parse().unwrap(), "no-such-user", LoginFile::Refused);
        assert_eq!(theirs, [[u32::from(ours).to_string()]]);
    }
    Ok(())
}
