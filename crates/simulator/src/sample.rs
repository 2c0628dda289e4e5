//! The company everybody meets first: a sales group that the app made, a customer group, a staff group and a group with
//! the bot.

use super::{
    config::{APP_AGENT, BOT_ROBOT},
    state::State,
    world::{Group, Person, PersonKind},
};
use jiff::Timestamp;
use qunguan_model::GroupKind;

/// Group the app created: removal by server works here.
pub const SALES: &str = "wrHuadongSales";
/// Customer group.
pub const CUSTOMERS: &str = "wrVipCustomers";
/// Internal group made by people.
pub const STAFF: &str = "wrStoreStaff";
/// Internal group with the bot.
pub const PROJECT: &str = "wrNewProducts";
/// 消息推送 key of the staff group.
pub const STAFF_WEBHOOK: &str = "sim-webhook-store-staff";

/// Fills an empty company.
pub fn fill(state: &mut State, now: Timestamp) {
    use PersonKind::{Employee, External};
    let people = [
        ("wang", "王店长", Employee, 2),
        ("zhang", "张经理", Employee, 2),
        ("li", "李销售", Employee, 2),
        ("chen", "陈敏", Employee, 2),
        ("sun", "孙凯", Employee, 2),
        ("zhao", "赵客服", Employee, 3),
        ("lin", "林采购", Employee, 4),
        ("wmZhouLan", "周岚", External, 0),
        ("wmWuHao", "吴昊", External, 0),
        ("wmLiuBig", "大刘", External, 0),
    ];
    for (id, name, kind, department) in people {
        let person = Person { id: id.into(), name: name.into(), kind, department, left: false, consents: true };
        state.people.insert(id.into(), person);
    }
    state.archive.seats.extend(["wang".to_owned(), "zhang".to_owned()]);

    let mut sales =
        Group::new(SALES, GroupKind::App, "华东销售群", &["wang", "zhang", "li", "chen", "sun", "zhao"], now);
    sales.agent = Some(APP_AGENT);
    sales.admins.insert("zhang".into());
    let mut customers = Group::new(
        CUSTOMERS,
        GroupKind::Customer,
        "会员福利群",
        &["wang", "zhao", "wmZhouLan", "wmWuHao", "wmLiuBig"],
        now,
    );
    customers.admins.insert("zhao".into());
    customers.notice = "欢迎各位会员，请文明交流，勿发广告。".into();
    let staff = Group::new(STAFF, GroupKind::Internal, "门店内部群", &["zhang", "wang", "li", "lin", "sun"], now);
    let project = Group::new(PROJECT, GroupKind::Bot, "新品项目群", &["zhang", "lin", "chen", BOT_ROBOT], now);
    state.webhooks.insert(STAFF_WEBHOOK.into(), STAFF.into());
    for mut group in [sales, customers, staff, project] {
        let owner = state.name(&group.owner);
        let how = if group.kind == GroupKind::App {
            "群聊由应用创建".to_owned()
        } else {
            format!("「{owner}」创建了群聊")
        };
        group.system(how, now, None);
        state.add_group(group);
    }
}
