//! The command line as a person or a script meets it: output, order, exit codes.

use std::{
    io::{BufRead, Write},
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// Runs the program in `folder` with `input` on stdin.
fn run(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_qunguan"))
        .args(args)
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(input.as_bytes()); // a command that does not read closes the pipe
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// A folder whose config has one wordlist of its own, so that tests do not depend on the shipped ones.
fn with_own_list() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let lists = folder.path().join("config/wordlists/ads");
    std::fs::create_dir_all(&lists).unwrap();
    std::fs::write(lists.join("own.txt"), "蓝色大象来电\n").unwrap();
    std::fs::write(folder.path().join("config/qunguan.toml"), "").unwrap();
    folder
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn help_is_chinese_and_usage_errors_end_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["--help"], "");
    assert_eq!(help.status.code(), Some(0));
    let text = stdout(&help);
    for word in ["用法：", "命令：", "init", "check", "scan", "显示帮助"] {
        assert!(text.contains(word), "{word} in {text}");
    }
    let typo = run(folder.path(), &["scna"], "");
    assert_eq!(typo.status.code(), Some(2));
    assert!(stderr(&typo).contains("是不是想写 `scan`"));
    assert_eq!(run(folder.path(), &["scan", "--nothing"], "").status.code(), Some(2));
    assert_eq!(run(folder.path(), &[], "").status.code(), Some(2));
}

#[test]
fn a_reader_that_has_read_enough_is_no_fault() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended =
        Command::new(env!("CARGO_BIN_EXE_qunguan")).args(["policy", "explain"]).stdout(writer).output().unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn init_writes_what_check_accepts_and_overwrites_only_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let first = run(folder.path(), &["init"], "");
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    assert!(stdout(&first).contains("config/qunguan.toml") && stdout(&first).contains("qunguan check"));
    let settings = folder.path().join("config/qunguan.toml");
    assert!(settings.exists() && folder.path().join("config/wordlists/ads").is_dir());
    let check = run(folder.path(), &["check"], "");
    assert_eq!(check.status.code(), Some(0), "{}", stdout(&check));
    // What ships is not frozen; a folder of earlier versions, which held a copy of it, can be tidied.
    let list = folder.path().join("config/wordlists/ads/contact.txt");
    assert!(!list.exists() && !stdout(&check).contains("一模一样"), "{}", stdout(&check));
    assert_eq!(run(folder.path(), &["init", "--force", "--with-shipped"], "").status.code(), Some(0));
    let mut edited = std::fs::read_to_string(&list).unwrap();
    edited.push_str("新来的词\n");
    std::fs::write(&list, edited).unwrap();
    let said = stdout(&run(folder.path(), &["check"], ""));
    assert!(said.contains("个文件和内置的一模一样"), "{said}");
    assert!(said.contains("ads/contact.txt: 提示：和内置的比，加 1 条；") && said.contains("条照抄内置的"), "{said}");
    let tidied = stdout(&run(folder.path(), &["init", "--own"], ""));
    assert!(tidied.contains("ads/contact.txt") && tidied.contains("before-own"), "{tidied}");
    let own = std::fs::read_to_string(&list).unwrap();
    assert!(own.ends_with("新来的词\n") && own.lines().count() <= 2, "{own}");
    std::fs::write(&list, own + "停用：要加我\n").unwrap();
    let said = stdout(&run(folder.path(), &["check"], ""));
    assert!(said.contains("和内置的比，加 1 条、停用 1 条；内置的另外 "), "{said}");
    assert!(!said.contains("照抄"), "{said}");
    assert!(!folder.path().join("config/wordlists/gambling/gambling.txt").exists());

    std::fs::write(&settings, "listen = \"127.0.0.1:1\"\n").unwrap();
    let again = run(folder.path(), &["init"], "");
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("--force"));
    assert_eq!(std::fs::read_to_string(&settings).unwrap(), "listen = \"127.0.0.1:1\"\n");
    assert_eq!(run(folder.path(), &["init", "--force"], "").status.code(), Some(0));
    assert!(std::fs::read_to_string(&settings).unwrap().contains("time_zone"));
}

#[test]
fn what_a_person_can_mend_is_said_in_chinese() {
    let folder = with_own_list();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    std::fs::write(folder.path().join("config/qunguan.toml"), format!("listen = \"{address}\"\n")).unwrap();
    let output = run(folder.path(), &["run"], "");
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.ends_with(&format!("不能监听 {address}：已经有程序在用\n")), "{said}");

    let settings = "[detect]\nskip_wordlists = [\"ads/ownn\"]\n[detect.flood]\nrate = 0\nrepeats = 1\ncampaign_groups = 33\nbogus = 1\n[log]\nlevel = \"blah==\"\n";
    std::fs::write(folder.path().join("config/qunguan.toml"), settings).unwrap();
    std::fs::write(folder.path().join("config/wordlists/ads/own.txt"), "加 ~ 微信\n").unwrap();
    let output = run(folder.path(), &["check"], "");
    let said = stdout(&output) + &stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in [
        "qunguan.toml:2: ",
        "ads/own",
        "qunguan.toml:4: ",
        "qunguan.toml:5: ",
        "qunguan.toml:6: ",
        "qunguan.toml:7: ",
        "qunguan.toml:9: ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    std::fs::write(folder.path().join("config/qunguan.toml"), "").unwrap();
    let output = run(folder.path(), &["check"], "");
    let said = stdout(&output) + &stderr(&output);
    assert!(said.contains("own.txt:1: “~”后面要写字数，如 ~6"), "{said}");
    std::fs::write(folder.path().join("config/wordlists/ads/own.txt"), "【查无此组】\n").unwrap();
    let output = run(folder.path(), &["check"], "");
    let said = stdout(&output) + &stderr(&output);
    assert!(said.contains("own.txt:1: 没有名为【查无此组】的词组"), "{said}");
    // A group is one thing in all files, also in those that are shipped.
    let twice = "【我的词】 = 甲\n【我的词】 = 乙\n【手机】 = 丙\n【加】 = 丁\n";
    std::fs::write(folder.path().join("config/wordlists/ads/own.txt"), twice).unwrap();
    let output = run(folder.path(), &["check"], "");
    let said = stdout(&output) + &stderr(&output);
    for part in [
        "own.txt:2: 词组【我的词】已经在 ads/own.txt:1 定义过",
        "own.txt:3: 词组【手机】是程序自带的",
        "词组【加】已经在 ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn what_the_system_refuses_is_said_in_chinese() {
    let folder = with_own_list();
    let at = folder.path();
    std::fs::write(at.join("file"), "").unwrap();
    std::fs::write(at.join("config/qunguan.toml"), "listen = \"127.0.0.1:0\"\ndata_dir = \"file/data\"\n").unwrap();
    let no_folder = "路径里有一段不是文件夹\n";
    for (args, end) in [
        (&["run"][..], format!("数据文件夹 file/data/store 不能用：{no_folder}")),
        (
            &["demo", "--listen", "127.0.0.1:0", "--data", "file/x"],
            format!("数据文件夹 file/x/store 不能用：{no_folder}"),
        ),
        (&["init", "file/x"], format!("不能写入 file/x：{no_folder}")),
        (&["scan", "config"], "打不开 config：这是文件夹，不是文件\n".to_owned()),
        (&["backtest", "config"], "打不开 config：这是文件夹，不是文件\n".to_owned()),
        (&["backtest", "none.jsonl"], "打不开 none.jsonl：没有这个文件或文件夹\n".to_owned()),
        (&["train", "config"], "读不了 config：这是文件夹，不是文件\n".to_owned()),
        (&["evaluate", "file"], format!("读不了文件夹 file：{no_folder}")),
        (&["check", "--sample", "none"], "读不了 none：没有这个文件或文件夹\n".to_owned()),
    ] {
        // The folder for learned models must not stop what is not about it.
        let args: Vec<&str> = if ["run", "demo", "init"].contains(&args[0]) {
            args.to_vec()
        } else {
            [args, &["--config", "other.toml"]].concat()
        };
        std::fs::write(at.join("other.toml"), "").unwrap();
        let output = run(at, &args, "");
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).ends_with(&end), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn check_says_when_there_is_nothing_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let said = stdout(&run(folder.path(), &["check"], ""));
    assert!(said.ends_with("（没有 config/qunguan.toml，只检查了内置的设置；qunguan init 写出一份）\n"), "{said}");
    std::fs::create_dir(folder.path().join("config")).unwrap();
    std::fs::write(folder.path().join("config/qunguan.toml"), "").unwrap();
    let said = stdout(&run(folder.path(), &["check"], ""));
    assert!(said.contains("没有发现问题") && !said.contains("内置的设置"), "{said}");
}

#[test]
fn lists_are_examined_as_people_save_them() {
    let folder = with_own_list();
    let lists = folder.path().join("config/wordlists/ads");
    // 蓝象 in GBK with Excel's empty cells, a table, something that is no list, remarks on one's own lines.
    std::fs::write(lists.join("gbk.txt"), b"\xc0\xb6\xcf\xf3\t\t\r\n").unwrap();
    std::fs::write(lists.join("table.csv"), "词语,等级\n绿色大象来电,1\n").unwrap();
    std::fs::write(lists.join("list.docx"), "PK").unwrap();
    std::fs::write(lists.join("zz.txt"), "蓝色大象来电\n大象来电 | 允许=别的\n蓝").unwrap();
    let output = run(folder.path(), &["check"], "");
    let said = stdout(&output);
    for part in [
        "ads/table.csv: 提示：按表格读：第 1 列“词语”是词，共 1 行，其余列没有读\n",
        "ads/table.csv:2: 提示：“绿色大象来电”先观察，只记录不处置\n",
        "ads/list.docx: 提示：这个文件没有读",
        "提示：新词是否已经升级，运行中的群管用 qunguan rule list 看；要立刻执行，写 [阶段=执行]\n",
        "ads/zz.txt:1: 提示：和 ads/own.txt:1 重复\n",
        "ads/zz.txt:2: 提示：允许短语“别的”里没有这个词条，不起作用\n",
        "ads/zz.txt:3: 提示：单个字",
        "ads/own.txt:1: 提示：里面的“大象来电”（ads/zz.txt:2）已经够了",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    assert!(!said.contains("自带的词表"), "what is useless in our lists is not their trouble: {said}");
    assert_eq!(output.status.code(), Some(0), "{said}");
    let sample = folder.path().join("sample.txt");
    std::fs::write(&sample, b"\xc0\xb6\xcf\xf3\r\nok\r\n").unwrap();
    std::fs::write(lists.join("zz.txt"), "[阶段=执行]\n蓝象\n").unwrap();
    let said = stdout(&run(folder.path(), &["check", "--sample", "sample.txt"], ""));
    assert!(said.contains("ads/gbk.txt:1: 提示：在 2 条日常消息里命中 1 条（50.0%），会误伤\n"), "{said}");
    let said = stdout(&run(folder.path(), &["check", "--sample", "sample.txt", "--share", "60"], ""));
    assert!(!said.contains("日常消息"), "{said}");
    assert_eq!(lines(&run(folder.path(), &["scan", "--json"], "蓝象"))[0]["verdict"], "act");
}

#[test]
fn every_mistake_of_a_file_is_said_at_once() {
    let folder = with_own_list();
    let config = folder.path().join("config");
    let settings = "listen = \"here\"\n[detect.flood]\nrate = 0\nrate_window = \"0s\"\nrepeats = \"x\"\n\
                    [[group]]\nid = \"g\"\nmode = \"ful\"\npolicy = 3\n[log]\nlevel = \"blah==\"\n";
    std::fs::write(config.join("qunguan.toml"), settings).unwrap();
    std::fs::create_dir_all(config.join("policies")).unwrap();
    std::fs::write(config.join("policies/own.toml"), "strike_expires = 5\nbogus = 1\n[points]\nsum = 3\n").unwrap();
    let scores = "act = \"x\"\nreview = 1.0\nsoft = 1.0\nheard = true\nheard_jargon = 0.5\n[category]\nads = { points = \"a\" }\n";
    std::fs::write(config.join("wordlists/scores.toml"), scores).unwrap();
    let said = stdout(&run(folder.path(), &["check"], ""));
    for part in [
        "qunguan.toml:1: 格式有误：要写成 地址:端口，如 127.0.0.1:8080\n",
        "qunguan.toml:3: 写的是 0，要在 1 到 23 之间：再少会把每条消息都算作刷屏\n",
        "qunguan.toml:4: `0s` 不是时长",
        "qunguan.toml:5: 值不对：写的是 文字 \"x\"，应为 整数\n",
        "qunguan.toml:8: `ful` 不是可选的值",
        "qunguan.toml:9: 值不对：写的是 整数 `3`，应为 文字\n",
        "qunguan.toml:11: 写 error、warn",
        "own.toml:2: 不认识的设置项 `bogus`",
        "scores.toml:1: 值不对：写的是 文字 \"x\"，应为 数\n",
        "scores.toml:4: 值不对：写的是 true/false `true`，应为 数\n",
        "scores.toml:7: 值不对：写的是 文字 \"a\"，应为 数\n",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    std::fs::write(config.join("qunguan.toml"), "a = [1\nb = 2]\nmode\n[group\n").unwrap();
    let said = stdout(&run(folder.path(), &["check"], ""));
    for part in [
        "qunguan.toml:2: 格式有误：列表里的值之间缺少逗号\n",
        "qunguan.toml:3: 格式有误：只有名字，后面缺少 `=` 和值\n",
        "qunguan.toml:4: 格式有误：小节的名字后面缺少 `]`\n",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
}

#[test]
fn check_names_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let lists = folder.path().join("wordlists/ads");
    std::fs::create_dir_all(&lists).unwrap();
    std::fs::write(lists.join("own.txt"), "加我\n/(/\n").unwrap();
    std::fs::write(folder.path().join("my.toml"), "dry_run = true\nlistn = \"127.0.0.1:80\"\n").unwrap();
    let check = run(folder.path(), &["check", "--config", "my.toml"], "");
    assert_eq!(check.status.code(), Some(1));
    let said = stdout(&check);
    assert!(said.contains("my.toml:2: 不认识的设置项 `listn`，是不是想写 `listen`？"), "{said}");
    assert!(said.contains("wordlists/ads/own.txt:2: "), "{said}");
    let missing = run(folder.path(), &["check", "--config", "none.toml"], "");
    assert_eq!(missing.status.code(), Some(1));
}

#[test]
fn scan_answers_one_line_each_in_order_and_nothing_else() {
    let folder = with_own_list();
    std::fs::write(folder.path().join("config/wordlists/ads/own.txt"), "蓝色大象来电 | 阶段=执行\n").unwrap();
    let input = "你好\n\n今天的会改到三点，蓝 色大象 来电细聊\r\n谢谢";
    let output = run(folder.path(), &["scan", "--json"], input);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let results = lines(&output);
    let numbers: Vec<_> = results.iter().map(|r| r["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    let verdicts: Vec<_> = results.iter().map(|r| r["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts[0], "clean");
    assert_eq!(verdicts[1], "clean");
    assert_ne!(verdicts[2], "clean");
    let hit = &results[2]["findings"][0];
    let line: Vec<char> = "今天的会改到三点，蓝 色大象 来电细聊".chars().collect();
    let (start, end) = (hit["start"].as_u64().unwrap() as usize, hit["end"].as_u64().unwrap() as usize);
    assert_eq!(line[start..end].iter().collect::<String>(), hit["original"].as_str().unwrap());
    for field in ["rule", "category", "severity", "score", "normalized", "transforms"] {
        assert!(!hit[field].is_null(), "{field}");
    }
    let text = run(folder.path(), &["scan"], input);
    assert_eq!(stdout(&text).lines().count(), 4);
    let from_file = folder.path().join("messages.txt");
    std::fs::write(&from_file, input).unwrap();
    assert_eq!(stdout(&run(folder.path(), &["scan", "--json", "messages.txt"], "")), stdout(&output));
    let explained = lines(&run(folder.path(), &["scan", "--json", "--explain"], "ＡＢ你好\n"));
    assert_eq!(explained[0]["characters"][0]["transforms"][0], "width");
    assert!(explained[0]["silent"].is_array());
    let said = stdout(&run(
        folder.path(),
        &["scan", "--explain"],
        "加我薇信 lan8866\n操你🐴\n力口我微信 lan8866\n加\u{200b}我\n",
    ));
    for (line, step) in said.lines().zip(["薇→微 homophone", "🐴→马 emoji", "力口→加 split", "\u{200b}→ invisible"])
    {
        assert!(line.split('\t').any(|part| part.starts_with(step)), "{step} in {line}");
    }
}

#[test]
fn scan_jsonl_remembers_who_said_what() {
    let folder = tempfile::tempdir().unwrap();
    let said = |minute: u64| {
        let at = format!("2026-11-23T10:0{minute}:00+08:00");
        let text = "春季新品到店，欢迎大家前来选购";
        serde_json::json!({ "id": minute, "group": "g", "sender": "a", "text": text, "at": at }).to_string() + "\n"
    };
    let input: String = (0..4).map(said).collect();
    let output = run(folder.path(), &["scan", "--jsonl"], &input);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let results = lines(&output);
    assert_eq!(results.iter().map(|r| r["id"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(results[0]["verdict"], "clean");
    assert!(results[3]["categories"].as_array().unwrap().contains(&"flood".into()), "{}", results[3]);
    let broken = run(folder.path(), &["scan", "--jsonl"], "{\"text\":\"你好\"}\nno\n{\"text\":\"好\"}\n");
    assert_eq!(broken.status.code(), Some(1));
    assert_eq!(lines(&broken).len(), 3, "still one result a line");
    assert_eq!(lines(&broken)[1]["line"], 2);
}

#[test]
fn own_wordlists_win_over_the_shipped_ones() {
    let folder = with_own_list();
    let own = folder.path().join("config/wordlists/ads/own.txt");
    // A new word is on trial, here as in the running bot.
    let results = lines(&run(folder.path(), &["scan", "--json"], "蓝色大象来电了\n"));
    assert_eq!(results[0]["verdict"], "clean");
    let hit = &results[0]["findings"][0];
    assert_eq!((&hit["entry"], &hit["stage"]), (&"ads/own.txt:1".into(), &"observe".into()));
    let said = stdout(&run(folder.path(), &["scan"], "蓝色大象来电了\n"));
    assert_eq!(said, "1\t正常\t「蓝色大象来电」（ads/own 观察）\t新词先观察：运行中的群管会先只记录\n");
    for (stage, verdict) in [("试点", "review"), ("执行", "act")] {
        std::fs::write(&own, format!("蓝色大象来电 | 阶段={stage}\n")).unwrap();
        let results = lines(&run(folder.path(), &["scan", "--json"], "蓝色大象来电了\n"));
        assert_eq!((&results[0]["verdict"], &results[0]["categories"][0]), (&verdict.into(), &"ads".into()));
    }
}

#[test]
fn one_bad_line_of_a_colleagues_list_costs_no_other() {
    let folder = with_own_list();
    let lists = folder.path().join("config/wordlists/ads");
    let list = "蓝色大象来电\n看【大象】跳舞\n/(/\n绿色大象来电\n大象上岸=1\n🐘🐘\ndaxiang8.top\n";
    std::fs::write(lists.join("own.txt"), format!("[阶段=执行]\n{list}")).unwrap();
    std::fs::write(lists.join("colleague.csv"), b"\"\xc0\xb6\xcf\xf3\",\"1\"\r\n\"\xc2\xcc\xcf\xf3\",\"2\"\r\n")
        .unwrap();
    std::fs::write(lists.join("broken.xlsx"), b"PK\x03\x04").unwrap();
    let check = run(folder.path(), &["check"], "");
    let said = stdout(&check);
    assert_eq!(check.status.code(), Some(1), "{said}");
    for part in [
        "ads/broken.xlsx: 表格打不开",
        "ads/own.txt:3: 没有名为【大象】的词组，这一行没有读",
        "ads/own.txt:4: 正则写错了",
        "共 3 个问题",
        "ads/own.txt:6: 提示：词后面的数字没有读",
        "ads/colleague.csv: 提示：按表格读：第 1 列是词，共 2 行，其余列没有读",
        "ads/colleague.csv:1: 提示：“蓝象”先观察",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    let texts = "蓝色大象来电\n绿色大象来电\n大象上岸了\n快看🐘🐘\n注册 m.daxiang8.top/a\n在daxiang8点top\n好的\n";
    let scan = run(folder.path(), &["scan", "--json"], texts);
    let verdicts: Vec<_> = lines(&scan).iter().map(|line| line["verdict"].as_str().unwrap().to_owned()).collect();
    assert_eq!(verdicts, ["act", "act", "act", "act", "act", "act", "clean"]);
    assert!(stderr(&scan).contains("ads/own.txt:3: "), "{}", stderr(&scan));
}

#[test]
fn backtest_compares_a_candidate_with_what_is_in_force() {
    let folder = with_own_list();
    let said = |hour: u64| {
        let at = format!("2026-11-23T{:02}:00:00+08:00", 8 + 3 * hour);
        serde_json::json!({ "id": hour.to_string(), "group": "g", "sender": "a", "text": "蓝色大象来电了", "at": at })
            .to_string()
            + "\n"
    };
    let history: String = (0..4).rev().map(said).collect();
    std::fs::write(folder.path().join("history.jsonl"), &history).unwrap();
    let output = run(folder.path(), &["backtest", "--policy", "gentle", "--json", "history.jsonl"], "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(report["messages"], 4);
    assert_eq!(report["policies"][0]["steps"]["remove"], 1);
    assert_eq!(report["policies"][1]["policy"], "gentle");
    assert!(report["differing"].as_u64().unwrap() > 0);
    let text = stdout(&run(folder.path(), &["backtest", "-"], &history));
    assert!(text.contains("回放 4 条消息") && text.contains("按词条"), "{text}");
    assert_eq!(run(folder.path(), &["backtest", "-"], "no\n").status.code(), Some(1));
    assert_eq!(run(folder.path(), &["backtest", "--policy", "nope", "-"], "").status.code(), Some(1));
    assert_eq!(run(folder.path(), &["backtest"], "").status.code(), Some(1), "nothing is stored here");
}

#[test]
fn backtest_shows_what_other_words_would_do_to_what_was_said() {
    let folder = with_own_list();
    let texts = ["蓝色大象来电了", "绿色小象来电 13812345678", "下午三点开会"];
    let said = |(n, text): (usize, &&str)| {
        let at = format!("2026-11-23T{:02}:00:00+08:00", 8 + 3 * n);
        serde_json::json!({ "id": n.to_string(), "group": "g", "sender": n.to_string(), "text": text, "at": at })
            .to_string()
    };
    let history = texts.iter().enumerate().map(said).collect::<Vec<_>>().join("\n");
    let new = folder.path().join("new/ads");
    std::fs::create_dir_all(&new).unwrap();
    std::fs::write(new.join("own.txt"), "绿色小象来电\n").unwrap();
    // A file takes the place of its namesake; the numbers of what was said are nobody's business.
    let text = stdout(&run(folder.path(), &["backtest", "--words", "new/ads/own.txt", "-"], &history));
    for part in [
        "换成新词表：多处理 1 条（1 人），少处理 1 条（1 人）",
        "多处理的：\n  请人看 → 警告「绿色小象来电」（ads/own.txt:1）：绿色小象来电 〔号码〕\n",
        "少处理的：\n  警告 → 不处理「蓝色大象来电」（ads/own.txt:1）：蓝色大象来电了\n",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let whole = run(folder.path(), &["backtest", "--words", "new", "--json", "-"], &history);
    let report: Value = serde_json::from_str(&stdout(&whole)).unwrap();
    assert_eq!((&report["lists"]["more"]["messages"], &report["lists"]["fewer"]["messages"]), (&1.into(), &1.into()));
    std::fs::write(new.join("other.txt"), "绿色小象来电\n").unwrap();
    let beside = stdout(&run(folder.path(), &["backtest", "--words", "new/ads/other.txt", "-"], &history));
    assert!(beside.contains("多处理 1 条（1 人），少处理 0 条（0 人）"), "{beside}");
    std::fs::write(folder.path().join("loose.txt"), "绿色小象来电\n").unwrap();
    let loose = run(folder.path(), &["backtest", "--words", "loose.txt", "-"], &history);
    assert!(loose.status.code() == Some(1) && stderr(&loose).contains("以类别命名的文件夹"), "{}", stderr(&loose));
}

#[test]
fn evaluate_keeps_sets_apart() {
    let folder = with_own_list();
    let sets = folder.path().join("sets");
    std::fs::create_dir(&sets).unwrap();
    std::fs::write(sets.join("ours.tsv"), "ads\t蓝色大象来电\nads\t蓝 色 大 象 来 电\nok\t下午三点开会\n").unwrap();
    let output = run(folder.path(), &["evaluate", "sets"], "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("| ours | ads | 2 |") && stdout(&output).contains("| ours | ok | 1 |"));
    assert_eq!(run(folder.path(), &["evaluate", "nothing"], "").status.code(), Some(1));
}

#[test]
fn evaluate_names_the_entries_and_the_lines_that_are_wrong() {
    let folder = with_own_list();
    let sets = folder.path().join("sets");
    std::fs::create_dir(&sets).unwrap();
    std::fs::write(sets.join("ours.tsv"), "ads\t蓝色大象来电\nads\t下次再说\nok\t谁知道蓝色大象来电是什么\n").unwrap();
    let rows = lines(&run(folder.path(), &["evaluate", "--by-entry", "--json", "sets"], ""));
    let own = rows[0].as_array().unwrap().iter().find(|row| row["words"] == "蓝色大象来电").unwrap();
    assert_eq!((&own["honest"]["texts"], &own["bad"]["texts"]), (&1.into(), &1.into()), "{own}");
    let table = stdout(&run(folder.path(), &["evaluate", "--by-entry", "sets"], ""));
    assert!(table.contains("| 蓝色大象来电 |") && table.contains("ours/ok 1 正常"), "{table}");

    let curve = stdout(&run(folder.path(), &["evaluate", "--curve", "sets"], ""));
    assert!(curve.contains(" 2（现在） |") && curve.contains("| ours/ads | 2 | 50.00 |"), "{curve}");
    assert!(curve.contains("| ours/ok | 1 | 1000.00 |"), "{curve}");

    let wrong = stdout(&run(folder.path(), &["evaluate", "--wrong", "ours", "sets"], ""));
    let numbers: Vec<&str> = wrong.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(numbers, ["2", "3"], "{wrong}");
    let one = stdout(&run(folder.path(), &["evaluate", "--wrong", "ours/ok", "sets"], ""));
    assert_eq!(one.lines().count(), 1, "{one}");
    let all = &["evaluate", "--wrong", "ours/ads", "--honest", "ads", "sets"];
    assert!(stdout(&run(folder.path(), all, "")).starts_with("1\tads\t"));
    let none = run(folder.path(), &["evaluate", "--wrong", "our", "sets"], "");
    assert_eq!(none.status.code(), Some(1));
    assert_eq!(stderr(&none), "没有 our.tsv 这个文件，是不是想写 `ours`？\n");
}

#[test]
fn rulebooks_are_listed_shown_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["rulebook", "coverage", "--json"], "");
    let totals: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(totals.len(), 17);
    for line in &totals {
        let count = |key: &str| line[key].as_u64().unwrap();
        let labels = ["enforced", "asked", "watched", "disabled", "manual", "statement", "planned"];
        assert_eq!(count("clauses"), labels.map(count).iter().sum::<u64>(), "{line}");
        assert_eq!(count("planned"), 0, "{line}");
        assert_eq!(line.as_object().unwrap().len(), 9, "{line}");
    }
    assert!(totals.iter().any(|line| line["rulebook"] == "sales-group" && line["clauses"] == 18));
    let shown = stdout(&run(folder.path(), &["rulebook", "show", "group-sales"], ""));
    assert!(shown.starts_with("《微信群管理制度销售》第 2 版"), "{shown}");
    assert!(
        shown.contains("六(1)  一犯警告，二犯禁言，三犯移出\n    自动处置：处置阶梯（警告、禁言、移出）"),
        "{shown}"
    );
    // Every group of the settings has a line of its own, of what it really has.
    let settings =
        "data_dir = \"data\"\n[[group]]\nid = \"wr1\"\nname = \"一群\"\nmode = \"watch\"\nrulebook = \"group-sales\"\n";
    std::fs::create_dir(folder.path().join("config")).unwrap();
    std::fs::write(folder.path().join("config/qunguan.toml"), settings).unwrap();
    let totals: Vec<Value> =
        serde_json::from_slice(&run(folder.path(), &["rulebook", "coverage", "--json"], "").stdout).unwrap();
    let own = totals.iter().find(|line| line["group"] == "wr1").unwrap();
    assert_eq!((totals.len(), own["enforced"].as_u64(), own["clauses"].as_u64()), (18, Some(0), Some(18)), "{own}");
    let shown = stdout(&run(folder.path(), &["rulebook", "show", "group-sales"], ""));
    assert!(shown.contains("「一群」（观察，策略 three-strikes）里不同的：\n"), "{shown}");
    assert!(shown.contains("\n三(4)  未启用：辱骂（缺会话存档：设置 [wecom.archive]）\n"), "{shown}");
    assert_eq!(stdout(&run(folder.path(), &["rulebook", "list"], "")).lines().count(), 17);
    assert_eq!(run(folder.path(), &["rulebook", "show", "nope"], "").status.code(), Some(1));
}

#[test]
fn a_policy_of_ones_own_is_explained_and_its_mistakes_are_named() {
    let folder = with_own_list();
    let policies = folder.path().join("config/policies");
    std::fs::create_dir_all(&policies).unwrap();
    let text = "title = \"一次\"\nversion = 2\n[[step]]\nat = 2\ndo = \"remove\"\n";
    std::fs::write(policies.join("once.toml"), text).unwrap();
    let explained = stdout(&run(folder.path(), &["policy", "explain", "once"], ""));
    assert!(explained.starts_with("策略「一次」（once@2）\n"), "{explained}");
    assert!(explained.contains("普通成员发广告：\n  第 1 次：移出（计 2 分，共 2 分）\n"), "{explained}");
    assert!(stdout(&run(folder.path(), &["policy", "list"], "")).contains("once\t一次\n"));

    std::fs::write(policies.join("once.toml"), text.replace("remove", "mute")).unwrap();
    let output = run(folder.path(), &["policy", "explain", "once"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("once.toml:3: 禁言要写时长"), "{}", stderr(&output));
}

#[test]
fn train_learns_and_scan_asks_a_human() {
    let folder = tempfile::tempdir().unwrap();
    let pair = |i| format!("ads\t第{i}批紫水晶能量手环到货\nok\t第{i}次例会改到下午\n");
    let examples: Vec<String> = (0..60).map(pair).collect();
    std::fs::write(folder.path().join("own.tsv"), examples.concat()).unwrap();
    let output = run(folder.path(), &["train", "own.tsv"], "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("广告引流：学了 60 条违规、60 条正常；例子太少，量不出效果"),
        "{}",
        stdout(&output)
    );
    let results = lines(&run(folder.path(), &["scan", "--json"], "紫水晶能量手环又到货了\n今天例会改到下午\n"));
    assert_eq!(results[0]["verdict"], "review");
    assert_eq!(results[0]["findings"][0]["rule"], "ads/learned");
    assert_eq!(results[1]["verdict"], "clean");
    std::fs::write(folder.path().join("wrong.tsv"), "ads\tx\nadz\ty\n").unwrap();
    let wrong = run(folder.path(), &["train", "wrong.tsv"], "");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stderr(&wrong).contains("wrong.tsv:2: 没有 `adz` 这个类别，是不是想写 `ads`？"), "{}", stderr(&wrong));

    let model = folder.path().join("data/learned/ads.model");
    std::fs::write(&model, "qglearn1").unwrap();
    let old = run(folder.path(), &["train", "own.tsv"], "");
    assert_eq!(old.status.code(), Some(1));
    assert!(stderr(&old).contains("旧版本") && stderr(&old).contains("--fresh"), "{}", stderr(&old));
    assert_eq!(run(folder.path(), &["train", "--fresh", "own.tsv"], "").status.code(), Some(0));
    std::fs::write(folder.path().join("bad.tsv"), "fraud\t先交押金再放款\n").unwrap();
    let one_sided = run(folder.path(), &["train", "bad.tsv"], "");
    assert!(stderr(&one_sided).contains("正常的例子"), "{}", stderr(&one_sided));
}

#[test]
fn check_examines_lists_with_ordinary_talk_beside_them() {
    let folder = with_own_list();
    std::fs::write(folder.path().join("config/wordlists/ads/own.txt"), "开会\n").unwrap();
    std::fs::write(folder.path().join("talk.txt"), "下午三点开会\n".repeat(300)).unwrap();
    let output = run(folder.path(), &["check", "--sample", "talk.txt"], "");
    assert_eq!(output.status.code(), Some(0), "remarks are no mistakes");
    assert!(stdout(&output).contains("config/wordlists/ads/own.txt:1: 提示："), "{}", stdout(&output));
}

#[cfg(unix)]
#[test]
fn the_simulator_ends_in_order_when_it_is_told_to() {
    use std::io::{BufRead, BufReader};
    for signal in ["-TERM", "-INT"] {
        let mut simulator = Command::new(env!("CARGO_BIN_EXE_qunguan"))
            .args(["simulate", "--listen", "127.0.0.1:0"])
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Once it has said who it is, it listens and waits for the signal.
        let mut first = String::new();
        let mut said = BufReader::new(simulator.stdout.take().unwrap());
        said.read_line(&mut first).unwrap();
        let page: Value = serde_json::from_str(&first).unwrap();
        assert!(page["page"].as_str().unwrap().ends_with("/sim"));
        let killed = Command::new("kill").args([signal, &simulator.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(simulator.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn the_clock_of_a_simulator_is_not_followed_where_the_real_wecom_is_spoken_to() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |settings: &str| {
        std::fs::write(folder.path().join("own.toml"), settings).unwrap();
        let clock = "http://127.0.0.1:1/sim/api";
        let output = run(folder.path(), &["run", "--config", "own.toml", "--simulator-clock", clock], "");
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        stderr(&output)
    };
    assert!(refused("[wecom]\ncorp_id = \"ww0123456789abcdef\"\n").contains("要和设置里的 api_base 是同一个模拟器"));
    assert!(refused("").contains("模拟器没有应答"));
}

#[cfg(unix)]
#[test]
fn broken_settings_are_reported_once_however_they_were_noticed() {
    let folder = with_own_list();
    let settings = folder.path().join("config/qunguan.toml");
    let good = "listen = \"127.0.0.1:0\"\n";
    std::fs::write(&settings, good).unwrap();
    let mut bot = Command::new(env!("CARGO_BIN_EXE_qunguan"))
        .args(["run"])
        .current_dir(folder.path())
        .env_remove("RUST_LOG")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = std::io::BufReader::new(bot.stderr.take().unwrap()).lines().map(Result::unwrap);
    let hangup = || assert!(Command::new("kill").args(["-HUP", &bot.id().to_string()]).status().unwrap().success());
    let mut seen = Vec::new();
    let mut until = |words: &str| {
        for line in log.by_ref() {
            seen.push(line);
            if seen.last().is_some_and(|line| line.contains(words)) {
                return;
            }
        }
        panic!("no {words} in {seen:#?}");
    };
    until(" ready");
    std::fs::write(&settings, "listen = 5\n").unwrap();
    hangup();
    until("settings not reloaded");
    hangup(); // the save was noticed by itself meanwhile, or the signal came first
    std::fs::write(&settings, format!("dry_run = true\n{good}")).unwrap();
    until("settings reloaded");
    let reported = seen.iter().filter(|line| line.contains("settings not reloaded")).count();
    bot.kill().unwrap();
    bot.wait().unwrap();
    assert_eq!(reported, 1, "{seen:#?}");
}

#[test]
fn the_settings_file_may_be_named_behind_the_subcommand_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.toml"), "listen = \"127.0.0.1:1\"\n").unwrap();
    for args in [
        ["notice", "--config", "own.toml", "status", "8F2K"],
        ["notice", "status", "8F2K", "--config", "own.toml"],
        ["ledger", "show", "2026-11", "--config", "own.toml"],
        ["activity", "show", "8F2K", "--config", "own.toml"],
    ] {
        let output = run(folder.path(), &args, "");
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("没有 [[api_token]]"), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn who_asks_the_running_bot_needs_its_address_and_one_token() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("config")).unwrap();
    let settings = "listen = \"127.0.0.1:1\"\n[wecom]\ncorp_id = \"ww1\"\n[wecom.app]\nagent_id = 1\n\
                    secret = { env = \"QUNGUAN_TEST_NOT_SET\" }\n[[api_token]]\nname = \"ops\"\nvalue = \"0123456789abcdef\"\n";
    std::fs::write(folder.path().join("config/qunguan.toml"), settings).unwrap();
    let asked = run(folder.path(), &["rule", "list"], "");
    assert_eq!(asked.status.code(), Some(1));
    let said = stderr(&asked);
    assert!(said.contains("127.0.0.1:1 没有应答") && !said.contains("QUNGUAN_TEST_NOT_SET"), "{said}");
    let wanting = settings.replace("\"0123456789abcdef\"", "{ env = \"QUNGUAN_TEST_NOT_SET_EITHER\" }");
    std::fs::write(folder.path().join("config/qunguan.toml"), wanting).unwrap();
    let said = stderr(&run(folder.path(), &["rule", "list"], ""));
    assert!(said.contains("QUNGUAN_TEST_NOT_SET_EITHER") && said.contains("--token-env"), "{said}");
}

#[test]
fn the_healthcheck_asks_the_service_and_never_judges_the_file() {
    let service = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = service.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        for stream in service.incoming().take(1) {
            let mut stream = stream.unwrap();
            let mut request = std::io::BufReader::new(stream.try_clone().unwrap()).lines();
            assert_eq!(request.next().unwrap().unwrap(), "GET /healthz HTTP/1.1");
            while request.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        }
    });
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("config")).unwrap();
    let half = format!("listen = \"{address}\"  # ours\nmode = \"fulll\"\n[wecom\n");
    std::fs::write(folder.path().join("config/qunguan.toml"), half).unwrap();
    let asked = run(folder.path(), &["healthcheck"], "");
    assert_eq!((asked.status.code(), stdout(&asked).as_str()), (Some(0), "正常\n"), "{}", stderr(&asked));
    answering.join().unwrap();
    assert_eq!(run(folder.path(), &["healthcheck"], "").status.code(), Some(1), "nobody listens any more");
}

#[test]
fn a_list_in_a_folder_of_its_own_is_led_to_the_right_one() {
    let folder = with_own_list();
    let lists = folder.path().join("config/wordlists");
    std::fs::create_dir_all(lists.join("own")).unwrap();
    std::fs::write(lists.join("own/mine.txt"), "蓝色小象来电\n绿色小象来电\n").unwrap();
    std::fs::write(
        lists.join("ads/own.txt"),
        "红色小象来电 | 必中=红色小象来电了\n黄色小象来电 | 到期=2099/1/31\n内部价,秒杀\n",
    )
    .unwrap();
    let said = stdout(&run(folder.path(), &["check"], ""));
    let own: Vec<&str> = said.lines().filter(|line| line.contains("own/mine.txt")).collect();
    assert_eq!(own.len(), 1, "no follow-on errors: {said}");
    assert!(own[0].contains("类别有") && own[0].contains("广告引流（ads）") && !own[0].contains("是不是"), "{said}");
    assert!(said.contains("ads/own.txt:1: “必中”要另起一行写"), "{said}");
    assert!(!said.contains("own.txt:2: 到期"), "as Excel writes it: {said}");
    assert!(said.contains("ads/own.txt:3: 提示：词条里的标点不算数") && said.contains("内部价 >2 秒杀"), "{said}");
    let explained = run(folder.path(), &["policy", "explain", "nosuch"], "");
    assert!(stderr(&explained).contains("default") && stderr(&explained).contains("gentle"), "{}", stderr(&explained));
    let gentle = stdout(&run(folder.path(), &["policy", "explain", "gentle"], ""));
    assert!(
        gentle.contains("第 1 次：警告") && gentle.contains("「禁言」在应用创建的群里是移出，到期由群管拉回"),
        "{gentle}"
    );
}
