use crate::harness::start;

#[tokio::test]
async fn the_chat_page_loads_only_its_own_files_and_has_nothing_inline() {
    let world = start().await;
    let base = world.sim.credentials().api_base;
    let get = async |path: &str| world.http.get(format!("{base}{path}")).send().await.unwrap();
    let page = get("/sim").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let html = page.text().await.unwrap();
    assert!(!html.contains("<style") && !html.contains("style=\"") && !html.contains(" onclick"), "{html}");
    for (before, _) in html.match_indices("<script") {
        assert!(html[before..].starts_with("<script type=\"module\" src=\"/sim/assets/"), "no inline script");
    }
    let mut files = vec!["/sim/assets/sim.css".to_owned(), "/sim/assets/icon.svg".to_owned()];
    let mut waiting = vec!["sim.js".to_owned()];
    while let Some(file) = waiting.pop() {
        let path = format!("/sim/assets/{file}");
        let script = get(&path).await.text().await.unwrap();
        let imports = script.split("from \"./").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        waiting.extend(imports.filter(|import| !files.contains(&format!("/sim/assets/{import}"))));
        assert!(!script.contains("innerHTML"), "{file}");
        files.push(path);
    }
    for file in files {
        assert_eq!(get(&file).await.status(), 200, "{file}");
    }
    assert_eq!(get("/sim/assets/../mod.rs").await.status(), 404);
}
