//! The company's address book: who works in which department and for whom, as far as the app may see it. Notices to a
//! department and the list for a person's superior come from here; without it both say that nothing is known.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    groups::{Group, Groups, Names},
    model::{Clock, GroupId, MemberId},
    notices::{Directory, Person},
    platform::Platform,
    store::{Collection, Name, Store, StoreError, transaction::transact},
};

/// The collection; one document.
const CONTACTS: Collection<Book> = Collection::new(Name::Contacts);
const DOCUMENT: &str = "book";

/// A department.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Department {
    /// Its name; empty where WeCom keeps it back.
    pub name: String,
    /// The department above; 0 above the root.
    pub parent: i64,
    /// Who leads it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaders: Vec<MemberId>,
}

/// A colleague.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colleague {
    /// Shown name.
    pub name: String,
    /// Departments, the main one first.
    pub departments: Vec<i64>,
    /// Whom they report to, if WeCom says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaders: Vec<MemberId>,
}

/// Everything the app may see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// By id.
    pub departments: BTreeMap<i64, Department>,
    /// By userid.
    pub people: BTreeMap<MemberId, Colleague>,
}

impl Book {
    /// Shown names by userid; empty where WeCom keeps them back.
    fn names(&self) -> Names {
        self.people.iter().map(|(id, colleague)| (id.clone(), colleague.name.clone())).collect()
    }

    /// A department by its name, or by its number where two have one name.
    fn find(&self, wanted: &str) -> Option<i64> {
        if let Some(id) = wanted.parse().ok().filter(|id| self.departments.contains_key(id)) {
            return Some(id);
        }
        let mut named = self.departments.iter().filter(|(_, d)| d.name == wanted);
        let found = *named.next()?.0;
        named.next().is_none().then_some(found)
    }

    /// Is `id` the department or one below it?
    fn is_within(&self, id: i64, department: i64) -> bool {
        let mut at = id;
        // A loop in what WeCom says must not become one here.
        for _ in 0..=self.departments.len() {
            if at == department {
                return true;
            }
            let Some(above) = self.departments.get(&at) else { return false };
            at = above.parent;
        }
        false
    }

    /// Whom somebody reports to: as WeCom says, else the leader of their department or of the next one above.
    fn superior(&self, id: &MemberId) -> Option<&MemberId> {
        let colleague = self.people.get(id)?;
        if let Some(leader) = colleague.leaders.iter().find(|leader| *leader != id) {
            return Some(leader);
        }
        let mut at = *colleague.departments.first()?;
        for _ in 0..=self.departments.len() {
            let department = self.departments.get(&at)?;
            if let Some(leader) = department.leaders.iter().find(|leader| *leader != id) {
                return Some(leader);
            }
            at = department.parent;
        }
        None
    }
}

/// The book in use, and in the store.
pub struct Contacts {
    store: Arc<dyn Store>,
    book: ArcSwap<Book>,
}

impl Contacts {
    /// Reads what was learned before.
    pub async fn load(store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let book = CONTACTS.get(store.as_ref(), DOCUMENT).await?.unwrap_or_default();
        Ok(Self { store, book: ArcSwap::from_pointee(book) })
    }

    /// What is known.
    pub fn book(&self) -> Arc<Book> {
        self.book.load_full()
    }

    async fn learn(&self, book: Book) -> Result<(), StoreError> {
        if *self.book.load_full() == book {
            return Ok(());
        }
        transact!(self.store.as_ref(), |tx| tx.put(CONTACTS, DOCUMENT, &book).await?);
        self.book.store(Arc::new(book));
        Ok(())
    }
}

/// Groups and address book together answer who is where.
pub struct Company {
    /// Known groups.
    pub groups: Arc<Groups>,
    /// The address book.
    pub contacts: Arc<Contacts>,
    /// Reads member lists, once it is there.
    platform: OnceLock<(Arc<dyn Platform>, Arc<dyn Clock>)>,
}

impl Company {
    /// Groups and address book that know the same people.
    pub fn new(groups: Arc<Groups>, contacts: Arc<Contacts>) -> Self {
        groups.set_colleagues(contacts.book().names());
        Self { groups, contacts, platform: OnceLock::new() }
    }

    /// Member lists that nobody has read are read through this from now on.
    pub fn reads_through(&self, platform: Arc<dyn Platform>, clock: Arc<dyn Clock>) {
        self.platform.get_or_init(|| (platform, clock));
    }

    /// Writes down what WeCom told of people and departments, if it is new, and uses it from now on.
    pub async fn learn(&self, book: Book) -> Result<(), StoreError> {
        self.contacts.learn(book).await?;
        self.groups.set_colleagues(self.contacts.book().names());
        Ok(())
    }

    fn complete(book: &Book, mut person: Person) -> Person {
        if let Some(colleague) = book.people.get(&person.id) {
            let department = colleague.departments.first().and_then(|id| book.departments.get(id));
            person.department = department.map(|d| d.name.clone()).unwrap_or_default();
            person.superior = book.superior(&person.id).cloned();
            if person.name == person.id.as_str() && !colleague.name.is_empty() {
                person.name.clone_from(&colleague.name);
            }
        }
        person
    }
}

#[async_trait]
impl Directory for Company {
    async fn learn(&self, groups: &[GroupId]) {
        let Some((platform, clock)) = self.platform.get() else { return };
        for group in groups.iter().map(|id| self.groups.get(id)) {
            if !group.configured || !group.learned.members.is_empty() {
                continue;
            }
            let now = clock.now();
            let read = match platform.read_group(&group, now).await {
                Ok(Some(read)) => read,
                Ok(None) => continue,
                Err(error) => {
                    tracing::info!(group = %group.id(), %error, "who is in a group could not be read for a notice");
                    continue;
                }
            };
            let taken = self.groups.update(group.id(), move |learned| {
                if learned.members.is_empty() {
                    learned.takes_over(&read, true, now);
                }
            });
            if let Err(error) = taken.await {
                tracing::warn!(group = %group.id(), %error, "who is in a group could not be kept");
            }
        }
    }
    fn group(&self, id: &GroupId) -> Option<Vec<Person>> {
        let book = self.contacts.book.load();
        Some(self.groups.people(id)?.into_iter().map(|person| Self::complete(&book, person)).collect())
    }
    fn group_record(&self, id: &GroupId) -> Arc<Group> {
        self.groups.get(id)
    }
    fn group_name(&self, id: &GroupId) -> String {
        self.groups.get(id).name().to_owned()
    }
    fn department(&self, name: &str) -> Option<Vec<Person>> {
        let book = self.contacts.book.load();
        let wanted = book.find(name.trim())?;
        let inside = book.people.iter().filter(|(_, c)| c.departments.iter().any(|d| book.is_within(*d, wanted)));
        Some(inside.map(|(id, _)| Self::complete(&book, Person::named(id, id.as_str()))).collect())
    }
    fn person(&self, id: &MemberId) -> Person {
        Self::complete(&self.contacts.book.load(), self.groups.person(id))
    }
    fn knows(&self, id: &MemberId) -> bool {
        self.contacts.book.load().people.contains_key(id) || self.groups.has_somewhere(id)
    }
    fn knows_group(&self, id: &GroupId) -> bool {
        let group = self.groups.get(id);
        group.configured || !group.learned.members.is_empty() || self.groups.all().iter().any(|g| g.id() == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Book {
        let department = |name: &str, parent, leaders: &[&str]| Department {
            name: name.into(),
            parent,
            leaders: leaders.iter().map(|l| MemberId::from(*l)).collect(),
        };
        let colleague = |department, leaders: &[&str]| Colleague {
            name: String::new(),
            departments: vec![department],
            leaders: leaders.iter().map(|l| MemberId::from(*l)).collect(),
        };
        Book {
            departments: BTreeMap::from([
                (1, department("公司", 0, &["boss"])),
                (2, department("销售部", 1, &["head"])),
                (3, department("一组", 2, &[])),
                (4, department("一组", 1, &[])),
                (8, department("乱", 9, &[])),
                (9, department("麻", 8, &[])),
            ]),
            people: BTreeMap::from([
                ("boss".into(), colleague(1, &[])),
                ("head".into(), colleague(2, &[])),
                ("a".into(), colleague(3, &[])),
                ("b".into(), colleague(3, &["a"])),
                ("c".into(), colleague(8, &[])),
            ]),
        }
    }

    #[test]
    fn the_superior_is_the_one_named_or_the_nearest_leader_above() {
        let book = book();
        for (who, superior) in
            [("b", Some("a")), ("a", Some("head")), ("head", Some("boss")), ("boss", None), ("c", None)]
        {
            assert_eq!(book.superior(&who.into()).map(MemberId::as_str), superior, "{who}");
        }
    }

    #[test]
    fn a_department_holds_those_below_it_and_an_ambiguous_name_finds_none() {
        let book = book();
        assert_eq!(
            (book.find("销售部"), book.find("3"), book.find("一组"), book.find("没有")),
            (Some(2), Some(3), None, None)
        );
        assert!(book.is_within(3, 2) && book.is_within(3, 1) && !book.is_within(2, 3) && !book.is_within(8, 1));
    }
}
