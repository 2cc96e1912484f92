//! The functions of libkrb5 that are used, and its objects behind types that keep its rules.
//!
//! Whatever is unsafe about another library stands here: that its functions are what `krb5.h` says of this version node,
//! and that its objects are freed by it, once. The other files read like safe code.

#![expect(
    clippy::multiple_unsafe_ops_per_block,
    reason = "that an object is made, read and freed by the library, in this order, is one proof"
)]

use std::ffi::{CStr, CString, c_char, c_uint, c_void};
use std::ops::Deref;
use std::ptr;
use std::slice;
use std::sync::OnceLock;

use orthros_crypto::{Enctype, Key, LongTermKey};
use orthros_krb5::Principal;
use orthros_wire::SecretBytes;

type Object = *mut c_void;
type Code = i32;

/// Whose libkrb5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// MIT krb5's.
    Mit,
    /// Heimdal's.
    Heimdal,
}

impl Maker {
    /// The library's name, and the version node of its functions.
    fn library(self) -> (&'static CStr, &'static CStr) {
        match self {
            Self::Mit => (c"libkrb5.so.3", c"krb5_3_MIT"),
            Self::Heimdal => (c"libkrb5.so.26", c"HEIMDAL_KRB5_2.0"),
        }
    }
}

/// `KRB5_FCC_NOFILE`: there is no such cache.
const NO_CACHE: Code = -1_765_328_189;
/// `KRB5_CC_END`, `KRB5_KT_END`: all have been told.
const END_OF_CACHE: Code = -1_765_328_242;
const END_OF_KEYTAB: Code = -1_765_328_202;

macro_rules! functions {
    ($functions:ident: $($name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        struct $functions { $($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)* }

        impl $functions {
            /// All of them, of this version node; else the name of one that the library lacks.
            fn of(library: Object, node: &CStr) -> Result<Self, &'static str> {
                Ok(Self { $($name: {
                    let symbol = concat!(stringify!($name), "\0");
                    // SAFETY: the library is open and never closed; both names are C strings.
                    let found = unsafe { libc::dlvsym(library, symbol.as_ptr().cast(), node.as_ptr()) };
                    if found.is_null() {
                        return Err(stringify!($name));
                    }
                    // SAFETY: of this name and version node krb5.h declares a function of this type, and has
                    // since the node exists; the address is not null.
                    unsafe { std::mem::transmute::<Object, unsafe extern "C" fn($($argument),*) $(-> $result)?>(found) }
                },)* })
            }
        }
    };
}

functions! { Common:
    krb5_init_context(*mut Object) -> Code;
    krb5_free_context(Object);
    krb5_get_error_message(Object, Code) -> *const c_char;
    krb5_free_error_message(Object, *const c_char);
    krb5_parse_name(Object, *const c_char, *mut Object) -> Code;
    krb5_unparse_name(Object, Object, *mut *mut c_char) -> Code;
    krb5_free_principal(Object, Object);
    krb5_cc_resolve(Object, *const c_char, *mut Object) -> Code;
    krb5_cc_close(Object, Object) -> Code;
    krb5_cc_destroy(Object, Object) -> Code;
    krb5_cc_initialize(Object, Object, Object) -> Code;
    krb5_cc_get_principal(Object, Object, *mut Object) -> Code;
    krb5_cc_get_full_name(Object, Object, *mut *mut c_char) -> Code;
    krb5_cc_start_seq_get(Object, Object, *mut Object) -> Code;
    krb5_cc_next_cred(Object, Object, *mut Object, *mut Credentials) -> Code;
    krb5_cc_end_seq_get(Object, Object, *mut Object) -> Code;
    krb5_cc_store_cred(Object, Object, *mut Credentials) -> Code;
    krb5_free_cred_contents(Object, *mut Credentials);
    krb5_kt_resolve(Object, *const c_char, *mut Object) -> Code;
    krb5_kt_close(Object, Object) -> Code;
}

functions! { Mit:
    krb5_free_unparsed_name(Object, *mut c_char);
    krb5_free_string(Object, *mut c_char);
    krb5_free_creds(Object, *mut Credentials);
    krb5_marshal_credentials(Object, *mut Credentials, *mut *mut Data) -> Code;
    krb5_unmarshal_credentials(Object, *const Data, *mut *mut Credentials) -> Code;
    krb5_free_data(Object, *mut Data);
    krb5_kt_get_name(Object, Object, *mut c_char, c_uint) -> Code;
    krb5_kt_start_seq_get(Object, Object, *mut Object) -> Code;
    krb5_kt_next_entry(Object, Object, *mut Entry, *mut Object) -> Code;
    krb5_kt_end_seq_get(Object, Object, *mut Object) -> Code;
    krb5_kt_get_entry(Object, Object, Object, c_uint, i32, *mut Entry) -> Code;
    krb5_free_keytab_entry_contents(Object, *mut Entry) -> Code;
}

functions! { Heimdal:
    krb5_xfree(Object);
    krb5_storage_emem() -> Object;
    krb5_storage_from_readonly_mem(*const c_void, usize) -> Object;
    krb5_storage_free(Object) -> Code;
    krb5_storage_to_data(Object, *mut Octets) -> Code;
    krb5_store_creds(Object, *mut Credentials) -> Code;
    krb5_ret_creds(Object, *mut Credentials) -> Code;
    krb5_data_free(*mut Octets);
    krb5_kt_get_full_name(Object, Object, *mut *mut c_char) -> Code;
}

/// The functions of one maker's library: those that both have, and its own.
struct Functions {
    common: Common,
    own: Own,
}

enum Own {
    Mit(Mit),
    Heimdal(Heimdal),
}

impl Deref for Functions {
    type Target = Common;

    fn deref(&self) -> &Common {
        &self.common
    }
}

impl Functions {
    fn of(library: Object, maker: Maker) -> Result<Self, &'static str> {
        let (_, node) = maker.library();
        let own = match maker {
            Maker::Mit => Own::Mit(Mit::of(library, node)?),
            Maker::Heimdal => Own::Heimdal(Heimdal::of(library, node)?),
        };
        Ok(Self { common: Common::of(library, node)?, own })
    }
}

/// Room for a `krb5_creds`, whose members are not looked at: with 64 bits 120 octets of MIT krb5's, 144 of Heimdal's.
#[repr(C, align(16))]
struct Credentials([u8; 512]);

/// `krb5_data` of Heimdal.
#[repr(C)]
struct Octets {
    length: usize,
    data: *mut u8,
}

/// `krb5_data`.
#[repr(C)]
struct Data {
    magic: i32,
    length: c_uint,
    data: *mut c_char,
}

/// `krb5_keytab_entry`.
#[repr(C)]
struct Entry {
    magic: i32,
    principal: Object,
    timestamp: i32,
    version: c_uint,
    key_magic: i32,
    enctype: i32,
    key_length: c_uint,
    key: *mut u8,
}

/// A `krb5_ccache` that a program lends.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct LentCache(Object);

/// A `krb5_keytab` that a program lends.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct LentKeytab(Object);

/// A `krb5_principal` that a program lends.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct LentPrincipal(Object);

macro_rules! lent {
    ($($name:ident)*) => { $(
        impl $name {
            /// An object that a program lends.
            ///
            /// # Safety
            /// `object` is null, or one of this type of the libkrb5 in this process, and nobody else uses it meanwhile.
            pub unsafe fn new(object: *mut c_void) -> Self {
                Self(object)
            }

            /// Whether there is one.
            pub fn is_present(self) -> bool {
                !self.0.is_null()
            }
        }
    )* };
}

lent!(LentCache LentKeytab LentPrincipal);

fn functions(maker: Maker) -> Result<Option<&'static Functions>, String> {
    static MIT: OnceLock<Result<Functions, &'static str>> = OnceLock::new();
    static HEIMDAL: OnceLock<Result<Functions, &'static str>> = OnceLock::new();
    let place = match maker {
        Maker::Mit => &MIT,
        Maker::Heimdal => &HEIMDAL,
    };
    let found = match place.get() {
        Some(found) => found,
        None => {
            let (name, _) = maker.library();
            // SAFETY: the name is a C string. A library that is not in this process is not loaded; one that is stays, so
            // that the addresses that are kept stay good.
            let library = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOLOAD | libc::RTLD_LAZY) };
            if library.is_null() {
                return Ok(None);
            }
            place.get_or_init(|| Functions::of(library, maker))
        }
    };
    match found {
        Ok(functions) => Ok(Some(functions)),
        Err(lacks) => Err(format!(
            "the libkrb5 of this process lacks {lacks}: MIT krb5 1.20 and Heimdal 7 are the first to have all"
        )),
    }
}

/// Whose libkrb5 is in this process; MIT krb5's if both are.
pub(super) fn mapped() -> Option<Maker> {
    [Maker::Mit, Maker::Heimdal].into_iter().find(|maker| !matches!(functions(*maker), Ok(None)))
}

/// A context of libkrb5, for one piece of work.
pub(super) struct Session {
    functions: &'static Functions,
    context: Object,
}

impl Session {
    /// A new one, of the libkrb5 that is there.
    pub(super) fn begin() -> Result<Self, String> {
        Self::of(mapped().unwrap_or(Maker::Mit))
    }

    /// A new one, of this maker's.
    pub(super) fn of(maker: Maker) -> Result<Self, String> {
        let functions = functions(maker)?.ok_or("the program has no libkrb5 in its process")?;
        let mut context = ptr::null_mut();
        // SAFETY: a place for the result; init makes a context or says why not.
        let code = unsafe { (functions.krb5_init_context)(&raw mut context) };
        if code != 0 {
            return Err(format!("libkrb5 could not be set up (error {code})"));
        }
        Ok(Self { functions, context })
    }

    fn check(&self, code: Code) -> Result<(), String> {
        if code == 0 {
            return Ok(());
        }
        // SAFETY: the context lives; what it answers is a C string that is freed after it was copied.
        unsafe {
            let message = (self.functions.krb5_get_error_message)(self.context, code);
            let text = CStr::from_ptr(message).to_string_lossy().into_owned();
            (self.functions.krb5_free_error_message)(self.context, message);
            Err(format!("libkrb5: {text}"))
        }
    }

    /// The cache of a name.
    pub(super) fn cache(&self, name: &str) -> Result<Cache<'_>, String> {
        let name = c_string(name)?;
        let mut object = ptr::null_mut();
        // SAFETY: the context lives, the name is a C string, the place is for the result.
        self.check(unsafe {
            (self.functions.krb5_cc_resolve)(self.context, name.as_ptr(), &raw mut object)
        })?;
        Ok(Cache { session: self, object, ours: true })
    }

    /// A cache that the program lends.
    pub(super) fn lent_cache(&self, cache: LentCache) -> Cache<'_> {
        Cache { session: self, object: cache.0, ours: false }
    }

    /// The keytab of a name.
    pub(super) fn keytab(&self, name: &str) -> Result<OpenKeytab<'_>, String> {
        let name = c_string(name)?;
        let mut object = ptr::null_mut();
        // SAFETY: as in `cache`.
        self.check(unsafe {
            (self.functions.krb5_kt_resolve)(self.context, name.as_ptr(), &raw mut object)
        })?;
        Ok(OpenKeytab { session: self, object })
    }

    /// What a text of the library's says; it is freed.
    ///
    /// # Safety
    /// The text is one that this library has just made.
    unsafe fn taken(&self, text: *mut c_char) -> String {
        // SAFETY: a C string by the caller's promise; it is copied before it is freed, by what this library frees such
        // texts with.
        unsafe {
            let told = CStr::from_ptr(text).to_string_lossy().into_owned();
            match &self.functions.own {
                Own::Mit(own) => (own.krb5_free_string)(self.context, text),
                Own::Heimdal(own) => (own.krb5_xfree)(text.cast()),
            }
            told
        }
    }

    /// The name of a keytab that the program lends.
    pub(super) fn name_of(&self, keytab: LentKeytab) -> Result<String, String> {
        let own = match &self.functions.own {
            Own::Mit(own) => own,
            Own::Heimdal(own) => {
                let mut text = ptr::null_mut();
                // SAFETY: the context lives, the keytab is lent (LentKeytab::new), the place is for the result.
                return unsafe {
                    let code = (own.krb5_kt_get_full_name)(self.context, keytab.0, &raw mut text);
                    self.check(code)?;
                    Ok(self.taken(text))
                };
            }
        };
        let mut name = [0_u8; 4_096];
        let length = c_uint::try_from(name.len()).unwrap_or(0);
        // SAFETY: the context lives, the keytab is lent (LentKeytab::new), and so much room is there.
        let code =
            unsafe { (own.krb5_kt_get_name)(self.context, keytab.0, name.as_mut_ptr().cast(), length) };
        self.check(code)?;
        let text = CStr::from_bytes_until_nul(&name).map_err(|error| error.to_string())?;
        Ok(text.to_string_lossy().into_owned())
    }

    /// The principal that the program lends.
    pub(super) fn principal(&self, principal: LentPrincipal) -> Result<Principal, String> {
        self.told_principal(principal.0)
    }

    fn told_principal(&self, object: Object) -> Result<Principal, String> {
        let mut text = ptr::null_mut();
        // SAFETY: the context and the principal live; the text is copied, then freed.
        let text = unsafe {
            self.check((self.functions.krb5_unparse_name)(self.context, object, &raw mut text))?;
            if let Own::Mit(own) = &self.functions.own {
                let told = CStr::from_ptr(text).to_string_lossy().into_owned();
                (own.krb5_free_unparsed_name)(self.context, text);
                told
            } else {
                self.taken(text)
            }
        };
        text.parse().map_err(|error| format!("{text}: {error}"))
    }

    /// Works with a principal as an object of libkrb5.
    fn with_principal<T>(&self, principal: &Principal, work: impl FnOnce(Object) -> T) -> Result<T, String> {
        let name = c_string(&principal.to_string())?;
        let mut object = ptr::null_mut();
        // SAFETY: as in `cache`.
        self.check(unsafe {
            (self.functions.krb5_parse_name)(self.context, name.as_ptr(), &raw mut object)
        })?;
        let done = work(object);
        // SAFETY: made above, freed once.
        unsafe { (self.functions.krb5_free_principal)(self.context, object) };
        Ok(done)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: made by `begin`, freed once; whatever was opened in it has borrowed it and is gone.
        unsafe { (self.functions.krb5_free_context)(self.context) };
    }
}

/// A cache of libkrb5.
pub(super) struct Cache<'s> {
    session: &'s Session,
    object: Object,
    /// Whether it was opened here.
    ours: bool,
}

impl Cache<'_> {
    /// Its name with its type.
    pub(super) fn name(&self) -> Result<String, String> {
        let Session { functions, context } = *self.session;
        let mut text = ptr::null_mut();
        // SAFETY: context and cache live; the text is copied, then freed.
        unsafe {
            self.session.check((functions.krb5_cc_get_full_name)(context, self.object, &raw mut text))?;
            Ok(self.session.taken(text))
        }
    }

    /// Whose it is; `None` if there is no such cache yet.
    pub(super) fn principal(&self) -> Result<Option<Principal>, String> {
        let Session { functions, context } = *self.session;
        let mut object = ptr::null_mut();
        // SAFETY: context and cache live, the place is for the result.
        let code = unsafe { (functions.krb5_cc_get_principal)(context, self.object, &raw mut object) };
        // Heimdal answers an error number for a cache in memory.
        if code == NO_CACHE || code == libc::ENOENT {
            return Ok(None);
        }
        self.session.check(code)?;
        let told = self.session.told_principal(object);
        // SAFETY: made by the call above, freed once.
        unsafe { (functions.krb5_free_principal)(context, object) };
        told.map(Some)
    }

    /// Its entries, each as a record of a cache file of version 4.
    pub(super) fn records(&self) -> Result<Vec<SecretBytes>, String> {
        let Session { functions, context } = *self.session;
        let mut cursor = ptr::null_mut();
        let mut records = Vec::new();
        // SAFETY: context and cache live; the cursor is of this cache and ended once; each entry lies in room enough for
        // it, was filled by the library before it is read, and its contents are freed once.
        unsafe {
            self.session.check((functions.krb5_cc_start_seq_get)(context, self.object, &raw mut cursor))?;
            let outcome = loop {
                let mut entry = Credentials([0; 512]);
                match (functions.krb5_cc_next_cred)(context, self.object, &raw mut cursor, &raw mut entry) {
                    0 => {}
                    END_OF_CACHE => break Ok(()),
                    code => break self.session.check(code),
                }
                let record = self.session.record(&raw mut entry);
                (functions.krb5_free_cred_contents)(context, &raw mut entry);
                match record {
                    Ok(record) => records.push(record),
                    Err(report) => break Err(report),
                }
            };
            let _ = (functions.krb5_cc_end_seq_get)(context, self.object, &raw mut cursor);
            outcome?;
        }
        Ok(records)
    }

    /// Empties it, for this client.
    pub(super) fn initialize(&self, client: &Principal) -> Result<(), String> {
        let Session { functions, context } = *self.session;
        let code = self.session.with_principal(client, |principal| {
            // SAFETY: context, cache and principal live.
            unsafe { (functions.krb5_cc_initialize)(context, self.object, principal) }
        })?;
        self.session.check(code)
    }

    /// Adds an entry: a record of a cache file of version 4.
    pub(super) fn store(&self, record: &[u8]) -> Result<(), String> {
        let Session { functions, context } = *self.session;
        match &functions.own {
            Own::Mit(own) => {
                let length = c_uint::try_from(record.len()).map_err(|_| "a ticket is too large")?;
                let data = Data { magic: 0, length, data: record.as_ptr().cast_mut().cast() };
                let mut entry = ptr::null_mut();
                // SAFETY: context and cache live; the data is only read, and lives; the entry is made by the library and
                // freed once.
                unsafe {
                    let made = (own.krb5_unmarshal_credentials)(context, &raw const data, &raw mut entry);
                    self.session.check(made)?;
                    let stored = (functions.krb5_cc_store_cred)(context, self.object, entry);
                    (own.krb5_free_creds)(context, entry);
                    self.session.check(stored)
                }
            }
            Own::Heimdal(own) => {
                let mut entry = Credentials([0; 512]);
                // SAFETY: as above; the storage reads the record while it lives, and is freed once.
                unsafe {
                    let storage = (own.krb5_storage_from_readonly_mem)(record.as_ptr().cast(), record.len());
                    if storage.is_null() {
                        return Err("libkrb5: no memory".into());
                    }
                    let made = (own.krb5_ret_creds)(storage, &raw mut entry);
                    let _ = (own.krb5_storage_free)(storage);
                    self.session.check(made)?;
                    let stored = (functions.krb5_cc_store_cred)(context, self.object, &raw mut entry);
                    (functions.krb5_free_cred_contents)(context, &raw mut entry);
                    self.session.check(stored)
                }
            }
        }
    }

    /// Takes it away.
    pub(super) fn destroy(mut self) -> Result<(), String> {
        let Session { functions, context } = *self.session;
        self.ours = false;
        // SAFETY: context and cache live; destroying closes the cache, and `ours` keeps it from being closed again.
        self.session.check(unsafe { (functions.krb5_cc_destroy)(context, self.object) })
    }
}

impl Drop for Cache<'_> {
    fn drop(&mut self) {
        if self.ours {
            // SAFETY: opened by `Session::cache`, closed once.
            let _ = unsafe { (self.session.functions.krb5_cc_close)(self.session.context, self.object) };
        }
    }
}

impl Session {
    /// # Safety
    /// The entry was filled by this library.
    unsafe fn record(&self, entry: *mut Credentials) -> Result<SecretBytes, String> {
        match &self.functions.own {
            Own::Mit(own) => {
                let mut data: *mut Data = ptr::null_mut();
                // SAFETY: the context lives, the entry is the caller's promise; the data is copied, then freed.
                unsafe {
                    self.check((own.krb5_marshal_credentials)(self.context, entry, &raw mut data))?;
                    let octets = octets((*data).data.cast(), (*data).length);
                    let record = SecretBytes::copy_of(octets);
                    (own.krb5_free_data)(self.context, data);
                    Ok(record)
                }
            }
            Own::Heimdal(own) => {
                let mut data = Octets { length: 0, data: ptr::null_mut() };
                // SAFETY: as above; the storage is made and freed here, and the data is a copy of what is in it.
                unsafe {
                    let storage = (own.krb5_storage_emem)();
                    if storage.is_null() {
                        return Err("libkrb5: no memory".into());
                    }
                    let mut code = (own.krb5_store_creds)(storage, entry);
                    if code == 0 {
                        code = (own.krb5_storage_to_data)(storage, &raw mut data);
                    }
                    let _ = (own.krb5_storage_free)(storage);
                    self.check(code)?;
                    let length = c_uint::try_from(data.length).unwrap_or(0);
                    let record = SecretBytes::copy_of(octets(data.data, length));
                    (own.krb5_data_free)(&raw mut data);
                    Ok(record)
                }
            }
        }
    }
}

/// A keytab of libkrb5.
pub(super) struct OpenKeytab<'s> {
    session: &'s Session,
    object: Object,
}

/// A key of it.
pub(super) struct FoundKey {
    pub(super) principal: Principal,
    pub(super) version: u32,
    pub(super) timestamp: i32,
    /// `None` for an enctype that is not known here.
    pub(super) key: Option<LongTermKey>,
}

impl OpenKeytab<'_> {
    /// What tells the keys. Of Heimdal's library only names of keytabs are asked.
    fn mit(&self) -> Result<&'static Mit, String> {
        match &self.session.functions.own {
            Own::Mit(own) => Ok(own),
            Own::Heimdal(_) => Err("keytabs in the memory of Heimdal's libkrb5 can't be read".into()),
        }
    }

    /// Its keys. Not every type can tell them.
    pub(super) fn keys(&self) -> Result<Vec<FoundKey>, String> {
        let (own, context) = (self.mit()?, self.session.context);
        let mut cursor = ptr::null_mut();
        let mut keys = Vec::new();
        // SAFETY: context and keytab live; the cursor is of this keytab and ended once; an entry that was told is whole.
        unsafe {
            self.session.check((own.krb5_kt_start_seq_get)(context, self.object, &raw mut cursor))?;
            let outcome = loop {
                let mut entry = Entry::EMPTY;
                match (own.krb5_kt_next_entry)(context, self.object, &raw mut entry, &raw mut cursor) {
                    0 => {}
                    END_OF_KEYTAB => break Ok(()),
                    code => break self.session.check(code),
                }
                match self.session.found(own, entry) {
                    Ok(key) => keys.push(key),
                    Err(report) => break Err(report),
                }
            };
            let _ = (own.krb5_kt_end_seq_get)(context, self.object, &raw mut cursor);
            outcome?;
        }
        Ok(keys)
    }

    /// One key; version 0 is the newest.
    pub(super) fn key(
        &self,
        principal: &Principal,
        version: u32,
        enctype: Enctype,
    ) -> Result<FoundKey, String> {
        let (own, context) = (self.mit()?, self.session.context);
        let mut entry = Entry::EMPTY;
        let code = self.session.with_principal(principal, |object| {
            // SAFETY: context, keytab and principal live; the place is for the result.
            unsafe {
                (own.krb5_kt_get_entry)(
                    context,
                    self.object,
                    object,
                    version,
                    enctype.number(),
                    &raw mut entry,
                )
            }
        })?;
        self.session.check(code)?;
        // SAFETY: the call above has filled the entry.
        unsafe { self.session.found(own, entry) }
    }
}

impl Drop for OpenKeytab<'_> {
    fn drop(&mut self) {
        // SAFETY: opened by `Session::keytab`, closed once.
        let _ = unsafe { (self.session.functions.krb5_kt_close)(self.session.context, self.object) };
    }
}

impl Entry {
    const EMPTY: Self = Self {
        magic: 0,
        principal: ptr::null_mut(),
        timestamp: 0,
        version: 0,
        key_magic: 0,
        enctype: 0,
        key_length: 0,
        key: ptr::null_mut(),
    };
}

impl Session {
    /// # Safety
    /// The entry was filled by this library; it is freed here.
    unsafe fn found(&self, own: &Mit, mut entry: Entry) -> Result<FoundKey, String> {
        let principal = self.told_principal(entry.principal);
        // SAFETY: the key's octets are the entry's; they are copied before the entry's contents are freed, once.
        let key = unsafe {
            let octets = octets(entry.key, entry.key_length);
            let key = Enctype::from_number(entry.enctype).and_then(|enctype| Key::new(enctype, octets).ok());
            let key = key.map(LongTermKey::from);
            (own.krb5_free_keytab_entry_contents)(self.context, &raw mut entry);
            key
        };
        Ok(FoundKey { principal: principal?, version: entry.version, timestamp: entry.timestamp, key })
    }
}

/// # Safety
/// So many octets lie there, and live as long as what is made of them.
unsafe fn octets<'a>(place: *const u8, length: c_uint) -> &'a [u8] {
    match usize::try_from(length) {
        // SAFETY: the caller's promise.
        Ok(length) if !place.is_null() => unsafe { slice::from_raw_parts(place, length) },
        _ => &[],
    }
}

fn c_string(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|_| format!("the name {text:?} has a zero in it"))
}
