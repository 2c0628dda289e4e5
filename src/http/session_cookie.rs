//! The console's cookie, which `/readyz` knows, too.

use axum::http::{HeaderMap, HeaderValue, header};

/// The cookie where the browser came over https; only this host can set it.
const SECURE: &str = "__Host-qunguan";
/// The cookie where it did not: browsers keep no `__Host-` cookie that is not Secure.
const PLAIN: &str = "qunguan_session";

/// One cookie of a request.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The session's cookie.
pub fn session(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, SECURE).or_else(|| cookie(headers, PLAIN))
}

/// Sets the session's cookie; an empty one takes it away.
pub fn set_session(secure: bool, value: &str) -> HeaderValue {
    let ends = if value.is_empty() { "; Max-Age=0" } else { "" };
    let (name, only) = if secure { (SECURE, "; Secure") } else { (PLAIN, "") };
    let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{only}{ends}");
    HeaderValue::from_str(&line).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; qunguan_sessionx=2; qunguan_session=3"));
        assert_eq!(session(&headers), Some("3"));
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-qunguan=4"));
        assert_eq!(session(&headers), Some("4"), "the one that only this host can set comes first");
        let line = set_session(true, "5");
        assert_eq!(line, "__Host-qunguan=5; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(set_session(false, ""), "qunguan_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    }
}
