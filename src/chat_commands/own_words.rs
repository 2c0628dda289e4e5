//! 添加敏感词: words are not added from a chat; whoever asks reads where they are.

use async_trait::async_trait;

use super::{Call, Command};
use crate::{access::Action, refusal::ActError};

/// The command.
pub struct OwnWords;

#[async_trait]
impl Command for OwnWords {
    fn names(&self) -> &'static [&'static str] {
        &["添加敏感词", "加敏感词", "删除敏感词", "敏感词", "添加词", "加词"]
    }
    fn usage(&self) -> &'static str {
        "添加敏感词"
    }
    fn help(&self) -> &'static str {
        "在哪里改词表"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::DecideCase)
    }
    fn is_at_large(&self) -> bool {
        true
    }
    fn fits(&self, words: &[&str]) -> bool {
        words.is_empty()
    }
    async fn run(&self, _call: &Call<'_>) -> Result<String, ActError> {
        Ok("敏感词不在聊天里改，以免被人冒用。请管理员在词表文件里加一行：config/wordlists/类别/own.txt，保存后几秒生效；\
            新词先观察，只记录不处置。想先看看效果，发送：试一试 一句话。某句话被误判了，发送：误判 编号。"
            .into())
    }
}
