//! The tests of python-gssapi itself, on MIT's library and on ours: each that passes on MIT's must pass on ours.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use interop::c_library::Maker;
use interop::peers::Peer;
use interop::{Failure, Scenario, process};

const NEEDS: &[Peer] = &[
    Peer::PYTHON_GSSAPI_SUITE,
    Peer::KRB5KDC,
    Peer::KDB5_UTIL,
    Peer::KADMIN_LOCAL,
    Peer::KINIT,
    Peer::KLIST,
    Peer::MIT_GSS,
    Peer::MIT_KRB5,
    Peer::MIT_HEADERS,
    Peer::NTLMSSP,
    Peer::WBCLIENT,
];

/// Fewer than that, and the suite is not the one that was meant. Three of these need NTLM, which both libraries load. Six
/// more are skipped on both: they need `greet_client`, a plug-in of MIT krb5's own tests that no package has.
const LEAST: usize = 192;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new("python_suite::what_passes_on_mits_library_passes_on_ours", NEEDS, compare)]
}

fn compare() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (mit, own) = (run(Maker::Mit, folder.path())?, run(Maker::Own, folder.path())?);
    let passed = mit.outcomes.iter().filter(|(_, outcome)| *outcome == "PASSED");
    let lost: Vec<String> = passed
        .filter(|(test, _)| own.outcomes.get(*test).is_none_or(|outcome| outcome != "PASSED"))
        .map(|(test, _)| format!("{test}: {}", own.outcomes.get(test).map_or("did not run", String::as_str)))
        .collect();
    assert!(lost.is_empty(), "they pass on MIT's library only: {lost:#?}\n{}", own.told);
    let count = mit.outcomes.values().filter(|outcome| *outcome == "PASSED").count();
    assert!(count >= LEAST, "{count} tests pass on MIT's library\n{}", mit.told);
    // Nothing is skipped on ours alone, and nothing fails there that MIT's skips.
    for (test, outcome) in &own.outcomes {
        assert!(
            outcome == "PASSED" || mit.outcomes.get(test) == Some(outcome),
            "{test}: {outcome}\n{}",
            own.told
        );
    }
    Ok(())
}

/// What a run of the suite said.
struct Run {
    /// How each test ended.
    outcomes: BTreeMap<String, String>,
    told: String,
}

fn run(library: Maker, folder: &Path) -> Result<Run, Failure> {
    let python = Peer::PYTHON_GSSAPI_SUITE.find()?;
    let programs = python.parent().ok_or("the interpreter lies in no folder")?.display().to_string();
    let mechanisms = folder.join("mech");
    let ntlm = Peer::NTLMSSP.find()?;
    fs::write(&mechanisms, format!("gssntlmssp_v1 1.3.6.1.4.1.311.2.2.10 {}\n", ntlm.display()))?;
    let mut command = std::process::Command::new(&python);
    command
        .args(["-m", "pytest", "-v", "-rfEs", "--color=no", "--no-header", "-p", "no:cacheprovider"])
        .args(["-p", "own_realms", "--pyargs", "gssapi.tests"])
        .current_dir(folder)
        .env_clear()
        .env("PATH", format!("{programs}:/usr/sbin:/usr/bin:/sbin:/bin"))
        .env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/python-gssapi"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // The suite takes its word for it that the binding's library belongs to this one.
        .env("GSSAPI_KRB5_MAIN_LIB", Peer::MIT_KRB5.find()?)
        .env("GSS_MECH_CONFIG", mechanisms)
        .env("TMPDIR", folder)
        .env("HOME", folder)
        .envs(library.environment()?);
    let finished = process::run(command, b"")?;
    let told = format!("{}{}", finished.stdout, finished.stderr);
    let outcomes = finished.stdout.lines().filter_map(|line| {
        let (test, rest) = line.split_once(' ')?;
        let outcome = rest.split_whitespace().next()?;
        let known = ["PASSED", "FAILED", "SKIPPED", "ERROR", "XFAIL", "XPASS"].contains(&outcome);
        (test.contains("::") && known).then(|| (test.to_owned(), outcome.to_owned()))
    });
    Ok(Run { outcomes: outcomes.collect(), told })
}
