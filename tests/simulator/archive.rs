use aws_lc_rs::{
    encoding::AsDer,
    rsa::{KeySize, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use qunguan::{model::SignedDuration, wecom::archive::ArchiveSource};
use serde_json::{Value, json};

use crate::harness::{World, start};

fn post(world: &World, who: &str, group: &str, text: &str) {
    world.sim.act_json(json!({"do": "post", "as": who, "group": group, "text": text})).unwrap();
}

fn texts(world: &World) -> Vec<Value> {
    world.sim.archive(0, 1000).iter().map(|e| e.message["text"]["content"].clone()).collect()
}

#[tokio::test]
async fn one_seat_opens_a_group_and_consent_opens_a_customer() {
    let world = start().await;
    post(&world, "lin", "wrNewProducts", "有席位");
    world.sim.act_json(json!({"do": "seats", "people": ["wang"]})).unwrap();
    post(&world, "lin", "wrNewProducts", "没有席位");
    post(&world, "wmWuHao", "wrVipCustomers", "同意存档");
    world.sim.act_json(json!({"do": "consent", "as": "wmWuHao", "agrees": false})).unwrap();
    post(&world, "wmWuHao", "wrVipCustomers", "不同意存档");
    let kinds: Vec<_> = world.sim.archive(0, 10).iter().map(|e| e.message["msgtype"].clone()).collect();
    assert_eq!(kinds, ["text", "text", "disagree"]);
    assert_eq!(texts(&world)[..2], [json!("有席位"), json!("同意存档")]);
}

#[tokio::test]
async fn a_recall_is_a_second_message_and_a_quote_is_part_of_the_text() {
    let world = start().await;
    post(&world, "li", "wrHuadongSales", "说错了");
    let line =
        world.sim.group("wrHuadongSales", None).unwrap()["lines"].as_array().unwrap().last().unwrap()["no"].clone();
    let quote = json!({"do": "post", "as": "chen", "group": "wrHuadongSales", "text": "哪里错了", "quote": line});
    world.sim.act_json(quote).unwrap();
    world.sim.act_json(json!({"do": "recall", "as": "li", "group": "wrHuadongSales", "line": line})).unwrap();
    let entries = world.sim.archive(0, 10);
    assert_eq!(entries[1].message["text"]["content"], "这是一条引用/回复消息：\n\"李销售:\n说错了\"\n------\n哪里错了");
    assert_eq!(entries[2].message["action"], "recall");
    assert_eq!(entries[2].message["revoke"]["pre_msgid"], entries[0].msgid);
}

#[tokio::test]
async fn what_is_quoted_shows_with_or_without_its_kind() {
    for (labels, shown) in [(true, "[链接] 新品 三天内"), (false, "新品 三天内")] {
        let world = start().await;
        world.control("unknowns", json!({"quote_labels": labels})).await;
        let link = json!({"title": "新品", "description": "三天内", "link_url": "https://x.example"});
        let post = |body: Value| world.sim.act_json(body).unwrap();
        let line = post(json!({"do": "post", "as": "li", "group": "wrHuadongSales", "msgtype": "link", "body": link}));
        post(json!({"do": "post", "as": "chen", "group": "wrHuadongSales", "text": "看到", "quote": line["line"]}));
        let content = world.sim.archive(0, 10)[1].message["text"]["content"].clone();
        assert_eq!(content, format!("这是一条引用/回复消息：\n\"李销售:\n{shown}\"\n------\n看到"));
    }
}

#[tokio::test]
async fn the_library_gets_keys_under_rsa_and_bodies_under_them() {
    let world = start().await;
    post(&world, "li", "wrHuadongSales", "机密");
    let url = world.sim.credentials().archive.url;
    let pull = async |query: &str| -> Value {
        world.http.get(format!("{url}?{query}")).send().await.unwrap().json().await.unwrap()
    };
    assert_eq!(pull("seq=0&limit=10").await["errcode"], 10004, "no key yet");
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let der = private.public_key().as_der().unwrap();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der.as_ref()));
    let (status, _) = world.control("archive/key", json!({"version": 3, "public_key": pem})).await;
    assert_eq!(status, 200);
    assert_eq!(pull("seq=0&limit=1001").await["errcode"], 10000);
    let batch = pull("seq=0&limit=10").await;
    let entry = &batch["chatdata"][0];
    assert_eq!((entry["seq"].as_u64(), entry["publickey_ver"].as_u64()), (Some(1), Some(3)));
    let wrapped = STANDARD.decode(entry["encrypt_random_key"].as_str().unwrap()).unwrap();
    let key = Pkcs1PrivateDecryptingKey::new(private).unwrap();
    let mut plain = vec![0; key.min_output_size()];
    let random = key.decrypt(&wrapped, &mut plain).unwrap();
    let mut body = STANDARD.decode(entry["encrypt_chat_msg"].as_str().unwrap()).unwrap();
    let message: Value = {
        use aes::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};
        let cipher = cbc::Decryptor::<aes::Aes256>::new_from_slices(random, &random[..16]).unwrap();
        serde_json::from_slice(cipher.decrypt_padded::<Pkcs7>(&mut body).unwrap()).unwrap()
    };
    assert_eq!(message["text"]["content"], "机密");
    assert_eq!(pull("seq=1&limit=10").await["chatdata"], json!([]));
}

#[tokio::test]
async fn gaps_and_repeats_on_demand() {
    let world = start().await;
    for name in ["archive_gap", "archive_twice"] {
        world.control("faults", json!({"kind": {"name": name}, "times": 1})).await;
    }
    post(&world, "li", "wrHuadongSales", "一");
    let seqs: Vec<_> = world.sim.archive(0, 10).iter().map(|e| e.seq).collect();
    assert_eq!(seqs, [8, 9]);
    assert_eq!(world.sim.archive(0, 10)[0].msgid, world.sim.archive(0, 10)[1].msgid);
}

#[tokio::test]
async fn what_is_older_than_it_is_kept_is_gone_without_a_word() {
    let world = start().await;
    let pem = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap().public_key().as_der().unwrap();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(pem.as_ref()));
    world.control("archive/key", json!({"version": 1, "public_key": pem})).await;
    let pull = async |seq: u64| -> Value {
        let url = format!("{}?seq={seq}&limit=100", world.sim.credentials().archive.url);
        world.http.get(url).send().await.unwrap().json().await.unwrap()
    };
    let seqs = |answer: &Value| -> Vec<u64> {
        answer["chatdata"].as_array().unwrap().iter().map(|entry| entry["seq"].as_u64().unwrap()).collect()
    };
    for text in ["一", "二", "三"] {
        post(&world, "li", "wrHuadongSales", text);
        world.sim.advance(SignedDuration::from_hours(48));
    }
    let left = pull(0).await;
    assert_eq!((&left["errcode"], seqs(&left)), (&json!(0), vec![2, 3]), "the oldest that is left, and no code");
    world.control("unknowns", json!({"archive_days": 3})).await;
    assert_eq!(seqs(&pull(0).await), [3]);
}

#[tokio::test]
async fn a_batch_may_be_shorter_than_what_is_there() {
    let world = start().await;
    world.control("unknowns", json!({"archive_batch": 2})).await;
    for text in ["一", "二", "三"] {
        post(&world, "li", "wrHuadongSales", text);
    }
    let pull = async |seq: u64| -> Vec<u64> {
        world.sim.pull(seq, 100).await.unwrap().iter().map(|entry| entry.seq).collect()
    };
    assert_eq!((pull(0).await, pull(2).await, pull(3).await), (vec![1, 2], vec![3], vec![]));
}
