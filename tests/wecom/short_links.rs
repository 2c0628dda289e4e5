//! A short link is judged by where it leads.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use axum::{Router, http::StatusCode};
use qunguan::{
    model::Category,
    short_links::{Names, ShortLinks},
};
use serde_json::json;

use crate::house::{House, SALES, morning};

/// Stands for the open internet.
const OPEN: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

struct Everywhere;

#[async_trait::async_trait]
impl Names for Everywhere {
    async fn addresses(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec![OPEN.into()])
    }
}

/// A group whose list names a site, and a shortener that leads there.
async fn house(settings: &str) -> (House, String) {
    let mut house = House::empty(morning(), settings).await;
    house.short_links = Some(Arc::new(ShortLinks::new(Box::new(Everywhere), |address| address == OPEN, &[])));
    house.write_settings();
    house.write("wordlists/gambling/sites.txt", "[阶段=执行]\nhuangguan-sports.top\n");
    house.start_bot().await;
    let listener = tokio::net::TcpListener::bind((OPEN, 0)).await.unwrap();
    let url = format!("http://t.cn:{}/A6b", listener.local_addr().unwrap().port());
    let answer = || async { (StatusCode::FOUND, [("location", "https://m.huangguan-sports.top/reg?i=1")]) };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    (house, url)
}

async fn post(house: &House, url: &str) {
    let link = json!({"title": "今晚的球", "description": "", "link_url": url});
    house.act(json!({"do": "post", "as": "li", "group": SALES, "msgtype": "link", "body": link}));
    house.settled().await;
}

#[tokio::test]
async fn a_short_link_to_a_listed_site_is_treated_like_the_site() {
    let (on, url) = house("[detect.links]\nresolve = true").await;
    post(&on, &url).await;
    let case = &on.cases(SALES, "li").await[0];
    assert_eq!(case.category, Category::Gambling);
    assert!(
        case.evidence.ends_with("[短链接指向] https://m.huangguan-sports.top/reg?i=1"),
        "an owner sees where it leads: {}",
        case.evidence
    );
}

#[tokio::test]
async fn nobody_is_asked_unless_the_settings_want_it() {
    let (off, url) = house("").await;
    post(&off, &url).await;
    let cases = off.cases(SALES, "li").await;
    assert!(cases.iter().all(|case| case.category != Category::Gambling), "{cases:?}");
}
