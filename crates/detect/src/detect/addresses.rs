//! Entries and exceptions that are web addresses. `badsite.com` hits links to that site and below it (`m.badsite.com`),
//! `badsite.com/shop` only those whose path begins so, also where the address was typed in pieces (`badsite点com`).
//! `允许：help.badsite.com` leaves a part of it alone: of an entry and an exception the longer one holds.

use foldhash::HashMap;

use super::links::{self, Link, PATHS};
use crate::text::domains;

/// Endings that make a word of a list an address, besides those of [`domains`]: countries, and what else names have.
const MORE: &str = "uk de fr it es nl eu ch at se no fi dk pl pt gr cz ro hu ie be ca au nz my sg ph vn th id in pk br mx ar cl \
                    za ae sa il tr ua kz ir mo edu gov mil int mobi name loan date men party review stream trade download \
                    science racing faith cricket accountant ooo love red kim best one bid life world today news video games \
                    game poker porn sex xxx adult cam dating chat plus run zone center company network systems agency \
                    market money finance cash bank credit loans fund gold vin wine beer bar pizza cafe coffee house land \
                    city wiki blog page art design photo photos media team group social email help support guru ninja";

/// An address of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// In lower case without `www.`.
    pub host: String,
    /// From the path's `/` on; empty for the whole site.
    pub path: String,
}

impl Address {
    /// Reads a word of a list; `None` if it is no address.
    pub fn read(word: &str) -> Option<Self> {
        let word = word.trim();
        if !word.contains('.') || word.contains(|c: char| c.is_whitespace() || matches!(c, '@' | '【' | '】')) {
            return None;
        }
        let lower = word.to_lowercase();
        let (rest, said) = match lower.split_once("://") {
            Some(("http" | "https" | "ftp", rest)) => (rest, true),
            Some(_) => return None,
            None => (&*lower, false),
        };
        let (rest, said) =
            ["*.", "www."].iter().fold((rest, said), |(rest, said), begin| match rest.strip_prefix(begin) {
                Some(rest) => (rest, true),
                None => (rest, said),
            });
        let (host, path) = rest.find(PATHS).map_or((rest, ""), |at| rest.split_at(at));
        let host = host.split_once(':').map_or(host, |(host, _)| host).trim_end_matches('.');
        let labels: Vec<&str> = host.split('.').collect();
        let fine = |label: &&str| {
            !label.is_empty()
                && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || crate::text::is_han(c))
        };
        let ending = *labels.last()?;
        let number = labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok());
        let letters = ending.len() >= 2 && ending.chars().all(|c| c.is_ascii_alphabetic() || crate::text::is_han(c));
        let known = said || domains::is_ending(ending) || MORE.split_ascii_whitespace().any(|known| known == ending);
        let punycode = ending.starts_with("xn--");
        (labels.len() >= 2 && labels.iter().all(fine) && (number || punycode || letters && known))
            .then(|| Self { host: host.to_owned(), path: if path == "/" { String::new() } else { path.to_owned() } })
    }
}

/// What an address of the lists is there for.
#[derive(Clone, Copy, Debug)]
enum What {
    Entry(u32),
    Allow,
}

/// The addresses of all lists.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    by_host: HashMap<Box<str>, Vec<(Box<str>, What)>>,
}

impl Addresses {
    fn add(&mut self, address: Address, what: What) {
        self.by_host.entry(address.host.into()).or_default().push((address.path.into(), what));
    }

    /// Takes an entry.
    pub(super) fn deny(&mut self, address: Address, entry: u32) {
        self.add(address, What::Entry(entry));
    }

    /// Takes an exception, if the phrase is an address.
    pub(super) fn allow(&mut self, phrase: &str) {
        if let Some(address) = Address::read(phrase) {
            self.add(address, What::Allow);
        }
    }

    /// Whole sites that are excepted.
    pub fn allowed(&self) -> impl Iterator<Item = &str> {
        let whole = |(path, what): &(Box<str>, What)| path.is_empty() && matches!(what, What::Allow);
        self.by_host.iter().filter(move |(_, all)| all.iter().any(whole)).map(|(host, _)| &**host)
    }

    /// Nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.by_host.is_empty()
    }

    /// The entries that an address falls under, and whether an exception holds.
    pub fn find(&self, host: &str, path: &str) -> (Vec<usize>, bool) {
        let path = path.to_lowercase();
        let mut longest = 0;
        let mut found: Vec<(usize, usize)> = Vec::new();
        let mut allowed = 0;
        let mut rest = Some(host);
        while let Some(domain) = rest {
            for (begin, what) in self.by_host.get(domain).map(Vec::as_slice).unwrap_or_default() {
                let weight = domain.len() + begin.len();
                if !path.starts_with(&**begin) {
                    continue;
                }
                longest = longest.max(weight);
                match what {
                    What::Entry(entry) => found.push((weight, *entry as usize)),
                    What::Allow => allowed = allowed.max(weight),
                }
            }
            rest = domain.split_once('.').map(|(_, parent)| parent);
        }
        found.retain(|(weight, _)| *weight > allowed);
        (found.into_iter().map(|(_, entry)| entry).collect(), allowed > 0 && allowed == longest)
    }

    /// The entries that the links of a message and the hosts that stand in it fall under, with the typed characters.
    pub(super) fn hits(&self, typed: &[char], links: &[(Link, (usize, usize))]) -> Vec<(usize, (usize, usize))> {
        let mut hits: Vec<(usize, (usize, usize))> = Vec::new();
        if self.is_empty() {
            return hits;
        }
        let hosts = hosts(typed).into_iter().map(|(address, range)| (address.host, address.path, range));
        let links = links.iter().map(|(link, range)| (link.host.clone(), link.path.clone(), *range));
        for (host, path, range) in links.chain(hosts) {
            for entry in self.find(&host, &path).0 {
                if !hits.iter().any(|(other, _)| *other == entry) {
                    hits.push((entry, range));
                }
            }
        }
        hits
    }
}

/// Everything in a text that is written like a host, whatever it ends in.
fn hosts(typed: &[char]) -> Vec<(Address, (usize, usize))> {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut found = Vec::new();
    let mut start = 0;
    while start < typed.len() {
        if !part(typed[start]) {
            start += 1;
            continue;
        }
        let end = start + typed[start..].iter().take_while(|c| part(**c)).count();
        let text: String = typed[start..end].iter().flat_map(|c| c.to_lowercase()).collect();
        let host = text.trim_matches('.');
        if host.contains('.') {
            let host = host.strip_prefix("www.").unwrap_or(host).to_owned();
            let path = links::path(typed, end);
            found.push((Address { host, path }, (start, end)));
        }
        start = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Detector, Lists, Settings, evaluate};
    use crate::model::Category;

    #[test]
    fn words_of_lists_that_are_addresses() {
        let read = |word| Address::read(word).map(|a| (a.host, a.path));
        for (word, host, path) in [
            ("kuaile8.com", "kuaile8.com", ""),
            ("https://www.KuaiLe8.com/", "kuaile8.com", ""),
            ("*.kuaile8.co.uk", "kuaile8.co.uk", ""),
            ("kuaile8.top:8443/Shop?x=1", "kuaile8.top", "/shop?x=1"),
            ("93.184.1.9", "93.184.1.9", ""),
            ("快乐.com", "快乐.com", ""),
            ("http://kuaile8.zuan", "kuaile8.zuan", ""),
        ] {
            assert_eq!(read(word), Some((host.to_owned(), path.to_owned())), "{word}");
        }
        for word in ["加微信", "3.5折", "v2.0", "node.js", "a@qq.com", "u.s", "等等...", "你.好", "vx.abc123"] {
            assert_eq!(read(word), None, "{word}");
        }
    }

    #[test]
    fn an_address_of_a_list_hits_links_however_they_are_written() {
        let mut lists = Lists::default();
        let list = "kuaile8.com\nshop.hao9.net/vip\n93.184.1.9\nkuaile8.zuanshi.example\nhttps://leyuan.invalid\n允许：help.kuaile8.com\n";
        lists.insert("gambling/own.txt", list.to_owned());
        let detector = Detector::build(&lists, Settings::new(jiff::civil::date(2026, 1, 1))).unwrap();
        let hits = |text: &str| {
            let report = evaluate::judge(&detector, text, false);
            let entries = report.findings.into_iter().filter(|f| f.category == Category::Gambling);
            entries
                .filter_map(|f| f.entry)
                .map(|entry| entry.rsplit(':').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        for (text, line) in [
            ("看看 kuaile8.com", "1"),
            ("https://m.KuaiLe8.com/a/b?c=1", "1"),
            ("kuaile8点com 上分", "1"),
            ("kuaile8。com", "1"),
            ("kuaile8 . com", "1"),
            ("去www.kuaile8.com注册", "1"),
            ("shop.hao9.net/vip/7", "2"),
            ("93.184.1.9", "3"),
            ("http://93.184.1.9:8080/x", "3"),
            ("leyuan.invalid 见", "5"),
        ] {
            assert_eq!(hits(text), [line], "{text}");
        }
        for text in [
            "shop.hao9.net/about",
            "nokuaile8.com",
            "help.kuaile8.com/faq",
            "kuaile8.com.cn",
            "快乐吧",
            "kuaile8 computer",
        ] {
            assert_eq!(hits(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn an_allowed_site_is_no_foreign_link() {
        let mut lists = Lists::shipped();
        lists.insert("ads/own.txt", "允许：wode99.top\n".to_owned());
        let detector = Detector::build(&lists, Settings::new(jiff::civil::date(2026, 1, 1))).unwrap();
        let found = |text: &str| evaluate::judge(&detector, text, false).findings.len();
        assert_eq!(found("资料在 https://m.wode99.top/a"), 0);
        assert!(found("资料在 https://m.wode98.top/a") > 0);
    }
}
