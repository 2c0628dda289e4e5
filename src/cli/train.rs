//! `qunguan train`: the bot learns from a company's own labelled texts and from what its people decided.
//!
//! A model only asks a human (review) until its own reviewed hits have earned it more; how they turned out is counted from
//! the stored cases. Where the bot runs it is asked for them, and it takes a new model up by itself. One is taken back
//! by deleting its file in `data/learned`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde_json::Value;

use super::{ConfigArg, UserError, history, server::Api};
use crate::{
    detect::{
        learned::{Lessons, Measured, Record},
        talk,
    },
    model::Category,
    settings::Settings,
    store::{Case, CaseState, StoreError, private},
};

/// The same texts teach the same.
const SEED: u64 = 1;
/// The label of texts with nothing wrong.
const FINE: &str = "ok";
/// Cases asked for at once.
const PAGE: usize = 500;

/// 从自己标好的文本和管理员的判断里学习。学到的在数据文件夹的 learned 里，每类一个文件；删掉那个文件就是撤销，不必重启。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// 也从已保存的违规记录学习：群主确认的算违规，撤销的算正常。群管正在运行就向它要，不必停
    #[arg(long)]
    stored: bool,
    /// 从头学，不接着上次的结果
    #[arg(long)]
    fresh: bool,
    /// 标好的文本，每行：类别（正常的写 ok）、制表符、文本
    #[arg(value_name = "FILE.tsv")]
    files: Vec<PathBuf>,
}

/// A text and what it is; `None` for nothing wrong.
type Example = (String, Option<Category>);

/// Trains one model for each category that has examples, and says how well it does on texts it was not shown.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let settings = args.config.load_offline()?;
    let mut examples = Vec::new();
    for path in &args.files {
        read(path, &mut examples)?;
    }
    let mut records = BTreeMap::new();
    if args.stored {
        for verdict in verdicts(args, &settings).await? {
            verdict.learn(&mut examples, &mut records);
        }
    }
    let categories: BTreeSet<Category> = examples.iter().filter_map(|(_, what)| *what).collect();
    if categories.is_empty() {
        return Err(UserError("没有违规的例子可学；每行写：类别、制表符、文本".to_owned()).into());
    }
    // Everyday talk that is honest everywhere is always among the lessons: a few examples alone would make all of it suspect.
    let own_honest = examples.iter().filter(|(_, what)| what.is_none()).count();
    let everyday = talk::sentences().map(|sentence| (sentence, None));
    let own = examples.iter().map(|(text, what)| (text.as_str(), *what));
    let lessons = Lessons::new(own.chain(everyday), SEED);
    let mut former = BTreeMap::new();
    for category in &categories {
        let model = if args.fresh { None } else { settings.model(*category).map_err(|p| UserError(p.to_string()))? };
        if model.is_none() && own_honest == 0 {
            return Err(UserError(format!("还要有正常的例子（标签写 {FINE}），不然什么都像违规")).into());
        }
        former.insert(*category, model);
    }
    let taught: Vec<_> = std::thread::scope(|scope| {
        let teach = |(category, former): (&Category, &Option<_>)| lessons.teach(*category, former.as_ref());
        let threads: Vec<_> = former.iter().map(|each| (*each.0, scope.spawn(move || teach(each)))).collect();
        threads.into_iter().map(|(category, thread)| (category, thread.join())).collect()
    });
    for (category, taught) in taught {
        let (mut model, measured) = taught.map_err(|_| anyhow::anyhow!("learning {category} failed"))?;
        if let Some(record) = records.get(&category) {
            model.record = *record;
        }
        save(&settings.model_path(category), &model.save())?;
        let learnt = format!("{}：学了 {} 条违规、{own_honest} 条正常", category.zh(), lessons.count(Some(category)));
        println!("{learnt}；{}", measured.map_or_else(|| "例子太少，量不出效果".to_owned(), said));
    }
    println!("已保存到 {}；正在运行的群管会自己用上", settings.data_dir.join("learned").display());
    Ok(ExitCode::SUCCESS)
}

/// What was measured on texts that had not been shown.
fn said(measured: Measured) -> String {
    let Measured { bad, seen, acted, honest, false_alarms, wronged } = measured;
    let percent =
        |part: usize, whole: usize, digits: usize| format!("{:.digits$}%", part as f64 * 100.0 / whole as f64);
    format!(
        "拿没学过的来量：请人看，违规认出 {seen}/{bad}（{}），正常误报 {false_alarms}/{honest}（{}）；以后可以自己处置的，\
         违规 {acted} 条（{}），正常 {wronged} 条（{}）",
        percent(seen, bad, 1),
        percent(false_alarms, honest, 2),
        percent(acted, bad, 1),
        percent(wronged, honest, 2),
    )
}

fn read(path: &Path, examples: &mut Vec<Example>) -> anyhow::Result<()> {
    let text = super::read_text(path)?;
    for (index, line) in text.lines().enumerate() {
        let wrong = |why: String| UserError(format!("{}:{}: {why}", path.display(), index + 1));
        if line.trim().is_empty() {
            continue;
        }
        let (label, text) = line.split_once('\t').ok_or_else(|| wrong("缺少制表符".to_owned()))?;
        let what = match label {
            FINE => None,
            label => Some(label.parse::<Category>().map_err(|_| {
                let near = crate::settings::did_you_mean(label, Category::ALL.iter().map(|c| c.id()));
                wrong(format!("没有 `{label}` 这个类别{near}"))
            })?),
        };
        examples.push((text.to_owned(), what));
    }
    Ok(())
}

/// What people made of a case.
struct Verdict {
    evidence: String,
    category: Category,
    /// The bot was wrong.
    wrong: bool,
    /// Whose models had spoken up.
    learned: BTreeSet<Category>,
}

impl Verdict {
    fn new<'a>(
        evidence: String,
        category: Category,
        wrong: Option<bool>,
        rules: impl Iterator<Item = &'a str>,
    ) -> Option<Self> {
        let learned = rules.filter_map(|rule| rule.strip_suffix("/learned")?.parse().ok()).collect();
        Some(Self { evidence, category, wrong: wrong?, learned })
    }

    fn of_case(case: &Case) -> Option<Self> {
        let rules = case.findings.iter().map(|f| &*f.rule);
        Self::new(case.evidence.clone(), case.category, history::found_wrong(case), rules)
    }

    /// From `GET /api/v1/cases`.
    fn of_answer(case: &Value) -> Option<Self> {
        let text = |name: &str| case[name].as_str().unwrap_or_default();
        let events = case["history"].as_array().into_iter().flatten();
        let wrong = history::wrong_by(
            text("state") == CaseState::Revoked.id(),
            events.filter_map(|event| event["what"].as_str()),
        );
        let rules = case["rules"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Self::new(text("evidence").to_owned(), text("category").parse().ok()?, wrong, rules)
    }

    /// What people took back is an example of nothing wrong, what a person acted on one of a violation.
    fn learn(self, examples: &mut Vec<Example>, records: &mut BTreeMap<Category, Record>) {
        examples.push((self.evidence, (!self.wrong).then_some(self.category)));
        for category in self.learned {
            let record = records.entry(category).or_default();
            if self.wrong { record.wrong += 1 } else { record.right += 1 }
        }
    }
}

/// All verdicts on record: from the store, or from the bot that has it open.
async fn verdicts(args: &Args, settings: &Settings) -> anyhow::Result<Vec<Verdict>> {
    match history::cases(settings).await {
        Ok(cases) => Ok(cases.iter().filter_map(Verdict::of_case).collect()),
        Err(error) if matches!(error.downcast_ref(), Some(StoreError::InUse(_))) => {
            let no_token =
                || UserError("群管正在运行，要向它要记录：设置里请写 [[api_token]]，或先停止服务".to_owned());
            asked(&Api::by_the_way(&args.config.load()?).ok_or_else(no_token)?).await
        }
        Err(error) => Err(error),
    }
}

async fn asked(api: &Api) -> anyhow::Result<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    let mut after = String::new();
    loop {
        let answer = api.get(&format!("/api/v1/cases?limit={PAGE}{after}")).await?;
        verdicts.extend(answer["cases"].as_array().into_iter().flatten().filter_map(Verdict::of_answer));
        match answer["next"].as_str() {
            Some(next) => after = format!("&after={}", super::server::escape(next)),
            None => return Ok(verdicts),
        }
    }
}

/// A reader never sees half a file.
fn save(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let refused = |path: &Path, error: &io::Error| UserError::refused("不能写入", path, error);
    let folder = path.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder).map_err(|e| refused(folder, &e))?;
    let fresh = path.with_extension("new");
    let written = private::create(&fresh).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    Ok(written.and_then(|()| std::fs::rename(&fresh, path)).map_err(|e| refused(path, &e))?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_running_bot_says_of_a_case_teaches_as_much_as_the_store() {
        let case = |state: &str, what: &str| {
            json!({ "evidence": "收旧家电", "category": "ads", "state": state, "rules": ["ads/learned", "ads/link"],
                    "history": [{ "at": "2026-11-29T01:00:00Z", "by": "m", "what": what }] })
        };
        let (mut examples, mut records) = (Vec::new(), BTreeMap::new());
        for (state, what) in [("revoked", "said"), ("closed", "owner_done"), ("open", "said")] {
            if let Some(verdict) = Verdict::of_answer(&case(state, what)) {
                verdict.learn(&mut examples, &mut records);
            }
        }
        let text = || "收旧家电".to_owned();
        assert_eq!(examples, [(text(), None), (text(), Some(Category::Ads))]);
        assert_eq!(records, BTreeMap::from([(Category::Ads, Record { right: 1, wrong: 1 })]));
    }
}
