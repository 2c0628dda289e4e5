//! What there is to do, as records name it.

use crate::model::named_enum;

named_enum! {
    /// What was done; the names are stored and never change.
    pub enum Act {
        /// Somebody read their warning.
        ReadWarning = "read_warning", "已读提醒";
        /// Somebody said why a leak was needed for work.
        ExplainCase = "explain_case", "说明情况";
        /// A person says that a case was one.
        ConfirmCase = "confirm_case", "确认违规";
        /// A person says that there was nothing wrong.
        MisjudgeCase = "misjudge_case", "记为误判";
        /// A sentence that was harmless passes from now on.
        AllowSentence = "allow_sentence", "放行";
        /// A sentence passes no more.
        EndAllowance = "end_allowance", "取消放行";
        /// A case is taken back out of kindness.
        RevokeCase = "revoke_case", "撤销记录";
        /// An owner did what was asked for.
        ClaimDone = "claim_done", "反馈已处理";
        /// What the ladder had becomes a warning.
        OnlyWarn = "only_warn", "改为警告";
        /// The unmasked words of a case were read.
        OpenEvidence = "open_evidence", "打开原文";
        /// A member was warned, muted or removed by hand.
        Punish = "punish", "处置成员";
        /// A member appeals.
        OpenAppeal = "open_appeal", "提出申诉";
        /// An appeal was answered.
        AnswerAppeal = "answer_appeal", "答复申诉";
        /// A member reports a message.
        OpenReport = "open_report", "举报";
        /// A report was judged.
        JudgeReport = "judge_report", "处理举报";
        /// Somebody's messages are not judged for a time.
        Exempt = "exempt", "豁免";
        /// Somebody may advertise for a time.
        PermitAds = "permit_ads", "授权广告";
        /// A group is strict for a time.
        BeStrict = "be_strict", "严管";
        /// A time is planned in which the group is strict, or called off.
        PlanSeason = "plan_season", "安排大促";
        /// Somebody complains, suggests or objects.
        OpenTicket = "open_ticket", "提出投诉或建议";
        /// That was answered.
        AnswerTicket = "answer_ticket", "答复投诉或建议";
        /// A mute ended early.
        EndMute = "end_mute", "解除禁言";
        /// Acting goes on after the circuit breaker.
        ResumeBreaker = "resume_breaker", "熔断恢复";
        /// Everything that opened the circuit breaker is taken back.
        UndoBreaker = "undo_breaker", "熔断撤销";
        /// A notice was drafted.
        DraftNotice = "draft_notice", "起草通知";
        /// A second person has read a draft.
        ReviewNotice = "review_notice", "审核通知";
        /// A notice was sent, or its sending planned.
        SendNotice = "send_notice", "发出通知";
        /// A notice was taken back.
        CancelNotice = "cancel_notice", "取消通知";
        /// Somebody's answer was written in.
        WriteInAnswer = "write_in_answer", "补录回执";
        /// Somebody explains why they cannot answer.
        ExplainNotice = "explain_notice", "说明特殊情况";
        /// An explanation was decided about.
        DecideExcuse = "decide_excuse", "处理特殊情况";
        /// Somebody need not answer notices for a time.
        ExemptFromNotices = "exempt_from_notices", "通知豁免";
        /// Leave or a shift was written down.
        NoteAbsence = "note_absence", "登记请假";
        /// An activity was announced.
        AnnounceActivity = "announce_activity", "发布活动";
        /// An activity does not take place.
        CancelActivity = "cancel_activity", "取消活动";
        /// Somebody cannot come.
        AskLeave = "ask_leave", "活动请假";
        /// An organiser wrote the summary.
        SummariseActivity = "summarise_activity", "填写总结";
        /// A line of the ledger was settled, or opened again.
        SettleLine = "settle_line", "了结台账";
        /// A month was closed.
        CloseMonth = "close_month", "结账";
        /// A close was signed, or sent back.
        SignMonth = "sign_month", "复核结账";
        /// An account of the console was made.
        CreateAccount = "create_account", "新建账号";
        /// Its role, groups or person changed.
        ChangeAccount = "change_account", "修改账号";
        /// It cannot sign in any more, or can again.
        DisableAccount = "disable_account", "停用账号";
        /// It got a link to choose a new password.
        ResetAccount = "reset_account", "重置密码";
    }
}
