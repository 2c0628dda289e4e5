//! What each call of the store does to the rows; the same for every engine that keeps rows.

use std::ops::Bound;

use super::{
    Case, CaseQuery, Commit, Committed, Document, MemberRecord, Processed, Seen, StoreError, StoreStats, Task,
    TaskQuery, TaskState, TaskUpdate,
    backup::Record,
    kv::{Draft, Key, Rows, Table, decode, encode, first_text, scan, tail},
};
use crate::model::{CaseId, GroupId, MemberId, MessageId, SignedDuration, TaskId, Timestamp};

fn processed_key(id: &MessageId) -> Key {
    Key::of(Table::Processed).last(id.as_str())
}
fn by_time_key(at: Timestamp, id: &MessageId) -> Key {
    Key::of(Table::ByTime).time(at).last(id.as_str())
}
fn member_key(group: &GroupId, member: &MemberId) -> Key {
    Key::of(Table::Member).text(group.as_str()).last(member.as_str())
}
fn case_key(id: &CaseId) -> Key {
    Key::of(Table::Case).last(id.as_str())
}
fn task_key(id: &TaskId) -> Key {
    Key::of(Table::Task).last(id.as_str())
}
fn task_state_prefix(state: TaskState) -> Key {
    Key::of(Table::TaskState).text(state.id())
}
fn document_prefix(collection: &str) -> Key {
    Key::of(Table::Document).text(collection)
}
fn document_key(document: &Document) -> Key {
    document_prefix(&document.collection).last(&document.id)
}
fn cursor_key(name: &str) -> Key {
    Key::of(Table::Cursor).last(name)
}
/// When a task can be claimed next.
fn claimable(task: &Task) -> Timestamp {
    task.leased_until.map_or(task.due, |until| until.max(task.due))
}
fn due_key(task: &Task) -> Key {
    Key::of(Table::TaskDue).time(claimable(task)).last(task.id.as_str())
}

fn read<T: serde::de::DeserializeOwned>(rows: &impl Rows, key: &Key) -> Result<Option<T>, StoreError> {
    rows.get(&key.0)?.map(|bytes| decode(&bytes)).transpose()
}

/// The version of the record in a row, whatever else is in it; 0 if there is none.
fn stored_version(rows: &impl Rows, key: &Key) -> Result<u64, StoreError> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u64,
    }
    Ok(read::<Versioned>(rows, key)?.map_or(0, |stored| stored.version))
}

/// [`super::Store::commit`] on a draft: all of it, or the draft is left as it was.
pub fn commit<R: Rows>(draft: &mut Draft<'_, R>, commit: &Commit) -> Result<Committed, StoreError> {
    let mut own = Draft::new(&*draft);
    let committed = try_commit(&mut own, commit)?;
    let changes = own.into_changes();
    if committed != Committed::Conflict {
        draft.merge(changes);
    }
    Ok(committed)
}

fn try_commit<R: Rows>(draft: &mut Draft<'_, R>, commit: &Commit) -> Result<Committed, StoreError> {
    for (name, value) in &commit.cursors {
        let key = cursor_key(name).checked()?;
        if read::<u64>(draft, &key)?.is_none_or(|before| before < *value) {
            draft.put(key, encode(value)?);
        }
    }
    if let Some(processed) = &commit.processed {
        let key = processed_key(&processed.message.id).checked()?;
        if let Some(first) = read::<Processed>(draft, &key)? {
            return Ok(Committed::Duplicate(Box::new(first)));
        }
        draft.put(key, encode(processed)?);
        draft.put(by_time_key(processed.message.at, &processed.message.id).checked()?, Vec::new());
    }
    for seen in &commit.unchanged {
        if !still_stands(draft, seen)? {
            return Ok(Committed::Conflict);
        }
    }
    for record in &commit.members {
        let key = member_key(&record.group, &record.member).checked()?;
        let stored = stored_version(draft, &key)?;
        if stored != record.version {
            return Ok(Committed::Conflict);
        }
        draft.put(key, encode(&MemberRecord { version: stored + 1, ..record.clone() })?);
    }
    for case in &commit.cases {
        let key = case_key(&case.id);
        let stored = stored_version(draft, &key)?;
        if stored != case.version {
            return Ok(Committed::Conflict);
        }
        // A member may have got another id: then the case is found under that one.
        let before = if stored == 0 { None } else { read::<Case>(draft, &key)? };
        if before.as_ref().is_none_or(|before| before.member != case.member) {
            for stale in before.iter().flat_map(case_indexes) {
                draft.delete(stale);
            }
            for index in case_indexes(case) {
                draft.put(index.checked()?, Vec::new());
            }
        }
        draft.put(key, encode(&Case { version: stored + 1, ..case.clone() })?);
    }
    for document in &commit.documents {
        let key = document_key(document).checked()?;
        let stored = stored_version(draft, &key)?;
        if stored != document.version {
            return Ok(Committed::Conflict);
        }
        draft.put(key, encode(&Document { version: stored + 1, ..document.clone() })?);
    }
    for (collection, id) in &commit.deletes {
        draft.delete(document_prefix(collection).last(id));
    }
    for id in &commit.forgotten_tasks {
        forget_task(draft, id)?;
    }
    for task in &commit.tasks {
        if draft.get(&task_key(&task.id).checked()?.0)?.is_none() {
            write_task(draft, None, task)?;
        }
    }
    for update in &commit.task_updates {
        if !update_task(draft, update)? {
            return Ok(Committed::Conflict);
        }
    }
    Ok(Committed::Applied)
}

fn still_stands(rows: &impl Rows, seen: &Seen) -> Result<bool, StoreError> {
    Ok(match seen {
        Seen::Member(group, member, version) => stored_version(rows, &member_key(group, member))? == *version,
        Seen::Case(id, version) => stored_version(rows, &case_key(id))? == *version,
        Seen::Document(collection, id, version) => {
            stored_version(rows, &document_prefix(collection).last(id))? == *version
        }
        Seen::Task(id, known) => task(rows, id)?.as_ref() == known.as_deref(),
    })
}

fn case_indexes(case: &Case) -> [Key; 3] {
    let id = case.id.as_str();
    [
        Key::of(Table::CaseNewest).newest(case.at).last(id),
        Key::of(Table::CaseOfGroup).text(case.group.as_str()).newest(case.at).last(id),
        Key::of(Table::CaseOfMember).text(case.group.as_str()).text(case.member.as_str()).newest(case.at).last(id),
    ]
}

fn task_indexes(task: &Task) -> Vec<Key> {
    let id = task.id.as_str();
    let mut keys = vec![task_state_prefix(task.state).last(id)];
    if !task.state.is_final() {
        keys.push(due_key(task));
    }
    if let Some(case) = &task.case {
        keys.push(Key::of(Table::TaskOfCase).text(case.as_str()).last(id));
    }
    keys
}

fn write_task<R: Rows>(draft: &mut Draft<'_, R>, before: Option<&Task>, task: &Task) -> Result<(), StoreError> {
    for stale in before.map(task_indexes).unwrap_or_default() {
        draft.delete(stale);
    }
    for key in task_indexes(task) {
        draft.put(key.checked()?, Vec::new());
    }
    draft.put(task_key(&task.id).checked()?, encode(task)?);
    Ok(())
}

/// `false`: the fence does not hold or the task has ended. An outside decision about an ended task changes nothing.
fn forget_task<R: Rows>(draft: &mut Draft<'_, R>, id: &TaskId) -> Result<(), StoreError> {
    if let Some(known) = task(draft, id)?.filter(|task| task.state.is_final()) {
        for index in task_indexes(&known) {
            draft.delete(index);
        }
        draft.delete(task_key(id));
    }
    Ok(())
}

fn update_task<R: Rows>(draft: &mut Draft<'_, R>, update: &TaskUpdate) -> Result<bool, StoreError> {
    let Some(before) = read::<Task>(draft, &task_key(&update.id))? else { return Ok(update.fence.is_none()) };
    if before.state.is_final() {
        return Ok(update.fence.is_none());
    }
    if update.fence.is_some_and(|fence| fence != before.fence) {
        return Ok(false);
    }
    let mut task = before.clone();
    task.state = update.state;
    task.due = update.due;
    task.leased_until = None;
    if update.fence.is_none() {
        task.fence += 1; // whoever is working on it finds out when they want to write how it ended
    }
    task.reason.clone_from(&update.reason);
    if let Some(payload) = &update.payload {
        task.payload = payload.clone();
    }
    if !update.failed {
        task.attempts = 0;
    }
    write_task(draft, Some(&before), &task)?;
    Ok(true)
}

/// [`super::Store::claim`] on a draft.
pub fn claim<R: Rows>(
    draft: &mut Draft<'_, R>,
    now: Timestamp,
    limit: usize,
    lease: SignedDuration,
) -> Result<Vec<Task>, StoreError> {
    let prefix = Key::of(Table::TaskDue);
    let last = Key::of(Table::TaskDue).time(now).0;
    let mut ids = Vec::new();
    scan(draft, &prefix.0, None, |key, _| {
        if key[..last.len()] > last[..] || ids.len() >= limit {
            return Ok(false);
        }
        ids.push(TaskId::from(tail(key, last.len())?));
        Ok(true)
    })?;
    let mut claimed = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(before) = read::<Task>(draft, &task_key(&id))? else {
            return Err(StoreError::Damaged(format!("task {id} is due but missing")));
        };
        let mut task = before.clone();
        task.fence += 1;
        task.attempts += 1;
        task.leased_until = Some(now.saturating_add(lease).unwrap_or(Timestamp::MAX));
        write_task(draft, Some(&before), &task)?;
        claimed.push(task);
    }
    Ok(claimed)
}

/// [`super::Store::prune`] on a draft.
pub fn prune<R: Rows>(draft: &mut Draft<'_, R>, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let end = Key::of(Table::ByTime).time(before).0;
    let mut old = Vec::new();
    scan(draft, &Key::of(Table::ByTime).0, None, |key, _| {
        if key[..end.len()] >= end[..] || old.len() >= limit {
            return Ok(false);
        }
        old.push((key.to_vec(), MessageId::from(tail(key, end.len())?)));
        Ok(true)
    })?;
    let count = old.len();
    for (key, id) in old {
        draft.delete(Key(key));
        draft.delete(processed_key(&id));
    }
    Ok(count)
}

/// [`super::Store::import`] on a draft.
pub fn import<R: Rows>(draft: &mut Draft<'_, R>, records: &[Record], first: bool) -> Result<(), StoreError> {
    if first && draft.next(Bound::Included(&[]), &[u8::MAX])?.is_some() {
        return Err(StoreError::Refused("a backup goes into an empty store, and this one is not empty".into()));
    }
    let mut own = Draft::new(&*draft);
    for record in records {
        put_record(&mut own, record)?;
    }
    let changes = own.into_changes();
    draft.merge(changes);
    Ok(())
}

fn put_record<R: Rows>(draft: &mut Draft<'_, R>, record: &Record) -> Result<(), StoreError> {
    match record {
        Record::Message(mark) => {
            draft.put(by_time_key(mark.message.at, &mark.message.id).checked()?, Vec::new());
            draft.put(processed_key(&mark.message.id).checked()?, encode(mark)?);
        }
        Record::Member(member) => draft.put(member_key(&member.group, &member.member).checked()?, encode(member)?),
        Record::Case(case) => {
            for index in case_indexes(case) {
                draft.put(index.checked()?, Vec::new());
            }
            draft.put(case_key(&case.id).checked()?, encode(case)?);
        }
        Record::Task(task) => {
            let before = self::task(draft, &task.id)?;
            write_task(draft, before.as_ref(), task)?;
        }
        Record::Document(document) => draft.put(document_key(document).checked()?, encode(document)?),
        Record::Cursor { name, value } => draft.put(cursor_key(name).checked()?, encode(value)?),
        Record::ForgottenMessage { id } => {
            if let Some(mark) = processed(draft, id)? {
                draft.delete(by_time_key(mark.message.at, id));
                draft.delete(processed_key(id));
            }
        }
        Record::ForgottenTask { id } => forget_task(draft, id)?,
        Record::DeletedDocument { collection, id } => draft.delete(document_prefix(collection).last(id)),
    }
    Ok(())
}

/// The record in a row; `None` for index rows. Without a value: the row was deleted.
pub fn record_of(key: &[u8], value: Option<&[u8]>) -> Result<Option<Record>, StoreError> {
    let Some(table) = Table::of(key) else { return Ok(None) };
    let Some(value) = value else {
        return Ok(match table {
            Table::Processed => Some(Record::ForgottenMessage { id: tail(key, 1)?.into() }),
            Table::Task => Some(Record::ForgottenTask { id: tail(key, 1)?.into() }),
            Table::Document => {
                let (collection, id) = first_text(key)?;
                Some(Record::DeletedDocument { collection, id })
            }
            _ => None,
        });
    };
    Ok(match table {
        Table::Processed => Some(Record::Message(decode(value)?)),
        Table::Member => Some(Record::Member(decode(value)?)),
        Table::Case => Some(Record::Case(decode(value)?)),
        Table::Task => Some(Record::Task(decode(value)?)),
        Table::Document => Some(Record::Document(decode(value)?)),
        Table::Cursor => Some(Record::Cursor { name: tail(key, 1)?, value: decode(value)? }),
        _ => None,
    })
}

/// The row of a record and the index rows that lead to it.
pub fn keys_of(record: &Record) -> (Key, Vec<Key>) {
    match record {
        Record::Message(mark) => {
            (processed_key(&mark.message.id), vec![by_time_key(mark.message.at, &mark.message.id)])
        }
        Record::Member(member) => (member_key(&member.group, &member.member), Vec::new()),
        Record::Case(case) => (case_key(&case.id), case_indexes(case).into()),
        Record::Task(task) => (task_key(&task.id), task_indexes(task)),
        Record::Document(document) => (document_key(document), Vec::new()),
        Record::Cursor { name, .. } => (cursor_key(name), Vec::new()),
        Record::ForgottenMessage { id } => (processed_key(id), Vec::new()),
        Record::ForgottenTask { id } => (task_key(id), Vec::new()),
        Record::DeletedDocument { collection, id } => (document_prefix(collection).last(id), Vec::new()),
    }
}

/// [`super::Store::processed`].
pub fn processed(rows: &impl Rows, id: &MessageId) -> Result<Option<Processed>, StoreError> {
    read(rows, &processed_key(id))
}

/// [`super::Store::member`].
pub fn member(rows: &impl Rows, group: &GroupId, member: &MemberId) -> Result<MemberRecord, StoreError> {
    Ok(read(rows, &member_key(group, member))?.unwrap_or_else(|| MemberRecord::new(group.clone(), member.clone())))
}

/// [`super::Store::members`].
pub fn members(rows: &impl Rows, group: &GroupId) -> Result<Vec<MemberRecord>, StoreError> {
    let mut all = Vec::new();
    scan(rows, &Key::of(Table::Member).text(group.as_str()).0, None, |_, value| {
        all.push(decode(value)?);
        Ok(true)
    })?;
    Ok(all)
}

/// [`super::Store::case`].
pub fn case(rows: &impl Rows, id: &CaseId) -> Result<Option<Case>, StoreError> {
    read(rows, &case_key(id))
}

/// [`super::Store::cases`].
pub fn cases(rows: &impl Rows, query: &CaseQuery) -> Result<Vec<Case>, StoreError> {
    let prefix = match (&query.group, &query.member) {
        (Some(group), Some(member)) => Key::of(Table::CaseOfMember).text(group.as_str()).text(member.as_str()),
        (Some(group), None) => Key::of(Table::CaseOfGroup).text(group.as_str()),
        _ => Key::of(Table::CaseNewest),
    };
    let after = match &query.after {
        None => None,
        Some(id) => match case(rows, id)? {
            Some(newer) => Some(prefix.clone().newest(newer.at).last(id.as_str()).0),
            None => return Ok(Vec::new()),
        },
    };
    let limit = if query.limit == 0 { 50 } else { query.limit };
    let id_at = prefix.0.len() + 8;
    let mut found = Vec::new();
    scan(rows, &prefix.0, after.as_deref(), |key, _| {
        let id = CaseId::from(tail(key, id_at)?);
        let Some(case) = case(rows, &id)? else { return Ok(true) }; // went away between the two reads
        let fits = query.state.is_none_or(|state| case.state == state)
            && query.member.as_ref().is_none_or(|member| case.member == *member);
        if fits {
            found.push(case);
        }
        Ok(found.len() < limit)
    })?;
    Ok(found)
}

/// [`super::Store::task`].
pub fn task(rows: &impl Rows, id: &TaskId) -> Result<Option<Task>, StoreError> {
    read(rows, &task_key(id))
}

/// [`super::Store::tasks`].
pub fn tasks(rows: &impl Rows, query: &TaskQuery) -> Result<Vec<Task>, StoreError> {
    let prefix = match (&query.case, query.state) {
        (Some(case), _) => Key::of(Table::TaskOfCase).text(case.as_str()),
        (None, Some(state)) => task_state_prefix(state),
        (None, None) => Key::of(Table::Task),
    };
    let after = query.after.as_ref().map(|id| prefix.clone().last(id.as_str()).0);
    let limit = if query.limit == 0 { 200 } else { query.limit };
    let mut found = Vec::new();
    scan(rows, &prefix.0, after.as_deref(), |key, _| {
        let id = TaskId::from(tail(key, prefix.0.len())?);
        let Some(task) = task(rows, &id)? else { return Ok(true) };
        let fits = query.state.is_none_or(|state| task.state == state)
            && query.group.as_ref().is_none_or(|group| task.group == *group);
        if fits {
            found.push(task);
        }
        Ok(found.len() < limit)
    })?;
    Ok(found)
}

/// [`super::Store::next_due`].
pub fn next_due(rows: &impl Rows) -> Result<Option<Timestamp>, StoreError> {
    let mut first = None;
    let prefix = Key::of(Table::TaskDue).0;
    scan(rows, &prefix, None, |key, _| {
        first = Some(TaskId::from(tail(key, prefix.len() + 8)?));
        Ok(false)
    })?;
    Ok(first.map(|id| task(rows, &id)).transpose()?.flatten().map(|task| claimable(&task)))
}

/// [`super::Store::document`].
pub fn document(rows: &impl Rows, collection: &str, id: &str) -> Result<Option<Document>, StoreError> {
    read(rows, &document_prefix(collection).last(id))
}

/// [`super::Store::documents`].
pub fn documents(
    rows: &impl Rows,
    collection: &str,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Document>, StoreError> {
    let of_collection = document_prefix(collection);
    let after = after.map(|id| of_collection.clone().last(id).0);
    let mut found = Vec::new();
    if limit == 0 {
        return Ok(found);
    }
    scan(rows, &of_collection.last(prefix).0, after.as_deref(), |_, value| {
        found.push(decode(value)?);
        Ok(found.len() < limit)
    })?;
    Ok(found)
}

/// [`super::Store::cursor`].
pub fn cursor(rows: &impl Rows, name: &str) -> Result<u64, StoreError> {
    Ok(read(rows, &cursor_key(name))?.unwrap_or(0))
}

/// [`super::Store::messages`].
pub fn messages(
    rows: &impl Rows,
    since: Timestamp,
    after: Option<&MessageId>,
    limit: usize,
) -> Result<Vec<Processed>, StoreError> {
    let table = Key::of(Table::ByTime).0;
    let start = Key::of(Table::ByTime).time(since).0;
    let after = match after {
        Some(id) => processed(rows, id)?.map(|p| by_time_key(p.message.at, id).0),
        None => None,
    };
    // The time itself is included, so start just before it.
    let after = after.map_or_else(|| before(&start), |after| after.max(before(&start)));
    let mut found = Vec::new();
    if limit == 0 {
        return Ok(found);
    }
    scan(rows, &table, Some(&after), |key, _| {
        let id = MessageId::from(tail(key, start.len())?);
        let Some(processed) = processed(rows, &id)? else { return Ok(true) }; // pruned between the two reads
        found.push(processed);
        Ok(found.len() < limit)
    })?;
    Ok(found)
}

/// A key just before every key that starts with this one.
fn before(key: &[u8]) -> Vec<u8> {
    let mut before = key.to_vec();
    while let Some(last) = before.pop() {
        if last > 0 {
            before.push(last - 1);
            before.extend_from_slice(&[0xff; 600]);
            break;
        }
    }
    before
}

/// [`super::Store::stats`] without the disk.
pub fn stats(rows: &impl Rows) -> Result<StoreStats, StoreError> {
    let count = |state| {
        let mut count = 0;
        scan(rows, &task_state_prefix(state).0, None, |_, _| {
            count += 1;
            Ok(true)
        })
        .map(|()| count)
    };
    let (pending, waiting) = (count(TaskState::Pending)?, count(TaskState::WaitsForPerson)?);
    let oldest_due_ms = next_due(rows)?.map_or(0, Timestamp::as_millisecond);
    Ok(StoreStats { pending, waiting, oldest_due_ms, disk_bytes: 0, disk_free: None })
}
