//! Configuration files and the values in them: ours and MIT's library understand them alike, on a corpus in
//! `interop/profiles`, tables, and texts drawn at random from fixed seeds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use interop::profile::{NEEDS, ask, plain};
use interop::{Failure, Scenario};
use orthros::settings;
use orthros_krb5::config::{Config, parse_duration};
use orthros_wire::Random as _;
use orthros_wire::testing::SeededRandom;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("profile::corpus", NEEDS, corpus),
        Scenario::new("profile::lists_of_files", NEEDS, lists_of_files),
        Scenario::new("profile::mutated_files", NEEDS, mutated_files),
        Scenario::new("profile::durations", NEEDS, durations),
        Scenario::new("profile::booleans_and_integers", NEEDS, booleans_and_integers),
        Scenario::new("profile::realms_of_hosts", NEEDS, realms_of_hosts),
    ]
}

/// Where we part from MIT krb5 1.20 on purpose, and why.
const OTHERWISE: &[(&str, &str)] = &[
    ("byte-order-mark.conf", "there the first section is lost behind a byte order mark"),
    ("include-relative.conf", "a path that depends on the working directory is refused"),
    ("line-of-5000.conf", "there the 2048th octet of a line begins a new one"),
];

/// The corpus in a folder of its own, with that folder in place of `@DIR@`.
fn copied() -> Result<(tempfile::TempDir, Vec<PathBuf>), Failure> {
    let folder = tempfile::tempdir()?;
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    fs::create_dir(folder.path().join("included"))?;
    let mut files = Vec::new();
    for name in ["", "included"] {
        for entry in fs::read_dir(from.join(name))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                let to = folder.path().join(name).join(entry.file_name());
                let content = replaced(&fs::read(entry.path())?, folder.path());
                fs::write(&to, content)?;
                files.extend(name.is_empty().then_some(to));
            }
        }
    }
    files.sort();
    assert!(files.len() >= 60);
    Ok((folder, files))
}

fn replaced(content: &[u8], folder: &Path) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = content;
    while let Some(at) = rest.windows(5).position(|part| part == b"@DIR@") {
        octets.extend(&rest[..at]);
        octets.extend(folder.as_os_str().as_encoded_bytes());
        rest = &rest[at + 5..];
    }
    octets.extend(rest);
    octets
}

type Lines = Vec<(String, String)>;

/// All sections and values, sorted by path; values of one path in their order.
fn dump(
    relations: impl Fn(&[&str]) -> Vec<(String, String)>,
    subsections: impl Fn(&[&str]) -> BTreeSet<String>,
) -> Lines {
    let mut lines = Vec::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(path) = open.pop() {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let at = |name: &str| names.iter().chain([&name]).map(|name| format!("/{name}")).collect::<String>();
        lines.extend(relations(&names).into_iter().map(|(name, text)| (at(&name), format!("= {text}"))));
        for name in subsections(&names) {
            lines.push((at(&name), "{}".to_owned()));
            open.push(path.iter().cloned().chain([name]).collect());
        }
    }
    lines.sort_by(|one, other| one.0.cmp(&other.0));
    lines
}

fn ours(path: &Path) -> Option<Lines> {
    let profiles = settings::profiles(&[path.to_owned()]).ok()?;
    let profile = profiles.first()?;
    Some(dump(
        |path| profile.relations(path).map(|value| (value.name.to_owned(), value.text.to_owned())).collect(),
        |path| profile.subsections(path).map(str::to_owned).collect(),
    ))
}

/// An answer of the library to `dump`, in the same form; `None` for an error.
fn theirs(answer: &[String]) -> Option<Lines> {
    let mut lines = Vec::new();
    for line in answer {
        if line.starts_with("error") {
            return None;
        }
        let (path, value) = line.split_once(' ').unwrap();
        lines.push((plain(path), plain(value)));
    }
    lines.sort_by(|one, other| one.0.cmp(&other.0));
    Some(lines)
}

fn compare(files: &[PathBuf]) -> Result<usize, Failure> {
    let requests: Vec<_> =
        files.iter().map(|file| ("dump", vec![file.as_os_str().as_encoded_bytes()])).collect();
    let mut read = 0;
    for (file, answer) in files.iter().zip(ask(&requests)?) {
        let (ours, theirs) = (ours(file), theirs(&answer));
        let name = file.file_name().unwrap().to_string_lossy();
        let otherwise = OTHERWISE.iter().any(|(file, _)| *file == name);
        if (ours == theirs) == otherwise {
            let content = fs::read(file)?;
            let text = String::from_utf8_lossy(&content);
            return Err(Failure::new(format!("{name}: {text}\nours: {ours:#?}\ntheirs: {theirs:#?}")));
        }
        read += usize::from(theirs.is_some());
    }
    Ok(read)
}

fn corpus() -> Result<(), Failure> {
    let (_folder, files) = copied()?;
    let read = compare(&files)?;
    assert!((30..files.len() - 10).contains(&read), "{read} of {} are no errors", files.len());
    Ok(())
}

/// Several files, directories, missing ones: in which order they count, and what final keeps out.
fn lists_of_files() -> Result<(), Failure> {
    let (folder, files) = copied()?;
    let named = |name: &str| folder.path().join(name);
    let mut lists: Vec<Vec<PathBuf>> = Vec::new();
    for first in ["debian.conf", "heimdal.conf", "final-section.conf", "final-subsection.conf", "included"] {
        for second in
            ["section-twice.conf", "nested.conf", "missing.conf", "active-directory.conf", "included"]
        {
            lists.push(vec![named(first), named(second)]);
            lists.push(vec![named(second), named(first), named("red-hat.conf")]);
        }
    }
    lists.push(vec![named("missing.conf"), named("brace-too-many.conf")]);
    lists.push(vec![named("debian.conf"), named("debian.conf").join("below")]);
    let joined = |list: &[PathBuf]| std::env::join_paths(list).unwrap().into_encoded_bytes();
    let requests: Vec<_> = lists.iter().map(|list| ("dump", vec![joined(list)])).collect();
    for (list, answer) in lists.iter().zip(ask(&requests)?) {
        // Profiles one by one know nothing of what earlier ones close; the configuration does.
        let ours = settings::profiles(list).ok().map(|profiles| {
            let config = Config::from_profiles(profiles).unwrap();
            dump(
                |path| {
                    config
                        .relations(path)
                        .map(|value| (value.name.to_owned(), value.text.to_owned()))
                        .collect()
                },
                |path| config.subsections(path).map(str::to_owned).collect(),
            )
        });
        assert_eq!(ours, theirs(&answer), "{list:?}");
    }
    // Nothing but missing files is an empty configuration (and the library's contexts go on with it).
    let missing = ask(&[("realm", vec!["/nonexistent", "www.example.com"])])?;
    assert_eq!(missing, [[""]]);
    assert!(settings::profiles(&["/nonexistent".into()]).is_ok());
    drop(files);
    Ok(())
}

pub(crate) fn below(random: &SeededRandom, limit: usize) -> usize {
    let mut octets = [0; 4];
    random.fill(&mut octets);
    usize::try_from(u32::from_le_bytes(octets)).unwrap() % limit
}

/// Files of the corpus with a few octets or lines changed, and files of random words.
fn mutated_files() -> Result<(), Failure> {
    const WORDS: &[&str] = &[
        "[",
        "]",
        "{",
        "}",
        "=",
        "*",
        "\"",
        "\\",
        "#",
        ";",
        " ",
        "\t",
        "\n",
        "\r\n",
        "\0",
        "a",
        "b",
        "[a]\n",
        "[b]*\n",
        " a = b\n",
        " c = {\n",
        " }\n",
        " }*\n",
        "\n{\n",
        "d =\n",
        "\u{b}",
        "é",
        "module x\n",
        " \"x\\n\" y\n",
    ];
    let (folder, files) = copied()?;
    let bases: Vec<Vec<u8>> = files
        .iter()
        .map(|file| fs::read(file).unwrap())
        .filter(|content| content.len() < 2_000 && !content.windows(7).any(|part| part == b"include"))
        .collect();
    let random = SeededRandom::new(20);
    let mut mutated = Vec::new();
    for number in 0..6_000 {
        let mut content = match number % 3 {
            0 => b"[a]\n".to_vec(),
            _ => bases[below(&random, bases.len())].clone(),
        };
        for _ in 0..=below(&random, if number % 3 == 0 { 30 } else { 4 }) {
            let at = if number % 3 == 0 { content.len() } else { below(&random, content.len() + 1) };
            let word = WORDS[below(&random, WORDS.len())];
            let cut = if number % 2 == 0 { 0 } else { below(&random, 3).min(content.len() - at) };
            content.splice(at..at + cut, word.bytes());
        }
        if content.starts_with(b"\xef\xbb\xbf")
            || content.split(|&octet| octet == b'\n').any(|line| line.len() > 2_000)
        {
            continue;
        }
        let file = folder.path().join(format!("mutated-{number}"));
        fs::write(&file, content)?;
        mutated.push(file);
    }
    let read = compare(&mutated)?;
    assert!(read > 1_000 && mutated.len() - read > 1_000, "{read} of {} can be read", mutated.len());
    Ok(())
}

fn durations() -> Result<(), Failure> {
    let mut texts: Vec<String> = [
        "0",
        "3600",
        "1d2h",
        "1d 2h 3m 4s",
        "10:00",
        "10:00:00",
        "1-10:00:00",
        "100:00:00",
        "1:2:3:4",
        "1:100",
        "0:99",
        "",
        " ",
        " 5",
        "5 ",
        "5s ",
        "5m ",
        "1h2h",
        "1h30",
        "1m1h",
        "1d1d",
        "10 h",
        "10x",
        "x",
        "-5",
        "1d-2h",
        "2147483647",
        "2147483648",
        "24855d",
        "24856d",
        "24855d3h14m7s",
        "24855d3h14m8s",
        "596523h",
        "596524h",
        "1é",
        "1w",
        "1d,2h",
        "soon",
        "1.5h",
        "1D",
        "1h\n2m",
        "1h\r2m",
        "\t1h",
        "\r1h",
        "1-2",
        "1-2:3",
        "12-1:2:3",
        "1--2:3:4",
        "--1",
        "-1-1:1:1",
    ]
    .map(str::to_owned)
    .to_vec();
    let letters: Vec<char> = "0123456789dhms:- dhms".chars().collect();
    let random = SeededRandom::new(21);
    for _ in 0..20_000 {
        let length = 1 + below(&random, 10);
        texts.push((0..length).map(|_| letters[below(&random, letters.len())]).collect());
    }
    let requests: Vec<_> = texts.iter().map(|text| ("duration", vec![text])).collect();
    for (text, answer) in texts.iter().zip(ask(&requests)?) {
        let seconds = answer[0].parse::<i64>().ok().filter(|&seconds| seconds >= 0);
        assert_eq!(parse_duration(text), seconds, "{text:?}: {answer:?}");
    }
    Ok(())
}

fn booleans_and_integers() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let booleans = [
        "y", "Yes", "TRUE", "t", "1", "on", "n", "no", "False", "f", "NIL", "0", "off", "2", "maybe", "",
        "yes no",
    ];
    let integers = [
        "0",
        "1",
        "1465",
        "32700",
        "+7",
        " 9",
        "\t9",
        "9 ",
        "",
        "x",
        "1x",
        "0x10",
        "99999999999",
        "2147483648",
        "10k",
    ];
    let mut requests = Vec::new();
    for (number, text) in booleans.iter().chain(&integers).enumerate() {
        let file = folder.path().join(number.to_string());
        fs::write(
            &file,
            format!("[libdefaults]\nforwardable = \"{text}\"\nudp_preference_limit = \"{text}\"\n"),
        )?;
        let (what, name) = if number < booleans.len() {
            ("boolean", "forwardable")
        } else {
            ("integer", "udp_preference_limit")
        };
        requests.push((what, vec![file.into_os_string().into_encoded_bytes(), name.as_bytes().to_vec()]));
    }
    let answers = ask(&requests)?;
    for (text, answer) in booleans.iter().zip(&answers) {
        let ours = Config::parse(&format!("[libdefaults]\nforwardable = \"{text}\"")).ok();
        let ours = ours.map(|config| i32::from(config.forwardable));
        assert_eq!(ours, answer[0].parse().ok(), "{text:?}: {answer:?}");
    }
    for (text, answer) in integers.iter().zip(&answers[booleans.len()..]) {
        let ours = Config::parse(&format!("[libdefaults]\nudp_preference_limit = \"{text}\"")).ok();
        let ours = ours.map(|config| config.udp_preference_limit);
        assert_eq!(ours, answer[0].parse().ok(), "{text:?}: {answer:?}");
    }
    Ok(())
}

/// Names in lower case: there others never fit, here and at Heimdal they do.
fn realms_of_hosts() -> Result<(), Failure> {
    let text = "[domain_realm]\n www.example.com = WWW\n .example.com = DOT\n example.com = BARE\n org = ORG\n .two.net = A\n .two.net = B\n";
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("krb5.conf");
    fs::write(&file, text)?;
    let config = Config::parse(text).unwrap();
    let hosts = [
        "www.example.com",
        "WWW.Example.COM",
        "www.example.com.",
        "a.www.example.com",
        "mail.example.com",
        "example.com",
        "x.y.org",
        "org",
        ".org",
        "com",
        "localhost",
        "127.0.0.1",
        "1.2.3.4.org",
        "a.two.net",
        "two.net",
        "a..org",
    ];
    let path = file.to_str().unwrap();
    let requests: Vec<_> = hosts.iter().map(|host| ("realm", vec![path, *host])).collect();
    for (host, answer) in hosts.iter().zip(ask(&requests)?) {
        assert_eq!(config.realm_of_host(host).unwrap_or_default(), answer[0], "{host}");
    }
    Ok(())
}
