//! The detector as the settings and the wordlists want it.

use std::{path::Path, sync::Arc};

use tracing::warn;

use super::{Kinds, Problem, Settings, document::in_file, files::Kind};
use crate::{
    detect::{self, Detector, ListError, Lists, Mistakes, budget::Curve, kinds::KindRules, score::Scores},
    model::Timestamp,
};

/// Lines that are logged of each kind.
const LOGGED: usize = 20;

/// What is wrong with the wordlists and the price list, which are in force without it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListTroubles {
    /// Lines that do nothing.
    pub lines: Vec<Problem>,
    /// Files that cannot be read, sentences that are not judged as their list wants: a reload keeps the old lists instead.
    pub grave: Vec<Problem>,
    /// How files were read that are no plain lists, and what is worth a look.
    pub hints: Vec<Problem>,
}

impl ListTroubles {
    /// In one sentence; `None` if there are none.
    pub fn sentence(&self) -> Option<String> {
        let first = self.grave.first().or(self.lines.first())?;
        let count = self.grave.len() + self.lines.len();
        Some(format!("词表有 {count} 处没有读，其余照常：{first}；qunguan check 全部列出"))
    }
    /// Says them in the log.
    pub fn log(&self) {
        for problem in self.grave.iter().chain(&self.lines).take(LOGGED) {
            warn!("left out of the wordlists: {problem}");
        }
        let more = (self.grave.len() + self.lines.len()).saturating_sub(LOGGED);
        if more > 0 {
            warn!(more, "left out of the wordlists; qunguan check lists all");
        }
    }
}

impl Settings {
    /// Compiles the wordlists without what is wrong in them; `now` tells which entries have expired.
    pub fn detector(&self, now: Timestamp) -> Result<(Detector, ListTroubles), Vec<Problem>> {
        let (lists, mut grave) = self.lists();
        let (prices, wrong_prices) = self.prices();
        let (learned, wrong_models) = self.models();
        let settings = detect::Settings { prices, learned, ..self.detector_settings(now)? };
        let (detector, mistakes) = Detector::load(&lists, settings);
        let Mistakes { lines, examples, hints } = mistakes;
        grave.extend(self.list_problems(&examples));
        let mut lines = self.list_problems(&lines);
        lines.extend(wrong_prices);
        grave.extend(wrong_models);
        Ok((detector, ListTroubles { lines, grave, hints: self.list_problems(&hints) }))
    }

    /// The wordlists in force: the shipped ones, the config folder's over them entry by entry, without those switched off; and
    /// the files that cannot be read.
    pub fn lists(&self) -> (Lists, Vec<Problem>) {
        let mut lists = Lists::default();
        let mut unread = Vec::new();
        for name in self.files.list(Kind::Wordlist).iter().filter(|name| !self.detect.skip_wordlists.contains(name)) {
            match self.files.read_list(name) {
                Ok(form) => match self.files.beneath(name) {
                    Some(shipped) => lists.lay_over(&Kind::Wordlist.file(name), shipped, form),
                    None => lists.insert_form(&Kind::Wordlist.file(name), form),
                },
                Err(problem) => unread.push(problem),
            }
        }
        self.add_competitors(&mut lists);
        (lists, unread)
    }

    /// What the detector must know besides the lists, prices and models.
    fn detector_settings(&self, now: Timestamp) -> Result<detect::Settings, Vec<Problem>> {
        let own = &self.detect;
        Ok(detect::Settings {
            own_domains: own.allow_domains.clone(),
            names: own.brands.clone(),
            staff: own.staff_names.clone(),
            own_numbers: own.own_numbers.clone(),
            own_accounts: own.own_accounts.clone(),
            prices: Arc::default(),
            protected_names: own.protected_names.clone(),
            learned: Vec::new(),
            kinds: self.kinds(),
            content_rules: self.content_rules(),
            limits: own.flood.limits(),
            scores: self.scores()?,
            today: now.to_zoned(self.time_zone.clone()).date(),
        })
    }

    /// Kinds of messages that are not wanted, by group.
    pub fn kinds(&self) -> KindRules {
        let own = &self.detect.kinds;
        let groups = self.groups.iter().filter(|group| group.kinds != Kinds::default());
        KindRules {
            everywhere: Kinds::default().within(own),
            groups: groups.map(|group| (group.id.clone(), group.kinds.within(own))).collect(),
        }
    }

    /// What each signal weighs.
    pub fn scores(&self) -> Result<Scores, Vec<Problem>> {
        let file = self.files.scores().map_err(|problem| vec![problem])?;
        let mut scores = Scores::parse(&file.text).map_err(|mistakes| in_file(Path::new(&file.shown), &mistakes))?;
        if let Some(budget) = self.detect.false_alarms {
            scores.act = Curve::shipped().threshold(budget).max(scores.review);
        }
        Ok(scores)
    }

    /// Errors in lists, with the files' places as the admin knows them.
    pub fn list_problems(&self, errors: &[ListError]) -> Vec<Problem> {
        errors.iter().map(|e| Problem::new(self.files.shown(Kind::Wordlist, &e.file), e.line, &*e.message)).collect()
    }
}
