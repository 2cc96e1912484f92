//! Apache with mod_auth_gssapi, and curl and Chromium: Negotiate with delegation, sessions and local names, and
//! passwords.
//!
//! Apache loads its modules, unloads them and loads them again when it starts; then it forks, and has threads.

use std::fs;
use std::path::Path;

use interop::peers::Peer;
use interop::process::{self, PATIENCE};
use interop::realm::on_free_port;
use interop::{Failure, Finished, Running};

use super::{Account, Maker, NAME, Row, Stage, must_run_on};

pub(super) const REQUESTS: Row =
    ("apache", &[Peer::APACHE, Peer::MOD_AUTH_GSSAPI, Peer::CURL], requests, |realm| {
        // Where no name is configured, the first key of the keytab gives it.
        Ok(realm.service("HTTP/localhost").service("other/localhost"))
    });

pub(super) const BROWSES: Row =
    ("chromium", &[Peer::APACHE, Peer::MOD_AUTH_GSSAPI, Peer::CHROMIUM], browses, |realm| {
        Ok(realm.service("HTTP/localhost"))
    });

/// The modules, in this order.
const MODULES: [&str; 11] = [
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "alias",
    "env",
    "headers",
    "session",
    "session_cookie",
    "auth_gssapi",
    "cgid",
];

/// A page for each way to come in; all run the same script.
const PAGES: [(&str, &str); 5] = [
    ("login", "GssapiAcceptorName HTTP@localhost"),
    ("delegated", "GssapiDelegCcacheDir HERE/caches\nGssapiDelegCcacheUnique On"),
    (
        "session",
        "GssapiUseSessions On\nGssapiSessionKey file:HERE/session-key\nSession On\n\
         SessionCookieName gss_session path=/;httponly",
    ),
    ("local", "GssapiLocalName On"),
    ("password", "GssapiBasicAuth On\nGssapiBasicAuthMech krb5"),
];

/// Says who came in, and with which tickets. It has the server's environment, and runs on no library of ours.
const SCRIPT: &str = "#!/bin/sh\n\
                      unset LD_LIBRARY_PATH\n\
                      printf 'Content-Type: text/plain\\r\\n\\r\\n'\n\
                      echo \"user=$REMOTE_USER name=$GSS_NAME type=$AUTH_TYPE cache=$KRB5CCNAME.\"\n\
                      if [ -n \"$KRB5CCNAME\" ]; then klist 2>&1; fi\n\
                      exit 0\n";

fn configuration(stage: &Stage, here: &Path, port: u16) -> Result<String, Failure> {
    let folder = Peer::MOD_AUTH_GSSAPI.find()?;
    let folder = folder.parent().ok_or("a module without a folder")?;
    let modules: String = MODULES
        .iter()
        .map(|name| format!("LoadModule {name}_module {}/mod_{name}.so\n", folder.display()))
        .collect();
    let keytab = stage.realm.keytab.display();
    let Account { uid, gid } = Account::of("www-data")?;
    let pages: String = PAGES
        .iter()
        .map(|(name, more)| {
            format!(
                "ScriptAlias /{name} HERE/script\n\
                 <Location /{name}>\n\
                 AuthType GSSAPI\n\
                 AuthName daemons\n\
                 GssapiCredStore keytab:{keytab}\n\
                 Require valid-user\n\
                 {more}\n\
                 </Location>\n"
            )
        })
        .collect();
    let text = format!(
        "{modules}\
         ServerRoot HERE\n\
         ServerName localhost\n\
         Listen 127.0.0.1:{port}\n\
         PidFile HERE/pid\n\
         ErrorLog /dev/stderr\n\
         LogLevel info auth_gssapi:debug\n\
         Mutex file:HERE\n\
         ScriptSock HERE/scripts\n\
         DocumentRoot HERE\n\
         PassEnv KRB5_CONFIG PATH\n\
         StartServers 1\n\
         ThreadsPerChild 8\n\
         MaxRequestWorkers 16\n\
         User #{uid}\n\
         Group #{gid}\n\
         {pages}"
    );
    Ok(text.replace("HERE", &here.display().to_string()))
}

/// Apache, when it listens.
fn server(stage: &Stage) -> Result<(Running, u16), Failure> {
    let account = Account::of("www-data")?;
    let folder = stage.folder_of(account, "apache")?;
    account.owns(&stage.realm.keytab)?;
    stage.folder_of(account, "apache/caches")?;
    let script = folder.join("script");
    fs::write(&script, SCRIPT)?;
    super::executable(&script)?;
    on_free_port(|port| {
        let file = folder.join("configuration");
        fs::write(&file, configuration(stage, &folder, port)?)?;
        let mut command = stage.daemon(&Peer::APACHE.find()?, &folder)?;
        command.args(["-DFOREGROUND", "-f"]).arg(file);
        // It changes to the account itself.
        let mut server = Running::start(command)?.ended_by("TERM");
        server.wait_for("resuming normal operations", PATIENCE)?;
        Ok(server)
    })
}

/// curl asks for a page; its answer begins with the status line.
fn ask(
    stage: &Stage,
    port: u16,
    page: &str,
    person: (&'static str, String),
    options: &[&str],
) -> Result<Finished, Failure> {
    let mut command = stage.client(&Peer::CURL.find()?)?;
    command.args(["--silent", "--show-error", "--include", "--max-time", "20"]).args(options);
    command.arg(format!("http://localhost:{port}/{page}")).envs([person]);
    stage.run(command)?.success()
}

const NEGOTIATE: [&str; 3] = ["--negotiate", "-u", ":"];

fn requests(stage: &Stage) -> Result<(), Failure> {
    let (mut server, port) = server(stage)?;
    must_run_on(stage.server, &server)?;
    conversation(stage, port).map_err(|why| why.while_doing(format!("the server: {}", server.stderr())))?;
    assert!(server.is_alive() && !server.stderr().contains("exit signal"), "{}", server.stderr());
    Ok(())
}

fn conversation(stage: &Stage, port: u16) -> Result<(), Failure> {
    let with = |options: &[&'static str]| [&NEGOTIATE[..], options].concat();
    let get = |page: &str, options: &[&str]| ask(stage, port, page, stage.alice(), options);
    let is_refused = |finished: Finished| finished.says("401 Unauthorized").map(drop);
    let alice = format!("user=alice@{NAME} name=alice@{NAME} type=Negotiate");
    get("login", &NEGOTIATE)?.says(&format!("{alice} cache=."))?;
    is_refused(ask(stage, port, "login", stage.nobody(), &NEGOTIATE)?)?;
    is_refused(get("login", &[])?)?;
    get("delegated", &with(&["--delegation", "always"]))?
        .says(&format!("{alice} cache=FILE:"))?
        .says(&format!("Default principal: alice@{NAME}"))?
        .says(&format!("krbtgt/{NAME}@{NAME}"))?;
    get("delegated", &with(&["--delegation", "none"]))?.says(&format!("{alice} cache=."))?;
    let cookies = stage.at("cookies").display().to_string();
    get("session", &[&NEGOTIATE[..], &["--cookie-jar", &cookies]].concat())?.says(&alice)?;
    ask(stage, port, "session", stage.nobody(), &["--cookie", &cookies])?
        .says(&format!("user=alice@{NAME}"))?;
    get("local", &NEGOTIATE)?.says("user=alice ")?;
    get("password", &["-u", "bob:builder"])?.says(&format!("user=bob@{NAME} name=bob@{NAME} type=Basic"))?;
    is_refused(get("password", &["-u", "bob:not his password"])?)?;
    // A token that was used; and what is none.
    let used = get("login", &with(&["--verbose"]))?;
    let token = used.stderr.lines().rev().find_map(|line| line.strip_prefix("> Authorization: Negotiate "));
    let token = token.ok_or_else(|| used.complaint("should have shown its token"))?.trim();
    let half = token.get(..200).unwrap_or_default();
    for token in [token, "YQ==", "YIIB", "AAAAAAAAAAAA", half] {
        is_refused(get("login", &["--header", &format!("Authorization: Negotiate {token}")])?)
            .map_err(|why| why.while_doing(token))?;
    }
    Ok(())
}

/// Chromium opens the library when a server first asks for Negotiate.
fn browses(stage: &Stage) -> Result<(), Failure> {
    let (server, port) = server(stage)?;
    must_run_on(stage.server, &server)?;
    // The first start makes a profile; only the next one knows from its beginning whom it may authenticate to.
    browse(stage, "about:blank", stage.nobody())?;
    let page = |name: &str| format!("http://localhost:{port}/{name}");
    let alice = format!("user=alice@{NAME} name=alice@{NAME} type=Negotiate");
    browse(stage, &page("login"), stage.nobody())?.says("401 Unauthorized")?;
    browse(stage, &page("login"), stage.alice())?.says(&format!("{alice} cache=."))?;
    let trace = fs::read_to_string(stage.at("trace"))?;
    let words = match stage.client {
        Maker::Own => "Presenting the ticket of",
        Maker::Mit => "Creating authenticator for",
    };
    if trace.contains(words) { Ok(()) } else { Err(Failure::new(format!("on another library: {trace}"))) }
}

/// Chromium shows a page as text, and traces what Kerberos does.
fn browse(stage: &Stage, page: &str, person: (&'static str, String)) -> Result<Finished, Failure> {
    let mut command = stage.client(&Peer::CHROMIUM.find()?)?;
    command.env("HOME", stage.realm.folder()).env("KRB5_TRACE", stage.at("trace")).envs([person]);
    command.arg(format!("--user-data-dir={}", stage.at("profile").display()));
    // Its own sandbox wants rights that tests may not have. It asks nobody but the server under test.
    command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--no-first-run"]);
    command.args([
        "--auth-server-allowlist=localhost",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
        "--dump-dom",
        page,
    ]);
    process::run(command, b"")?.success()
}
