//! The shipped ladders step by step, and what must hold for every policy and every story.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::{
    detect::{Finding, Report, Verdict},
    model::{CaseId, Category, GroupId, GroupKind, Mode, Role, Severity, Stage, Step, Timestamp},
};

/// A report with one acting hit.
fn hit(category: Category, severity: Severity) -> Report {
    Report {
        verdict: Verdict::Act,
        score: 3.0,
        categories: vec![category],
        acting: vec![category],
        findings: vec![finding(category, severity, Stage::Enforce)],
        silent: Vec::new(),
        seen: None,
    }
}

fn finding(category: Category, severity: Severity, stage: Stage) -> Finding {
    Finding {
        rule: format!("{category}/test").into(),
        category,
        severity,
        score: 3.0,
        start: 0,
        end: 1,
        original: "字".into(),
        normalized: "字".into(),
        transforms: Vec::new(),
        stage,
        entry: None,
        asks: None,
        life: None,
    }
}

fn start() -> Timestamp {
    "2026-11-23T10:00:00+08:00".parse().unwrap()
}

fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

/// One member in one group under one policy, whose story is told line by line.
struct Story {
    policy: Policy,
    group: GroupId,
    standing: Standing,
    now: Timestamp,
    /// How far the message's own time is ahead of the clock.
    ahead: SignedDuration,
    role: Role,
    external: bool,
    mode: Mode,
    working: bool,
    breaker_open: bool,
    strict_until: Option<Timestamp>,
    cases: u32,
    /// What each case really brought: a step that a person was only asked about brought nothing.
    brought: BTreeMap<CaseId, MemberState>,
}

impl Story {
    fn under(policy: &str) -> Self {
        Self::with(Policy::shipped(policy))
    }
    fn with(policy: Policy) -> Self {
        Self {
            policy,
            group: "wr1".into(),
            standing: Standing { messages: 100, ..Standing::default() },
            now: start(),
            ahead: SignedDuration::ZERO,
            role: Role::Member,
            external: false,
            mode: Mode::Full,
            working: true,
            breaker_open: false,
            strict_until: None,
            cases: 0,
            brought: BTreeMap::new(),
        }
    }
    fn decide(&self, report: &Report) -> Decision {
        let facts = Facts {
            report,
            group: &self.group,
            kind: GroupKind::App,
            mode: self.mode,
            role: self.role,
            external: self.external,
            at: self.now + self.ahead,
            working: Some(self.working),
            breaker_open: self.breaker_open,
            watched: &[],
            untold: false,
            strict_until: self.strict_until,
            exempt: false,
            permitted: &[],
        };
        decide(&self.policy, &self.standing, &facts, self.now)
    }
    /// Takes a case back as moderation does.
    fn revoke(&mut self, case: &CaseId) {
        revoke(&mut self.standing, case);
        let left = recount(&self.policy, &self.standing, self.now, |strike, ladder| {
            ladder.milder(self.brought[&strike.case].clone())
        });
        self.standing.state = std::mem::take(&mut self.standing.state).milder(left);
    }
    /// Whose mute is over may speak again.
    fn mute_over(&mut self) {
        if matches!(self.standing.state, MemberState::Muted { until } if until <= self.now) {
            self.standing.state = MemberState::Normal;
        }
    }
    fn report(&mut self, report: &Report) -> Decision {
        let decision = self.decide(report);
        if decision.opens_case() {
            self.cases += 1;
            let case = CaseId::new(format!("C{}", self.cases));
            apply(&mut self.standing, &decision, &case, self.now);
            self.brought.insert(case, decision.state.clone().unwrap_or_default());
        }
        decision
    }
    /// The member says something bad; the line says what follows.
    fn says(&mut self, category: Category, severity: Severity) -> String {
        let decision = self.report(&hit(category, severity));
        let until = decision.until.map(|until| format!(" {}", until.duration_since(self.now).as_mins()));
        format!(
            "{}{} {}→{} 第{}/{} {}",
            decision.step.id(),
            until.unwrap_or_default(),
            decision.live_before,
            decision.live_after,
            decision.n,
            decision.of,
            decision.next
        )
    }
    fn ad(&mut self) -> String {
        self.says(Category::Ads, Severity::Medium)
    }
    fn later(&mut self, by: SignedDuration) {
        self.now += by;
    }
}

#[test]
fn every_shipped_policy_reads() {
    for (name, text) in file::SHIPPED {
        let policy = Policy::parse(name, text).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        assert!(policy.label().starts_with(&format!("{name}@")), "{}", policy.label());
    }
}

#[test]
fn default_three_ads_are_warned_muted_removed() {
    let mut story = Story::under("default");
    assert_eq!(story.ad(), "warn 0→2 第1/3 再次违规将被禁言 2 小时");
    story.later(hours(1));
    assert_eq!(story.ad(), "mute 120 2→4 第2/3 再次违规将被移出本群");
    assert_eq!(story.standing.state, MemberState::Muted { until: story.now + hours(2) });
    story.later(hours(3));
    assert_eq!(story.ad(), "remove 4→6 第3/3 ");
    assert_eq!(story.standing.state, MemberState::Removed);
    assert_eq!(story.standing.live_points(story.now), 6);
}

#[test]
fn default_severity_jumps() {
    let mut story = Story::under("default");
    assert_eq!(story.says(Category::Insult, Severity::High), "mute 120 0→4 第1/2 再次违规将被移出本群");
    for category in [Category::Gambling, Category::Porn, Category::Fraud, Category::Impersonation] {
        let mut story = Story::under("default");
        assert_eq!(story.says(category, Severity::Critical), "remove 0→6 第1/1 ");
    }
}

#[test]
fn default_low_hits_hint_first_then_count() {
    let mut story = Story::under("default");
    let first = story.report(&hit(Category::Junk, Severity::Low));
    assert_eq!((first.step, first.points, first.strike, first.private), (Step::Hint, 0, None, true));
    assert_eq!(story.says(Category::Junk, Severity::Low), "hint 0→1 第1/6 再次违规将被警告");
    assert_eq!(story.says(Category::Junk, Severity::Low), "warn 1→2 第2/6 再次违规将被警告");
    assert_eq!(story.says(Category::Flood, Severity::Low), "hint 2→2 第2/6 再次违规将被警告", "first of its category");
}

#[test]
fn strikes_expire_each_by_its_own_time() {
    let mut story = Story::under("default");
    story.ad();
    story.later(hours(24 * 20));
    story.ad();
    story.later(hours(24 * 10));
    assert_eq!(story.standing.live_points(story.now), 2, "the first is 30 days old, the second is not refreshed");
    assert_eq!(story.ad(), "mute 120 2→4 第2/3 再次违规将被移出本群");
    story.later(hours(24 * 20));
    assert_eq!(story.ad(), "mute 120 2→4 第2/3 再次违规将被移出本群");
}

#[test]
fn a_strike_has_its_messages_own_time_within_reason() {
    let strike = |ahead: SignedDuration| {
        let mut story = Story::under("default");
        story.ahead = ahead;
        let decision = story.report(&hit(Category::Ads, Severity::Medium));
        (decision.step, decision.strike.map(|s| (s.at.duration_since(start()), s.expires_at.duration_since(s.at))))
    };
    let days = |n: i64| hours(24 * n);
    assert_eq!(strike(hours(-5)), (Step::Warn, Some((hours(-5), days(30)))), "delivered late");
    assert_eq!(strike(days(1)), (Step::Warn, Some((days(1), days(30)))), "our clock was set back");
    assert_eq!(strike(days(400)), (Step::Warn, Some((days(1), days(30)))), "nobody is punished from the far future");
    assert_eq!(strike(days(-29)), (Step::Warn, Some((days(-29), days(30)))));
    assert_eq!(strike(days(-30)), (Step::None, None), "too old to count");
}

#[test]
fn a_clock_that_jumps_a_day_changes_no_strike() {
    let mut story = Story::under("default");
    story.ad();
    story.later(hours(-24));
    assert_eq!(story.standing.live_points(story.now), 2);
    assert_eq!(story.ad(), "mute 120 2→4 第2/3 再次违规将被移出本群");
    story.later(hours(48));
    assert!(story.ad().starts_with("remove 4→6"));
}

#[test]
fn orders_of_the_owner_hold_back_and_say_so() {
    let report = hit(Category::Ads, Severity::Medium);
    let story = Story::under("default");
    let facts = |exempt, permitted| Facts {
        report: &report,
        group: &story.group,
        kind: GroupKind::App,
        mode: Mode::Full,
        role: Role::Member,
        external: false,
        at: story.now,
        working: None,
        breaker_open: false,
        watched: &[],
        untold: false,
        strict_until: None,
        exempt,
        permitted,
    };
    let reasons = |facts| decide(&story.policy, &story.standing, &facts, story.now).reasons;
    assert_eq!(reasons(facts(true, &[])), ["广告引流：该成员在豁免期内，不处置"]);
    assert_eq!(reasons(facts(false, &[Category::Ads])), ["广告引流：已授权该成员发布，不处置"]);
    assert_eq!(reasons(facts(false, &[Category::Junk])), ["广告引流（中）：计 2 分，有效共 2 分"]);
}

#[test]
fn the_examples_of_the_manual_are_valid() {
    let manual = include_str!("../../docs/policy.md");
    let blocks: Vec<&str> = manual.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 6);
    let kinds = crate::settings::Settings::parse(blocks[4], std::path::Path::new("qunguan.toml"), None);
    assert_eq!(kinds.unwrap().groups.len(), 1);
    for block in &blocks[1..4] {
        let head = if block.contains("title =") { "" } else { "title = \"x\"\nversion = 1\n" };
        if let Err(faults) = Policy::parse("manual", &format!("{head}{block}")) {
            panic!("{faults:?} in:\n{block}");
        }
    }
    rulebook::Rulebook::parse("manual", blocks[5]).unwrap();
}

#[test]
fn immunity_is_visible_and_does_not_cover_leaks() {
    for role in [Role::Owner, Role::Admin, Role::Bot] {
        let mut story = Story::under("default");
        story.role = role;
        let decision = story.report(&hit(Category::Gambling, Severity::Critical));
        assert!(!decision.opens_case());
        assert_eq!(decision.reasons, [format!("赌博：{}豁免，不处置", role.zh())]);
        let leak = story.report(&hit(Category::LeakSecret, Severity::High));
        assert_eq!(leak.leak, role != Role::Bot);
    }
}

#[test]
fn a_leak_is_recalled_never_punished() {
    let mut story = Story::under("strict");
    let decision = story.report(&hit(Category::LeakPersonal, Severity::Critical));
    assert!(decision.leak && decision.private && decision.opens_case());
    assert_eq!((decision.step, decision.points), (Step::Hint, 0));
    assert_eq!(decision.recall_by, Some(story.now + SignedDuration::from_mins(10)));
    assert_eq!(decision.reasons, ["疑似泄露个人信息：私下请本人撤回，不记分"]);
    assert!(story.standing.strikes.is_empty());

    let mut both = hit(Category::Ads, Severity::Medium);
    both.categories.insert(0, Category::LeakPersonal);
    both.acting.insert(0, Category::LeakPersonal);
    let decision = Story::under("default").report(&both);
    assert_eq!((decision.step, decision.leak, decision.category), (Step::Warn, true, Category::Ads));
}

#[test]
fn a_customer_is_only_proposed() {
    let mut story = Story::under("default");
    story.external = true;
    assert_eq!(story.ad(), "warn 0→2 第1/3 再次违规将提请管理者处理");
    let second = story.report(&hit(Category::Ads, Severity::Medium));
    assert_eq!((second.step, second.needs_human, second.state), (Step::Mute, true, None));
    let third = story.report(&hit(Category::Porn, Severity::Critical));
    assert_eq!((third.step, third.needs_human), (Step::Remove, true));
    assert_eq!(story.standing.state, MemberState::Normal);
}

#[test]
fn newcomers_are_judged_stricter_only_if_the_bot_saw_them_join() {
    let mut story = Story::under("default");
    story.standing.messages = 0;
    assert!(story.ad().starts_with("warn"), "an old member the bot has not met");

    let mut story = Story::under("default");
    story.standing.joined = Some(story.now - hours(1));
    let decision = story.report(&hit(Category::Ads, Severity::Medium));
    assert_eq!((decision.step, decision.severity), (Step::Mute, Severity::High));
    assert_eq!(decision.reasons[0], "新成员：中按重计");

    let mut story = Story::under("default");
    story.standing.joined = Some(story.now - hours(48));
    assert!(story.ad().starts_with("warn"));
    let mut story = Story::under("default");
    story.standing = Standing { joined: Some(story.now - hours(48)), messages: 4, ..Standing::default() };
    assert!(story.ad().starts_with("mute"));
}

#[test]
fn strict_mode_ends_by_itself() {
    let mut story = Story::under("default");
    story.strict_until = Some(story.now + hours(2));
    assert!(story.ad().starts_with("mute"));
    let mut story = Story::under("default");
    story.strict_until = Some(story.now);
    assert!(story.ad().starts_with("warn"));
}

#[test]
fn an_open_breaker_only_records() {
    let mut story = Story::under("default");
    story.breaker_open = true;
    let decision = story.report(&hit(Category::Gambling, Severity::Critical));
    assert!(!decision.opens_case() && decision.strike.is_none());
    assert_eq!((decision.step, decision.would), (Step::None, Step::Remove));
    assert_eq!(decision.reasons.last().unwrap(), "熔断中：只记录，不处置");
}

#[test]
fn stages_below_enforce_never_act() {
    let mut story = Story::under("default");
    let observed =
        Report { findings: vec![finding(Category::Ads, Severity::High, Stage::Observe)], ..Report::default() };
    let decision = story.report(&observed);
    assert!(!decision.opens_case());
    assert_eq!(decision.reasons, ["命中的规则还在观察期，只记录"]);
    let pilot = Report {
        verdict: Verdict::Review,
        categories: vec![Category::Ads],
        findings: vec![finding(Category::Ads, Severity::High, Stage::Pilot)],
        ..Report::default()
    };
    let decision = story.report(&pilot);
    assert_eq!((decision.step, decision.points, decision.review()), (Step::Review, 0, true));
    assert_eq!(decision.reasons, ["疑似广告引流，由人工复核"]);
}

#[test]
fn a_weak_second_category_does_not_decide() {
    let mut report = hit(Category::Ads, Severity::Medium);
    report.categories.push(Category::Gambling);
    report.findings.push(finding(Category::Gambling, Severity::Critical, Stage::Enforce));
    let decision = Story::under("default").report(&report);
    assert_eq!((decision.step, decision.category), (Step::Warn, Category::Ads));
    report.acting.push(Category::Gambling);
    let decision = Story::under("default").report(&report);
    assert_eq!((decision.step, decision.category), (Step::Remove, Category::Gambling));
}

#[test]
fn messages_in_flight_after_a_removal_are_only_recorded() {
    let mut story = Story::under("default");
    story.says(Category::Porn, Severity::Critical);
    story.later(SignedDuration::from_secs(2));
    assert_eq!(story.ad(), "none 6→8 第2/2 再次违规将被移出本群");
    story.later(hours(1));
    assert!(story.ad().starts_with("remove"), "came back by invitation and goes on");
}

#[test]
fn watched_groups_report_what_would_be_done() {
    let mut story = Story::under("default");
    story.mode = Mode::Watch;
    let decision = story.report(&hit(Category::Porn, Severity::Critical));
    assert_eq!((decision.step, decision.state.clone()), (Step::Remove, None));
    assert_eq!(story.standing.state, MemberState::Normal);
}

#[test]
fn three_strikes_counts() {
    let mut story = Story::under("three-strikes");
    assert_eq!(story.ad(), "warn 0→1 第1/3 再次违规将被禁言 2 小时");
    assert_eq!(story.says(Category::Insult, Severity::High), "mute 120 1→2 第2/3 再次违规将被移出本群");
    assert_eq!(story.says(Category::Flood, Severity::Low), "hint 2→2 第2/3 再次违规将被移出本群");
    assert_eq!(story.says(Category::Flood, Severity::Low), "remove 2→3 第3/3 ");
    assert!(Story::under("three-strikes").says(Category::Fraud, Severity::Critical).starts_with("remove"));
}

#[test]
fn strict_removes_as_soon_as_found() {
    for category in [Category::Ads, Category::CrossPromotion, Category::Insult, Category::Rumour, Category::Malware] {
        let decision = Story::under("strict").report(&hit(category, Severity::Low));
        assert_eq!(decision.step, Step::Remove, "{category}");
        assert_eq!(decision.ban, category == Category::Malware, "{category}");
    }
    assert!(Story::under("strict").says(Category::Flood, Severity::Medium).starts_with("warn"));
}

#[test]
fn gentle_never_removes_by_itself() {
    let mut story = Story::under("gentle");
    assert_eq!(story.ad(), "warn 0→2 第1/5 再次违规将被禁言 10 分钟");
    assert_eq!(story.ad(), "mute 10 2→4 第2/5 再次违规将被禁言 2 小时");
    assert_eq!(story.ad(), "mute 120 4→6 第3/5 再次违规将被禁言 1 天");
    assert_eq!(story.ad(), "mute 1440 6→8 第4/5 再次违规将提请管理者处理");
    let fifth = story.report(&hit(Category::Ads, Severity::Medium));
    assert_eq!((fifth.step, fifth.needs_human, fifth.state), (Step::Remove, true, None));
    let mut story = Story::under("gentle");
    story.says(Category::Junk, Severity::Low);
    assert!(story.says(Category::Junk, Severity::Low).starts_with("warn 0→1"));
}

#[test]
fn a_category_may_have_a_ladder_of_its_own_and_a_group_its_own_numbers() {
    let text = r#"
        title = "自定"
        version = 3
        [category.flood]
        when = "working"
        [[category.flood.step]]
        at = 3
        do = "warn"
        [category.politics]
        treat = "review"
        [category.repost]
        treat = "ignore"
        [[group]]
        id = "wr2"
        points = { low = 1, medium = 6, high = 6, critical = 6 }
        [group.category.repost]
        treat = "act"
    "#;
    let policy = Policy::parse("own", text).unwrap();
    let mut story = Story::with(policy.clone());
    story.says(Category::Flood, Severity::Medium);
    assert_eq!(story.ad(), "warn 0→2 第1/3 再次违规将被禁言 2 小时", "flood counts on its own ladder");
    assert!(story.says(Category::Flood, Severity::Medium).starts_with("warn 2→4"));
    story.working = false;
    let evening = story.report(&hit(Category::Flood, Severity::Medium));
    assert_eq!(evening.reasons, ["刷屏：本群仅工作时间才管，此时不处置"]);
    assert_eq!(story.report(&hit(Category::Politics, Severity::Critical)).step, Step::Review);
    assert_eq!(story.report(&hit(Category::Repost, Severity::Critical)).reasons, ["未授权转发：本群不管"]);

    let mut story = Story::with(policy);
    story.group = "wr2".into();
    assert!(story.ad().starts_with("remove"));
}

#[test]
fn faults_come_with_lines_and_near_names() {
    let faults =
        |text: &str| -> Vec<String> { Policy::parse("x", text).unwrap_err().iter().map(ToString::to_string).collect() };
    let head = "title = \"x\"\nversion = 1\n";
    assert_eq!(
        faults(&format!("{head}[points]\nlow = 3\nmedium = 2\nhigh = 4\ncritical = 6"))[0].split(':').next(),
        Some("3")
    );
    assert!(faults(&format!("{head}strike_expire = \"3d\""))[0].starts_with("3: unknown field `strike_expire`"));
    assert!(faults(&format!("{head}strike_expires = \"3 天\""))[0].contains("不是时长"));
    let ladder = format!(
        "{head}[[step]]\nat = 2\ndo = \"mute\"\n[[step]]\nat = 2\ndo = \"warn\"\nfor = \"1h\"\n[external]\nask_from = \"remove\""
    );
    assert_eq!(
        faults(&ladder),
        [
            "3: 禁言要写时长，例如 for = \"2h\"",
            "6: 警告没有时长，for 只用于 mute",
            "6: at 要比上一级的 2 大",
            "6: 处置不能比上一级轻",
            "11: 客户的禁言和移出必须由人确认，ask_from 只能是 mute 或更轻",
        ]
    );
    assert_eq!(
        faults(&format!("{head}[category.leak_secret]\npoints = {{ low = 1, medium = 1, high = 1, critical = 1 }}")),
        ["4: `leak_secret` 从不记分，不能有 points 和 step"]
    );
}

#[test]
fn revoking_lifts_what_the_case_caused_and_is_idempotent() {
    let mut story = Story::under("default");
    story.ad();
    story.ad();
    let case = CaseId::new("C2");
    story.revoke(&case);
    assert_eq!((story.standing.live_points(story.now), &story.standing.state), (2, &MemberState::Normal));
    let once = story.standing.clone();
    story.revoke(&case);
    assert_eq!(story.standing, once);
    assert!(story.ad().starts_with("mute"), "back to one strike");
}

fn category() -> impl Strategy<Value = Category> {
    prop::sample::select(Category::ALL)
}

fn severity() -> impl Strategy<Value = Severity> {
    prop::sample::select(Severity::ALL)
}

fn shipped() -> impl Strategy<Value = &'static str> {
    prop::sample::select(file::SHIPPED.map(|(name, _)| name).to_vec())
}

proptest! {
    /// Whatever is said when, at whatever jumps of the clock: points add up, the ladder never gets milder with more points,
    /// expired strikes never count, revoking everything leads back to zero, and a state is never worse than its step.
    #[test]
    fn any_story_keeps_the_rules(
        policy in shipped(),
        said in prop::collection::vec((category(), severity(), -86_400i64..40 * 86_400, -100_000i64..100_000), 1..25),
    ) {
        let mut story = Story::under(policy);
        for (category, severity, gap, ahead) in said {
            story.later(SignedDuration::from_secs(gap));
            story.ahead = SignedDuration::from_secs(ahead);
            let before = story.standing.live_points(story.now);
            let decision = story.report(&hit(category, severity));
            prop_assert!(decision.live_after >= decision.live_before);
            prop_assert_eq!(story.standing.live_points(story.now), before + decision.points);
            prop_assert!(decision.of >= decision.n);
            if let Some(strike) = &decision.strike {
                prop_assert!(strike.expires_at > story.now);
                prop_assert_eq!(strike.points, decision.points);
            }
            if decision.step < Step::Mute || decision.needs_human {
                prop_assert_eq!(&decision.state, &None);
            }
            prop_assert!(category.is_leak() == (decision.leak && decision.strike.is_none()) || decision.leak);
        }
        let far = story.now + hours(24 * 365);
        prop_assert_eq!(story.standing.live_points(far), 0);
        for n in 1..=story.cases {
            story.revoke(&CaseId::new(format!("C{n}")));
            let once = story.standing.clone();
            story.revoke(&CaseId::new(format!("C{n}")));
            prop_assert_eq!(&story.standing, &once);
        }
        prop_assert_eq!(story.standing.live_points(start()), 0);
        prop_assert_eq!(&story.standing.state, &MemberState::Normal);
    }

    /// However strikes were taken back, the member stands as if those had never been.
    #[test]
    fn what_is_left_is_what_the_ladder_says_of_the_rest(
        policy in shipped(),
        said in prop::collection::vec((category(), any::<bool>(), 1i64..40 * 24, any::<bool>()), 1..12),
        after in 0i64..100,
    ) {
        let (mut whole, mut rest) = (Story::under(policy), Story::under(policy));
        let mut taken_back = Vec::new();
        for (category, high, gap, wrong) in said {
            let severity = if high { Severity::High } else { Severity::Medium };
            for story in [&mut whole, &mut rest] {
                story.later(hours(gap));
                story.mute_over();
            }
            if matches!(whole.standing.state, MemberState::Removed | MemberState::Banned) {
                break; // nothing more is said
            }
            let before = whole.cases;
            whole.report(&hit(category, severity));
            if !wrong {
                rest.report(&hit(category, severity));
            } else if whole.cases > before {
                taken_back.push(CaseId::new(format!("C{}", whole.cases)));
            }
        }
        for story in [&mut whole, &mut rest] {
            story.later(hours(after));
            story.mute_over();
        }
        for case in &taken_back {
            whole.revoke(case);
        }
        // A step that a person was only asked about left its doer where they were, once over and once not: never worse.
        let worst = whole.standing.state.clone().harder(rest.standing.state.clone());
        prop_assert_eq!(&worst, &rest.standing.state);
        let asks = |category: &Category| whole.policy.ladder_of(*category).0.iter().any(|rung| rung.ask);
        if !Category::ALL.iter().any(asks) {
            prop_assert_eq!(&whole.standing.state, &rest.standing.state);
        }
    }

    /// More before, or worse now, never means less.
    #[test]
    fn the_ladder_is_monotone(policy in shipped(), n in 0usize..8, c in category(), a in severity(), b in severity()) {
        let step = |strikes: usize, severity| {
            let mut story = Story::under(policy);
            story.standing.hinted = Category::ALL.to_vec();
            for i in 0..strikes {
                story.standing.strikes.push(Strike {
                    case: CaseId::new(i.to_string()),
                    at: story.now,
                    expires_at: story.now + hours(1),
                    points: 1,
                    category: c,
                    severity: Severity::Low,
                    revoked: false, rehearsed: false,
                });
            }
            let decision = story.report(&hit(c, severity));
            (decision.step, decision.until)
        };
        prop_assert!(step(n, a) <= step(n + 1, a));
        prop_assert!(step(n, a.min(b)) <= step(n, a.max(b)));
    }
}
