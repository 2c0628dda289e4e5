//! Files: somebody posts a customer table or a list of costs. What is counted in it stays with the message, its text does not.

use std::sync::Arc;

use super::{Looks, MediaSource};
use crate::{
    file_text::{FileKind, FileText, Limits},
    in_force::InForce,
    model::{Attachment, Inside, Message},
};

impl<S: MediaSource> Looks<S> {
    /// Adds what a file holds.
    pub(super) async fn file(
        &self,
        message: &mut Message,
        place: usize,
        id: &S::Id,
        (kind, limits): (FileKind, Limits),
        rules: &Arc<InForce>,
    ) {
        let outcome = match self.counted(id, kind, limits, rules.clone()).await {
            Ok(counted) => {
                if let Attachment::File { inside, .. } = &mut message.attachments[place] {
                    *inside = Some(counted);
                }
                "read"
            }
            Err(why) => {
                tracing::warn!(message = %message.id, why, "a file could not be read; the message is judged without it");
                "failed"
            }
        };
        metrics::counter!("qunguan_files_total", "kind" => kind.id(), "outcome" => outcome).increment(1);
    }

    async fn counted(&self, id: &S::Id, kind: FileKind, limits: Limits, rules: Arc<InForce>) -> Result<Inside, String> {
        let (turn, bytes) = self.fetch(id, limits.bytes).await?;
        let read = self.eyes.files.read(kind, bytes, limits).await;
        let FileText { text, cut } = read.map_err(|why| why.to_string())?;
        let count = move || {
            let inside = Inside { cut, ..rules.detector.contents(&text) };
            drop(turn);
            inside
        };
        tokio::task::spawn_blocking(count).await.map_err(|e| e.to_string())
    }
}
