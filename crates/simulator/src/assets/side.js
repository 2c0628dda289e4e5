// The left column: who I am, the conversations, what is connected.
import { avatar, h, show, tile, when } from "./dom.js";

const KINDS = { employee: "同事", external: "客户", robot: "机器人" };

/** Draws it. */
export function side(page) {
  const { screen } = page;
  const me = page.person(page.who);
  const button = document.getElementById("me");
  show(button, me, () => [
    avatar(me),
    h("span", { class: "me-name" }, h("strong", {}, me.name), h("small", {}, me.kind === "external" ? "以客户身份" : "以同事身份")),
    h("span", { class: "chevron", "aria-hidden": "true" }, "▾"),
  ]);
  button.onclick = () => people(page, document.getElementById("people").hidden);
  if (!document.getElementById("people").hidden) people(page, true);
  const rows = screen.chats.map((chat) => ({ ...chat, unread: unread(page, chat), on: chat.id === page.open }));
  show(document.getElementById("chats"), [page.who, rows, screen.people], () => rows.map((row) => entry(page, row)));
  status(screen);
}

function unread(page, chat) {
  const key = `${page.who}/${chat.id}`;
  // Whoever one becomes has not read their private talks yet.
  page.seen[key] ??= chat.kind === "single" ? 0 : chat.no;
  return chat.no > page.seen[key];
}

function entry(page, row) {
  const faces = row.faces.map((id) => page.person(id));
  const last = row.last;
  const text = last && (last.recalled ? "撤回了一条消息" : `${last.name ? `${last.name}：` : ""}${last.text}`);
  const away = !row.member && !row.dissolved;
  return h("button", { class: `chat-row${row.on ? " on" : ""}${away ? " away" : ""}`, onclick: () => page.go(row.id), "aria-current": row.on ? "true" : null },
    row.kind === "single" ? avatar(faces[0]) : tile(faces),
    h("span", { class: "row-main" },
      h("span", { class: "row-top" }, h("strong", {}, row.name), last && h("time", {}, when(last.at, page.screen.now))),
      h("span", { class: "row-sub" },
        h("span", { class: `tag ${row.kind}` }, row.dissolved ? "已解散" : away ? "未在群" : row.kind_name),
        page.screen.tour?.modes[row.id] && h("span", { class: "tag mode" }, page.screen.tour.modes[row.id]),
        h("span", { class: "row-last" }, text ?? ""))),
    row.unread && h("span", { class: "dot", "aria-label": "有新消息" }));
}

/** The list of people to be. */
function people(page, open) {
  const box = document.getElementById("people");
  const button = document.getElementById("me");
  box.hidden = !open;
  button.setAttribute("aria-expanded", String(open));
  if (!open) return;
  const order = { employee: 0, external: 1 };
  const list = page.screen.people.filter((p) => p.kind !== "robot").sort((a, b) => order[a.kind] - order[b.kind]);
  show(box, [page.who, list, page.screen.chats.map((c) => c.id)], () => list.map((person) => h("button", {
    class: `person${person.id === page.who ? " on" : ""}`, role: "option", "aria-selected": String(person.id === page.who),
    onclick: () => { people(page, false); page.be(person.id); },
  }, avatar(person, true), h("span", {}, person.name), h("small", { class: person.kind }, KINDS[person.kind]))));
}

function status(screen) {
  const { app, bot, archive } = screen.status;
  const light = (on, text) => h("span", { class: `light${on ? " on" : ""}` }, text);
  show(document.getElementById("status"), screen.status, () => [
    light(app, app ? "应用已连接" : "应用未连接"),
    light(bot, bot ? "机器人已连接" : "机器人未连接"),
    h("span", { class: "count" }, `存档 ${archive}`),
  ]);
}
