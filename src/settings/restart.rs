//! Which changed settings wait for a restart, by the name an admin wrote: addresses, accounts and tokens are taken once.

use std::collections::BTreeMap;

use super::{Settings, checks};

impl Settings {
    /// What differs from the settings the process began with and comes in force only when it begins anew, by section.
    pub fn waits_for_restart(&self, began: &Self) -> Vec<&'static str> {
        let (now, then) = (self.taken_once(), began.taken_once());
        now.iter().filter(|(name, value)| then.get(*name) != Some(value)).map(|(name, _)| *name).collect()
    }

    /// The settings that are taken once, in a form to compare. It holds secrets and is never shown.
    fn taken_once(&self) -> BTreeMap<&'static str, String> {
        let wecom = self.wecom.as_ref();
        let account = wecom.map(|w| (&w.corp_id, &w.api_base, &w.authorize_url));
        let mut values = BTreeMap::from([
            ("listen", self.listen.to_string()),
            ("data_dir", self.data_dir.display().to_string()),
            ("time_zone", self.time_zone.iana_name().unwrap_or_default().to_owned()),
            ("[store]", format!("{:?}", self.store)),
            ("[console]", format!("{:?}", self.console)),
            ("[http]", format!("{:?}", self.http)),
            ("[log]", format!("{:?}", self.log)),
            ("[detect.ocr]", format!("{:?}", self.detect.ocr)),
            ("[escalation]", format!("{:?}", self.escalation)),
            ("[wecom]", format!("{account:?}")),
            ("[wecom.app]", format!("{:?}", wecom.and_then(|w| w.app.as_ref()))),
            ("[wecom.bot]", format!("{:?}", wecom.and_then(|w| w.bot.as_ref()))),
            ("[wecom.urgent]", format!("{:?}", wecom.and_then(|w| w.urgent.as_ref()))),
            ("[wecom.archive]", format!("{:?}", wecom.and_then(|w| w.archive.as_ref()))),
            ("[[api_token]]", format!("{:?}", self.api_tokens)),
            ("[[group]] webhook", String::new()),
        ]);
        // A secret does not show itself, and a file of the same name may hold another.
        checks::each_secret(&mut self.clone(), &mut |path, secret| {
            if path.starts_with("detect.") {
                return; // taken anew with each question
            }
            let section = match path.split(['.', '[']).collect::<Vec<_>>()[..] {
                ["wecom", "app", ..] => "[wecom.app]",
                ["wecom", "bot", ..] => "[wecom.bot]",
                ["wecom", "urgent", ..] => "[wecom.urgent]",
                ["wecom", ..] => "[wecom.archive]",
                ["api_token", ..] => "[[api_token]]",
                _ => "[[group]] webhook",
            };
            let known = values.entry(section).or_default();
            known.push('\n');
            known.push_str(secret.expose());
        });
        values
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> Settings {
        Settings::parse(text, Path::new("x.toml"), Some(&|_| None)).unwrap()
    }

    #[test]
    fn what_is_taken_once_is_named_and_what_is_not_is_not() {
        let token = |value: &str| format!("[[api_token]]\nname = \"a\"\nvalue = \"{value}\"\n");
        let group = |more: &str| format!("[[group]]\nid = \"g\"\nmode = \"watch\"\n{more}");
        let began = read(&format!("{}{}", token("0123456789abcdef"), group("webhook = \"one\"\n")));
        assert_eq!(began.waits_for_restart(&began), Vec::<&str>::new());
        let lively = format!(
            "dry_run = true\n[detect]\nbrands = [\"好房网\"]\n[detect.second_opinion]\nurl = \"https://llm.example\"\nmodel = \"m\"\nkey = \"k\"\n[retention]\nmessages = \"90d\"\n{}{}",
            token("0123456789abcdef"),
            group("webhook = \"one\"\nname = \"华东\"\npolicy = \"gentle\"\n")
        );
        assert_eq!(read(&lively).waits_for_restart(&began), Vec::<&str>::new());
        let other = format!(
            "listen = \"127.0.0.1:9\"\ndata_dir = \"d\"\ntime_zone = \"Asia/Tokyo\"\n[log]\nlevel = \"debug\"\n[http]\n\
             api_bytes = 5\n[escalation]\nto = [\"a\"]\n[wecom]\ncorp_id = \"ww1\"\n{}{}",
            token("fedcba9876543210"),
            group("webhook = \"two\"\n")
        );
        assert_eq!(
            read(&other).waits_for_restart(&began),
            [
                "[[api_token]]",
                "[[group]] webhook",
                "[escalation]",
                "[http]",
                "[log]",
                "[wecom]",
                "data_dir",
                "listen",
                "time_zone",
            ]
        );
    }
}
