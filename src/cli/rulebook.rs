//! `qunguan rulebook list|show|coverage`: which regulations there are, what they say, and how far the bot answers for them.

use std::{collections::BTreeMap, process::ExitCode, sync::Arc};

use super::{ConfigArg, server::Api};
use crate::{
    labels::{self, Label, Labelled, Place, Reach, Totals},
    model::{Clock, SystemClock, Timestamp},
    policy::{Policy, rulebook::Rulebook},
    rulebooks::{self, AdoptedVersion},
    settings::{Group, Problem, Problems, Settings, files::Kind},
    store::embedded::EmbeddedStore,
    zh,
};

/// 群规：条款与覆盖情况。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// 列出所有群规
    List {
        #[command(flatten)]
        output: Output,
    },
    /// 逐条显示一份群规
    Show {
        /// 群规名，例如 sales-group
        name: String,
        #[command(flatten)]
        output: Output,
    },
    /// 每份群规、每个群有多少条自动处置、请人处理、只记录、未启用、靠人，多少条只是说明
    Coverage {
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Debug, clap::Args)]
struct Output {
    #[command(flatten)]
    config: ConfigArg,
    /// 输出 JSON
    #[arg(long)]
    json: bool,
}

/// Prints on stdout; a rulebook with mistakes is an error that names each.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::List { output } => list(&all(output)?, output.json)?,
        Command::Show { name, output } => {
            let world = World::read(output)?;
            let settings = &world.settings;
            show(&world, &read(settings, name).map_err(Problems)?, output.json)?;
            if !output.json {
                for lived in lived(&output.config).await.iter().filter(|lived| lived.rulebook == *name) {
                    println!("{}", where_it_holds(lived, settings, SystemClock.now()));
                }
            }
        }
        Command::Coverage { output } => coverage(&World::read(output)?, output.json)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What groups live under, asked from the running bot, or read from its store while it is stopped; nothing where neither can
/// be had.
pub(super) async fn lived(config: &ConfigArg) -> Vec<AdoptedVersion> {
    let Ok(settings) = config.load_or_built_in() else { return Vec::new() };
    if let Some(api) = Api::by_the_way(&settings)
        && let Ok(mut answer) = api.get("/api/v1/rulebooks").await
        && let Ok(lived) = serde_json::from_value(answer["rulebooks"].take())
    {
        return lived;
    }
    let folder = settings.store_folder();
    if !folder.is_dir() {
        return Vec::new();
    }
    match EmbeddedStore::open(&folder) {
        Ok(store) => rulebooks::read(&store).await.unwrap_or_default(),
        Err(_) => Vec::new(), // the bot has it open and did not answer
    }
}

/// `华东销售群：第 1 版有效；第 2 版 5月7日 10:00 起生效`.
fn where_it_holds(lived: &AdoptedVersion, settings: &Settings, now: Timestamp) -> String {
    let group = settings.groups.iter().find(|group| group.id == lived.group);
    let name = group.map(|group| group.name.as_str()).filter(|name| !name.is_empty());
    let mut line = format!("{}：第 {} 版有效", name.unwrap_or(lived.group.as_str()), lived.versions.at(now).version);
    if let Some(next) = lived.versions.coming(now) {
        let note = if next.told { "" } else { "（还没有告知）" };
        let from = zh::when(next.effective, now);
        line.push_str(&format!("；第 {} 版 {from} 起生效{note}", next.rulebook.version));
    }
    line
}

fn all(output: &Output) -> anyhow::Result<Vec<Arc<Rulebook>>> {
    Ok(output.config.load_offline()?.rulebooks().map_err(Problems)?.into_values().collect())
}

/// A rulebook from the config folder, or the shipped one.
fn read(settings: &Settings, name: &str) -> Result<Rulebook, Vec<Problem>> {
    Settings::rulebook(&settings.files.read(Kind::Rulebook, name).map_err(|problem| vec![problem])?)
}

fn list(rulebooks: &[Arc<Rulebook>], json: bool) -> anyhow::Result<()> {
    if json {
        let lines = rulebooks.iter().map(|book| {
            serde_json::json!({ "name": book.name, "title": book.title, "version": book.version, "clauses": book.clauses.len() })
        });
        println!("{}", serde_json::to_string_pretty(&lines.collect::<Vec<_>>())?);
        return Ok(());
    }
    for book in rulebooks {
        println!("{}\t《{}》第 {} 版，{} 条", book.name, book.title, book.version, book.clauses.len());
    }
    Ok(())
}

/// Everything that labels are computed from.
struct World {
    settings: Settings,
    policies: BTreeMap<String, Arc<Policy>>,
    rulebooks: BTreeMap<String, Arc<Rulebook>>,
    reach: Reach,
}

impl World {
    fn read(output: &Output) -> anyhow::Result<Self> {
        let settings = output.config.load_offline()?;
        let policies = settings.policies().map_err(Problems)?;
        let rulebooks = settings.rulebooks().map_err(Problems)?;
        let reach = Reach::of(&super::detector(&settings, SystemClock.now())?);
        Ok(Self { settings, policies, rulebooks, reach })
    }

    fn policy(&self, name: &str) -> &Policy {
        self.policies.get(name).or_else(|| self.policies.get("default")).expect("the default policy is built in")
    }

    /// Where nobody has chosen it yet: a group made by the app, everything connected, the policy it brings along.
    fn best(&self, book: &Rulebook) -> Place<'_> {
        Place::best(self.policy(book.policy.as_deref().unwrap_or("default")), &self.reach)
    }

    /// The groups that chose it, with all rulebooks that hold there.
    fn groups(&self, book: &str) -> impl Iterator<Item = (Place<'_>, Vec<&Rulebook>)> {
        let chosen = |group: &Group| group.rulebook.iter().any(|name| name == book);
        let groups: Vec<usize> =
            (0..self.settings.groups.len()).filter(|n| chosen(&self.settings.groups[*n])).collect();
        groups.into_iter().map(|n| {
            let group = &self.settings.groups[n];
            let books = group.rulebook.iter().filter_map(|name| self.rulebooks.get(name)).map(Arc::as_ref).collect();
            let place = Place::of(&self.settings, n, self.policy(group.policy(&self.rulebooks)), &self.reach);
            (place, books)
        })
    }
}

fn show(world: &World, book: &Rulebook, json: bool) -> anyhow::Result<()> {
    let best = world.best(book);
    let labels = |place: &Place<'_>, books: &[&Rulebook]| -> Vec<Labelled> {
        book.clauses.iter().map(|clause| labels::label(place, books, clause)).collect()
    };
    let at_best = labels(&best, &[book]);
    if json {
        let mut whole = serde_json::to_value(book)?;
        let mut places = vec![serde_json::json!({ "group": null, "policy": best.policy.name, "clauses": at_best })];
        for (place, books) in world.groups(&book.name) {
            places.push(serde_json::json!({
                "group": place.group.id(), "policy": place.policy.name, "clauses": labels(&place, &books),
            }));
        }
        whole["labels"] = serde_json::json!(places);
        println!("{}", serde_json::to_string_pretty(&whole)?);
        return Ok(());
    }
    println!("《{}》第 {} 版，改动提前 {} 天告知", book.title, book.version, book.announce_days);
    if let Some(policy) = &book.policy {
        println!("自带策略 {policy}：群的设置里没有写 policy 时用它");
    }
    println!("应用建的群、全自动、都接好时（策略 {}）：", best.policy.name);
    for (clause, label) in book.clauses.iter().zip(&at_best) {
        println!("{}  {}\n    {}", clause.cite, clause.text, label.zh());
    }
    for (place, books) in world.groups(&book.name) {
        let here = labels(&place, &books);
        let mode = place.group.set.mode.zh();
        println!("「{}」（{mode}，策略 {}）里不同的：", place.group.name(), place.policy.name);
        let mut same = true;
        for ((clause, here), best) in book.clauses.iter().zip(&here).zip(&at_best) {
            if here != best {
                same = false;
                println!("{}  {}", clause.cite, here.zh());
            }
        }
        if same {
            println!("没有");
        }
    }
    Ok(())
}

fn coverage(world: &World, json: bool) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    let mut sum = Totals { rulebook: "合计".into(), ..Totals::default() };
    for book in world.rulebooks.values() {
        let best = Totals::of(&world.best(book), &[book], book);
        sum.add(&best);
        lines.push(best);
        for (place, books) in world.groups(&book.name) {
            let totals = Totals::of(&place, &books, book);
            let group = if json { place.group.id().to_string() } else { place.group.name().to_owned() };
            lines.push(Totals { group: Some(group), ..totals });
        }
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
        return Ok(());
    }
    let heads: Vec<&str> = Label::ALL.iter().map(|label| label.zh()).collect();
    println!("群规\t条款\t{}", heads.join("\t"));
    lines.push(sum);
    for line in &lines {
        let name = match &line.group {
            Some(group) => format!("　「{group}」里"),
            None => line.rulebook.clone(),
        };
        let counts: Vec<String> = Label::ALL.iter().map(|label| line.count(*label).to_string()).collect();
        println!("{name}\t{}\t{}", line.clauses, counts.join("\t"));
    }
    println!("没有写「」的一行：应用建的群、全自动、都接好、用群规自带的策略时。");
    Ok(())
}
