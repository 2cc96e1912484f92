//! What a program's file says about how it is loaded: a script's interpreter, or of an ELF file the processor and the
//! dynamic linker (System V ABI, "Program Header").
//!
//! The file belongs to whoever starts it, and is never run because of what is read here. Deliberately not here: its
//! dynamic section; which libraries it gets is asked of its dynamic linker.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// So much of a file is read: headers lie at its beginning.
const BEGINNING: u64 = 64 * 1024;
/// The type of the program header that names the dynamic linker.
const PT_INTERP: u64 = 3;

/// How a program is started.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// By its dynamic linker.
    Dynamic {
        /// Processor and word size: what of a library must be the same.
        machine: Machine,
        /// The dynamic linker.
        linker: PathBuf,
    },
    /// By an interpreter: `#!`.
    Script(PathBuf),
    /// On its own: no library can be put under it.
    Static,
    /// In a way that is not known here.
    Other,
}

/// Word size, octet order and processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    class: u64,
    order: u64,
    processor: u64,
}

impl Program {
    /// Reads the beginning of a file.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self::parse(&beginning(path)?))
    }

    fn parse(octets: &[u8]) -> Self {
        if let Some(script) = octets.strip_prefix(b"#!") {
            let line = script.split(|octet| *octet == b'\n').next().unwrap_or_default();
            let words = line.split(|octet| octet.is_ascii_whitespace());
            let interpreter = words.filter(|word| !word.is_empty()).map(<[u8]>::to_vec).next();
            return interpreter.map_or(Self::Other, |path| Self::Script(OsString::from_vec(path).into()));
        }
        let Some(header) = Header::parse(octets) else { return Self::Other };
        match header.linker(octets) {
            Some(linker) => Self::Dynamic { machine: header.machine, linker },
            None => Self::Static,
        }
    }
}

impl Machine {
    /// That of a library.
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        Ok(Header::parse(&beginning(path)?).map(|header| header.machine))
    }
}

fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    File::open(path)?.take(BEGINNING).read_to_end(&mut octets)?;
    Ok(octets)
}

/// The ELF header, as far as it matters.
struct Header {
    machine: Machine,
    wide: bool,
    /// Where the program headers begin, how long each is, and how many there are.
    table: (usize, usize, usize),
}

impl Header {
    fn parse(octets: &[u8]) -> Option<Self> {
        let (magic, _) = octets.split_first_chunk::<4>()?;
        if magic != b"\x7fELF" {
            return None;
        }
        let (class, order) = (u64::from(*octets.get(4)?), u64::from(*octets.get(5)?));
        let wide = class == 2;
        let field = |offset, length| number(octets, offset, length, order == 1);
        let processor = field(18, 2)?;
        let (start, size, count) = if wide { ((32, 8), 54, 56) } else { ((28, 4), 42, 44) };
        let table = (field(start.0, start.1)?, field(size, 2)?, field(count, 2)?);
        let length = |value| usize::try_from(value).ok();
        Some(Self {
            machine: Machine { class, order, processor },
            wide,
            table: (length(table.0)?, length(table.1)?, length(table.2)?),
        })
    }

    /// The path that the header of type `PT_INTERP` points at.
    fn linker(&self, octets: &[u8]) -> Option<PathBuf> {
        let (start, size, count) = self.table;
        let little = self.machine.order == 1;
        (0..count).find_map(|which| {
            let entry = octets.get(start.checked_add(which.checked_mul(size)?)?..)?;
            if number(entry, 0, 4, little)? != PT_INTERP {
                return None;
            }
            let (offset, length) = if self.wide { ((8, 8), (32, 8)) } else { ((4, 4), (16, 4)) };
            let offset = usize::try_from(number(entry, offset.0, offset.1, little)?).ok()?;
            let length = usize::try_from(number(entry, length.0, length.1, little)?).ok()?;
            let path = octets.get(offset..offset.checked_add(length)?)?;
            let path = path.split(|octet| *octet == 0).next()?;
            Some(OsString::from_vec(path.to_vec()).into())
        })
    }
}

/// The number in so many octets.
fn number(octets: &[u8], offset: usize, length: usize, little: bool) -> Option<u64> {
    let octets = octets.get(offset..offset.checked_add(length)?)?;
    let join = |sum: u64, octet: &u8| sum << 8 | u64::from(*octet);
    Some(if little { octets.iter().rev().fold(0, join) } else { octets.iter().fold(0, join) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_is_loaded_by_a_dynamic_linker_and_a_script_by_its_interpreter() {
        let this = std::env::current_exe().unwrap();
        let Program::Dynamic { machine, linker } = Program::of(&this).unwrap() else { panic!() };
        assert!(linker.is_file(), "{linker:?}");
        assert_eq!(Machine::of(&linker).unwrap(), Some(machine));
        assert_eq!(Program::parse(b"#! /bin/sh -e\nexit\n"), Program::Script("/bin/sh".into()));
        assert_eq!(Program::parse(b"#!\n"), Program::Other);
        assert_eq!(Program::parse(b"text"), Program::Other);
    }

    #[test]
    fn a_file_that_is_cut_off_or_altered_anywhere_is_no_harm() {
        let whole = beginning(&std::env::current_exe().unwrap()).unwrap();
        for length in 0..1_000 {
            let _ = Program::parse(&whole[..length]);
            let mut altered = whole.clone();
            altered[length] ^= 0xff;
            let _ = Program::parse(&altered);
        }
    }
}
