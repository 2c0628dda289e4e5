//! A bounded reader for WeCom's small XML: a tree of elements with text, nothing else. DOCTYPE is refused, so entities
//! cannot blow up; depth, number of elements and text are limited.

use quick_xml::{Reader, events::Event};

/// Deepest nesting read.
const DEPTH: usize = 8;
/// Most elements read.
const ELEMENTS: usize = 2000;

/// What is wrong with an XML body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Not well-formed, or cut.
    #[error("not well-formed XML: {0}")]
    Malformed(String),
    /// Holds a DOCTYPE or another thing that WeCom never sends.
    #[error("XML holds a DOCTYPE")]
    Doctype,
    /// Too deep or too many elements.
    #[error("XML is too large")]
    TooLarge,
}

/// One element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Tag name.
    pub name: String,
    /// Its own text, CDATA included.
    pub text: String,
    /// Elements inside, in order.
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }
    /// The text of the first child of that name, trimmed; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.trim())
    }
    /// The number in the first child of that name.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name).parse().ok()
    }
}

/// Reads a document and returns its root.
pub fn parse(text: &str) -> Result<Element, XmlError> {
    let malformed = |e: &dyn std::fmt::Display| XmlError::Malformed(e.to_string());
    let mut reader = Reader::from_str(text);
    reader.config_mut().allow_dangling_amp = true;
    let mut open: Vec<Element> = Vec::new();
    let mut count = 0;
    loop {
        match reader.read_event().map_err(|e| malformed(&e))? {
            Event::Start(start) => {
                count += 1;
                if open.len() >= DEPTH || count > ELEMENTS {
                    return Err(XmlError::TooLarge);
                }
                let name = start.name().as_ref().to_owned();
                open.push(Element { name, ..Element::default() });
            }
            Event::Empty(start) => {
                count += 1;
                if count > ELEMENTS {
                    return Err(XmlError::TooLarge);
                }
                let name = start.name().as_ref().to_owned();
                let element = Element { name, ..Element::default() };
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return Ok(element),
                }
            }
            Event::End(_) => {
                let Some(element) = open.pop() else { return Err(malformed(&"an end without a start")) };
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return Ok(element),
                }
            }
            Event::Text(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&text);
                }
            }
            Event::CData(data) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&data);
                }
            }
            Event::GeneralRef(reference) => {
                let Some(element) = open.last_mut() else { continue };
                if reference.is_char_ref() {
                    // Half of a surrogate pair, or a number that is no character.
                    element.text.push(reference.resolve_char_ref().ok().flatten().unwrap_or('\u{fffd}'));
                } else {
                    let name: &str = &reference;
                    match quick_xml::escape::resolve_predefined_entity(name) {
                        Some(known) => element.text.push_str(known),
                        // Somebody's words that were not escaped: `A&B;`.
                        None => element.text.extend(["&", name, ";"]),
                    }
                }
            }
            Event::DocType(_) => return Err(XmlError::Doctype),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return Err(malformed(&"the document is cut")),
        }
    }
}

/// Text made safe inside an element (escaped; CDATA could be broken out of).
pub fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_wecom_sends() {
        let root =
            parse("<xml>\n <ToUserName><![CDATA[ww1]]></ToUserName><N>7</N><L><I>a</I><I>b&amp;c</I></L><E/></xml>")
                .unwrap();
        assert_eq!(root.get("ToUserName"), "ww1");
        assert_eq!(root.number("N"), Some(7));
        assert_eq!(root.child("L").unwrap().children[1].text, "b&c");
        assert_eq!(root.get("E"), "");
    }

    #[test]
    fn refuses_bombs_and_rubble() {
        assert_eq!(parse("<!DOCTYPE x [<!ENTITY a \"b\">]><xml>&a;</xml>"), Err(XmlError::Doctype));
        assert!(matches!(parse("<xml><a>"), Err(XmlError::Malformed(_))));
        assert!(matches!(parse(""), Err(XmlError::Malformed(_))));
        assert!(matches!(parse("<xml></a></xml>"), Err(XmlError::Malformed(_))));
        assert_eq!(parse(&"<a>".repeat(100)), Err(XmlError::TooLarge));
        assert_eq!(parse(&format!("<a>{}</a>", "<b/>".repeat(3000))), Err(XmlError::TooLarge));
    }

    #[test]
    fn what_somebody_wrote_without_escaping_is_their_words() {
        for (typed, read) in
            [("A&B", "A&B"), ("A & B", "A & B"), ("&a;", "&a;"), ("?x=1&y=2", "?x=1&y=2"), ("&amp;", "&")]
        {
            assert_eq!(parse(&format!("<xml>{typed}</xml>")).unwrap().text, read);
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(parse(&format!("<a>{}</a>", escape("]]><b>&'\""))).unwrap().text, "]]><b>&'\"");
    }
}
