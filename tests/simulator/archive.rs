use aws_lc_rs::{
    encoding::AsDer,
    rsa::{KeySize, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
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
