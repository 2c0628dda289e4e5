//! QR codes in pictures: somebody posts the picture of a group code or a contact code, and it is judged like the link it holds.
//!
//! Pictures are fetched only where that can lead to something (`[detect] qr_codes`, a member whom the rules bind, a message
//! not yet answered). A picture that cannot be had in time is left alone: the message is judged without it, and the log says why.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::{
    model::{Attachment, Message},
    qr,
    wecom::{
        archive::ArchiveSource,
        bot_files::{BotFile, BotFiles},
    },
};

/// Pictures looked at in one message.
const MOST: usize = 9;
/// Pictures decoded side by side: each may take a core for a second and a hundred megabytes.
const SIDE_BY_SIDE: usize = 2;

/// Where pictures are fetched.
#[async_trait]
pub trait PictureSource: Send + Sync + 'static {
    /// What names a picture there.
    type Id: Sync;
    /// Time for fetching one; the message waits for it.
    const WITHIN: Duration;

    /// Its bytes, or why not.
    async fn fetch(&self, id: &Self::Id) -> Result<Vec<u8>, String>;
}

/// The archive's pictures, by `sdkfileid`. Its own calls have a longer patience than a message.
pub struct ArchivedPictures(pub Arc<dyn ArchiveSource>);

#[async_trait]
impl PictureSource for ArchivedPictures {
    type Id = String;
    const WITHIN: Duration = Duration::from_secs(20);

    async fn fetch(&self, id: &String) -> Result<Vec<u8>, String> {
        self.0.file(id, qr::LARGEST_FILE).await.map_err(|e| e.to_string())
    }
}

/// Pictures that were sent to the bot. WeCom waits five seconds for the answer to a callback.
#[async_trait]
impl PictureSource for BotFiles {
    type Id = BotFile;
    const WITHIN: Duration = Duration::from_secs(2);

    async fn fetch(&self, id: &BotFile) -> Result<Vec<u8>, String> {
        BotFiles::fetch(self, id, qr::LARGEST_FILE).await.map_err(|e| e.to_string())
    }
}

/// The archive's names of a message's pictures.
pub fn archived(message: &Message) -> Vec<String> {
    let name = |attachment: &Attachment| match attachment {
        Attachment::Image { sdk_file_id } => sdk_file_id.clone(),
        _ => None,
    };
    message.attachments.iter().filter_map(name).collect()
}

/// Looks into pictures.
pub struct Pictures<S> {
    source: S,
    decoding: Arc<Semaphore>,
}

impl<S: PictureSource> Pictures<S> {
    /// Fetches them there.
    pub fn new(source: S) -> Self {
        Self { source, decoding: Arc::new(Semaphore::new(SIDE_BY_SIDE)) }
    }

    /// Adds what the codes in these pictures of the message hold, as links.
    pub async fn add_codes(&self, message: &mut Message, pictures: &[S::Id]) {
        for picture in pictures.iter().take(MOST) {
            let outcome = match self.links(picture).await {
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

    async fn links(&self, picture: &S::Id) -> Result<Vec<Attachment>, String> {
        // Before fetching: what waits for its turn must not lie in memory meanwhile.
        let turn = self.decoding.clone().acquire_owned().await.map_err(|e| e.to_string())?;
        let bytes = tokio::time::timeout(S::WITHIN, self.source.fetch(picture))
            .await
            .map_err(|_| format!("not fetched within {:?}", S::WITHIN))??;
        let decode = move || {
            let links = qr::links(&bytes);
            drop(turn);
            links
        };
        tokio::task::spawn_blocking(decode).await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())
    }
}
