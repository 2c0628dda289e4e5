//! Looks at what a message does not show by itself: codes and words in pictures, what files hold, where short links lead. Done
//! before the message is judged, and only where that can lead to something: the settings want it, the rules bind its sender,
//! the message was not answered before.
//!
//! What cannot be had in time is left alone: the message is judged without it, and the log says why.

mod files;
mod pictures;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
pub use pictures::InPicture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    detect::links,
    file_text::apart::Reader,
    in_force::InForce,
    model::{Attachment, Message},
    ocr, qr,
    short_links::ShortLinks,
    wecom::{
        archive::ArchiveSource,
        bot_files::{BotFile, BotFiles},
    },
};

/// Pictures and files looked at in one message.
const MOST: usize = 9;
/// Short links asked about in one message.
const MOST_LINKS: usize = 3;
/// Pictures and files opened side by side: each may take a core for seconds and a hundred megabytes.
const SIDE_BY_SIDE: usize = 2;

/// Where pictures and files are fetched.
#[async_trait]
pub trait MediaSource: Send + Sync + 'static {
    /// What names one there.
    type Id: Sync;
    /// Time for fetching one; the message waits for it.
    const WITHIN: Duration;
    /// Time for reading the words of a picture; the message waits for that, too.
    const READING: Duration;

    /// Its bytes, at most `largest`, or why not.
    async fn fetch(&self, id: &Self::Id, largest: usize) -> Result<Vec<u8>, String>;
}

/// What was archived, by `sdkfileid`. The archive's own calls have a longer patience than a message.
pub struct Archived(pub Arc<dyn ArchiveSource>);

#[async_trait]
impl MediaSource for Archived {
    type Id = String;
    const WITHIN: Duration = Duration::from_secs(20);
    const READING: Duration = Duration::from_secs(60);

    async fn fetch(&self, id: &String, largest: usize) -> Result<Vec<u8>, String> {
        self.0.file(id, largest).await.map_err(|e| e.to_string())
    }
}

/// What was sent to the bot. WeCom waits five seconds for the answer to a callback.
#[async_trait]
impl MediaSource for BotFiles {
    type Id = BotFile;
    const WITHIN: Duration = Duration::from_secs(2);
    const READING: Duration = Duration::from_secs(1);

    async fn fetch(&self, id: &BotFile, largest: usize) -> Result<Vec<u8>, String> {
        BotFiles::fetch(self, id, largest).await.map_err(|e| e.to_string())
    }
}

/// The archive's names of a message's pictures and files, each with its place among the attachments.
pub fn archived(message: &Message) -> Vec<(usize, String)> {
    let name = |(place, attachment): (usize, &Attachment)| match attachment {
        Attachment::Image { sdk_file_id, .. } | Attachment::File { sdk_file_id, .. } => {
            Some((place, sdk_file_id.clone()?))
        }
        _ => None,
    };
    message.attachments.iter().enumerate().filter_map(name).collect()
}

/// What all channels look with.
#[derive(Clone, Default)]
pub struct Eyes {
    /// Reads words in pictures.
    pub ocr: Arc<ocr::Pictures>,
    /// Asks where short links lead.
    pub links: Arc<ShortLinks>,
    /// Reads files.
    pub files: Reader,
}

/// Looks.
pub struct Looks<S> {
    source: S,
    eyes: Eyes,
    turns: Arc<Semaphore>,
}

impl<S: MediaSource> Looks<S> {
    /// Fetches pictures and files there.
    pub fn new(source: S, eyes: Eyes) -> Self {
        Self { source, eyes, turns: Arc::new(Semaphore::new(SIDE_BY_SIDE)) }
    }

    /// Adds what is found to the message. `media` names its pictures and files, each with its place among the attachments.
    pub async fn look(&self, message: &mut Message, media: &[(usize, S::Id)], rules: &Arc<InForce>) {
        let settings = &rules.settings.detect;
        let sees = settings.qr_codes || self.eyes.ocr.reads();
        for (place, id) in media.iter().take(MOST) {
            match &message.attachments[*place] {
                Attachment::Image { .. } if sees => self.picture(message, *place, id, settings.qr_codes).await,
                Attachment::File { name, .. } if sees && qr::is_picture(name) => {
                    self.picture(message, *place, id, settings.qr_codes).await;
                }
                Attachment::File { name, size, .. } => {
                    if let Some(how) = settings.files.wants(name, *size) {
                        self.file(message, *place, id, how, rules).await;
                    }
                }
                _ => {}
            }
        }
        if settings.links.resolve {
            self.short_links(message, &settings.links.shorteners).await;
        }
    }

    /// Adds where short links lead, as links.
    async fn short_links(&self, message: &mut Message, more: &[String]) {
        for url in links::short(&message.text, &message.attachments, more).into_iter().take(MOST_LINKS) {
            let outcome = match self.eyes.links.target(&url, message.sender.as_str(), more).await {
                Ok(url) => {
                    let link = Attachment::Link { url, title: String::new(), origin: "short".into() };
                    if !message.attachments.contains(&link) {
                        message.attachments.push(link);
                    }
                    "resolved"
                }
                Err(why) => {
                    tracing::info!(message = %message.id, %why, "a short link was not resolved");
                    why.id()
                }
            };
            metrics::counter!("qunguan_short_links_total", "outcome" => outcome).increment(1);
        }
    }

    /// Fetches when there is room for one more; until the turn is given back, the next ones wait.
    async fn fetch(&self, id: &S::Id, largest: usize) -> Result<(OwnedSemaphorePermit, Vec<u8>), String> {
        // Before fetching: what waits for its turn must not lie in memory meanwhile.
        let turn = self.turns.clone().acquire_owned().await.map_err(|e| e.to_string())?;
        let fetched = tokio::time::timeout(S::WITHIN, self.source.fetch(id, largest)).await;
        Ok((turn, fetched.map_err(|_| format!("not fetched within {:?}", S::WITHIN))??))
    }
}
