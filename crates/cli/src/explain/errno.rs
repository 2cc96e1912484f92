//! Errors of the operating system, as C programs print them beside those of Kerberos.

use rustix::io::Errno;

/// The name and the system's own sentence of an error number.
pub(super) fn of(number: i32) -> Option<(&'static str, String)> {
    let (_, name) = NAMES.iter().find(|(errno, _)| errno.raw_os_error() == number)?;
    let sentence = std::io::Error::from_raw_os_error(number).to_string();
    let sentence = sentence.split(" (os error").next().unwrap_or_default();
    Some((name, format!("{sentence}.")))
}

/// The number of a name.
pub(super) fn named(name: &str) -> Option<i32> {
    let row = NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name))?;
    Some(row.0.raw_os_error())
}

/// Those that calls on files, memory and connections end with.
const NAMES: &[(Errno, &str)] = &[
    (Errno::PERM, "EPERM"),
    (Errno::NOENT, "ENOENT"),
    (Errno::INTR, "EINTR"),
    (Errno::IO, "EIO"),
    (Errno::TOOBIG, "E2BIG"),
    (Errno::BADF, "EBADF"),
    (Errno::CHILD, "ECHILD"),
    (Errno::AGAIN, "EAGAIN"),
    (Errno::NOMEM, "ENOMEM"),
    (Errno::ACCESS, "EACCES"),
    (Errno::FAULT, "EFAULT"),
    (Errno::BUSY, "EBUSY"),
    (Errno::EXIST, "EEXIST"),
    (Errno::XDEV, "EXDEV"),
    (Errno::NOTDIR, "ENOTDIR"),
    (Errno::ISDIR, "EISDIR"),
    (Errno::INVAL, "EINVAL"),
    (Errno::NFILE, "ENFILE"),
    (Errno::MFILE, "EMFILE"),
    (Errno::NOTTY, "ENOTTY"),
    (Errno::FBIG, "EFBIG"),
    (Errno::NOSPC, "ENOSPC"),
    (Errno::ROFS, "EROFS"),
    (Errno::PIPE, "EPIPE"),
    (Errno::RANGE, "ERANGE"),
    (Errno::DEADLK, "EDEADLK"),
    (Errno::NAMETOOLONG, "ENAMETOOLONG"),
    (Errno::NOLCK, "ENOLCK"),
    (Errno::NOSYS, "ENOSYS"),
    (Errno::LOOP, "ELOOP"),
    (Errno::NOKEY, "ENOKEY"),
    (Errno::KEYEXPIRED, "EKEYEXPIRED"),
    (Errno::KEYREVOKED, "EKEYREVOKED"),
    (Errno::DQUOT, "EDQUOT"),
    (Errno::NOTSOCK, "ENOTSOCK"),
    (Errno::MSGSIZE, "EMSGSIZE"),
    (Errno::OPNOTSUPP, "EOPNOTSUPP"),
    (Errno::AFNOSUPPORT, "EAFNOSUPPORT"),
    (Errno::ADDRINUSE, "EADDRINUSE"),
    (Errno::ADDRNOTAVAIL, "EADDRNOTAVAIL"),
    (Errno::NETDOWN, "ENETDOWN"),
    (Errno::NETUNREACH, "ENETUNREACH"),
    (Errno::CONNABORTED, "ECONNABORTED"),
    (Errno::CONNRESET, "ECONNRESET"),
    (Errno::NOTCONN, "ENOTCONN"),
    (Errno::TIMEDOUT, "ETIMEDOUT"),
    (Errno::CONNREFUSED, "ECONNREFUSED"),
    (Errno::HOSTDOWN, "EHOSTDOWN"),
    (Errno::HOSTUNREACH, "EHOSTUNREACH"),
];
