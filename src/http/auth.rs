//! Who may call `/api/v1`: a bearer token from the settings, kept as its SHA-256 only and compared in constant time.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::problem::Problem;

/// Known tokens: name and hash.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Vec<(String, [u8; 32])>>);

/// The name of the token a request came with; handlers take it as an extension and write it into histories.
#[derive(Clone, Debug)]
pub struct Caller(pub String);

impl Tokens {
    /// Hashes the tokens at once; the plain text is not kept.
    pub fn new<'a>(tokens: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(Arc::new(
            tokens
                .into_iter()
                .map(|(name, token)| (name.to_owned(), Sha256::digest(token.as_bytes()).into()))
                .collect(),
        ))
    }
    /// The name of the token, if it is known. Every known token is compared, whatever the outcome.
    pub fn find(&self, token: &str) -> Option<&str> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for (name, known) in self.0.iter() {
            if bool::from(known.ct_eq(&hash)) {
                found = Some(name.as_str());
            }
        }
        found
    }
}

/// Middleware: no valid token, no answer.
pub async fn require_token(State(tokens): State<Tokens>, mut request: Request, next: Next) -> Response {
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    match token.and_then(|token| tokens.find(token.trim())) {
        Some(name) => {
            let caller = Caller(name.to_owned());
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        None => {
            let problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthorised", "需要有效的 API 令牌");
            ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_only_known_tokens() {
        let tokens = Tokens::new([("pipeline", "s3cret"), ("console", "other")]);
        assert_eq!(tokens.find("s3cret"), Some("pipeline"));
        assert_eq!(tokens.find("s3cre"), None);
        assert_eq!(Tokens::default().find(""), None);
    }
}
