//! Every collection of documents, each with the type of what lies in it.
//!
//! A use case declares `const APPEALS: Collection<Appeal> = Collection::new(Name::Appeal)` and reads and writes values; what
//! this version cannot read is an error, and with it whatever wanted to change it: it is never taken for an empty one.

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};

use super::{Document, Store, StoreError};
use crate::model::named_enum;

named_enum! {
    /// The collections there are; the stored names never change.
    pub enum Name {
        /// Accounts of the console, by name.
        Account = "account", "账号";
        /// One-time links into the console, by the hash of their code.
        AccountLink = "account_link", "一次性链接";
        /// Activities, by id.
        Activity = "activity", "活动";
        /// Activities of a group whose sign-in is not over, by `GROUP/ID`.
        ActivityOpen = "activity_open", "进行中的活动";
        /// Callbacks of the app this version does not use, the latest of each kind.
        AppSetAside = "app_set_aside", "未识别的回调";
        /// Appeals, by case.
        Appeal = "appeal", "申诉";
        /// How far the archive was read, one document.
        ArchiveProgress = "archive_progress", "存档进度";
        /// Archived messages that could not be read, by sequence number.
        ArchiveUnreadable = "archive_unreadable", "未能读取的存档消息";
        /// Who did what, newest first.
        Audit = "audit", "操作记录";
        /// Circuit breakers, by group.
        Breaker = "breaker", "熔断";
        /// When WeCom first called an address of ours, by channel.
        Called = "called", "收到的回调";
        /// Commands under way, by message.
        Command = "command", "执行中的命令";
        /// The address book, one document.
        Contacts = "contacts", "通讯录";
        /// Who has a seat in the archive, one document.
        Coverage = "coverage", "存档席位";
        /// What WeCom told of groups, by group.
        Group = "group", "群";
        /// Who is behind the ids that WeCom encrypts for the smart bot, by encrypted id.
        Identity = "identity", "账号对照";
        /// Failed sign-ins lately, by whom they were tried for.
        SignInFailure = "sign_in_failure", "登录失败";
        /// Who is signed in at the console, by the hash of their cookie.
        Session = "session", "登录";
        /// Sentences that people judged, by case.
        Judgement = "judgement", "人工判断";
        /// Notices, by id.
        Notice = "notice", "通知";
        /// Leave and shifts, by member.
        NoticeAbsence = "notice_absence", "请假";
        /// Idempotency keys, by `WHO/KEY`.
        NoticeKey = "notice_key", "幂等键";
        /// Notices whose deadline is in a month, by `MONTH/ID`.
        NoticeMonth = "notice_month", "月度通知";
        /// Closes of months, by month.
        NoticeMonthClose = "notice_month_close", "结账";
        /// Frozen lines of closed months, by `MONTH/PART`.
        NoticeMonthLine = "notice_month_line", "台账";
        /// Notices that words may answer, by `GROUP/ID`.
        NoticeOpen = "notice_open", "待回执的通知";
        /// Who owes an answer, by `NOTICE/BUCKET`.
        NoticeRoll = "notice_roll", "通知名单";
        /// Standing exemptions, by member.
        NoticeStanding = "notice_standing", "长期豁免";
        /// The newest card about a member that the owner has, by `GROUP/MEMBER`.
        OwnerNews = "owner_news", "告知群主";
        /// Members' reports, by id.
        Report = "report", "举报";
        /// How often members' reports were right, by member.
        ReportCredit = "report_credit", "举报信用";
        /// Rules that people have said something about, by rule.
        Rule = "rule", "规则";
        /// Versions of rulebooks, by group and rulebook.
        Rulebook = "rulebook", "群规";
        /// What the second opinion took, by day.
        SecondOpinionDay = "second_opinion_day", "第二意见用量";
        /// What came of it, by `MONTH/GROUP`.
        SecondOpinionMonth = "second_opinion_month", "第二意见";
        /// Times that were planned for 大促, by `GROUP`.
        Season = "season", "大促";
        /// Questions that are not solved, by `GROUP/ASKER`.
        Service = "service", "提问";
        /// What became of a month's questions, by `MONTH/GROUP`.
        ServiceMonth = "service_month", "回复统计";
        /// What somebody said outside a group's times, by `GROUP/MEMBER`.
        ServiceTime = "service_time", "时段外发言";
        /// 投诉, 建议 and 异议, by id.
        Ticket = "ticket", "投诉和建议";
        /// Greetings in WeCom's own list, by customer group.
        Welcome = "welcome", "入群欢迎语";
    }
}

/// One collection of documents that hold a `T`.
pub struct Collection<T> {
    name: Name,
    holds: PhantomData<fn() -> T>,
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Collection<T> {}

impl<T: Serialize + DeserializeOwned> Collection<T> {
    /// The collection of this name.
    pub const fn new(name: Name) -> Self {
        Self { name, holds: PhantomData }
    }
    /// Its stored name.
    pub const fn name(self) -> &'static str {
        self.name.id()
    }
    /// What a document holds.
    pub fn decode(self, id: &str, body: serde_json::Value) -> Result<T, StoreError> {
        serde_json::from_value(body).map_err(|e| StoreError::Format(format!("{}/{id}: {e}", self.name)))
    }
    /// A value as a document's body.
    pub fn encode(self, id: &str, value: &T) -> Result<serde_json::Value, StoreError> {
        serde_json::to_value(value).map_err(|e| StoreError::Format(format!("{}/{id}: {e}", self.name)))
    }
    /// One value, as it stands at this moment; to change it, read it in a [transaction](super::transaction).
    pub async fn get(self, store: &dyn Store, id: &str) -> Result<Option<T>, StoreError> {
        let document = store.document(self.name.id(), id).await?;
        document.map(|Document { body, .. }| self.decode(id, body)).transpose()
    }
    /// Values whose id starts with `prefix`, after `after`, by id; at most `limit`.
    pub async fn page(
        self,
        store: &dyn Store,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, T)>, StoreError> {
        let page = store.documents(self.name.id(), prefix, after, limit).await?;
        page.into_iter().map(|Document { id, body, .. }| self.decode(&id, body).map(|value| (id, value))).collect()
    }
    /// Every value whose id starts with `prefix`, by id.
    pub async fn all(self, store: &dyn Store, prefix: &str) -> Result<Vec<(String, T)>, StoreError> {
        const PAGE: usize = 500;
        let mut all: Vec<(String, T)> = Vec::new();
        loop {
            let page = self.page(store, prefix, all.last().map(|(id, _)| id.as_str()), PAGE).await?;
            let last = page.len() < PAGE;
            all.extend(page);
            if last {
                return Ok(all);
            }
        }
    }
}
