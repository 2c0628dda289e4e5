// The members panel: roles, who is muted, who was removed, and what owner and admins can do about it.
import { avatar, h, show, when } from "./dom.js";

const ORDER = { owner: 0, admin: 1, member: 2, bot: 3 };

/** Draws it. */
export function members(page) {
  const { screen } = page;
  const chat = screen.chat;
  const box = document.getElementById("members");
  if (!chat || chat.kind === "single") return show(box, null, () => []);
  const me = chat.members.find((m) => m.id === page.who);
  const manager = me && (me.role === "owner" || me.role === "admin");
  show(box, [chat.id, page.who, chat.members, chat.gone, screen.people, when(screen.now, screen.now)], () => {
    const list = [...chat.members].sort((a, b) => ORDER[a.role] - ORDER[b.role]);
    return [
      h("ul", {}, list.map((m) => entry(page, chat, m, me, manager))),
      chat.gone.length && h("h3", {}, "已不在群里"),
      chat.gone.length && h("ul", { class: "gone" }, chat.gone.map((g) => left(page, chat, g, me))),
      me && !chat.dissolved && invite(page, chat),
    ];
  });
}

function entry(page, chat, member, me, manager) {
  const above = member.role === "owner" || (member.role === "admin" && me?.role === "admin");
  const may = manager && member.id !== page.who && !above && member.role !== "bot" && !chat.dissolved;
  const act = (act) => page.act({ group: chat.id, person: member.id, ...act });
  return h("li", {}, avatar(page.person(member.id), true),
    h("span", { class: "member-name" }, member.name, member.role !== "member" && h("span", { class: `badge ${member.role}` }, member.role_name),
      member.kind === "external" && h("span", { class: "badge external" }, "@微信"),
      member.muted && h("span", { class: "badge muted" }, "禁言中")),
    h("span", { class: "member-actions" },
      may && chat.kind !== "customer" && member.role === "member" && h("button", { onclick: () => act({ do: "mute", on: !member.muted }) }, member.muted ? "解除禁言" : "禁言"),
      may && h("button", { class: "danger", onclick: () => act({ do: "remove" }) }, "移出"),
      member.id === page.who && member.role !== "owner" && h("button", { onclick: () => page.act({ do: "leave", group: chat.id }) }, "退出")));
}

function left(page, chat, gone, me) {
  const person = page.person(gone.id);
  return h("li", {}, avatar(person, true),
    h("span", { class: "member-name" }, person.name,
      h("small", {}, gone.removed ? `${when(gone.at, page.screen.now)} 被「${gone.by_name}」移出` : `${when(gone.at, page.screen.now)} 退出`)),
    h("span", { class: "member-actions" },
      h("span", { class: "badge removed" }, gone.removed ? "已移出" : "已退出"),
      me && !chat.dissolved && h("button", { onclick: () => page.act({ do: "invite", group: chat.id, people: [gone.id] }) }, "请回")));
}

function invite(page, chat) {
  const inside = new Set([...chat.members, ...chat.gone].map((m) => m.id));
  const others = page.screen.people.filter((p) => p.kind !== "robot" && !inside.has(p.id) && (chat.kind === "customer" || p.kind === "employee"));
  if (!others.length) return null;
  const select = h("select", { "aria-label": "邀请进群" }, h("option", { value: "" }, "邀请成员…"), others.map((p) => h("option", { value: p.id }, p.name)));
  select.addEventListener("change", () => { if (select.value) page.act({ do: "invite", group: chat.id, people: [select.value] }); });
  return h("div", { class: "invite" }, select);
}
