//! What would have happened: history is replayed through the lists and through one or two policies, and nobody is touched.
//!
//! Every message is judged as if it had just been said; each policy keeps its own imagined standing of every member, so a
//! ladder climbs as it would have. Somebody a policy has muted or removed could not have spoken: those messages are counted
//! and not judged. A burst is one deed, as it is for the live bot. The live bot's records are not read and not changed.

mod tally;

use std::collections::HashMap;

pub use tally::{Change, Count, Lists, Parted, Side, Tally};

use crate::{
    calendar::Calendar,
    detect::{Detector, History, Input, Report},
    groups::{self, Names},
    model::{CaseId, GroupId, GroupKind, MemberId, Message, Mode, Role, Step},
    moderation::deed::{Continued, Deed},
    policy::{self, Decision, Facts, MemberState, Policy, Standing},
    settings::{Flood, Settings},
};

/// Which policy judges a group.
pub type Choose<'a> = Box<dyn Fn(&GroupId) -> &'a Policy + 'a>;

/// Other lists that judge the same messages, to see what would become of them.
struct Candidate<'a> {
    detector: &'a Detector,
    history: History,
    track: Track<'a>,
}

/// One run over history: feed it messages in order, then read [`Replay::tally`].
pub struct Replay<'a> {
    detector: &'a Detector,
    settings: &'a Settings,
    calendar: &'a Calendar,
    history: History,
    names: HashMap<(GroupId, MemberId), String>,
    tracks: Vec<Track<'a>>,
    candidate: Option<Candidate<'a>>,
    tally: Tally,
}

/// One policy with the standings it brought about.
struct Track<'a> {
    choose: Choose<'a>,
    people: HashMap<(GroupId, MemberId), Imagined>,
}

/// How a member would stand, and the last deed they would have been told of or asked about.
#[derive(Default)]
struct Imagined {
    standing: Standing,
    deed: Option<Deed>,
}

/// What would have become of a message under one policy.
enum Fate {
    /// Its sender could not have spoken.
    Prevented,
    /// It went on with what had been acted on.
    Continued,
    /// This.
    Decided(Decision),
}

impl<'a> Replay<'a> {
    /// `policies`: a name for people and the choice of the policy for each group; one, or two to compare.
    pub fn new(
        detector: &'a Detector,
        settings: &'a Settings,
        calendar: &'a Calendar,
        policies: Vec<(String, Choose<'a>)>,
    ) -> Self {
        let (names, tracks): (Vec<_>, Vec<_>) =
            policies.into_iter().map(|(name, choose)| (name, Track { choose, people: HashMap::new() })).unzip();
        Self {
            detector,
            settings,
            calendar,
            history: History::new(),
            names: HashMap::new(),
            tracks,
            candidate: None,
            tally: Tally::new(names),
        }
    }

    /// Other lists beside those in force, under the policies that `choose` says.
    #[must_use]
    pub fn beside(mut self, detector: &'a Detector, choose: Choose<'a>) -> Self {
        let track = Track { choose, people: HashMap::new() };
        self.candidate = Some(Candidate { detector, history: History::new(), track });
        self.tally.lists = Some(Lists::default());
        self
    }

    /// One message; `wrong` says that a person judged the bot wrong about it, if anybody did.
    pub fn see(&mut self, message: &Message, wrong: Option<bool>) {
        let place = Place::find(self.settings, self.calendar, message);
        // A name is judged when it is new, as in the live bot.
        let name = message.sender_name.as_ref().filter(|name| {
            let key = (message.group.clone(), message.sender.clone());
            self.names.insert(key, (*name).clone()).as_ref() != Some(*name)
        });
        let input = Input {
            text: &message.text,
            attachments: &message.attachments,
            group: &message.group,
            sender: &message.sender,
            sender_name: name.map(String::as_str),
            role: place.role,
            at: message.at,
            explain: false,
        };
        let report = self.detector.scan(&input, Some(&self.history));
        self.tally.message(message, &report, wrong);
        let windows = &self.settings.detect.flood;
        let fates: Vec<Fate> =
            self.tracks.iter_mut().map(|track| track.decide(message, &place, &report, windows)).collect();
        self.tally.fates(message, &fates);
        if let Some(candidate) = &mut self.candidate {
            let other = candidate.detector.scan(&input, Some(&candidate.history));
            let fate = candidate.track.decide(message, &place, &other, windows);
            self.tally.lists(message, (&report, fates.first()), (&other, &fate));
        }
    }

    /// What was counted so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl Track<'_> {
    fn decide(&mut self, message: &Message, place: &Place, report: &Report, windows: &Flood) -> Fate {
        let key = (message.group.clone(), message.sender.clone());
        let Imagined { standing, deed } = self.people.entry(key).or_default();
        match standing.state {
            MemberState::Muted { until } if until > message.at => return Fate::Prevented,
            MemberState::Removed | MemberState::Banned => return Fate::Prevented,
            MemberState::Muted { .. } | MemberState::Normal => standing.state = MemberState::Normal,
        }
        let facts = Facts {
            report,
            group: &message.group,
            kind: place.kind,
            mode: place.mode,
            role: place.role,
            external: place.external,
            at: message.at,
            working: place.working,
            breaker_open: false,
            watched: &[],
            untold: false,
            strict_until: None,
            exempt: false,
            permitted: &[],
        };
        let decision = policy::decide((self.choose)(&message.group), standing, &facts, message.at);
        standing.messages += 1;
        standing.since.get_or_insert(message.at);
        if decision.opens_case() {
            let goes_on = deed.as_ref().and_then(|deed| deed.goes_on(message.at, &decision, windows));
            if let (Some(deed), Some(Continued::Counted)) = (deed.as_mut(), goes_on) {
                deed.last = deed.last.max(message.at);
                return Fate::Continued;
            }
            let asked = decision.step == Step::Review;
            *deed = Some(Deed {
                category: decision.category,
                severity: decision.severity,
                asked,
                // The live bot tells within seconds, unless a person is asked first.
                told: (!asked && !decision.needs_human).then_some(message.at),
                last: message.at,
            });
            policy::apply(standing, &decision, &CaseId::new(message.id.as_str()), message.at);
        }
        Fate::Decided(decision)
    }
}

/// What the settings know of the sender's place.
struct Place {
    kind: GroupKind,
    mode: Mode,
    role: Role,
    external: bool,
    working: Option<bool>,
}

impl Place {
    /// A group that is not in the settings counts as one where everything can be done, so that the whole ladder shows.
    fn find(settings: &Settings, calendar: &Calendar, message: &Message) -> Self {
        let id = message.group.as_str();
        let working = calendar.is_working(message.at);
        let group = settings.groups.iter().find(|g| g.id == message.group || g.aliases().any(|alias| alias == id));
        let Some(group) = group else {
            return Self { kind: GroupKind::App, mode: Mode::Full, role: Role::Member, external: false, working };
        };
        let role = if group.owner.as_ref() == Some(&message.sender) {
            Role::Owner
        } else if group.admins.contains(&message.sender) {
            Role::Admin
        } else {
            Role::Member
        };
        // History has neither member lists nor the address book.
        let external = groups::is_external(&message.sender, None, &Names::new());
        Self { kind: group.kind(), mode: group.mode, role, external, working }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Channel, Timestamp},
        settings::Files,
    };

    #[test]
    fn the_ladder_climbs_and_two_policies_part() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("wordlists/ads")).unwrap();
        std::fs::write(folder.path().join("wordlists/ads/own.txt"), "蓝色大象来电\n").unwrap();
        let settings = Settings { files: Files::in_folder(folder.path()), ..Settings::default() };
        let start: Timestamp = "2026-11-23T10:00:00+08:00".parse().unwrap();
        let (detector, _) = settings.detector(start).unwrap();
        let policies = settings.policies().unwrap();
        let (default, gentle) = (&*policies["default"], &*policies["gentle"]);
        let calendar = settings.calendar().unwrap();
        let mut replay = Replay::new(
            &detector,
            &settings,
            &calendar,
            vec![("default".into(), Box::new(|_| default)), ("gentle".into(), Box::new(|_| gentle))],
        );
        for hour in 0..5 {
            let at = start + crate::model::SignedDuration::from_hours(hour * 3);
            let text = format!("第 {hour} 次说，蓝色大象来电");
            let message = Message::text(Channel::Http, &hour.to_string(), "g", "lisi", at, &text);
            replay.see(&message, (hour == 0).then_some(true));
            let calm = Message::text(Channel::Http, &format!("calm{hour}"), "g", "wangwu", at, "收到，下午三点开会");
            replay.see(&calm, None);
        }
        let tally = replay.tally();
        assert_eq!((tally.messages, tally.hits, tally.people), (10, 5, 1));
        let [strict, mild] = &tally.policies[..] else { panic!("two policies") };
        assert_eq!(strict.steps.get("warn"), Some(&1));
        assert_eq!(strict.steps.get("mute"), Some(&1));
        assert_eq!(strict.steps.get("remove"), Some(&1));
        assert_eq!(strict.prevented, 2, "after the removal nothing more could be said");
        assert_eq!((mild.steps.get("remove"), mild.prevented), (None, 1), "muted for a day instead");
        assert!(tally.differing > 0 && tally.changes.len() as u64 == tally.differing);
        let worst = tally.worst_entry.as_ref().unwrap();
        assert_eq!(tally.entries[worst].false_alarms, 1);
    }

    #[test]
    fn other_lists_act_more_here_and_fewer_there() {
        let start: Timestamp = "2026-11-23T10:00:00+08:00".parse().unwrap();
        let settings = |words: &str| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(folder.path().join("wordlists/ads")).unwrap();
            std::fs::write(folder.path().join("wordlists/ads/own.txt"), format!("[阶段=执行]\n{words}\n")).unwrap();
            let settings = Settings { files: Files::in_folder(folder.path()), ..Settings::default() };
            let detector = settings.detector(start).unwrap().0;
            (settings, detector)
        };
        let ((now, detector), (_, other)) = (settings("蓝色大象来电"), settings("绿色大象来电"));
        let policies = now.policies().unwrap();
        let calendar = now.calendar().unwrap();
        let policy: &Policy = &policies["default"];
        let mut replay = Replay::new(&detector, &now, &calendar, vec![("default".into(), Box::new(|_| policy))])
            .beside(&other, Box::new(|_| policy));
        for (n, text) in
            ["蓝色大象来电 13812345678", "绿色大象来电了", "绿色大象来电啦", "下午三点开会"].iter().enumerate()
        {
            let at = start + crate::model::SignedDuration::from_hours(n as i64);
            replay.see(&Message::text(Channel::Http, &n.to_string(), "g", &format!("p{n}"), at, text), None);
        }
        let lists = replay.tally().lists.as_ref().unwrap();
        assert_eq!((lists.more.messages, lists.more.people), (2, 2));
        assert_eq!((lists.fewer.messages, lists.fewer.people), (1, 1));
        assert_eq!(lists.more.samples[0].word, "绿色大象来电");
        assert_eq!(lists.more.samples[0].steps, [None, Some(Step::Warn)]);
        assert_eq!(lists.fewer.samples[0].text, "蓝色大象来电 〔号码〕", "numbers are nobody's business");
        assert_eq!(lists.fewer.samples[0].steps, [Some(Step::Warn), Some(Step::Review)]);
    }

    #[test]
    fn a_burst_is_one_deed() {
        let start: Timestamp = "2026-11-23T10:00:00+08:00".parse().unwrap();
        let settings = Settings::default();
        let (detector, _) = settings.detector(start).unwrap();
        let policies = settings.policies().unwrap();
        let calendar = settings.calendar().unwrap();
        let policy: &Policy = &policies["default"];
        let mut replay = Replay::new(&detector, &settings, &calendar, vec![("default".into(), Box::new(|_| policy))]);
        for second in [0, 20, 40, 600] {
            let at = start + crate::model::SignedDuration::from_secs(second);
            replay.see(&Message::text(Channel::Http, &second.to_string(), "g", "lisi", at, "加我V信领红包"), None);
        }
        let [side] = &replay.tally().policies[..] else { panic!("one policy") };
        assert_eq!((side.steps.get("warn"), side.steps.get("mute"), side.continued), (Some(&1), Some(&1), 2));
    }
}
