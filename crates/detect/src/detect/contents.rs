//! What a file holds, looked at as a whole: how many people's numbers, rows with prices or costs, lines that would not pass
//! as messages. One phone number at the end of a contract is nothing; three hundred of them are a customer table.

use std::sync::LazyLock;

use foldhash::HashSet;
use regex::Regex;

use super::leaks::{self, Kind};
use super::score::is_spam;
use super::view::View;
use super::{Detector, Input, Verdict};
use crate::model::{Category, GroupId, Inside, MemberId, Role, Timestamp};

/// Numbers are looked for in pieces of about so many characters; no number is longer than a line.
const PIECE: usize = 2000;
/// A longer line is judged up to here, in characters.
const LINE: usize = 1000;
/// A line with fewer Han characters says nothing.
const SAYS: usize = 4;
/// A cell with more characters is no heading.
const HEADING: usize = 14;
/// Fewer rows are no table.
const ROWS: usize = 3;

/// From when a person is asked about the numbers in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enough {
    /// So many mobile numbers, or so many e-mail addresses.
    pub reach: usize,
    /// So many ID or bank cards.
    pub cards: usize,
}

impl Default for Enough {
    fn default() -> Self {
        Self { reach: 10, cards: 3 }
    }
}

impl Enough {
    /// The numbers of a file are those of many people.
    pub(super) const fn people(self, inside: &Inside) -> bool {
        inside.mobiles >= self.reach
            || inside.emails >= self.reach
            || inside.id_cards >= self.cards
            || inside.bank_cards >= self.cards
    }
}

/// The rule under which what a file holds is found.
pub(super) const IN_FILE: &str = "in-file";

/// Is it a finding of what a file holds? It shows numbers and no words.
pub fn is_rule(rule: &str) -> bool {
    rule.rsplit_once('/').is_some_and(|(_, name)| name == IN_FILE)
}

/// What the company alone should know: costs, or keys; prices in a file that says it is not for everybody.
pub(super) fn tells_secrets(inside: &Inside) -> bool {
    let secret = inside.lines.iter().any(|(category, _)| *category == Category::LeakSecret);
    inside.credentials > 0 || inside.costs >= ROWS || secret
}

impl Detector {
    /// Counts what a file holds. The text has a line for each paragraph or row, with a tab between cells.
    pub fn contents(&self, text: &str) -> Inside {
        let mut inside = Inside::default();
        self.count_numbers(text, &mut inside);
        count_rows(text, &mut inside);
        self.count_lines(text, &mut inside);
        inside
    }

    fn count_numbers(&self, text: &str, inside: &mut Inside) {
        let mut seen: HashSet<(Kind, String)> = HashSet::default();
        for piece in pieces(text) {
            let (view, _, normalized) = View::all(piece);
            for (kind, span) in leaks::find(&view, &normalized) {
                if self.is_own_number(&view, kind, span) || !seen.insert((kind, view.folded(span))) {
                    continue;
                }
                *match kind {
                    Kind::Mobile => &mut inside.mobiles,
                    Kind::IdCard => &mut inside.id_cards,
                    Kind::BankCard => &mut inside.bank_cards,
                    Kind::Email => &mut inside.emails,
                    Kind::Credential => &mut inside.credentials,
                    Kind::IdCardShape => continue,
                } += 1;
            }
        }
    }

    /// Lines that would be acted on if somebody said them. Harsh words, slogans and repetition are no matter of files.
    fn count_lines(&self, text: &str, inside: &mut Inside) {
        let (nowhere, nobody) = (GroupId::from(""), MemberId::from(""));
        let matters = |category: Category| {
            category == Category::LeakSecret || category == Category::Violence || is_spam(category)
        };
        let mut judged: HashSet<&str> = HashSet::default();
        for line in text.lines() {
            let line = line.char_indices().nth(LINE).map_or(line, |(end, _)| &line[..end]);
            if line.chars().filter(|c| crate::text::is_han(*c)).take(SAYS).count() < SAYS || !judged.insert(line) {
                continue;
            }
            let input = Input {
                text: line,
                attachments: &[],
                group: &nowhere,
                sender: &nobody,
                sender_name: None,
                role: Role::Member,
                at: Timestamp::UNIX_EPOCH,
                explain: false,
            };
            let report = self.scan_at(&input, None, None);
            if report.verdict != Verdict::Act {
                continue;
            }
            for category in report.acting.into_iter().filter(|category| matters(*category)) {
                match inside.lines.iter_mut().find(|(other, _)| *other == category) {
                    Some((_, count)) => *count += 1,
                    None => inside.lines.push((category, 1)),
                }
            }
        }
    }
}

/// The text in pieces that end with a line.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let far = rest.char_indices().nth(PIECE).map(|(end, _)| end);
        let end = far.and_then(|far| rest[far..].find('\n').map(|more| far + more + 1)).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Counts rows that have a number under a heading of price or cost.
fn count_rows(text: &str, inside: &mut Inside) {
    static COST: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("成本|底价|进价|进货价|供货价|出厂价|拿货价|采购价|结算价|代理价|毛利|利润|返点|内部价")
            .expect("a fixed expression")
    });
    static PRICE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("单价|报价|价格|售价|批发价|零售价|含税价").expect("a fixed expression"));
    let (mut costs, mut prices): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    let (mut cost_rows, mut price_rows) = (0, 0);
    for line in text.lines() {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        if cells.len() < 2 {
            continue;
        }
        let headed = |kind: &Regex| -> Vec<usize> {
            let headings = cells.iter().enumerate().filter(|(_, c)| c.chars().count() <= HEADING && kind.is_match(c));
            headings.map(|(i, _)| i).collect()
        };
        let (cost, price) = (headed(&COST), headed(&PRICE));
        if !cost.is_empty() || !price.is_empty() {
            (costs, prices) = (cost, price);
            continue;
        }
        let filled = |columns: &[usize]| columns.iter().any(|i| cells.get(*i).is_some_and(|cell| is_amount(cell)));
        cost_rows += usize::from(filled(&costs));
        price_rows += usize::from(filled(&prices));
    }
    let table = |rows: usize| if rows >= ROWS { rows } else { 0 };
    (inside.costs, inside.prices) = (table(cost_rows), table(price_rows));
}

/// `12.5`, `￥1,280`, `35%`, `9.9元/件`.
fn is_amount(cell: &str) -> bool {
    static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[￥¥$]?\s*[0-9][0-9,]*(?:\.[0-9]+)?\s*(?:元|块|万|%|折)?(?:\s*/\s*\S{1,3})?$")
            .expect("a fixed expression")
    });
    AMOUNT.is_match(cell)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Lists, Settings};

    fn contents(text: &str) -> Inside {
        let mut settings = Settings::new(jiff::civil::date(2026, 1, 1));
        settings.own_numbers = vec!["13900001111".to_owned()];
        settings.own_domains = vec!["ours.cn".to_owned()];
        Detector::build(&Lists::shipped(), settings).unwrap().contents(text)
    }

    fn customers(count: usize) -> String {
        let rows = (0..count).map(|i| format!("客户{i}\t1380013{i:04}\t会员卡{i}\n"));
        format!("姓名\t电话\t卡号\n{}", rows.collect::<String>())
    }

    #[test]
    fn numbers_are_counted_once_and_the_companys_own_not_at_all() {
        let twice = customers(312).repeat(2) + "客服电话 13900001111\n联系 service@ours.cn\n";
        let inside = contents(&twice);
        assert_eq!((inside.mobiles, inside.emails), (312, 0));
        assert_eq!(inside.summary(), "312 个手机号");
        assert!(Enough::default().people(&inside));
        assert!(!Enough::default().people(&contents(&customers(9))), "nine people are a project's contacts");
        assert!(Enough { reach: 5, cards: 3 }.people(&contents(&customers(9))));
        let cards = "张三\t11010519491231002X\n李四\t440308199901101512\n王五\t110101199003077758\n";
        assert_eq!(contents(cards).id_cards, 3);
        assert_eq!(contents("登录密码：Xk29dk3021\n").credentials, 1);
    }

    #[test]
    fn what_a_table_costs_is_seen_by_its_headings() {
        let rows = "A款\t128.00\t56\nB款\t￥1,280\t600\nC款\t9.9元/件\t3.2\nD款\t面议\t面议\n";
        let costs = contents(&format!("产品\t售价\t成本价\n{rows}"));
        assert_eq!((costs.prices, costs.costs), (3, 3));
        assert!(tells_secrets(&costs));
        let prices = contents(&format!("产品\t零售价\t库存\n{rows}"));
        assert_eq!((prices.prices, prices.costs), (3, 0));
        assert!(!tells_secrets(&prices), "a price list alone is for customers to see");
        let secret = contents(&format!("内部资料，严禁外传给客户\n产品\t零售价\t库存\n{rows}"));
        assert!(tells_secrets(&secret), "{secret:?}");
        assert_eq!(contents("产品\t成本\nA\t12\nB\t13\n").costs, 0, "two rows are no table");
        assert_eq!(contents("成本构成分析\n本月成本 12.5 万元\n").costs, 0, "prose is none");
    }

    #[test]
    fn lines_that_would_not_pass_are_counted_and_ordinary_papers_have_none() {
        let inside = contents("产品说明书\n加微信 abc8899 领红包，兼职刷单日结三百\n请按说明安装\n");
        assert!(inside.lines.iter().any(|(_, count)| *count == 1), "{inside:?}");
        let contract = "采购合同\n甲方：华东门店\n乙方：某某商贸有限公司\n第一条 乙方按约定日期交货，货款月结。\n\
                        第二条 质量问题七日内退换。\n联系人：王小姐 13812345678\n";
        let inside = contents(contract);
        assert_eq!(inside, Inside { mobiles: 1, ..Inside::default() });
        assert_eq!(contents(""), Inside::default());
    }

    #[test]
    fn pieces_are_the_whole() {
        for text in [String::new(), "一\n".repeat(5000), "字".repeat(9000), format!("{}\n尾", "长".repeat(3000))] {
            assert_eq!(pieces(&text).collect::<String>(), text);
        }
    }
}
