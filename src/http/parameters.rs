//! Parameters of an address that its route does not know are refused, like unknown fields of a body: a filter that is misspelt
//! must not answer with everything.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::problem::Problem;
use crate::model::UnknownName;

/// Middleware: lets through what a route with these parameters knows.
pub async fn known(State(names): State<&'static [&'static str]>, request: Request, next: Next) -> Response {
    match refused(request.uri().query().unwrap_or_default(), names) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

fn refused(query: &str, names: &[&str]) -> Option<Problem> {
    let given = query.split('&').filter(|pair| !pair.is_empty());
    let name = given.map(|pair| pair.split('=').next().unwrap_or_default()).find(|name| !names.contains(name))?;
    let hint = match UnknownName::new(name, names.iter().copied()).nearest {
        Some(near) => format!("，是不是 {near}？"),
        None if names.is_empty() => String::new(),
        None => format!("；可以写 {}", names.join("、")),
    };
    let problem = Problem::coded("unknown_field", format!("没有 {name} 这个参数{hint}"));
    Some(Problem { field: Some(name.to_owned()), ..problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_filter_is_named_with_what_was_meant() {
        let names = ["group", "member", "limit"];
        let said = |query: &str, names: &[&str]| refused(query, names).and_then(|problem| problem.detail);
        for query in ["", "group=%E5%8D%8E", "group=a&limit=3&", "member"] {
            assert_eq!(said(query, &names), None, "{query}");
        }
        assert_eq!(said("group=a&memeber=li", &names).unwrap(), "没有 memeber 这个参数，是不是 member？");
        assert_eq!(said("colour=red", &names).unwrap(), "没有 colour 这个参数；可以写 group、member、limit");
        assert_eq!(said("x=1", &[]).unwrap(), "没有 x 这个参数");
    }
}
