//! What the fuzz targets run, so that a plain test can replay their corpus. Not part of the API.

use orthros_crypto::{Enctype, Key, KeyUsage};
use orthros_wire::Timestamp;

use crate::ap::ClientOptions;
use crate::config::{Config, Include, Profile};
use crate::keytab::Patch;
use crate::localname::{LoginFile, local_name};
use crate::pac::Pac;
use crate::vouched::Vouched;
use crate::wire::{
    AdCammac, ApRep, ApReq, AsRep, AsReq, Authenticator, AuthorizationElement, Checksum, Decode,
    EncApRepPart, EncAsRepPart, EncKrbCredPart, EncKrbPrivPart, EncTgsRepPart, EncTicketPart, Encode,
    EtypeInfo2Entry, EtypeInfoEntry, KrbCred, KrbError, KrbPriv, KrbSafe, PaData, PaEncTsEnc, PaForUser,
    PaPacOptions, PaS4uX509User, Raw, TgsRep, TgsReq, Ticket, VerifierMac, ad_type, decode_enc_kdc_rep_part,
};
use crate::{CredentialCache, Keytab, Principal, s4u};

/// A keytab that can be read can be written, and what was written reads the same.
pub fn keytab(data: &[u8]) {
    let Ok(keytab) = Keytab::parse(data) else { return };
    let written = keytab.to_octets();
    let again = Keytab::parse(written.expose_octets()).map(|keytab| keytab.to_octets());
    assert!(again.is_ok_and(|again| again.ct_eq(&written)), "a rewritten keytab changes");
    // Changed in place, the file is a keytab after every write, and in the end it lacks what was removed.
    let mut file = data.to_vec();
    let Ok((count, patches)) = Keytab::patches_to_remove(&file, |_, _| true) else { return };
    patch(&mut file, &patches);
    assert!(
        Keytab::parse(&file).is_ok_and(|left| left.entries().next().is_none()),
        "{count} keys were removed"
    );
    let Ok((_, patches)) = Keytab::patches_to_add(&file, &keytab) else { return };
    patch(&mut file, &patches);
    let added = Keytab::patches_to_add(&file, &keytab);
    assert!(added.is_ok_and(|(count, _)| count == 0), "a key that was added is not there");
}

fn patch(file: &mut Vec<u8>, patches: &[Patch]) {
    for Patch { offset, octets } in patches {
        let end = file.len().min(offset + octets.len());
        file.splice(*offset..end, octets.iter().copied());
        assert!(Keytab::parse(file).is_ok(), "a file is no keytab between two writes");
    }
}

/// A cache that can be read can be written, and what was written reads the same.
pub fn ccache(data: &[u8]) {
    let Ok(cache) = CredentialCache::parse(data) else { return };
    let written = cache.to_octets();
    let again = CredentialCache::parse(written.expose_octets()).map(|cache| cache.to_octets());
    assert!(again.is_ok_and(|again| again.ct_eq(&written)), "a rewritten cache changes");
}

/// What a client says in its authenticator: octets of each kind of element. What is read can be said again.
pub fn client_options(data: &[u8]) {
    fn read(ad_type: i32, ad_data: &[u8]) -> Option<ClientOptions> {
        ClientOptions::read(&[AuthorizationElement { ad_type, ad_data }]).ok()
    }
    for number in [ad_type::IF_RELEVANT, ad_type::ETYPE_NEGOTIATION, ad_type::AP_OPTIONS] {
        let Some(options) = read(number, data) else { continue };
        let again = options.to_octets().and_then(|octets| read(ad_type::IF_RELEVANT, &octets));
        assert_eq!(again.unwrap_or_default(), options, "what was read changes when it is written again");
    }
}

/// A PAC, and the elements that a KDC vouches for: buffers lie within the octets, and what its key did not sign is not
/// believed. The octets are also signed, so that what lies behind the signature is read.
pub fn vouched(data: &[u8]) {
    let (Ok(key), Ok(client)) = (Key::new(Enctype::Aes128CtsHmacSha1, &[7; 16]), "alice@TEST".parse()) else {
        return;
    };
    let of = |ad_type: i32, ad_data: &[u8]| {
        Vouched::of(&[AuthorizationElement { ad_type, ad_data }], &key, &client, Timestamp::default())
    };
    for number in [ad_type::IF_RELEVANT, ad_type::CAMMAC, ad_type::WIN2K_PAC] {
        assert_eq!(of(number, data), Vouched::default(), "what nobody signed is believed");
    }
    if let Ok(pac) = Pac::parse(data) {
        let whole = |kind| pac.buffer(kind).map_or(0, <[u8]>::len);
        assert!(pac.kinds().all(|kind| whole(kind) <= data.len()), "a buffer is longer than the PAC");
    }
    let Ok(elements) = Raw::<Vec<AuthorizationElement<'_>>>::from_der(data) else { return };
    let mac = key.checksum(KeyUsage::CAMMAC, &[elements.octets()]);
    let mac = Checksum { cksumtype: key.enctype().checksum_type().0, checksum: &mac };
    let svc_verifier = Some(VerifierMac { identifier: None, kvno: None, enctype: None, mac });
    let cammac = AdCammac { elements, kdc_verifier: None, svc_verifier, other_verifiers: None };
    let _: Vouched = of(ad_type::CAMMAC, &cammac.to_der());
}

/// A configuration is read, or the line at fault is one that it has.
pub fn config(data: &[u8]) {
    let mut included = |include: Include<'_>| match include {
        Include::Directory(_) => Ok(Vec::new()),
        Include::File(path) => Ok(vec![(path.to_owned(), path.into())]),
    };
    let profile = Profile::parse_with(data, "fuzz", &mut included);
    match profile.and_then(|profile| Config::from_profiles(vec![profile])) {
        Ok(config) => {
            let _ = config.realm_of_host(&String::from_utf8_lossy(data));
        }
        Err(error) => assert!(
            error.origin != "fuzz" || (1..=data.split(|&octet| octet == b'\n').count()).contains(&error.line),
            "an error names a line that is not there"
        ),
    }
}

/// A message that can be read can be written, and what was written is the same message.
pub fn messages(data: &[u8]) {
    macro_rules! rewrite {
        ($($message:ty),* $(,)?) => { $(
            if let Ok(message) = <$message>::from_der(data) {
                let written = message.to_der();
                let again = <$message>::from_der(&written).map(|message| message.to_der());
                assert!(again.is_ok_and(|again| again == written), "a rewritten message changes");
            }
        )* };
    }
    rewrite!(
        AdCammac<'_>,
        ApRep<'_>,
        ApReq<'_>,
        AsRep<'_>,
        AsReq<'_>,
        Authenticator<'_>,
        EncApRepPart<'_>,
        EncAsRepPart<'_>,
        EncKrbCredPart<'_>,
        EncKrbPrivPart<'_>,
        EncTgsRepPart<'_>,
        EncTicketPart<'_>,
        EtypeInfo2Entry<'_>,
        EtypeInfoEntry<'_>,
        KrbCred<'_>,
        KrbError<'_>,
        KrbPriv<'_>,
        KrbSafe<'_>,
        PaEncTsEnc,
        PaForUser<'_>,
        PaPacOptions,
        PaS4uX509User<'_>,
        TgsRep<'_>,
        TgsReq<'_>,
        Ticket<'_>,
        Vec<PaData<'_>>,
    );
    // Octets after the first value are padding here; they must not matter.
    if let Ok(part) = decode_enc_kdc_rep_part(data) {
        let padded = [EncTgsRepPart(part.clone()).to_der(), vec![0; 7]].concat();
        assert!(decode_enc_kdc_rep_part(&padded).is_ok_and(|again| again == part), "padding matters");
    }
}

/// `data` as the list of realms that a ticket came through: what is read and written again means the same.
pub fn transited(data: &[u8]) {
    let Ok(realms) = crate::transited::decode(data, "A.FUZZ", "B.C.FUZZ") else { return };
    let again = crate::transited::encode(&realms);
    if again.len() <= 4_096 {
        let read = crate::transited::decode(again.as_bytes(), "A.FUZZ", "B.C.FUZZ");
        assert_eq!(read.as_ref(), Ok(&realms), "the list changes when it is written again");
    }
}

/// A value of `auth_to_local` is applied to principals, or is told to be malformed, in time that it does not choose.
/// What precedes the first line's end is the value, what follows a principal.
pub fn auth_to_local(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (value, name) = text.split_once('\n').unwrap_or((&text, "alice/admin@FUZZ"));
    let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
    let text = format!(
        "[libdefaults]\ndefault_realm = FUZZ\n[realms]\nFUZZ = {{\nauth_to_local = \"{quoted}\"\nauth_to_local = DEFAULT\n}}"
    );
    let (Ok(config), Ok(principal)) = (Config::parse(&text), Principal::parse(name, Some("FUZZ"))) else {
        return;
    };
    if let Err(error) = local_name(&config, &principal) {
        assert_eq!(error.line, 5, "a malformed rule is not where it stands");
    }
}

/// A login file lets in whoever has a line of it as name in text.
pub fn k5login(data: &[u8]) {
    let file = LoginFile::Content(data);
    let lines = data.split(|&octet| octet == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    for line in lines.take(100) {
        if let Ok(principal) = Principal::parse(line, None) {
            assert!(file.names(&principal) || principal.to_string() != line, "a named principal is kept out");
        }
    }
}

/// `data` as an element by which a service names a user, as it is, and with the checksum that its key gives: who is
/// named is named again by what is made of it.
pub fn user_element(data: &[u8]) {
    let Ok(key) = Key::new(Enctype::Aes128CtsHmacSha1, &[7; 16]) else { return };
    let _ = s4u::open_for_user(data, &key);
    if let Ok(element) = PaForUser::from_der(data)
        && let Ok(user) = Principal::from_wire(&element.user_name, element.user_realm.0)
    {
        let again = s4u::open_for_user(&s4u::for_user(&user, &key), &key);
        assert_eq!(again, Ok(user), "another user is named");
    }
    for (within, usage) in [
        (s4u::Within::Request, KeyUsage::S4U_X509_USER_REQUEST),
        (s4u::Within::Reply, KeyUsage::S4U_X509_USER_REPLY),
    ] {
        let _ = s4u::UserId::open(data, within, &key);
        let Ok(mut element) = PaS4uX509User::from_der(data) else { continue };
        let checksum = key.checksum(usage, &[element.user_id.octets()]);
        element.checksum = Checksum { cksumtype: key.enctype().checksum_type().0, checksum: &checksum };
        if let Ok(id) = s4u::UserId::open(&element.to_der(), within, &key) {
            let again =
                id.to_element(within, &key).and_then(|octets| s4u::UserId::open(&octets, within, &key));
            assert_eq!(again, Ok(id), "another user is named");
        }
    }
}
