//! Who is who, read from WeCom's API: people signing in, the address book, consent to the archive, robots.

use serde_json::{Value, json};

use super::client::{Client, ClientError};

/// Rows of one page of the address book; WeCom's limit.
const PAGE: u32 = 10_000;
/// Pages at most: a company of ten million.
const PAGES: usize = 1000;

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedIn {
    /// A member of the company inside the app's visible range: the userid.
    Member(String),
    /// Anybody else.
    Stranger,
}

/// Userids asked about in one call of [`Client::userids_of`]; WeCom's limit.
pub const OPEN_IDS_AT_ONCE: usize = 1000;

/// A department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Department {
    /// Its id; 1 is the root.
    pub id: i64,
    /// Its name; empty where WeCom keeps it back.
    pub name: String,
    /// The department above; 0 above the root.
    pub parent: i64,
    /// Userids of who leads it.
    pub leaders: Vec<String>,
}

/// Somebody in the address book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The userid.
    pub id: String,
    /// Shown name.
    pub name: String,
    /// Departments, the main one first.
    pub departments: Vec<i64>,
    /// Userids of whom they report to.
    pub leaders: Vec<String>,
}

fn rows<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Client {
    /// Who belongs to the `code` of a web sign-in; each code works once, for five minutes.
    pub async fn signed_in(&self, code: &str) -> Result<SignedIn, ClientError> {
        let answer = self.get("auth/getuserinfo", &[("code", code)]).await?;
        Ok(match answer["userid"].as_str().filter(|user| !user.is_empty()) {
            Some(user) => SignedIn::Member(user.to_owned()),
            None => SignedIn::Stranger,
        })
    }

    /// Who stands behind userids that WeCom encrypted for a smart bot: (encrypted, plain). Those that are plain already, and
    /// people outside the app's visible range, are not among them.
    pub async fn userids_of(&self, encrypted: &[&str]) -> Result<Vec<(String, String)>, ClientError> {
        let mut found = Vec::new();
        for some in encrypted.chunks(OPEN_IDS_AT_ONCE) {
            let answer = self.post("batch/openuserid_to_userid", &json!({ "open_userid_list": some })).await?;
            let pairs = rows(&answer, "userid_list").iter();
            found.extend(pairs.map(|row| (text(&row["open_userid"]), text(&row["userid"]))));
        }
        Ok(found)
    }

    /// The userids of everybody in the app's visible range, each once.
    pub async fn user_ids(&self) -> Result<Vec<String>, ClientError> {
        let mut ids = std::collections::BTreeSet::new();
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let answer = self.post("user/list_id", &json!({ "cursor": cursor, "limit": PAGE })).await?;
            ids.extend(rows(&answer, "dept_user").iter().map(|row| text(&row["userid"])));
            cursor = text(&answer["next_cursor"]);
            if cursor.is_empty() {
                break;
            }
        }
        Ok(ids.into_iter().collect())
    }

    /// The departments in the app's visible range.
    pub async fn departments(&self) -> Result<Vec<Department>, ClientError> {
        let answer = self.get("department/list", &[]).await?;
        let departments = rows(&answer, "department").iter().map(|row| Department {
            id: row["id"].as_i64().unwrap_or_default(),
            name: text(&row["name"]),
            parent: row["parentid"].as_i64().unwrap_or_default(),
            leaders: texts(&row["department_leader"]),
        });
        Ok(departments.collect())
    }

    /// The people of one department, without those of departments below it.
    pub async fn users_of(&self, department: i64) -> Result<Vec<User>, ClientError> {
        let answer = self.get("user/list", &[("department_id", &department.to_string())]).await?;
        let users = rows(&answer, "userlist").iter().map(|row| {
            let main = row["main_department"].as_i64();
            let mut departments: Vec<i64> =
                row["department"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
            departments.sort_by_key(|id| Some(*id) != main);
            User {
                id: text(&row["userid"]),
                name: text(&row["name"]),
                departments,
                leaders: texts(&row["direct_leader"]),
            }
        });
        Ok(users.collect())
    }

    /// The external people of a room and whether each has agreed to the archive; needs the archive's own secret.
    pub async fn room_consents(&self, room: &str) -> Result<Vec<(String, bool)>, ClientError> {
        let answer = self.post("msgaudit/check_room_agree", &json!({ "roomid": room })).await?;
        let consents = rows(&answer, "agreeinfo").iter();
        // `exteranalopenid` is WeCom's own spelling. Besides `Agree` there is `Default_Agree`.
        Ok(consents
            .map(|row| {
                (text(&row["exteranalopenid"]), matches!(row["agree_status"].as_str(), Some("Agree" | "Default_Agree")))
            })
            .collect())
    }

    /// Name of a robot (`wb…`); needs the archive's own secret.
    pub async fn robot_name(&self, robot: &str) -> Result<String, ClientError> {
        let answer = self.get("msgaudit/get_robot_info", &[("robot_id", robot)]).await?;
        // Under `data` in the document, at the top in one client library.
        Ok(answer["data"]["name"].as_str().or(answer["name"].as_str()).unwrap_or_default().to_owned())
    }

    /// Addresses that WeCom's callbacks come from; may contain `*`.
    pub async fn callback_addresses(&self) -> Result<Vec<String>, ClientError> {
        let answer = self.get("getcallbackip", &[]).await?;
        Ok(rows(&answer, "ip_list").iter().map(text).collect())
    }
}
