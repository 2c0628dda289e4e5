//! Every route of `/api/v1`: what it needs, what it takes, what it answers. The router and `openapi.json` are both made of this
//! table, so that there is no route that is not described.

use axum::routing::{MethodRouter, delete, get, post};

use super::{
    Api, activities, audit, groups, ledger, messages, notices, queries, questions, rules, second_opinion,
    shape::Shape::{self, Any, Bool, Int, List, Maybe, Number, Object, OneOf, Text, Time},
};
use crate::access::Action;

/// One route.
pub struct Route {
    /// `get`, `post` or `delete`.
    pub method: &'static str,
    /// Below `/api/v1`.
    pub path: &'static str,
    /// What the caller must be allowed to do.
    pub needs: Action,
    /// It concerns the whole company: not for a token of some groups.
    pub company: bool,
    /// What it is for, in Chinese.
    pub says: &'static str,
    /// Names of parameters in the query.
    pub query: &'static [&'static str],
    /// What it takes.
    pub takes: Option<Shape>,
    /// What it answers.
    pub answers: Shape,
    pub(super) handler: MethodRouter<Api>,
}

const FINDING: Shape = Object(&[
    ("rule", Text),
    ("category", Text),
    ("severity", OneOf(&["low", "medium", "high", "critical"])),
    ("score", Number),
    ("start", Int),
    ("end", Int),
    ("original", Text),
    ("normalized", Text),
    ("transforms", List(&Text)),
    ("stage", Text),
    ("entry?", Text),
    ("asks?", Any),
    ("life?", Text),
]);
const VERDICT: Shape = OneOf(&["clean", "review", "act"]);
const REPORT: Shape = Object(&[
    ("verdict", VERDICT),
    ("score", Number),
    ("categories", List(&Text)),
    ("acting?", List(&Text)),
    ("findings", List(&FINDING)),
    ("silent?", List(&Object(&[("rule", Text), ("why", Text)]))),
    ("allowed?", Text),
]);
const STEP: Shape = OneOf(&["none", "hint", "review", "warn", "mute", "remove"]);
const CASE: Shape = Object(&[
    ("id", Text),
    ("group", Text),
    ("group_name", Text),
    ("member", Text),
    ("member_name", Text),
    ("at", Time),
    ("category", Text),
    ("severity", Text),
    ("rules", List(&Text)),
    ("evidence", Text),
    ("step", STEP),
    ("points", Int),
    ("live_points", Int),
    ("until", Maybe(&Time)),
    ("expires_at", Maybe(&Time)),
    ("policy", Text),
    ("clause", Maybe(&Text)),
    ("state", OneOf(&["open", "closed", "revoked"])),
    ("recalled_at", Maybe(&Time)),
    ("history", List(&Object(&[("at", Time), ("by", Text), ("what", Text), ("note?", Text)]))),
]);
const GROUP: Shape = Object(&[
    ("id", Text),
    ("name", Text),
    ("kind", OneOf(&["app", "internal", "customer", "bot"])),
    ("mode", OneOf(&["full", "assisted", "watch"])),
    ("policy", Text),
    ("owner", Maybe(&Text)),
    ("configured", Bool),
    ("size", Int),
    ("lacks", List(&Text)),
]);
const TASK: Shape = Object(&[
    ("id", Text),
    ("kind", Text),
    ("chore", Bool),
    ("group", Text),
    ("group_name", Text),
    ("member", Maybe(&Text)),
    ("member_name", Maybe(&Text)),
    ("case", Maybe(&Text)),
    ("created", Time),
    ("due", Time),
    ("state", OneOf(&["pending", "waits_for_person", "done", "gave_up", "cancelled"])),
    ("attempts", Int),
    ("reason", Text),
]);
const NOTICE_STATE: Shape = OneOf(&["draft", "reviewed", "scheduled", "sending", "sent", "closed", "cancelled"]);
const DRAFT: Shape = Object(&[
    ("text", Text),
    ("links?", List(&Object(&[("title", Text), ("url", Text)]))),
    ("groups?", List(&Text)),
    ("departments?", List(&Text)),
    ("members?", List(&Text)),
    ("deadline", Text),
    ("accept?", List(&Text)),
    ("confirm?", Object(&[("question", Text), ("answers", List(&Text)), ("right", Int)])),
    ("reminders?", List(&Int)),
    ("escalate_to?", List(&Text)),
    ("approvers?", List(&Text)),
    ("stop_for_leave?", Bool),
    ("joiners?", OneOf(&["ignore", "include"])),
    ("leavers?", OneOf(&["drop", "keep"])),
    ("send_at?", Time),
    ("repeat?", Any),
    ("fine?", Any),
    ("review?", Bool),
    ("author_acknowledges?", Bool),
]);
const CHANGED: Shape = Object(&[("id", Text), ("state", NOTICE_STATE)]);
const SPAN: Shape = Object(&[("member", Text), ("from", Time), ("to", Time), ("reason?", Text)]);
const CLOSE: Shape = Object(&[("close", Maybe(&Any))]);
const RECORD: Shape = Object(&[
    ("id", Text),
    ("at", Time),
    ("by", Object(&[("kind", Text), ("name", Text), ("person?", Text)])),
    ("face", Text),
    ("action", Text),
    ("group?", Text),
    ("subject", Text),
    ("member?", Text),
    ("before?", Any),
    ("after?", Any),
]);

const ALLOWED: Shape = Object(&[
    ("case", Text),
    ("text", Text),
    ("category", Text),
    ("group", Maybe(&Text)),
    ("by", Text),
    ("since", Maybe(&Time)),
    ("until", Maybe(&Time)),
    ("note?", Text),
]);

/// All of them.
pub fn all() -> Vec<Route> {
    use Action::{Check, DecideCase, KeepLedger, OpenEvidence, PublishNotice, ReadAudit, ReadCase, WriteMessages};
    let route = |method, path, needs, says, takes, answers, handler| Route {
        method,
        path,
        needs,
        company: false,
        says,
        query: &[],
        takes,
        answers,
        handler,
    };
    let see = |path, needs, says, answers, handler| route("get", path, needs, says, None, answers, handler);
    let act = |path, needs, says, takes: Shape, answers, handler| {
        route("post", path, needs, says, Some(takes), answers, handler)
    };
    let press = |path, needs, says, answers, handler| route("post", path, needs, says, None, answers, handler);
    let with = |query: &'static [&'static str], route: Route| Route { query, ..route };
    let whole = |route: Route| Route { company: true, ..route };
    let question = Object(&[("text", Text), ("group?", Text), ("explain?", Bool)]);
    let batch = Object(&[(
        "messages",
        List(&Object(&[
            ("id", Text),
            ("group", Text),
            ("sender", Text),
            ("sender_name?", Text),
            ("at", Time),
            ("text?", Text),
            ("attachments?", List(&Any)),
            ("revokes?", Text),
        ])),
    )]);
    let results = Object(&[(
        "results",
        List(&Object(&[
            ("id", Text),
            ("duplicate", Bool),
            ("verdict", VERDICT),
            ("step", STEP),
            ("points", Int),
            ("live_points", Int),
            ("case", Maybe(&Text)),
            ("simulated", Bool),
        ])),
    )]);
    let standing = Object(&[
        ("group", Text),
        ("group_name", Text),
        ("member", Text),
        ("member_name", Text),
        ("state", OneOf(&["normal", "muted", "removed", "banned"])),
        ("until", Maybe(&Time)),
        ("live_points", Int),
        (
            "strikes",
            List(&Object(&[
                ("case", Text),
                ("at", Time),
                ("expires_at", Time),
                ("points", Int),
                ("category", Text),
                ("revoked", Bool),
            ])),
        ),
    ]);
    let evidence = Object(&[
        ("case", Text),
        ("said", List(&Object(&[("message", Text), ("member", Text), ("at", Time), ("text", Text)]))),
    ]);
    let rules_shown = Object(&[(
        "rules",
        List(&Object(&[
            ("rule", Text),
            ("own", Bool),
            ("stage", Text),
            ("reviewed", Int),
            ("precision", Maybe(&Number)),
            ("says", Text),
            ("missing", Maybe(&Text)),
            ("changes", List(&Any)),
        ])),
    )]);
    let published = Object(&[("id", Text), ("state", NOTICE_STATE), ("warnings", List(&Text))]);
    let preview = Object(&[
        ("people", Int),
        ("exempt", Int),
        ("groups", List(&Object(&[("id", Text), ("name", Text), ("people", Maybe(&Int))]))),
        ("deadline", Time),
        ("deadline_text", Text),
        ("reminders", List(&Time)),
        ("group_message", Maybe(&Text)),
        ("card_title", Text),
        ("card_text", Text),
        ("buttons", List(&Text)),
        ("warnings", List(&Text)),
    ]);
    let status = Object(&[
        ("id", Text),
        ("state", NOTICE_STATE),
        ("summary", Text),
        ("sent", Maybe(&Time)),
        ("deadline", Maybe(&Time)),
        ("required", Int),
        ("acknowledged", Int),
        ("late", Int),
        ("exempt", Int),
        ("missing", Int),
        ("delivered", Int),
        ("undelivered", Int),
        ("waiting", Int),
        ("left", Int),
        (
            "members",
            List(&Object(&[
                ("member", Text),
                ("name", Text),
                ("department?", Text),
                ("state", OneOf(&["waiting", "acknowledged", "late", "exempt", "missing", "undelivered"])),
                ("at", Maybe(&Time)),
                ("how", Maybe(&Text)),
                ("late_minutes?", Int),
                ("excuse?", Any),
            ])),
        ),
        (
            "departments",
            List(&Object(&[
                ("department", Text),
                ("required", Int),
                ("acknowledged", Int),
                ("late", Int),
                ("open", Int),
            ])),
        ),
        ("trend", List(&Object(&[("tenth", Int), ("answers", Int)]))),
    ]);
    let activity = Object(&[
        ("id", Text),
        ("title", Text),
        ("starts", Time),
        ("ends", Time),
        ("closed", Any),
        (
            "guests",
            List(&Object(&[
                ("member", Text),
                ("name", Text),
                ("state", Text),
                ("signed", Maybe(&Any)),
                ("leave", Maybe(&Any)),
            ])),
        ),
        ("summary", Any),
        ("report", Text),
    ]);
    vec![
        act("/check", Check, "判断一句话，不改变任何东西", question, REPORT, post(messages::check)),
        act(
            "/messages",
            WriteMessages,
            "交来一批消息；落盘之后才应答，重复的 id 得到第一次的答案",
            batch,
            results,
            post(messages::take_in),
        ),
        see("/groups", ReadCase, "群：怎样管、缺什么", Object(&[("groups", List(&GROUP))]), get(groups::list)),
        see(
            "/groups/{group}/members",
            ReadCase,
            "群里的人和他们的名字",
            Object(&[
                ("group", Text),
                ("group_name", Text),
                (
                    "members",
                    List(&Object(&[
                        ("member", Text),
                        ("name", Text),
                        ("role", OneOf(&["owner", "admin", "member", "bot"])),
                        ("external", Bool),
                    ])),
                ),
            ]),
            get(groups::members),
        ),
        see(
            "/groups/{group}/questions",
            ReadCase,
            "等回复的提问，最早的在前；本月问了多少、按时答了多少",
            Object(&[
                ("group", Text),
                (
                    "questions",
                    List(&Object(&[
                        ("member", Text),
                        ("name", Text),
                        ("first", Time),
                        ("since", Time),
                        ("due", Time),
                        ("text", Text),
                        ("because", Text),
                    ])),
                ),
                ("month", Text),
                ("asked", Int),
                ("in_time", Int),
                ("late", Int),
                ("closed", Int),
                ("climbed", Int),
                ("first_reply_seconds", Maybe(&Int)),
            ]),
            get(questions::list),
        ),
        see("/groups/{group}/members/{member}", ReadCase, "一个人的状态和记分", standing, get(queries::standing)),
        with(
            &["group", "member", "state", "since", "until", "after", "limit"],
            see(
                "/cases",
                ReadCase,
                "违规记录，最新的在前",
                Object(&[("cases", List(&CASE)), ("next", Maybe(&Text))]),
                get(queries::cases),
            ),
        ),
        see("/cases/{id}", ReadCase, "一条违规记录，原话打码", CASE, get(queries::case)),
        act(
            "/cases/{id}/verdict",
            DecideCase,
            "看过之后的结论；误判的会撤销，第二个结论是 409；allow 让同样的话以后在本群或全公司放行",
            Object(&[("violation", Bool), ("allow?", OneOf(&["group", "company"]))]),
            Object(&[("case", Text), ("violation", Bool), ("allowed_until", Maybe(&Time))]),
            post(rules::judge),
        ),
        press("/cases/{id}/evidence", OpenEvidence, "打开原文，留下操作记录", evidence, post(queries::evidence)),
        with(
            &["group"],
            see(
                "/allowed",
                ReadCase,
                "放行的句子：谁放行的、在哪里、到什么时候",
                Object(&[("allowed", List(&ALLOWED))]),
                get(rules::allowed),
            ),
        ),
        route(
            "delete",
            "/allowed/{case}",
            DecideCase,
            "取消放行",
            None,
            Object(&[("case", Text), ("allowed", Bool)]),
            delete(rules::end_allowed),
        ),
        with(
            &["group", "by", "action", "subject", "since", "until", "after", "limit"],
            see(
                "/audit",
                ReadAudit,
                "谁在什么时候做了什么，最新的在前",
                Object(&[("records", List(&RECORD)), ("next", Maybe(&Text))]),
                get(audit::list),
            ),
        ),
        see("/rules", ReadCase, "规则的阶段和准确率", rules_shown, get(rules::list)),
        see(
            "/rulebooks",
            ReadCase,
            "各群现行的群规是第几版",
            Object(&[("rulebooks", List(&Any))]),
            get(rules::rulebooks),
        ),
        see(
            "/second-opinion",
            ReadCase,
            "第二意见的用量和一致率",
            Object(&[("today", Any), ("months", List(&Any))]),
            get(second_opinion::show),
        ),
        with(
            &["state", "case", "group", "after", "limit"],
            see(
                "/tasks",
                ReadCase,
                "待办和它们的结果",
                Object(&[("tasks", List(&TASK)), ("next", Maybe(&Text))]),
                get(queries::tasks),
            ),
        ),
        act("/notices", PublishNotice, "发布通知；可带 Idempotency-Key", DRAFT, published, post(notices::publish)),
        with(
            &["after", "limit"],
            see(
                "/notices",
                PublishNotice,
                "通知",
                Object(&[
                    ("notices", List(&Object(&[("id", Text), ("state", NOTICE_STATE), ("text", Text)]))),
                    ("next", Maybe(&Text)),
                ]),
                get(notices::list),
            ),
        ),
        act("/notices/preview", PublishNotice, "预览，不发送", DRAFT, preview, post(notices::preview)),
        see("/notices/{id}", PublishNotice, "谁回执了、迟了、免了、还差谁", status, get(notices::status)),
        press("/notices/{id}/cancel", PublishNotice, "取消通知", CHANGED, post(notices::cancel)),
        press("/notices/{id}/review", PublishNotice, "另一个人审核后发出", CHANGED, post(notices::review)),
        act(
            "/notices/{id}/answers",
            PublishNotice,
            "补录回执",
            Object(&[("member", Text), ("at?", Time), ("note?", Text)]),
            Object(&[("id", Text), ("member", Text), ("state", Text)]),
            post(notices::write_in),
        ),
        whole(act(
            "/ledger/settle",
            KeepLedger,
            "了结台账的一行，或重新打开",
            Object(&[("notice", Text), ("member", Text), ("settled", Maybe(&Text)), ("note?", Text)]),
            Object(&[("notice", Text), ("member", Text), ("settled", Maybe(&Text))]),
            post(ledger::settle),
        )),
        whole(with(
            &["format"],
            see(
                "/ledger/{month}",
                KeepLedger,
                "一个月的台账；format=csv 或 xlsx 得到文件",
                Object(&[("month", Text), ("lines", List(&Any)), ("total_fen", Int), ("close", Maybe(&Any))]),
                get(ledger::month),
            ),
        )),
        whole(press("/ledger/{month}/close", KeepLedger, "结账，等第二个人复核", CLOSE, post(ledger::close))),
        whole(act(
            "/ledger/{month}/sign",
            KeepLedger,
            "另一个人复核结账",
            Object(&[("accept", Bool)]),
            CLOSE,
            post(ledger::sign),
        )),
        whole(act("/exemptions", PublishNotice, "一段时间不用回执", SPAN, SPAN, post(ledger::exempt))),
        whole(see("/exemptions", PublishNotice, "长期豁免", Object(&[("exemptions", Any)]), get(ledger::exemptions))),
        whole(act("/absences", PublishNotice, "请假或轮休", SPAN, SPAN, post(ledger::absent))),
        whole(see("/absences", PublishNotice, "请假和轮休", Object(&[("absences", Any)]), get(ledger::absences))),
        act(
            "/activities",
            PublishNotice,
            "发布活动",
            Object(&[
                ("title", Text),
                ("groups", List(&Text)),
                ("starts", Time),
                ("ends", Time),
                ("organiser", Text),
                ("…?", Any),
            ]),
            Object(&[("id", Text), ("expected", Int)]),
            post(activities::announce),
        ),
        route(
            "delete",
            "/activities/{id}",
            PublishNotice,
            "取消活动，并告诉群里",
            None,
            Object(&[("id", Text), ("called_off", Bool)]),
            delete(activities::call_off),
        ),
        see("/activities/{id}", PublishNotice, "活动的签到、请假、结果", activity, get(activities::show)),
    ]
}
