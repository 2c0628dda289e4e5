//! What is seen besides words: numbers, links, names, repetition, what the group taught, what was said before.

use super::Detector;
use super::gather::Gather;
use crate::detect::history::{Before, Seen};
use crate::detect::index::{Atoms, Compiled};
use crate::detect::leaks::Kind;
use crate::detect::links::Trouble;
use crate::detect::view::{Span, View};
use crate::detect::{Input, contact, leaks, learned, links, mash, names, repeated};
use crate::model::{Category, Role, Stage};

/// Where a finding is that no character of the message shows.
pub(super) const NOWHERE: Span = Span { start: 0, end: 0 };

impl Detector {
    /// The company publishes it itself.
    pub(in crate::detect) fn is_own_number(&self, view: &View, kind: Kind, span: Span) -> bool {
        let original = view.original(span).to_lowercase();
        let folded = view.folded(span);
        let own = self.settings.own_numbers.iter().any(|n| {
            let digits: String = n.chars().filter(char::is_ascii_alphanumeric).collect();
            folded.ends_with(&digits.to_lowercase()) && digits.len() >= 5 || original == n.to_lowercase()
        });
        let host = original.split_once('@').map(|(_, host)| host).filter(|_| kind == Kind::Email);
        own || host.is_some_and(|host| links::is_own(host, &self.settings.own_domains))
    }

    pub(super) fn numbers(&self, numbers: &[(Kind, Span)], gather: &mut Gather<'_>) {
        let (ours, foreign): (Vec<_>, Vec<_>) =
            numbers.iter().copied().partition(|(kind, span)| self.is_own_number(gather.view, *kind, *span));
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

    /// Entries that are signs without a letter.
    pub(super) fn signs(&self, gather: &mut Gather<'_>) {
        let mut seen = Vec::new();
        for (entry, start, end) in self.index.signs(&gather.view.raw) {
            if !seen.contains(&entry) {
                seen.push(entry);
                gather.add_entry(&self.index.entries[entry], (start, end));
            }
        }
    }

    pub(super) fn links(&self, links: &[links::Link], gather: &mut Gather<'_>) {
        if links.is_empty() {
            gather.silent("malware/link", "没有链接");
        }
        let mut seen = Vec::new();
        for link in links {
            if self.index.addresses().find(&link.host, &link.path).1 {
                gather.silent("malware/link", format!("{} 是词表允许的网站", link.host));
                continue;
            }
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
                Trouble::Payment => (Category::PrivateDeal, "payment-code"),
                Trouble::Shop => (Category::Ads, "shop-code"),
            };
            let factor = if seen.contains(&trouble) { 0.0 } else { 1.0 };
            if link.broken && seen.is_empty() {
                gather.add(Category::Ads, "broken-link", link.span, 1.0, Some(link.host.as_str().into()));
            }
            if trouble == Trouble::ThrowAway && link.is_typed_by_hand(gather.view) && !seen.contains(&trouble) {
                gather.add(Category::Ads, "typed-domain", link.span, 1.0, Some(link.host.as_str().into()));
            }
            seen.push(trouble);
            gather.add(category, name, link.span, factor, Some(link.host.as_str().into()));
        }
    }

    /// Kinds of messages that the group does not want. What only asks a person adds nothing towards an act.
    pub(super) fn kinds(&self, input: &Input<'_>, text: &str, links: &[links::Link], gather: &mut Gather<'_>) {
        if input.role != Role::Member {
            return;
        }
        for found in self.settings.kinds.find(input, text, links, &self.settings.own_domains) {
            gather.add(found.category, found.rule, NOWHERE, 1.0, None);
            let Some(finding) = gather.findings.last_mut() else { continue };
            finding.original = found.shown;
            self.asks_only_if(found.measure, finding);
        }
    }

    /// Prices of members that the company's price list does not allow; who sets them is no member. Only asks a person.
    pub(super) fn prices(&self, input: &Input<'_>, atoms: &Atoms, gather: &mut Gather<'_>) {
        let (rule, category) = ("unauthorised_promise/price-list", Category::UnauthorisedPromise);
        if self.settings.prices.is_empty() || input.role != Role::Member {
            return;
        }
        let found = self.settings.prices.find(gather.view);
        if found.is_empty() {
            gather.silent(rule, "没有说价目表里商品的价，或价没有问题");
        }
        for outside in found {
            let span = gather.view.span_of(outside.range.0, outside.range.1);
            if let Some(reason) = self.index.excuse_at(gather.view, atoms, category, span) {
                gather.silent(rule, format!("{}不算：{}", outside.allowed, reason.zh()));
                continue;
            }
            gather.add(category, "price-list", span, 1.0, Some(outside.allowed.as_str().into()));
            if let Some(finding) = gather.findings.last_mut() {
                finding.score = self.settings.scores.review;
                finding.stage = finding.stage.min(Stage::Pilot);
            }
        }
    }

    /// Links that an entry names.
    pub(super) fn denied(&self, links: &[links::Link], gather: &mut Gather<'_>) {
        let links: Vec<_> = links.iter().map(|link| (link.clone(), gather.view.raw_range(link.span))).collect();
        for (entry, range) in self.index.addresses().hits(&gather.view.raw, &links) {
            gather.add_entry(&self.index.entries[entry], range);
            if let Some(finding) = gather.findings.last_mut().filter(|_| range == (0, 0)) {
                finding.original.clone_from(&finding.normalized);
            }
        }
    }

    /// An advert in the nickname, or somebody else's name: one of `protected`, of the settings, or a role's. `None` where the
    /// bearer may be called so.
    pub(super) fn name(&self, name: &str, protected: Option<&[String]>, gather: &mut Gather<'_>) {
        let mut quiet = true;
        let imitated = |protected: &[String]| {
            let real = names::imitates(name, protected);
            real.or_else(|| names::imitates(name, &self.settings.protected_names))
                .or_else(|| names::claims(name))
                .map(str::to_owned)
        };
        if let Some(real) = protected.and_then(imitated) {
            quiet = false;
            gather.add(Category::Impersonation, "name", NOWHERE, 1.0, Some(real.as_str().into()));
            if let Some(finding) = gather.findings.last_mut() {
                name.clone_into(&mut finding.original);
            }
        }
        let view = View::new(name);
        let links = links::find(&view);
        let hits = self.index.scan(&view, &contact::atoms(&view, &[], &links, &self.settings.own_domains)).hits;
        let words = hits.into_iter().filter(|hit| !hit.by_sound).map(|hit| (hit.entry, view.folded(hit.span)));
        let links: Vec<_> = links.into_iter().map(|link| (link, (0, 0))).collect();
        let signs = self.index.signs(&view.raw).into_iter().map(|(entry, ..)| entry);
        let signs = signs.chain(self.index.addresses().hits(&view.raw, &links).into_iter().map(|(entry, _)| entry));
        let signs = signs.map(|entry| (entry, self.index.entries[entry].entry.pattern.to_string()));
        for (entry, read_as) in words.chain(signs) {
            let compiled = &self.index.entries[entry];
            let (points, _) = self.settings.scores.weight(compiled.category, &compiled.rule);
            if compiled.entry.points.unwrap_or(points) < self.settings.scores.review {
                continue;
            }
            quiet = false;
            gather.add(compiled.category, "name", NOWHERE, 1.0, Some(compiled.place()));
            if let Some(finding) = gather.findings.last_mut() {
                name.clone_into(&mut finding.original);
                finding.normalized = read_as;
                finding.stage = compiled.entry.stage;
            }
            gather.set_stage(Some(&compiled.place()));
        }
        if quiet {
            gather.silent("*/name", "昵称没有问题");
        }
    }

    /// Nothing but signs or keys.
    pub(super) fn empty(input: &Input<'_>, gather: &mut Gather<'_>) {
        match mash::find(gather.view).filter(|_| input.role == Role::Member) {
            Some((name, span)) => {
                gather.add(Category::Junk, name, span, 1.0, None);
                if let Some(finding) = gather.findings.last_mut()
                    && finding.end == 0
                {
                    (finding.start, finding.end) = (0, gather.view.raw.len());
                    finding.original = gather.view.raw.iter().collect();
                }
            }
            None => gather.silent("junk/no-words", "有话说"),
        }
    }

    /// One message that fills the screen with one sentence.
    pub(super) fn repeated(input: &Input<'_>, gather: &mut Gather<'_>) {
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
    pub(super) fn learned(&self, gather: &mut Gather<'_>) {
        let models = &self.settings.learned;
        if models.is_empty() {
            return;
        }
        learned::likenesses(gather.view, models.iter().map(|(_, model)| &**model), |i, likeness| {
            let (category, model) = &models[i];
            if !likeness.review {
                gather.silent(&format!("{category}/learned"), format!("和学到的像 {}%", likeness.percent));
                return;
            }
            let all = Span { start: 0, end: gather.view.chars.len() };
            gather.add(*category, "learned", all, 1.0, Some(format!("{}%", likeness.percent).into()));
            let acts = likeness.act && model.record.may_act();
            if let Some(finding) = gather.findings.last_mut() {
                finding.score = if acts { self.settings.scores.act } else { self.settings.scores.review };
                finding.stage = if acts { Stage::Enforce } else { Stage::Pilot };
            }
        });
    }

    pub(super) fn memory(&self, input: &Input<'_>, before: &Before<'_>, gather: &mut Gather<'_>) -> Seen {
        let limits = &self.settings.limits;
        let view = gather.view;
        let listed = gather.findings.iter().any(|f| {
            f.score > 0.0 && f.stage != Stage::Observe && f.category != Category::Flood && !f.category.is_leak()
        });
        let seen = before.see(input.group, input.sender, input.at, &view.chars, limits, listed);
        let all = Span { start: 0, end: view.chars.len() };
        if input.role != Role::Member {
            gather.silent("flood/*", "群主、管理员和机器人不算刷屏");
            return seen;
        }
        let mut quiet = true;
        for (name, count, limit) in [
            ("rate", seen.rate, limits.rate + 1),
            ("repeat", seen.repeats, limits.repeats),
            ("campaign", seen.senders(), limits.campaign_senders),
            ("campaign-groups", seen.groups(input.sender), limits.campaign_groups),
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
        let before_all = gather.findings.len();
        self.spread(&seen.joined, |_| true, gather);
        if gather.findings.len() == before_all {
            let reach = |entry: &Compiled| self.settings.scores.supports(&entry.rule);
            self.spread(&seen.lines.join("\n"), reach, gather);
        }
        if seen.lines.is_empty() {
            gather.silent("*/spread", "前面没有可以连起来的短消息");
        } else if gather.findings.len() == before_all {
            gather.silent("*/spread", "和前面几条连起来也没有词条");
        }
        seen
    }

    /// A word typed over several messages, 加 · 我 · 微信, or a call and where to, 我的微信是 · lan8866: entries `of` some kind that go on
    /// from what was said before into the last message.
    fn spread(&self, joined: &str, of: impl Fn(&Compiled) -> bool, gather: &mut Gather<'_>) {
        if joined.is_empty() {
            return;
        }
        let view = View::new(joined);
        let last = gather.view.chars.len();
        let all = Span { start: 0, end: last };
        let before = view.chars.len().saturating_sub(last);
        for hit in self.index.scan(&view, &contact::atoms(&view, &[], &[], &[])).hits {
            if hit.by_sound || hit.span.start >= before || hit.span.end <= before {
                continue;
            }
            let compiled = &self.index.entries[hit.entry];
            let (points, _) = self.settings.scores.weight(compiled.category, &compiled.rule);
            let points = compiled.entry.points.unwrap_or(points);
            if points <= 0.0 || !of(compiled) {
                continue;
            }
            gather.add(compiled.category, "spread", all, 1.0, Some(compiled.place()));
            if let Some(finding) = gather.findings.last_mut() {
                finding.score = points;
                finding.normalized = view.folded(hit.span);
                finding.stage = compiled.entry.stage;
                finding.asks = hit.asks;
            }
            gather.set_stage(Some(&compiled.place()));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::{Detector, History, Input, Lists, Settings, Verdict};
    use crate::model::{Role, Timestamp};

    /// The verdict on the last of some messages of one person, a few seconds apart.
    fn last(lines: &[&str]) -> Verdict {
        static DETECTOR: std::sync::LazyLock<Detector> = std::sync::LazyLock::new(|| {
            Detector::build(&Lists::shipped(), Settings::new(jiff::civil::date(2026, 1, 1))).unwrap()
        });
        let history = History::new();
        let (group, sender) = ("g".into(), "lan".into());
        let mut verdict = Verdict::Clean;
        for (text, second) in lines.iter().zip(1..) {
            let at = Timestamp::from_second(second * 4).unwrap();
            let (role, explain) = (Role::Member, false);
            let input =
                Input { text, attachments: &[], group: &group, sender: &sender, sender_name: None, role, at, explain };
            verdict = DETECTOR.scan(&input, Some(&history)).verdict;
        }
        verdict
    }

    #[test]
    fn a_call_that_is_said_line_by_line_is_one_call() {
        for lines in
            [&["我的微信是", "lan8866"][..], &["加我", "微信", "kiki2077"], &["扣扣号码", "加我的扣扣", "38294756"]]
        {
            assert_eq!(last(lines), Verdict::Act, "{lines:?}");
        }
        for lines in
            [&["今天的单号是", "sf1234567"][..], &["微信群里说了", "下午三点开会"], &["我加一下", "微信支付已经到账"]]
        {
            assert_eq!(last(lines), Verdict::Clean, "{lines:?}");
        }
    }
}
