//! Runs each example as its `main` does, so that none of them stops working unseen.
#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, missing_docs, reason = "tests")]

#[path = "../kdc_over_http.rs"]
mod kdc_over_http;

#[test]
fn kdc_over_http() {
    kdc_over_http::main().unwrap();
}

#[test]
fn no_example_is_left_out() {
    let folder = std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let files = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let (here, manifest) = (include_str!("run.rs"), include_str!("../Cargo.toml"));
    for file in files.filter(|file| file.ends_with(".rs")) {
        assert!(here.contains(&format!("#[path = \"../{file}\"]")), "{file} is not run");
        assert!(manifest.contains(&format!("path = \"{file}\"")), "{file} is no example of the package");
    }
}
