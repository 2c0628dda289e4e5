//! `GET /api/v1/openapi.json`: what [`super::routes`] has, as OpenAPI 3.1. It tells nothing about anybody and needs no token.

use axum::Json;
use serde_json::{Map, Value, json};

use super::routes::{self, Route};
use crate::refusal::Code;

fn operation(route: &Route) -> Value {
    let in_path = route.path.split('{').skip(1).filter_map(|part| part.split('}').next());
    let text = json!({ "type": "string" });
    let mut parameters: Vec<Value> =
        in_path.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": text })).collect();
    parameters.extend(route.query.iter().map(|name| {
        let schema = if *name == "limit" { json!({ "type": "integer" }) } else { text.clone() };
        json!({ "name": name, "in": "query", "schema": schema })
    }));
    if route.says.contains("Idempotency-Key") {
        parameters.push(json!({ "name": "Idempotency-Key", "in": "header", "schema": text }));
    }
    let scope = route.needs.scope().map_or("", |scope| scope.id());
    let whole = if route.company { "；涉及全公司，写了 groups 的令牌不能用" } else { "" };
    let mut operation = json!({
        "summary": route.says,
        "description": format!("令牌要有 `{scope}`（{}）{whole}。", route.needs.zh()),
        "operationId": format!("{}_{}", route.method, route.path.replace(['/', '{', '}', '-'], " ").trim().replace(' ', "_")),
        "security": [{ "token": [scope] }],
        "parameters": parameters,
        "responses": {
            "200": { "description": "做到了", "content": { "application/json": { "schema": route.answers.schema() } } },
            "default": { "$ref": "#/components/responses/Problem" },
        },
    });
    if let Some(body) = route.takes {
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": body.schema() } } });
    }
    operation
}

/// The document.
pub fn document() -> Value {
    let mut paths = Map::new();
    for route in routes::all() {
        let at = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        at[route.method] = operation(&route);
    }
    let own =
        ["unauthorised", "invalid_json", "missing_field", "unknown_field", "too_large", "unavailable", "internal"];
    let codes: Vec<&str> = own.into_iter().chain(Code::ALL.iter().map(|code| code.id())).collect();
    json!({
        "openapi": "3.1.0",
        "info": { "title": "群管", "version": env!("CARGO_PKG_VERSION"), "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" } },
        "servers": [{ "url": "/api/v1" }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "responses": { "Problem": {
                "description": "为什么没有做到",
                "content": { "application/problem+json": { "schema": {
                    "type": "object",
                    "required": ["status", "code", "title"],
                    "properties": {
                        "status": { "type": "integer" },
                        "code": { "type": "string", "enum": codes },
                        "title": { "type": "string" },
                        "detail": { "type": "string" },
                        "field": { "type": "string" },
                    },
                } } },
            } },
        },
    })
}

/// The answer.
pub async fn show() -> Json<Value> {
    Json(document())
}
