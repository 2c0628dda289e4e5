//! Pictures: somebody posts a group code or a contact code, and it is judged like the link it holds; or draws or photographs
//! words, and they are judged as the picture's words.

use super::{Looks, MediaSource};
use crate::{
    model::{Attachment, Message},
    qr,
};

/// Longest text of one picture that is kept, in characters.
const LONGEST: usize = 4000;

/// What one picture shows.
pub struct InPicture {
    /// Its codes.
    pub links: Vec<Attachment>,
    /// Its words, a line each; empty if nothing can read them.
    pub words: String,
}

impl<S: MediaSource> Looks<S> {
    /// Looks into one picture; or says why not.
    pub async fn shown(&self, id: &S::Id, codes: bool) -> Result<InPicture, String> {
        let ocr = self.eyes.ocr.clone();
        let (turn, bytes) = self.fetch(id, qr::LARGEST_FILE).await?;
        let look = move || {
            let _turn = turn;
            let picture = qr::open(&bytes).map_err(|e| e.to_string())?;
            drop(bytes);
            let links = if codes { qr::links(&picture) } else { Vec::new() };
            let words = ocr.words(&picture, S::READING).chars().take(LONGEST).collect();
            Ok(InPicture { links, words })
        };
        tokio::task::spawn_blocking(look).await.map_err(|e| e.to_string())?
    }

    /// Adds the codes as links, and the words to the picture, whether it was sent as one or as a file.
    pub(super) async fn picture(&self, message: &mut Message, place: usize, id: &S::Id, codes: bool) {
        let outcome = match self.shown(id, codes).await {
            Ok(shown) => {
                let outcome = if shown.links.is_empty() { "no_code" } else { "code" };
                match &mut message.attachments[place] {
                    Attachment::Image { words, .. } => *words = shown.words,
                    // One that was sent as a file keeps its name.
                    _ if !shown.words.is_empty() => {
                        message.attachments.push(Attachment::Image { sdk_file_id: None, words: shown.words });
                    }
                    _ => {}
                }
                for link in shown.links {
                    if !message.attachments.contains(&link) {
                        message.attachments.push(link);
                    }
                }
                outcome
            }
            Err(why) => {
                tracing::warn!(message = %message.id, why, "a picture could not be looked at; the message is judged without it");
                "failed"
            }
        };
        metrics::counter!("qunguan_pictures_total", "outcome" => outcome).increment(1);
    }
}
