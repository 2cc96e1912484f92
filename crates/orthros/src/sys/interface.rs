//! The addresses of this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::{io, ptr};

/// The list that the C library gives out, given back at the end.
struct List(*mut libc::ifaddrs);

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: the pointer comes from getifaddrs(3), and is given back once.
        unsafe { libc::freeifaddrs(self.0) }
    }
}

/// The addresses by which others can reach this machine: those of all interfaces that are up, without the loopback
/// and without IPv6 addresses that mean something on one link only. Each stands there once.
///
/// # Errors
/// Those of getifaddrs(3).
pub fn addresses() -> io::Result<Vec<IpAddr>> {
    let mut first = ptr::null_mut();
    // SAFETY: the pointer is a place for one pointer, which is all that getifaddrs(3) writes to.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let list = List(first);
    let mut found = Vec::new();
    let mut entry = list.0;
    // SAFETY: each pointer of the list is null or names an entry that lives as long as `list`.
    while let Some(interface) = unsafe { entry.as_ref() } {
        entry = interface.ifa_next;
        if interface.ifa_flags & libc::IFF_UP.cast_unsigned() == 0 {
            continue;
        }
        // SAFETY: it comes from the list, which is alive.
        if let Some(address) = unsafe { address(interface.ifa_addr) }
            && reachable(&address)
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    Ok(found)
}

/// Reads a socket address of the internet's families; `None` if it is of another one, or null.
///
/// # Safety
/// `socket` is null or names a socket address of the length that its family has.
unsafe fn address(socket: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: as the caller says; every socket address begins with its family.
    let family = unsafe { socket.as_ref() }?.sa_family;
    match i32::from(family) {
        libc::AF_INET => {
            // SAFETY: the family says what it is; read octet by octet, so that alignment does not matter.
            let socket = unsafe { socket.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(Ipv4Addr::from(socket.sin_addr.s_addr.to_ne_bytes()).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let socket = unsafe { socket.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(Ipv6Addr::from(socket.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

fn reachable(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !address.is_loopback(),
        IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_loopback_nor_an_address_of_one_link_is_told_and_none_twice() {
        let found = addresses().unwrap();
        assert!(found.iter().all(reachable), "{found:?}");
        let mut once = found.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), found.len(), "{found:?}");
        for told in &found {
            // Only an address of this machine can be bound.
            std::net::UdpSocket::bind((*told, 0)).unwrap();
        }
        for silent in ["127.0.0.1", "::1", "fe80::1"] {
            assert!(!reachable(&silent.parse().unwrap()), "{silent}");
        }
    }

    #[test]
    fn socket_addresses_are_read_in_the_octets_order() {
        // SAFETY: all of a socket address's fields are numbers, for which zero is a value.
        let mut socket: libc::sockaddr_in = unsafe { std::mem::zeroed() };
        socket.sin_family = u16::try_from(libc::AF_INET).unwrap();
        socket.sin_addr.s_addr = u32::from_ne_bytes([192, 0, 2, 1]);
        // SAFETY: it is a whole socket address of its family.
        let read = unsafe { address((&raw const socket).cast()) };
        assert_eq!(read, Some(IpAddr::from([192, 0, 2, 1])));
        socket.sin_family = u16::try_from(libc::AF_UNIX).unwrap();
        // SAFETY: as above; another family is not read further.
        assert_eq!(unsafe { address((&raw const socket).cast()) }, None);
        // SAFETY: null is allowed.
        assert_eq!(unsafe { address(ptr::null()) }, None);
    }
}
