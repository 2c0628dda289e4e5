// Time and trouble: the clock that moves by hand, the fault switches, the way back to the beginning.
import { ask, fullTime, h, show } from "./dom.js";

const STEPS = [["+10 分钟", "10m"], ["+2 小时", "2h"], ["+1 天", "1d"]];

/** Name, kind, what it does; `path` bounds it to some calls. */
const SWITCHES = [
  ["系统繁忙（-1）", { kind: { name: "error", code: -1 } }],
  ["频率超限（45009）", { kind: { name: "error", code: 45009 } }],
  ["并发超限（45033）", { kind: { name: "error", code: 45033 } }],
  ["服务器错误（500）", { kind: { name: "http", status: 500 } }],
  ["IP 不可信（60020）", { kind: { name: "ip_refused" } }],
  ["凭证提前失效", { kind: { name: "token_death" }, times: 1 }],
  ["应答缓慢（3 秒）", { kind: { name: "slow", ms: 3000 } }],
  ["已执行但应答丢失", { kind: { name: "lost_answer" } }],
  ["回调重复三次", { kind: { name: "callback_triple" } }],
  ["回调丢失", { kind: { name: "callback_lost" } }],
  ["存档通知丢失", { kind: { name: "notify_lost" } }],
];

const same = (a, b) => Object.entries(b).every(([name, value]) => a[name] === value);

/** Draws it. */
export function tools(page) {
  const { screen } = page;
  const body = document.getElementById("tools-body");
  show(body, [fullTime(screen.now), screen.faults], () => [
    h("div", { class: "clock" },
      h("p", { class: "clock-now" }, fullTime(screen.now)),
      h("div", { class: "clock-steps" }, STEPS.map(([text, by]) => h("button", { class: "plain-button", onclick: () => send("clock", { advance: by }, page) }, text)))),
    h("h3", {}, "故障开关"),
    h("div", { class: "switches" }, SWITCHES.map(([text, fault]) => {
      const on = screen.faults.some((f) => same(f.kind, fault.kind));
      return h("label", { class: "switch" },
        h("input", { type: "checkbox", role: "switch", checked: on, onchange: () => toggle(fault, on, page) }),
        h("span", {}, text));
    })),
    h("button", { class: "plain-button wide", onclick: () => send("reset", {}, page) }, "全部重来"),
  ]);
}

async function send(path, body, page) {
  try {
    await ask(path, body);
  } catch (error) {
    page.say(error.message);
  }
}

async function toggle(fault, on, page) {
  if (!on) return send("faults", fault, page);
  const rest = page.screen.faults.filter((f) => !same(f.kind, fault.kind));
  await ask("faults", undefined, "DELETE");
  for (const other of rest) await send("faults", other, page);
}
