//! Links and domains: foreign links, short links, addresses that imitate the company's own, invitations into other groups,
//! downloads of programs. Own domains and well-known sites are left alone.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::leaks::folded_span;
use super::view::{Span, View};
use crate::model::Attachment;
use crate::text::domains;

/// What a path may begin with.
pub(super) const PATHS: [char; 3] = ['/', '?', '#'];

/// A link as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where in the message; empty for an attachment.
    pub span: Span,
    /// Host in lower case without `www.`.
    pub host: String,
    /// From the path's `/` on.
    pub path: String,
    /// It was typed so that a program would not see it: 点com, blanks, fancy letters.
    pub broken: bool,
}

/// What is wrong with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// Not on any list: a weak sign.
    Foreign,
    /// A throw-away name: letters and digits mixed on an ending that costs nothing.
    ThrowAway,
    /// A shortener hides where it leads.
    Short,
    /// Imitates an own or well-known domain.
    LookAlike,
    /// A bare IP address.
    Address,
    /// Leads into another group or adds a contact.
    Invitation,
    /// A program to install.
    Program,
    /// A payment code.
    Payment,
    /// A mini program or a code that opens a shop's goods.
    Shop,
}

/// Sites that give short addresses.
static SHORTENERS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let lines = include_str!("../../data/shorteners.txt").lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
});

const INVITATIONS: &[&str] = &[
    "t.me",
    "telegram.me",
    "telegram.dog",
    "qm.qq.com",
    "jq.qq.com",
    "weixin.qq.com/g",
    "u.wechat.com",
    "discord.gg",
    "discord.com/invite",
    "chat.whatsapp.com",
    "wa.me",
    "line.me",
    "work.weixin.qq.com/gm",
    "work.weixin.qq.com/u/",
    "work.weixin.qq.com/ca/",
    "work.weixin.qq.com/kfid/",
    "weixin.qq.com/r/",
    "weixin://",
];

const WELL_KNOWN: &[&str] = &[
    "qq.com",
    "weixin.qq.com",
    "baidu.com",
    "taobao.com",
    "tmall.com",
    "jd.com",
    "alipay.com",
    "aliyun.com",
    "163.com",
    "126.com",
    "weibo.com",
    "zhihu.com",
    "bilibili.com",
    "douyin.com",
    "kuaishou.com",
    "xiaohongshu.com",
    "meituan.com",
    "dianping.com",
    "ctrip.com",
    "12306.cn",
    "gov.cn",
    "edu.cn",
    "icbc.com.cn",
    "ccb.com",
    "boc.cn",
    "abchina.com",
    "bankcomm.com",
    "cmbchina.com",
    "pingan.com",
    "10086.cn",
    "10010.com",
    "189.cn",
    "sf-express.com",
    "people.com.cn",
    "xinhuanet.com",
    "cctv.com",
    "sina.com.cn",
    "sohu.com",
    "feishu.cn",
    "dingtalk.com",
    "github.com",
    "microsoft.com",
    "apple.com",
    "wps.cn",
    "kdocs.cn",
    "amap.com",
    "ke.com",
    "lianjia.com",
    "58.com",
    "anjuke.com",
    "pinduoduo.com",
    "yangkeduo.com",
    "suning.com",
    "vip.com",
    "mi.com",
    "huawei.com",
    "chsi.com.cn",
    "toutiao.com",
    "youku.com",
    "iqiyi.com",
    "gaode.com",
    "didiglobal.com",
    "cainiao.com",
    "wjx.cn",
    "wenjuan.com",
    "jinshuju.net",
];

/// Every link of a message, in the order of the ways they are found: plain addresses, broken ones, names of Han characters,
/// codes.
pub fn all(text: &str, view: &View) -> Vec<Link> {
    let mut links = Vec::new();
    // Every ending has letters, or what is read as some.
    if view.raw.iter().any(|c| may_be_letter(*c)) {
        links = find(view);
        add_broken(text, view, &mut links);
        add_han(view, &mut links);
    }
    add_codes(view, &mut links);
    links
}

/// A Latin letter, or something that may be read as one.
fn may_be_letter(c: char) -> bool {
    let other = matches!(c, '\0'..='\x7f' | '\u{3400}'..='\u{9fff}' | '\u{2010}'..='\u{2027}' | '\u{3000}'..='\u{303f}')
        || matches!(c, '\u{ff00}'..='\u{ff20}');
    c.is_ascii_alphabetic() || !other
}

/// Finds every address in what was typed; a domain needs a known ending, so that `v2.0` or `3.5折` is none.
pub fn find(view: &View) -> Vec<Link> {
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i)(?:(https?|ftp)://|(www\.))?",
            r"((?:[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?\.){1,4}",
            r"(?:com|cn|net|org|cc|top|xyz|vip|club|shop|site|online|info|biz|pro|ltd|wang|fun|icu|cyou|work|link|live|app|me|co|io|tv|ly|im|la|pw|ws|us|uk|hk|tw|ru|to|gg|gl|gd|so|nu|sk|ls|gy|at|mk|win|bid|loan|men|party|life|world|today|store|tech|space|website|ink|ren|bet|one|ga|tk|ml|cf|gq|mobi|asia|dev|art|group|love|red|kim|best|buzz|monster|rest|sbs|cfd|quest|bond|lol|beauty|hair|skin|makeup|autos|ph|my|sg|jp|kr|in|vn|th|eu|de|fr)",
            r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3})",
            r"(:[0-9]{2,5})?(/[a-z0-9._~%!$&'()*+,;=:@/?#\-]{0,300})?",
        ))
        .expect("a fixed expression")
    });
    let mut links = Vec::new();
    let plain: Vec<char> = view.raw.iter().map(|c| plain(*c)).collect();
    if !plain.iter().any(|c| matches!(c, '.' | '点' | '典')) {
        return links;
    }
    let raw: String = (0..plain.len()).map(|i| if dot(&plain, i) { '.' } else { plain[i] }).collect();
    let mut from = 0;
    while let Some(caps) = ADDRESS.captures_at(&raw, from) {
        let whole = caps.get(0).expect("group 0 is the match");
        from = whole.end().max(from + 1);
        while !raw.is_char_boundary(from) {
            from += 1;
        }
        let host = caps[3].to_ascii_lowercase();
        let explicit = caps.get(1).is_some() || caps.get(2).is_some();
        let bare_number = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let before = raw[..whole.start()].chars().next_back();
        let after = raw[whole.end()..].chars().next();
        let joined = before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '_' | '-'))
            || after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '@');
        if joined || bare_number && !explicit {
            continue;
        }
        let start = raw[..whole.start()].chars().count();
        let end = start + whole.as_str().chars().count();
        if let Some(span) = folded_span(view, start, end) {
            let path = caps.get(5).map_or(String::new(), |p| p.as_str().to_owned());
            links.push(Link { span, host: host.trim_start_matches("www.").to_owned(), path, broken: false });
        }
    }
    links
}

/// Adds the names of Han characters on a cheap ending (`随心.cc`, `余粮。top`): nobody in a group knows a site by one.
fn add_han(view: &View, links: &mut Vec<Link>) {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)(\p{Han}{1,6})(?:[.。．]|点)[ ]?(cc|top|com|vip|xyz|icu|club|bet|win|net)")
            .expect("a fixed expression")
    });
    if !view.raw.iter().any(|c| matches!(c, '.' | '。' | '．' | '点')) {
        return;
    }
    let raw: String = view.raw.iter().map(|c| plain_letter(*c)).collect();
    for found in NAME.captures_iter(&raw) {
        let whole = found.get(0).expect("group 0 is the match");
        let after = raw[whole.end()..].chars().next();
        let spoken = whole.as_str().contains('点') || whole.as_str().contains('。');
        // `三点vip客户到店`, `早点cc我`, `到了。top1是谁`: words of a sentence.
        if after.is_some_and(char::is_alphanumeric) && spoken
            || after.is_some_and(|c| c.is_ascii_alphanumeric())
            || spoken && !matches!(&found[2].to_ascii_lowercase()[..], "cc" | "top" | "com")
        {
            continue;
        }
        let start = raw[..whole.start()].chars().count();
        let end = start + whole.as_str().chars().count();
        if let Some(span) = folded_span(view, start, end)
            && !links.iter().any(|link| link.span.touches(span))
        {
            let host = format!("{}.{}", &found[1], found[2].to_ascii_lowercase());
            links.push(Link { span, host, path: String::new(), broken: false });
        }
    }
}

fn plain_letter(c: char) -> char {
    if matches!(c, '。' | '．') { c } else { plain(c) }
}

/// Adds the addresses that can only be read after their parts were put together.
fn add_broken(text: &str, view: &View, links: &mut Vec<Link>) {
    for domain in domains::find(text).into_iter().filter(|d| !d.transforms.is_empty()) {
        let Some(span) = folded_span(view, domain.start, domain.end) else { continue };
        match links.iter_mut().find(|link| link.span.touches(span)) {
            Some(link) => link.broken = true,
            None => links.push(Link {
                span,
                host: domain.host.trim_start_matches("www.").to_owned(),
                path: path(&view.raw, domain.end),
                broken: true,
            }),
        }
    }
}

/// One character for one character: full width, circled and mathematical letters as ASCII, the Chinese full stops as dots.
fn plain(c: char) -> char {
    use unicode_normalization::UnicodeNormalization;
    match c {
        c if c.is_ascii() => c,
        '。' | '．' | '｡' | '丶' => '.',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{4e00}'..='\u{9fff}' => c,
        c => {
            let mut folded = std::iter::once(c).nfkc();
            match (folded.next(), folded.next()) {
                (Some(ascii), None) if ascii.is_ascii() => ascii,
                _ => c,
            }
        }
    }
}

/// 点 or 典 between two Latin letters or digits stands for a dot: `abc88点cc`.
fn dot(plain: &[char], i: usize) -> bool {
    let latin = |c: Option<&char>| c.is_some_and(char::is_ascii_alphanumeric);
    matches!(plain[i], '点' | '典')
        && i > 0
        && latin(plain.get(i - 1))
        && latin(plain.get(i + 1))
        && !(plain[i - 1].is_ascii_digit() && plain[i + 1].is_ascii_digit())
}

/// Adds what WeChat, payment and shops write instead of addresses: `weixin://…`, `wxp://…`, `#小程序://店名/…`, `￥AbCd1234EfG￥`.
/// The host is all that comes before the last part, so that the company's own may be allowed.
fn add_codes(view: &View, links: &mut Vec<Link>) {
    static CODE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i)(?:weixin|wxp|wxpay|alipays?|alipayqr|pinduoduo|taobao|tbopen|openapp\.jdmobile|snssdk1128|kwai|xhsdiscover)://[0-9a-z_./?&=%-]{2,200}",
            r"|#小程序://[^/\s]{1,40}(?:/[0-9A-Za-z]{1,40})?",
            r"|[￥¥$€₤₳¢₴(（][0-9A-Za-z]{8,14}[￥¥$€₤₳¢₴)）]",
        ))
        .expect("a fixed expression")
    });
    let opens = |c: &char| matches!(c, '/' | '￥' | '¥' | '$' | '€' | '₤' | '₳' | '¢' | '₴' | '(' | '（');
    let mut opened = view.raw.iter().skip_while(|c| !opens(c)).skip(1);
    if !opened.any(|c| c.is_ascii_alphanumeric() || *c == '/') {
        return;
    }
    let raw: String = view.raw.iter().collect();
    for found in CODE.find_iter(&raw) {
        let text = found.as_str();
        let shop = text.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let mixed = |kind: fn(&u8) -> bool| shop.bytes().any(|b| kind(&b));
        let code = !text.contains("://");
        let all = [u8::is_ascii_digit, u8::is_ascii_lowercase, u8::is_ascii_uppercase];
        if code && !all.into_iter().all(mixed) {
            continue;
        }
        let start = raw[..found.start()].chars().count();
        let Some(span) = folded_span(view, start, start + text.chars().count()) else { continue };
        if links.iter().any(|link| link.span.touches(span)) {
            continue;
        }
        let lower = text.to_lowercase();
        let host = match lower.split_once("://") {
            Some(("#小程序", rest)) => format!("#小程序://{}", rest.split('/').next().unwrap_or(rest)),
            Some((scheme, _)) => format!("{scheme}://"),
            None => "口令".to_owned(),
        };
        links.push(Link { span, host, path: String::new(), broken: false });
    }
}

/// The host gives short addresses: one of the known sites, or one of `more`.
pub fn is_shortener(host: &str, more: &[String]) -> bool {
    SHORTENERS.iter().any(|site| within(host, site)) || is_own(host, more)
}

/// The short links of a message, as they can be asked where they lead; `more` are shorteners besides the known ones.
pub fn short(text: &str, attachments: &[Attachment], more: &[String]) -> Vec<String> {
    let view = View::new(text);
    let mut found: Vec<String> = Vec::new();
    for link in find(&view).into_iter().filter(|link| is_shortener(&link.host, more)) {
        let begins: String = view.raw[view.raw_range(link.span).0..].iter().take(7).collect();
        let scheme = if begins.eq_ignore_ascii_case("http://") { "http" } else { "https" };
        found.push(format!("{scheme}://{}{}", link.host, link.path));
    }
    for attachment in attachments {
        let Attachment::Link { url, .. } = attachment else { continue };
        if is_shortener(&parse(url).host, more) {
            found.push(if url.contains("://") { url.clone() } else { format!("https://{url}") });
        }
    }
    let mut once = HashSet::new();
    found.retain(|url| once.insert(url.clone()));
    found
}

/// Splits an address of an attachment.
pub fn parse(url: &str) -> Link {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = rest.find('/').map_or((rest, ""), |i| rest.split_at(i));
    let host = host.rsplit('@').next().unwrap_or(host).split(':').next().unwrap_or(host).to_ascii_lowercase();
    Link {
        span: Span { start: 0, end: 0 },
        host: host.trim_start_matches("www.").to_owned(),
        path: path.to_owned(),
        broken: false,
    }
}

/// The host is one of the company's own domains or lies below one.
pub fn is_own(host: &str, own: &[String]) -> bool {
    own.iter().any(|domain| within(host, &domain.to_ascii_lowercase()))
}

fn within(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

impl Link {
    /// What is wrong with it; `None` for own and well-known sites.
    pub fn trouble(&self, own: &[String]) -> Option<Trouble> {
        let listed = |list: &[&str]| {
            list.iter().any(|item| match item.split_once('/') {
                Some((domain, path)) => {
                    within(&self.host, domain) && self.path.trim_start_matches('/').starts_with(path)
                }
                None => within(&self.host, item),
            })
        };
        let path = self.path.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        let mine = |own: &String| {
            own.split_once('/').is_some_and(|(domain, path)| {
                within(&self.host, &domain.to_ascii_lowercase()) && self.path.trim_start_matches('/').starts_with(path)
            })
        };
        if is_own(&self.host, own) || own.iter().any(mine) {
            return None;
        }
        match self.host.split_once("://") {
            Some(("wxp" | "wxpay" | "alipay" | "alipays" | "alipayqr", _)) => return Some(Trouble::Payment),
            Some(("weixin", _)) => return Some(Trouble::Invitation),
            Some(_) => return Some(Trouble::Shop),
            None if self.host == "口令" => return Some(Trouble::Shop),
            None if self.host == "qr.alipay.com" => return Some(Trouble::Payment),
            None => {}
        }
        if [".apk", ".exe", ".bat", ".scr", ".msi", ".ipa", ".mobileconfig", ".vbs", ".cmd"]
            .iter()
            .any(|e| path.ends_with(e))
        {
            return Some(Trouble::Program);
        }
        if listed(INVITATIONS) {
            return Some(Trouble::Invitation);
        }
        if is_shortener(&self.host, &[]) {
            return Some(Trouble::Short);
        }
        if listed(WELL_KNOWN) {
            return None;
        }
        if self.host.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Some(Trouble::Address);
        }
        let imitates =
            own.iter().map(String::as_str).chain(WELL_KNOWN.iter().copied()).any(|real| imitates(&self.host, real));
        Some(match (imitates, throw_away(&self.host)) {
            (true, _) => Trouble::LookAlike,
            (false, true) => Trouble::ThrowAway,
            (false, false) => Trouble::Foreign,
        })
    }
}

impl Link {
    /// Written for people to type into a browser: nobody copied it from there. A name on `.com`, or one that can be read
    /// (shop88), may be a company's.
    pub fn is_typed_by_hand(&self, view: &View) -> bool {
        let (name, ending) = self.host.rsplit_once('.').unwrap_or_default();
        let label = name.rsplit('.').next().unwrap_or_default();
        let reads = |run: &str| run.len() >= 4 && run.contains(['a', 'e', 'i', 'o', 'u']);
        self.span.start < self.span.end
            && ending != "com"
            && !label.split(|c: char| !c.is_ascii_alphabetic()).any(reads)
            && !view.original(self.span).contains("//")
    }
}

fn throw_away(host: &str) -> bool {
    const CHEAP: &[&str] = &[
        "top", "vip", "cc", "xyz", "icu", "club", "win", "bid", "bet", "cyou", "buzz", "monster", "sbs", "cfd",
        "quest", "lol", "one", "app", "me", "tv", "fun", "pw", "us", "live", "pro", "co", "wang", "ltd", "online",
        "site", "space",
    ];
    if host.chars().any(crate::text::is_han) {
        return true;
    }
    let Some((name, ending)) = host.rsplit_once('.') else { return false };
    let label = name.rsplit('.').next().unwrap_or(name);
    let digits = label.bytes().filter(u8::is_ascii_digit).count();
    CHEAP.contains(&ending) && label.len() >= 3 && digits >= 1 && digits + 7 >= label.len()
        || ending == "com" && digits >= 3 && label.len() >= 5
}

/// `icbc-com.top`, `1cbc.com.cn`, `taoba0.com`: the name of a known site on another domain, or one letter off.
fn imitates(host: &str, real: &str) -> bool {
    let name = |domain: &str| domain.split('.').next().unwrap_or_default().to_owned();
    let real_name = name(real);
    if real_name.len() < 4 || real_name.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let folded: String = host
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | 'l' | 'i' => 'l',
            '5' => 's',
            c => c,
        })
        .collect();
    let real_folded: String = real_name.chars().map(|c| if c == 'i' { 'l' } else { c }).collect();
    folded.split(['.', '-']).any(|label| label == real_folded && host != real) && !host.ends_with(real)
        || real_folded.len() >= 6
            && folded.split('.').any(|label| strsim::damerau_levenshtein(label, &real_folded) == 1)
}

/// File names that install or run something.
pub fn runs_code(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".exe", ".apk", ".bat", ".cmd", ".scr", ".vbs", ".js", ".jar", ".msi", ".ps1", ".com", ".pif", ".lnk", ".hta"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// The path that is typed from a character on; empty if there is none.
pub(super) fn path(typed: &[char], from: usize) -> String {
    const INSIDE: &str = "._~%!$&'()*+,;=:@/?#-";
    let port = typed.get(from) == Some(&':');
    let from = if port { from + 1 + typed[from + 1..].iter().take_while(|c| c.is_ascii_digit()).count() } else { from };
    let rest = typed.get(from..).unwrap_or_default();
    if !rest.first().is_some_and(|c| PATHS.contains(c)) {
        return String::new();
    }
    rest.iter().take_while(|c| c.is_ascii_alphanumeric() || INSIDE.contains(**c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_links_as_they_can_be_asked() {
        let qr = |url: &str| Attachment::Link { url: url.into(), title: String::new(), origin: "qr".into() };
        let more = ["s.ours.cn".to_owned()];
        for (text, parts, expected) in [
            ("看 http://t.cn/A6abc 和 dwz.cn/Xy", vec![], vec!["http://t.cn/A6abc", "https://dwz.cn/Xy"]),
            ("https://www.baidu.com/a", vec![], vec![]),
            ("t.cn/A t.cn/A", vec![qr("https://t.cn/A"), qr("bit.ly/q")], vec!["https://t.cn/A", "https://bit.ly/q"]),
            ("s.ours.cn/1", vec![], vec!["https://s.ours.cn/1"]),
            ("nott.cn/A", vec![], vec![]),
        ] {
            assert_eq!(short(text, &parts, &more), expected, "{text}");
        }
    }
}
