//! What only the company knows, as the detector reads it: competitors as a wordlist of its own, goods and prices as a table.

use std::sync::Arc;

use super::{Problem, Settings, sheet};
use crate::{
    detect::{Lists, lexicon, prices::PriceList},
    zh,
};

/// The list made of `[detect] competitors` within its category, and the name of its group of words.
const LIST: &str = "设置里的同行";
/// Shortest name of a competitor, in characters.
pub(super) const SHORTEST: usize = 2;

impl Settings {
    /// Adds what asks a person when a competitor is named, and when he is spoken ill of.
    pub(super) fn add_competitors(&self, lists: &mut Lists) {
        const FIELDS: &str = "规则=competitor | 阶段=试点";
        let names = &self.detect.competitors;
        if names.is_empty() {
            return;
        }
        let named: String = names.iter().map(|name| format!("{name} | {FIELDS}\n")).collect();
        let ill = "【坏话】"; // of the shipped list, unless it is switched off or replaced
        let known = lists.iter().any(|(_, text)| text.lines().any(|line| line.starts_with(ill)));
        lists.insert(&format!("cross_promotion/{LIST}"), named);
        if known {
            let spoken = format!("【{LIST}】 = {}\n【{LIST}】 >8 {ill} | {FIELDS}\n", names.join(" / "));
            lists.insert(&format!("disparage/{LIST}"), spoken);
        }
    }

    /// The price list, and what is wrong with it: rows that are left out, or the file as a whole.
    pub(super) fn prices(&self) -> (Arc<PriceList>, Vec<Problem>) {
        let Some(name) = &self.detect.price_list else { return (Arc::default(), Vec::new()) };
        let path = self.files.resolve(name);
        let rows = std::fs::read(&path).map_err(|e| format!("价目表读不了：{}", zh::refusal(&e))).and_then(|bytes| {
            let rows = sheet::rows(&bytes).map(|sheet| sheet.map(|(rows, _)| rows));
            rows.unwrap_or_else(|| lexicon::rows(&bytes)).map_err(|note| note.message)
        });
        match rows {
            Ok(rows) => {
                let (list, wrong) = PriceList::of_rows(&rows);
                let wrong = wrong.into_iter().map(|note| Problem::new(&path, note.line, note.message));
                (Arc::new(list), wrong.collect())
            }
            Err(message) => (Arc::default(), vec![Problem::new(&path, 0, message)]),
        }
    }
}

/// Where an admin finds the lines of a list that is made of a setting.
pub(super) fn shown(file: &str) -> Option<&'static str> {
    file.ends_with(LIST).then_some("[detect] competitors")
}

/// Why a name cannot be looked for.
pub(super) fn unfit(name: &str) -> Option<&'static str> {
    if name.chars().count() < SHORTEST {
        Some("至少写两个字，一个字会误伤")
    } else if name.contains(['/', '、', '|', '~', '～', '>', '＞', '【', '】', '[', '#', '\t', '\n', '：']) {
        Some("只写名字，一个名字一项，不要带符号")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::{
        detect::{Verdict, evaluate::judge},
        model::Timestamp,
    };

    fn told(problems: &[Problem]) -> Vec<(usize, &str)> {
        problems.iter().map(|problem| (problem.line, &*problem.message)).collect()
    }

    #[test]
    fn what_the_company_knows_asks_a_person() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[detect]\nown_accounts = [\"haofang888\"]\ncompetitors = [\"青禾房产\", \"云雀\"]\nprice_list = \"prices.csv\"\n";
        fs::write(folder.path().join("prices.csv"), "商品,最低价,最高价\n草原奶,59,79\n面霜,贵,\n").unwrap();
        let settings = Settings::parse(text, &folder.path().join("qunguan.toml"), None).unwrap();
        assert!(settings.other_files().contains(&folder.path().join("prices.csv")));
        let (detector, troubles) = settings.detector(Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(told(&troubles.lines), [(3, "“贵”不是价格")]);
        for (text, verdict, rule) in [
            ("青禾房产那边有套更好的", Verdict::Review, "cross_promotion/competitor"),
            ("云 雀家的房子", Verdict::Review, "cross_promotion/competitor"),
            ("青禾房产都是骗人的", Verdict::Review, "disparage/competitor"),
            ("草原奶一箱45元", Verdict::Review, "unauthorised_promise/price-list"),
            ("草原奶一箱65元", Verdict::Clean, ""),
            ("加我们微信 haofang888", Verdict::Clean, ""),
        ] {
            let report = judge(&detector, text, false);
            assert_eq!(report.verdict, verdict, "{text}: {report:?}");
            assert!(rule.is_empty() || report.findings.iter().any(|found| &*found.rule == rule), "{text}: {report:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let parse = |text: &str| Settings::parse(text, Path::new("/nowhere/qunguan.toml"), None);
        let wrong = parse("[detect]\ncompetitors = [\n\"青禾\",\n\"云\",\n\"云雀/青禾\",\n]\n").unwrap_err();
        assert_eq!(
            told(&wrong),
            [(4, "“云”：至少写两个字，一个字会误伤"), (5, "“云雀/青禾”：只写名字，一个名字一项，不要带符号")]
        );
        let (list, wrong) = parse("[detect]\nprice_list = \"none.xlsx\"\n").unwrap().prices();
        assert!(list.is_empty());
        assert_eq!(told(&wrong), [(0, "价目表读不了：没有这个文件或文件夹")]);
    }
}
