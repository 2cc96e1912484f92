use super::*;

fn config() -> Config {
    let text = "[libdefaults]\ndefault_realm = NAMES.TEST\n[domain_realm]\n.example.com = EXAMPLE.COM\n";
    Config::parse(text).unwrap()
}

fn canonical(octets: &[u8], name_type: &Oid) -> String {
    Name::import(octets, Some(name_type)).unwrap().to_principal(&config(), None).unwrap().to_string()
}

#[test]
fn every_type_of_name_is_imported_displayed_and_means_whom_it_should() {
    let exported = Name::export(&"alice@A".parse().unwrap());
    for (octets, given, shown, text, meant) in [
        (
            &b"HTTP@Www.Example.COM"[..],
            name_type::HOSTBASED_SERVICE,
            name_type::HOSTBASED_SERVICE,
            "HTTP@Www.Example.COM",
            "HTTP/www.example.com@EXAMPLE.COM",
        ),
        (
            b"host@h",
            name_type::HOSTBASED_SERVICE_X,
            name_type::HOSTBASED_SERVICE,
            "host@h",
            "host/h@NAMES.TEST",
        ),
        (b"alice", name_type::USER_NAME, name_type::USER_NAME, "alice", "alice@NAMES.TEST"),
        (
            b"alice/admin@A",
            name_type::KRB5_PRINCIPAL,
            name_type::KRB5_PRINCIPAL,
            "alice/admin@A",
            "alice/admin@A",
        ),
        (
            b"alice@example.com",
            name_type::ENTERPRISE,
            name_type::ENTERPRISE,
            "alice@example.com",
            "alice\\@example.com@NAMES.TEST",
        ),
        (
            b"alice@example.com@A",
            name_type::ENTERPRISE,
            name_type::ENTERPRISE,
            "alice@example.com@A",
            "alice\\@example.com@A",
        ),
        (
            b"whatever",
            name_type::ANONYMOUS,
            name_type::ANONYMOUS,
            "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS",
            "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS",
        ),
        (&exported, name_type::EXPORTED, name_type::KRB5_PRINCIPAL, "alice@A", "alice@A"),
    ] {
        let name = Name::import(octets, Some(&given)).unwrap();
        assert_eq!(name.display(), Displayed { text: text.into(), name_type: shown.clone() });
        assert_eq!(canonical(octets, &given), meant);
        let again = Name::import(text.as_bytes(), Some(&shown)).unwrap();
        assert_eq!(again.display(), name.display(), "what is displayed can be imported");
        assert!(name.mechanisms().iter().any(|row| row.name == "krb5"));
    }
    assert_eq!(Name::import(b"alice", None), Ok(Name::PrincipalText("alice".into())));
}

#[test]
fn a_number_of_a_user_is_no_name_before_the_system_was_asked() {
    let name = Name::import(&1000_u32.to_ne_bytes(), Some(&name_type::MACHINE_UID)).unwrap();
    assert_eq!(name, Name::import(b"1000", Some(&name_type::STRING_UID)).unwrap());
    assert_eq!(name.display(), Displayed { text: "1000".into(), name_type: name_type::STRING_UID });
    assert_eq!(name.to_principal(&config(), None), Err(BadName::Uid(1000)));
    for length in [0, 2, 3, 5, 8] {
        let octets = vec![0; length];
        assert!(Name::import(&octets, Some(&name_type::MACHINE_UID)).is_err(), "{length} octets");
    }
    for text in ["", "root", "-1", "+1", "4294967296", " 1"] {
        assert!(Name::import(text.as_bytes(), Some(&name_type::STRING_UID)).is_err(), "{text:?}");
    }
}

// CVE-2015-2697: a realm that ended at a NUL within it was read beyond its end.
#[test]
fn a_nul_within_a_name_neither_ends_it_nor_gets_in() {
    let types = [
        name_type::HOSTBASED_SERVICE,
        name_type::HOSTBASED_SERVICE_X,
        name_type::USER_NAME,
        name_type::KRB5_PRINCIPAL,
        name_type::ENTERPRISE,
        name_type::STRING_UID,
    ];
    for (octets, kind) in
        types.iter().flat_map(|kind| [&b"al\0ice@A"[..], b"alice@A\0B", b"1\0"].map(|octets| (octets, kind)))
    {
        assert!(matches!(Name::import(octets, Some(kind)), Err(BadName::Malformed(_))), "{kind}");
    }
    let mut exported = Name::export(&"al1ice@A".parse().unwrap());
    let place = exported.len() - 6;
    assert_eq!(exported[place], b'1');
    exported[place] = 0;
    assert_eq!(Name::from_exported(&exported), Err(BadName::NotExported));
    // Escaped it is a letter like others, and stays escaped.
    let name = Name::import(b"al\\0ice@A", Some(&name_type::KRB5_PRINCIPAL)).unwrap();
    let principal = name.to_principal(&config(), None).unwrap();
    assert_eq!(principal.components(), ["al\0ice"]);
    assert_eq!(Name::from_exported(&Name::export(&principal)), Ok(Name::Principal(principal)));
}

// MIT krb5 1.20 ends the process by a failed assertion when octets follow.
#[test]
fn an_exported_name_with_a_changed_length_or_trailing_octets_is_refused() {
    let principal: Principal = "HTTP/www.example.com@EXAMPLE.COM".parse().unwrap();
    let exported = Name::export(&principal);
    assert_eq!(Name::from_exported(&exported), Ok(Name::Principal(principal)));
    for cut in 0..exported.len() {
        assert!(Name::from_exported(&exported[..cut]).is_err());
    }
    assert_eq!(Name::from_exported(&[&exported[..], b"x"].concat()), Err(BadName::NotExported));
    // Octets 2 to 5 and 15 to 18 hold lengths: the mechanism's field, its tag and length, the name's.
    for place in [2, 3, 4, 5, 15, 16, 17, 18] {
        for more in 1..=255_u8 {
            let mut lying = exported.clone();
            lying[place] = lying[place].wrapping_add(more);
            assert!(Name::from_exported(&lying).is_err(), "octet {place} + {more}");
        }
    }
}

#[test]
fn a_composite_name_is_the_same_principal_whatever_its_attributes_claim() {
    let principal: Principal = "alice@A".parse().unwrap();
    let mut composite = Name::export(&principal);
    composite[1] = 2;
    assert_eq!(
        Name::from_exported(&composite),
        Err(BadName::NotExported),
        "the attributes' length is missing"
    );
    for attributes in [&b""[..], b"groups=admin"] {
        let length = u32::try_from(attributes.len()).unwrap().to_be_bytes();
        let whole = [&composite[..], &length, attributes].concat();
        for kind in [name_type::COMPOSITE_EXPORTED, name_type::EXPORTED] {
            assert_eq!(Name::import(&whole, Some(&kind)), Ok(Name::Principal(principal.clone())));
        }
        assert!(Name::from_exported(&whole[..whole.len() - 1]).is_err());
        assert!(Name::from_exported(&[&whole[..], b"x"].concat()).is_err());
    }
    let plain = Name::export(&principal);
    assert!(Name::import(&plain, Some(&name_type::COMPOSITE_EXPORTED)).is_ok());
}

#[test]
fn an_exported_name_without_a_realm_does_not_get_the_default_one() {
    let text = b"alice";
    let exported = Name::export(&"alice@A".parse().unwrap());
    let head = &exported[..exported.len() - 11];
    let bare = [head, &5_u32.to_be_bytes(), text].concat();
    assert_eq!(Name::from_exported(&bare), Err(BadName::NoRealm("alice".into())));
}

#[test]
fn an_exported_name_has_the_octets_that_it_always_had() {
    // Access control lists keep them (RFC 2743 §3.2).
    let wanted = b"\x04\x01\0\x0b\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\0\0\0\x07alice@A";
    for _ in 0..2 {
        let exported = Name::export(&"alice@A".parse().unwrap());
        assert_eq!(exported, wanted);
        let Ok(Name::Principal(again)) = Name::from_exported(&exported) else { panic!("not taken back") };
        assert_eq!(Name::export(&again), wanted);
    }
}

#[test]
fn nobody_is_nobody_else() {
    let same = |left: &Name, right: &Name| left.same_as(right, &config());
    let principal = |text: &str| Name::Principal(text.parse().unwrap());
    for anonymous in [
        Name::Anonymous,
        principal("WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS"),
        principal("WELLKNOWN/ANONYMOUS@NAMES.TEST"),
    ] {
        assert_eq!(same(&anonymous, &anonymous), Ok(false));
        assert_eq!(same(&anonymous, &Name::Anonymous), Ok(false));
        assert_eq!(anonymous.display().name_type, name_type::ANONYMOUS);
    }
    let text = Name::PrincipalText("WELLKNOWN/ANONYMOUS@A".into());
    assert_eq!(same(&text, &text), Ok(false), "the text of an anonymous principal");
    assert_eq!(same(&Name::user("alice"), &principal("alice@NAMES.TEST")), Ok(true));
    assert_eq!(same(&Name::user("alice"), &principal("alice@A")), Ok(false));
    assert_eq!(same(&Name::hostbased_service("host", "H."), &Name::PrincipalText("host/h".into())), Ok(true));
    let uid = Name::Uid(7);
    assert_eq!((same(&uid, &uid), same(&uid, &Name::user("x"))), (Ok(true), Err(BadName::Uid(7))));
}

#[test]
fn only_a_principal_is_a_name_of_a_mechanism() {
    assert_eq!(Name::Principal("a@A".parse().unwrap()).mechanism().map(|row| row.name), Some("krb5"));
    assert!(Name::user("a").mechanism().is_none());
}

#[test]
fn an_unknown_type_is_named() {
    let oid: Oid = "1.2.3.4".parse().unwrap();
    assert_eq!(Name::import(b"x", Some(&oid)), Err(BadName::Type(oid)));
}
