//! Where a clause holds: the policy in force, what the bot may do in the group, what the company has connected, and how far the
//! lists go. The same questions that moderation asks when somebody breaks it.

use std::sync::Arc;

use super::{Label, Part, Reach};
use crate::{
    capability::{Act, Capabilities, Provider},
    groups::{self, Group},
    model::{Category, GroupKind, Mode, Severity, Step},
    policy::{
        Policy,
        ladder::Treatment,
        rulebook::{Check, Duty, Rulebook, watched_only},
    },
    settings::{Scope, Settings, TellRules},
};

/// A group, as far as labels depend on it.
pub struct Place<'a> {
    /// Its policy, as it holds there.
    pub policy: &'a Policy,
    /// Its mode, kind and mouth.
    pub group: Group,
    /// What is connected.
    pub can: Capabilities,
    /// The bot hears what is said without being mentioned.
    pub hears: bool,
    /// Questions are followed.
    pub replies: bool,
    /// Promotion has its hours.
    pub promotion_hours: bool,
    /// Long chat at work is noticed.
    pub work_only: bool,
    /// How far the lists go.
    pub reach: &'a Reach,
}

impl<'a> Place<'a> {
    /// A group that the app made, in full mode, with everything connected: the best there is.
    pub fn best(policy: &'a Policy, reach: &'a Reach) -> Self {
        let mut group = Group::unknown(&"".into());
        (group.set.mode, group.set.kind) = (Mode::Full, GroupKind::App);
        let can = Capabilities { app: true, bot: true, dry_run: false };
        Self { policy, group, can, hears: true, replies: true, promotion_hours: true, work_only: true, reach }
    }

    /// A configured group, by its place in the settings.
    pub fn of(settings: &Settings, index: usize, policy: &'a Policy, reach: &'a Reach) -> Self {
        let set = groups::configured(settings).swap_remove(index);
        let policy = policy.for_group(&set.id);
        let unknown = Group::unknown(&set.id);
        let group = Group { set, configured: true, colleagues: Arc::default(), ..unknown };
        let archive = settings.wecom.as_ref().is_some_and(|wecom| wecom.archive.is_some());
        let fed = settings
            .api_tokens
            .iter()
            .any(|token| token.scopes.as_ref().is_none_or(|scopes| scopes.contains(&Scope::MessagesWrite)));
        let times = settings.times_of(group.id());
        Self {
            policy,
            can: Capabilities::of(settings),
            hears: archive || fed,
            replies: settings.service_of(group.id()).is_some(),
            promotion_hours: times.is_some_and(|times| !times.promote.is_empty()),
            work_only: times.is_some_and(|times| times.work_only),
            group,
            reach,
        }
    }

    /// What a check brings here, a part a category.
    pub fn parts(&self, books: &[&Rulebook], check: &Check) -> Vec<Part> {
        if let Check::Duty(duty) = check
            && *duty != Duty::Illegal
        {
            let (label, why) = self.duty(*duty);
            return vec![Part { check: check.zh(), label, why }];
        }
        let several = check.categories().len() > 1;
        let part = |category: &Category| {
            let (label, why) = self.message(books, check, *category);
            let check = if several { category.zh().to_owned() } else { check.zh() };
            Part { check, label, why }
        };
        check.categories().iter().map(part).collect()
    }

    /// Somebody says what a check is about.
    fn message(&self, books: &[&Rulebook], check: &Check, category: Category) -> (Label, String) {
        let said = |label, why: &str| (label, why.to_owned());
        let rule = self.policy.category(category);
        let hits: Vec<String> = if let Check::Rule(..) = check { vec![check.id()] } else { Vec::new() };
        let hits: Vec<&str> = hits.iter().map(String::as_str).collect();
        let Some(strength) = self.reach.check(check, category) else {
            let missing = format!("缺词：词表里没有 {}，写进 wordlists/{}/ 就启用", check.zh(), category.id());
            return (Label::Disabled, missing);
        };
        if !self.hears {
            return said(Label::Disabled, "缺会话存档：设置 [wecom.archive]");
        }
        if rule.and_then(|rule| rule.treat) == Some(Treatment::Ignore) {
            return (Label::Disabled, format!("策略 {} 不管这一类", self.policy.name));
        }
        if watched_only(books.iter().copied(), category, &hits) {
            return said(Label::Watched, "群规只要求记录");
        }
        if self.can.dry_run {
            return said(Label::Watched, "演练：只记下会怎么做");
        }
        let reviews = rule.and_then(|rule| rule.treat) == Some(Treatment::Review);
        if strength.acts.is_empty() && !strength.asks {
            return said(Label::Watched, "单独命中不够请人看，或者还在观察期");
        }
        let watches = self.group.set.mode == Mode::Watch;
        if !self.can.app {
            return said(Label::Disabled, "缺自建应用：设置 [wecom.app]，否则提醒和待办都发不出去");
        }
        if reviews || strength.acts.is_empty() {
            return said(Label::Asked, "请管理者看");
        }
        if category.is_leak() {
            let owner = "本群只观察：告诉管理者";
            let both = "私下请本人撤回，到时没撤回再告诉管理者";
            return if watches { said(Label::Asked, owner) } else { said(Label::Enforced, both) };
        }
        let outcomes: Vec<(Label, String)> =
            strength.acts.iter().map(|severity| self.acted_on(category, *severity)).collect();
        let label = outcomes.iter().map(|(label, _)| *label).max().unwrap_or(Label::Watched);
        let mut steps: Vec<String> = outcomes.into_iter().map(|(_, step)| step).collect();
        steps.dedup();
        (label, steps.join("、"))
    }

    /// The first breach of somebody with a clean slate.
    fn acted_on(&self, category: Category, severity: Severity) -> (Label, String) {
        let severity = self.policy.category(category).and_then(|rule| rule.severity).unwrap_or(severity);
        let points = self.policy.points_of(category, severity);
        let hint = severity == Severity::Low && self.policy.first_low_is_hint || points == 0;
        let rung = self.policy.ladder_of(category).rung(points).filter(|_| !hint);
        let step = rung.map_or(Step::Hint, |rung| rung.step);
        if rung.is_some_and(|rung| rung.ask) {
            return (Label::Asked, format!("{}先问管理者", step.zh()));
        }
        let act = if step >= Step::Mute { Act::Move } else { Act::Tell };
        match self.can.provider(act, &self.group, None) {
            Some(Provider::Api) => (Label::Enforced, step.zh().to_owned()),
            Some(Provider::Person) => (Label::Asked, format!("{}请群主动手", step.zh())),
            Some(Provider::Simulated) | None => (Label::Watched, format!("只记下：{}", step.zh())),
        }
    }

    /// Anything that is not about one message.
    fn duty(&self, duty: Duty) -> (Label, String) {
        let said = |label, why: &str| (label, why.to_owned());
        if let Some(who) = duty.by_people() {
            return said(Label::Manual, who);
        }
        if self.can.dry_run {
            return said(Label::Watched, "演练：只记下会怎么做");
        }
        if !self.can.app {
            return said(Label::Disabled, "缺自建应用：设置 [wecom.app]");
        }
        let mode = self.group.set.mode;
        match duty {
            Duty::ReplyTime | Duty::TimeWindow | Duty::WorkChat if !self.hears => {
                said(Label::Disabled, "缺会话存档：设置 [wecom.archive]")
            }
            Duty::ReplyTime if !self.replies => said(Label::Disabled, "缺 [service]：没有写多久要回复"),
            Duty::ReplyTime => said(Label::Enforced, "群里的提问超时没人回复：提醒负责人，再告诉上级"),
            Duty::TimeWindow if !self.promotion_hours => said(Label::Disabled, "缺 times：没有写 promote 推广时间"),
            Duty::WorkChat if !self.work_only => said(Label::Disabled, "缺 times：没有写 work_only = true"),
            Duty::TimeWindow | Duty::WorkChat if mode == Mode::Watch => said(Label::Disabled, "本群只观察"),
            Duty::TimeWindow | Duty::WorkChat => said(Label::Enforced, "私下提醒本人，一天三次告诉群主"),
            Duty::NoticeAck => said(Label::Enforced, "群管发布的通知：催未回复的人，到期给名单"),
            Duty::Activity => said(Label::Enforced, "群管通知的活动：签到、请假、催总结"),
            Duty::FineLedger => said(Label::Asked, "发布通知时由人选择记账，登记自动，收不收由人定"),
            Duty::Reports => said(Label::Asked, "成员举报，管理者判断"),
            Duty::Tickets => said(Label::Asked, "私下提给群管，管理者答复"),
            Duty::Appeals => said(Label::Asked, "成员申诉，管理者答复"),
            Duty::Ladder if mode == Mode::Watch => said(Label::Watched, "本群只观察"),
            Duty::Ladder if mode == Mode::Assisted => said(Label::Asked, "警告自动，禁言和移出请群主动手"),
            Duty::Ladder if self.policy.ladder.0.iter().any(|rung| rung.ask) => {
                (Label::Asked, format!("策略 {}：重的处置先问管理者", self.policy.name))
            }
            Duty::Ladder => said(Label::Enforced, "警告、禁言、移出"),
            Duty::Ban if self.policy.ban.from.is_none() => {
                (Label::Disabled, format!("缺 [ban] from：策略 {} 没有写", self.policy.name))
            }
            Duty::Ban if mode == Mode::Watch => said(Label::Watched, "本群只观察"),
            Duty::Ban if mode == Mode::Assisted => said(Label::Asked, "回来了请群主再移出"),
            Duty::Ban => said(Label::Enforced, "再进群就移出"),
            Duty::RuleAnnouncement if self.can.provider(Act::Announce, &self.group, None) == Some(Provider::Api) => {
                said(Label::Enforced, "在群里公告")
            }
            Duty::RuleAnnouncement => said(Label::Asked, "机器人不能在群里发言，请群主转告"),
            Duty::AgreeRules if self.group.set.tell_rules == TellRules::Changes => {
                said(Label::Disabled, "设置了 tell_rules = \"changes\"")
            }
            Duty::AgreeRules if mode == Mode::Watch => said(Label::Disabled, "本群只观察，不要求成员同意"),
            Duty::AgreeRules => said(Label::Enforced, "请同事回复「同意」，催没有回复的"),
            Duty::Forwarded if mode == Mode::Watch => said(Label::Watched, "本群只观察"),
            Duty::Forwarded => said(Label::Enforced, "转发的内容算在转发人头上"),
            _ => said(Label::Manual, "由人看"),
        }
    }
}
