//! explain.

use crate::sandbox::Sandbox;

#[test]
fn an_error_is_explained_with_causes_and_what_to_do() {
    let sandbox = Sandbox::new();
    let said = sandbox.good(&["explain", "-1765328347"], "");
    for expected in ["KRB_AP_ERR_SKEW", "2529638949", "clocks", " 1. ", "How to tell:", "What to do:"] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    // The number of the protocol is not explained as the system's, but the system's is named.
    let said = sandbox.good(&["explain", "37"], "");
    assert!(said.starts_with("KRB_AP_ERR_SKEW") && said.contains("ENOLCK of the operating system"), "{said}");
    let said = sandbox.good(&["explain", "0x00070000"], "");
    assert!(said.starts_with("GSS_S_NO_CRED") && said.contains("orthros kinit"), "{said}");
}

#[test]
fn json_has_the_same() {
    let sandbox = Sandbox::new();
    let explained = sandbox.json(&["explain", "KRB5_FCC_NOFILE", "--json"]);
    let error = &explained["readings"][0]["errors"][0];
    assert_eq!(error["symbol"], "KRB5_FCC_NOFILE");
    assert_eq!(error["com_err"], -1_765_328_189);
    assert!(error["causes"][0]["how_to_tell"].as_str().is_some_and(|text| text.contains("klist")));
    let listed = sandbox.json(&["explain", "--list", "--json"]);
    assert!(listed.to_string().contains("GSS_S_NAME_NOT_MN"));
    assert!(sandbox.good(&["explain", "--list"], "").lines().count() > 300);
}

#[test]
fn what_is_unknown_is_taken_apart_as_far_as_it_goes() {
    let sandbox = Sandbox::new();
    // e2fsprogs has a table ext2.
    for (code, said) in [
        ("2133571347", "entry 19 of the error table \"ext2\" (com_err, from 2133571328 on)"),
        ("-1765328370000", "32 bits"),
        ("-1760647420", "MIT's checks of its own structures"),
        ("100005", "MIT's GSS-API made up"),
        ("120", "no name in the Kerberos protocol"),
        ("KRB_AP_ERR_SKEWED", "no error is named"),
        ("1073741824", "no number of com_err"),
    ] {
        let story = sandbox.bad(&["explain", code], "");
        assert!(story.contains(said), "{code}: {story}");
    }
    assert_eq!(sandbox.run(&["explain"], "").status, Some(2));
}
