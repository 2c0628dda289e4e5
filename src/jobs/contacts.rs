//! Reads the address book now and then, and soon after WeCom says that it changed.

use async_trait::async_trait;

use super::{Ended, Job, JobError};
use crate::{
    contacts::{Book, Colleague, Department},
    deps::Deps,
    model::{MemberId, SignedDuration, Timestamp},
    platform::wecom::classified,
    store::{Store, StoreError, Task},
    tasks::{Kind, Standing},
    wecom::client::{Client, ClientError},
};

/// Read this often.
const EVERY: SignedDuration = SignedDuration::from_hours(6);
/// Changes come in swarms (a whole department is moved): one reading serves them all.
const SWARM: SignedDuration = SignedDuration::from_secs(30);

/// The job; it never ends.
pub struct ContactsJob(pub Deps);

/// Something changed: reads it soon.
pub async fn changed(store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
    match store.task(&Standing::Contacts.task(now).id).await? {
        Some(known) if known.due <= now + SWARM => Ok(()),
        _ => due(store, now + SWARM).await,
    }
}

async fn due(store: &dyn Store, due: Timestamp) -> Result<(), StoreError> {
    super::due(store, Standing::Contacts.task(due)).await
}

#[async_trait]
impl Job for ContactsJob {
    fn kind(&self) -> Kind {
        Kind::Contacts
    }

    /// WeCom's bad days end.
    fn gives_up(&self) -> bool {
        false
    }

    async fn run(&self, _task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let Some(client) = &self.0.wecom.app else {
            return Ok(Ended::later(now + EVERY, "没有应用，读不到通讯录"));
        };
        let book = read(client).await.map_err(|error| classified(error, now))?;
        let (people, departments) = (book.people.len(), book.departments.len());
        let before = self.0.contacts.book();
        self.0.company.learn(book).await?;
        self.see_names(&before, now).await?;
        Ok(Ended::later(now + EVERY, format!("已读取通讯录：{departments} 个部门，{people} 人")))
    }
}

impl ContactsJob {
    /// Who is called otherwise since: the new name is judged in every group they are in, as a customer's is when the group is
    /// read.
    async fn see_names(&self, before: &Book, now: Timestamp) -> Result<(), StoreError> {
        let book = self.0.contacts.book();
        let other = |(id, colleague): &(&MemberId, &Colleague)| {
            before.people.get(*id).is_some_and(|known| known.name != colleague.name)
        };
        for (id, _) in book.people.iter().filter(other) {
            let groups = self.0.groups.all();
            for group in groups.iter().filter(|group| group.configured && group.learned.members.contains_key(id)) {
                self.0.moderation.see_name(group.id(), id, now).await?;
            }
        }
        Ok(())
    }
}

async fn read(client: &Client) -> Result<Book, ClientError> {
    let mut book = Book::default();
    for department in client.departments().await? {
        let leaders = department.leaders.iter().map(MemberId::new).collect();
        let known = Department { name: department.name, parent: department.parent, leaders };
        book.departments.insert(department.id, known);
    }
    for id in book.departments.keys() {
        for user in client.users_of(*id).await? {
            let colleague = Colleague {
                name: user.name,
                departments: user.departments,
                leaders: user.leaders.iter().map(MemberId::new).collect(),
            };
            book.people.insert(MemberId::new(user.id), colleague);
        }
    }
    Ok(book)
}
