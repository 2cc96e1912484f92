//! Plug-ins come into the process: when one is first asked for, and never out again.

use std::ffi::{CStr, CString, OsStr, c_void};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use orthros::mechanism;
use orthros::settings;
use orthros::trace::Event;
use orthros_wire::Oid;

use super::config::{self, BadLine, Entry};
use super::functions::Functions;
use crate::calls::contexts::gss_init_sec_context;
use crate::library;
use crate::oids::{StaticOid, interned};

/// Where plug-ins are listed, and the folder whose `*.conf` list more.
const LIST: &str = "/etc/gss/mech";
const LISTS: &str = "/etc/gss/mech.d";
/// Names another list in place of those.
const VARIABLE: &str = "GSS_MECH_CONFIG";

/// A mechanism of others that is in the process.
pub(crate) struct Plugin {
    /// Its place in the configuration.
    pub(super) index: usize,
    /// Its line there.
    pub(super) entry: Entry,
    /// Its identifier in static memory.
    pub(super) oid: StaticOid,
    pub(super) functions: Functions,
}

// SAFETY: the identifier that it points to is never changed and never freed; functions of a mechanism may be called by any
// thread.
unsafe impl Send for Plugin {}
// SAFETY: as for `Send`.
unsafe impl Sync for Plugin {}

/// A plug-in that is configured.
pub(super) struct Listed {
    index: usize,
    entry: Entry,
    /// Filled when it is first asked for.
    loaded: OnceLock<Result<Plugin, String>>,
}

/// What a list says.
type Said = (Vec<Entry>, Vec<BadLine>);

/// What is configured. Read once, when a mechanism is first asked for that is not ours.
pub(super) fn listed() -> &'static [Listed] {
    static LISTED: OnceLock<Vec<Listed>> = OnceLock::new();
    LISTED.get_or_init(|| {
        let read = |path: PathBuf| fs::read(&path).ok().map(|octets| (path, config::parse(&octets)));
        let says = |(_, (entries, bad)): &(_, Said)| !(entries.is_empty() && bad.is_empty());
        let lists: Vec<_> = lists().into_iter().filter_map(read).filter(says).collect();
        // Where nothing is listed the dynamic linker is not asked: under `LD_DEBUG` it would write to a descriptor that
        // programs such as ssh have closed and use for other things.
        if lists.is_empty() {
            return Vec::new();
        }
        if own().is_none() {
            for entry in lists.iter().flat_map(|(_, (entries, _))| entries) {
                tell(&entry.name, &entry.file, Err(OTHER_FACE));
            }
            return Vec::new();
        }
        entries(lists)
    })
}

/// One that is configured.
pub(super) fn at(index: usize) -> Option<&'static Plugin> {
    listed().get(index)?.plugin().ok()
}

impl Listed {
    pub(super) fn oid(&self) -> &Oid {
        &self.entry.oid
    }

    /// The plug-in, loaded now if it was not before; or why it can't be.
    pub(super) fn plugin(&self) -> Result<&Plugin, &str> {
        let loaded = self.loaded.get_or_init(|| {
            let outcome = load(self.index, &self.entry);
            tell(&self.entry.name, &self.entry.file, outcome.as_ref().map(|_| ()).map_err(String::as_str));
            outcome
        });
        loaded.as_ref().map_err(String::as_str)
    }

    /// Why it can't be loaded, for people.
    pub(super) fn story(&self, why: &str) -> String {
        format!("the mechanism {} is not loaded from {}: {why}", self.entry.name, self.entry.file.display())
    }
}

fn tell(name: &str, file: &Path, outcome: Result<(), &str>) {
    if let Ok(orthros) = library::orthros() {
        orthros.tell(Event::Plugin { name, file, outcome });
    }
}

/// The lists' entries, of each list by its file.
fn entries(lists: Vec<(PathBuf, Said)>) -> Vec<Listed> {
    let mut listed: Vec<Listed> = Vec::new();
    for (path, (entries, bad)) in lists {
        for line in bad {
            tell(&format!("line {}", line.number), &path, Err(line.why));
        }
        for entry in entries {
            // The first one stays, ours before all others, as with MIT krb5.
            let known = mechanism::find(&entry.oid).is_some() && !entry.interposes;
            if known || listed.iter().any(|other| *other.oid() == entry.oid) {
                tell(&entry.name, &entry.file, Err("there is a mechanism of this identifier already"));
            } else {
                listed.push(Listed { index: listed.len(), entry, loaded: OnceLock::new() });
            }
        }
    }
    // Nobody asks for an interposer by name, so that its refusal has to be told now.
    for row in listed.iter().filter(|row| row.entry.interposes) {
        let _ = row.plugin();
    }
    listed
}

/// The files that list plug-ins.
fn lists() -> Vec<PathBuf> {
    if let Some(named) = settings::variable(VARIABLE) {
        return vec![named.into()];
    }
    let entries = fs::read_dir(LISTS).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut lists: Vec<PathBuf> =
        entries.filter(|path| path.extension() == Some(OsStr::new("conf"))).collect();
    lists.sort();
    lists.insert(0, LIST.into());
    lists
}

/// Why the libraries that stand in for Heimdal's and GNU's load nothing. GNU's never did.
const OTHER_FACE: &str = "only the library that stands in for MIT krb5's loads mechanisms; those for \
    Heimdal's have other entries";

/// Why interposers are not loaded. `docs/programs.md` says more.
const INTERPOSER: &str = "interposers are refused: one would be handed every credential and key in place of this library, \
    and calls back into it by identifiers that only MIT krb5's library has";

fn load(index: usize, entry: &Entry) -> Result<Plugin, String> {
    if entry.interposes {
        return Err(INTERPOSER.into());
    }
    let own = own().ok_or("this library takes no plug-ins")?;
    let library = Library::open(own, &own.folder.join("gss").join(&entry.file))?;
    let functions = Functions::of(&library);
    if functions.are_none() {
        let table = library.symbol(c"gss_mech_initialize").is_some();
        return Err(match table {
            true => "it has no functions but a table, whose layout only one version of MIT krb5 knows",
            false => "it has no function of the GSS-API",
        }
        .into());
    }
    Ok(Plugin { index, entry: entry.clone(), oid: interned(&entry.oid), functions })
}

/// Where this library itself is mapped.
struct Own {
    base: *mut c_void,
    /// The folder that its file is in.
    folder: PathBuf,
}

// SAFETY: the address is compared, and never used to read or write.
unsafe impl Send for Own {}
// SAFETY: as for `Send`.
unsafe impl Sync for Own {}

/// This library, if it stands in for MIT krb5's: plug-ins are linked with that, and the functions that they call must be
/// ours.
fn own() -> Option<&'static Own> {
    static OWN: OnceLock<Option<Own>> = OnceLock::new();
    OWN.get_or_init(find_own).as_ref()
}

fn find_own() -> Option<Own> {
    let one = (gss_init_sec_context as *const ()).cast_mut().cast::<c_void>();
    let found = Mapped::of(one)?;
    // SAFETY: a C string; the library is mapped, and with this flag nothing new is.
    let handle = unsafe { libc::dlopen(found.file.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
    if handle.is_null() {
        return None;
    }
    // SAFETY: the library is open; both names are C strings.
    let versioned =
        unsafe { libc::dlvsym(handle, c"gss_init_sec_context".as_ptr(), c"gssapi_krb5_2_MIT".as_ptr()) };
    // Absolute, so that nothing is ever loaded from wherever the program is at work.
    let folder = fs::canonicalize(OsStr::from_bytes(found.file.to_bytes())).ok()?.parent()?.to_owned();
    (versioned == one).then_some(Own { base: found.base, folder })
}

/// Which object an address lies in.
struct Mapped {
    file: CString,
    base: *mut c_void,
}

impl Mapped {
    fn of(address: *mut c_void) -> Option<Self> {
        let mut info = libc::Dl_info {
            dli_fname: std::ptr::null(),
            dli_fbase: std::ptr::null_mut(),
            dli_sname: std::ptr::null(),
            dli_saddr: std::ptr::null_mut(),
        };
        // SAFETY: any address may be asked for; the place is of this function.
        let found = unsafe { libc::dladdr(address, &raw mut info) };
        if found == 0 || info.dli_fname.is_null() {
            return None;
        }
        // SAFETY: not null, so the name of the object (dladdr(3)), which stays mapped: it holds code that is in use.
        let file = unsafe { CStr::from_ptr(info.dli_fname) }.to_owned();
        Some(Self { file, base: info.dli_fbase })
    }
}

/// A shared object that was opened.
pub(super) struct Library {
    handle: *mut c_void,
    own: *mut c_void,
}

impl Library {
    fn open(own: &Own, file: &Path) -> Result<Self, String> {
        let path = CString::new(file.as_os_str().as_bytes()).map_err(|_| "its path has a zero in it")?;
        // SAFETY: a C string. The code that this runs is what the configuration names: whoever may write that rules over
        // every program that uses the library.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if handle.is_null() {
            return Err(last_report());
        }
        Ok(Self { handle, own: own.base })
    }

    /// The address of a symbol. What a plug-in does not have is looked for in the libraries that it is linked with, of which
    /// this one is the first: ours are none of it.
    pub(super) fn symbol(&self, name: &CStr) -> Option<*mut c_void> {
        // SAFETY: the library is open and never closed; the name is a C string.
        let found = unsafe { libc::dlsym(self.handle, name.as_ptr()) };
        (!found.is_null() && Mapped::of(found)?.base != self.own).then_some(found)
    }
}

/// What the dynamic linker says about the call that failed.
fn last_report() -> String {
    // SAFETY: no precondition; the text is valid until the next call of the linker's, and is copied here.
    let report = unsafe { libc::dlerror() };
    if report.is_null() {
        return "it can't be loaded".into();
    }
    // SAFETY: not null, so a C string (dlerror(3)).
    unsafe { CStr::from_ptr(report) }.to_string_lossy().into_owned()
}
