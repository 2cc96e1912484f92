//! The table of hosts (`hosts(5)`): an address, its canonical name, further names.
//!
//! Only lines that can be read count; the file is the administrator's, and a fault in it stops nothing.

use std::net::IpAddr;

/// The lines of a table: address, canonical name, all names.
fn lines(text: &str) -> impl Iterator<Item = (IpAddr, &str, std::str::SplitWhitespace<'_>)> {
    text.lines().filter_map(|line| {
        let line = line.split('#').next()?;
        let (address, names) = line.trim_start().split_once(char::is_whitespace)?;
        let canonical = names.split_whitespace().next()?;
        Some((address.parse().ok()?, canonical, names.split_whitespace()))
    })
}

/// The canonical name of `host` and its addresses, in the file's order.
pub(super) fn by_name(text: &str, host: &str) -> Option<(String, Vec<IpAddr>)> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let mut found: Option<(String, Vec<IpAddr>)> = None;
    for (address, canonical, mut names) in lines(text) {
        if names.any(|name| name.eq_ignore_ascii_case(host)) {
            let (_, addresses) = found.get_or_insert_with(|| (canonical.to_owned(), Vec::new()));
            addresses.push(address);
        }
    }
    found
}

/// The canonical name of an address.
pub(super) fn by_address(text: &str, wanted: IpAddr) -> Option<String> {
    lines(text).find(|(address, ..)| *address == wanted).map(|(_, canonical, _)| canonical.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "127.0.0.1 localhost\n\
        # 10.0.0.9 commented\n\
        \t10.0.0.1\twww.example.com www # the web\n\
        2001:db8::1 www.example.com\n\
        10.0.0.2\n\
        nonsense name\n";

    #[test]
    fn the_first_name_of_a_line_is_canonical_and_comments_name_nobody() {
        let (canonical, addresses) = by_name(TABLE, "WWW.").unwrap();
        assert_eq!((canonical.as_str(), addresses), ("www.example.com", vec!["10.0.0.1".parse().unwrap()]));
        let (_, addresses) = by_name(TABLE, "www.example.com").unwrap();
        assert_eq!(addresses.len(), 2);
        assert_eq!(by_address(TABLE, "2001:db8::1".parse().unwrap()).as_deref(), Some("www.example.com"));
        for name in ["commented", "web", "name", "10.0.0.1"] {
            assert_eq!(by_name(TABLE, name), None, "{name}");
        }
        assert_eq!(by_address(TABLE, "10.0.0.2".parse().unwrap()), None);
    }
}
