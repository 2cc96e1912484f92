//! `docs/coming-from.md` names calls; each must exist. Its examples are compiled as documentation tests.

use std::os::unix::net::UnixStream;

use orthros::acquire::Acquire;
use orthros::mechanism::{self, Mechanism};
use orthros::name::attributes::Attributes;
use orthros::{
    Accept, AcceptorCredential, Builder, CacheName, ChannelBindings, Context, CredentialSet, CredentialStore,
    Error, Flags, Initiate, InitiatorCredential, Keytab, KeytabName, Major, Name, Orthros, Step,
};

/// Names calls, and fails to compile if one is not there. Those whose arguments are of any type that fits can't be
/// named without one; they are called in what follows.
macro_rules! calls {
    ($($($path:ident)::+),* ; $($called:literal => $call:expr),* $(,)?) => {{
        $(let _ = $($path)::+;)*
        $(let _ = $call;)*
        [$(concat!($("::", stringify!($path)),+).trim_start_matches(':'),)* $($called),*]
    }};
}

/// What the page may name.
fn calls() -> Vec<&'static str> {
    let known = calls![
        Attributes::names, Accept::bindings, Accept::bindings_required, Accept::start, Acquire::blocking, Acquire::keytab,
        Builder::config_text, Builder::default_cache, Builder::default_keytab,
        ChannelBindings::from_application_data, Context::acceptor, Context::authorization_data_of,
        Context::authtime, Context::delegated_credential, Context::flags, Context::initiator, Context::initiator_attributes, Context::inquire,
        Context::into_lucid, Context::is_initiator, Context::lifetime_seconds, Context::mechanism, Context::mic,
        Context::mic_over, Context::piece_lengths, Context::process, Context::pseudo_random,
        Context::ticket_flags, Context::unwrap, Context::unwrap_aead, Context::unwrap_in_place,
        Context::unwrap_pieces, Context::unwrap_stream, Context::verify_mic, Context::verify_mic_over,
        Context::wrap, Context::wrap_aead, Context::wrap_in_place, Context::wrap_integrity, Context::wrap_pieces,
        Context::wrap_room, Context::wrap_size_limit, CredentialSet::add_acceptor, CredentialSet::add_initiator,
        CredentialSet::inquire, CredentialSet::inquire_for, CredentialStore::cache_octets, Error::kerberos_code,
        Error::major, Initiate::bindings, Initiate::confidential, Initiate::dce_style, Initiate::delegate,
        Initiate::delegate_by_policy, Initiate::flag, Initiate::lifetime_seconds, Initiate::mutual,
        Initiate::replay_detection, Initiate::sequencing, Initiate::start, InitiatorCredential::client,
        InitiatorCredential::end, Keytab::parse, Major::number, Mechanism::sasl_name, Name::display, Name::export, Name::export_composite, Name::attributes_of_exported,
        Name::from_exported, Name::import, Name::mechanism, Name::mechanisms, Name::parse_hostbased,
        Name::same_as, Name::to_principal, Orthros::accept, Orthros::acceptor, Orthros::acceptor_from,
        Orthros::acquire, Orthros::acquire_from, Orthros::builder, Orthros::credential_for,
        Orthros::credential_from, Orthros::default_credential, Orthros::export, Orthros::export_credential,
        Orthros::from_system, Orthros::import, Orthros::import_credential, Orthros::initiate,
        Orthros::initiate_with, Orthros::local_name, Orthros::may_log_in, Orthros::read_keytab,
        Orthros::service_ticket, Orthros::store_credential, mechanism::by_attributes;
        "Acquire::password" => |acquire: Acquire| acquire.password("pw"),
        "CredentialStore::cache" => |store: CredentialStore, name: CacheName| store.cache(name),
        "CredentialStore::client_keytab" => |store: CredentialStore, name: KeytabName| store.client_keytab(name),
        "CredentialStore::from_pairs" => CredentialStore::from_pairs([("ccache", "MEMORY:a")]),
        "Name::hostbased_service" => Name::hostbased_service("host", "localhost"),
        "Name::user" => Name::user("alice"),
        "Orthros::establish" => |orthros: &Orthros, step: Step, stream: &mut UnixStream| {
            orthros.establish(step, stream).is_ok()
        },
    ];
    let _ = (Flags::TRANSFERABLE, AcceptorCredential::any);
    known.to_vec()
}

/// The calls in the right-hand columns: `Type::call` or `module::call`, in backquotes.
fn named(page: &str) -> Vec<&str> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |"));
    let cells = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    let quoted = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    quoted.filter(|text| text.contains("::") && !text.contains('(')).collect()
}

#[test]
fn every_call_that_the_page_names_exists() {
    let page = include_str!("../../../docs/coming-from.md");
    let (known, named) = (calls(), named(page));
    assert!(named.len() > 100, "the tables are read");
    for call in &named {
        assert!(known.contains(call), "{call} is not known to this test");
    }
    for call in known {
        assert!(page.contains(&format!("`{call}`")), "{call} is known and not named any more");
    }
}
