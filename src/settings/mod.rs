//! `config/qunguan.toml`: everything an admin sets, one struct a concern, each field with its unit and default.
//!
//! A mistake is told as `file:line: message` in Chinese, all mistakes at once. An absent section is a feature that is
//! off. Nothing else in the house reads the environment.

mod checks;
mod company;
mod console;
mod detect;
mod detector;
mod document;
mod escalation;
pub mod files;
mod group;
mod intercept;
mod kinds;
mod learned;
mod log;
mod owner_news;
mod policies;
mod problem;
mod reading;
pub mod reload;
mod restart;
mod retention;
mod rulebooks;
mod second_opinion;
mod secret;
mod server;
mod service;
mod sheet;
mod store;
mod wecom;
mod working_hours;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, de::Error};

pub use self::{
    console::Console,
    detect::{Detect, Flood},
    detector::ListTroubles,
    escalation::Escalation,
    files::Files,
    group::{Group, TellRules, Welcome},
    intercept::Intercept,
    kinds::Kinds,
    log::{Format, Log},
    owner_news::{OwnerNews, OwnerNewsMode},
    problem::{Problem, Problems, did_you_mean},
    reading::{FileReading, LinkReading, Ocr},
    retention::Retention,
    second_opinion::{AnswerFormat, SecondOpinion, SecondOpinionMode},
    secret::Secret,
    server::{ApiToken, Http, Scope},
    service::{Askers, Service, ServiceRules, Span, Times},
    store::{Engine, Store},
    wecom::{API_BASE, App, Archive, BOT_SOCKET, Bot, Urgent, Wecom},
    working_hours::WorkingHours,
};
use crate::model::GroupId;
use document::Document;

/// Answers what an environment variable holds.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Everything an admin sets.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the server listens; default `127.0.0.1:8080`. Changing it needs a restart.
    pub listen: SocketAddr,
    /// Where the store lies, relative to the working folder; default `data`. Changing it needs a restart.
    pub data_dir: PathBuf,
    /// For everything people read and for working hours; default `Asia/Shanghai`. Changing it needs a
    /// restart.
    pub time_zone: TimeZone,
    /// DryRun: everything is decided and written down, nothing is done or sent. Default off.
    pub dry_run: bool,
    /// The durable memory. Changing it needs a restart.
    pub store: Store,
    /// The company's account; without it only the API takes messages. Changing it needs a restart.
    pub wecom: Option<Wecom>,
    /// Who may use the API. Changing it needs a restart.
    pub api_tokens: Vec<ApiToken>,
    /// The groups to keep in order.
    pub groups: Vec<Group>,
    /// What is the company's own.
    pub detect: Detect,
    /// Limits of the server. Changing them needs a restart.
    pub http: Http,
    /// The pages for owners and admins. Changing it needs a restart.
    pub console: Console,
    /// The log. Changing it needs a restart.
    pub log: Log,
    /// How long texts are kept.
    pub retention: Retention,
    /// Who is asked when nobody acts. Changing it needs a restart.
    pub escalation: Option<Escalation>,
    /// What owners hear of what the bot did by itself.
    pub owner_news: OwnerNews,
    /// When the company works.
    pub working_hours: Option<WorkingHours>,
    /// By when questions are answered; absent: nobody counts, except where a group says so.
    pub service: Option<Service>,
    /// The settings file's folder: policies, rulebooks and wordlists in it win over the built-in ones.
    pub files: Files,
}

impl Default for Settings {
    /// What holds without a file: the built-in policies and lists, no account, no group.
    fn default() -> Self {
        Self {
            listen: default_listen(),
            data_dir: PathBuf::from("data"),
            time_zone: TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC),
            dry_run: false,
            store: Store::default(),
            wecom: None,
            api_tokens: Vec::new(),
            groups: Vec::new(),
            detect: Detect::default(),
            http: Http::default(),
            console: Console::default(),
            log: Log::default(),
            retention: Retention::default(),
            escalation: None,
            owner_news: OwnerNews::default(),
            working_hours: None,
            service: None,
            files: Files::built_in(),
        }
    }
}

impl Settings {
    /// Reads and validates a file; secrets are fetched from the environment and from files. All problems at once.
    pub fn load(path: &Path) -> Result<Self, Vec<Problem>> {
        Self::parse(&read(path)?, path, Some(&|name| std::env::var(name).ok()))
    }

    /// Reads and validates a file without fetching secrets, for commands that never talk to WeCom.
    pub fn load_offline(path: &Path) -> Result<Self, Vec<Problem>> {
        Self::parse(&read(path)?, path, None)
    }

    /// Validates a text that lies (or would lie) at `path`, with `env` as the environment; `None` leaves secrets alone.
    pub fn parse(text: &str, path: &Path, env: Option<Environment<'_>>) -> Result<Self, Vec<Problem>> {
        let mut document = Document::parse(text, path)?;
        let none = Self::default();
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut settings = Self {
            listen: document.take("listen").unwrap_or(none.listen),
            data_dir: document.take("data_dir").unwrap_or(none.data_dir),
            time_zone: document.take("time_zone").map_or(none.time_zone, |Zone(zone)| zone),
            dry_run: document.take("dry_run").unwrap_or(none.dry_run),
            store: document.take("store").unwrap_or_default(),
            wecom: document.take("wecom"),
            api_tokens: document.take_each("api_token"),
            groups: document.take_each("group"),
            detect: document.take("detect").unwrap_or_default(),
            http: document.take("http").unwrap_or_default(),
            console: document.take("console").unwrap_or_default(),
            log: document.take("log").unwrap_or_default(),
            retention: document.take("retention").unwrap_or_default(),
            escalation: document.take("escalation"),
            owner_news: document.take("owner_news").unwrap_or_default(),
            working_hours: document.take("working_hours"),
            service: document.take("service"),
            files: Files::in_folder(folder),
        };
        for path in settings.detect.ocr.iter_mut().flat_map(Ocr::paths) {
            *path = folder.join(&path);
        }
        if let Some(env) = env {
            checks::secrets(&mut settings, &mut document, folder, env);
        }
        checks::settings(&settings, &mut document);
        let problems = document.finish();
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }

    /// The first API token of settings that lie at `path` and were read without their secrets.
    ///
    /// # Errors
    /// There is none, or it cannot be fetched; for people.
    pub fn first_token(&self, path: &Path) -> Result<String, String> {
        let token = self.api_tokens.first().ok_or("设置里没有 [[api_token]]，也没有写 --token-env")?;
        let mut value = token.value.clone();
        let folder = path.parent().unwrap_or(Path::new(""));
        let fetched = value.resolve(folder, &|name| std::env::var(name).ok());
        fetched.map_err(|why| format!("令牌 {}：{why}；也可以写 --token-env 另一个变量名", token.name))?;
        Ok(value.expose().to_owned())
    }

    /// Where the embedded store lies.
    pub fn store_folder(&self) -> PathBuf {
        self.data_dir.join("store")
    }

    /// How often a group's owner hears of what the bot did by itself.
    pub fn owner_news_of(&self, group: &GroupId) -> OwnerNewsMode {
        let own = self.groups.iter().find(|set| set.id == *group).and_then(|set| set.owner_news);
        own.unwrap_or(self.owner_news.mode)
    }

    /// By when questions are answered in a configured group; `None`: nobody counts there.
    pub fn service_of(&self, group: &GroupId) -> Option<ServiceRules> {
        let own = self.groups.iter().find(|set| set.id == *group)?;
        match &own.service {
            Some(own) => own.within(self.service.as_ref()),
            None => self.service.as_ref()?.within(None),
        }
    }

    /// When something is welcome in a configured group.
    pub fn times_of(&self, group: &GroupId) -> Option<&Times> {
        self.groups.iter().find(|set| set.id == *group).map(|set| &set.times)
    }

    /// What a group uses the second opinion for, if it does.
    pub fn second_opinion_of(&self, group: &GroupId) -> Option<(&SecondOpinion, SecondOpinionMode)> {
        let opinion = self.detect.second_opinion.as_ref()?;
        let own = self.groups.iter().find(|set| set.id == *group)?.second_opinion;
        Some((opinion, own.unwrap_or(opinion.mode))).filter(|(_, mode)| *mode != SecondOpinionMode::Off)
    }

    /// Files outside the config folder's own lists that a reload reads: those of the secrets, what was learnt, the price list.
    pub fn other_files(&self) -> Vec<PathBuf> {
        let mut files = self.secret_files();
        files.extend(self.detect.price_list.iter().map(|name| self.files.resolve(name)));
        files.extend(self.model_paths());
        files
    }

    /// The files of the secrets.
    fn secret_files(&self) -> Vec<PathBuf> {
        let mut copy = self.clone();
        let mut files = Vec::new();
        checks::each_secret(&mut copy, &mut |_, secret| files.extend(secret.file().map(|f| self.files.resolve(f))));
        files
    }
}

fn read(path: &Path) -> Result<String, Vec<Problem>> {
    std::fs::read_to_string(path).map_err(|e| {
        let why = match e.kind() {
            std::io::ErrorKind::NotFound => "没有这个文件".to_owned(),
            _ => format!("读不了：{}", crate::zh::refusal(&e)),
        };
        vec![Problem::new(path, 0, why)]
    })
}

struct Zone(TimeZone);

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        TimeZone::get(&name)
            .map(Zone)
            .map_err(|_| D::Error::custom(format!("不认识的时区 `{name}`，请写 Asia/Shanghai 这样的名字")))
    }
}

fn default_listen() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))
}

#[cfg(test)]
mod tests;
