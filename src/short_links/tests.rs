//! A world of servers on this machine: 127.0.0.9 stands for the open internet, everything else for our own network.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::IntoResponse,
};

use super::*;

/// The internet.
const OPEN: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
/// Our network.
const OURS: Ipv4Addr = Ipv4Addr::LOCALHOST;

fn open(address: IpAddr) -> bool {
    address == OPEN
}

/// `x.bit.ly` is on the internet; `in.bit.ly` in our network; `both.bit.ly` says both; `turn.bit.ly` turns inwards after the
/// first question.
#[derive(Default)]
struct World(AtomicUsize);

#[async_trait]
impl Names for World {
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(match host {
            "in.bit.ly" | "localhost" => vec![OURS.into()],
            "both.bit.ly" => vec![OPEN.into(), OURS.into()],
            "turn.bit.ly" if self.0.fetch_add(1, Ordering::SeqCst) > 0 => vec![OURS.into()],
            "none.bit.ly" => return Err(std::io::Error::other("no such name")),
            _ => vec![OPEN.into()],
        })
    }
}

struct Server {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Server {
    /// Answers each path with the `Location` that `answer` has for it.
    async fn start(at: Ipv4Addr, answer: impl Fn(u16, &str) -> Option<String> + Clone + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind((at, 0)).await.unwrap();
        let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let counter = asked.clone();
        let handler = move |method: Method, uri: Uri, headers: HeaderMap| {
            counter.fetch_add(1, Ordering::SeqCst);
            assert!(!headers.contains_key("cookie"));
            let location = answer(port, uri.path());
            async move {
                match location {
                    Some(_) if uri.path().starts_with("/get") && method == Method::HEAD => {
                        StatusCode::METHOD_NOT_ALLOWED.into_response()
                    }
                    Some(location) => {
                        (StatusCode::FOUND, [("location", location), ("set-cookie", "a=b".into())]).into_response()
                    }
                    None if uri.path() == "/slow" => {
                        std::future::pending::<()>().await;
                        StatusCode::OK.into_response()
                    }
                    None => StatusCode::OK.into_response(),
                }
            }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handler)).await });
        Self { port, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn links() -> ShortLinks {
    ShortLinks::new(Box::new(World::default()), open, &[])
}

#[tokio::test]
async fn a_short_link_says_where_it_leads_and_nobody_goes_there() {
    let target = Server::start(OPEN, |_, _| None).await;
    let place = format!("http://casino.example:{}/vip", target.port);
    let answer = place.clone();
    let server = Server::start(OPEN, move |port, path| {
        Some(match path {
            "/a" | "/get" => answer.clone(),
            "/two" => format!("http://y.bit.ly:{port}/a"),
            "/relative" => "/a".into(),
            "/loop" => format!("http://x.bit.ly:{port}/loop"),
            _ => return None,
        })
    })
    .await;
    let links = links();
    for path in ["/a", "/get", "/two", "/relative"] {
        let url = format!("http://x.bit.ly:{}{path}", server.port);
        assert_eq!(links.target(&url, path, &[]).await.as_ref(), Ok(&place), "{path}");
    }
    let asked = server.asked();
    let again = format!("http://x.bit.ly:{}/a", server.port);
    assert_eq!(links.target(&again, "a", &[]).await, Ok(place));
    assert_eq!(server.asked(), asked, "remembered");
    for path in ["/loop", "/nowhere"] {
        let url = format!("http://x.bit.ly:{}{path}", server.port);
        assert!(matches!(links.target(&url, path, &[]).await, Err(Unresolved::NoAnswer(_))), "{path}");
    }
    assert!(server.asked() <= asked + 3 + 2, "three hops");
    assert_eq!(target.asked(), 0, "the place itself is never visited");
}

#[tokio::test]
async fn nothing_leads_into_our_own_network() {
    let ours = Server::start(OURS, |_, _| Some("http://found.example/".into())).await;
    let port = ours.port;
    let server = Server::start(OPEN, move |_, path| {
        Some(match path {
            "/inwards" => format!("http://in.bit.ly:{port}/"),
            "/file" => "file:///etc/passwd".into(),
            "/gopher" => "gopher://x.bit.ly/".into(),
            _ => return None,
        })
    })
    .await;
    let links = links();
    let open_port = server.port;
    for url in [
        format!("http://in.bit.ly:{port}/"),
        format!("http://both.bit.ly:{port}/"),
        format!("http://none.bit.ly:{port}/"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://x.bit.ly@127.0.0.1:{port}/"),
        format!("http://user:word@x.bit.ly:{open_port}/"),
        format!("http://x.bit.ly:{open_port}/inwards"),
        format!("http://x.bit.ly:{open_port}/file"),
        format!("http://x.bit.ly:{open_port}/gopher"),
        "ftp://x.bit.ly/".to_owned(),
        "bit.ly".to_owned(),
    ] {
        // Even if an admin took the addresses themselves for shorteners.
        let more = ["127.0.0.1", "localhost", "[::1]", "[::ffff:7f00:1]"].map(str::to_owned);
        let answer = links.target(&url, &url, &more).await;
        assert!(matches!(answer, Err(Unresolved::NotAsked(_) | Unresolved::NotPublic(_))), "{url}: {answer:?}");
    }
    assert_eq!(ours.asked(), 0);
}

#[tokio::test]
async fn a_name_that_turns_inwards_is_asked_at_the_address_it_had() {
    let ours = Server::start(OURS, |_, _| None).await;
    let server = Server::start(OPEN, |_, _| Some("http://found.example/".into())).await;
    let links = links();
    let url = format!("http://turn.bit.ly:{}/a", server.port);
    assert_eq!(links.target(&url, "a", &[]).await, Ok("http://found.example/".into()));
    let url = format!("http://turn.bit.ly:{}/b", ours.port);
    assert!(matches!(links.target(&url, "a", &[]).await, Err(Unresolved::NotPublic(_))));
    assert_eq!(ours.asked(), 0);
}

#[tokio::test]
async fn who_does_not_answer_is_not_waited_for_and_nobody_makes_us_ask_often() {
    let server = Server::start(OPEN, |_, _| None).await;
    let links = links();
    let began = Instant::now();
    let slow = links.target(&format!("http://x.bit.ly:{}/slow", server.port), "a", &[]).await;
    assert!(matches!(slow, Err(Unresolved::NoAnswer(_))), "{slow:?}");
    assert!(began.elapsed() < WITHIN * 5);
    for i in 1..PACE.1 {
        let url = format!("http://x.bit.ly:{}/{i}", server.port);
        assert!(matches!(links.target(&url, "a", &[]).await, Err(Unresolved::NoAnswer(_))));
    }
    let url = format!("http://x.bit.ly:{}/more", server.port);
    assert_eq!(links.target(&url, "a", &[]).await, Err(Unresolved::TooOften));
    assert!(matches!(links.target(&url, "b", &[]).await, Err(Unresolved::NoAnswer(_))), "another person may");
}

#[tokio::test]
async fn only_the_webs_own_ports() {
    let links = ShortLinks::default();
    for url in ["http://bit.ly:22/", "http://bit.ly:6379/", "https://bit.ly:8443/"] {
        assert!(matches!(links.target(url, url, &[]).await, Err(Unresolved::NotAsked(_))), "{url}");
    }
}
