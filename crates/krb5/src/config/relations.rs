//! Which relations there are, so that a misspelt one can be told, and how applications ask for theirs.
//!
//! The names are those of MIT krb5 1.21 and Heimdal 7.8; many mean nothing here, but whoever wrote them made no
//! mistake.

use super::profile::{self, Content};
use super::{BadConfig, Config};

/// Sections in which any relation may be: names of hosts, realms, applications, or of other programs.
const ANYTHING: &[&str] = &[
    "appdefaults",
    "capaths",
    "db",
    "dbdefaults",
    "dbmodules",
    "domain_realm",
    "gssapi",
    "hdb",
    "hx509",
    "kadmin",
    "kadmind",
    "kcm",
    "kdc",
    "kdcdefaults",
    "logging",
    "login",
    "modules",
    "otp",
    "password_quality",
    "plugins",
    "pwquality",
    "refreshd",
    "replica",
    "salts",
    "v4 domain_realm",
];

/// Names that begin so are left to the preauthentication mechanism.
const FAMILIES: &[&str] = &["fast_", "pkinit_", "spake_"];

const LIBDEFAULTS: &[&str] = &[
    // MIT krb5, and Heimdal where it has the same name.
    "allow_des3",
    "allow_rc4",
    "allow_weak_crypto",
    "ap_req_checksum_type",
    "canonicalize",
    "ccache_type",
    "client_aware_channel_bindings",
    "clockskew",
    "default_ccache_name",
    "default_client_keytab_name",
    "default_keytab_name",
    "default_rcache_name",
    "default_realm",
    "default_tgs_enctypes",
    "default_tkt_enctypes",
    "dns_canonicalize_hostname",
    "dns_lookup_kdc",
    "dns_lookup_realm",
    "dns_uri_lookup",
    "enforce_ok_as_delegate",
    "err_fmt",
    "extra_addresses",
    "forwardable",
    "ignore_acceptor_hostname",
    "k5login_authoritative",
    "k5login_directory",
    "kcm_mach_service",
    "kcm_socket",
    "kdc_default_options",
    "kdc_req_checksum_type",
    "kdc_timesync",
    "noaddresses",
    "permitted_enctypes",
    "plugin_base_dir",
    "preferred_preauth_types",
    "proxiable",
    "qualify_shortname",
    "rdns",
    "realm_try_domains",
    "renew_lifetime",
    "request_timeout",
    "safe_checksum_type",
    "ticket_lifetime",
    "udp_preference_limit",
    "verify_ap_req_nofail",
    // Heimdal alone.
    "addresses",
    "allow_hierarchical_capaths",
    "block_dns",
    "capath",
    "check-rd-req-server",
    "date_format",
    "default_as_etypes",
    "default_cc_name",
    "default_cc_type",
    "default_etypes",
    "default_etypes_des",
    "default_keytab_modify_name",
    "default_tgs_etypes",
    "dns_proxy",
    "egd_socket",
    "encrypt",
    "fcache_strict_checking",
    "fcache_version",
    "fcc-mit-ticketflags",
    "http_proxy",
    "ignore_addresses",
    "kdc_timeout",
    "krb4_get_tickets",
    "large_message_size",
    "large_msg_size",
    "log_utc",
    "max_retries",
    "maxretries",
    "name_canon_rules",
    "no-addresses",
    "renewable",
    "report_canonical_client_name",
    "scan_interfaces",
    "srv_lookup",
    "srv_try_txt",
    "time_format",
    "v4_instance_resolve",
    "v4_name_convert",
    "warn_pwexpire",
];

const REALM: &[&str] = &[
    // krb5.conf.
    "admin_server",
    "auth_to_local",
    "auth_to_local_names",
    "default_domain",
    "disable_encrypted_timestamp",
    "http_anchors",
    "kdc",
    "kpasswd_server",
    "krb524_server",
    "master_kdc",
    "primary_kdc",
    "sitename",
    "v4_domains",
    "v4_instance_convert",
    "v4_name_convert",
    "v4_realm",
    "default_realm",
    "forwardable",
    "proxiable",
    "renew_lifetime",
    "ticket_lifetime",
    "warn_pwexpire",
    "tgs_require_subkey",
    "kdc_timesync",
    // kdc.conf.
    "acl_file",
    "admin_keytab",
    "database_module",
    "database_name",
    "default_principal_expiration",
    "default_principal_flags",
    "dict_file",
    "encrypted_challenge_indicator",
    "host_based_services",
    "iprop_enable",
    "iprop_listen",
    "iprop_logfile",
    "iprop_master_ulogsize",
    "iprop_port",
    "iprop_replica_poll",
    "iprop_resync_timeout",
    "iprop_slave_poll",
    "iprop_ulogsize",
    "kadmind_listen",
    "kadmind_port",
    "kdc_listen",
    "kdc_max_dgram_reply_size",
    "kdc_ports",
    "kdc_tcp_listen",
    "kdc_tcp_listen_backlog",
    "kdc_tcp_ports",
    "key_stash_file",
    "kpasswd_listen",
    "kpasswd_port",
    "master_key_name",
    "master_key_type",
    "max_life",
    "max_renewable_life",
    "no_host_referral",
    "reject_bad_transit",
    "restrict_anonymous_to_tgt",
    "supported_enctypes",
    "des_crc_session_supported",
];

const ORTHROS: &[&str] =
    &["transfer", "transfer_allow", "transfer_key", "transfer_ledger", "transfer_policy", "transfer_suspend"];

impl Config {
    /// Relations of `[libdefaults]`, `[realms]` and `[orthros]`, and sections, that neither MIT krb5 nor Heimdal nor
    /// Orthros knows: each with its place, and the known name that is nearest to it if it looks misspelt.
    ///
    /// ```
    /// let config = orthros_krb5::Config::parse("[libdefaults]\n default_relm = EXAMPLE.COM")?;
    /// assert_eq!(
    ///     config.unknown_relations()[0].to_string(),
    ///     "configuration text, line 2: default_relm in [libdefaults] is not known: did you mean default_realm?"
    /// );
    /// # Ok::<(), orthros_krb5::config::BadConfig>(())
    /// ```
    pub fn unknown_relations(&self) -> Vec<BadConfig> {
        let mut found = Vec::new();
        let mut report = |path: &[&str], known: &[&'static str], place: &str, sections: bool| {
            profile::walk(&self.profiles, path, &mut |node| {
                let name = node.name.as_str();
                let counts = sections || matches!(node.content, Content::Value(_));
                let in_family = FAMILIES.iter().any(|family| name.starts_with(family));
                if counts && !in_family && !known.contains(&name) {
                    let advice = nearest(name, known).map(|near| format!(": did you mean {near}?"));
                    let what = format!("{name}{place} is not known{}", advice.unwrap_or_default());
                    found.push(BadConfig { origin: node.origin.to_string(), line: node.line, what });
                }
                false
            });
        };
        let sections: Vec<&str> =
            ANYTHING.iter().copied().chain(["libdefaults", "orthros", "realms"]).collect();
        report(&[], &sections, " as a section", true);
        // Subsections of [libdefaults] are named after realms.
        report(&["libdefaults"], LIBDEFAULTS, " in [libdefaults]", false);
        report(&["orthros"], ORTHROS, " in [orthros]", true);
        for realm in profile::subsections(&self.profiles, &["realms"]) {
            report(&["realms", realm], REALM, &format!(" in {realm} of [realms]"), true);
        }
        found
    }

    /// What section `[appdefaults]` says of an option: to this application in this realm, to this application, in
    /// this realm, or to all, whichever is found first in this order.
    ///
    /// ```
    /// let config = orthros_krb5::Config::parse(
    ///     "[appdefaults]
    ///          forward = no
    ///          telnet = {
    ///              forward = yes
    ///          }",
    /// )?;
    /// assert_eq!(config.appdefault("telnet", "EXAMPLE.COM", "forward"), Some("yes"));
    /// assert_eq!(config.appdefault("ftp", "EXAMPLE.COM", "forward"), Some("no"));
    /// # Ok::<(), orthros_krb5::config::BadConfig>(())
    /// ```
    pub fn appdefault(&self, application: &str, realm: &str, option: &str) -> Option<&str> {
        let paths: [&[&str]; 4] = [
            &["appdefaults", application, realm, option],
            &["appdefaults", application, option],
            &["appdefaults", realm, option],
            &["appdefaults", option],
        ];
        paths.iter().find_map(|path| self.values(path).next()).map(|value| value.text)
    }
}

/// The known name that `name` is probably meant to be: at most every third letter is wrong.
fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let plain = |name: &str| name.to_ascii_lowercase().replace('-', "_");
    let name = plain(name);
    // Distances take the product of the lengths.
    let near = known.iter().filter(|known| known.len().abs_diff(name.len()) <= 3);
    let (distance, near) = near.map(|known| (distance(&name, &plain(known)), *known)).min()?;
    (distance <= name.len().min(9) / 3).then_some(near)
}

/// How many letters must be put in, left out or changed to make one word the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (line, left) in one.chars().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, right) in row.iter_mut().skip(1).zip(other.chars()) {
            let changed = diagonal + usize::from(left != right);
            diagonal = *cell;
            before = changed.min(before + 1).min(*cell + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or_default()
}
