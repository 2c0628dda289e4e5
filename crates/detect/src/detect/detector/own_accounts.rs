//! Accounts and numbers of the company itself: `加我们官方微信 haofang888` leads nobody away, so what asks to be reached there is
//! no advert. Where somebody else's account, number or link stands in the message too, all of it counts.

use super::Settings;
use crate::detect::index::Atoms;
use crate::detect::view::{Span, View, fold};

/// Typed characters between an own account and the words that ask to be reached there.
const REACH: usize = 12;
/// A shorter account is too easily a part of something else, in folded characters.
const SHORTEST: usize = 4;

/// All of them, folded.
#[derive(Debug, Default)]
pub(super) struct OwnAccounts(Vec<Vec<char>>);

/// How a message says to be reached.
pub(super) struct Contacts {
    /// Those that count: none if all of them are the company's own.
    pub(super) atoms: Atoms,
    /// Typed characters of the company's own; none if there are foreign ones.
    own: Vec<(usize, usize)>,
}

impl OwnAccounts {
    pub(super) fn of(settings: &Settings) -> Self {
        let all = settings.own_accounts.iter().chain(&settings.own_numbers);
        Self(all.map(|account| fold(account).chars().collect()).filter(|a: &Vec<char>| a.len() >= SHORTEST).collect())
    }

    /// Tells whether all contacts of a message are the company's own.
    pub(super) fn part(&self, view: &View, atoms: Atoms) -> Contacts {
        let mut own: Vec<Span> = Vec::new();
        for account in &self.0 {
            let starts = (0..view.chars.len()).filter(|at| view.chars[*at..].starts_with(account));
            let spans = starts.map(|start| Span { start, end: start + account.len() });
            own.extend(spans.filter(|span| view.bounded(*span)));
        }
        if own.is_empty() || atoms.iter().any(|(_, contact)| !own.iter().any(|own| own.touches(*contact))) {
            return Contacts { atoms, own: Vec::new() };
        }
        Contacts { atoms: Atoms::new(), own: own.into_iter().map(|span| view.raw_range(span)).collect() }
    }
}

impl Contacts {
    /// What stands there (typed characters) asks to be reached by the company's own account.
    pub(super) fn lead_home(&self, (start, end): (usize, usize)) -> bool {
        self.own.iter().any(|own| start <= own.1 + REACH && own.0 <= end + REACH)
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::{Detector, Lists, Settings, Verdict, evaluate::judge};

    #[test]
    fn the_companys_own_account_is_no_advert() {
        let mut settings = Settings::new(jiff::civil::date(2026, 1, 1));
        let foreign = Detector::build(&Lists::shipped(), settings.clone()).unwrap();
        settings.own_accounts = vec!["HaoFang_888".to_owned()];
        let own = Detector::build(&Lists::shipped(), settings).unwrap();
        for (text, leads_home) in [
            ("加我微信 haofang_888", true),
            ("需要的加我薇❤：haofang888 领资料", true),
            ("加我微信 haofang_888 或者 lan8866", false),
            ("加我微信 haofang_8889", false),
        ] {
            assert_eq!(judge(&own, text, false).verdict == Verdict::Clean, leads_home, "{text}");
            assert_ne!(judge(&foreign, text, false).verdict, Verdict::Clean, "{text}");
        }
    }
}
