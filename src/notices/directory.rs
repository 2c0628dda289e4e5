//! Who is where: groups, departments, superiors. Notices ask once, when they are sent; joins and leaves come as events.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    groups::{Group, Groups},
    model::{GroupId, MemberId, Role},
};

/// A person as a notice needs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The userid.
    pub id: MemberId,
    /// Shown name; the id where none is known.
    pub name: String,
    /// Department's name; empty where none is known.
    pub department: String,
    /// Who gets the list of those who did not answer; none where nobody is known.
    pub superior: Option<MemberId>,
}

/// Answers who is where. People of other companies and robots are left out: a notice does not bind them.
#[async_trait]
pub trait Directory: Send + Sync + 'static {
    /// Reads who is in those of the groups whose members are not known yet; what cannot be read stays unknown.
    async fn learn(&self, _groups: &[GroupId]) {}
    /// The people of a group; `None` if its members are not known.
    fn group(&self, id: &GroupId) -> Option<Vec<Person>>;
    /// What is known of a group, for who leads it; an unknown one is nobody's.
    fn group_record(&self, id: &GroupId) -> Arc<Group>;
    /// A group's shown name.
    fn group_name(&self, id: &GroupId) -> String;
    /// The people of a department, those below it included; `None` if there is no such department.
    fn department(&self, name: &str) -> Option<Vec<Person>>;
    /// One person; an unknown one has their id as name.
    fn person(&self, id: &MemberId) -> Person;
    /// Is there anybody of this id, as far as anyone has told?
    fn knows(&self, id: &MemberId) -> bool {
        self.person(id).name != id.as_str()
    }
    /// Is there a group of this id, as far as anyone has told?
    fn knows_group(&self, id: &GroupId) -> bool {
        self.group(id).is_some()
    }
}

impl Person {
    /// Somebody of whom no more is known.
    pub fn named(id: &MemberId, name: &str) -> Self {
        Self { id: id.clone(), name: name.to_owned(), department: String::new(), superior: None }
    }
}

/// What groups say of people; departments and superiors are the address book's.
impl Groups {
    /// The colleagues in a group; `None` if its members are not known.
    pub fn people(&self, id: &GroupId) -> Option<Vec<Person>> {
        let group = self.get(id);
        if group.learned.members.is_empty() {
            return None;
        }
        let people = group.learned.members.iter().filter(|(id, p)| !p.external && group.role(id) != Role::Bot);
        Some(people.map(|(id, _)| Person::named(id, group.member_name(id))).collect())
    }

    /// Somebody is in one of the groups, or runs it.
    pub fn has_somewhere(&self, id: &MemberId) -> bool {
        self.all().iter().any(|group| group.learned.members.contains_key(id) || group.deciders().contains(id))
    }

    /// Somebody under the name one of the groups knows.
    pub fn person(&self, id: &MemberId) -> Person {
        let name = self
            .all()
            .iter()
            .find_map(|group| group.learned.members.get(id).filter(|p| !p.name.is_empty()).map(|p| p.name.clone()));
        Person::named(id, name.as_deref().unwrap_or(id.as_str()))
    }
}
