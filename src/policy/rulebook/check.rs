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
        /// Something is allowed only at certain times.
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
    /// Not built yet: what is about membership, names, times, windows, approval, quotas, samples and figures.
    pub const fn planned(self) -> bool {
        matches!(
            self,
            Self::ReplyTime
                | Self::TimeWindow
                | Self::Quota
                | Self::ContentApproval
                | Self::GroupName
                | Self::MemberName
                | Self::Membership
                | Self::InviteApproval
                | Self::AgreeRules
                | Self::MandatoryGroup
                | Self::Handover
                | Self::SpotCheck
                | Self::Evaluation
        )
    }
}

/// What answers for a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The detector's findings of one category.
    Message(Category),
    /// Anything else.
    Duty(Duty),
}

impl Check {
    /// The stable name used in files.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Message(category) => category.id(),
            Self::Duty(duty) => duty.id(),
        }
    }
    /// The Chinese name.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Message(category) => category.zh(),
            Self::Duty(duty) => duty.zh(),
        }
    }
    /// All names.
    pub fn all() -> impl Iterator<Item = Self> {
        let messages = Category::ALL.iter().map(|category| Self::Message(*category));
        messages.chain(Duty::ALL.iter().map(|duty| Self::Duty(*duty)))
    }
    /// Does it answer for findings of a category?
    pub fn covers(self, category: Category) -> bool {
        match self {
            Self::Message(own) => own == category,
            Self::Duty(duty) => duty == Duty::Illegal && Category::ILLEGAL.contains(&category),
        }
    }
}

impl std::str::FromStr for Check {
    type Err = UnknownName;
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::all()
            .find(|check| check.id() == text)
            .ok_or_else(|| UnknownName::new(text, Self::all().map(Self::id).collect::<Vec<_>>()))
    }
}

named_enum! {
    /// What the regulation itself says shall follow.
    pub enum Response {
        /// The group's policy decides.
        Policy = "policy", "按策略";
        /// Out as soon as it is found.
        Remove = "remove", "立即移出";
        /// Told to a person only.
        Watch = "watch", "报告给管理者";
    }
}

named_enum! {
    /// How far the bot answers for a clause.
    pub enum Coverage {
        /// It finds and acts.
        Enforced = "enforced", "自动执行";
        /// It finds and tells.
        Watched = "watched", "只观察";
        /// Not built yet.
        Planned = "planned", "计划中";
        /// A person's job.
        Manual = "manual", "靠人";
    }
}
