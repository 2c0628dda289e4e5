//! Whoever sees the product for the first time follows the guide beside the chat, word for word.

use qunguan::{cli::tour::tour, model::SignedDuration};
use serde_json::json;

use crate::house::{CUSTOMERS, House, SALES};

/// Groups and people of the demo, with what ships.
async fn demo() -> House {
    let house = House::start_with(
        "[detect.flood]\n[[group]]\nid = \"wrNewProducts\"\nname = \"新品项目群\"\nkind = \"bot\"\nmode = \"watch\"\nowner = \"zhang\"",
    )
    .await;
    house.sim.guide(tour("http://bot.invalid/"));
    house
}

#[tokio::test]
async fn every_step_of_the_guide_works_as_written_and_ticks_itself() {
    let house = demo().await;
    let steps = tour("").steps;
    assert!(house.sim.guided().iter().all(|done| !done), "nothing is done yet");
    for (at, step) in steps.iter().enumerate() {
        match (step.say.as_str(), step.chat.as_str()) {
            ("", "~app") if step.text.contains("知道了") => drop(house.press("li", "群规提醒", "知道了").await),
            ("", "~app") => {
                let preview = house.inbox("wang").pop().unwrap();
                let words = preview.to_string();
                let id = words.split("发出 ").nth(1).unwrap().chars().take_while(char::is_ascii_alphanumeric);
                house.ask("wang", &format!("发出 {}", id.collect::<String>())).await;
            }
            ("", SALES) => house.later(SignedDuration::from_hours(2)).await,
            ("", _) => {
                house.act(json!({"do": "remove", "as": step.who, "group": CUSTOMERS, "person": "wmLiuBig"}));
                house.settled().await;
            }
            (say, "~app") => drop(house.ask(&step.who, say).await),
            (say, group) => drop(house.say(&step.who, group, say).await),
        }
        let done = house.sim.guided();
        assert!(
            done[at],
            "{}: {}{}\n{:#?}\n{:#?}",
            at + 1,
            step.text,
            step.say,
            house.lines(SALES),
            house.told("wang")
        );
        assert!(done[at + 1..].iter().all(|later| !later), "{}: what comes later is not done by it: {done:?}", at + 1);
    }
    house.sim.reset();
    assert!(house.sim.guided().iter().all(|done| !done), "and it begins again");
}
