//! What a piece of JSON looks like, as a JSON schema.

use serde_json::{Map, Value, json};

/// What a piece of JSON looks like.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Whatever stands in the document that the route's text names.
    Any,
    /// Words.
    Text,
    /// RFC 3339.
    Time,
    /// Yes or no.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Number,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// That, or null.
    Maybe(&'static Shape),
    /// Several.
    List(&'static Shape),
    /// Fields; those that end with `?` may be absent, and `…?` stands for others.
    Object(&'static [(&'static str, Shape)]),
}

impl Shape {
    /// As JSON schema writes it.
    pub fn schema(self) -> Value {
        match self {
            Self::Any => json!({}),
            Self::Text => json!({ "type": "string" }),
            Self::Time => json!({ "type": "string", "format": "date-time" }),
            Self::Bool => json!({ "type": "boolean" }),
            Self::Int => json!({ "type": "integer" }),
            Self::Number => json!({ "type": "number" }),
            Self::OneOf(words) => json!({ "type": "string", "enum": words }),
            Self::Maybe(Self::Any) => json!({}),
            Self::Maybe(shape) => json!({ "anyOf": [shape.schema(), { "type": "null" }] }),
            Self::List(shape) => json!({ "type": "array", "items": shape.schema() }),
            Self::Object(fields) => {
                let named = fields.iter().filter(|(name, _)| *name != "…?");
                let properties: Map<String, Value> = named
                    .clone()
                    .map(|(name, shape)| (name.trim_end_matches('?').to_owned(), shape.schema()))
                    .collect();
                let required: Vec<&str> = named.map(|(name, _)| *name).filter(|name| !name.ends_with('?')).collect();
                let more = fields.iter().any(|(name, _)| *name == "…?");
                json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": more })
            }
        }
    }
}
