//! QR codes in archived pictures: somebody posts the picture of a group code or a contact code, and it is judged like the link
//! it holds.
//!
//! Pictures are fetched only where that can lead to something (`[detect] qr_codes`, a member whom the rules bind, a message
//! not yet answered). A picture that cannot be had in time is left alone: the message is judged without it, and the log says why.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use crate::{
    model::{Attachment, Message},
    qr,
    wecom::archive::ArchiveSource,
};

/// Pictures looked at in one message.
const MOST: usize = 9;
/// Time for fetching one picture; the archive's own calls have a longer patience, but a message waits for this.
const FETCH_WITHIN: Duration = Duration::from_secs(20);
/// Pictures decoded side by side: each may take a core for a second and a hundred megabytes.
const SIDE_BY_SIDE: usize = 2;

/// Looks into pictures.
pub struct Pictures {
    source: Arc<dyn ArchiveSource>,
    decoding: Arc<Semaphore>,
}

impl Pictures {
    /// Fetches from the archive that the messages come from.
    pub fn new(source: Arc<dyn ArchiveSource>) -> Self {
        Self { source, decoding: Arc::new(Semaphore::new(SIDE_BY_SIDE)) }
    }

    /// Adds what the codes in the message's pictures hold, as links.
    pub async fn add_codes(&self, message: &mut Message) {
        let files: Vec<String> = message
            .attachments
            .iter()
            .filter_map(|attachment| match attachment {
                Attachment::Image { sdk_file_id: Some(id) } => Some(id.clone()),
                _ => None,
            })
            .take(MOST)
            .collect();
        for file in files {
            let outcome = match self.links(&file).await {
                Ok(links) => {
                    let outcome = if links.is_empty() { "no_code" } else { "code" };
                    for link in links {
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

    async fn links(&self, file: &str) -> Result<Vec<Attachment>, String> {
        // Before fetching: what waits for its turn must not lie in memory meanwhile.
        let turn = self.decoding.clone().acquire_owned().await.map_err(|e| e.to_string())?;
        let bytes = tokio::time::timeout(FETCH_WITHIN, self.source.file(file, qr::LARGEST_FILE))
            .await
            .map_err(|_| format!("not fetched within {FETCH_WITHIN:?}"))?
            .map_err(|e| e.to_string())?;
        let decode = move || {
            let links = qr::links(&bytes);
            drop(turn);
            links
        };
        tokio::task::spawn_blocking(decode).await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())
    }
}
