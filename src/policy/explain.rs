//! `qunguan policy explain`: what really happens to people under a policy, in words an owner can read aloud.
//!
//! Nothing here knows a ladder: every line is played through [`decide()`] and [`apply`], so it is what the bot will do.

use super::{Decision, Facts, MemberState, Policy, Standing, apply, decide, ladder::Unit};
use crate::{
    detect::{Finding, Report, Verdict},
    model::{CaseId, Category, GroupId, GroupKind, Mode, Role, Severity, SignedDuration, Stage, Step, Timestamp},
    zh,
};

/// What a mute is, by the kind of group: WeCom has no call that mutes.
const MUTED: &str =
    "「禁言」在应用创建的群里是移出，到期由群管拉回；普通内部群请群主在客户端禁言；客户群没有禁言，请群主看着办。";

/// Who says it, in the stories told.
#[derive(Clone, Copy)]
enum Who {
    Member,
    Newcomer,
    Customer,
    Owner,
    /// A member while the owner's strict mode lasts.
    Strict,
}

/// Explains a policy in lines of plain words.
pub fn explain(policy: &Policy) -> String {
    let new = &policy.newcomer;
    let mut lines = vec![
        format!("策略「{}」（{}）", policy.title, policy.label()),
        format!("记分从消息发出时起 {}内有效，各算各的，再犯不会延长。", zh::length(policy.strike_expires)),
    ];
    let heading = lines.len();
    lines.extend([String::new(), "普通成员发广告：".to_owned()]);
    lines.extend(ads(policy, Who::Member));
    lines.push(String::new());
    let (within, messages) = (zh::length(new.within), new.messages);
    lines.push(format!("新成员发广告（机器人看到其入群，且入群不满 {within}或发言不满 {messages} 条）："));
    lines.extend(ads(policy, Who::Newcomer));
    lines.push(String::new());
    lines.push("客户（外部联系人）发广告：".to_owned());
    lines.extend(ads(policy, Who::Customer));
    lines.push(String::new());
    lines.push("其他情况，第一次就会：".to_owned());
    let others = [
        ("轻微灌水", Category::Junk, Severity::Low, Who::Member),
        ("刷屏", Category::Flood, Severity::Medium, Who::Member),
        ("辱骂他人（重）", Category::Insult, Severity::High, Who::Member),
        ("赌博", Category::Gambling, Severity::Critical, Who::Member),
        ("冒充群主（严重）", Category::Impersonation, Severity::Critical, Who::Member),
        ("客户发赌博内容", Category::Gambling, Severity::Critical, Who::Customer),
        ("疑似泄露机密", Category::LeakSecret, Severity::High, Who::Member),
        ("严管期间发广告", Category::Ads, Severity::Medium, Who::Strict),
        ("群主发广告", Category::Ads, Severity::Medium, Who::Owner),
    ];
    for (what, category, severity, who) in others {
        let mut person = Person::new(policy, who);
        let decision = person.says(category, severity);
        lines.push(format!("  {what}：{}{}", outcome(&decision), weight(policy, &decision)));
    }
    for (id, own) in &policy.groups {
        lines.push(String::new());
        lines.push(format!("群 {id} 有自己的规定，普通成员发广告："));
        lines.extend(ads(own, Who::Member));
    }
    // Said once, and only where it comes up.
    if lines.iter().any(|line| line.contains(Step::Mute.zh())) {
        lines.insert(heading, MUTED.to_owned());
    }
    lines.join("\n")
}

/// The 1st to the 5th ad, one an hour. An ordinary member's are all told, also those after a removal (somebody may invite them
/// again, and the strikes still count); the others' end where nothing worse can follow.
fn ads(policy: &Policy, who: Who) -> Vec<String> {
    let mut person = Person::new(policy, who);
    let mut lines = Vec::new();
    for n in 1..=5 {
        let again = match person.standing.state {
            MemberState::Banned => {
                lines.push(format!("  第 {n} 次：已永久不得入群，再入群会立即移出"));
                continue;
            }
            MemberState::Removed => {
                person.standing.state = MemberState::Normal;
                "（再次入群后）"
            }
            _ => "",
        };
        let decision = person.says(Category::Ads, Severity::Medium);
        let all = matches!(who, Who::Member);
        if !all && decision.step == Step::Remove && decision.needs_human {
            lines.push(format!("  第 {n} 次起：{}", outcome(&decision)));
            break;
        }
        lines.push(format!("  第 {n} 次{again}：{}{}", outcome(&decision), weight(policy, &decision)));
        if !all && matches!(person.standing.state, MemberState::Removed | MemberState::Banned) {
            break;
        }
        person.now += SignedDuration::from_hours(1);
    }
    lines
}

/// The ladder in one sentence, as members read it below the rules of their group.
pub fn ladder(policy: &Policy) -> String {
    let unit = policy.unit.zh();
    let rungs = policy.ladder.0.iter().map(|rung| {
        let length = if rung.step == Step::Mute { format!(" {}", zh::length(rung.length)) } else { String::new() };
        let ask = if rung.ask { "（先由管理者确认）" } else { "" };
        format!("{} {unit}{}{length}{ask}", rung.at, rung.step.zh())
    });
    let mut text = format!("累计 {}。", rungs.collect::<Vec<_>>().join("，"));
    let points = policy.points;
    text.push_str(&match policy.unit {
        Unit::Points => {
            format!("轻 {} 分，中 {} 分，重 {} 分，严重 {} 分", points.low, points.medium, points.high, points.critical)
        }
        Unit::Count if points.critical > 1 => format!("严重的一次计 {} 次", points.critical),
        Unit::Count => "不分轻重".to_owned(),
    });
    text.push_str(&format!("，{}后失效。", zh::length(policy.strike_expires)));
    let graver = policy.categories.iter().filter(|(_, rule)| rule.severity == Some(Severity::Critical));
    let graver: Vec<&str> = graver.map(|(category, _)| category.zh()).collect();
    if !graver.is_empty() {
        text.push_str(&format!("{}一律按严重计。", graver.join("、")));
    }
    text
}

/// A decision in words.
fn outcome(decision: &Decision) -> String {
    if let (Some(by), None) = (decision.recall_by, &decision.strike) {
        let within = zh::length(by.duration_since(EPOCH));
        return format!("私下请本人在 {within}内撤回，并告知管理者；不记分");
    }
    if !decision.opens_case() {
        let why = decision.reasons.last().map(|why| format!("（{why}）")).unwrap_or_default();
        return format!("不处置{why}");
    }
    let mut text = match (decision.step, decision.until, &decision.strike) {
        (Step::Hint, _, None) => "私下提示，不记分".to_owned(),
        (Step::Hint, ..) => "私下提示".to_owned(),
        (Step::Mute, Some(until), Some(strike)) => format!("禁言 {}", zh::length(until.duration_since(strike.at))),
        (Step::Remove, ..) if decision.ban => "移出，永久不得入群".to_owned(),
        (step, ..) => step.zh().to_owned(),
    };
    if decision.needs_human {
        text.insert_str(0, "提请管理者确认后");
    }
    if decision.cross_group {
        text.push_str("，同一群主的其他群也移出");
    }
    text
}

/// `（计 2 分，共 4 分）`.
fn weight(policy: &Policy, decision: &Decision) -> String {
    let unit = policy.unit.zh();
    match decision.points {
        0 => String::new(),
        points => format!("（计 {points} {unit}，共 {} {unit}）", decision.live_after),
    }
}

/// The stories begin here.
const EPOCH: Timestamp = Timestamp::UNIX_EPOCH;

struct Person<'a> {
    policy: &'a Policy,
    standing: Standing,
    who: Who,
    now: Timestamp,
    said: u32,
}

impl<'a> Person<'a> {
    fn new(policy: &'a Policy, who: Who) -> Self {
        let standing = match who {
            Who::Newcomer => Standing { joined: Some(EPOCH), ..Standing::default() },
            _ => Standing { messages: policy.newcomer.messages, ..Standing::default() },
        };
        Self { policy, standing, who, now: EPOCH, said: 0 }
    }

    fn says(&mut self, category: Category, severity: Severity) -> Decision {
        let report = report(category, severity);
        let facts = Facts {
            report: &report,
            group: &GroupId::from(""),
            kind: GroupKind::App,
            mode: Mode::Full,
            role: if matches!(self.who, Who::Owner) { Role::Owner } else { Role::Member },
            external: matches!(self.who, Who::Customer),
            at: self.now,
            working: None,
            breaker_open: false,
            watched: &[],
            untold: false,
            strict_until: matches!(self.who, Who::Strict).then_some(Timestamp::MAX),
            exempt: false,
            permitted: &[],
        };
        let decision = decide(self.policy, &self.standing, &facts, self.now);
        self.said += 1;
        self.standing.messages += 1;
        apply(&mut self.standing, &decision, &CaseId::new(self.said.to_string()), self.now);
        decision
    }
}

/// What a sure hit looks like.
fn report(category: Category, severity: Severity) -> Report {
    let finding = Finding {
        rule: category.id().into(),
        category,
        severity,
        score: 1.0,
        start: 0,
        end: 0,
        original: String::new(),
        normalized: String::new(),
        transforms: Vec::new(),
        stage: Stage::Enforce,
        entry: None,
        asks: None,
        life: None,
    };
    Report {
        verdict: Verdict::Act,
        score: 1.0,
        categories: vec![category],
        acting: vec![category],
        findings: vec![finding],
        silent: Vec::new(),
        seen: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_policies_in_words() {
        for name in ["default", "gentle", "three-strikes", "strict"] {
            insta::assert_snapshot!(name, explain(&Policy::shipped(name)));
        }
    }

    #[test]
    fn the_ladders_in_a_sentence() {
        let all = ["default", "gentle", "three-strikes", "strict"].map(|name| ladder(&Policy::shipped(name)));
        insta::assert_snapshot!(all.join("\n"), @r"
        累计 2 分警告，4 分禁言 2 小时，6 分移出。轻 1 分，中 2 分，重 4 分，严重 6 分，30 天后失效。
        累计 1 分警告，4 分禁言 10 分钟，6 分禁言 2 小时，8 分禁言 1 天，10 分移出（先由管理者确认）。轻 1 分，中 2 分，重 4 分，严重 6 分，30 天后失效。
        累计 1 次警告，2 次禁言 2 小时，3 次移出。严重的一次计 3 次，30 天后失效。
        累计 2 分警告，4 分禁言 2 小时，6 分移出。轻 1 分，中 2 分，重 4 分，严重 6 分，30 天后失效。广告引流、跨群推广、辱骂、谣言、赌博、色情、违禁品、诈骗、暴恐、涉政、可疑链接一律按严重计。
        ");
    }

    #[test]
    fn who_is_banned_for_ads_stays_out() {
        let text = "title = \"一\"\nversion = 1\n[category.ads]\nseverity = \"critical\"\n[ban]\nfrom = \"critical\"\n";
        let policy = Policy::parse("one", text).unwrap();
        insta::assert_snapshot!(ads(&policy, Who::Member).join("\n"), @r"
        第 1 次：移出，永久不得入群，同一群主的其他群也移出（计 6 分，共 6 分）
        第 2 次：已永久不得入群，再入群会立即移出
        第 3 次：已永久不得入群，再入群会立即移出
        第 4 次：已永久不得入群，再入群会立即移出
        第 5 次：已永久不得入群，再入群会立即移出
        ");
    }
}
