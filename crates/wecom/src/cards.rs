//! The cards people see: a warning, a request to the owner, its receipt, a notice, an appeal. Each is a `template_card` within
//! WeCom's length limits (acting.md §2.3), cut politely where a name or sentence is too long.
//!
//! A warning says which rule, why, the n-th of N, until when it counts and how to appeal. It never repeats what was said.

use serde_json::{Value, json};

/// Longest title, in characters.
const TITLE: usize = 36;
/// Longest line under the title.
const DESC: usize = 44;
/// Longest paragraph.
const PARAGRAPH: usize = 160;
/// Longest value in a row.
const VALUE: usize = 30;
/// Most rows.
const ROWS: usize = 6;
/// Longest text on a button.
const BUTTON: usize = 10;
/// Longest text that the buttons turn into; WeCom names no limit, a phone shows so much.
const LABEL: usize = 20;

/// A button; `key` comes back when it is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Button<'a> {
    /// What it says, at most ten characters.
    pub text: &'a str,
    /// What comes back.
    pub key: &'a str,
    /// The main choice.
    pub primary: bool,
}

/// Cuts to so many characters, with an ellipsis where something is missing.
fn cut(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    text.chars().take(chars - 1).chain(['…']).collect()
}

/// WeCom's `task_id`: digits, letters, `_-@`, at most 128 bytes, unique for ever.
pub fn task_id(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "_-@".contains(c) { c } else { '-' }).take(128).collect()
}

/// A card with buttons.
pub fn buttons(
    id: &str,
    title: &str,
    desc: &str,
    paragraph: &str,
    rows: &[(&str, String)],
    buttons: &[Button<'_>],
) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .take(ROWS)
        .map(|(name, value)| json!({ "keyname": cut(name, 5), "value": cut(value, VALUE) }))
        .collect();
    let buttons: Vec<Value> = buttons
        .iter()
        .map(|b| json!({ "text": cut(b.text, BUTTON), "style": if b.primary { 1 } else { 2 }, "key": b.key }))
        .collect();
    let mut card = json!({
        "card_type": "button_interaction",
        "source": { "desc": "群管", "desc_color": 0 },
        "task_id": task_id(id),
        "main_title": { "title": cut(title, TITLE) },
        "button_list": buttons,
    });
    if !desc.is_empty() {
        card["main_title"]["desc"] = json!(cut(desc, DESC));
    }
    if !paragraph.is_empty() {
        card["sub_title_text"] = json!(cut(paragraph, PARAGRAPH));
    }
    if !rows.is_empty() {
        card["horizontal_content_list"] = json!(rows);
    }
    card
}

/// What somebody said, as a quotation above the card's own words; behind it the clause that a row cannot hold.
fn quoting(words: &str, rule: &str, mut card: Value) -> Value {
    let (_, clause) = folded(rule);
    let clause = clause.map(|clause| cut(clause, PARAGRAPH)).unwrap_or_default();
    let quote = match (words.is_empty(), clause.is_empty()) {
        (true, true) => return card,
        (true, false) => ("群规", clause),
        (false, true) => ("原话", cut(words, PARAGRAPH)),
        (false, false) => ("原话", format!("{}\n群规：{clause}", cut(words, PARAGRAPH))),
    };
    card["quote_area"] = json!({ "type": 0, "title": quote.0, "quote_text": quote.1 });
    card
}

/// Whoever taps on what was said gets to a page that knows more.
pub fn leads_to(card: &mut Value, url: &str) {
    if card["quote_area"]["title"] == "原话" {
        card["quote_area"]["title"] = json!("原话（点开看前后文）");
        card["quote_area"]["type"] = json!(1);
        card["quote_area"]["url"] = json!(url);
    } else {
        card["card_action"] = json!({ "type": 1, "url": url });
    }
}

/// A rule as a row says it: whole, or where it stands, with its words for the quotation. Never half of a clause.
fn folded(rule: &str) -> (&str, Option<&str>) {
    if rule.chars().count() <= VALUE {
        return (rule, None);
    }
    match rule.split_once('：') {
        Some((place, clause)) => (place, Some(clause)),
        None => (rule, Some(rule)),
    }
}

/// What a warning card says.
#[derive(Clone, Debug)]
pub struct Warning<'a> {
    /// Unique id of the card.
    pub id: &'a str,
    /// `群规提醒（第 1 次）`, `已禁言 2 小时`, `已移出群聊`.
    pub title: &'a str,
    /// The group's name.
    pub group: &'a str,
    /// One or two sentences.
    pub text: &'a str,
    /// The clause or category.
    pub rule: &'a str,
    /// `第 1 次 / 共 3 次`; empty for none.
    pub count: String,
    /// When it stops counting; empty for no strike.
    pub expires: String,
    /// The case's id.
    pub case: &'a str,
    /// Where the member can write why it was wrong, if there is such a page.
    pub appeal: Option<String>,
    /// It asks for a message to be taken back: the choices are other ones.
    pub recall: bool,
}

/// A warning to the member alone.
pub fn warning(w: &Warning<'_>) -> Value {
    let rows = [
        ("依据", folded(w.rule).0.to_owned()),
        ("次数", w.count.clone()),
        ("失效", w.expires.clone()),
        ("编号", w.case.to_owned()),
    ];
    let other = |text, key| Button { text, key, primary: false };
    let mut choices = vec![Button { text: "知道了", key: "ack", primary: true }];
    if w.recall {
        choices.extend([other("误报", "false_alarm"), other("工作需要", "needed")]);
    } else {
        choices.push(other("申诉", "appeal"));
    }
    let mut card = buttons(w.id, w.title, w.group, w.text, &rows, &choices);
    if let (Some(url), Some(rows)) = (&w.appeal, card["horizontal_content_list"].as_array_mut()) {
        rows.push(json!({ "type": 1, "keyname": "申诉", "value": "写明理由", "url": url }));
    }
    quoting("", w.rule, card)
}

/// What a request to the owner says.
#[derive(Clone, Debug)]
pub struct OwnerTask<'a> {
    /// Unique id of the card.
    pub id: &'a str,
    /// `请移出成员 李四`.
    pub title: &'a str,
    /// The group's name.
    pub group: &'a str,
    /// What to do and why the bot cannot.
    pub text: &'a str,
    /// The member's name.
    pub member: &'a str,
    /// What it is about, where the clause does not say it.
    pub category: &'a str,
    /// When it was said.
    pub said: String,
    /// The clause or category.
    pub rule: &'a str,
    /// What was said, for the owner's judgement; cut.
    pub evidence: &'a str,
    /// By when.
    pub by: String,
    /// The case's id.
    pub case: &'a str,
    /// The choices.
    pub choices: &'a [Button<'a>],
}

/// A task card (代办卡) for the owner or an admin.
pub fn owner_task(t: &OwnerTask<'_>) -> Value {
    let rows = [
        ("成员", t.member.to_owned()),
        ("类别", t.category.to_owned()),
        ("时间", t.said.clone()),
        ("依据", folded(t.rule).0.to_owned()),
        ("请在", t.by.clone()),
        ("编号", t.case.to_owned()),
    ];
    quoting(t.evidence, t.rule, buttons(t.id, t.title, t.group, t.text, &rows, t.choices))
}

/// What the bot did by itself, for the owner and the admins.
pub fn owner_news(
    id: &str,
    title: &str,
    group: &str,
    text: &str,
    rows: &[(&'static str, String)],
    evidence: &str,
    choices: &[Button<'_>],
) -> Value {
    let rule = rows.iter().find(|(name, _)| *name == "依据").map_or("", |(_, rule)| rule.as_str());
    let fold = |(name, value): &(&'static str, String)| {
        (*name, if *name == "依据" { folded(value).0.to_owned() } else { value.clone() })
    };
    let rows: Vec<(&str, String)> = rows.iter().map(fold).collect();
    quoting(evidence, rule, buttons(id, title, group, text, &rows, choices))
}

/// A notice that wants an acknowledgement, or a reviewer's yes.
pub fn notice(id: &str, title: &str, text: &str, choices: &[Button<'_>]) -> Value {
    buttons(id, title, "", text, &[], choices)
}

/// An appeal, for a reviewer.
#[derive(Clone, Debug)]
pub struct Appeal<'a> {
    /// Unique id of the card.
    pub id: &'a str,
    /// The group's name.
    pub group: &'a str,
    /// Who appeals.
    pub member: &'a str,
    /// Why, in their words; may be empty.
    pub words: &'a str,
    /// What was said; cut.
    pub evidence: &'a str,
    /// `今天 10:00 警告`.
    pub done: String,
    /// `2 分（当时累计 4 分）`.
    pub points: String,
    /// The clause or category.
    pub rule: &'a str,
    /// By when to answer.
    pub by: String,
    /// The case's id.
    pub case: &'a str,
    /// What follows if the member is right.
    pub upheld: &'a str,
    /// Reasons to refuse it.
    pub refusals: &'a [Button<'a>],
}

/// Asks a reviewer to answer an appeal: right, or not and why.
pub fn appeal(a: &Appeal<'_>) -> Value {
    let rows = [
        ("成员", a.member.to_owned()),
        ("处置", a.done.clone()),
        ("记分", a.points.clone()),
        ("依据", folded(a.rule).0.to_owned()),
        ("请在", a.by.clone()),
        ("编号", a.case.to_owned()),
    ];
    let mut choices = vec![Button { text: "成立，撤销", key: "uphold", primary: true }];
    choices.extend_from_slice(a.refusals);
    let words = if a.words.is_empty() { "（没有写明）" } else { a.words };
    let text = format!("申诉理由：{words}\n{}不成立请点原因，也可以发：申诉 {} 不成立 您的话", a.upheld, a.case);
    quoting(a.evidence, a.rule, buttons(a.id, "成员申诉，请处理", a.group, &text, &rows, &choices))
}

/// A report of a member, for a reviewer; `credit` is how far the reporter was right before.
pub fn report(r: &Report<'_>) -> Value {
    let reason = if r.reason.is_empty() { String::new() } else { format!("举报理由：{}", r.reason) };
    let text = [r.then, &reason].into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    let rows = [
        ("发言人", r.author.to_owned()),
        ("时间", r.said.clone()),
        ("举报人", r.credit.clone()),
        ("编号", r.number.to_owned()),
    ];
    let button = |text, key, primary| Button { text, key, primary };
    let mut choices = vec![button("属实", "founded", !r.permitted), button("不属实", "unfounded", false)];
    if r.permitted {
        choices.insert(0, button("不算违规", "permitted", true));
    }
    choices.push(button("恶意举报", "malicious", false));
    quoting(r.words, "", buttons(r.id, "成员举报，请查看", r.group, &text, &rows, &choices))
}

/// What a report says.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// Unique id of the card.
    pub id: &'a str,
    /// The group's name.
    pub group: &'a str,
    /// What was said; cut.
    pub words: &'a str,
    /// Who said it, or that nobody knows.
    pub author: &'a str,
    /// Why it was reported; may be empty.
    pub reason: &'a str,
    /// How far the reporter was right before: `可信度 80%`.
    pub credit: String,
    /// When it was said.
    pub said: String,
    /// What had been ordered then; may be empty.
    pub then: &'a str,
    /// It had been permitted.
    pub permitted: bool,
    /// The report's id.
    pub number: &'a str,
}

/// The circuit breaker opened: resume, or take everything back.
pub fn breaker(id: &str, group: &str, why: &str, removed: &str) -> Value {
    let text = format!("{why}，已自动熔断：之后的违规只记录、不处置。移出的是：{removed}。请确认是否正确。");
    let choices = [
        Button { text: "恢复处置", key: "resume", primary: true },
        Button { text: "全部撤销", key: "undo", primary: false },
    ];
    buttons(id, "移出过多，已暂停处置", group, &text, &[], &choices)
}

/// What the buttons turn into after a press.
pub fn label(text: &str) -> String {
    cut(text, LABEL)
}

/// Greys a card's buttons out with what became of it, for `update_template_card`.
pub fn receipt(text: &str) -> Value {
    json!({ "replace_name": label(text) })
}

/// The same for a card of the smart bot, which answers a press with a whole card.
pub fn bot_receipt(by: &str, id: &str, text: &str) -> Value {
    json!({
        "response_type": "update_template_card",
        "userids": [by],
        "template_card": {
            "card_type": "text_notice",
            "task_id": id,
            "main_title": { "title": cut(text, TITLE) },
            "card_action": { "type": 0 },
        },
    })
}

/// A card of the smart bot, changed for everybody who sees it; the answer to a press.
pub fn bot_update_for_all(card: &Value) -> Value {
    json!({ "response_type": "update_template_card", "template_card": card })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning() {
        let card = warning(&Warning {
            id: "tell-8F2K-warn",
            title: "群规提醒（第 1 次）",
            group: "华东销售群",
            text: "您今天 14:30 的一条消息涉及「广告引流」，记 2 分。再次违规将被禁言 2 小时。",
            rule: "广告引流",
            count: "第 1 次 / 共 3 次".into(),
            expires: "12月23日 14:30".into(),
            case: "8F2K",
            appeal: Some("https://bot.example.com/a/8F2K".into()),
            recall: false,
        });
        insta::assert_json_snapshot!(card, @r#"
        {
          "button_list": [
            {
              "key": "ack",
              "style": 1,
              "text": "知道了"
            },
            {
              "key": "appeal",
              "style": 2,
              "text": "申诉"
            }
          ],
          "card_type": "button_interaction",
          "horizontal_content_list": [
            {
              "keyname": "依据",
              "value": "广告引流"
            },
            {
              "keyname": "次数",
              "value": "第 1 次 / 共 3 次"
            },
            {
              "keyname": "失效",
              "value": "12月23日 14:30"
            },
            {
              "keyname": "编号",
              "value": "8F2K"
            },
            {
              "keyname": "申诉",
              "type": 1,
              "url": "https://bot.example.com/a/8F2K",
              "value": "写明理由"
            }
          ],
          "main_title": {
            "desc": "华东销售群",
            "title": "群规提醒（第 1 次）"
          },
          "source": {
            "desc": "群管",
            "desc_color": 0
          },
          "sub_title_text": "您今天 14:30 的一条消息涉及「广告引流」，记 2 分。再次违规将被禁言 2 小时。",
          "task_id": "tell-8F2K-warn"
        }
        "#);
    }

    #[test]
    fn a_clause_is_never_cut_in_half() {
        let long = "《微信管理制度规章制度》第四条：不发违法、虚假信息，不侵害他人，也不说影响公司形象的话";
        let card = owner_news("id", "t", "g", "x", &[("依据", long.to_owned())], "加我", &[]);
        assert_eq!(card["horizontal_content_list"][0]["value"], "《微信管理制度规章制度》第四条");
        assert_eq!(
            card["quote_area"]["quote_text"],
            "加我\n群规：不发违法、虚假信息，不侵害他人，也不说影响公司形象的话"
        );
        assert_eq!(folded("广告引流"), ("广告引流", None));
    }

    #[test]
    fn receipts() {
        insta::assert_snapshot!(receipt("已核实：已不在群里"), @r#"{"replace_name":"已核实：已不在群里"}"#);
        insta::assert_snapshot!(bot_receipt("li", "ack-7K3M", "收到，谢谢"), @r#"{"response_type":"update_template_card","template_card":{"card_action":{"type":0},"card_type":"text_notice","main_title":{"title":"收到，谢谢"},"task_id":"ack-7K3M"},"userids":["li"]}"#);
        assert_eq!(label("群主反馈已处理（企业微信不提供核实方式）请留意").chars().count(), LABEL);
    }

    #[test]
    fn everything_is_cut_to_wecoms_limits() {
        let long = "很长".repeat(200);
        let choices = [Button { text: &long, key: "k", primary: true }];
        let card = owner_task(&OwnerTask {
            id: &"任务".repeat(100),
            title: &long,
            group: &long,
            text: &long,
            member: &long,
            category: &long,
            said: long.clone(),
            rule: &long,
            evidence: &long,
            by: long.clone(),
            case: &long,
            choices: &choices,
        });
        let chars = |value: &Value| value.as_str().unwrap().chars().count();
        assert_eq!(chars(&card["main_title"]["title"]), TITLE);
        assert_eq!(chars(&card["main_title"]["desc"]), DESC);
        assert_eq!(chars(&card["sub_title_text"]), PARAGRAPH);
        assert_eq!(chars(&card["button_list"][0]["text"]), BUTTON);
        for row in card["horizontal_content_list"].as_array().unwrap() {
            assert!(chars(&row["value"]) <= VALUE && chars(&row["keyname"]) <= 5);
        }
        assert!(card["task_id"].as_str().unwrap().len() <= 128);
        assert_eq!(task_id("ask-8F2K-remove@2"), "ask-8F2K-remove@2");
    }
}
