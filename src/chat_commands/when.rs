//! Times as people say them: 明天18:00, 周五下午3点, 月底, 后天上午, 18点半.

use jiff::{
    ToSpan, Zoned,
    civil::{Date, DateTime, Time, Weekday},
};

/// The end of a working day: what is meant by a day without a time.
const EVENING: Time = Time::constant(18, 0, 0, 0);
/// Names of days, the longer before those they begin with.
const DAYS: [(&str, i64); 9] = [
    ("大后天", 3),
    ("后天", 2),
    ("明天", 1),
    ("明日", 1),
    ("明早", 1),
    ("明晚", 1),
    ("今天", 0),
    ("今日", 0),
    ("今晚", 0),
];
/// Parts of a day: the hour from which its hours are counted, and the time that it means alone.
const PARTS: [(&str, i8, Time); 9] = [
    ("上午", 0, Time::constant(12, 0, 0, 0)),
    ("早上", 0, Time::constant(9, 0, 0, 0)),
    ("中午", 12, Time::constant(12, 0, 0, 0)),
    ("下午", 12, EVENING),
    ("傍晚", 12, EVENING),
    ("晚上", 12, Time::constant(21, 0, 0, 0)),
    ("下班", 12, EVENING),
    ("早", 0, Time::constant(9, 0, 0, 0)),
    ("晚", 12, Time::constant(21, 0, 0, 0)),
];

/// The moment that is meant; `None` where it is none of these. It may lie before `now`: 今天9点 in the evening.
pub fn moment(text: &str, now: &Zoned) -> Option<DateTime> {
    let text: String = text.trim().replace('：', ":").chars().filter(|c| !c.is_whitespace()).collect();
    let text = text.trim_end_matches(['前', '止']);
    let (day, rest, part) = day(text, now.date())?;
    if day.is_none() && rest.is_empty() {
        return None;
    }
    let time = clock(rest, part)?;
    Some(day.unwrap_or_else(|| now.date()).to_datetime(time))
}

/// The day that is named, the rest, and the part of the day that its name holds (明晚).
fn day(text: &str, today: Date) -> Option<(Option<Date>, &str, &'static str)> {
    for (name, days) in DAYS {
        if let Some(rest) = text.strip_prefix(name) {
            let part = if name.ends_with('晚') {
                "晚"
            } else if name.ends_with('早') {
                "早"
            } else {
                ""
            };
            return Some((Some(today.checked_add(days.days()).ok()?), rest, part));
        }
    }
    if let Some(rest) = text.strip_prefix("月底").or_else(|| text.strip_prefix("本月底")) {
        return Some((Some(today.last_of_month()), rest, ""));
    }
    let (next, tail) = text.strip_prefix('下').map_or((false, text), |tail| (true, tail));
    let tail = tail.strip_prefix(['本', '这']).unwrap_or(tail);
    if let Some(tail) = ["周", "星期", "礼拜"].iter().find_map(|name| tail.strip_prefix(name)) {
        let name = tail.chars().next()?;
        let offset = "一二三四五六日".chars().position(|c| c == name).or((name == '天').then_some(6))?;
        let wanted = Weekday::from_monday_zero_offset(offset as i8).ok()?;
        let monday = today.checked_sub(i64::from(today.weekday().to_monday_zero_offset()).days()).ok()?;
        let mut day = monday.checked_add(i64::from(wanted.to_monday_zero_offset()).days()).ok()?;
        if next || day < today {
            day = day.checked_add(1.week()).ok()?;
        }
        return Some((Some(day), &tail[name.len_utf8()..], ""));
    }
    if let Some((month, tail)) = text.split_once('月')
        && let Ok(month) = month.parse::<i8>()
    {
        let at = tail.find(['日', '号'])?;
        let day = Date::new(today.year(), month, tail[..at].parse().ok()?).ok()?;
        let day = if day < today { Date::new(today.year() + 1, month, day.day()).ok()? } else { day };
        return Some((Some(day), tail[at..].trim_start_matches(['日', '号']), ""));
    }
    Some((None, text, ""))
}

/// `18:00`, `18点`, `下午3点半`, `9点20分`, `上午`; nothing: the end of the working day.
fn clock(text: &str, part: &'static str) -> Option<Time> {
    let found = PARTS.iter().find_map(|(name, from, alone)| Some((text.strip_prefix(name)?, *from, *alone)));
    let (text, from, alone) = found
        .or_else(|| PARTS.iter().find(|(name, ..)| *name == part).map(|(_, from, alone)| (text, *from, *alone)))
        .unwrap_or((text, 0, EVENING));
    if text.is_empty() {
        return Some(alone);
    }
    let (hour, minute) = match text.split_once(':') {
        Some((hour, minute)) => (number(hour)?, number(minute)?),
        None => {
            let at = text.find(['点', '时'])?;
            let (hour, rest) = (number(&text[..at])?, text[at..].trim_start_matches(['点', '时', '钟']));
            let minute = match rest.trim_end_matches('分') {
                "" | "整" => 0,
                "半" => 30,
                "一刻" => 15,
                minutes => number(minutes)?,
            };
            (hour, minute)
        }
    };
    let hour = if from == 12 && hour < 12 { hour + 12 } else { hour };
    Time::new(hour, minute, 0, 0).ok()
}

/// `9`, `09`, `九`, `十二`.
fn number(text: &str) -> Option<i8> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let digit = |c: char| "零一二三四五六七八九".chars().position(|known| known == c).or((c == '两').then_some(2));
    let mut sum = 0;
    let mut chars = text.chars().peekable();
    if text.is_empty() {
        return None;
    }
    while let Some(c) = chars.next() {
        sum = match (c, chars.peek()) {
            ('十', _) => sum.max(1) * 10,
            (c, Some('十')) => digit(c)?,
            (c, _) => sum + digit(c)?,
        };
    }
    i8::try_from(sum).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_say_them() {
        // A Wednesday.
        let now: Zoned = "2026-05-06T17:00:00+08:00[Asia/Shanghai]".parse().unwrap();
        for (said, meant) in [
            ("明天18:00", "2026-05-07T18:00:00"),
            ("明天 9：30", "2026-05-07T09:30:00"),
            ("18点", "2026-05-06T18:00:00"),
            ("18点前", "2026-05-06T18:00:00"),
            ("明天9点", "2026-05-07T09:00:00"),
            ("周五下午3点", "2026-05-08T15:00:00"),
            ("星期五下午三点半", "2026-05-08T15:30:00"),
            ("周一", "2026-05-11T18:00:00"),
            ("下周三上午十点", "2026-05-13T10:00:00"),
            ("月底", "2026-05-31T18:00:00"),
            ("后天上午", "2026-05-08T12:00:00"),
            ("大后天中午12点", "2026-05-09T12:00:00"),
            ("今晚八点", "2026-05-06T20:00:00"),
            ("明早", "2026-05-07T09:00:00"),
            ("5月20日10点20分", "2026-05-20T10:20:00"),
            ("1月3号", "2027-01-03T18:00:00"),
            ("今天9点", "2026-05-06T09:00:00"),
            ("下午五点一刻", "2026-05-06T17:15:00"),
            ("今天下班前", "2026-05-06T18:00:00"),
            ("十二点", "2026-05-06T12:00:00"),
            ("晚上二十一点", "2026-05-06T21:00:00"),
        ] {
            assert_eq!(moment(said, &now), Some(meant.parse().unwrap()), "{said}");
        }
        for said in ["", "请各位", "明天见面说", "周末", "25点", "2h", "13月1日", "点", "下周", "三个人"]
        {
            assert_eq!(moment(said, &now), None, "{said}");
        }
    }
}
