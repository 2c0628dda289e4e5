//! What can answer for a clause: the detector's categories, and the duties of members, admins and the bot itself.

use crate::model::{Category, UnknownName, named_enum};

named_enum! {
    /// Checks that are not about what one message says.
    pub enum Duty {
        /// 黄赌毒暴恐诈骗, all of [`Category::ILLEGAL`].
        Illegal = "illegal", "违法内容";
        /// A notice is acknowledged in time.
        NoticeAck = "notice_ack", "通知回执";
        /// What is late is written down.
        FineLedger = "fine_ledger", "逾期台账";
        /// Questions are answered in time.
        ReplyTime = "reply_time", "回复时限";
        /// Nobody chats at work for long.
        WorkChat = "work_chat", "上班闲聊";
        /// Promotion is welcome only at certain times.
        TimeWindow = "time_window", "时间窗口";
        /// Activities: announced, on time, summed up.
        Activity = "activity", "群活动";
        /// So many a day.
        Quota = "quota", "每日定额";
        /// Approved before it is posted.
        ContentApproval = "content_approval", "发前审核";
        /// How the group is called.
        GroupName = "group_name", "群名格式";
        /// How members are called.
        MemberName = "member_name", "昵称格式";
        /// Who may be in the group.
        Membership = "membership", "成员资格";
        /// Who may invite.
        InviteApproval = "invite_approval", "拉人审批";
        /// New members agree to the rules.
        AgreeRules = "agree_rules", "入群须知";
        /// Removed for good.
        Ban = "ban", "永久禁入";
        /// Everybody concerned is in the group.
        MandatoryGroup = "mandatory_group", "必进群";
        /// Somebody leaves the company.
        Handover = "handover", "离职交接";
        /// Warn, mute, remove.
        Ladder = "ladder", "处置阶梯";
        /// Members report, admins judge.
        Reports = "reports", "成员举报";
        /// Objections in private.
        Appeals = "appeals", "申诉";
        /// 投诉, 建议 and 异议 in private are answered.
        Tickets = "tickets", "投诉和建议";
        /// Whoever forwards a record answers for what stands in it.
        Forwarded = "forwarded", "转发视同发言";
        /// Changes of the rules are announced.
        RuleAnnouncement = "rule_announcement", "群规公告";
        /// A person looks at a random sample.
        SpotCheck = "spot_check", "抽查";
        /// Figures of members and groups.
        Evaluation = "evaluation", "考核统计";
    }
}

impl Duty {
    /// Who sees to it as long as nothing here does: what is about membership, names, approval, quotas, samples and
    /// figures.
    pub const fn by_people(self) -> Option<&'static str> {
        Some(match self {
            Self::Quota => "群管不计每天的数量，由主管看",
            Self::ContentApproval => "先审后发由审核的人把关",
            Self::GroupName => "群名由群主取和改",
            Self::MemberName => "昵称由本人改、群主看",
            Self::Membership => "谁能在群里由群主看",
            Self::InviteApproval => "拉人由部门负责人同意",
            Self::MandatoryGroup => "谁还没进群由部门负责人看",
            Self::Handover => "离职交接由部门负责人办",
            Self::SpotCheck => "抽查由人翻看记录",
            Self::Evaluation => "考核由主管做",
            _ => return None,
        })
    }
}

/// What answers for a clause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The detector's findings of one category.
    Message(Category),
    /// Those of one of its rules: `recruit/region`.
    Rule(Category, String),
    /// Anything else.
    Duty(Duty),
}

impl Check {
    /// The stable name used in files.
    pub fn id(&self) -> String {
        match self {
            Self::Message(category) => category.id().to_owned(),
            Self::Rule(category, rule) => format!("{category}/{rule}"),
            Self::Duty(duty) => duty.id().to_owned(),
        }
    }
    /// The Chinese name; that of a rule has its own behind it.
    pub fn zh(&self) -> String {
        match self {
            Self::Message(category) => category.zh().to_owned(),
            Self::Rule(category, rule) => format!("{}（{rule}）", category.zh()),
            Self::Duty(duty) => duty.zh().to_owned(),
        }
    }
    /// All names but those of rules, which the wordlists have.
    pub fn all() -> impl Iterator<Item = Self> {
        let messages = Category::ALL.iter().map(|category| Self::Message(*category));
        messages.chain(Duty::ALL.iter().map(|duty| Self::Duty(*duty)))
    }
    /// The categories of messages it is about.
    pub fn categories(&self) -> &[Category] {
        match self {
            Self::Message(category) | Self::Rule(category, _) => std::slice::from_ref(category),
            Self::Duty(Duty::Illegal) => Category::ILLEGAL,
            Self::Duty(_) => &[],
        }
    }
    /// Does it answer for findings of a category in which these rules (`recruit/region`) hit?
    pub fn covers(&self, category: Category, hits: &[&str]) -> bool {
        self.categories().contains(&category) && (!matches!(self, Self::Rule(..)) || self.names(hits))
    }
    /// Does it name one of these rules?
    pub fn names(&self, hits: &[&str]) -> bool {
        matches!(self, Self::Rule(category, rule) if hits.iter().any(|hit| {
            hit.split_once('/').is_some_and(|(of, name)| of == category.id() && name == rule)
        }))
    }
}

impl std::str::FromStr for Check {
    type Err = UnknownName;
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        if let Some((category, rule)) = text.split_once('/') {
            let category: Category = category.parse().map_err(|near: UnknownName| UnknownName {
                found: text.to_owned(),
                nearest: near.nearest.map(|near| format!("{near}/{rule}")),
            })?;
            return Ok(Self::Rule(category, rule.to_owned()));
        }
        let unknown = || {
            UnknownName::new(text, Self::all().map(|check| check.id()).collect::<Vec<_>>().iter().map(String::as_str))
        };
        Self::all().find(|check| check.id() == text).ok_or_else(unknown)
    }
}

named_enum! {
    /// What the regulation itself says shall follow.
    pub enum Response {
        /// The group's policy decides.
        Policy = "policy", "按策略";
        /// Out as soon as it is found.
        Remove = "remove", "立即移出";
        /// Out as soon as it is found, if it is grave.
        RemoveGrave = "remove_grave", "情节严重立即移出";
        /// Only written down.
        Watch = "watch", "只记录";
    }
}
