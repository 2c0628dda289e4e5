//! The detector as the settings and the wordlists want it.

use std::path::Path;

use super::{Problem, Settings, document::in_file, files::Kind};
use crate::{
    detect::{self, Detector, ListError, Lists, score::Scores},
    model::Timestamp,
};

impl Settings {
    /// Compiles the wordlists; `now` tells which entries have expired. Every line that is wrong is a problem.
    pub fn detector(&self, now: Timestamp) -> Result<Detector, Vec<Problem>> {
        let lists = self.lists()?;
        Detector::build(&lists, self.detector_settings(now)?).map_err(|errors| self.list_problems(&errors))
    }

    /// The wordlists in force: the shipped ones, the config folder's over them, without those switched off.
    pub fn lists(&self) -> Result<Lists, Vec<Problem>> {
        let mut lists = Lists::default();
        for text in self.files.read_all(Kind::Wordlist)? {
            if !self.detect.skip_wordlists.contains(&text.name) {
                lists.insert(&format!("{}.txt", text.name), text.text);
            }
        }
        Ok(lists)
    }

    /// What the detector must know besides the lists.
    pub fn detector_settings(&self, now: Timestamp) -> Result<detect::Settings, Vec<Problem>> {
        let own = &self.detect;
        Ok(detect::Settings {
            own_domains: own.allow_domains.clone(),
            names: own.brands.clone(),
            staff: own.staff_names.clone(),
            own_numbers: own.own_numbers.clone(),
            protected_names: own.protected_names.clone(),
            learned: self.models()?,
            limits: own.flood.limits(),
            scores: self.scores()?,
            today: now.to_zoned(self.time_zone.clone()).date(),
        })
    }

    /// What each signal weighs.
    pub fn scores(&self) -> Result<Scores, Vec<Problem>> {
        let file = self.files.scores().map_err(|problem| vec![problem])?;
        Scores::parse(&file.text).map_err(|mistakes| in_file(Path::new(&file.shown), &mistakes))
    }

    /// Errors in lists, with the files' places as the admin knows them.
    pub fn list_problems(&self, errors: &[ListError]) -> Vec<Problem> {
        errors.iter().map(|e| Problem::new(self.files.shown(Kind::Wordlist, &e.file), e.line, &*e.message)).collect()
    }
}
