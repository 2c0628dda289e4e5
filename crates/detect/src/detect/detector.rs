//! Puts the signals together: one fold, one pass of the matcher, the number and link finders, what needs memory, points.

mod content;
mod gather;
mod own_accounts;
mod signals;

use std::cell::Cell;
use std::sync::Arc;

use foldhash::HashMap;

use self::gather::Gather;
use self::own_accounts::{Contacts, OwnAccounts};
use super::contents::Enough;
use super::edges::Edges;
use super::history::{Before, History};
use super::index::{Compiled, Hit, Index};
use super::kinds::Measure;
use super::leaks::Kind;
use super::lexicon::{Document, ListError, Lists, Pattern};
use super::own::OwnRules;
use super::prices::PriceList;
use super::restore::Restorer;
use super::score::{Conclusion, Scores, is_spam};
use super::spelled::{self, Speller};
use super::view::{Reading, Span, View, bit};
use super::{Finding, Input, Report, Stages, Verdict, contact, disguise, leaks, learned, links};
use crate::model::{Attachment, Category, GroupId, MemberId, Role, Stage, Timestamp};
use crate::text::aliases::{self, Alias};
use crate::text::{Normalized, Steps, Transform, sounds};

/// Points of a category that were enough before anybody chose a threshold.
const ENOUGH: f32 = 2.0;
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
    /// Account names of the company itself (`haofang888`): who asks to be reached there advertises nothing.
    pub own_accounts: Vec<String>,
    /// What its goods may cost.
    pub prices: Arc<PriceList>,
    /// Shown names nobody else may carry: owner, admins, the company's service account.
    pub protected_names: Vec<String>,
    /// What the group's admins taught, one model a category.
    pub learned: Vec<(Category, Arc<learned::Model>)>,
    /// Kinds of messages that are not wanted.
    pub kinds: super::kinds::KindRules,
    /// What follows from what was read in pictures and files.
    pub content_rules: ContentRules,
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
            own_accounts: Vec::new(),
            prices: Arc::default(),
            protected_names: Vec::new(),
            learned: Vec::new(),
            kinds: super::kinds::KindRules::default(),
            content_rules: ContentRules::default(),
            limits: super::history::Limits::default(),
            scores: Scores::shipped(),
            today,
        }
    }
}

/// What follows from what was read in pictures and files: unless the settings say more, a person is asked and nothing done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentRules {
    /// Words in pictures.
    pub pictures: Measure,
    /// What files hold.
    pub files: Measure,
    /// From how many numbers on a file is one of many people.
    pub enough: Enough,
}

impl Default for ContentRules {
    fn default() -> Self {
        Self { pictures: Measure::Review, files: Measure::Review, enough: Enough::default() }
    }
}

/// What is wrong with lists that were compiled nevertheless.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes {
    /// Lines that do nothing.
    pub lines: Vec<ListError>,
    /// Sentences that are not judged as their list wants.
    pub examples: Vec<ListError>,
    /// How files were read, and what is worth a look.
    pub hints: Vec<ListError>,
}

/// A message that is not written out, read as it is meant.
struct Meant {
    restored: Option<View>,
    spelled: Option<View>,
    backwards: Option<View>,
}

thread_local! {
    /// The buffers of the message before.
    static READING: Cell<Reading> = Cell::default();
}

/// Everything that judges one message; immutable, swapped as a whole when lists or settings change.
#[derive(Debug)]
pub struct Detector {
    index: Index,
    restorer: Restorer,
    speller: Speller,
    own: OwnRules,
    own_accounts: OwnAccounts,
    settings: Settings,
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

    /// Every entry of the lists.
    pub fn entries(&self) -> &[Compiled] {
        &self.index.entries
    }

    /// Compiles the lists, without what is wrong in them.
    pub fn load(lists: &Lists, mut settings: Settings) -> (Self, Mistakes) {
        let (documents, mut lines) = lists.read_all();
        let names: Vec<String> = settings.names.iter().chain(&settings.staff).cloned().collect();
        let restorer = Restorer::build(&documents);
        let (mut index, unsearchable) = Index::build(&documents, &names, settings.today);
        settings.own_domains.iter().for_each(|domain| index.allow_site(domain));
        settings.own_domains.extend(index.addresses().allowed().map(str::to_owned));
        lines.extend(unsearchable);
        let own = OwnRules::of(lists, &documents);
        let speller = Speller::build(&documents);
        let own_accounts = OwnAccounts::of(&settings);
        let detector = Self { index, restorer, speller, own, own_accounts, settings };
        let examples = detector.broken_examples(&documents);
        let hints = lists.notes().chain(documents.iter().flat_map(Document::remarks)).collect();
        (detector, Mistakes { lines, examples, hints })
    }

    /// Compiles lists that have to be without a mistake.
    ///
    /// # Errors
    /// Every line that is wrong, in all files; else every sentence that is not judged as it should be.
    pub fn build(lists: &Lists, settings: Settings) -> Result<Self, Vec<ListError>> {
        let (detector, Mistakes { lines, examples, .. }) = Self::load(lists, settings);
        match (lines.is_empty(), examples.is_empty()) {
            (true, true) => Ok(detector),
            (true, false) => Err(examples),
            (false, _) => Err(lines),
        }
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

    /// Concludes anew, after findings were taken out of a report.
    pub fn conclude(&self, report: &mut Report) {
        let Conclusion { verdict, score, categories, acting } = self.settings.scores.conclude(&report.findings);
        (report.verdict, report.score, report.categories, report.acting) = (verdict, score, categories, acting);
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
        self.scan_staged(input, history, None)
    }

    /// [`Self::scan`] with the stages that rules have reached.
    pub fn scan_staged(&self, input: &Input<'_>, history: Option<&History>, stages: Option<&dyn Stages>) -> Report {
        let Some(history) = history else { return self.scan_at(input, None, stages) };
        let (earlier, crowd) = history.before(input.group, input.sender);
        let report = self.scan_at(input, Some(&Before { earlier: &earlier, crowd }), stages);
        if let Some(seen) = &report.seen {
            history.add(input.group, input.sender, seen.this.clone(), &self.settings.limits);
        }
        report
    }

    /// Judges one message beside what was said before, with the stages that rules have reached. Remembers nothing: see
    /// [`Report::seen`].
    pub fn scan_at(&self, input: &Input<'_>, before: Option<&Before<'_>>, stages: Option<&dyn Stages>) -> Report {
        let mut reading = READING.take();
        let said = input.said();
        reading.read(&said);
        let report = self.judge(&Input { text: &said, ..*input }, input.text, &reading, before, stages);
        READING.set(reading);
        report
    }

    /// `own_words` are those without the names and titles of attachments.
    fn judge(
        &self,
        input: &Input<'_>,
        own_words: &str,
        reading: &Reading,
        before: Option<&Before<'_>>,
        stages: Option<&dyn Stages>,
    ) -> Report {
        let (view, others, normalized) = (reading.first(), reading.others(), reading.normalized());
        let mut gather = Gather {
            view,
            scores: &self.settings.scores,
            findings: Vec::new(),
            silent: input.explain.then(Vec::new),
            stages,
        };
        let mut links = links::all(input.text, view);
        let mut numbers = leaks::find(view, normalized);
        // Digits of an address are part of the address.
        numbers.retain(|(kind, span)| *kind == Kind::Credential || !links.iter().any(|link| link.span.touches(*span)));
        for attachment in input.attachments {
            if let Attachment::Link { url, origin, .. } = attachment
                && !url.is_empty()
                && origin != "weapp"
            {
                links.push(links::parse(url));
            }
        }
        let meant = Meant {
            restored: self.restorer.read(others.first().unwrap_or(view)),
            spelled: self.speller.read(view),
            backwards: spelled::backwards(view),
        };
        let contacts = contact::atoms(view, &numbers, &links, &self.settings.own_domains);
        let contacts = self.own_accounts.part(view, contacts);
        self.words(view, others, &meant, normalized, &contacts, &mut gather);
        self.prices(input, &contacts.atoms, &mut gather);
        self.signs(&mut gather);
        self.numbers(&numbers, &mut gather);
        self.links(&links, &mut gather);
        self.denied(&links, &mut gather);
        self.kinds(input, own_words, &links, &mut gather);
        self.files(input, &mut gather);
        match input.sender_name {
            Some(name) => self.name(name, (input.role == Role::Member).then_some(&[] as &[String]), &mut gather),
            None => gather.silent("impersonation/name", "不知道昵称"),
        }
        self.learned(&mut gather);
        Self::repeated(input, &mut gather);
        Self::empty(input, &mut gather);
        // Nobody takes the characters of a listed word apart by chance.
        let apart = gather.findings.iter().find(|f| f.score > 0.0 && f.transforms.contains(&Transform::Split));
        if let Some((start, end)) = apart.map(|f| (f.start, f.end)) {
            gather.add(Category::Ads, "split-word", view.span_of(start, end), 1.0, None);
        }
        let disguises = disguise::find(view);
        if disguises.is_empty() {
            gather.silent("ads/disguise", "没有变形的写法");
        }
        for found in disguises {
            gather.add(Category::Ads, found.name, found.span, 1.0, None);
        }
        let seen = before.map(|before| self.memory(input, before, &mut gather));
        if seen.is_none() {
            gather.silent("flood/*", "没有历史消息可比");
        }
        let Gather { mut findings, silent, .. } = gather;
        drop_covered(&mut findings);
        findings.extend(self.pictures(input, view.raw.len(), stages));
        findings.sort_by(|a, b| (a.start, a.end, &a.rule).cmp(&(b.start, b.end, &b.rule)));
        let super::score::Conclusion { verdict, score, categories, acting } = self.settings.scores.conclude(&findings);
        Report { verdict, score, categories, acting, findings, silent: silent.unwrap_or_default(), seen }
    }

    /// Judges a shown name alone: an advert in it, or that it looks like one of `protected`, of the settings' names or of a
    /// role's; `None` where its bearer may be called so.
    pub fn scan_name(&self, name: &str, protected: Option<&[String]>, stages: Option<&dyn Stages>) -> Report {
        let nothing = View::new("");
        let mut gather =
            Gather { view: &nothing, scores: &self.settings.scores, findings: Vec::new(), silent: None, stages };
        self.name(name, protected, &mut gather);
        let findings = gather.findings;
        let Conclusion { verdict, score, categories, acting } = self.settings.scores.conclude(&findings);
        Report { verdict, score, categories, acting, findings, silent: Vec::new(), seen: None }
    }

    fn words<'v>(
        &self,
        view: &'v View,
        others: &'v [View],
        meant: &'v Meant,
        normalized: &Normalized,
        contacts: &Contacts,
        gather: &mut Gather<'_>,
    ) {
        let found = self.index.scan(view, &contacts.atoms);
        // Put into words only for who asked why.
        let excused = if gather.silent.is_some() { found.excused } else { Vec::new() };
        for (hit, reason) in excused {
            let compiled = &self.index.entries[hit.entry];
            let (word, place) = (view.folded(hit.span), compiled.place());
            gather.silent(&compiled.rule, format!("“{word}”（{place}）不算：{}", reason.zh()));
        }
        let (call, pay) = (found.call.filter(|call| !contacts.lead_home(view.raw_range(*call))), found.pay);
        let mut hits: Vec<(&'v View, Hit)> = found.hits.into_iter().map(|hit| (view, hit)).collect();
        // Two characters that merely sound like a word are no sign (`restored` has those that are), nor is a listed word that
        // sounds like another.
        let heard = |view: &View, hit: &Hit| {
            !hit.by_sound
                || hit.span.end - hit.span.start > 2 && !self.restorer.knows(&view.chars[hit.span.start..hit.span.end])
        };
        hits.retain(|(view, hit)| heard(view, hit));
        // Only what another reading alone can see, and only where the first one leaves room for a word.
        let edges = Edges::of(view);
        let mut more = |other: &'v View, needed: u32| {
            let mut found = self.index.scan_for(other, &contact::atoms(other, &[], &[], &[]), needed).hits;
            if needed == bit(Transform::Homophone) {
                found.retain(|hit| self.index.entries[hit.entry].entry.homophone != Some(false));
            }
            let new = |hit: &Hit| {
                let (start, end) = other.raw_range(hit.span);
                let steps = other.steps[hit.span.start..hit.span.end].iter().fold(0, |all, s| all | s);
                // An emoji is no part of a word that somebody wrote.
                let leave =
                    || steps & bit(Transform::Emoji) != 0 || edges.leave_typed(view.span_of(start, end), hit.by_sound);
                heard(other, hit) && steps & needed != 0 && leave()
            };
            hits.extend(found.into_iter().filter(new).map(|hit| (other, hit)));
        };
        for other in others {
            more(other, Steps::REWRITE.bits());
        }
        if let Some(restored) = &meant.restored {
            more(restored, bit(Transform::Homophone));
        }
        if let Some(spelled) = &meant.spelled {
            more(spelled, bit(Transform::Masked) | bit(Transform::Homophone));
        }
        if let Some(backwards) = &meant.backwards {
            more(backwards, bit(Transform::Reversed));
        }
        let home = |(view, hit): &(&View, Hit)| {
            self.index.entries[hit.entry].category == Category::Ads && contacts.lead_home(view.raw_range(hit.span))
        };
        if hits.iter().any(home) {
            hits.retain(|hit| !home(hit));
            gather.silent("ads/*", "要人联系的是公司自己的账号");
        }
        if hits.is_empty() {
            gather.silent("lexicon", "没有词条命中");
            return;
        }
        let mut target = None;
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
            // A word of one's own that names no points is enough, however strict the threshold is.
            let least = if self.own.has(&compiled.file) { self.settings.scores.act } else { 0.0 };
            let points =
                compiled.entry.points.unwrap_or_else(|| if points >= ENOUGH { points.max(least) } else { points });
            let (start, end) = view.raw_range(hit.span);
            let place = compiled.place();
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
                entry: Some(place.clone()),
                asks: hit.asks,
                life: None,
            };
            // The same entry twice is not twice the evidence.
            if is_first {
                finding.score = points * if finding.is_soft() { self.settings.scores.soft } else { 1.0 };
                if meant.restored.as_ref().is_some_and(|restored| std::ptr::eq(view, restored)) {
                    finding.score = self.settings.scores.heard(&finding);
                }
            }
            let plain = finding.score >= self.settings.scores.review && !finding.is_soft();
            if target.is_none() && plain {
                target = hit.target.filter(|_| gather.view.chars == view.chars);
            }
            if let Some(reason) = hit.asks.filter(|_| gather.silent.is_some()) {
                gather.silent(&compiled.rule, format!("“{}”只请人看：{}", finding.normalized, reason.zh()));
            }
            gather.findings.push(finding);
            gather.set_stage(Some(&place));
        }
        // A price alone makes no offer of what is none.
        let asker = |f: &Finding| {
            is_spam(f.category) && f.entry.is_some() && f.score >= self.settings.scores.review && !f.is_soft()
        };
        let pay = pay.filter(|_| gather.findings.iter().any(asker));
        for (name, span) in [("call", call), ("pay", pay)] {
            if let Some(span) = span {
                gather.add(Category::Ads, name, span, 1.0, None);
            }
        }
        if let Some(target) = target {
            gather.add(Category::Insult, "target", target, 1.0, None);
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
