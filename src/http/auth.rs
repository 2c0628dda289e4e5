//! Who may call `/api/v1`: a bearer token from the settings, kept as its SHA-256 only and compared in constant time.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::problem::Problem;
use crate::{
    access::{self, Action, Actor, Face, Token},
    groups::Group,
};

/// Known tokens and their hashes.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Vec<(Arc<Token>, [u8; 32])>>);

/// Who calls; handlers take it as an extension and hand the actor to the use case.
#[derive(Clone, Debug)]
pub struct Caller(pub Actor);

impl Caller {
    /// May it do this in the group?
    pub fn may(&self, action: Action, group: &Group) -> Result<(), Problem> {
        Ok(access::ask(&self.0, action, Some(group))?)
    }
}

/// What this program's own commands call themselves.
pub const OWN_AGENT: &str = concat!("qunguan/", env!("CARGO_PKG_VERSION"));

impl Tokens {
    /// Hashes the tokens at once; the plain text is not kept.
    pub fn new<'a>(tokens: impl IntoIterator<Item = (Token, &'a str)>) -> Self {
        let hashed = |(token, value): (Token, &str)| (Arc::new(token), Sha256::digest(value.as_bytes()).into());
        Self(Arc::new(tokens.into_iter().map(hashed).collect()))
    }
    /// The token, if it is known. Every known token is compared, whatever the outcome.
    pub fn find(&self, token: &str) -> Option<Arc<Token>> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for (token, known) in self.0.iter() {
            if bool::from(known.ct_eq(&hash)) {
                found = Some(token.clone());
            }
        }
        found
    }
}

/// The token that a caller shows.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    Some(value.strip_prefix("Bearer ")?.trim())
}

/// Middleware: no valid token, no answer.
pub async fn require_token(State(tokens): State<Tokens>, mut request: Request, next: Next) -> Response {
    match bearer(request.headers()).and_then(|token| tokens.find(token)) {
        Some(token) => {
            let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
            let own = agent.is_some_and(|agent| agent.starts_with("qunguan/"));
            let face = if own { Face::Cli } else { Face::Http };
            request.extensions_mut().insert(Caller(Actor::token(token, face)));
            next.run(request).await
        }
        None => {
            let problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthorised", "需要有效的 API 令牌");
            ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response()
        }
    }
}

/// Middleware of one route: no answer without the scope that its action needs, before the request's body is looked at. Which
/// groups it is about, the handler knows; a route about the whole company says so.
pub async fn require_scope(State((action, company)): State<(Action, bool)>, request: Request, next: Next) -> Response {
    let Some(caller) = request.extensions().get::<Caller>() else {
        return Problem::new(StatusCode::UNAUTHORIZED, "unauthorised", "需要有效的 API 令牌").into_response();
    };
    let asked = if company { access::ask(&caller.0, action, None) } else { access::ask_given(&caller.0, action) };
    match asked {
        Ok(()) => next.run(request).await,
        Err(refusal) => Problem::from(refusal).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_only_known_tokens() {
        let token = |name: &str| Token { name: name.into(), scopes: None, groups: None, person: None };
        let tokens = Tokens::new([(token("pipeline"), "s3cret"), (token("console"), "other")]);
        assert_eq!(tokens.find("s3cret").map(|token| token.name.clone()).as_deref(), Some("pipeline"));
        assert_eq!(tokens.find("s3cre"), None);
        assert_eq!(Tokens::default().find(""), None);
    }
}
