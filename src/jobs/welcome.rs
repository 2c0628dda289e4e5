//! Keeps the greetings of customer groups among WeCom's own (入群欢迎语) equal to the settings: after a start and every hour. WeCom
//! tells owners of a new one; each has to choose it for their group in the client, because no call does that.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Ended, Job, JobError};
use crate::{
    deps::Deps,
    model::{GroupKind, SignedDuration, Timestamp},
    platform::wecom::classified,
    settings::Welcome,
    store::{Collection, Name, Task, transaction::transact},
    tasks::Kind,
    wecom::outreach::Greeting,
};

/// Looked at this often.
const EVERY: SignedDuration = SignedDuration::from_hours(1);
/// What is among WeCom's greetings, by group.
const GREETINGS: Collection<Known> = Collection::new(Name::Welcome);

/// A greeting that WeCom has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    template: String,
    text: String,
    link: Option<String>,
}

/// The job; it never ends.
pub struct WelcomeJob(pub Deps);

/// The line that greets newcomers of a group of the app.
pub fn line(welcome: &Welcome, group: &str, names: &[&str]) -> String {
    let who = names.join("、");
    let link = welcome.link.as_ref().map(|link| format!("\n群规：{link}")).unwrap_or_default();
    format!("{who}，您好！这里是「{group}」。{}{link}", welcome.text)
}

#[async_trait]
impl Job for WelcomeJob {
    fn kind(&self) -> Kind {
        Kind::Welcome
    }

    /// WeCom's bad days end.
    fn gives_up(&self) -> bool {
        false
    }

    async fn run(&self, _task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let again = now + EVERY;
        let rules = self.0.rules.get_full();
        let known = GREETINGS.all(self.0.store.as_ref(), "").await?;
        let groups = rules.settings.groups.iter().filter(|group| group.kind() == GroupKind::Customer);
        let wanted: Vec<_> = groups.filter_map(|group| Some((group.id.as_str(), group.welcome.as_ref()?))).collect();
        let Some(client) = self.0.wecom.app.as_ref().filter(|_| !known.is_empty() || !wanted.is_empty()) else {
            return Ok(Ended::later(again, "没有要放的欢迎语"));
        };
        if rules.settings.dry_run {
            return Ok(Ended::later(again, "演练：不改欢迎语"));
        }
        let mut changed = 0;
        for (group, welcome) in &wanted {
            let greeting = Greeting { text: welcome.text.clone(), link: welcome.link.clone() };
            let before = known.iter().find(|(id, _)| id == group).map(|(_, known)| known);
            let template = match before {
                Some(known) if known.text == welcome.text && known.link == welcome.link => continue,
                Some(known) => {
                    let edited = client.edit_greeting(&known.template, &greeting).await;
                    edited.map_err(|error| classified(error, now))?;
                    known.template.clone()
                }
                None => client.add_greeting(&greeting).await.map_err(|error| classified(error, now))?,
            };
            let known = Known { template, text: greeting.text, link: greeting.link };
            transact!(self.0.store.as_ref(), |tx| tx.put(GREETINGS, group, &known).await?);
            changed += 1;
        }
        for (group, known) in known.iter().filter(|(group, _)| wanted.iter().all(|(id, _)| id != group)) {
            client.delete_greeting(&known.template).await.map_err(|error| classified(error, now))?;
            transact!(self.0.store.as_ref(), |tx| tx.delete(GREETINGS, group).await?);
            changed += 1;
        }
        Ok(Ended::later(
            again,
            if changed == 0 { "欢迎语与设置一致".into() } else { format!("已更新 {changed} 条欢迎语") },
        ))
    }
}
