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
use crate::{
    access::{Action, Denied, Principal, Token, may},
    groups::Group,
};

/// Known tokens and their hashes.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Vec<(Arc<Token>, [u8; 32])>>);

/// The token a request came with; handlers take it as an extension and write its name into histories.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Token>);

impl Caller {
    /// As histories name it.
    pub fn name(&self) -> &str {
        &self.0.name
    }
    /// May it do this in all of these groups?
    pub fn may<'a>(&self, action: Action, groups: impl IntoIterator<Item = &'a Group>) -> Result<(), Problem> {
        groups.into_iter().try_for_each(|group| self.asks(action, Some(group)))
    }
    /// May it do this for the whole company?
    pub fn may_everywhere(&self, action: Action) -> Result<(), Problem> {
        self.asks(action, None)
    }
    fn asks(&self, action: Action, group: Option<&Group>) -> Result<(), Problem> {
        may(Principal::Token(&self.0), action, group).map_err(|denied| self.denied(denied))
    }
    fn denied(&self, denied: Denied) -> Problem {
        let name = &self.0.name;
        let detail = match denied {
            Denied::Scope(scope) => {
                format!("令牌 `{name}` 没有 `{scope}`（{}）权限，请在设置的 [[api_token]] 里加到 scopes", scope.zh())
            }
            Denied::Group => format!("令牌 `{name}` 只用于它的 groups 里写明的群"),
            Denied::Role | Denied::OnlyPeople => "这件事要由人来做，令牌不能".into(),
        };
        Problem { detail: Some(detail), ..Problem::new(StatusCode::FORBIDDEN, "forbidden", "令牌没有这项权限") }
    }
}

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

/// Middleware: no valid token, no answer.
pub async fn require_token(State(tokens): State<Tokens>, mut request: Request, next: Next) -> Response {
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    match token.and_then(|token| tokens.find(token.trim())) {
        Some(token) => {
            request.extensions_mut().insert(Caller(token));
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
    let groups = caller.0.groups.clone().filter(|_| company);
    match may(Principal::Token(&Token { groups, ..Token::clone(&caller.0) }), action, None) {
        Ok(()) => next.run(request).await,
        Err(denied) => caller.denied(denied).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_only_known_tokens() {
        let token = |name: &str| Token { name: name.into(), scopes: None, groups: None };
        let tokens = Tokens::new([(token("pipeline"), "s3cret"), (token("console"), "other")]);
        assert_eq!(tokens.find("s3cret").map(|token| token.name.clone()).as_deref(), Some("pipeline"));
        assert_eq!(tokens.find("s3cre"), None);
        assert_eq!(Tokens::default().find(""), None);
    }
}
