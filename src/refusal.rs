//! Why somebody's wish is not done: a sentence for them, and a word for programs that never changes.
//!
//! Every use case answers `Result<_, ActError>`: refused, which is the asker's business and changed nothing, or a store that
//! failed, which is ours. What is refused has the same code on every face; HTTP makes a status of it (`http/problem.rs`).

use crate::{
    model::{UserError, named_enum},
    store::StoreError,
};

named_enum! {
    /// Reasons that a program can tell apart, as `code` of the HTTP API; the Chinese name is the problem's title.
    pub enum Code {
        /// Every other mistake of the asker's.
        BadRequest = "bad_request", "请求内容有误";
        /// A field has a value it cannot have.
        InvalidValue = "invalid_value", "内容有误";
        /// Who asks may not do it.
        Forbidden = "forbidden", "没有这项权限";
        /// There is no such thing, or none that who asks may know of.
        NotFound = "not_found", "没有找到";
        /// Somebody was faster, or it was done before; what stands is told.
        AlreadyDecided = "already_decided", "已经处理过";
        /// It takes another person than the one who asks.
        SamePerson = "same_person", "要由另一个人处理";
        /// It does not stand where this could be done.
        WrongState = "wrong_state", "现在不能这样做";
        /// The time for it is over.
        TooLate = "too_late", "已经过了时间";
        /// Too much of it is open already.
        TooMany = "too_many", "太多了";
        /// Owners, admins and robots are not punished.
        Immune = "immune", "不能处置";
        /// The deadline lies before the sending.
        DeadlinePassed = "deadline_passed", "截止时间已过";
        /// Nobody would have to answer.
        NoReceivers = "no_receivers", "没有接收人";
        /// There is no such group.
        UnknownGroup = "unknown_group", "没有这个群";
        /// The group is there, and nobody has told who is in it.
        UnknownMembers = "unknown_members", "不知道群里有谁";
        /// There is no such department.
        UnknownDepartment = "unknown_department", "没有这个部门";
        /// Money was switched on without the warning having been read.
        FineNotUnderstood = "fine_not_understood", "没有确认金额提示";
        /// The month is not over.
        MonthOpen = "month_open", "这个月还没有结束";
        /// The month is closed.
        MonthClosed = "month_closed", "这个月已结账";
        /// The idempotency key stands for something else.
        KeyTaken = "key_taken", "记号已用过";
    }
}

/// What is answered instead of doing it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// Where in what was sent, if it is one place.
    pub field: Option<&'static str>,
    /// For people, in Chinese.
    pub text: String,
}

impl Refusal {
    /// With its sentence.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, field: None, text: text.into() }
    }
    /// A field has a value it cannot have.
    pub fn wrong(field: &'static str, text: impl Into<String>) -> Self {
        Self { field: Some(field), ..Self::new(Code::InvalidValue, text) }
    }
    /// There is no such thing.
    pub fn not_found(text: impl Into<String>) -> Self {
        Self::new(Code::NotFound, text)
    }
    /// Somebody was faster.
    pub fn decided(text: impl Into<String>) -> Self {
        Self::new(Code::AlreadyDecided, text)
    }
}

impl From<UserError> for Refusal {
    fn from(error: UserError) -> Self {
        Self::new(Code::BadRequest, error.0)
    }
}

/// Why a use case did nothing.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// Told to whoever asked.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Logged; whoever asked reads a general sentence.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<UserError> for ActError {
    fn from(error: UserError) -> Self {
        Self::Refused(error.into())
    }
}

impl ActError {
    /// Refused, with its sentence.
    pub fn refused(code: Code, text: impl Into<String>) -> Self {
        Self::Refused(Refusal::new(code, text))
    }
    /// A field has a value it cannot have.
    pub fn wrong(field: &'static str, text: impl Into<String>) -> Self {
        Self::Refused(Refusal::wrong(field, text))
    }
    /// The code, if it was refused.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(refusal) => Some(refusal.code),
            Self::Store(_) => None,
        }
    }
    /// A refusal does not matter here: somebody else did it meanwhile.
    pub fn unless_refused(self) -> Result<(), StoreError> {
        match self {
            Self::Refused(_) => Ok(()),
            Self::Store(error) => Err(error),
        }
    }
}
