//! `qunguan train`: the bot learns from a company's own labelled texts and from what its people decided.
//!
//! A model only asks a human (review) until its own reviewed hits have earned it more; how they turned out is counted from
//! the stored cases. The order of the texts is shuffled the same way every time, so training twice gives the same model.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::ExitCode,
};

use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};

use super::{ConfigArg, UserError, history};
use crate::{
    detect::learned::{Model, Record},
    model::Category,
    store::Case,
};

/// Times over the texts.
const PASSES: usize = 5;
/// Every n-th text is kept back to measure with.
const KEPT_BACK: usize = 5;
/// From this likelihood on a text counts as recognised, as in the detector.
const RECOGNISED: f32 = 0.9;
/// The label of texts with nothing wrong.
const FINE: &str = "ok";

/// 从自己标好的文本和管理员的判断里学习。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// 也从已保存的违规记录学习：群主确认的算违规，撤销的算正常（先停止服务）
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
        for case in history::cases(&settings).await? {
            learn_from(&case, &mut examples, &mut records);
        }
    }
    examples.shuffle(&mut StdRng::seed_from_u64(1));
    let categories: BTreeSet<Category> = examples.iter().filter_map(|(_, what)| *what).collect();
    if categories.is_empty() {
        return Err(UserError("没有违规的例子可学；每行写：类别、制表符、文本".to_owned()).into());
    }
    for category in categories {
        let start = if args.fresh { None } else { settings.model(category).map_err(|p| UserError(p.to_string()))? };
        let mut model = taught(start.clone(), category, &examples);
        if let Some(record) = records.get(&category) {
            model.record = *record;
        }
        save(&settings.model_path(category), &model)?;
        println!("{}：{}", category.zh(), measured(start, category, &examples));
    }
    println!("已保存到 {}；重启或给群管发 SIGHUP 后生效", settings.data_dir.join("learned").display());
    Ok(ExitCode::SUCCESS)
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

/// A case that people took back is an example of nothing wrong, one that a person acted on of a violation.
fn learn_from(case: &Case, examples: &mut Vec<Example>, records: &mut BTreeMap<Category, Record>) {
    let Some(wrong) = history::found_wrong(case) else { return };
    examples.push((case.evidence.clone(), (!wrong).then_some(case.category)));
    let learned = case.findings.iter().filter(|f| f.rule.ends_with("/learned"));
    for category in learned.map(|f| f.category).collect::<BTreeSet<_>>() {
        let record = records.entry(category).or_default();
        if wrong { record.wrong += 1 } else { record.right += 1 }
    }
}

fn taught<'a>(
    start: Option<Model>,
    category: Category,
    examples: impl IntoIterator<Item = &'a Example> + Copy,
) -> Model {
    let mut model = start.unwrap_or_default();
    for _ in 0..PASSES {
        for (text, what) in examples {
            model.update(text, *what == Some(category));
        }
    }
    model
}

/// Trains on most of the texts and tries the rest.
fn measured(start: Option<Model>, category: Category, examples: &[Example]) -> String {
    let total = examples.iter().filter(|(_, what)| *what == Some(category)).count();
    let sum = format!("学了 {total} 条违规、{} 条其它", examples.len() - total);
    let (mut shown, mut kept) = (Vec::new(), Vec::new());
    for (index, example) in examples.iter().enumerate() {
        if index % KEPT_BACK == 0 { kept.push(example) } else { shown.push(example.clone()) }
    }
    let bad = kept.iter().filter(|(_, what)| *what == Some(category)).count();
    if bad < 5 {
        return format!("{sum}；例子太少，量不出效果");
    }
    let model = taught(start, category, &shown);
    let found: Vec<_> = kept.iter().filter(|(text, _)| model.score(text) >= RECOGNISED).collect();
    let right = found.iter().filter(|(_, what)| *what == Some(category)).count();
    format!(
        "{sum}；留出 {} 条检验：{bad} 条违规认出 {right} 条，{} 条其它误认 {} 条",
        kept.len(),
        kept.len() - bad,
        found.len() - right
    )
}

/// A reader never sees half a file.
fn save(path: &Path, model: &Model) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder).map_err(|e| UserError::refused("不能写入", folder, &e))?;
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, model.save())
        .and_then(|()| std::fs::rename(&fresh, path))
        .map_err(|e| UserError::refused("不能写入", path, &e).into())
}
