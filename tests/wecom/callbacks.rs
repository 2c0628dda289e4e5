//! Callbacks that are forged, broken, old or repeated, thrown at a running bot.

use aes::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::NoPadding};
use base64::{Engine, engine::general_purpose::STANDARD};
use qunguan::{
    model::Clock,
    simulator::FaultKind,
    store::backup,
    wecom::{crypto::Crypto, xml},
};
use serde_json::{Value, json};

use crate::house::{AD, CUSTOMERS, House, SALES};

/// In every refused callback; must be nowhere afterwards.
const MARK: &str = "MARK-7391";

/// WeCom's side of one callback address.
struct Sender<'a> {
    house: &'a House,
    crypto: Crypto,
    place: &'static str,
    http: reqwest::Client,
}

impl<'a> Sender<'a> {
    fn app(house: &'a House) -> Self {
        let c = house.sim.credentials();
        Self::new(house, Crypto::new(&c.app.token, &c.app.aes_key, &c.corp_id).unwrap(), "app")
    }
    fn bot(house: &'a House) -> Self {
        let c = house.sim.credentials();
        Self::new(house, Crypto::new(&c.bot.token, &c.bot.aes_key, "").unwrap(), "bot")
    }
    fn new(house: &'a House, crypto: Crypto, place: &'static str) -> Self {
        Self { house, crypto, place, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    fn seconds(&self) -> i64 {
        self.house.clock.now().as_second()
    }
    fn seal(&self, plain: &str) -> String {
        self.crypto.encrypt(plain, [7; 16])
    }
    fn envelope(&self, encrypt: &str) -> String {
        match self.place {
            "app" => format!("<xml><ToUserName>ww</ToUserName><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"),
            _ => json!({ "encrypt": encrypt }).to_string(),
        }
    }
    fn message(&self, id: &str, words: &str) -> String {
        match self.place {
            "app" => format!(
                "<xml><FromUserName>li</FromUserName><CreateTime>{}</CreateTime><MsgType>text</MsgType>\
                 <Content>{words}</Content><MsgId>{id}</MsgId></xml>",
                self.seconds()
            ),
            _ => json!({ "msgid": id, "from": {"userid": "li"}, "msgtype": "text", "text": {"content": words} })
                .to_string(),
        }
    }
    fn query(&self, encrypt: &str, seconds: i64, nonce: &str) -> String {
        let time = seconds.to_string();
        format!("msg_signature={}&timestamp={time}&nonce={nonce}", self.crypto.sign(&time, nonce, encrypt))
    }
    async fn post(&self, query: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
        let url = self.house.url(&format!("/wecom/{}?{query}", self.place));
        let answer = self.http.post(url).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
    /// Posts a message as WeCom would.
    async fn deliver(&self, plain: &str, nonce: &str) -> (u16, String) {
        let encrypt = self.seal(plain);
        self.post(&self.query(&encrypt, self.seconds(), nonce), self.envelope(&encrypt)).await
    }
}

/// The same key, but whatever bytes as the plain blocks.
fn blocks(key: &str, mut plain: Vec<u8>) -> String {
    let bits = base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let engine = base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, bits);
    let key: [u8; 32] = engine.decode(format!("{key}=")).unwrap().try_into().unwrap();
    let iv: [u8; 16] = key[..16].try_into().unwrap();
    let length = plain.len();
    let cipher = cbc::Encryptor::<aes::Aes256>::new(&key.into(), &iv.into());
    STANDARD.encode(cipher.encrypt_padded::<NoPadding>(&mut plain, length).unwrap())
}

#[tokio::test]
async fn what_is_not_wecoms_is_refused_without_a_word_and_leaves_nothing() {
    let house = House::start().await;
    let c = house.sim.credentials();
    for sender in [Sender::app(&house), Sender::bot(&house)] {
        let now = sender.seconds();
        let good = sender.seal(&sender.message(MARK, &format!("帮助 {MARK}")));
        let envelope = sender.envelope(&good);
        let query = sender.query(&good, now, "n1");
        let receiver = Crypto::new(&c.app.token, &c.app.aes_key, "wwother").unwrap();
        let foreign = match sender.place {
            "app" => receiver.encrypt(&sender.message(MARK, MARK), [7; 16]),
            _ => Crypto::new(&c.bot.token, &c.bot.aes_key, "wwother")
                .unwrap()
                .encrypt(&sender.message(MARK, MARK), [7; 16]),
        };
        let key = if sender.place == "app" { &c.app.aes_key } else { &c.bot.aes_key };
        let mut padded = vec![7; 16];
        padded.extend_from_slice(&9u32.to_be_bytes());
        padded.extend_from_slice(MARK.as_bytes());
        padded.resize(64, 35); // WeCom pads with at most 32
        let padded = blocks(key, padded);
        let long = blocks(key, [vec![7; 16], u32::MAX.to_be_bytes().to_vec(), vec![12; 12]].concat());
        let lol = "&l;".repeat(200);
        let inner = sender.seal(&format!(
            "<!DOCTYPE x [<!ENTITY l \"{MARK}\">]><xml><MsgType>text</MsgType><Content>{lol}</Content></xml>"
        ));
        let refused: Vec<(&str, String, Vec<u8>)> = vec![
            ("signature", query.replace("msg_signature=", "msg_signature=0"), envelope.clone().into()),
            ("no signature", format!("timestamp={now}&nonce=n1"), envelope.clone().into()),
            ("no query", String::new(), envelope.clone().into()),
            ("signature twice", format!("{query}&msg_signature=1"), envelope.clone().into()),
            ("another nonce", query.replace("nonce=n1", "nonce=n2"), envelope.clone().into()),
            ("old", sender.query(&good, now - 3600, "n1"), envelope.clone().into()),
            ("from the future", sender.query(&good, now + 3600, "n1"), envelope.clone().into()),
            ("no time", sender.query(&good, now, "n1").replace(&now.to_string(), "soon"), envelope.clone().into()),
            ("half a body", query.clone(), envelope.as_bytes()[..envelope.len() / 2].to_vec()),
            ("no body", query.clone(), Vec::new()),
            ("not UTF-8", query.clone(), vec![0xff; 300]),
            ("ten megabytes", query.clone(), sender.envelope(&"A".repeat(10 << 20)).into()),
            ("half the cipher text", sender.query(&good[..60], now, "n1"), sender.envelope(&good[..60]).into()),
            ("padding", sender.query(&padded, now, "n1"), sender.envelope(&padded).into()),
            ("length", sender.query(&long, now, "n1"), sender.envelope(&long).into()),
            ("receiver", sender.query(&foreign, now, "n1"), sender.envelope(&foreign).into()),
            (
                "entities outside",
                query.clone(),
                format!("<!DOCTYPE x [<!ENTITY l \"{MARK}\">]><xml><Encrypt>{lol}</Encrypt></xml>").into(),
            ),
            ("entities inside", sender.query(&inner, now, "n1"), sender.envelope(&inner).into()),
            ("deep", query.clone(), "<a>".repeat(20_000).into()),
            ("deep JSON", query.clone(), "[".repeat(20_000).into()),
        ];
        for (what, query, body) in refused {
            let (status, answer) = sender.post(&query, body).await;
            assert!((400..500).contains(&status), "{} {what}: {status}", sender.place);
            assert_eq!(answer, "", "{} {what}: the caller learns nothing", sender.place);
        }
        let (status, answer) = sender.deliver(&sender.message("good", "帮助"), "n1").await;
        assert_eq!(status, 200, "and it goes on working");
        assert!(!answer.is_empty());
    }
    let mut stored = Vec::new();
    backup::export(house.store(), house.clock.now(), &mut stored).await.unwrap();
    assert!(!String::from_utf8(stored).unwrap().contains(MARK), "nothing of it is stored");
}

#[tokio::test]
async fn a_repetition_gets_the_first_answer_and_nothing_is_done_again() {
    let house = House::start().await;
    let app = Sender::app(&house);
    let open = |answer: &str| {
        let envelope = xml::parse(answer).unwrap();
        app.crypto.decrypt(envelope.get("Encrypt")).unwrap()
    };
    house.say("li", SALES, AD).await;
    let case = house.cases(SALES, "li").await.remove(0).id;
    let plain = app.message("7300000000000000042", &format!("申诉 {case} 我没有发广告"));
    let encrypt = app.seal(&plain);
    let query = app.query(&encrypt, app.seconds(), "n1");
    let together = [(); 3].map(|()| app.post(&query, app.envelope(&encrypt)));
    let answers = futures_util::future::join_all(together).await;
    let first = open(&answers[0].1);
    assert!(first.contains("申诉"), "{first}");
    for (status, answer) in &answers {
        assert_eq!((*status, open(answer)), (200, first.clone()), "three at the same moment");
    }
    // WeCom's own next try may be sealed anew; a recorded one is not. Both are answered.
    let anew = app.deliver(&plain, "n2").await;
    let recorded = app.post(&query, app.envelope(&encrypt)).await;
    assert_eq!((open(&anew.1), open(&recorded.1)), (first.clone(), first));
    house.settled().await;
    assert_eq!(house.tasks("appeal").await.len(), 1);

    let bot = Sender::bot(&house);
    let said = bot.message("bot-1", "帮助");
    let open = |answer: &str| {
        let answer: Value = serde_json::from_str(answer).unwrap();
        bot.crypto.decrypt(answer["encrypt"].as_str().unwrap()).unwrap()
    };
    let (once, twice) = (bot.deliver(&said, "b1").await, bot.deliver(&said, "b2").await);
    assert_eq!(open(&once.1), open(&twice.1));
}

#[tokio::test]
async fn a_press_that_comes_three_times_is_on_record_once() {
    let house = House::start().await;
    for _ in 0..3 {
        house.say("wmLiuBig", CUSTOMERS, AD).await;
    }
    house.fault(FaultKind::CallbackTriple, None, None);
    house.press("wang", "请移出成员", "已移出").await;
    house.settled().await;
    let cases = house.cases(CUSTOMERS, "wmLiuBig").await;
    let claims = cases.iter().flat_map(|case| &case.history).filter(|event| event.what == "owner_done").count();
    assert_eq!(claims, 1, "{cases:?}");
}

#[tokio::test]
async fn what_is_on_record_follows_a_changed_userid() {
    let house = House::start().await;
    house.say("li", SALES, AD).await;
    house.say("li", SALES, AD).await;
    let before = house.member(SALES, "li").await.standing;
    assert_eq!(before.strikes.len(), 2);
    let exempted = house.ask("wang", "#华东销售群 豁免 李销售 3d 出差").await;
    assert!(exempted.contains("李销售"), "{exempted}");
    let app = Sender::app(&house);
    let change = |n: i64| {
        format!(
            "<xml><FromUserName>sys</FromUserName><CreateTime>{}</CreateTime><MsgType>event</MsgType>\
             <Event>change_contact</Event><ChangeType>update_user</ChangeType><UserID>li</UserID>\
             <NewUserID>li.xiaoshou</NewUserID></xml>",
            app.seconds() + n
        )
    };
    // Told twice, and once more by a bot that was cut off in between.
    for n in 0..2 {
        assert_eq!(app.deliver(&change(n), &format!("n{n}")).await.0, 200);
        let after = house.member(SALES, "li.xiaoshou").await.standing;
        assert_eq!((&after.strikes, &after.state), (&before.strikes, &before.state));
        assert_eq!(house.member(SALES, "li").await.standing, qunguan::policy::Standing::default());
        assert_eq!((house.cases(SALES, "li").await.len(), house.cases(SALES, "li.xiaoshou").await.len()), (0, 2));
        let open: Vec<_> = house.tasks("readd").await.into_iter().filter(|task| !task.state.is_final()).collect();
        assert_eq!(open.len(), 1, "{open:?}");
        assert_eq!(open[0].member.as_ref().map(qunguan::model::MemberId::as_str), Some("li.xiaoshou"));
        let group = house.store().document("group", SALES).await.unwrap().unwrap().body;
        let exempt: Vec<&String> = group["orders"]["exempt"].as_object().unwrap().keys().collect();
        assert_eq!(exempt, ["li.xiaoshou"]);
    }
}

#[tokio::test]
async fn a_callback_of_an_unknown_kind_is_kept_without_its_secrets() {
    let house = House::start().await;
    let app = Sender::app(&house);
    for n in 0..2 {
        let event = format!(
            "<xml><FromUserName>sys</FromUserName><CreateTime>{}</CreateTime><MsgType>event</MsgType>\
             <Event>holiday_party</Event><SuiteTicket><![CDATA[{MARK}]]></SuiteTicket><Where>{}</Where></xml>",
            app.seconds() + n,
            "草坪".repeat(5000)
        );
        assert_eq!(app.deliver(&event, &format!("n{n}")).await.0, 200);
    }
    let kept = house.store().document("app_set_aside", "holiday_party").await.unwrap().unwrap().body;
    let raw = kept["raw"].as_str().unwrap();
    assert_eq!(kept["count"], 2);
    assert!(raw.contains("<Where>草坪") && raw.len() <= 8192 && !raw.contains(MARK), "{raw}");
}

#[tokio::test]
async fn the_address_is_verified_also_where_a_plus_became_a_space() {
    let house = House::start().await;
    let app = Sender::app(&house);
    let (echo, random) = (0u8..=255)
        .map(|n| (app.crypto.encrypt("1616140317555161061", [n; 16]), n))
        .find(|(e, _)| e.contains('+'))
        .unwrap();
    let query = app.query(&echo, app.seconds(), &format!("n{random}"));
    let url = house.url(&format!("/wecom/app?{query}&echostr={}", echo.replace('/', "%2F").replace('=', "%3D")));
    let answer = app.http.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "1616140317555161061", "bare");
}
