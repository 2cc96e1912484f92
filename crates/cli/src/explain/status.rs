//! The major status of a C program, taken apart (RFC 2743 §1.2.1, RFC 2744 §3.9.1): a calling error in bits 24 to
//! 31, a routine error in bits 16 to 23, supplementary information in bits 0 to 15.

/// A part of a status: its number in place, its name, what it means.
pub(super) type Part = (u32, &'static str, &'static str);

/// The parts that a status is made of; `None` if something else is in it.
pub(super) fn parts(status: u32) -> Option<Vec<&'static Part>> {
    let mut found = Vec::new();
    for (mask, table) in [(0xff00_0000, CALLING), (0x00ff_0000, ROUTINE)] {
        let number = status & mask;
        if number != 0 {
            found.push(table.iter().find(|part| part.0 == number)?);
        }
    }
    found.extend(SUPPLEMENTARY.iter().filter(|part| status & part.0 != 0));
    (found.iter().fold(0, |all, part| all | part.0) == status && status != 0).then_some(found)
}

/// The part of this name.
pub(super) fn named(name: &str) -> Option<&'static Part> {
    let name = match name.to_ascii_uppercase().as_str() {
        // Two names of one number.
        "GSS_S_BAD_MIC" => "GSS_S_BAD_SIG".to_owned(),
        "GSS_S_CRED_UNAVAIL" => "GSS_S_FAILURE".to_owned(),
        other => other.to_owned(),
    };
    all().find(|part| part.1 == name)
}

/// Every part.
pub(super) fn all() -> impl Iterator<Item = &'static Part> {
    CALLING.iter().chain(ROUTINE).chain(SUPPLEMENTARY)
}

const CALLING: &[Part] = &[
    (1 << 24, "GSS_S_CALL_INACCESSIBLE_READ", "A parameter that is read is missing (a null pointer)."),
    (2 << 24, "GSS_S_CALL_INACCESSIBLE_WRITE", "A parameter that is written is missing (a null pointer)."),
    (3 << 24, "GSS_S_CALL_BAD_STRUCTURE", "A parameter is malformed."),
];

const ROUTINE: &[Part] = &[
    (1 << 16, "GSS_S_BAD_MECH", "The mechanism is not supported."),
    (2 << 16, "GSS_S_BAD_NAME", "The name is malformed."),
    (3 << 16, "GSS_S_BAD_NAMETYPE", "The kind of name is not supported."),
    (4 << 16, "GSS_S_BAD_BINDINGS", "The channel bindings of the two ends do not agree."),
    (5 << 16, "GSS_S_BAD_STATUS", "The status code to be displayed is unknown."),
    (6 << 16, "GSS_S_BAD_SIG", "The integrity check of a message failed. Also named GSS_S_BAD_MIC."),
    (7 << 16, "GSS_S_NO_CRED", "There are no credentials, or they can't be used here."),
    (8 << 16, "GSS_S_NO_CONTEXT", "There is no established context."),
    (
        9 << 16,
        "GSS_S_DEFECTIVE_TOKEN",
        "The token is malformed, or of another kind than the one that is due.",
    ),
    (10 << 16, "GSS_S_DEFECTIVE_CREDENTIAL", "The credential is malformed."),
    (11 << 16, "GSS_S_CREDENTIALS_EXPIRED", "The credentials have ended."),
    (12 << 16, "GSS_S_CONTEXT_EXPIRED", "The context has ended."),
    (13 << 16, "GSS_S_FAILURE", "It failed in a way that only the minor status tells."),
    (14 << 16, "GSS_S_BAD_QOP", "The quality of protection is unknown; 0 is the default."),
    (15 << 16, "GSS_S_UNAUTHORIZED", "A local rule forbids it."),
    (16 << 16, "GSS_S_UNAVAILABLE", "The operation is not available."),
    (17 << 16, "GSS_S_DUPLICATE_ELEMENT", "The credential has that element already."),
    (18 << 16, "GSS_S_NAME_NOT_MN", "The name is not one of a mechanism: canonicalize it first."),
];

const SUPPLEMENTARY: &[Part] = &[
    (1, "GSS_S_CONTINUE_NEEDED", "No error: another token of the peer is needed."),
    (2, "GSS_S_DUPLICATE_TOKEN", "The message is genuine and came before: a replay."),
    (4, "GSS_S_OLD_TOKEN", "The message is genuine and too old to tell whether it came before."),
    (8, "GSS_S_UNSEQ_TOKEN", "The message is genuine, but later ones came before it."),
    (16, "GSS_S_GAP_TOKEN", "The message is genuine, but others before it are missing."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use orthros::Major;

    #[test]
    fn a_status_is_taken_apart_wholly_or_not_at_all() {
        let names = |status| parts(status).map(|parts| parts.iter().map(|part| part.1).collect::<Vec<_>>());
        assert_eq!(
            names(0x0102_0003),
            Some(vec![CALLING[0].1, ROUTINE[1].1, SUPPLEMENTARY[0].1, SUPPLEMENTARY[1].1])
        );
        assert_eq!(names(Major::NoCredential.number()), Some(vec![Major::NoCredential.name()]));
        for not_one in [0, 32, 19 << 16, 4 << 24, 0x0007_0100, 2_529_638_944] {
            assert_eq!(names(not_one), None, "{not_one}");
        }
        assert_eq!(named("gss_s_bad_mic").map(|part| part.0), Some(6 << 16));
    }

    #[test]
    fn the_numbers_are_those_of_the_library() {
        for number in 1..=18_u32 {
            let part = ROUTINE.iter().find(|part| part.0 == number << 16).unwrap();
            assert!(part.1.starts_with("GSS_S_"));
        }
        for major in [Major::BadMechanism, Major::BadMic, Major::Failure, Major::NameNotMechanismName] {
            assert_eq!(named(major.name()).map(|part| part.0), Some(major.number()));
        }
    }
}
