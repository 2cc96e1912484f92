//! What usually lies behind the errors that people meet most, most likely first.

/// What is known of an error beyond its meaning.
#[derive(Debug)]
pub(super) struct Story {
    /// The symbols of the errors that it tells of: RFC names, com_err symbols, GSS-API names.
    pub(super) symbols: &'static [&'static str],
    /// The usual causes, most likely first.
    pub(super) causes: &'static [Cause],
    /// How it looks, where that helps.
    pub(super) example: &'static str,
}

/// One cause.
#[derive(Debug)]
pub(super) struct Cause {
    /// What is the case.
    pub(super) what: &'static str,
    /// How to tell that it is this one.
    pub(super) tell: &'static str,
    /// What to do about it.
    pub(super) cure: &'static str,
}

/// The story of the error with this symbol.
pub(super) fn of(symbol: &str) -> Option<&'static Story> {
    STORIES.iter().find(|story| story.symbols.contains(&symbol))
}

const fn cause(what: &'static str, tell: &'static str, cure: &'static str) -> Cause {
    Cause { what, tell, cure }
}

const NO_TICKET: Cause = cause(
    "Nobody has logged in, or the tickets were destroyed.",
    "`orthros klist` finds no cache, or the cache has no krbtgt/REALM.",
    "orthros kinit",
);
const OTHER_CACHE: Cause = cause(
    "The tickets lie in another cache than the one that the program looks at: KRB5CCNAME differs, or sudo, cron or a \
     service manager runs the program as another user.",
    "`orthros doctor`, run as that program's user and in its environment, names the cache that it uses.",
    "Set KRB5CCNAME for the program, or log in as that user.",
);
const TICKET_ENDED: Cause = cause(
    "The ticket has ended: they last some hours.",
    "`orthros klist` shows when each ticket ends (in UTC).",
    "orthros kinit; for programs that run for long, a client keytab (KRB5_CLIENT_KTNAME)",
);
const OLD_KEYTAB: Cause = cause(
    "The service's key was changed in the KDC, and its keytab was not.",
    "`orthros kvno SERVICE` prints the KDC's version, `orthros keytab list` those of the keytab; or \
     `orthros doctor --for SERVICE@HOST`.",
    "Fetch the keytab anew from the realm's administrator.",
);
const OLD_TICKET: Cause = cause(
    "The keytab is newer than the ticket that the client still holds.",
    "It works after `kdestroy` and `kinit`.",
    "Wait until the old tickets end, or keep the old key in the keytab for as long as tickets last.",
);
const WRONG_KEYTAB: Cause = cause(
    "The service reads another keytab than you think, or may not read it.",
    "`orthros doctor`, run as the service's user and in its environment.",
    "Set KRB5_KTNAME for the service; let its user read the file, and nobody else.",
);
const HOST_NAME: Cause = cause(
    "The client made the service's name from another host name: a short one, an alias, or what DNS answers for the \
     address.",
    "`orthros doctor --for SERVICE@HOST` shows the principal; `orthros keytab list` shows which there are.",
    "Use the full host name; set dns_canonicalize_hostname and rdns in krb5.conf as the realm expects.",
);
const NO_SERVICE: Cause = cause(
    "The service was never registered in the KDC.",
    "`orthros kvno SERVICE/HOST` fails with KDC_ERR_S_PRINCIPAL_UNKNOWN for this name and works for others.",
    "The realm's administrator adds it (kadmin: addprinc -randkey) and makes a keytab (ktadd).",
);
const REALM_MAPPING: Cause = cause(
    "The host was looked for in the wrong realm.",
    "`orthros doctor --for SERVICE@HOST` shows the realm and where it comes from.",
    "Map the host in [domain_realm] of krb5.conf.",
);
const CLOCKS: Cause = cause(
    "This machine's clock is wrong.",
    "`date -u` here and on the KDC; `orthros doctor` shows the difference that the last login noticed.",
    "Let NTP set the clock (timedatectl, chronyc tracking).",
);
const ENCTYPES: Cause = cause(
    "One side has only new encryption types and the other only old ones, such as RC4 and DES.",
    "`orthros doctor` compares what is permitted with the keytab and the tickets.",
    "Give the principal AES keys by changing its password; allow_weak_crypto only as a stopgap.",
);

/// In the order of the numbers, the protocol first.
pub(super) const STORIES: &[Story] = &[
    Story {
        symbols: &["KDC_ERR_NAME_EXP", "KDC_ERR_CLIENT_REVOKED"],
        causes: &[
            cause(
                "The account is locked, after too many wrong passwords or by hand.",
                "kadmin: getprinc shows the failed attempts and the flags.",
                "The realm's administrator unlocks it (kadmin: modprinc -unlock).",
            ),
            cause(
                "The account has expired or is disabled.",
                "kadmin: getprinc shows the expiration date; in Active Directory the account's properties.",
                "The realm's administrator extends or enables it.",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &["KDC_ERR_C_PRINCIPAL_UNKNOWN"],
        causes: &[
            cause(
                "The principal is misspelt. Case matters in names and realms.",
                "The message of kinit names the principal that was sent.",
                "orthros kinit NAME@REALM, with the realm in capitals",
            ),
            cause(
                "The wrong realm: the default one is not that of the user.",
                "`orthros doctor` shows the default realm and how it was found.",
                "Set default_realm in krb5.conf, or name the realm.",
            ),
            cause(
                "With -k: the host's own name is not the one in the keytab.",
                "`orthros keytab list` shows the principals.",
                "orthros kinit -k PRINCIPAL, as it is written there",
            ),
        ],
        example: "$ orthros kinit alice@example.com      # the realm is EXAMPLE.COM",
    },
    Story {
        symbols: &["KDC_ERR_S_PRINCIPAL_UNKNOWN"],
        causes: &[HOST_NAME, NO_SERVICE, REALM_MAPPING],
        example: "$ orthros kvno HTTP/www               # the KDC knows HTTP/www.example.com only",
    },
    Story {
        symbols: &["KDC_ERR_POLICY"],
        causes: &[
            cause(
                "The KDC demands another kind of login for this account: a second factor, a certificate, or none over \
                 the network.",
                "The KDC's log tells which rule refused it.",
                "Ask the realm's administrator.",
            ),
            cause(
                "The service may not get tickets for users (delegation).",
                "It happens with S4U2Proxy or a forwarded ticket only.",
                "Allow the delegation in the KDC.",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &["KDC_ERR_BADOPTION"],
        causes: &[
            cause(
                "A forwarded or delegated ticket is asked for, and the ticket-granting ticket is not forwardable.",
                "`orthros klist -f` shows no F at the krbtgt.",
                "orthros kinit -f, or forwardable = true in krb5.conf",
            ),
            cause(
                "A ticket is renewed that is not renewable, or no longer.",
                "`orthros klist -f` shows no R, or `renew until` is past.",
                "orthros kinit -r 7d",
            ),
            cause(
                "The service may not act for users (S4U2Proxy).",
                "Only services that impersonate see this.",
                "The realm's administrator allows the delegation.",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &[
            "KDC_ERR_ETYPE_NOSUPP",
            "KRB5_CONFIG_ETYPE_NOSUPP",
            "KRB5_NOPERM_ETYPE",
            "KRB5_CC_NOT_KTYPE",
        ],
        causes: &[
            ENCTYPES,
            cause(
                "permitted_enctypes, default_tkt_enctypes or default_tgs_enctypes in krb5.conf leave nothing over, or \
                 have a spelling error.",
                "`orthros doctor` lists what is permitted.",
                "Remove these settings: the defaults are right nearly everywhere.",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &["KDC_ERR_PADATA_TYPE_NOSUPP", "KRB5_PREAUTH_BAD_TYPE"],
        causes: &[
            cause(
                "The KDC demands a certificate, a one-time password or another login that this client lacks.",
                "The KDC's log; `KRB5_TRACE=/dev/stderr orthros kinit` lists what was asked for.",
                "Use a client that can do it, or another kind of login for this account.",
            ),
            cause(
                "A certificate is offered to a KDC that is not set up for certificates.",
                "It works with a password.",
                "Set up the KDC's own certificate.",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &["KDC_ERR_KEY_EXPIRED"],
        causes: &[cause(
            "The password is older than the realm allows, or must be changed at first use.",
            "kadmin: getprinc shows the date.",
            "kpasswd, or kinit of MIT krb5, which asks for a new one",
        )],
        example: "",
    },
    Story {
        symbols: &["KDC_ERR_PREAUTH_FAILED", "KRB5_PREAUTH_FAILED"],
        causes: &[
            cause(
                "The password is wrong.",
                "`orthros kinit` with the password typed by hand, keyboard layout and caps lock in mind.",
                "The right password, or a new one",
            ),
            cause(
                "With a keytab: the account's password was changed, and with it the key.",
                "`orthros keytab list` shows the versions; the KDC's is in kadmin: getprinc.",
                "Make the keytab anew.",
            ),
            cause(
                "A key made of a password with another salt, as after an account was renamed.",
                "The password works, the keytab made of it (ktutil, keytab add) does not.",
                "Fetch the keytab from the KDC, or give the salt: orthros keytab add --salt",
            ),
            CLOCKS,
        ],
        example: "",
    },
    Story {
        symbols: &["KDC_ERR_PREAUTH_REQUIRED"],
        causes: &[cause(
            "None: the KDC asks for proof of the password first, and clients then send it. As the last error it means \
             that the client did not go on.",
            "In a trace or a capture, a second AS-REQ follows.",
            "If it does not, look at the client's own error.",
        )],
        example: "",
    },
    Story {
        symbols: &["KDC_ERR_MUST_USE_USER2USER", "KRB_AP_ERR_USER_TO_USER_REQUIRED"],
        causes: &[cause(
            "The target is a user's account, not a service's; Active Directory refuses plain tickets for accounts \
             without a service principal name.",
            "The name has one component, as in alice@REALM.",
            "Register a service principal name for it, and use that one.",
        )],
        example: "",
    },
    Story {
        symbols: &["KRB_AP_ERR_BAD_INTEGRITY"],
        causes: &[
            OLD_KEYTAB,
            cause(
                "Two machines or two accounts have the same service name with different keys.",
                "It works with one of them; in Active Directory `setspn -X` finds the duplicate.",
                "Remove one, or give both the same keytab.",
            ),
            cause(
                "With a login: the password is wrong (KDCs without pre-authentication say it so).",
                "`orthros kinit` fails with it.",
                "The right password",
            ),
            HOST_NAME,
        ],
        example: "",
    },
    Story {
        symbols: &["KRB_AP_ERR_TKT_EXPIRED", "GSS_S_CREDENTIALS_EXPIRED", "GSS_S_CONTEXT_EXPIRED"],
        causes: &[
            TICKET_ENDED,
            CLOCKS,
            cause(
                "A connection stayed open for longer than the ticket was good for.",
                "It works at once after a new connection.",
                "Connect anew, with a new ticket.",
            ),
        ],
        example: "$ orthros klist -s || orthros kinit",
    },
    Story {
        symbols: &["KRB_AP_ERR_TKT_NYV"],
        causes: &[
            CLOCKS,
            cause(
                "The ticket is postdated.",
                "`orthros klist -f` shows d at it.",
                "Wait until it begins, and validate it (kinit -v).",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &["KRB_AP_ERR_REPEAT", "KRB5_RC_REPLAY", "GSS_S_DUPLICATE_TOKEN"],
        causes: &[
            cause(
                "The client, or a proxy between, sent the same request twice.",
                "The second one is refused, and the first one went through.",
                "Make a new context for each try.",
            ),
            cause(
                "Several services on one machine share a replay cache and a key, and the client shows one request to \
                 two of them.",
                "Two services of the same user and principal",
                "Give each its own KRB5RCACHENAME.",
            ),
            cause(
                "Somebody replays a request.",
                "It comes from an unknown address.",
                "It was refused: look after who it is.",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &[
            "KRB_AP_ERR_NOT_US",
            "KRB5KRB_AP_WRONG_PRINC",
            "KRB_AP_ERR_BADMATCH",
            "KDC_ERR_SERVER_NOMATCH",
        ],
        causes: &[
            HOST_NAME,
            WRONG_KEYTAB,
            cause(
                "The service accepts one name only, and the client used another that is in the keytab.",
                "`orthros keytab list` has the name.",
                "Let the service accept every name in its keytab.",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &["KRB_AP_ERR_SKEW", "KRB5_KDCREP_SKEW"],
        causes: &[
            CLOCKS,
            cause(
                "The other machine's clock is wrong: the service's, or the KDC's.",
                "`date -u` on all three machines",
                "Let NTP set it.",
            ),
            cause(
                "A virtual machine was asleep or was restored from a snapshot.",
                "The difference is as long as the pause.",
                "Set the clock when it wakes up.",
            ),
            cause(
                "The clocks agree on local time and differ in the time zone.",
                "The difference is whole hours.",
                "Compare `date -u`, not `date`.",
            ),
        ],
        example: "$ date -u; ssh kdc.example.com date -u      # up to 300 seconds (clockskew) are tolerated",
    },
    Story {
        symbols: &["KRB_AP_ERR_BADADDR"],
        causes: &[cause(
            "The ticket names network addresses, and the client comes from another: behind NAT, or on a new network.",
            "The ticket was made with noaddresses = false.",
            "noaddresses = true in krb5.conf (the default), and kinit again",
        )],
        example: "",
    },
    Story {
        symbols: &["KRB_AP_ERR_MODIFIED", "GSS_S_BAD_SIG", "GSS_S_DEFECTIVE_TOKEN", "KRB5_KDCREP_MODIFIED"],
        causes: &[
            cause(
                "Something between the two ends changed the octets: a proxy, a wrong base64, a text conversion, a \
                 buffer that was cut.",
                "Compare the token's length and digest at both ends.",
                "Send tokens as they are, with their length.",
            ),
            cause(
                "A token of another context or of another protocol was given: NTLM where Kerberos is expected.",
                "An NTLM token begins with NTLMSSP (TlRMTVNT in base64), one of Kerberos with 0x60 (YI).",
                "Make the client use Kerberos: it falls back where it has no ticket for the host.",
            ),
            OLD_KEYTAB,
        ],
        example: "",
    },
    Story {
        symbols: &["KRB_AP_ERR_BADKEYVER", "KRB5_KT_KVNONOTFOUND"],
        causes: &[OLD_KEYTAB, OLD_TICKET],
        example: "",
    },
    Story {
        symbols: &[
            "KRB_AP_ERR_NOKEY",
            "KRB5_KT_NOTFOUND",
            "KG_KEYTAB_NOMATCH",
            "GSS_KRB5_S_KG_KEYTAB_NOMATCH",
        ],
        causes: &[
            WRONG_KEYTAB,
            HOST_NAME,
            cause(
                "The keytab has the principal, but no key of the ticket's encryption type or version.",
                "`orthros doctor --for SERVICE@HOST` compares the two.",
                "Fetch the keytab anew, with all encryption types.",
            ),
        ],
        example: "$ orthros doctor --for HTTP@www.example.com",
    },
    Story {
        symbols: &["KRB_AP_ERR_MUT_FAIL", "KRB5_MUTUAL_FAILED"],
        causes: &[
            cause(
                "Somebody else answers in the service's place: another program at that port, or a proxy.",
                "The service's own log does not know of the connection.",
                "Connect to the service itself.",
            ),
            CLOCKS,
        ],
        example: "",
    },
    Story {
        symbols: &["KRB_AP_ERR_INAPP_CKSUM", "KDC_ERR_SUMTYPE_NOSUPP"],
        causes: &[ENCTYPES],
        example: "",
    },
    Story {
        symbols: &["KRB_AP_PATH_NOT_ACCEPTED", "KDC_ERR_PATH_NOT_ACCEPTED", "KRB5_NO_TKT_IN_RLM"],
        causes: &[
            cause(
                "The realms do not trust each other, or only in the other direction.",
                "`orthros kvno krbtgt/OTHER.REALM` fails.",
                "The administrators of both share a key krbtgt/OTHER@THIS.",
            ),
            cause(
                "The path leads over a realm that the service does not accept.",
                "`orthros klist` shows the krbtgt of each realm on the way.",
                "Set [capaths] on the client and on the service.",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &["KRB_ERR_RESPONSE_TOO_BIG"],
        causes: &[cause(
            "None: the KDC's answer does not fit UDP, and clients ask again by TCP. As the last error it means that TCP \
             port 88 is shut.",
            "`nc -vz KDC 88`",
            "Open TCP port 88; udp_preference_limit = 1 asks by TCP at once.",
        )],
        example: "",
    },
    Story {
        symbols: &["KRB_ERR_GENERIC"],
        causes: &[
            cause(
                "The KDC or the service failed in itself; the error's text (e-text) says more.",
                "The log of the KDC or of the service at that second",
                "Depends on what it says.",
            ),
            cause(
                "The service's own library can't open its keytab or replay cache.",
                "`orthros doctor`, run as the service's user.",
                "Let its user read the one and write the other.",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &["KDC_ERR_WRONG_REALM"],
        causes: &[cause(
            "The user is of another realm than the KDC that was asked, as with names of the kind user@company.com.",
            "`orthros doctor` shows the default realm.",
            "Name the realm in full, or let the client follow referrals (canonicalize = true).",
        )],
        example: "",
    },
    Story {
        symbols: &[
            "KDC_ERR_SVC_UNAVAILABLE",
            "KRB5_KDC_UNREACH",
            "KRB5_REALM_CANT_RESOLVE",
            "HEIM_NET_CONN_REFUSED",
        ],
        causes: &[
            cause(
                "The network does not lead to a KDC: no VPN, a firewall, a wrong route.",
                "`orthros doctor` lists the KDCs; `nc -vz KDC 88` tries one.",
                "Open port 88, TCP and UDP.",
            ),
            cause(
                "krb5.conf names KDCs that are no more.",
                "The names in `orthros doctor` against those of the realm's administrator",
                "Correct [realms], or leave it to DNS (dns_lookup_kdc).",
            ),
            cause("The KDC is down.", "It does not answer others either.", "Try later, or add a second KDC."),
        ],
        example: "",
    },
    Story {
        symbols: &["KRB5_CC_NOTFOUND"],
        causes: &[
            NO_TICKET,
            cause(
                "Only tickets in the cache may be used, and the service's is not among them.",
                "`orthros klist` does not list the service.",
                "orthros kvno SERVICE/HOST",
            ),
            OTHER_CACHE,
        ],
        example: "",
    },
    Story {
        symbols: &["KRB5_REALM_UNKNOWN"],
        causes: &[
            cause(
                "[realms] has no entry for the realm, and DNS has no SRV record of it.",
                "`orthros doctor`; `host -t SRV _kerberos._udp.REALM`",
                "Add kdc = HOST for the realm in krb5.conf.",
            ),
            cause(
                "The realm is misspelt: it is in capitals nearly everywhere.",
                "The message names it.",
                "Correct default_realm or the principal.",
            ),
            cause(
                "Another krb5.conf is read than you think.",
                "`orthros doctor` names the files.",
                "Set KRB5_CONFIG, or unset it.",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &["KRB5_FCC_NOFILE", "KG_EMPTY_CCACHE", "KG_TGT_MISSING", "GSS_KRB5_S_KG_TGT_MISSING"],
        causes: &[NO_TICKET, OTHER_CACHE],
        example: "$ orthros klist\n$ KRB5CCNAME=FILE:/run/my/cache orthros klist",
    },
    Story {
        symbols: &["KRB5_FCC_PERM", "KRB5_CC_IO", "KRB5_CC_WRITE", "KRB5_CC_FORMAT", "KRB5_CCACHE_BADVNO"],
        causes: &[
            cause(
                "The cache's file belongs to another user: kinit ran under sudo, say.",
                "`orthros doctor` shows owner and mode.",
                "Remove the file as its owner, and kinit as yourself.",
            ),
            cause(
                "The disk is full, or the file was cut.",
                "`df`, and the file's length",
                "kdestroy and kinit",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &["KRB5_CONFIG_CANTOPEN", "KRB5_CONFIG_BADFORMAT", "PROF_FAIL_OPEN", "PROF_RELATION_SYNTAX"],
        causes: &[
            cause(
                "A brace or an equals sign is missing in krb5.conf or in a file that it includes.",
                "`orthros doctor` names the file and the line.",
                "Correct the line.",
            ),
            cause(
                "KRB5_CONFIG names a file that is missing or may not be read.",
                "`orthros doctor`",
                "Correct or unset KRB5_CONFIG.",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &["KRB5_CONFIG_NODEFREALM"],
        causes: &[cause(
            "krb5.conf has no default_realm, or is not the file that you think.",
            "`orthros doctor`",
            "Set default_realm in [libdefaults], or write principals with their realm.",
        )],
        example: "",
    },
    Story { symbols: &["KRB5_ERR_HOST_REALM_UNKNOWN"], causes: &[REALM_MAPPING, HOST_NAME], example: "" },
    Story {
        symbols: &["KRB5_ERR_BAD_HOSTNAME", "G_BAD_HOSTNAME", "HEIM_ERR_NOHOST", "KRB5_EAI_NONAME"],
        causes: &[
            cause(
                "The host's name is misspelt, or DNS does not know it.",
                "`getent hosts HOST`",
                "The full name; or dns_canonicalize_hostname = false in krb5.conf",
            ),
            cause("The name service does not answer.", "`getent hosts` hangs.", "Correct /etc/resolv.conf."),
        ],
        example: "",
    },
    Story {
        symbols: &["GSS_S_NO_CRED"],
        causes: &[NO_TICKET, OTHER_CACHE, TICKET_ENDED, WRONG_KEYTAB],
        example: "$ orthros doctor --for HTTP@www.example.com   # the client's side and the service's",
    },
    Story {
        symbols: &["KG_CCACHE_NOMATCH", "GSS_KRB5_S_KG_CCACHE_NOMATCH"],
        causes: &[cause(
            "The program asks for the credentials of one principal, and the cache belongs to another.",
            "`orthros klist` shows whose it is.",
            "kinit as the principal wanted, into a cache of its own (KRB5CCNAME)",
        )],
        example: "",
    },
    Story {
        symbols: &["GSS_S_FAILURE"],
        causes: &[cause(
            "Anything of the mechanism: this status says only that it failed.",
            "The minor status, as a number or as a text of gss_display_status, tells what.",
            "orthros explain MINOR",
        )],
        example: "$ orthros explain 851968       # the major status: GSS_S_FAILURE\n\
                  $ orthros explain 2529638944   # the minor status that came with it",
    },
    Story {
        symbols: &["GSS_S_BAD_BINDINGS"],
        causes: &[
            cause(
                "A proxy ends TLS between the two, so that both see different certificates.",
                "It works without the proxy.",
                "Pass TLS through, or bind at the proxy.",
            ),
            cause(
                "One end binds to the TLS channel and the other does not, or by another kind of binding.",
                "It works with bindings switched off at both ends.",
                "Configure both alike (tls-server-end-point).",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &[
            "GSS_S_BAD_NAME",
            "G_BAD_SERVICE_NAME",
            "GSS_KRB5_S_G_BAD_SERVICE_NAME",
            "KRB5_PARSE_MALFORMED",
        ],
        causes: &[cause(
            "A principal stands where a host-based name is expected, or the other way round.",
            "Principals are SERVICE/HOST@REALM, host-based names SERVICE@HOST.",
            "Write the one that the program wants.",
        )],
        example: "",
    },
    Story {
        symbols: &["GSS_S_NO_CONTEXT", "KG_CTX_INCOMPLETE", "GSS_KRB5_S_KG_CTX_INCOMPLETE"],
        causes: &[
            cause(
                "The program sends or reads messages before the context is established.",
                "The call before answered GSS_S_CONTINUE_NEEDED.",
                "Go on exchanging tokens until it answers GSS_S_COMPLETE.",
            ),
            cause(
                "The context was deleted or exported: an exported context lives on in another process only.",
                "gss_export_sec_context was called.",
                "Use the context where it was imported.",
            ),
        ],
        example: "",
    },
    Story {
        symbols: &["GSS_S_BAD_MECH", "G_WRONG_MECH"],
        causes: &[cause(
            "The two ends have no mechanism in common, or the library was built without it.",
            "The object identifier in the token: Kerberos is 1.2.840.113554.1.2.2, SPNEGO 1.3.6.1.5.5.2.",
            "Use the same at both ends.",
        )],
        example: "",
    },
];
