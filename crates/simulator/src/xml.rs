//! Writes the XML of app callbacks the way WeCom does: strings in CDATA, numbers bare. Reads a bot's passive replies.

use std::fmt::Write as _;

use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};
use serde_json::{Map, Value};

/// Text as CDATA, split where the text itself would end it.
pub fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

/// The same element once for every text.
pub fn repeated<'a>(name: &str, texts: impl IntoIterator<Item = &'a String>) -> String {
    texts.into_iter().fold(String::new(), |mut out, text| {
        let _ = write!(out, "<{name}>{}</{name}>", cdata(text));
        out
    })
}

/// Builds one `<xml>` document.
#[derive(Debug)]
pub struct Writer(String);

impl Writer {
    /// Opens the document.
    pub fn new() -> Self {
        Self("<xml>".into())
    }
    /// A string element; names of counters and ids that WeCom writes bare are written bare.
    pub fn text(&mut self, name: &str, value: &str) {
        const BARE: &[&str] = &["AgentID", "MsgId", "MemChangeCnt", "JoinScene", "QuitScene"];
        let value = if BARE.contains(&name) { value.to_owned() } else { cdata(value) };
        let _ = write!(self.0, "<{name}>{value}</{name}>");
    }
    /// A number element.
    pub fn number(&mut self, name: &str, value: impl std::fmt::Display) {
        let _ = write!(self.0, "<{name}>{value}</{name}>");
    }
    /// Ready-made XML.
    pub fn raw(&mut self, xml: &str) {
        self.0.push_str(xml);
    }
    /// Closes the document.
    pub fn finish(mut self) -> String {
        self.0.push_str("</xml>");
        self.0
    }
}

/// The content of an XML document as JSON: `ReplaceName` becomes `replace_name`, `…List` elements become arrays, texts stay
/// texts. What cannot be read is null.
pub fn read(text: &str) -> Value {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<(String, Value, String)> = vec![(String::new(), Value::Null, String::new())];
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                let name = snake(tag.name().as_ref());
                open.push((name, Value::Null, String::new()));
            }
            Ok(Event::Text(part)) => {
                if let Some(top) = open.last_mut() {
                    top.2.push_str(&part);
                }
            }
            Ok(Event::CData(part)) => {
                if let Some(top) = open.last_mut() {
                    top.2.push_str(&part);
                }
            }
            Ok(Event::GeneralRef(entity)) => {
                if let (Some(top), Some(text)) = (open.last_mut(), resolve_predefined_entity(&entity)) {
                    top.2.push_str(text);
                }
            }
            Ok(Event::End(_)) => {
                let Some((name, children, text)) = open.pop() else { return Value::Null };
                let value = if children.is_null() { Value::String(text) } else { children };
                let Some((_, parent, _)) = open.last_mut() else { return Value::Null };
                if !parent.is_object() {
                    *parent = Value::Object(Map::new());
                }
                if !name.ends_with("_list") {
                    parent[&name] = value;
                } else if let Some(list) = parent[&name].as_array_mut() {
                    list.push(value);
                } else {
                    parent[&name] = Value::Array(vec![value]);
                }
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => return Value::Null,
        }
    }
    open.pop().map_or(Value::Null, |(_, mut root, _)| root["xml"].take())
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (at, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_passive_reply_reads_as_a_card() {
        let xml = "<xml><MsgType><![CDATA[update_template_card]]></MsgType><TemplateCard><CardType>text_notice</CardType>\
            <ButtonList><Text>a</Text></ButtonList><ButtonList><Text>b</Text></ButtonList></TemplateCard></xml>";
        let value = super::read(xml);
        assert_eq!(value["msg_type"], "update_template_card");
        assert_eq!(value["template_card"]["button_list"][1]["text"], "b");
        assert!(super::read("<xml><a>").is_null());
    }

    #[test]
    fn text_can_not_end_its_own_cdata() {
        assert_eq!(super::cdata("a]]>b"), "<![CDATA[a]]]]><![CDATA[>b]]>");
    }
}
