//! What one section alone can't know: names that must exist, pairs that belong together, ids that must differ.

use std::{collections::HashMap, path::Path};

use jiff::SignedDuration;

use super::{
    Environment, Files, SecondOpinionMode, Secret, Settings, WorkingHours, company, document::Document, files::Kind,
    problem::did_you_mean, second_opinion,
};
use crate::model::{GroupKind, Mode};

/// Shows every secret with its path in the file.
pub(super) fn each_secret(settings: &mut Settings, visit: &mut dyn FnMut(&str, &mut Secret)) {
    if let Some(wecom) = &mut settings.wecom {
        if let Some(app) = &mut wecom.app {
            visit("wecom.app.secret", &mut app.secret);
            app.token.iter_mut().for_each(|s| visit("wecom.app.token", s));
            app.aes_key.iter_mut().for_each(|s| visit("wecom.app.aes_key", s));
        }
        if let Some(bot) = &mut wecom.bot {
            bot.token.iter_mut().for_each(|s| visit("wecom.bot.token", s));
            bot.aes_key.iter_mut().for_each(|s| visit("wecom.bot.aes_key", s));
            bot.secret.iter_mut().for_each(|s| visit("wecom.bot.secret", s));
        }
        if let Some(archive) = &mut wecom.archive {
            visit("wecom.archive.secret", &mut archive.secret);
            for (version, key) in &mut archive.private_keys {
                visit(&format!("wecom.archive.private_keys.{version}"), key);
            }
            archive.proxy_password.iter_mut().for_each(|s| visit("wecom.archive.proxy_password", s));
        }
        if let Some(urgent) = &mut wecom.urgent {
            visit("wecom.urgent.secret", &mut urgent.secret);
        }
    }
    if let Some(key) = settings.detect.second_opinion.as_mut().and_then(|opinion| opinion.key.as_mut()) {
        visit("detect.second_opinion.key", key);
    }
    for (index, token) in settings.api_tokens.iter_mut().enumerate() {
        visit(&format!("api_token[{index}].value"), &mut token.value);
    }
    for (index, group) in settings.groups.iter_mut().enumerate() {
        group.webhook.iter_mut().for_each(|s| visit(&format!("group[{index}].webhook"), s));
    }
}

/// Fetches every secret from where it lies.
pub(super) fn secrets(settings: &mut Settings, document: &mut Document<'_>, folder: &Path, env: Environment<'_>) {
    each_secret(settings, &mut |path, secret| {
        if let Err(why) = secret.resolve(folder, env) {
            document.wrong(path, why);
        }
    });
}

/// Everything else.
pub(super) fn settings(settings: &Settings, document: &mut Document<'_>) {
    wecom(settings, document);
    tokens(settings, document);
    public_url(settings, document);
    groups(settings, document);
    if tracing_subscriber::EnvFilter::try_new(&settings.log.level).is_err() {
        document.wrong("log.level", "写 error、warn、info、debug 或 trace，也可以像 info,qunguan::wecom=debug");
    }
    if let Some(opinion) = &settings.detect.second_opinion {
        second_opinion::check(opinion, document);
    }
    for (index, name) in settings.detect.competitors.iter().enumerate() {
        if let Some(why) = company::unfit(name) {
            document.wrong(&format!("detect.competitors[{index}]"), format!("“{name}”：{why}"));
        }
    }
    for name in &settings.detect.skip_wordlists {
        named(&settings.files, document, "detect.skip_wordlists", Kind::Wordlist, name);
    }
    if settings.retention.messages < SignedDuration::from_hours(7 * 24) {
        document.wrong("retention.messages", "消息至少要保留 7d：企业微信可能重复投递");
    }
    if settings.retention.audit < SignedDuration::from_hours(90 * 24) {
        document.wrong("retention.audit", "操作记录至少要保留 90d");
    }
    if let Some(hours) = &settings.working_hours {
        working_hours(hours, "working_hours", document);
    }
    for (index, group) in settings.groups.iter().enumerate() {
        if let Some(hours) = &group.times.work {
            working_hours(hours, &format!("group[{index}].times.work"), document);
        }
    }
    if let Some(escalation) = &settings.escalation
        && escalation.to.is_empty()
    {
        document.wrong("escalation.to", "至少写一个人");
    }
}

fn working_hours(hours: &WorkingHours, path: &str, document: &mut Document<'_>) {
    if hours.from >= hours.to {
        document.wrong(&format!("{path}.to"), "下班时间要晚于上班时间");
    }
    if hours.lunch.is_some_and(|lunch| lunch.from >= lunch.to || lunch.from < hours.from || lunch.to > hours.to) {
        document.wrong(&format!("{path}.lunch"), "午休要在上班时间之内");
    }
}

fn wecom(settings: &Settings, document: &mut Document<'_>) {
    let Some(wecom) = &settings.wecom else { return };
    if wecom.corp_id.trim().is_empty() {
        document.wrong("wecom.corp_id", "企业 ID 是空的，在管理后台“我的企业”页面最下方");
    }
    if !wecom.api_base.starts_with("https://") && !wecom.api_base.starts_with("http://") {
        document.wrong("wecom.api_base", "要以 https:// 开头");
    }
    if let Some(app) = &wecom.app {
        callback(document, "wecom.app", app.token.as_ref(), app.aes_key.as_ref());
    }
    if let Some(bot) = &wecom.bot {
        callback(document, "wecom.bot", bot.token.as_ref(), bot.aes_key.as_ref());
        if bot.bot_id.is_some() != bot.secret.is_some() {
            document.wrong("wecom.bot", "长连接要同时写 bot_id 和 secret");
        }
        match (bot.token.is_some(), bot.bot_id.is_some()) {
            (true, true) => document.wrong("wecom.bot", "回调（token、aes_key）和长连接（bot_id、secret）只能选一种"),
            (false, false) => {
                document.wrong("wecom.bot", "要写回调的 token、aes_key，或长连接的 bot_id、secret");
            }
            _ => {}
        }
    }
    if wecom.urgent.is_some() && settings.escalation.is_none() && !document.is_in_doubt("escalation") {
        document.wrong("wecom.urgent", "要先写 [escalation]：电话打给里面的人");
    }
    if let Some(intercept) = &wecom.intercept {
        if wecom.app.is_none() {
            document.wrong("wecom.intercept", "推送敏感词需要 [wecom.app]");
        }
        if intercept.departments.is_empty() && intercept.users.is_empty() {
            document.wrong("wecom.intercept", "departments 和 users 不能都是空的");
        }
        if intercept.departments.len() > 1000 || intercept.users.len() > 1000 {
            document.wrong("wecom.intercept", "departments 和 users 最多各 1000 个");
        }
        for name in &intercept.wordlists {
            named(&settings.files, document, "wecom.intercept.wordlists", Kind::Wordlist, name);
        }
    }
    if let Some(archive) = &wecom.archive {
        if archive.private_keys.is_empty() {
            document.wrong("wecom.archive.private_keys", "至少要有一个私钥，写成 { 1 = { file = \"archive-1.pem\" } }");
        }
        for (version, key) in &archive.private_keys {
            if !key.expose().is_empty() && !key.expose().trim_start().starts_with("-----BEGIN ") {
                document.wrong(
                    &format!("wecom.archive.private_keys.{version}"),
                    "不是 PEM 格式的私钥（应以 -----BEGIN 开头）",
                );
            }
        }
        if archive.timeout < SignedDuration::from_secs(1) || archive.poll < SignedDuration::from_secs(1) {
            document.wrong("wecom.archive", "poll 和 timeout 至少为 1s");
        }
    }
}

fn callback(document: &mut Document<'_>, section: &str, token: Option<&Secret>, aes_key: Option<&Secret>) {
    if token.is_some() != aes_key.is_some() {
        document.wrong(section, "回调要同时写 token 和 aes_key");
    }
    if let Some(key) = aes_key
        && !key.expose().is_empty()
        && (key.expose().len() != 43 || !key.expose().bytes().all(|b| b.is_ascii_alphanumeric()))
    {
        document.wrong(&format!("{section}.aes_key"), "EncodingAESKey 应为 43 个字母或数字");
    }
}

fn public_url(settings: &Settings, document: &mut Document<'_>) {
    let Some(url) = &settings.http.public_url else { return };
    if !(url.starts_with("https://") || url.starts_with("http://")) || url.ends_with('/') {
        document.wrong("http.public_url", "要写成 https://域名，结尾不带 /");
    }
    if settings.wecom.as_ref().is_none_or(|wecom| wecom.app.is_none()) && !document.is_in_doubt("wecom") {
        document.wrong("http.public_url", "回执链接要靠应用确认身份，请同时配置 [wecom.app]");
    }
}

fn tokens(settings: &Settings, document: &mut Document<'_>) {
    let mut seen = HashMap::new();
    for (index, token) in settings.api_tokens.iter().enumerate() {
        let path = format!("api_token[{index}]");
        if let Some(first) = seen.insert(&token.name, index) {
            let line = document.line(&format!("api_token[{first}].name"));
            document.wrong(&format!("{path}.name"), format!("令牌 `{}` 在第 {line} 行已经有了", token.name));
        }
        let length = token.value.expose().chars().count();
        if (1..16).contains(&length) {
            document.wrong(&format!("{path}.value"), "令牌太短，至少 16 个字符");
        }
        for id in token.groups.iter().flatten() {
            if !settings.groups.iter().any(|group| group.id == *id) {
                document.wrong(&format!("{path}.groups"), format!("没有编号为 {id} 的 [[group]]"));
            }
        }
    }
}

fn groups(settings: &Settings, document: &mut Document<'_>) {
    let app = settings.wecom.as_ref().is_some_and(|w| w.app.is_some());
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (index, group) in settings.groups.iter().enumerate() {
        let at = |field: &str| format!("group[{index}].{field}");
        if group.id.as_str().trim().is_empty() {
            document.wrong(&at("id"), "群 ID 是空的");
        }
        let mut own = vec![group.id.as_str()];
        own.extend(group.aliases().filter(|alias| *alias != group.id.as_str()));
        for id in own {
            if let Some(first) = seen.insert(id, index) {
                let line = document.line(&format!("group[{first}]"));
                document.wrong(&at("id"), format!("群 ID `{id}` 已经用在第 {line} 行的群里"));
            }
        }
        if group.webhook.as_ref().is_some_and(|w| !w.expose().is_empty()) && group.webhook_key().is_none() {
            document.wrong(&at("webhook"), "消息推送的地址里没有 key，请整个复制，或只写 key= 后面的部分");
        }
        if group.mode == Mode::Full {
            if group.kind() != GroupKind::App {
                document
                    .wrong(&at("mode"), "full 只用于应用创建的群（kind = \"app\"）：其它群企业微信不让接口移出成员");
            }
            if settings.wecom.is_some() && !app && !document.is_in_doubt("wecom") {
                document.wrong(&at("mode"), "full 需要 [wecom.app]：由应用移出和拉回成员");
            }
        }
        if group.welcome.is_some() && !matches!(group.kind(), GroupKind::App | GroupKind::Customer) {
            document.wrong(
                &at("welcome"),
                "welcome 只用于应用群（kind = \"app\"）和客户群（kind = \"customer\"）：其它群没有能用的入群欢迎语",
            );
        }
        if group.mode == Mode::Assisted && group.owner.is_none() && group.admins.is_empty() {
            document.wrong(&at("mode"), "assisted 要写 owner 或 admins：待办卡要发给人");
        }
        if let Some(mode) = group.second_opinion.filter(|mode| *mode != SecondOpinionMode::Off) {
            if settings.detect.second_opinion.is_none() && !document.is_in_doubt("detect") {
                document.wrong(&at("second_opinion"), "要先写 [detect.second_opinion]");
            } else if mode == SecondOpinionMode::Read && group.rulebook.is_empty() {
                document.wrong(&at("second_opinion"), "read 要写 rulebook：第二意见按群规来读消息");
            }
        }
        if let Some(policy) = &group.policy {
            named(&settings.files, document, &at("policy"), Kind::Policy, policy);
        }
        for name in &group.rulebook {
            named(&settings.files, document, &at("rulebook"), Kind::Rulebook, name);
        }
    }
}

fn named(files: &Files, document: &mut Document<'_>, path: &str, kind: Kind, name: &str) {
    let names = files.list(kind);
    if !names.iter().any(|n| n == name) {
        let near = did_you_mean(name, names.iter().map(String::as_str));
        document.wrong(path, format!("没有叫 `{name}` 的{}{near}", kind.zh()));
    }
}
