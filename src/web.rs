//! How a page leaves this program: its headers, its style, and a sentence where its template fails.
//!
//! No third party, nothing kept by the browser; the console's own script and no other.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};

/// What a page may load: our own style and nothing else.
const CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The same, with the console's script.
const CONSOLE_CSP: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page of the console. Its own addresses are told to itself: its forms are taken from nowhere else.
pub fn console_page(status: StatusCode, template: &impl Template) -> Response {
    let mut page = page(status, template);
    let headers = page.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, header::HeaderValue::from_static(CONSOLE_CSP));
    headers.insert(header::REFERRER_POLICY, header::HeaderValue::from_static("same-origin"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, header::HeaderValue::from_static("DENY"));
    page
}

/// Characters that turn the direction of what follows are shown by their names: words may not make the page around them
/// read otherwise.
fn with_marks(html: &str) -> String {
    let mut shown = String::with_capacity(html.len());
    for c in html.chars() {
        match c {
            '\u{202A}' => shown.push_str("⟨LRE⟩"),
            '\u{202B}' => shown.push_str("⟨RLE⟩"),
            '\u{202C}' => shown.push_str("⟨PDF⟩"),
            '\u{202D}' => shown.push_str("⟨LRO⟩"),
            '\u{202E}' => shown.push_str("⟨RLO⟩"),
            '\u{2066}' => shown.push_str("⟨LRI⟩"),
            '\u{2067}' => shown.push_str("⟨RLI⟩"),
            '\u{2068}' => shown.push_str("⟨FSI⟩"),
            '\u{2069}' => shown.push_str("⟨PDI⟩"),
            c => shown.push(c),
        }
    }
    shown
}

/// A page; one that cannot be rendered is a 500 with a sentence, never an empty page.
pub fn page(status: StatusCode, template: &impl Template) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    match template.render() {
        Ok(html) => (status, headers, Html(with_marks(&html))).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, headers, "这一页暂时打不开，请稍后再试。").into_response()
        }
    }
}

/// The script of the console.
pub async fn script() -> impl IntoResponse {
    let headers =
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, include_str!("../templates/console/console.js"))
}

/// The style of all pages.
pub async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../templates/style.css"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Template)]
    #[template(source = "{{ self.text()? }}", ext = "txt")]
    struct Broken;

    impl Broken {
        #[expect(clippy::unused_self, reason = "a template calls methods")]
        fn text(&self) -> Result<String, std::fmt::Error> {
            Err(std::fmt::Error)
        }
    }

    #[test]
    fn a_page_that_fails_is_no_empty_page() {
        assert_eq!(page(StatusCode::OK, &Broken).status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn nothing_turns_the_page_around() {
        let typed = "好\u{202E}gpj.exe\u{202C}\u{2067}x\u{2069}";
        assert_eq!(super::with_marks(typed), "好⟨RLO⟩gpj.exe⟨PDF⟩⟨RLI⟩x⟨PDI⟩");
        assert_eq!(super::with_marks("<p>照旧 שלום</p>"), "<p>照旧 שלום</p>");
    }
}
