//! A command that was taken and never answered, because the process died in between: its sender reads after the restart that
//! it may not have been carried out. It is not run again by itself; whoever gave an order decides whether to repeat it.

use serde::{Deserialize, Serialize};

use super::{CommandService, find_in, words};
use crate::{
    model::{GroupId, MemberId, Message, MessageId, Timestamp},
    notices::outgoing::{self, Tell},
    store::{Collection, Commit, Name, StoreError, transaction::transact},
    zh,
};

/// The commands under way, by message id.
const COMMANDS: Collection<Taken> = Collection::new(Name::Command);

#[derive(Serialize, Deserialize)]
struct Taken {
    by: MemberId,
    name: String,
    at: Timestamp,
}

impl CommandService {
    /// Writes down that a command is about to be carried out, before its message counts as handled. False for what is no
    /// command, and for one that is under way already.
    pub async fn take(&self, message: &Message, text: &str) -> Result<bool, StoreError> {
        let Some(command) = find_in(&words::named(text).1) else { return Ok(false) };
        let taken = Taken { by: message.sender.clone(), name: command.names()[0].to_owned(), at: message.at };
        Ok(transact!(self.store.as_ref(), |tx| {
            let free = tx.get(COMMANDS, message.id.as_str()).await?.is_none();
            if free {
                tx.put(COMMANDS, message.id.as_str(), &taken).await?;
            }
            free
        }))
    }

    /// It was carried out and its answer is on the way.
    pub async fn done(&self, id: &MessageId) {
        let deletes = vec![(COMMANDS.name().to_owned(), id.to_string())];
        if let Err(error) = self.store.commit(Commit { deletes, ..Commit::default() }).await {
            tracing::warn!(%error, "the end of a command could not be written; after a restart its sender is told to look");
        }
    }

    /// At start: tells the senders of what was under way when the process died.
    pub async fn notify_interrupted(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for (id, taken) in COMMANDS.all(self.store.as_ref(), "").await? {
            let mut commit = Commit { deletes: vec![(COMMANDS.name().to_owned(), id.clone())], ..Commit::default() };
            let id = MessageId::from(id);
            // A message that does not count as handled comes again, and the command with it.
            if self.store.processed(&id).await?.is_some() {
                tracing::warn!(by = %taken.by, command = taken.name, "a command was cut off by the end of the process");
                let can = **self.capabilities.load();
                if can.app && !can.dry_run {
                    let text = format!(
                        "群管刚才重启过，您{} 发的「{}」不一定已执行。请看看结果，没有执行的话再发一次。",
                        zh::when(taken.at, now),
                        taken.name
                    );
                    let tell = Tell::text(vec![taken.by], text);
                    commit.tasks = outgoing::tell(&format!("cut-off-{id}"), &GroupId::from(""), now, &tell);
                }
            }
            self.store.commit(commit).await?;
        }
        Ok(())
    }
}
