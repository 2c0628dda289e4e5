//! Which ways in the settings have, in one visible list. A section that is absent is a channel that is not there.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use parking_lot::Mutex;
use secrecy::SecretString;
use tokio::sync::Notify;

use crate::{
    card_actions::CardActions,
    channels::{
        Channel,
        app::AppChannel,
        archive::{ArchiveChannel, RETENTION},
        bot::{BotChannel, BotHandler},
        callback_guard::{Heard, ReplyCache},
        looks::{Eyes, Looks},
        socket::{SocketChannel, SocketPush},
    },
    chat_commands::CommandService,
    deps::Deps,
    identities::Identities,
    platform::wecom::BotPush,
    settings::{Archive, Settings},
    wecom::{
        archive::{
            ArchiveSource, Entry, SourceError,
            keys::PrivateKeys,
            native::{self, NativeArchive},
        },
        bot_files::BotFiles,
        crypto::Crypto,
        socket::{self, bot_socket},
    },
};

/// What channels are built from.
pub(super) struct ChannelBuilder<'a> {
    pub(super) settings: &'a Settings,
    pub(super) deps: Deps,
    pub(super) commands: Arc<CommandService>,
    pub(super) clicks: Arc<CardActions>,
    pub(super) archive_wake: Arc<Notify>,
    /// There is an archive channel.
    pub(super) hears_groups: bool,
    pub(super) eyes: Eyes,
    pub(super) channels: Vec<Arc<dyn Channel>>,
}

impl ChannelBuilder<'_> {
    /// Every channel that the settings have, in one visible list.
    pub(super) async fn channels(
        &mut self,
        archive: Option<Arc<dyn ArchiveSource>>,
        poll: Option<Duration>,
    ) -> anyhow::Result<()> {
        let wecom = self.settings.wecom.as_ref();
        if let Some(wecom) = wecom
            && let Some(app) = &wecom.app
            && let (Some(token), Some(key)) = (&app.token, &app.aes_key)
        {
            let crypto = Crypto::new(token.expose(), key.expose(), &wecom.corp_id).context("[wecom.app] aes_key")?;
            self.channels.push(Arc::new(AppChannel {
                crypto,
                corp_id: wecom.corp_id.clone(),
                clock: self.deps.clock.clone(),
                moderation: self.deps.moderation.clone(),
                commands: self.commands.clone(),
                clicks: self.clicks.clone(),
                groups: self.deps.groups.clone(),
                notices: self.deps.notices.clone(),
                archive: self.archive_wake.clone(),
                tasks: self.deps.wake.clone(),
                body_limit: self.settings.http.callback_bytes,
                answers: ReplyCache::default(),
                heard: self.heard("app").await?,
                inactive: Mutex::default(),
            }));
        }
        let bot = wecom.and_then(|w| w.bot.as_ref());
        if let Some(bot) = bot
            && let (Some(id), Some(secret)) = (&bot.bot_id, &bot.secret)
        {
            let secret = SecretString::from(secret.expose().to_owned());
            let (socket, driver) =
                bot_socket(socket::Config::new(&bot.socket_url, id, secret), self.deps.clock.clone());
            let voice: Arc<dyn BotPush> =
                Arc::new(SocketPush { socket: socket.clone(), clock: self.deps.clock.clone() });
            self.deps.wecom.bot.store(Some(Arc::new(voice)));
            self.channels.push(Arc::new(SocketChannel::new(socket, driver, self.ear(None)?)));
        }
        if let Some(bot) = bot
            && let (Some(token), Some(key)) = (&bot.token, &bot.aes_key)
        {
            let crypto = Crypto::new(token.expose(), key.expose(), "").context("[wecom.bot] aes_key")?;
            let ear = self.ear(Some(key.expose()))?;
            let body_limit = self.settings.http.callback_bytes;
            let (clock, heard) = (self.deps.clock.clone(), self.heard("bot").await?);
            self.channels.push(Arc::new(BotChannel { crypto, clock, ear, body_limit, heard }));
        }
        let source = match (archive, wecom.and_then(|w| w.archive.as_ref())) {
            (Some(source), _) => Some(source),
            (None, Some(archive)) => Some(self.native_archive(wecom.map_or("", |w| &w.corp_id), archive)),
            (None, None) => None,
        };
        if let Some(source) = source {
            let configured = wecom.and_then(|w| w.archive.as_ref()).map(|a| a.poll);
            let every =
                poll.or_else(|| configured.and_then(|p| Duration::try_from(p).ok())).unwrap_or(Duration::from_secs(15));
            let channel = ArchiveChannel::new(
                source,
                self.deps.store.clone(),
                self.deps.moderation.clone(),
                self.deps.clock.clone(),
                every,
                self.archive_wake.clone(),
                self.eyes.clone(),
            );
            let retention = wecom.and_then(|w| w.archive.as_ref()).map_or(RETENTION, |archive| archive.retention);
            self.channels.push(Arc::new(channel.keeping(retention)));
        }
        Ok(())
    }

    async fn heard(&self, name: &'static str) -> anyhow::Result<Heard> {
        let heard = Heard::load(self.deps.store.clone(), name, self.deps.clock.now());
        heard.await.context("reading whether WeCom has called")
    }

    /// `encoding_aes_key` opens what people send in callback mode.
    fn ear(&self, encoding_aes_key: Option<&str>) -> anyhow::Result<Arc<BotHandler>> {
        Ok(Arc::new(BotHandler {
            clock: self.deps.clock.clone(),
            moderation: self.deps.moderation.clone(),
            commands: self.commands.clone(),
            clicks: self.clicks.clone(),
            identities: self.identities(),
            looks: Looks::new(BotFiles::new(encoding_aes_key)?, self.eyes.clone()),
            archive: self.hears_groups,
            answers: ReplyCache::default(),
        }))
    }

    fn identities(&self) -> Arc<Identities> {
        let Deps { store, clock, contacts, groups, wecom, .. } = self.deps.clone();
        Arc::new(Identities::new(store, clock, contacts, groups, wecom.app.clone()))
    }

    /// WeCom's own library. One that is missing, or a key that does not fit, is said by `/readyz` and never stops the rest.
    fn native_archive(&self, corp_id: &str, archive: &Archive) -> Arc<dyn ArchiveSource> {
        match open_archive(corp_id, archive) {
            Ok(source) => Arc::new(source),
            Err(error) => {
                tracing::error!(%error, "the archive cannot be read until this is mended and the bot restarted");
                Arc::new(BrokenArchive(error))
            }
        }
    }
}

/// WeCom's own library with the company's keys.
///
/// # Errors
/// The library or a key does not fit; in Chinese.
pub fn open_archive(corp_id: &str, archive: &Archive) -> Result<NativeArchive, SourceError> {
    let mut keys = PrivateKeys::default();
    for (version, pem) in &archive.private_keys {
        keys.add(*version, pem.expose())
            .map_err(|e| SourceError::Configuration(format!("private_keys 第 {version} 版：{e}")))?;
    }
    NativeArchive::open(native::Config {
        library: archive.library.clone(),
        corp_id: corp_id.to_owned(),
        secret: archive.secret.expose().to_owned().into(),
        keys,
        timeout: Duration::try_from(archive.timeout).unwrap_or(Duration::from_secs(10)),
        patience: None,
        proxy: archive.proxy.clone(),
        proxy_password: archive.proxy_password.as_ref().map(|p| p.expose().to_owned().into()),
    })
}

/// An archive that could not be opened: every pull says why.
struct BrokenArchive(SourceError);

#[async_trait::async_trait]
impl ArchiveSource for BrokenArchive {
    async fn pull(&self, _seq: u64, _limit: usize) -> Result<Vec<Entry>, SourceError> {
        Err(self.0.clone())
    }
}
