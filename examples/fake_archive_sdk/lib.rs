//! A shared library with the C interface of WeCom's archive library, for tests and demonstrations without a company.
//!
//! It reads from the address given as `proxy`, or else in `QUNGUAN_FAKE_ARCHIVE` (the simulator prints it as
//! `archive.url`): `GET {address}?seq=&limit=` answers what `GetChatData` returns, byte for byte, and
//! `GET {address}/media?sdkfileid=` a whole file. An answer with the header `x-return-code: N` makes the call return N.
//! There is no timeout: an address that never answers makes a library that hangs.
//!
//! The real cipher of message bodies is Tencent's secret. Here it is AES-256-CBC with the 32-character key and its first 16
//! bytes as IV, as the simulator encrypts.
#![expect(unsafe_code, reason = "a C interface")]
#![expect(clippy::missing_safety_doc, reason = "the safety rules are those of the official header")]
#![expect(missing_docs, reason = "the official header documents the functions")]

use std::{
    collections::BTreeSet,
    ffi::{CStr, CString, c_char, c_int, c_uint, c_ulonglong},
    io::{Read, Write},
    net::TcpStream,
    sync::{Mutex, PoisonError},
};

use aes::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};
use base64::{Engine, engine::general_purpose::STANDARD};

const OK: c_int = 0;
const BAD_PARAMETER: c_int = 10000;
const NETWORK: c_int = 10001;
const BAD_FILE: c_int = 10005;
const DECRYPTION: c_int = 10006;
const BAD_KEY: c_int = 10008;
/// Bodies marked with `!` that were refused once.
static REFUSED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
/// Bytes in one piece of a file.
const PIECE: usize = 512 * 1024;

/// An account; usable once `Init` was told who it is.
#[derive(Default)]
pub struct Sdk {
    ready: bool,
}

/// Bytes of the library, with a closing zero that is not counted.
#[derive(Default)]
pub struct Slice {
    bytes: Vec<u8>,
}

/// One piece of a file.
#[derive(Default)]
pub struct Media {
    index: CString,
    bytes: Vec<u8>,
    finished: bool,
}

/// A boxed value as C holds it.
fn given<T: Default>() -> *mut T {
    Box::into_raw(Box::default())
}

unsafe fn freed<T>(value: *mut T) {
    if !value.is_null() {
        // SAFETY: made by `given`, freed once.
        drop(unsafe { Box::from_raw(value) });
    }
}

unsafe fn text<'a>(text: *const c_char) -> &'a str {
    if text.is_null() {
        return "";
    }
    // SAFETY: the caller passes C strings that live as long as the call.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or_default()
}

/// Fetches `{address}{path}`; `Err` is the code to return.
fn fetch(address: &str, path: &str) -> Result<Vec<u8>, c_int> {
    let environment = std::env::var("QUNGUAN_FAKE_ARCHIVE").unwrap_or_default();
    let address = if address.is_empty() { &environment } else { address };
    let rest = address.strip_prefix("http://").ok_or(BAD_PARAMETER)?;
    let (host, folder) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).map_err(|_| NETWORK)?;
    let request = format!("GET /{folder}{path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|_| NETWORK)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(|_| NETWORK)?;
    let head_end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or(NETWORK)?;
    let head = String::from_utf8_lossy(&answer[..head_end]).to_ascii_lowercase();
    if let Some(code) = head.lines().find_map(|line| line.strip_prefix("x-return-code:")?.trim().parse().ok()) {
        return Err(code);
    }
    match head.split(' ').nth(1) {
        Some("200") => Ok(answer.split_off(head_end + 4)),
        Some("404") => Err(BAD_FILE),
        _ => Err(NETWORK),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn NewSdk() -> *mut Sdk {
    given()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn Init(sdk: *mut Sdk, corp_id: *const c_char, secret: *const c_char) -> c_int {
    // SAFETY: as in the header.
    let (sdk, corp_id, secret) = unsafe { (sdk.as_mut(), text(corp_id), text(secret)) };
    match sdk {
        Some(sdk) if !corp_id.is_empty() && !secret.is_empty() => {
            sdk.ready = true;
            OK
        }
        _ => BAD_PARAMETER,
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn DestroySdk(sdk: *mut Sdk) {
    // SAFETY: as in the header.
    unsafe { freed(sdk) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetChatData(
    sdk: *mut Sdk,
    seq: c_ulonglong,
    limit: c_uint,
    proxy: *const c_char,
    _passwd: *const c_char,
    _timeout: c_int,
    chat_data: *mut Slice,
) -> c_int {
    // SAFETY: as in the header.
    let (sdk, address, slice) = unsafe { (sdk.as_ref(), text(proxy), chat_data.as_mut()) };
    let (Some(Sdk { ready: true }), Some(slice)) = (sdk, slice) else { return BAD_PARAMETER };
    match fetch(address, &format!("?seq={seq}&limit={limit}")) {
        Ok(mut bytes) => {
            bytes.push(0);
            slice.bytes = bytes;
            OK
        }
        Err(code) => code,
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn DecryptData(key: *const c_char, message: *const c_char, plain: *mut Slice) -> c_int {
    // SAFETY: as in the header.
    let (key, message, slice) = unsafe { (text(key).as_bytes(), text(message), plain.as_mut()) };
    let mut refused = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
    if message.starts_with('!') && refused.insert(message.to_owned()) {
        return BAD_KEY;
    }
    let (Ok(mut bytes), Some(slice)) = (STANDARD.decode(message.trim_start_matches('!')), slice) else {
        return BAD_PARAMETER;
    };
    let Some(iv) = key.get(..16) else { return DECRYPTION };
    let Ok(cipher) = cbc::Decryptor::<aes::Aes256>::new_from_slices(key, iv) else { return DECRYPTION };
    let Ok(length) = cipher.decrypt_padded::<Pkcs7>(&mut bytes).map(<[u8]>::len) else { return DECRYPTION };
    bytes.truncate(length);
    bytes.push(0);
    slice.bytes = bytes;
    OK
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetMediaData(
    sdk: *mut Sdk,
    index: *const c_char,
    file: *const c_char,
    proxy: *const c_char,
    _passwd: *const c_char,
    _timeout: c_int,
    media: *mut Media,
) -> c_int {
    // SAFETY: as in the header.
    let (sdk, index, file, address, media) =
        unsafe { (sdk.as_ref(), text(index), text(file), text(proxy), media.as_mut()) };
    let (Some(Sdk { ready: true }), Some(media)) = (sdk, media) else { return BAD_PARAMETER };
    let whole = match fetch(address, &format!("/media?sdkfileid={file}")) {
        Ok(bytes) => bytes,
        Err(code) => return code,
    };
    let from = index.strip_prefix("Range:bytes=").and_then(|range| range.split('-').next()?.parse().ok()).unwrap_or(0);
    let to = whole.len().min(from + PIECE);
    let Some(piece) = whole.get(from..to) else { return BAD_PARAMETER };
    media.bytes = piece.to_vec();
    media.finished = to == whole.len();
    media.index = CString::new(format!("Range:bytes={to}-{}", to + PIECE - 1)).unwrap_or_default();
    OK
}

#[unsafe(no_mangle)]
pub extern "C" fn NewSlice() -> *mut Slice {
    given()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn FreeSlice(slice: *mut Slice) {
    // SAFETY: as in the header.
    unsafe { freed(slice) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetContentFromSlice(slice: *mut Slice) -> *mut c_char {
    // SAFETY: as in the header.
    unsafe { slice.as_mut() }.map_or(std::ptr::null_mut(), |slice| slice.bytes.as_mut_ptr().cast())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetSliceLen(slice: *mut Slice) -> c_int {
    // SAFETY: as in the header.
    unsafe { slice.as_ref() }.map_or(0, |slice| slice.bytes.len().saturating_sub(1) as c_int)
}

#[unsafe(no_mangle)]
pub extern "C" fn NewMediaData() -> *mut Media {
    given()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn FreeMediaData(media: *mut Media) {
    // SAFETY: as in the header.
    unsafe { freed(media) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetOutIndexBuf(media: *mut Media) -> *mut c_char {
    // SAFETY: as in the header.
    unsafe { media.as_ref() }.map_or(std::ptr::null_mut(), |media| media.index.as_ptr().cast_mut())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetData(media: *mut Media) -> *mut c_char {
    // SAFETY: as in the header.
    unsafe { media.as_mut() }.map_or(std::ptr::null_mut(), |media| media.bytes.as_mut_ptr().cast())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetIndexLen(media: *mut Media) -> c_int {
    // SAFETY: as in the header.
    unsafe { media.as_ref() }.map_or(0, |media| media.index.as_bytes().len() as c_int)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetDataLen(media: *mut Media) -> c_int {
    // SAFETY: as in the header.
    unsafe { media.as_ref() }.map_or(0, |media| media.bytes.len() as c_int)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn IsMediaDataFinish(media: *mut Media) -> c_int {
    // SAFETY: as in the header.
    unsafe { media.as_ref() }.map_or(0, |media| media.finished.into())
}
