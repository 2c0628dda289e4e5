//! The official C library `libWeWorkFinanceSdk_C.so`, loaded at run time (receiving.md §5.2).
//!
//! This file holds the project's only unsafe code: 17 symbols, and a safe face that copies everything it is given.
#![expect(unsafe_code, reason = "the archive is reachable only through WeCom's own C library")]

use std::{
    ffi::{CStr, CString, c_char, c_int, c_uint, c_ulonglong},
    path::{Path, PathBuf},
    ptr::NonNull,
    sync::Arc,
};

use zeroize::Zeroizing;

use super::codes::Code;

/// Opaque, the library's.
#[repr(C)]
struct RawSdk([u8; 0]);
/// Opaque, the library's.
#[repr(C)]
struct RawSlice([u8; 0]);
/// Opaque, the library's.
#[repr(C)]
struct RawMedia([u8; 0]);

/// Why the library could not be taken into use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// No such file, wrong processor, a missing dependency …
    #[error("会话存档的动态库 {} 无法加载：{why}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// The loader's words.
        why: String,
    },
    /// Another library, or another version of it.
    #[error("动态库 {} 里没有 {symbol}，它不是会话存档的 C 库", path.display())]
    Symbol {
        /// The file.
        path: PathBuf,
        /// What is missing.
        symbol: &'static str,
    },
}

macro_rules! symbols {
    ($($field:ident = $name:literal: fn($($arg:ty),*) $(-> $ret:ty)?;)*) => {
        /// The entry points.
        struct Symbols { $($field: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)* }

        impl Symbols {
            fn find(library: &libloading::Library) -> Result<Self, &'static str> {
                Ok(Self {$(
                    // SAFETY: the name and the signature are those of the official header; what is returned is a plain
                    // function address, and the library is never unloaded while `Library` lives.
                    $field: unsafe { *library.get($name.as_bytes()).map_err(|_| $name)? },
                )*})
            }
        }
    };
}

symbols! {
    new_sdk = "NewSdk": fn() -> *mut RawSdk;
    init = "Init": fn(*mut RawSdk, *const c_char, *const c_char) -> c_int;
    destroy_sdk = "DestroySdk": fn(*mut RawSdk);
    get_chat_data = "GetChatData":
        fn(*mut RawSdk, c_ulonglong, c_uint, *const c_char, *const c_char, c_int, *mut RawSlice) -> c_int;
    decrypt_data = "DecryptData": fn(*const c_char, *const c_char, *mut RawSlice) -> c_int;
    get_media_data = "GetMediaData":
        fn(*mut RawSdk, *const c_char, *const c_char, *const c_char, *const c_char, c_int, *mut RawMedia) -> c_int;
    new_slice = "NewSlice": fn() -> *mut RawSlice;
    free_slice = "FreeSlice": fn(*mut RawSlice);
    slice_content = "GetContentFromSlice": fn(*mut RawSlice) -> *mut c_char;
    slice_length = "GetSliceLen": fn(*mut RawSlice) -> c_int;
    new_media = "NewMediaData": fn() -> *mut RawMedia;
    free_media = "FreeMediaData": fn(*mut RawMedia);
    media_index = "GetOutIndexBuf": fn(*mut RawMedia) -> *mut c_char;
    media_index_length = "GetIndexLen": fn(*mut RawMedia) -> c_int;
    media_data = "GetData": fn(*mut RawMedia) -> *mut c_char;
    media_data_length = "GetDataLen": fn(*mut RawMedia) -> c_int;
    media_finished = "IsMediaDataFinish": fn(*mut RawMedia) -> c_int;
}

/// The library.
pub struct Library {
    symbols: Symbols,
    /// Keeps the code in memory.
    _handle: libloading::Library,
}

/// Copies `length` bytes from the library's memory.
///
/// # Safety
/// `from` is null or points to at least `length` readable bytes.
unsafe fn copied(from: *const c_char, length: c_int) -> Vec<u8> {
    match usize::try_from(length) {
        // SAFETY: promised by the caller; null and empty are sorted out here.
        Ok(length) if length > 0 && !from.is_null() => unsafe {
            std::slice::from_raw_parts(from.cast::<u8>(), length).to_vec()
        },
        _ => Vec::new(),
    }
}

/// The library's answer when it cannot even make an object.
const NO_MEMORY: Code = Code(10003);

impl Library {
    /// Loads the library.
    pub fn open(path: &Path) -> Result<Arc<Self>, LibraryError> {
        // SAFETY: loading runs the library's initialisers. It is the file that the operator named as WeCom's own library;
        // a hostile file there could as well be a hostile program.
        let handle = unsafe { libloading::Library::new(path) }
            .map_err(|error| LibraryError::Load { path: path.to_owned(), why: error.to_string() })?;
        let symbols =
            Symbols::find(&handle).map_err(|symbol| LibraryError::Symbol { path: path.to_owned(), symbol })?;
        Ok(Arc::new(Self { symbols, _handle: handle }))
    }

    /// Opens the company's archive. Blocks.
    pub fn session(self: &Arc<Self>, corp_id: &CStr, secret: &CStr) -> Result<Session, Code> {
        // SAFETY: takes nothing; null is sorted out below.
        let sdk = NonNull::new(unsafe { (self.symbols.new_sdk)() }).ok_or(NO_MEMORY)?;
        let session = Session { library: self.clone(), sdk };
        // SAFETY: a fresh object of the library, and two C strings that outlive the call.
        match unsafe { (self.symbols.init)(sdk.as_ptr(), corp_id.as_ptr(), secret.as_ptr()) } {
            0 => Ok(session),
            code => Err(Code(code.into())),
        }
    }

    /// `DecryptData`: needs no network and no session. Fast.
    pub fn decrypt(&self, key: &CStr, message: &CStr) -> Result<Zeroizing<Vec<u8>>, Code> {
        self.fill_slice(|slice| {
            // SAFETY: two C strings that outlive the call and a live slice of the library.
            unsafe { (self.symbols.decrypt_data)(key.as_ptr(), message.as_ptr(), slice) }
        })
        .map(Zeroizing::new)
    }

    /// Runs a call that fills a slice and copies what it holds.
    fn fill_slice(&self, call: impl FnOnce(*mut RawSlice) -> c_int) -> Result<Vec<u8>, Code> {
        // SAFETY: takes nothing; null is sorted out below.
        let slice = NonNull::new(unsafe { (self.symbols.new_slice)() }).ok_or(NO_MEMORY)?.as_ptr();
        let code = call(slice);
        let bytes = if code == 0 {
            // SAFETY: the slice is alive, and its two accessors describe one buffer of its own.
            unsafe { copied((self.symbols.slice_content)(slice), (self.symbols.slice_length)(slice)) }
        } else {
            Vec::new()
        };
        // SAFETY: made above, freed once, not used again.
        unsafe { (self.symbols.free_slice)(slice) };
        if code == 0 { Ok(bytes) } else { Err(Code(code.into())) }
    }
}

/// How a call gets out to WeCom.
#[derive(Clone, Default)]
pub struct Route {
    /// `http://…` or `socks5://…`, or empty.
    pub proxy: CString,
    /// `user:password`, or empty.
    pub proxy_password: CString,
    /// Longest time for the call, whole seconds.
    pub timeout_seconds: c_int,
}

/// One piece of a file.
#[derive(Debug)]
pub struct Piece {
    /// The bytes, at most 512 KiB.
    pub bytes: Vec<u8>,
    /// Where the next piece begins; opaque.
    pub next: CString,
    /// This was the last.
    pub finished: bool,
}

/// An open archive. Used by one thread at a time (thread safety is undocumented).
pub struct Session {
    library: Arc<Library>,
    sdk: NonNull<RawSdk>,
}

// SAFETY: the object has no tie to the thread that made it; `&mut self` on every call keeps it to one thread at a time.
unsafe impl Send for Session {}

impl Session {
    /// `GetChatData`: the JSON of the messages after `seq`. Blocks.
    pub fn chat_data(&mut self, seq: u64, limit: u32, route: &Route) -> Result<Vec<u8>, Code> {
        self.library.fill_slice(|slice| {
            // SAFETY: a live object and a live slice of the library, C strings that outlive the call.
            unsafe {
                (self.library.symbols.get_chat_data)(
                    self.sdk.as_ptr(),
                    seq,
                    limit,
                    route.proxy.as_ptr(),
                    route.proxy_password.as_ptr(),
                    route.timeout_seconds,
                    slice,
                )
            }
        })
    }

    /// `GetMediaData`: the piece of a file that begins at `index` (empty for the first). Blocks.
    pub fn media(&mut self, index: &CStr, file: &CStr, route: &Route) -> Result<Piece, Code> {
        let symbols = &self.library.symbols;
        // SAFETY: takes nothing; null is sorted out below.
        let media = NonNull::new(unsafe { (symbols.new_media)() }).ok_or(NO_MEMORY)?.as_ptr();
        // SAFETY: a live object and a live media object of the library, C strings that outlive the call.
        let code = unsafe {
            (symbols.get_media_data)(
                self.sdk.as_ptr(),
                index.as_ptr(),
                file.as_ptr(),
                route.proxy.as_ptr(),
                route.proxy_password.as_ptr(),
                route.timeout_seconds,
                media,
            )
        };
        let piece = if code == 0 {
            // SAFETY: the media object is alive, and each pair of accessors describes one buffer of its own.
            unsafe {
                let mut next = copied((symbols.media_index)(media), (symbols.media_index_length)(media));
                next.retain(|byte| *byte != 0);
                Ok(Piece {
                    bytes: copied((symbols.media_data)(media), (symbols.media_data_length)(media)),
                    next: CString::new(next).unwrap_or_default(),
                    finished: (symbols.media_finished)(media) == 1,
                })
            }
        } else {
            Err(Code(code.into()))
        };
        // SAFETY: made above, freed once, not used again.
        unsafe { (symbols.free_media)(media) };
        piece
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: made by this library, destroyed once, and `&mut self` says that no call is under way.
        unsafe { (self.library.symbols.destroy_sdk)(self.sdk.as_ptr()) };
    }
}
