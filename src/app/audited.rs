//! Every act leaves exactly one record, with who, where, what and about what; refused, it leaves none. A new [`Act`] does not
//! compile without a row here.

use serde_json::json;

use super::bench::{Bench, member, person, program};
use crate::{
    access::{AccountRole, Actor, Face, PrincipalKind},
    accounts::{self, at_the_machine},
    audit::{Act, Record},
    calendar::Absence,
    cases::{RequestAnswer, Sanction, allow::Where, report::ReportState},
    model::{CaseId, GroupId, MemberId, Step, TaskId},
    notices::{Draft, roster::Settled},
    orders::{Term, season::Season},
    refusal::{ActError, Code},
    service::ticket::About,
    settings::Scope,
};

/// What an act is done to.
struct Made {
    case: CaseId,
    task: TaskId,
    /// A report, a notice or an activity.
    id: String,
}

/// How an act is done, by whom, and by whom not.
struct Row {
    who: Actor,
    stranger: Actor,
    refused: Code,
    /// The record's subject; `{}` stands for what was made.
    subject: &'static str,
    group: Option<&'static str>,
    member: Option<&'static str>,
}

fn row(who: Actor, stranger: Actor, refused: Code, subject: &'static str) -> Row {
    Row { who, stranger, refused, subject, group: Some("g"), member: Some("li") }
}

fn rows(act: Act) -> Row {
    use Act as A;
    use Code as C;
    let (wang, zhao, li, qian) = (person("wang"), person("zhao"), person("li"), person("qian"));
    let hr = || program("hr", Some(&[Scope::Notices, Scope::Ledger, Scope::CasesDecide]), Some("wang"));
    let reads = || program("reads", Some(&[Scope::CasesRead]), None);
    let whole = |row: Row| Row { group: None, ..row };
    let nobody = |row: Row| Row { member: None, ..row };
    match act {
        A::ReadWarning | A::ExplainCase => row(li, hr(), C::Forbidden, "case:{}"),
        A::ConfirmCase
        | A::MisjudgeCase
        | A::RevokeCase
        | A::ClaimDone
        | A::OnlyWarn
        | A::AllowSentence
        | A::EndAllowance => row(wang, li, C::Forbidden, "case:{}"),
        A::OpenEvidence => row(hr(), reads(), C::Forbidden, "case:{}"),
        A::Punish => row(wang, qian, C::Forbidden, "case:{}"),
        A::OpenAppeal => row(li, qian, C::NotFound, "case:{}"),
        A::AnswerAppeal => row(person("boss"), li, C::Forbidden, "case:{}"),
        A::OpenReport => nobody(row(qian, hr(), C::Forbidden, "report:{}")),
        A::JudgeReport => nobody(row(zhao, qian, C::Forbidden, "report:{}")),
        A::Exempt | A::PermitAds | A::EndMute => row(person("boss"), li, C::Forbidden, "member:li"),
        A::BeStrict | A::ResumeBreaker | A::UndoBreaker => nobody(row(person("boss"), li, C::Forbidden, "group:g")),
        A::PlanSeason => nobody(row(wang, li, C::Forbidden, "group:g")),
        A::OpenTicket => nobody(row(li, hr(), C::Forbidden, "ticket:{}")),
        A::AnswerTicket => row(wang, qian, C::Forbidden, "ticket:{}"),
        A::DraftNotice => nobody(row(wang, person("boss"), C::Forbidden, "notice:{}")),
        A::ReviewNotice => nobody(row(zhao, hr(), C::SamePerson, "notice:{}")),
        A::SendNotice => nobody(row(wang, zhao, C::Forbidden, "notice:{}")),
        A::CancelNotice => nobody(row(wang, zhao, C::Forbidden, "notice:{}")),
        A::WriteInAnswer => row(hr(), program("own", None, Some("li")), C::SamePerson, "notice:{}"),
        A::ExplainNotice => row(li, person("boss"), C::BadRequest, "notice:{}"),
        A::DecideExcuse => row(wang, zhao, C::Forbidden, "notice:{}"),
        A::ExemptFromNotices => whole(row(hr(), program("own", None, Some("li")), C::SamePerson, "member:li")),
        A::NoteAbsence => whole(row(hr(), reads(), C::Forbidden, "member:li")),
        A::AnnounceActivity => nobody(row(hr(), reads(), C::Forbidden, "activity:{}")),
        A::CancelActivity => nobody(row(wang, li, C::Forbidden, "activity:{}")),
        A::AskLeave => row(li, person("boss"), C::BadRequest, "activity:{}"),
        A::SummariseActivity => nobody(row(wang, zhao, C::Forbidden, "activity:{}")),
        A::SettleLine => row(hr(), program("own", None, Some("li")), C::SamePerson, "notice:{}"),
        A::CloseMonth => whole(nobody(row(hr(), reads(), C::Forbidden, "month:2026-04"))),
        A::CreateAccount | A::ChangeAccount | A::DisableAccount | A::ResetAccount => {
            whole(nobody(row(at_the_machine(), hr(), C::Forbidden, "account:小王")))
        }
        A::SignMonth => whole(nobody(row(program("cfo", None, Some("zhao")), hr(), C::SamePerson, "month:2026-04"))),
    }
}

/// What must be there before the act.
async fn made(bench: &Bench, act: Act) -> Made {
    use Act as A;
    let case = bench.case().await;
    let task = bench.asked_about(&case).await;
    let (cases, notices) = (&bench.commands.cases, &bench.commands.notices);
    let draft = Draft { approvers: vec![member("wang")], ..Draft::new("明天盘点", &["g"], "2h".parse().unwrap()) };
    let id = match act {
        A::AnswerAppeal => {
            cases.open_appeal(&person("li"), &case, "发错群了").await.unwrap();
            String::new()
        }
        A::JudgeReport => {
            cases.open_report(&person("qian"), &bench.group(), "老板跑路了", "造谣").await.unwrap();
            let ids = bench.task_ids().await;
            ids.into_iter().find_map(|id| Some(id.strip_prefix("report-")?.to_owned())).unwrap()
        }
        A::AllowSentence | A::EndAllowance => {
            cases.misjudge(&person("wang"), &case).await.unwrap();
            if act == A::EndAllowance {
                cases.allow(&person("wang"), &case, Where::Here, None).await.unwrap();
            }
            String::new()
        }
        A::EndMute => {
            bench.muted("li").await;
            String::new()
        }
        A::ResumeBreaker | A::UndoBreaker => {
            bench.breaker_opens(std::slice::from_ref(&case)).await;
            String::new()
        }
        A::ReviewNotice => {
            let draft = Draft { review: true, ..draft };
            notices.publish(&person("wang"), &draft, None).await.unwrap().id
        }
        A::AnswerTicket => {
            let written =
                bench.commands.service.write(&person("li"), About::Suggestion, Some(&bench.group()), "少开会").await;
            written.unwrap().id
        }
        A::SendNotice => notices.create(&person("wang"), &draft, None).await.unwrap().id,
        A::CancelNotice | A::WriteInAnswer | A::ExplainNotice | A::DecideExcuse | A::SettleLine => {
            let id = notices.publish(&person("wang"), &draft, None).await.unwrap().id;
            if act == A::DecideExcuse {
                let notice = notices.get(&id).await.unwrap();
                notices.explain(&person("li"), &notice, "出差", bench.now()).await.unwrap();
            }
            if act == A::SettleLine {
                notices.reached_group(&id, &"g".into(), bench.now()).await.unwrap();
                bench.later(3);
            }
            id
        }
        A::AskLeave | A::SummariseActivity | A::CancelActivity => {
            let id = notices.announce_activity(&person("zhao"), plan(bench)).await.unwrap().id;
            if act == A::SummariseActivity {
                bench.later(2);
            }
            id
        }
        A::ChangeAccount | A::DisableAccount | A::ResetAccount => {
            bench.accounts.create(&at_the_machine(), "小王", &admin()).await.unwrap();
            String::new()
        }
        A::SignMonth => {
            let hr = program("hr", Some(&[Scope::Ledger]), Some("wang"));
            notices.close_month(&hr, "2026-04").await.unwrap();
            String::new()
        }
        _ => String::new(),
    };
    Made { case, task, id }
}

fn admin() -> accounts::Wanted {
    accounts::Wanted { role: AccountRole::Admin, person: None, groups: None }
}

fn plan(bench: &Bench) -> crate::notices::activity::Plan {
    let hour = crate::model::SignedDuration::from_hours(1);
    serde_json::from_value(json!({
        "title": "新品培训", "groups": ["g"], "organiser": "wang",
        "starts": bench.now() + hour, "ends": bench.now() + hour + hour,
    }))
    .unwrap()
}

async fn done(bench: &Bench, act: Act, actor: &Actor, made: &Made) -> Result<(), ActError> {
    use Act as A;
    let (cases, orders, notices) = (&bench.commands.cases, &bench.commands.orders, &bench.commands.notices);
    let service = &bench.commands.service;
    let (group, li, now) = (bench.group(), member("li"), bench.now());
    let span = Absence { from: now, to: now + crate::model::SignedDuration::from_hours(9), reason: "产假".into() };
    let draft = Draft::new("明天盘点", &["g"], "2h".parse().unwrap());
    let Made { case, task, id } = made;
    match act {
        A::ReadWarning => cases.read_warning(actor, case).await,
        A::ExplainCase => cases.needed_for_work(actor, case).await,
        A::ConfirmCase => cases.confirm(actor, case).await,
        A::MisjudgeCase => cases.misjudge(actor, case).await.map(drop),
        A::AllowSentence => cases.allow(actor, case, Where::Here, None).await.map(drop),
        A::EndAllowance => cases.end_allowance(actor, case).await,
        A::RevokeCase => cases.revoke(actor, case).await.map(drop),
        A::ClaimDone => cases.answer_request(actor, task, RequestAnswer::Done).await.map(drop),
        A::OnlyWarn => cases.answer_request(actor, task, RequestAnswer::OnlyWarn).await.map(drop),
        A::OpenEvidence => cases.open_evidence(actor, case).await.map(drop),
        A::Punish => {
            let what = Sanction { member: &li, step: Step::Warn, length: None, reason: "刷屏" };
            cases.punish(actor, &group, what).await.map(drop)
        }
        A::OpenAppeal => cases.open_appeal(actor, case, "发错群了").await.map(drop),
        A::AnswerAppeal => cases.answer_appeal(actor, case, true, "").await,
        A::OpenReport => cases.open_report(actor, &group, "老板跑路了", "造谣").await.map(drop),
        A::JudgeReport => cases.judge_report(actor, id, ReportState::Unfounded).await.map(drop),
        A::Exempt => orders.exempt(actor, &group, &li, Term::Usual).await.map(drop),
        A::PermitAds => orders.permit_ads(actor, &group, &li, Term::Usual).await.map(drop),
        A::BeStrict => orders.be_strict(actor, &group, Term::Usual).await.map(drop),
        A::PlanSeason => {
            let until = now + crate::model::SignedDuration::from_hours(9);
            let season = Season { name: "双十一".into(), from: now, until, by: String::new() };
            orders.plan_season(actor, &group, &season).await
        }
        A::OpenTicket => service.write(actor, About::Complaint, Some(&group), "太吵").await.map(drop),
        A::AnswerTicket => service.answer(actor, id, "好").await.map(drop),
        A::EndMute => orders.end_mute(actor, &group, &li).await,
        A::ResumeBreaker => orders.resume_breaker(actor, &group).await,
        A::UndoBreaker => orders.undo_breaker(actor, &group).await.map(drop),
        A::DraftNotice => notices.propose(actor, &draft).await.map(drop),
        A::ReviewNotice => notices.review(actor, id).await.map(drop),
        A::SendNotice => notices.release(actor, id).await.map(drop),
        A::CancelNotice => notices.cancel(actor, id).await.map(drop),
        A::WriteInAnswer => notices.write_in(actor, id, &li, None, "电话答复").await.map(drop),
        A::ExplainNotice => notices.explain(actor, &notices.get(id).await?, "出差", now).await.map(drop),
        A::DecideExcuse => notices.decide_excuse(actor, &notices.get(id).await?, &li, true).await.map(drop),
        A::ExemptFromNotices => notices.exempt(actor, &li, span).await,
        A::NoteAbsence => notices.absent(actor, &li, span).await,
        A::AnnounceActivity => notices.announce_activity(actor, plan(bench)).await.map(drop),
        A::CancelActivity => notices.call_off_activity(actor, id).await.map(drop),
        A::AskLeave => notices.ask_leave(actor, id, "出差").await.map(drop),
        A::SummariseActivity => notices.summarise(actor, id, "到场 18 人").await.map(drop),
        A::SettleLine => notices.settle(actor, id, &li, Some(Settled::Waived), "出差").await,
        A::CloseMonth => notices.close_month(actor, "2026-04").await.map(drop),
        A::CreateAccount => bench.accounts.create(actor, "小王", &admin()).await.map(drop),
        A::ChangeAccount => {
            let wanted = accounts::Wanted { role: AccountRole::Auditor, ..admin() };
            bench.accounts.change(actor, "小王", &wanted).await
        }
        A::DisableAccount => bench.accounts.disable(actor, "小王", true).await,
        A::ResetAccount => bench.accounts.reset(actor, "小王").await.map(drop),
        A::SignMonth => notices.sign_month(actor, "2026-04", true).await.map(drop),
    }
}

#[tokio::test]
async fn every_act_leaves_one_record_and_a_refused_one_none() {
    for act in Act::ALL.iter().copied() {
        let bench = Bench::new().await;
        let (row, made) = (rows(act), made(&bench, act).await);
        let before = bench.records().await;
        let refused = done(&bench, act, &row.stranger, &made).await.expect_err(act.id());
        assert_eq!(refused.code(), Some(row.refused), "{act}: {refused}");
        assert_eq!(bench.records().await, before, "{act}: refused, it leaves none");

        done(&bench, act, &row.who, &made).await.unwrap_or_else(|error| panic!("{act}: {error}"));
        let records = bench.records().await;
        assert_eq!(records.len(), before.len() + 1, "{act}");
        let record: &Record = &records[0].record;
        assert_eq!((record.action, record.face, record.at), (act, row.who.face, bench.now()), "{act}");
        let by = (record.by.kind, record.by.name.as_str(), record.by.person.as_ref());
        assert_eq!(by, (row.who.kind(), row.who.name(), row.who.person()), "{act}");
        assert_eq!(record.group.as_ref().map(GroupId::as_str), row.group, "{act}");
        assert_eq!(record.member.as_ref().map(MemberId::as_str), row.member, "{act}");
        let (kind, id) = row.subject.split_once(':').unwrap();
        let found = record.subject.strip_prefix(&format!("{kind}:")).unwrap_or_else(|| panic!("{}", record.subject));
        match (kind, id) {
            // What the act itself makes is named by it.
            ("case", "{}") if act == Act::Punish => assert_ne!(found, made.case.as_str()),
            ("case", "{}") => assert_eq!(found, made.case.as_str(), "{act}"),
            (_, "{}") if made.id.is_empty() => assert!(!found.is_empty(), "{act}"),
            (_, "{}") => assert_eq!(found, made.id, "{act}"),
            (_, id) => assert_eq!(found, id, "{act}"),
        }
        assert!(
            record.before != record.after || matches!(act, Act::ReadWarning | Act::ResetAccount),
            "{act}: nothing is said to have changed"
        );
        let words = serde_json::to_string(record).unwrap();
        assert!(!words.contains("红包"), "{act}: what was said in a group is no part of a record");
    }
}

/// Who is asked in an emergency answers the breaker by its card and by command, and either way the request ends.
#[tokio::test]
async fn the_same_act_has_the_same_right_on_every_face() {
    for face in [Face::Card, Face::Chat] {
        let bench = Bench::new().await;
        let case = bench.case().await;
        bench.breaker_opens(std::slice::from_ref(&case)).await;
        let task = crate::tasks::Breaker::task("10 分钟内移出了 6 人", bench.now(), &"g".into(), bench.now());
        let card = task.id.to_string();
        let commit = crate::store::Commit { tasks: vec![task.clone()], ..crate::store::Commit::default() };
        crate::store::Store::commit(bench.store.as_ref(), commit).await.unwrap();
        if face == Face::Card {
            bench.cards.press(&member("boss"), &card, "resume", bench.now()).await.unwrap();
        } else {
            let (boss, group) = (member("boss"), "g".into());
            let said = crate::chat_commands::Utterance {
                channel: crate::model::Channel::Bot,
                by: &boss,
                group: Some(&group),
                text: "熔断 恢复",
                quote: None,
            };
            let answer = bench.commands.answer(said).await;
            assert_eq!(answer.as_deref(), Some("「销售群」已恢复自动处置。"));
        }
        let records = bench.records().await;
        let record = &records[0].record;
        assert_eq!((record.action, record.face), (Act::ResumeBreaker, face));
        assert_eq!((record.by.kind, record.by.name.as_str()), (PrincipalKind::Member, "boss"));
        let ended = crate::store::Store::task(bench.store.as_ref(), &task.id).await.unwrap().unwrap();
        assert!(ended.state.is_final(), "{face}: {}", ended.reason);
    }
}

/// A token is its person where an appeal wants another one than who acted.
#[tokio::test]
async fn who_acted_with_a_token_does_not_answer_the_appeal() {
    let bench = Bench::new().await;
    let case = bench.case().await;
    bench.commands.cases.confirm(&program("hr", None, Some("wang")), &case).await.unwrap();
    bench.commands.cases.open_appeal(&person("li"), &case, "发错群了").await.unwrap();
    let late = bench.commands.cases.answer_appeal(&person("wang"), &case, true, "").await;
    assert_eq!(late.unwrap_err().code(), Some(Code::SamePerson));
    bench.commands.cases.answer_appeal(&person("zhao"), &case, true, "").await.unwrap();
}
