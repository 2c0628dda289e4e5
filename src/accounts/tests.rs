use super::*;
use crate::{
    access::Action,
    model::{Clock, ShiftedClock, SignedDuration},
    refusal::Code,
    store::memory::MemoryStore,
};

const PASSWORD: &str = "correct horse 2026";

struct Desk {
    store: Arc<dyn Store>,
    clock: Arc<ShiftedClock>,
    people: People,
    accounts: Accounts,
}

async fn desk() -> Desk {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let clock = Arc::new(ShiftedClock::fixed("2026-05-04T10:00:00Z".parse().unwrap()));
    let people = People::default();
    let accounts = open(&store, &clock, &people).await;
    Desk { store, clock, people, accounts }
}

async fn open(store: &Arc<dyn Store>, clock: &Arc<ShiftedClock>, people: &People) -> Accounts {
    let groups = Arc::new(Groups::load(store.clone(), Vec::new()).await.unwrap());
    let shared: Arc<dyn Clock> = clock.clone();
    Accounts::load(store.clone(), shared, groups, people.clone(), Vec::new()).await.unwrap()
}

impl Desk {
    /// The first account, signed in.
    async fn root(&self) -> (Arc<Actor>, String) {
        let code = self.accounts.setup_code().await.unwrap().unwrap();
        self.accounts.choose_password(&code, "老板", PASSWORD).await.unwrap();
        let cookie = self.accounts.sign_in("老板", PASSWORD, "", "1.1.1.1").await.unwrap();
        (self.in_with(&cookie).await.unwrap().actor, cookie)
    }
    async fn in_with(&self, cookie: &str) -> Option<SignedIn> {
        self.accounts.enter(cookie).await.unwrap()
    }
    async fn colleague(&self, root: &Actor, name: &str, role: AccountRole, person: Option<&str>) -> String {
        let wanted = Wanted { role, person: person.map(MemberId::from), groups: None };
        let code = self.accounts.create(root, name, &wanted).await.unwrap();
        self.accounts.choose_password(&code, "", PASSWORD).await.unwrap();
        self.accounts.sign_in(name, PASSWORD, "", "1.1.1.1").await.unwrap()
    }
}

#[tokio::test]
async fn the_first_link_makes_one_account_and_no_second() {
    let desk = desk().await;
    let stale = desk.accounts.setup_code().await.unwrap().unwrap();
    let code = desk.accounts.setup_code().await.unwrap().unwrap();
    let refused = |code: String, name: &'static str, password: &'static str| {
        let accounts = &desk.accounts;
        async move { accounts.choose_password(&code, name, password).await.unwrap_err().code() }
    };
    assert_eq!(refused(stale, "老板", PASSWORD).await, Some(Code::TooLate), "a newer line was printed");
    assert_eq!(refused("0".repeat(64), "老板", PASSWORD).await, Some(Code::TooLate));
    for (name, password) in [("", PASSWORD), ("a b", PASSWORD), ("老板", "short"), ("老板", "aaaaaaaaaaaa")] {
        assert_eq!(refused(code.clone(), name, password).await, Some(Code::InvalidValue), "{name} {password}");
    }
    desk.accounts.choose_password(&code, "老板", PASSWORD).await.unwrap();
    assert_eq!(refused(code, "别人", PASSWORD).await, Some(Code::TooLate), "used");
    assert_eq!(desk.accounts.setup_code().await.unwrap(), None);
    let kept = serde_json::to_string(&ACCOUNTS.all(desk.store.as_ref(), "").await.unwrap()).unwrap();
    assert!(!kept.contains(PASSWORD), "{kept}");
}

#[tokio::test]
async fn a_session_outlives_the_process_and_ends_in_time() {
    let desk = desk().await;
    let (_, cookie) = desk.root().await;
    let again = open(&desk.store, &desk.clock, &desk.people).await;
    let signed_in = again.enter(&cookie).await.unwrap().unwrap();
    assert_eq!((signed_in.name.as_str(), signed_in.part), ("老板", "超级管理员"));
    for _ in 0..23 {
        desk.clock.advance(SignedDuration::from_mins(29));
        assert!(desk.in_with(&cookie).await.is_some(), "somebody is there");
    }
    let other = desk.accounts.sign_in("老板", PASSWORD, "", "1.1.1.1").await.unwrap();
    assert_ne!(cookie, other, "every sign-in has its own");
    desk.clock.advance(SignedDuration::from_mins(29));
    assert!(desk.in_with(&other).await.is_some());
    desk.clock.advance(SignedDuration::from_mins(28));
    assert!(desk.in_with(&cookie).await.is_none(), "twelve hours");
    desk.clock.advance(SignedDuration::from_mins(31));
    assert!(desk.in_with(&other).await.is_none(), "idle");
    let last = desk.accounts.sign_in("老板", PASSWORD, "", "1.1.1.1").await.unwrap();
    desk.accounts.leave(&last).await.unwrap();
    assert!(desk.in_with(&last).await.is_none(), "left");
    assert!(desk.in_with("").await.is_none());
}

#[tokio::test]
async fn a_change_of_rights_ends_what_was_signed_in() {
    let desk = desk().await;
    let (root, root_cookie) = desk.root().await;
    let cookie = desk.colleague(&root, "小王", AccountRole::Reviewer, None).await;
    let wang = desk.in_with(&cookie).await.unwrap().actor;
    assert_eq!(desk.accounts.list(&wang).await.unwrap_err().code(), Some(Code::Forbidden));
    let admin = Wanted { role: AccountRole::Admin, person: None, groups: None };
    desk.accounts.change(&root, "小王", &admin).await.unwrap();
    assert!(desk.in_with(&cookie).await.is_none());
    let cookie = desk.accounts.sign_in("小王", PASSWORD, "", "1.1.1.1").await.unwrap();
    let wang = desk.in_with(&cookie).await.unwrap().actor;
    assert!(access::may(&wang.who, Action::Order, None).is_ok() && desk.accounts.list(&wang).await.is_err());
    desk.accounts.disable(&root, "小王", true).await.unwrap();
    assert!(desk.in_with(&cookie).await.is_none());
    assert!(matches!(desk.accounts.sign_in("小王", PASSWORD, "", "1.1.1.1").await, Err(NotIn::Wrong)));
    desk.accounts.disable(&root, "小王", false).await.unwrap();
    let code = desk.accounts.reset(&root, "小王").await.unwrap();
    assert!(matches!(desk.accounts.sign_in("小王", PASSWORD, "", "1.1.1.1").await, Err(NotIn::Wrong)));
    desk.clock.advance(SignedDuration::from_hours(73));
    assert_eq!(desk.accounts.opens(&code).await.unwrap(), None, "a link has an end");
    for act in [desk.accounts.disable(&root, "老板", true).await, desk.accounts.change(&root, "老板", &admin).await]
    {
        assert_eq!(act.unwrap_err().code(), Some(Code::WrongState), "somebody has to be left");
    }
    assert_eq!(desk.in_with(&root_cookie).await.map(|root| root.name), None, "idle by now");
}

#[tokio::test]
async fn wrong_tries_wait_longer_and_longer_whoever_the_name_is() {
    let desk = desk().await;
    desk.root().await;
    for name in ["老板", "没有这个人"] {
        for _ in 0..5 {
            let wrong = desk.accounts.sign_in(name, "wrong password", "", "2.2.2.2").await;
            assert_eq!(wrong.unwrap_err().to_string(), "名字、密码或动态码不对。", "{name}");
        }
        let wait = desk.accounts.sign_in(name, PASSWORD, "", "2.2.2.2").await.unwrap_err();
        assert_eq!(wait.to_string(), "试错太多次，请 1 分钟 后再试。", "{name}");
    }
    let again = open(&desk.store, &desk.clock, &desk.people).await;
    assert!(
        matches!(again.sign_in("老板", PASSWORD, "", "2.2.2.2").await, Err(NotIn::Wait(_))),
        "a restart forgets none"
    );
    desk.clock.advance(SignedDuration::from_mins(1));
    assert!(matches!(desk.accounts.sign_in("老板", "x", "", "2.2.2.2").await, Err(NotIn::Wrong)));
    desk.clock.advance(SignedDuration::from_mins(1));
    assert!(
        matches!(desk.accounts.sign_in("老板", PASSWORD, "", "2.2.2.2").await, Err(NotIn::Wait(_))),
        "twice as long"
    );
    desk.clock.advance(SignedDuration::from_mins(1));
    desk.accounts.sign_in("老板", PASSWORD, "", "2.2.2.2").await.unwrap();
    desk.accounts.sign_in("老板", PASSWORD, "", "2.2.2.2").await.unwrap();
    let elsewhere = "4.4.4.4";
    for _ in 0..6 {
        let _ = desk.accounts.sign_in("老板", "x", "", elsewhere).await;
    }
    assert!(matches!(desk.accounts.sign_in("老板", PASSWORD, "", elsewhere).await, Err(NotIn::Wait(_))));
    desk.accounts.sign_in("老板", PASSWORD, "", "5.5.5.5").await.expect("nobody is kept out by a stranger's tries");
    for n in 0..9 {
        let name = format!("n{n}");
        assert!(matches!(desk.accounts.sign_in(&name, "x", "", "2.2.2.2").await, Err(NotIn::Wrong)), "{n}");
    }
    assert!(matches!(desk.accounts.sign_in("老板", PASSWORD, "", "2.2.2.2").await, Err(NotIn::Wait(_))), "the address");
}

#[tokio::test]
async fn an_app_s_code_is_wanted_once_it_is_set_up() {
    let desk = desk().await;
    let (root, _) = desk.root().await;
    let secret = totp::secret();
    let code = |desk: &Desk| totp::code_at(&secret, desk.clock.now().as_second()).unwrap();
    let wrong = desk.accounts.set_totp(&root, PASSWORD, &secret, "000000x").await;
    assert_eq!(wrong.unwrap_err().code(), Some(Code::InvalidValue));
    assert!(desk.accounts.set_totp(&root, "not mine", &secret, &code(&desk)).await.is_err());
    desk.accounts.set_totp(&root, PASSWORD, &secret, &code(&desk)).await.unwrap();
    for given in ["", "12", &code(&desk)] {
        let refused = desk.accounts.sign_in("老板", PASSWORD, given, "1.1.1.1").await;
        assert!(matches!(refused, Err(NotIn::Wrong)), "{given}: also not the one that was used");
    }
    desk.clock.advance(SignedDuration::from_secs(60));
    desk.accounts.sign_in("老板", PASSWORD, &code(&desk), "1.1.1.1").await.unwrap();
}

#[tokio::test]
async fn an_account_is_its_person() {
    let desk = desk().await;
    let (root, _) = desk.root().await;
    desk.colleague(&root, "小王", AccountRole::Auditor, Some("wang")).await;
    assert!(desk.people.is("小王", &"wang".into()) && !desk.people.is("小王", &"zhao".into()));
    let cookie = desk.accounts.begin_for(&"wang".into()).await.unwrap();
    let wang = desk.in_with(&cookie).await.unwrap();
    assert_eq!((wang.name.as_str(), wang.part), ("小王", "审计员"), "WeCom leads to the account");
    let cookie = desk.accounts.begin_for(&"li".into()).await.unwrap();
    let li = desk.in_with(&cookie).await.unwrap();
    assert_eq!((li.name.as_str(), li.part, li.actor.own().is_ok()), ("li", "成员", true));
    let link = desk.accounts.demo("演示", &"zhao".into()).await.unwrap();
    desk.accounts.sign_in_by_link(&link).await.unwrap();
    assert!(desk.accounts.sign_in_by_link(&link).await.is_err(), "once");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_void_once_there_is_an_account_and_a_reset_takes_a_password() {
    use super::socket::Wish;
    let desk = desk().await;
    let code = desk.accounts.setup_code().await.unwrap().unwrap();
    assert_eq!(desk.accounts.opens(&code).await.unwrap(), Some(None));
    let (name, password) = ("老板".to_owned(), Some(PASSWORD.to_owned()));
    let role = AccountRole::Root;
    let told = desk.accounts.wish(Wish::Create { name, role, person: None, groups: Vec::new(), password }).await;
    assert_eq!((told.refused, told.code), (None, None));
    assert_eq!(desk.accounts.opens(&code).await.unwrap(), None, "used up");
    let reset = async |password: &str| {
        let wish = Wish::Reset { name: "老板".into(), password: Some(password.into()) };
        desk.accounts.wish(wish).await
    };
    assert!(reset("short").await.refused.is_some());
    desk.accounts.sign_in("老板", PASSWORD, "", "1.1.1.1").await.expect("what was refused changed nothing");
    let told = reset("another horse 2026").await;
    assert_eq!((told.refused, told.code), (None, None));
    desk.accounts.sign_in("老板", "another horse 2026", "", "1.1.1.1").await.unwrap();
    assert!(desk.accounts.sign_in("老板", PASSWORD, "", "1.1.1.1").await.is_err());
}

#[tokio::test]
async fn an_account_is_for_somebody_known_and_stays_whose_it_was() {
    let desk = desk().await;
    let (root, _) = desk.root().await;
    let names = ["Wang", "zhao"].map(|id| (MemberId::from(id), String::new()));
    desk.accounts.groups.set_colleagues(names.into());
    let wanted = |person: &str| Wanted { role: AccountRole::Admin, person: Some(person.into()), groups: None };
    let refused = desk.accounts.create(&root, "店长", &wanted("nobody")).await.unwrap_err();
    assert!(refused.to_string().contains("通讯录和群成员里没有「nobody」"), "{refused}");
    desk.accounts.create(&root, "店长", &wanted("WANG")).await.unwrap();
    let person = async || desk.accounts.list(&root).await.unwrap().remove(0).person.unwrap();
    assert_eq!(person().await, "Wang".into(), "as WeCom spells it");
    desk.accounts.change(&root, "店长", &wanted("ZHAO")).await.unwrap();
    assert_eq!(person().await, "zhao".into());
    for id in ["wang", "zhao"] {
        assert!(desk.people.is("店长", &id.into()), "{id}: what was done with it is theirs");
    }
    assert!(desk.accounts.change(&root, "店长", &wanted("nobody")).await.is_err());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_owns_the_folder_makes_accounts_while_the_bot_runs() {
    use super::socket::{Wish, ask, serve};
    let desk = desk().await;
    let accounts = Arc::new(open(&desk.store, &desk.clock, &desk.people).await);
    let folder = tempfile::tempdir().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let path = folder.path().to_owned();
    let serving = tokio::spawn({
        let path = path.clone();
        async move { serve(accounts, &path, async { drop(stopped.await) }).await }
    });
    let asked = tokio::task::spawn_blocking(move || {
        let create = |name: &str, password: Option<&str>| Wish::Create {
            name: name.into(),
            role: AccountRole::Admin,
            person: None,
            groups: Vec::new(),
            password: password.map(Into::into),
        };
        let first = loop {
            match ask(&path, &create("小王", Some(PASSWORD))) {
                Ok(told) => break told,
                Err(_) => std::thread::yield_now(), // not listening yet
            }
        };
        let [twice, link, list] =
            [create("小王", None), create("小李", None), Wish::List].map(|wish| ask(&path, &wish).unwrap());
        (first, twice, link, list)
    });
    let (first, twice, link, list) = asked.await.unwrap();
    assert_eq!((first.refused, first.code), (None, None));
    assert_eq!(twice.refused.as_deref(), Some("已经有账号「小王」"));
    assert_eq!(desk.accounts.opens(&link.code.unwrap()).await.unwrap(), Some(Some("小李".into())));
    assert_eq!(list.accounts, ["小李\t管理员", "小王\t管理员"]);
    desk.accounts.sign_in("小王", PASSWORD, "", "1.1.1.1").await.unwrap();
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}
