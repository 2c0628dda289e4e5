//! Sentences of everyday talk in sales groups, in which nothing is wrong: what new words and new models are held against.

/// A test holds that no shipped entry asks in them.
static TALK: &str = include_str!("../../../../tests/cases/honest.case");

/// Sentence by sentence.
pub fn sentences() -> impl Iterator<Item = &'static str> {
    TALK.lines().filter(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with("expect "))
}
