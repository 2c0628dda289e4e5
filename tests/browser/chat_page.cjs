// The demo in a real browser, as its first page says: an advert once warns, twice takes out for two hours, three times for
// good; an owner answers a task card. Standard output tells the story; PICTURES=FOLDER keeps what was seen.
const assert = require("node:assert/strict");
const path = require("node:path");
const { launch } = require("puppeteer-core");

const demo = process.env.DEMO;
const AD = "加我V信领红包";

async function main() {
  const browser = await launch({ executablePath: process.env.BROWSER, args: ["--no-sandbox", "--lang=zh-CN"] });
  const page = await browser.newPage();
  await page.setViewport({ width: 1180, height: 760 });
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (line) => line.type() === "error" && complaints.push(line.text()));
  const picture = async (name) => {
    if (!process.env.PICTURES) return;
    await page.mouse.move(600, 400);
    await page.waitForFunction(() => document.getAnimations().every((a) => a.playState === "finished"));
    await page.screenshot({ path: path.join(process.env.PICTURES, `${name}.png`) });
  };
  const see = (selector, words) => page.waitForFunction(
    (selector, words) => [...document.querySelectorAll(selector)].some((e) => e.textContent.includes(words)), {}, selector, words);
  const press = async (selector, words) => {
    await see(selector, words);
    await page.evaluate((selector, words) => [...document.querySelectorAll(selector)].findLast((e) => e.textContent.includes(words)).click(), selector, words);
  };
  const be = async (name) => {
    await page.click("#me");
    await press("#people .person", name);
    await see("#me", name);
  };
  const open = async (chat) => {
    await press("#chats .chat-row", chat);
    await see("#chat-title h1", chat);
  };
  const say = async (text) => {
    await page.type("#write", text);
    await page.keyboard.press("Enter");
  };
  const later = async (by) => {
    await page.click("#tools-open");
    await press("#tools .clock-steps button", by);
    await page.click("#tools-close");
  };

  await page.goto(demo);
  await see("h1", "群管演示");
  await Promise.all([page.waitForNavigation(), page.click("a.big")]);

  await be("李销售");
  await open("华东销售群");
  await say(AD);
  await see("#lines", "已私下提醒发言人");
  await picture("group");
  await open("群管助手");
  await see("#lines .card", "群规提醒（第 1 次）");
  await see("#lines .card", "申诉");
  await picture("warning");
  await press("#lines .card button", "知道了");
  await see("#lines .card .card-frozen", "");
  console.log("once: warned in private");

  await open("华东销售群");
  await say(AD);
  await see("#composer", "移出群聊");
  await see("#members .gone", "李销售");
  await picture("muted");
  await later("+2 小时");
  await see("#lines", "加入群聊");
  await page.waitForSelector("#write");
  console.log("twice: out of the group for two hours, then back");

  await say(AD);
  await see("#composer", "移出群聊");
  await later("+1 天");
  await see("#tools .clock-now", "");
  assert.equal(await page.$("#write"), null, "nobody brought him back");
  const api = await fetch(`${demo}/api/v1/groups/wrHuadongSales/members/li`, { headers: { authorization: "Bearer demo-token-for-this-machine-only" } });
  const standing = await api.json();
  assert.equal(standing.state, "removed");
  assert.deepEqual([standing.live_points, standing.strikes.length], [6, 3]);
  console.log("three times: removed, and the API says the same");

  await be("大刘");
  await open("会员福利群");
  for (let n = 0; n < 3; n++) {
    await say(AD);
    await see("#lines .row.mine", AD);
    await later("+10 分钟");
  }
  await be("王店长");
  await open("群管助手");
  await see("#lines .card", "请移出成员 大刘");
  await picture("task");
  await open("会员福利群");
  await page.evaluate(() => [...document.querySelectorAll("#members li")].find((li) => li.textContent.includes("大刘")).querySelector(".danger").click());
  await see("#members .gone", "大刘");
  await open("群管助手");
  await see("#lines .card .card-frozen", "已不在群里");
  console.log("a customer: the owner was asked, took him out, and the card closed by itself");

  // The console: what was done stands there, words are opened on record, and one press takes a case back.
  const both = async (name) => {
    for (const [size, width, height] of [["desktop", 1180, 760], ["phone", 390, 844]]) {
      for (const scheme of ["light", "dark"]) {
        await page.setViewport({ width, height });
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(wide <= 0, `${name} is ${wide} pixels too wide for a ${size}`);
        await picture(`${name}-${size}-${scheme}`);
      }
    }
    await page.setViewport({ width: 1180, height: 760 });
    await page.emulateMediaFeatures([]);
  };
  const go = async (selector, words) => {
    await Promise.all([page.waitForNavigation(), press(selector, words)]);
  };
  await page.goto(demo);
  await go("a.big", "打开控制台");
  await see("h1", "今天");
  await see(".sum", "条，命中");
  await both("today");
  await go("nav a", "违规");
  await see("a.row", "李销售");
  await both("cases");
  await go("a.row", "李销售");
  assert.ok(!(await page.content()).includes("红包"), "words are masked");
  await go("button", "打开原文");
  await see("mark", "加我V信");
  await see(".soft", "您打开了原文");
  await both("case");
  await page.goto(`${demo}/audit`);
  await see("td", "打开原文");
  for (const [path, title] of [["appeals", "申诉与举报"], ["tasks", "待办"], ["groups", "群与成员"], ["words", "词库"], ["notices", "通知"],
    ["notices/new", "写通知"], ["settings", "设置"], ["accounts", "账号"], ["account", "我的账号"], ["me", "我的状态"]]) {
    await page.goto(`${demo}/${path}`);
    await see("h1", title);
    await both(path.replace("/", "-"));
  }
  await page.setJavaScriptEnabled(false);
  await page.goto(`${demo}/cases`);
  await page.click(".undo summary");
  await Promise.all([page.waitForNavigation(), page.click(".undo[open] button")]);
  assert.match(await page.$eval("[role=status]", (e) => e.textContent), /^已撤销/, "without a script");
  await page.setJavaScriptEnabled(true);
  await go("button.quiet", "退出");
  await see("h1", "群管");
  await both("login");
  console.log("the console: seen by day and night, on a desk and on a phone; a case taken back without a script");

  assert.deepEqual(complaints, [], "the browser complains about nothing");
  await browser.close();
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
