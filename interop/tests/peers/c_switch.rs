//! Programs of others come to run on our C library by the command: one by `orthros run`, all by `orthros switch`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use interop::c_library::Maker;
use interop::faces::MIT;
use interop::gss::SERVICE;
use interop::peers::Peer;
use interop::process::{self, PATIENCE, Running};
use interop::realm::{on_free_port, orthros};
use interop::{Failure, Finished, Realm, Scenario, Side};

const SONAME: &str = "libgssapi_krb5.so.2";

pub(crate) fn scenarios() -> Vec<Scenario> {
    let samples = [Peer::MIT_REALM, &[Peer::KINIT, Peer::GSS_CLIENT, Peer::GSS_SERVER, Peer::CC]].concat();
    let web = [&samples[..], &[Peer::PYTHON, Peer::PYTHON_GSSAPI, Peer::CURL]].concat();
    vec![
        Scenario::new("c_switch::run_leaves_curl_and_its_server_without_our_library", &web, curl),
        Scenario::new("c_switch::run_puts_no_library_under_a_program", &samples, one_program),
        Scenario::new("c_switch::run_changes_how_a_program_ends", &[Peer::CC], ending),
        Scenario::new(
            "c_switch::run_runs_a_program_that_it_does_not_reach",
            &[Peer::CC, Peer::C_HEADERS, Peer::MIT_GSS, Peer::SU],
            out_of_reach,
        ),
        Scenario::new("c_switch::a_set_user_id_program_writes_a_trace", &[], privileged).as_root(),
        Scenario::new("c_switch::somebody_else_than_root_switches", &[], powerless).as_root(),
        Scenario::new(
            "c_switch::on_and_off_leave_another_library_than_they_say",
            &[Peer::CC, Peer::MIT_GSS, Peer::LDCONFIG],
            switched,
        ),
    ]
}

/// Our command with the faces that are tested, in an environment made from nothing.
fn command<W: AsRef<OsStr>>(words: &[W]) -> Result<Command, Failure> {
    let mut command = Command::new(orthros()?);
    command.args(words).env_clear().env("PATH", "/usr/bin:/bin").env("ORTHROS_FACES", faces()?);
    Ok(command)
}

fn faces() -> Result<PathBuf, Failure> {
    Ok(MIT.built()?.parent().ok_or("a face without a folder")?.to_owned())
}

/// Both of MIT's samples by `orthros run`; the trace shows whose library did the work.
fn one_program() -> Result<(), Failure> {
    let realm =
        Realm::build("SWITCH.TEST").principal("alice", "pw").service("host/localhost").start(Side::Mit)?;
    realm.kinit(Side::Mit, "alice", &[])?;
    let run = |program: Peer, words: &[&str]| -> Result<Command, Failure> {
        let mut command = realm.command(orthros()?);
        command.args(["run", "--face", "mit", "--trace", "--"]).arg(program.find()?).args(words);
        command.env("ORTHROS_FACES", faces()?);
        Ok(command)
    };
    let (_server, port) = on_free_port(|port| {
        let mut process = Running::start(run(Peer::GSS_SERVER, &["-port", &port.to_string(), SERVICE])?)?;
        process.wait_for_listener(port, PATIENCE)?;
        Ok(process)
    })?;
    let words = ["-port", &port.to_string(), "localhost", SERVICE, "a message"];
    let finished =
        process::run(run(Peer::GSS_CLIENT, &words)?, b"")?.success()?.says("Signature verified.")?;
    assert!(finished.stderr.contains("Presenting the ticket of alice@SWITCH.TEST"), "{finished:?}");
    Ok(())
}

/// curl and a server in Python that answers Negotiate, both by `orthros run`.
fn curl() -> Result<(), Failure> {
    let realm =
        Realm::build("SWITCH.TEST").principal("alice", "pw").service("HTTP/localhost").start(Side::Mit)?;
    realm.kinit(Side::Mit, "alice", &[])?;
    let run = |program: Peer, words: &[&str]| -> Result<Command, Failure> {
        let mut command = realm.command(orthros()?);
        command
            .args(["run", "--trace", "--"])
            .arg(program.find()?)
            .args(words)
            .env("ORTHROS_FACES", faces()?);
        Ok(command)
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/peer.py");
    let mut server = Running::start(run(Peer::PYTHON, &[script, "web"])?)?;
    let line = server.first_line(PATIENCE)?;
    let port = line.strip_prefix("listening on ").ok_or_else(|| format!("it names no port: {line}"))?;
    let page = format!("http://localhost:{port}/");
    let words = ["--silent", "--show-error", "--negotiate", "-u", ":", &page];
    let finished = process::run(run(Peer::CURL, &words)?, b"")?.success()?.says("Hello alice@SWITCH.TEST")?;
    assert!(finished.stderr.contains("Presenting the ticket of alice@SWITCH.TEST"), "{finished:?}");
    assert!(server.stderr().contains("Opened the request of alice@SWITCH.TEST"), "{}", server.stderr());
    Ok(())
}

fn ending() -> Result<(), Failure> {
    let status = |words: &[&str]| process::run(command(words)?, b"");
    let ended = status(&["run", "sh", "-c", "echo \"$LD_LIBRARY_PATH\"; exit 7"])?;
    let library = format!("{}\n", MIT.built()?.join("lib").display());
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(7), library.as_str()), "{ended:?}");
    // What is there already stays, behind ours.
    let mut behind = command(&["run", "--", "printenv", "LD_LIBRARY_PATH"])?;
    behind.env("LD_LIBRARY_PATH", "/opt/others");
    process::run(behind, b"")?.success()?.says("/mit/lib:/opt/others")?;
    status(&["run", "no-such-program"])?.refusal()?.says("no program no-such-program is in PATH")?;
    status(&["run", "/etc/passwd"])?.refusal()?.says("is no program")?;
    let mut nowhere = command(&["run", "--", "true"])?;
    nowhere.env("ORTHROS_FACES", "/nowhere");
    let ended = process::run(nowhere, b"")?;
    // A face may also lie beside the command; if it does not, what to do is told.
    assert!(ended.status.success() || ended.stderr.contains("cargo xtask faces"), "{ended:?}");
    Ok(())
}

fn out_of_reach() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("program.c");
    fs::write(&source, "int main(void) { return 0; }\n")?;
    let compiled = |name: &str, options: &[&OsStr]| -> Result<PathBuf, Failure> {
        let program = folder.path().join(name);
        let mut command = Command::new(Peer::CC.find()?);
        command.arg("-o").arg(&program).arg(&source).args(options);
        process::run(command, b"")?.success()?;
        Ok(program)
    };
    let run = |program: &Path| process::run(command(&[OsStr::new("run"), program.as_os_str()])?, b"");
    let library = Maker::Mit.library()?;
    let beside = library.parent().ok_or("a library without a folder")?;
    let search = format!("-Wl,--no-as-needed,-rpath,{}", beside.display());
    let linked =
        |tags: &str, name: &str| compiled(name, &[tags.as_ref(), search.as_ref(), library.as_os_str()]);
    run(&linked("-Wl,--enable-new-dtags", "runpath")?)?.success()?;
    run(&linked("-Wl,--disable-new-dtags", "rpath")?)?.refusal()?.says("DT_RPATH")?.says("patchelf")?;
    run(&compiled("static", &["-static".as_ref()])?)?.refusal()?.says("is linked statically")?;
    // Root is not given more rights by a program of root's, but by one of another's.
    let theirs = compiled("theirs", &[])?;
    let privileged = match chown(&theirs, Some(65_534), None) {
        Ok(()) => {
            fs::set_permissions(&theirs, fs::Permissions::from_mode(0o4755))?;
            theirs
        }
        Err(_) => Peer::SU.find()?,
    };
    run(&privileged)?.refusal()?.says("is set-user-id")?.says("orthros switch on").map(drop)
}

/// Our command as a program of another user's that runs with that user's rights: its caller chooses no file.
fn privileged() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777))?;
    let (program, trace) = (folder.path().join("orthros"), folder.path().join("trace"));
    fs::copy(orthros()?, &program)?;
    let klist = || -> Result<bool, Failure> {
        let mut command = Command::new(&program);
        command.arg("klist").env_clear().env("KRB5_TRACE", &trace).env("KRB5_CONFIG", "/dev/null");
        process::run(command, b"")?.refusal()?;
        Ok(trace.exists())
    };
    assert!(klist()?, "nothing is traced at all");
    fs::remove_file(&trace)?;
    chown(&program, Some(65_534), None)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o4755))?;
    assert!(!klist()?, "a set-user-id program writes where its caller likes");
    Ok(())
}

fn powerless() -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    let program = folder.path().join("orthros");
    fs::copy(orthros()?, &program)?;
    for action in ["on", "off"] {
        let mut command = Command::new(&program);
        command.args(["switch", action]).env_clear().uid(65_534).gid(65_534);
        process::run(command, b"")?.refusal()?.says("only root may choose")?;
    }
    Ok(())
}

/// A small system in a folder: MIT's library where it is installed, and ours where a package puts it.
struct Installed(tempfile::TempDir);

impl Installed {
    fn new() -> Result<Self, Failure> {
        let system = Self(tempfile::tempdir()?);
        fs::set_permissions(system.0.path(), fs::Permissions::from_mode(0o755))?;
        for folder in ["etc/ld.so.conf.d", "usr/lib/x86_64-linux-gnu/orthros"] {
            fs::create_dir_all(system.path(folder))?;
        }
        symlink("usr/lib", system.path("lib"))?;
        fs::write(system.path("etc/ld.so.conf"), "include /etc/ld.so.conf.d/*.conf\n")?;
        let conf = system.path("etc/ld.so.conf.d/x86_64-linux-gnu.conf");
        fs::write(conf, "/lib/x86_64-linux-gnu\n/usr/lib/x86_64-linux-gnu\n")?;
        system.install_mit("2.2")?;
        let folder = system.ours();
        fs::create_dir_all(&folder)?;
        fs::copy(Maker::Own.library()?, folder.join("libgssapi_krb5.so.2.2"))?;
        symlink("libgssapi_krb5.so.2.2", folder.join(SONAME))?;
        system.ldconfig()?;
        Ok(system)
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn ours(&self) -> PathBuf {
        self.path("usr/lib/x86_64-linux-gnu/orthros/mit/lib")
    }

    /// As MIT's package does it: a new file, and the link to it.
    fn install_mit(&self, version: &str) -> Result<(), Failure> {
        let folder = self.path("usr/lib/x86_64-linux-gnu");
        let file = format!("libgssapi_krb5.so.{version}");
        fs::copy(Maker::Mit.library()?, folder.join(&file))?;
        let _none = fs::remove_file(folder.join(SONAME));
        symlink(file, folder.join(SONAME))?;
        Ok(())
    }

    fn ldconfig(&self) -> Result<(), Failure> {
        let mut command = Command::new(Peer::LDCONFIG.find()?);
        command.arg("-r").arg(self.0.path());
        process::run(command, b"")?.success().map(drop)
    }

    fn switch(&self, words: &[&str]) -> Result<Finished, Failure> {
        let mut command = command(&[&["switch"], words].concat())?;
        command.arg("--root").arg(self.0.path());
        process::run(command, b"")
    }

    /// Which library the table gives, by our word and by ldconfig's.
    fn is(&self, state: &str, library: &str) -> Result<(), Failure> {
        self.switch(&["status", "--face", "mit"])?.success()?.says(&format!("{state}: {library}"))?;
        let mut listed = Command::new(Peer::LDCONFIG.find()?);
        listed.arg("-r").arg(self.0.path()).arg("-p");
        let listing = process::run(listed, b"")?.success()?.stdout;
        let first = listing.lines().find(|line| line.contains(SONAME)).unwrap_or_default();
        assert!(first.ends_with(&format!("=> {library}")), "{listing}");
        Ok(())
    }
}

fn switched() -> Result<(), Failure> {
    let theirs = format!("/lib/x86_64-linux-gnu/{SONAME}");
    let ours = format!("/usr/lib/x86_64-linux-gnu/orthros/mit/lib/{SONAME}");
    let system = Installed::new()?;
    system.is("off", &theirs)?;
    for _twice in 0..2 {
        system.switch(&["on"])?.success()?.says(&ours)?;
        system.is("on", &ours)?;
    }
    // MIT's package is updated.
    system.install_mit("2.3")?;
    system.ldconfig()?;
    system.is("on", &ours)?;
    for _twice in 0..2 {
        system.switch(&["off"])?.success()?;
        system.is("off", &theirs)?;
    }
    // Broken off: the file is there and the table is not made; our library is gone, and the file is not.
    let file = system.path("etc/ld.so.conf.d/00-orthros.conf");
    assert!(!file.exists());
    fs::write(&file, format!("{}\n", ours.trim_end_matches(SONAME).trim_end_matches('/')))?;
    system.is("off", &theirs)?;
    system.switch(&["off"])?.success()?;
    assert!(!file.exists());
    system.switch(&["on"])?.success()?;
    fs::rename(system.ours(), system.path("elsewhere"))?;
    system.switch(&["off", "--face", "mit"])?.success()?;
    system.is("off", &theirs)?;
    system.switch(&["on"])?.refusal()?.says("the mit face is not in")?;
    fs::rename(system.path("elsewhere"), system.ours())?;
    // Others could put any library in its place, for set-user-id programs too.
    fs::set_permissions(system.ours(), fs::Permissions::from_mode(0o777))?;
    system.switch(&["on"])?.refusal()?.says("others than root could change it")?;
    fs::set_permissions(system.ours(), fs::Permissions::from_mode(0o755))?;
    // Another file comes first: then it is as before, and not half.
    fs::write(system.path("etc/ld.so.conf"), "/lib/x86_64-linux-gnu\ninclude /etc/ld.so.conf.d/*.conf\n")?;
    system.ldconfig()?;
    system.switch(&["on"])?.refusal()?.says("still takes")?;
    assert!(!file.exists());
    system.is("off", &theirs)
}
