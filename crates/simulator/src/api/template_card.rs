//! Checks a `template_card` field by field, with the code WeCom has for each fault.

use serde_json::Value;

use super::{Errcode, fail};

/// Who sends the card; each way allows something else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// `message/send`: every type; interactive ones need a `task_id`.
    App,
    /// A change of a card that was sent: the `task_id` may be left out.
    Update,
    /// 智能机器人: every type; interactive ones need a `task_id`.
    Bot,
    /// 消息推送: only the two notices, no answers.
    Webhook,
}

const KEY_BYTES: usize = 1024;
const TASK_BYTES: usize = 128;

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}
fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}
fn chars(value: &Value, field: &str) -> usize {
    text(value, field).chars().count()
}
fn key_ok(key: &str) -> bool {
    !key.is_empty() && key.len() <= KEY_BYTES
}

/// Options of a selector: 1..=`most`, each with an id (unique) and a text.
fn options(value: &Value, most: usize, code: i64) -> Result<(), Errcode> {
    let options = list(value, "option_list");
    if options.is_empty() || options.len() > most {
        return fail(code, format!("option_list must have 1..{most} entries"));
    }
    let mut ids = Vec::new();
    for option in options {
        let id = text(option, "id");
        if id.is_empty() || id.len() > 128 || ids.contains(&id) {
            return fail(42040, "option id is missing, too long or repeated");
        }
        if text(option, "text").is_empty() {
            return fail(42041, "option text is missing");
        }
        ids.push(id);
    }
    Ok(())
}

/// Checks a card; its lengths only if they are to be more than advice.
pub fn check(card: &Value, from: From, lengths: bool) -> Result<(), Errcode> {
    if lengths {
        check_lengths(card, from)?;
    }
    let kind = text(card, "card_type");
    let known = ["text_notice", "news_notice", "button_interaction", "vote_interaction", "multiple_interaction"];
    if !known.contains(&kind) || (from == From::Webhook && !kind.ends_with("_notice")) {
        return fail(42031, "invalid card_type");
    }
    let interactive = kind.ends_with("_interaction");
    check_task(card, from, interactive)?;
    check_title(card, kind)?;
    check_lists(card)?;
    if !interactive {
        let action = &card["card_action"];
        match action["type"].as_i64() {
            Some(1) if text(action, "url").is_empty() => return fail(42028, "card_action.url is missing"),
            Some(2) if text(action, "appid").is_empty() => return fail(42030, "card_action.appid is missing"),
            Some(1 | 2) => {}
            _ => return fail(42045, "card_action is missing"),
        }
        if kind == "news_notice" && !card["card_image"].is_object() && !card["image_text_area"].is_object() {
            return fail(42034, "card_image or image_text_area is missing");
        }
    }
    match kind {
        "button_interaction" => check_buttons(card),
        "vote_interaction" => {
            if text(&card["checkbox"], "question_key").is_empty() {
                return fail(42043, "checkbox.question_key is missing");
            }
            options(&card["checkbox"], 20, 42037)?;
            check_submit(card)
        }
        "multiple_interaction" => {
            let selects = list(card, "select_list");
            if selects.is_empty() || selects.len() > 3 {
                return fail(42047, "select_list must have 1..3 entries");
            }
            for select in selects {
                if text(select, "question_key").is_empty() {
                    return fail(42043, "select_list.question_key is missing");
                }
                options(select, 10, 42047)?;
            }
            check_submit(card)
        }
        _ => Ok(()),
    }
}

fn check_task(card: &Value, from: From, interactive: bool) -> Result<(), Errcode> {
    let menu = &card["action_menu"];
    if menu.is_object() {
        let actions = list(menu, "action_list");
        let mut keys: Vec<_> = actions.iter().map(|a| text(a, "key")).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        if !(1..=3).contains(&count) || keys.len() != count || keys.iter().any(|k| !key_ok(k)) {
            return fail(42051, "action_menu: 1..3 actions with unique keys");
        }
    }
    let task = text(card, "task_id");
    let wanted = (interactive || menu.is_object()) && matches!(from, From::App | From::Bot);
    if task.is_empty() {
        return if wanted { fail(42014, "task_id is missing") } else { Ok(()) };
    }
    if task.len() > TASK_BYTES || !task.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-@".contains(&b)) {
        return fail(42014, "invalid task_id");
    }
    Ok(())
}

fn check_title(card: &Value, kind: &str) -> Result<(), Errcode> {
    let title = &card["main_title"];
    let has_title = !text(title, "title").is_empty();
    if kind == "text_notice" && !has_title && text(card, "sub_title_text").is_empty() {
        return fail(42032, "main_title.title or sub_title_text is needed");
    }
    if kind != "text_notice" && !has_title {
        return fail(42032, "main_title.title is missing");
    }
    Ok(())
}

/// Lengths that WeCom's page advises (建议); the bot's own page has other ones.
fn check_lengths(card: &Value, from: From) -> Result<(), Errcode> {
    let bot = from == From::Bot;
    let [title, desc, sub_title, value] = if bot { [26, 30, 112, 26] } else { [36, 44, 160, 30] };
    if chars(&card["main_title"], "title") > title || chars(&card["main_title"], "desc") > desc {
        return fail(42036, format!("main_title too long: title {title}, desc {desc} characters"));
    }
    if chars(card, "sub_title_text") > sub_title {
        return fail(42036, format!("sub_title_text too long: {sub_title} characters"));
    }
    let emphasis = &card["emphasis_content"];
    if chars(emphasis, "title") > 14 || chars(emphasis, "desc") > 22 {
        return fail(42036, "emphasis_content too long: title 14, desc 22 characters");
    }
    for row in list(card, "horizontal_content_list") {
        if chars(row, "keyname") > 5 || chars(row, "value") > value {
            return fail(42035, format!("horizontal_content_list too long: keyname 5, value {value} characters"));
        }
    }
    if list(card, "button_list").iter().any(|button| chars(button, "text") > 10) {
        return fail(42038, "button text is longer than 10 characters");
    }
    Ok(())
}

fn check_lists(card: &Value) -> Result<(), Errcode> {
    let rows = list(card, "horizontal_content_list");
    if rows.len() > 6 {
        return fail(42035, "horizontal_content_list has more than 6 entries");
    }
    for row in rows {
        if text(row, "keyname").is_empty() {
            return fail(42027, "horizontal_content_list.keyname is missing");
        }
        match row["type"].as_i64() {
            Some(1) if text(row, "url").is_empty() => return fail(42028, "horizontal_content_list.url is missing"),
            Some(2) if text(row, "media_id").is_empty() => return fail(42029, "media_id is missing"),
            Some(3) if text(row, "userid").is_empty() => return fail(42050, "userid is missing"),
            _ => {}
        }
    }
    let jumps = list(card, "jump_list");
    if jumps.len() > 3 {
        return fail(42042, "jump_list has more than 3 entries");
    }
    for jump in jumps {
        if text(jump, "title").is_empty() {
            return fail(42033, "jump_list.title is missing");
        }
    }
    Ok(())
}

fn check_buttons(card: &Value) -> Result<(), Errcode> {
    let select = &card["button_selection"];
    if select.is_object() {
        if text(select, "question_key").is_empty() {
            return fail(42043, "button_selection.question_key is missing");
        }
        options(select, 10, 42047)?;
    }
    let buttons = list(card, "button_list");
    if buttons.is_empty() || buttons.len() > 6 {
        return fail(42044, "button_list must have 1..6 entries");
    }
    let mut keys = Vec::new();
    for button in buttons {
        if text(button, "text").is_empty() {
            return fail(42038, "button text is missing");
        }
        if button["type"].as_i64() == Some(1) {
            if text(button, "url").is_empty() {
                return fail(42028, "button url is missing");
            }
            continue;
        }
        let key = text(button, "key");
        if !key_ok(key) || keys.contains(&key) {
            return fail(42039, "button key is missing, too long or repeated");
        }
        keys.push(key);
    }
    Ok(())
}

fn check_submit(card: &Value) -> Result<(), Errcode> {
    let button = &card["submit_button"];
    if !button.is_object() || text(button, "text").is_empty() {
        return fail(42049, "submit_button.text is missing");
    }
    if !key_ok(text(button, "key")) {
        return fail(42046, "submit_button.key is missing or too long");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(card: &Value) -> i64 {
        check(card, From::App, true).err().map_or(0, |e| e.0)
    }

    #[test]
    fn every_fault_has_its_own_code() {
        let good = json!({"card_type": "button_interaction", "task_id": "case-1", "main_title": {"title": "请处理"},
            "button_list": [{"text": "已移出", "style": 1, "key": "done"}]});
        assert_eq!(code(&good), 0);
        let with = |field: &str, value: Value| {
            let mut card = good.clone();
            card[field] = value;
            card
        };
        assert_eq!(code(&with("card_type", "poster".into())), 42031);
        assert_eq!(code(&with("task_id", "有空格 ".into())), 42014);
        assert_eq!(code(&with("task_id", Value::Null)), 42014);
        assert_eq!(code(&with("button_list", json!([{"text": "这个按钮的字实在太多了吧", "key": "k"}]))), 42038);
        assert_eq!(code(&with("button_list", json!([{"text": "a", "key": "k"}, {"text": "b", "key": "k"}]))), 42039);
        assert_eq!(code(&with("horizontal_content_list", json!([{"value": "x"}]))), 42027);
        assert_eq!(code(&with("horizontal_content_list", json!([{"keyname": "六个字的名称", "value": "x"}]))), 42035);
        assert_eq!(code(&json!({"card_type": "text_notice", "main_title": {"title": "t"}})), 42045);
        assert_eq!(code(&json!({"card_type": "text_notice", "card_action": {"type": 1, "url": "https://a"}})), 42032);
    }

    #[test]
    fn lengths_are_advice_unless_they_are_to_be_more() {
        let card = |keyname: &str, title: usize| {
            json!({"card_type": "text_notice", "card_action": {"type": 1, "url": "https://a.example"},
                "main_title": {"title": "字".repeat(title)}, "horizontal_content_list": [{"keyname": keyname, "value": "x"}]})
        };
        assert!(check(&card("六个字的名称", 40), From::App, false).is_ok());
        assert_eq!(check(&card("六个字的名称", 5), From::App, true).unwrap_err().0, 42035);
        assert!(check(&card("名称", 30), From::App, true).is_ok());
        assert_eq!(check(&card("名称", 30), From::Bot, true).unwrap_err().0, 42036);
    }

    #[test]
    fn a_webhook_sends_notices_only() {
        let card = json!({"card_type": "button_interaction", "task_id": "x", "main_title": {"title": "t"},
            "button_list": [{"text": "a", "key": "k"}]});
        assert_eq!(check(&card, From::Webhook, true).unwrap_err().0, 42031);
    }
}
