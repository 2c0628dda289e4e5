//! Puts the signals together: one fold, one pass of the matcher, the number and link finders, what needs memory, points.

use std::sync::Arc;

use foldhash::HashMap;

use super::history::History;
use super::index::{Hit, Index};
use super::leaks::Kind;
use super::lexicon::{Document, ListError, Lists, Pattern};
use super::links::Trouble;
use super::own::OwnRules;
use super::restore::Restorer;
use super::score::{Conclusion, Scores};
use super::view::{Span, View, bit};
use super::{
    Finding, Input, Report, Silent, Stages, Verdict, contact, disguise, leaks, learned, links, names, repeated,
};
use crate::model::{Attachment, Category, GroupId, MemberId, Role, Stage, Timestamp};
use crate::text::aliases::{self, Alias};
use crate::text::{Normalized, Steps, Transform, sounds};

/// From this likelihood on a learned model speaks up.
const LEARNED_FROM: f32 = 0.9;

/// One entry is shown at so many places of a message; it counts once anyway.
const MOST_SHOWN: usize = 16;

/// What the company says about itself: nothing here is ever a leak, a foreign link or a banned word.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `example.com`; subdomains included.
    pub own_domains: Vec<String>,
    /// Brand, product and shop names.
    pub names: Vec<String>,
    /// Names of staff.
    pub staff: Vec<String>,
    /// Phone numbers, cards and addresses that the company publishes itself, digits only or e-mail.
    pub own_numbers: Vec<String>,
    /// Shown names nobody else may carry: owner, admins, the company's service account.
    pub protected_names: Vec<String>,
    /// What the group's admins taught, one model a category.
    pub learned: Vec<(Category, Arc<learned::Model>)>,
    /// When flooding begins.
    pub limits: super::history::Limits,
    /// Thresholds and weights.
    pub scores: Scores,
    /// The day on which expiry dates are judged.
    pub today: jiff::civil::Date,
}

impl Settings {
    /// Shipped scores, no names.
    pub fn new(today: jiff::civil::Date) -> Self {
        Self {
            own_domains: Vec::new(),
            names: Vec::new(),
            staff: Vec::new(),
            own_numbers: Vec::new(),
            protected_names: Vec::new(),
            learned: Vec::new(),
            limits: super::history::Limits::default(),
            scores: Scores::shipped(),
            today,
        }
    }
}

/// Everything that judges one message; immutable, swapped as a whole when lists or settings change.
#[derive(Debug)]
pub struct Detector {
    index: Index,
    restorer: Restorer,
    own: OwnRules,
    settings: Settings,
}

/// Collects the findings of one message.
struct Gather<'a> {
    view: &'a View,
    scores: &'a Scores,
    findings: Vec<Finding>,
    silent: Option<Vec<Silent>>,
    stages: Option<&'a dyn Stages>,
}

impl Gather<'_> {
    fn add(&mut self, category: Category, name: &str, span: Span, factor: f32, detail: Option<Arc<str>>) {
        let rule = format!("{category}/{name}");
        let (points, severity) = self.scores.weight(category, &rule);
        let (start, end) = self.view.raw_range(span);
        self.findings.push(Finding {
            rule: rule.into(),
            category,
            severity,
            score: points * factor,
            start,
            end,
            original: self.view.original(span),
            normalized: self.view.folded(span),
            transforms: self.view.transforms(span),
            stage: Stage::Enforce,
            entry: detail,
            life: None,
        });
        self.set_stage(None);
    }

    /// Puts the finding added last at the stage of its rule, or of the line of a list it came from.
    fn set_stage(&mut self, place: Option<&str>) {
        if let (Some(stages), Some(finding)) = (self.stages, self.findings.last_mut())
            && let Some((stage, life)) = stages.stage(&finding.rule, place)
        {
            (finding.stage, finding.life) = (stage, life);
        }
    }

    fn silent(&mut self, rule: &str, why: impl Into<String>) {
        if let Some(silent) = &mut self.silent {
            silent.push(Silent { rule: rule.into(), why: why.into() });
        }
    }
}

impl Detector {
    /// The words that may be put back where others of their sound stand.
    pub fn restorer(&self) -> &Restorer {
        &self.restorer
    }

    /// The rules of the lists that are not as they ship.
    pub const fn own(&self) -> &OwnRules {
        &self.own
    }

    /// Compiles the lists.
    ///
    /// # Errors
    /// Every line that is wrong, in all files.
    pub fn build(lists: &Lists, settings: Settings) -> Result<Self, Vec<ListError>> {
        let documents = lists.parse()?;
        let names: Vec<String> = settings.names.iter().chain(&settings.staff).cloned().collect();
        let index = Index::build(&documents, &names, settings.today)?;
        let own = OwnRules::of(lists, &documents);
        let detector = Self { index, restorer: Restorer::build(&documents), own, settings };
        let broken = detector.broken_examples(&documents);
        if broken.is_empty() { Ok(detector) } else { Err(broken) }
    }

    /// Tries the sentences that are stored with the rules, whatever stage these are at.
    fn broken_examples(&self, documents: &[Document]) -> Vec<ListError> {
        let (nowhere, nobody) = (GroupId::from(""), MemberId::from(""));
        let mut broken = Vec::new();
        for document in documents {
            let Some(category) = document.category else { continue };
            for example in document.examples() {
                let input = Input {
                    text: &example.text,
                    attachments: &[],
                    group: &nowhere,
                    sender: &nobody,
                    sender_name: None,
                    role: Role::Member,
                    at: Timestamp::UNIX_EPOCH,
                    explain: false,
                };
                let findings = self.scan(&input, None).findings;
                let hit = if example.must_hit {
                    findings.iter().any(|f| f.category == category && f.score > 0.0)
                } else {
                    self.as_if_enforced(&findings).categories.contains(&category)
                };
                if hit != example.must_hit {
                    let what = if example.must_hit { "必中句没有命中" } else { "必放句被命中" };
                    let message = format!("{what}：{}", example.text);
                    broken.push(ListError { file: document.file.clone(), line: example.line, message });
                }
            }
        }
        broken
    }

    /// The category that rules under observation found in a message in which nothing else was found.
    pub fn would_find(&self, report: &Report) -> Option<Category> {
        let observed = report.verdict == Verdict::Clean && report.findings.iter().any(|f| f.stage == Stage::Observe);
        observed.then(|| self.as_if_enforced(&report.findings).categories.first().copied()).flatten()
    }

    /// What would be concluded if every rule acted.
    fn as_if_enforced(&self, findings: &[Finding]) -> Conclusion {
        let acting = |f: &Finding| Finding { stage: Stage::Enforce, ..f.clone() };
        self.settings.scores.conclude(&findings.iter().map(acting).collect::<Vec<_>>())
    }

    /// The settings it was built with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Judges one message. With a history it also sees flood, repetition, campaigns and words spread over several
    /// messages, and the history remembers this message.
    pub fn scan(&self, input: &Input<'_>, history: Option<&History>) -> Report {
        self.scan_at(input, history, None)
    }

    /// [`Self::scan`] with the stages that rules have reached.
    pub fn scan_at(&self, input: &Input<'_>, history: Option<&History>, stages: Option<&dyn Stages>) -> Report {
        let said = input.said();
        let input = &Input { text: &said, ..*input };
        let (view, others, normalized) = View::all(input.text);
        let mut gather = Gather {
            view: &view,
            scores: &self.settings.scores,
            findings: Vec::new(),
            silent: input.explain.then(Vec::new),
            stages,
        };
        let mut links = links::find(&view);
        links::add_broken(input.text, &view, &mut links);
        links::add_han(&view, &mut links);
        let mut numbers = leaks::find(&view, &normalized);
        // Digits of an address are part of the address.
        numbers.retain(|(kind, span)| *kind == Kind::Credential || !links.iter().any(|link| link.span.touches(*span)));
        for attachment in input.attachments {
            if let Attachment::Link { url, .. } = attachment
                && !url.is_empty()
            {
                links.push(links::parse(url));
            }
        }
        let restored = self.restorer.read(others.first().unwrap_or(&view));
        self.words(
            &view,
            &others,
            restored.as_ref(),
            &normalized,
            &contact::atoms(&view, &numbers, &links, &self.settings.own_domains),
            &mut gather,
        );
        self.numbers(&numbers, &mut gather);
        self.links(&links, &mut gather);
        Self::files(input, &mut gather);
        self.name(input, &mut gather);
        self.learned(&mut gather);
        Self::repeated(input, &mut gather);
        // Nobody takes the characters of a listed word apart by chance.
        let apart = gather.findings.iter().find(|f| f.score > 0.0 && f.transforms.contains(&Transform::Split));
        if let Some((start, end)) = apart.map(|f| (f.start, f.end)) {
            gather.add(Category::Ads, "split-word", view.span_of(start, end), 1.0, None);
        }
        let disguises = disguise::find(&view);
        if disguises.is_empty() {
            gather.silent("ads/disguise", "没有变形的写法");
        }
        for found in disguises {
            gather.add(Category::Ads, found.name, found.span, 1.0, None);
        }
        if let Some(history) = history {
            self.memory(input, history, &mut gather);
        } else {
            gather.silent("flood/*", "没有历史消息可比");
        }
        let Gather { mut findings, silent, .. } = gather;
        drop_covered(&mut findings);
        findings.sort_by(|a, b| (a.start, a.end, &a.rule).cmp(&(b.start, b.end, &b.rule)));
        let super::score::Conclusion { verdict, score, categories, acting } = self.settings.scores.conclude(&findings);
        Report { verdict, score, categories, acting, findings, silent: silent.unwrap_or_default() }
    }

    fn words<'v>(
        &self,
        view: &'v View,
        others: &'v [View],
        restored: Option<&'v View>,
        normalized: &Normalized,
        atoms: &super::index::Atoms,
        gather: &mut Gather<'_>,
    ) {
        let mut hits: Vec<(&'v View, Hit)> = self.index.scan(view, atoms).into_iter().map(|hit| (view, hit)).collect();
        // Two characters that merely sound like a word are no sign (`restored` has those that are), nor is a listed word that
        // sounds like another.
        let heard = |view: &View, hit: &Hit| {
            !hit.by_sound
                || hit.span.end - hit.span.start > 2 && !self.restorer.knows(&view.chars[hit.span.start..hit.span.end])
        };
        hits.retain(|(view, hit)| heard(view, hit));
        // Only what another reading alone can see.
        let mut more = |other: &'v View, needed: u32| {
            let mut found = self.index.scan(other, &contact::atoms(other, &[], &[], &[]));
            if needed == bit(Transform::Homophone) {
                found.retain(|hit| self.index.entries[hit.entry].entry.homophone != Some(false));
            }
            let new = |hit: &Hit| {
                heard(other, hit) && other.steps[hit.span.start..hit.span.end].iter().any(|s| s & needed != 0)
            };
            hits.extend(found.into_iter().filter(new).map(|hit| (other, hit)));
        };
        for other in others {
            more(other, u32::from(Steps::REWRITE.bits()));
        }
        if let Some(restored) = restored {
            more(restored, bit(Transform::Homophone));
        }
        if hits.is_empty() {
            gather.silent("lexicon", "没有词条命中");
            return;
        }
        let aliases = aliases::find(normalized);
        let mut seen: HashMap<usize, usize> = HashMap::default();
        for (view, hit) in hits {
            let before = seen.entry(hit.entry).or_default();
            *before += 1;
            if *before > MOST_SHOWN {
                continue;
            }
            let is_first = *before == 1;
            let compiled = &self.index.entries[hit.entry];
            let (points, severity) = self.settings.scores.weight(compiled.category, &compiled.rule);
            let mut transforms = view.transforms(hit.span);
            let mut read_as = view.folded(hit.span);
            if hit.by_sound {
                transforms.push(Transform::Homophone);
                if let Pattern::Literal(word) = &compiled.entry.pattern {
                    read_as.clone_from(word);
                }
            } else if gather.view.chars == view.chars {
                say_plainly(view, hit.span, &aliases, &mut read_as, &mut transforms);
            }
            transforms.sort();
            transforms.dedup();
            let points = compiled.entry.points.unwrap_or(points);
            let (start, end) = view.raw_range(hit.span);
            let mut finding = Finding {
                rule: compiled.rule.clone(),
                category: compiled.category,
                severity: compiled.entry.severity.unwrap_or(severity),
                score: 0.0,
                start,
                end,
                original: view.original(hit.span),
                normalized: read_as,
                transforms,
                stage: compiled.entry.stage,
                entry: Some(compiled.place.clone()),
                life: None,
            };
            // The same entry twice is not twice the evidence.
            if is_first {
                finding.score = points * if finding.is_soft() { self.settings.scores.soft } else { 1.0 };
                if restored.is_some_and(|restored| std::ptr::eq(view, restored)) {
                    finding.score = self.settings.scores.heard(&finding);
                }
            }
            gather.findings.push(finding);
            gather.set_stage(Some(&compiled.place));
        }
    }

    fn numbers(&self, numbers: &[(Kind, Span)], gather: &mut Gather<'_>) {
        let own = |span: Span| {
            let folded = gather.view.folded(span);
            let original = gather.view.original(span).to_lowercase();
            self.settings.own_numbers.iter().any(|n| {
                let digits: String = n.chars().filter(char::is_ascii_alphanumeric).collect();
                folded.ends_with(&digits.to_lowercase()) && digits.len() >= 5 || original == n.to_lowercase()
            })
        };
        let own_address = |kind: Kind, span: Span| {
            let original = gather.view.original(span).to_lowercase();
            kind == Kind::Email
                && original.split_once('@').is_some_and(|(_, host)| links::is_own(host, &self.settings.own_domains))
        };
        let (ours, foreign): (Vec<_>, Vec<_>) =
            numbers.iter().copied().partition(|(kind, span)| own(*span) || own_address(*kind, *span));
        if !ours.is_empty() {
            gather.silent("leak_personal/*", "是公司自己公布的号码");
        }
        if foreign.is_empty() {
            gather.silent("leak_personal/*", "没有号码、证件、卡号或邮箱");
        }
        for (kind, span) in &foreign {
            let (category, name) = match kind {
                Kind::Mobile => (Category::LeakPersonal, "mobile"),
                Kind::IdCard => (Category::LeakPersonal, "id-card"),
                Kind::IdCardShape => (Category::LeakPersonal, "id-card-shape"),
                Kind::BankCard => (Category::LeakPersonal, "bank-card"),
                Kind::Email => (Category::LeakPersonal, "email"),
                Kind::Credential => (Category::LeakSecret, "credential"),
            };
            let first = !foreign.iter().take_while(|(_, s)| s != span).any(|(k, _)| k == kind);
            let told = *kind == Kind::Mobile && leaks::is_speakers(gather.view, *span);
            gather.add(category, name, *span, if first && !told { 1.0 } else { 0.0 }, None);
        }
        let mut people: Vec<String> = foreign
            .iter()
            .filter(|(kind, _)| *kind != Kind::Credential)
            .map(|(_, span)| gather.view.folded(*span))
            .collect();
        people.sort();
        people.dedup();
        if people.len() >= 3 {
            let span = Span { start: foreign[0].1.start, end: foreign[foreign.len() - 1].1.end };
            gather.add(Category::LeakPersonal, "table", span, 1.0, None);
        }
    }

    fn links(&self, links: &[links::Link], gather: &mut Gather<'_>) {
        if links.is_empty() {
            gather.silent("malware/link", "没有链接");
        }
        let mut seen = Vec::new();
        for link in links {
            let Some(trouble) = link.trouble(&self.settings.own_domains) else {
                gather.silent("malware/link", format!("{} 是自己的或常见的网站", link.host));
                continue;
            };
            let (category, name) = match trouble {
                Trouble::Foreign => (Category::Ads, "link"),
                Trouble::ThrowAway => (Category::Malware, "throw-away-domain"),
                Trouble::Short => (Category::Malware, "short-link"),
                Trouble::LookAlike => (Category::Fraud, "lookalike-domain"),
                Trouble::Address => (Category::Malware, "ip-link"),
                Trouble::Invitation => (Category::CrossPromotion, "group-link"),
                Trouble::Program => (Category::Malware, "program-link"),
            };
            let factor = if seen.contains(&trouble) { 0.0 } else { 1.0 };
            if link.broken && seen.is_empty() {
                gather.add(Category::Ads, "broken-link", link.span, 1.0, Some(link.host.as_str().into()));
            }
            seen.push(trouble);
            gather.add(category, name, link.span, factor, Some(link.host.as_str().into()));
        }
    }

    /// An advert in the nickname, or somebody else's name.
    fn name(&self, input: &Input<'_>, gather: &mut Gather<'_>) {
        let Some(name) = input.sender_name else {
            return gather.silent("impersonation/name", "不知道昵称");
        };
        let nowhere = Span { start: 0, end: 0 };
        let mut quiet = true;
        if input.role == Role::Member
            && let Some(real) = names::imitates(name, &self.settings.protected_names).or_else(|| names::claims(name))
        {
            quiet = false;
            gather.add(Category::Impersonation, "name", nowhere, 1.0, Some(real.into()));
        }
        let view = View::new(name);
        let links = links::find(&view);
        for hit in self.index.scan(&view, &contact::atoms(&view, &[], &links, &self.settings.own_domains)) {
            let compiled = &self.index.entries[hit.entry];
            let (points, _) = self.settings.scores.weight(compiled.category, &compiled.rule);
            if compiled.entry.points.unwrap_or(points) < self.settings.scores.review || hit.by_sound {
                continue;
            }
            quiet = false;
            gather.add(compiled.category, "name", nowhere, 1.0, Some(compiled.place.clone()));
            if let Some(finding) = gather.findings.last_mut() {
                name.clone_into(&mut finding.original);
                finding.normalized = view.folded(hit.span);
                finding.stage = compiled.entry.stage;
            }
            gather.set_stage(Some(&compiled.place));
        }
        if quiet {
            gather.silent("*/name", "昵称没有问题");
        }
    }

    /// One message that fills the screen with one sentence.
    fn repeated(input: &Input<'_>, gather: &mut Gather<'_>) {
        match repeated::find(&gather.view.raw).filter(|_| input.role == Role::Member) {
            Some(found) => {
                let span = gather.view.span_of(found.range.0, found.range.1);
                gather.add(Category::Flood, "in-message", span, 1.0, Some(format!("×{}", found.times).into()));
                if let Some(finding) = gather.findings.last_mut() {
                    // Pictures have no folded characters.
                    (finding.start, finding.end) = found.range;
                    finding.original = gather.view.raw[found.range.0..found.range.1].iter().collect();
                }
            }
            None => gather.silent("flood/in-message", "没有反复说同一句话"),
        }
    }

    /// What the admins taught; asks a human until it earned more.
    fn learned(&self, gather: &mut Gather<'_>) {
        for (category, model) in &self.settings.learned {
            let score = model.score_view(gather.view);
            if score < LEARNED_FROM || gather.view.chars.len() < 4 {
                gather.silent(&format!("{category}/learned"), format!("学到的像不像：{:.0}%", score * 100.0));
                continue;
            }
            let all = Span { start: 0, end: gather.view.chars.len() };
            gather.add(*category, "learned", all, 1.0, Some(format!("{:.0}%", score * 100.0).into()));
            let trusted = model.record.may_act();
            if let Some(finding) = gather.findings.last_mut() {
                finding.score = if trusted { self.settings.scores.act } else { self.settings.scores.review };
                finding.stage = if trusted { Stage::Enforce } else { Stage::Pilot };
            }
        }
    }

    fn memory(&self, input: &Input<'_>, history: &History, gather: &mut Gather<'_>) {
        let limits = &self.settings.limits;
        let view = gather.view;
        let seen = history.add(input.group, input.sender, input.at, &view.chars, limits);
        let all = Span { start: 0, end: view.chars.len() };
        if input.role != Role::Member {
            gather.silent("flood/*", "群主、管理员和机器人不算刷屏");
            return;
        }
        let mut quiet = true;
        for (name, count, limit) in [
            ("rate", seen.rate, limits.rate + 1),
            ("repeat", seen.repeats, limits.repeats),
            ("campaign", seen.senders, limits.campaign_senders),
            ("campaign-groups", seen.groups, limits.campaign_groups),
        ] {
            if count >= limit {
                quiet = false;
                gather.add(Category::Flood, name, all, 1.0, Some(format!("×{count}").into()));
            }
        }
        if quiet {
            gather.silent(
                "flood/*",
                format!("{} 秒内 {} 条，相同内容 {} 条", limits.rate_window.as_secs(), seen.rate, seen.repeats),
            );
        }
        if seen.joined.is_empty() {
            gather.silent("*/spread", "前面没有可以连起来的短消息");
        } else {
            self.spread(&seen.joined, gather);
        }
    }

    /// A word typed over several messages: 加 · 我 · 微信.
    fn spread(&self, joined: &str, gather: &mut Gather<'_>) {
        let view = View::new(joined);
        let before_all = gather.findings.len();
        let last = gather.view.chars.len();
        let all = Span { start: 0, end: last };
        let before = view.chars.len().saturating_sub(last);
        for hit in self.index.scan(&view, &contact::atoms(&view, &[], &[], &[])) {
            if hit.by_sound || hit.span.start >= before || hit.span.end <= before {
                continue;
            }
            let compiled = &self.index.entries[hit.entry];
            let (points, _) = self.settings.scores.weight(compiled.category, &compiled.rule);
            let points = compiled.entry.points.unwrap_or(points);
            if points <= 0.0 {
                continue;
            }
            gather.add(compiled.category, "spread", all, 1.0, Some(compiled.place.clone()));
            if let Some(finding) = gather.findings.last_mut() {
                finding.score = points;
                finding.normalized = view.folded(hit.span);
                finding.stage = compiled.entry.stage;
            }
            gather.set_stage(Some(&compiled.place));
        }
        if gather.findings.len() == before_all {
            gather.silent("*/spread", "和前面几条连起来也没有词条");
        }
    }

    fn files(input: &Input<'_>, gather: &mut Gather<'_>) {
        for attachment in input.attachments {
            if let Attachment::File { name, .. } = attachment
                && links::runs_code(name)
                && input.role == Role::Member
            {
                gather.add(
                    Category::Malware,
                    "program-file",
                    Span { start: 0, end: 0 },
                    1.0,
                    Some(name.as_str().into()),
                );
            }
        }
    }
}

/// Hits of one category that share characters are one piece of evidence: the heaviest counts, what lies inside it goes, the
/// rest stays to be seen with no points. What is plain inside a soft hit stays and takes its points over, so that the
/// plain part of the evidence is known as such.
fn drop_covered(findings: &mut Vec<Finding>) {
    let by_weight = |f: &Finding| (f.score, f.end - f.start);
    findings.sort_by(|a, b| by_weight(b).partial_cmp(&by_weight(a)).unwrap_or(std::cmp::Ordering::Equal));
    let mut kept: Vec<Finding> = Vec::with_capacity(findings.len());
    for mut finding in findings.drain(..) {
        // A rule that does not act yet takes nothing away from one that does.
        let rival = |k: &Finding| {
            k.category == finding.category && k.stage >= finding.stage && k.entry.is_some() && finding.entry.is_some()
        };
        if let Some(whole) = kept.iter_mut().find(|k| rival(k) && k.start <= finding.start && finding.end <= k.end) {
            if whole.is_soft() && !finding.is_soft() && finding.score > 0.0 {
                finding.score = finding.score.min(whole.score);
                whole.score -= finding.score;
                kept.push(finding);
            }
            continue;
        }
        if kept.iter().any(|k| rival(k) && k.score > 0.0 && k.start < finding.end && finding.start < k.end) {
            finding.score = 0.0;
        }
        kept.push(finding);
    }
    *findings = kept;
}

/// Writes 微信 where 薇 or vx stands, so that a reader sees what was meant.
fn say_plainly(view: &View, span: Span, all: &[Alias], read_as: &mut String, transforms: &mut Vec<Transform>) {
    let inside = |a: &&Alias| !a.plain && span.covers(Span { start: a.range.start, end: a.range.end });
    let mut text = String::new();
    let mut at = span.start;
    for alias in all.iter().filter(inside) {
        text.extend(&view.chars[at..alias.range.start]);
        text.push_str(alias.contact.name());
        at = alias.range.end;
        transforms.push(Transform::Alias);
        let written = &view.chars[alias.range.start..alias.range.end];
        if written
            .iter()
            .zip(alias.contact.name().chars())
            .all(|(a, b)| sounds::of(*a) != 0 && sounds::of(*a) == sounds::of(b))
        {
            transforms.push(Transform::Homophone);
        }
    }
    if at > span.start {
        text.extend(&view.chars[at..span.end]);
        *read_as = text;
    }
}
