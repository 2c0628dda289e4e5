//! `qunguan account` while the bot runs: the store's folder belongs to one process, so the command asks that process over a
//! socket in the folder, which only the folder's owner can open. One line of JSON each way.

use std::{
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
};

use super::{Accounts, Wanted, at_the_machine};
use crate::{
    access::AccountRole,
    model::{GroupId, MemberId},
    refusal::ActError,
};

/// Longest request, bytes.
const LONGEST: u64 = 64 * 1024;
/// Whoever says nothing for so long has gone.
const STALLED: Duration = Duration::from_secs(10);

/// What is wished for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Wish {
    /// A new account.
    Create {
        /// Its name.
        name: String,
        /// What it may do.
        role: AccountRole,
        /// Whose it is.
        person: Option<MemberId>,
        /// Only these groups.
        groups: Vec<GroupId>,
        /// Its password; without one there is a link to choose it.
        password: Option<String>,
    },
    /// Everybody.
    List,
    /// It cannot sign in any more, or can again.
    Disable {
        /// Which.
        name: String,
        /// Again.
        again: bool,
    },
    /// A new password.
    Reset {
        /// Which.
        name: String,
        /// It; without one there is a link to choose it.
        #[serde(default)]
        password: Option<String>,
    },
}

/// What is answered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Told {
    /// What was refused, and why.
    #[serde(default)]
    pub refused: Option<String>,
    /// Code of a link to choose a password.
    #[serde(default)]
    pub code: Option<String>,
    /// Accounts, a line each: name, role, groups, state.
    #[serde(default)]
    pub accounts: Vec<String>,
}

impl Accounts {
    /// Does what somebody at the machine wishes for.
    pub async fn wish(&self, wish: Wish) -> Told {
        match self.do_wish(wish).await {
            Ok(told) => told,
            Err(error) => Told { refused: Some(error.to_string()), ..Told::default() },
        }
    }

    async fn do_wish(&self, wish: Wish) -> Result<Told, ActError> {
        let actor = at_the_machine();
        let mut told = Told::default();
        match wish {
            Wish::Create { name, role, person, groups, password } => {
                if let Some(password) = &password {
                    super::check_password(password, &name)?;
                }
                let groups = (!groups.is_empty()).then(|| groups.into_iter().collect());
                let code = self.create(&actor, &name, &Wanted { role, person, groups }).await?;
                told.code = self.given(code, password).await?;
            }
            Wish::List => {
                let line = |account: super::Account| {
                    let groups = account.groups.iter().flatten().map(GroupId::as_str).collect::<Vec<_>>().join("、");
                    let state = if account.disabled.is_some() { "已停用" } else { "" };
                    let person = account.person.map(|person| person.to_string()).unwrap_or_default();
                    [account.name.as_str(), account.role.zh(), &person, &groups, state].join("\t").trim_end().to_owned()
                };
                told.accounts = self.list(&actor).await?.into_iter().map(line).collect();
            }
            Wish::Disable { name, again } => self.disable(&actor, &name, !again).await?,
            Wish::Reset { name, password } => {
                if let Some(password) = &password {
                    super::check_password(password, &name)?;
                }
                let code = self.reset(&actor, &name).await?;
                told.code = self.given(code, password).await?;
            }
        }
        Ok(told)
    }

    /// Spends a link on the password that was given; without one the link is to be handed on.
    async fn given(&self, code: String, password: Option<String>) -> Result<Option<String>, ActError> {
        let Some(password) = password else { return Ok(Some(code)) };
        self.choose_password(&code, "", &password).await?;
        Ok(None)
    }
}

/// The socket of a store's folder.
pub fn socket(folder: &Path) -> PathBuf {
    folder.join("accounts.sock")
}

/// Answers every connection until `stop` resolves. Runs in the process that has the store open.
pub async fn serve(accounts: Arc<Accounts>, folder: &Path, stop: impl Future<Output = ()>) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let path = socket(folder);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {} // a killed process leaves its socket behind; the folder's lock says that nobody else is there
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    tokio::pin!(stop);
    loop {
        let mut stream = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted?.0,
        };
        let accounts = accounts.clone();
        tokio::spawn(async move {
            let (read, mut write) = stream.split();
            let mut line = String::new();
            let mut reader = tokio::io::BufReader::new(read.take(LONGEST));
            let _ = tokio::time::timeout(STALLED, reader.read_line(&mut line)).await;
            let told = match serde_json::from_str(&line) {
                Ok(wish) => accounts.wish(wish).await,
                Err(error) => Told { refused: Some(error.to_string()), ..Told::default() },
            };
            let _ = write.write_all(serde_json::to_string(&told).unwrap_or_default().as_bytes()).await;
        });
    }
    let _ = std::fs::remove_file(path);
    Ok(())
}

/// Asks the running process.
pub fn ask(folder: &Path, wish: &Wish) -> io::Result<Told> {
    let mut stream = std::os::unix::net::UnixStream::connect(socket(folder))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    writeln!(stream, "{}", serde_json::to_string(wish)?)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}
