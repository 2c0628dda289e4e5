//! Money for late answers (员工手册里的“红包”): off unless whoever publishes a notice says how much, and that they have read a plain
//! warning.

use serde::{Deserialize, Serialize};

use crate::{
    model::SignedDuration,
    refusal::{ActError, Code},
    zh::length,
};

/// What whoever switches money on must have read.
pub const FINE_WARNING: &str = "向员工罚款或要求发红包，在劳动争议中多次被认定为没有法律依据，可能违法并须退还。\
请先取得法务的书面意见；只记录迟到、不计金额，是默认的做法。确认已知悉后，请把 understood 设为 true（命令行写 --fine-understood）。";

/// How an amount grows with lateness. One fen is a hundredth of a yuan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Fine {
    /// For being late at all, fen.
    pub first_fen: u64,
    /// It stays at that for so many minutes after the deadline.
    pub grace_minutes: u64,
    /// Added for each full step after the grace, fen.
    pub step_fen: u64,
    /// Length of a step, minutes, at least 1.
    pub step_minutes: u64,
    /// Never more than this, fen.
    pub cap_fen: u64,
    /// [`FINE_WARNING`] was read.
    pub understood: bool,
}

/// The name of [`Fine::sales_staff_2016`].
pub const PRESET: &str = "sales-staff-2016";

/// How people write a [`Fine`]: every number, or the name of a preset and what differs from it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    preset: Option<String>,
    first_fen: Option<u64>,
    grace_minutes: Option<u64>,
    step_fen: Option<u64>,
    step_minutes: Option<u64>,
    cap_fen: Option<u64>,
    #[serde(default)]
    understood: bool,
}

impl TryFrom<Written> for Fine {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let preset = match written.preset.as_deref() {
            None => None,
            Some(PRESET) => Some(Self::sales_staff_2016()),
            Some(other) => return Err(format!("没有金额规则“{other}”，现有：{PRESET}")),
        };
        let number = |name: &str, own: Option<u64>, of: fn(&Self) -> u64| {
            own.or_else(|| preset.as_ref().map(of)).ok_or_else(|| format!("fine 里缺少 {name}（或写 preset）"))
        };
        Ok(Self {
            first_fen: number("first_fen", written.first_fen, |fine| fine.first_fen)?,
            grace_minutes: number("grace_minutes", written.grace_minutes, |fine| fine.grace_minutes)?,
            step_fen: number("step_fen", written.step_fen, |fine| fine.step_fen)?,
            step_minutes: number("step_minutes", written.step_minutes, |fine| fine.step_minutes)?,
            cap_fen: number("cap_fen", written.cap_fen, |fine| fine.cap_fen)?,
            understood: written.understood,
        })
    }
}

impl Fine {
    /// The preset `sales-staff-2016`: 5 yuan within two hours, 5 more for each further hour, at most 50. Not yet understood.
    pub const fn sales_staff_2016() -> Self {
        Self { first_fen: 500, grace_minutes: 120, step_fen: 500, step_minutes: 60, cap_fen: 5000, understood: false }
    }
    /// The amount for an answer so much after the deadline, fen. In time costs nothing; a step counts when it is full, to the
    /// second, however the minutes are rounded where people read them.
    pub fn amount(&self, late: SignedDuration) -> u64 {
        if late <= SignedDuration::ZERO {
            return 0;
        }
        let seconds = late.as_secs().unsigned_abs();
        let beyond = seconds.saturating_sub(self.grace_minutes.saturating_mul(60));
        let steps = beyond / self.step_minutes.max(1).saturating_mul(60);
        self.first_fen.saturating_add(steps.saturating_mul(self.step_fen)).min(self.cap_fen)
    }
    /// As members read it: `逾期 5 元，超过 2 小时后每满 1 小时加 5 元，最多 50 元`.
    pub fn zh(&self) -> String {
        let yuan = |fen: u64| {
            let (whole, rest) = (fen / 100, fen % 100);
            if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:02}") }
        };
        let minutes = |n: u64| length(SignedDuration::from_mins(i64::try_from(n).unwrap_or(i64::MAX / 60)));
        let after =
            if self.grace_minutes > 0 { format!("超过 {}后", minutes(self.grace_minutes)) } else { String::new() };
        let grows = match self.step_fen {
            0 => String::new(),
            step => format!(
                "，{after}每满 {}加 {} 元，最多 {} 元",
                minutes(self.step_minutes),
                yuan(step),
                yuan(self.cap_fen)
            ),
        };
        format!("逾期 {} 元{grows}", yuan(self.first_fen))
    }
    /// Refuses what nobody has understood, or what makes no sense.
    pub fn check(&self) -> Result<(), ActError> {
        if !self.understood {
            return Err(ActError::refused(Code::FineNotUnderstood, FINE_WARNING));
        }
        if self.step_minutes == 0 || self.cap_fen < self.first_fen {
            return Err(ActError::wrong("fine", "金额规则有误：每步至少 1 分钟，封顶不能低于首次金额"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_preset_is_named_and_may_be_changed() {
        let read = |text: &str| serde_json::from_str::<Fine>(text).map_err(|e| e.to_string());
        let preset = read(r#"{"preset":"sales-staff-2016","understood":true}"#).unwrap();
        assert_eq!(preset, Fine { understood: true, ..Fine::sales_staff_2016() });
        assert_eq!(serde_json::from_value::<Fine>(serde_json::to_value(&preset).unwrap()).unwrap(), preset);
        assert_eq!(read(r#"{"preset":"sales-staff-2016","cap_fen":3000}"#).unwrap().cap_fen, 3000);
        assert!(
            !read(r#"{"preset":"sales-staff-2016"}"#).unwrap().understood,
            "naming it is not having read the warning"
        );
        assert!(read(r#"{"preset":"x"}"#).unwrap_err().starts_with("没有金额规则“x”"));
        assert!(read(r#"{"first_fen":500}"#).unwrap_err().starts_with("fine 里缺少 grace_minutes"));
    }

    #[test]
    fn the_preset_at_its_edges() {
        let fine = Fine::sales_staff_2016();
        assert_eq!(fine.zh(), "逾期 5 元，超过 2 小时后每满 1 小时加 5 元，最多 50 元");
        let yuan = |late: SignedDuration| fine.amount(late) / 100;
        let (minute, second) = (SignedDuration::from_mins(1), SignedDuration::from_secs(1));
        for (late, expected) in [
            (SignedDuration::MIN, 0),
            (-second, 0),
            (SignedDuration::ZERO, 0),
            (SignedDuration::from_nanos(1), 5),
            (second, 5),
            (minute * 120, 5),
            (minute * 120 + second, 5),
            (minute * 180 - second, 5),
            (minute * 180, 10),
            (minute * 240 - second, 10),
            (minute * 240, 15),
            (minute * 660 - second, 45),
            (minute * 660, 50),
            (minute * 720, 50),
            (SignedDuration::from_hours(24 * 31), 50),
            (SignedDuration::MAX, 50),
        ] {
            assert_eq!(yuan(late), expected, "{late:?}");
        }
        assert!(fine.check().is_err(), "nobody has read the warning");
        assert!(Fine { understood: true, ..fine }.check().is_ok());
    }

    /// What a person with a stopwatch and a pile of coins would do: puts down the first amount as soon as somebody is late, waits
    /// for the grace to end, and puts down one more step each time the hand has gone round once.
    fn counted_by_hand(fine: &Fine, late_seconds: i64) -> u64 {
        let mut coins = 0;
        let mut hand = 0;
        for second in 1..=late_seconds.max(0) {
            if second == 1 {
                coins = fine.first_fen;
            }
            if second > fine.grace_minutes as i64 * 60 {
                hand += 1;
            }
            if hand == fine.step_minutes as i64 * 60 {
                hand = 0;
                coins += fine.step_fen;
            }
        }
        coins.min(fine.cap_fen)
    }

    fn fines() -> impl Strategy<Value = Fine> {
        let numbers = (0_u64..1_000, 0_u64..40, 0_u64..1_000, 1_u64..40, 0_u64..5_000);
        numbers.prop_map(|(first_fen, grace_minutes, step_fen, step_minutes, more)| Fine {
            first_fen,
            grace_minutes,
            step_fen,
            step_minutes,
            cap_fen: first_fen + more,
            understood: true,
        })
    }

    /// Moments a second around the edges: the deadline, the end of the grace, the ends of steps.
    fn moments(fine: &Fine) -> impl Strategy<Value = i64> + use<> {
        let (grace, step) = (fine.grace_minutes as i64 * 60, fine.step_minutes as i64 * 60);
        prop_oneof![
            -3_i64..4,
            (-2_i64..3).prop_map(move |off| grace + off),
            (1_i64..8, -2_i64..3).prop_map(move |(n, off)| grace + n * step + off),
            -100_000_i64..20_000,
        ]
    }

    proptest! {
        #[test]
        fn it_is_what_a_person_would_count(
            (fine, late) in fines().prop_flat_map(|fine| { let at = moments(&fine); (Just(fine), at) }),
        ) {
            let amount = |seconds: i64| fine.amount(SignedDuration::from_secs(seconds));
            prop_assert_eq!(amount(late), counted_by_hand(&fine, late));
            prop_assert!(amount(late + 1) >= amount(late), "it never falls");
        }

        #[test]
        fn after_months_it_is_the_cap_or_what_all_steps_come_to(fine in fines(), days in 60_i64..4_000) {
            let late = SignedDuration::from_hours(days * 24);
            let most = if fine.step_fen == 0 { fine.first_fen } else { fine.cap_fen };
            let enough = fine.step_fen * 2_000 >= fine.cap_fen; // sixty days hold more than two thousand steps
            if fine.step_fen == 0 || enough {
                prop_assert_eq!(fine.amount(late), most);
            }
            prop_assert!(fine.amount(late) <= fine.cap_fen);
        }
    }
}
