//! Ways to people beside messages: a phone that rings (紧急通知), and the words that WeCom greets newcomers with
//! (入群欢迎语).

use serde_json::{Value, json};

use super::client::{Client, ClientError};

/// Longest greeting, in bytes.
pub const WELCOME_BYTES: usize = 3000;

/// What WeCom greets the newcomers of a customer group with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The words.
    pub text: String,
    /// Where the rules are, if anywhere.
    pub link: Option<String>,
}

impl Greeting {
    fn body(&self) -> Value {
        let mut body = json!({ "text": { "content": super::cut(&self.text, WELCOME_BYTES) } });
        if let Some(url) = &self.link {
            body["link"] = json!({ "title": "群规", "url": url });
        }
        body
    }
}

impl Client {
    /// Rings people's phones; needs the secret of 紧急通知 and credit. Answers whose phone WeCom will not ring, with its code.
    pub async fn urgent_call(&self, people: &[&str]) -> Result<Vec<(String, i64)>, ClientError> {
        let answer = self.post("pstncc/call", &json!({ "callee_userid": people })).await?;
        let states = answer["states"].as_array().into_iter().flatten();
        let failed = states.filter_map(|state| {
            let code = state["code"].as_i64().filter(|code| *code != 0)?;
            Some((state["userid"].as_str().unwrap_or_default().to_owned(), code))
        });
        Ok(failed.collect())
    }

    /// Adds a greeting to those that owners of customer groups may choose; they are told of it. Answers its id.
    pub async fn add_greeting(&self, greeting: &Greeting) -> Result<String, ClientError> {
        let mut body = greeting.body();
        body["notify"] = json!(1);
        let answer = self.post("externalcontact/group_welcome_template/add", &body).await?;
        Ok(answer["template_id"].as_str().unwrap_or_default().to_owned())
    }

    /// Changes a greeting, wherever it was chosen.
    pub async fn edit_greeting(&self, id: &str, greeting: &Greeting) -> Result<(), ClientError> {
        let mut body = greeting.body();
        body["template_id"] = json!(id);
        self.post("externalcontact/group_welcome_template/edit", &body).await.map(drop)
    }

    /// Takes a greeting away.
    pub async fn delete_greeting(&self, id: &str) -> Result<(), ClientError> {
        self.post("externalcontact/group_welcome_template/del", &json!({ "template_id": id })).await.map(drop)
    }
}
