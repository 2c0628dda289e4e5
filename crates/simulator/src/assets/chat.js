// The conversation: time marks, grey system lines, bubbles, cards, and the box to write in.
import { avatar, fullTime, h, icon, show, when } from "./dom.js";
import { card } from "./card.js";
import { markdown, plain } from "./words.js";

const GAP_MS = 5 * 60_000;
let quoting = null;

/** Draws the open conversation. */
export function lines(page) {
  const { screen } = page;
  const chat = screen.chat;
  const title = document.getElementById("chat-title");
  const notice = document.getElementById("notice");
  const box = document.getElementById("lines");
  if (!chat) {
    show(title, null, () => []);
    show(box, null, () => h("p", { class: "empty" }, "选择一个会话"));
    notice.hidden = true;
    return;
  }
  const single = chat.kind === "single";
  document.getElementById("members-open").hidden = single;
  document.body.classList.toggle("single", single);
  const mode = screen.tour?.modes[chat.id];
  show(title, [chat.name, chat.kind_name, chat.members.length, chat.archived, chat.dissolved, mode], () => [
    h("h1", {}, chat.name, !single && h("span", { class: "size" }, `（${chat.members.length}）`)),
    h("p", {}, h("span", { class: `tag ${chat.kind}` }, chat.kind_name),
      mode && h("span", { class: "tag mode" }, `群管：${mode}`),
      !single && h("span", { class: "hint" }, chat.dissolved ? "已解散" : chat.archived ? "会话存档中" : "未开通会话存档")),
  ]);
  notice.hidden = !chat.notice;
  show(notice, chat.notice, () => [h("strong", {}, "群公告"), ` ${chat.notice}`]);
  const place = `${page.who}/${chat.id}`;
  if (box.dataset.place !== place) {
    box.dataset.place = place;
    box.replaceChildren();
    quoting = null;
  }
  update(page, box, chat.lines);
}

/** Changes only the lines that differ, so that the eye sees what is new. */
function update(page, box, list) {
  const fresh = box.childElementCount === 0;
  const low = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const old = new Map([...box.children].map((element) => [element.dataset.key, element]));
  const wanted = [];
  let before = null;
  for (const line of list) {
    if (!before || new Date(line.at) - new Date(before.at) > GAP_MS) wanted.push([`t${line.no}`, when(line.at, page.screen.now), () => h("p", { class: "time" }, h("time", { title: fullTime(line.at) }, when(line.at, page.screen.now)))]);
    wanted.push([`l${line.no}`, JSON.stringify([line, page.person(line.from).name]), () => row(page, line)]);
    before = line;
  }
  if (!wanted.length) wanted.push(["none", "", () => h("p", { class: "empty" }, "还没有消息")]);
  const keep = new Set(wanted.map(([key]) => key));
  for (const [key, element] of old) if (!keep.has(key)) element.remove();
  let at = box.firstElementChild;
  for (const [key, data, build] of wanted) {
    let element = old.get(key);
    if (!element || element.dataset.data !== data) {
      const next = build();
      next.dataset.key = key;
      next.dataset.data = data;
      if (!element && !fresh) next.classList.add("new");
      if (element === at) at = element?.nextElementSibling ?? at;
      element?.remove();
      element = next;
    }
    if (element === at) at = at.nextElementSibling;
    else box.insertBefore(element, at);
  }
  if (fresh || low) box.scrollTop = box.scrollHeight;
}

function row(page, line) {
  const chat = page.screen.chat;
  if (line.msgtype === "system") return h("p", { class: "system" }, h("span", {}, line.text));
  const mine = chat.kind === "single" ? line.mine : line.from === page.who;
  const robot = line.agent === undefined ? line.from : line.agent === null ? "wbSimBot" : "wbSimApp1000002";
  const from = page.person(line.mine ? page.who : robot);
  if (line.recalled) return h("p", { class: "system" }, h("span", {}, `${mine && chat.kind !== "single" ? "你" : `「${from.name}」`}撤回了一条消息`));
  const member = chat.members.find((m) => m.id === from.id);
  return h("div", { class: `row${mine ? " mine" : ""}` },
    avatar(from),
    h("div", { class: "row-body" },
      !mine && h("p", { class: "from" }, from.name, badge(from, member)),
      h("div", { class: "bubble-line" }, content(page, line), actions(page, line, mine)),
      line.quote && h("p", { class: "quoted" }, line.quote)));
}

function badge(person, member) {
  if (person.kind === "robot") return h("span", { class: "badge bot" }, "机器人");
  if (person.kind === "external") return h("span", { class: "badge external" }, "@微信");
  if (member?.role === "owner") return h("span", { class: "badge owner" }, "群主");
  if (member?.role === "admin") return h("span", { class: "badge admin" }, "管理员");
  return null;
}

function content(page, line) {
  if (line.card) {
    const press = (key, selected) => page.act({ do: "press", task_id: line.card.task_id, key, selected, ...(page.screen.chat.kind === "single" ? {} : { group: page.screen.chat.id }) });
    return card(line.card, line.frozen, press);
  }
  const body = line.body ?? {};
  if (line.msgtype === "markdown" || line.msgtype === "markdown_v2") return h("div", { class: "bubble" }, markdown(line.text));
  if (line.msgtype === "textcard") {
    return h("div", { class: "card text_notice" }, h("h3", {}, body.title), plain(body.description ?? ""), body.url && h("a", { class: "card-jump", href: body.url, target: "_blank", rel: "noopener noreferrer" }, body.btntxt ?? "详情"));
  }
  if (line.msgtype === "news") {
    return h("div", { class: "card" }, (body.articles ?? []).map((a) => h("p", {}, h("strong", {}, a.title), " ", a.description ?? "")));
  }
  if (line.msgtype === "link") return h("div", { class: "card link" }, h("h3", {}, body.title ?? ""), h("p", { class: "card-desc" }, body.description ?? ""), h("p", { class: "card-url" }, body.link_url ?? ""));
  if (line.msgtype === "file") return h("div", { class: "bubble file" }, icon("M6 3h8l4 4v14H6zM14 3v4h4"), body.filename ?? "文件");
  return h("div", { class: "bubble" }, plain(line.text));
}

function actions(page, line, mine) {
  if (page.screen.chat.kind === "single") return null;
  return h("span", { class: "line-actions" },
    h("button", { onclick: () => { quoting = line; composer(page); document.getElementById("write")?.focus(); } }, "引用"),
    mine && h("button", { onclick: () => page.act({ do: "recall", group: page.screen.chat.id, line: line.no }) }, "撤回"));
}

/** Draws the box to write in, or says why there is none. */
export function composer(page) {
  const { screen } = page;
  const chat = screen.chat;
  const box = document.getElementById("composer");
  const bot = chat?.members.some((m) => m.kind === "robot");
  const muted = chat?.members.find((m) => m.id === page.who)?.muted;
  const gone = chat?.gone.find((g) => g.id === page.who);
  show(box, [chat?.id, page.who, chat?.can_post, muted, gone, bot, quoting?.no], () => {
    if (!chat) return [];
    if (!chat.can_post) return closed(page, chat, muted, gone);
    return open(page, chat, bot);
  });
}

function closed(page, chat, muted, gone) {
  const why = chat.dissolved ? "群聊已解散" : muted ? "你已被群主禁言" : gone ? gone.removed ? `你已被「${gone.by_name}」移出群聊` : "你已退出群聊" : "你不在这个群里";
  const customer = chat.kind === "customer" && !muted && !chat.dissolved;
  return h("div", { class: "closed" }, h("span", {}, why),
    customer && h("button", { class: "plain-button", onclick: () => page.act({ do: "join", group: chat.id }) }, "扫码进群"));
}

function open(page, chat, bot) {
  const draft = `draft/${page.who}/${chat.id}`;
  const input = h("textarea", { id: "write", rows: 1, placeholder: chat.id === "~app" ? "发消息给应用" : chat.id === "~bot" ? "发消息给机器人" : `以${page.person(page.who).name}的身份说话`, "aria-label": "消息" });
  input.value = sessionStorage.getItem(draft) ?? "";
  const fit = () => { input.style.height = "auto"; const tall = input.scrollHeight + input.offsetHeight - input.clientHeight; input.style.height = `${Math.min(tall, 140)}px`; input.style.overflowY = tall > 140 ? "auto" : "hidden"; };
  const send = async () => {
    const text = input.value.trim();
    if (!text) return;
    const act = chat.id === "~app" ? { do: "tell_app", text } : chat.id === "~bot" ? { do: "tell_bot", text } : { do: "post", group: chat.id, text, ...(quoting ? { quote: quoting.no } : {}) };
    if (await page.act(act)) {
      input.value = "";
      sessionStorage.removeItem(draft);
      fit();
      if (quoting) { quoting = null; composer(page); }
      document.getElementById("lines").scrollTop = document.getElementById("lines").scrollHeight;
    }
    document.getElementById("write")?.focus();
  };
  const picker = h("div", { class: "picker", role: "listbox", "aria-label": "提到谁", hidden: true });
  const asked = () => /@([^\s@]*)$/.exec(input.value.slice(0, input.selectionStart));
  const choose = (name) => {
    const [whole] = asked() ?? [""];
    const at = input.selectionStart;
    input.setRangeText(`@${name} `, at - whole.length, at, "end");
    picker.hidden = true;
    sessionStorage.setItem(draft, input.value);
    input.focus();
  };
  const pick = () => {
    const typed = chat.kind === "single" ? null : asked();
    const names = typed ? chat.members.filter((m) => m.id !== page.who).map((m) => page.person(m.id).name).filter((name) => name.includes(typed[1])).slice(0, 8) : [];
    picker.hidden = names.length === 0;
    picker.replaceChildren(...names.map((name) => h("button", { role: "option", onclick: () => choose(name) }, name)));
  };
  input.addEventListener("input", () => { sessionStorage.setItem(draft, input.value); fit(); pick(); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") picker.hidden = true;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (!picker.hidden) return choose(picker.firstElementChild.textContent);
      send();
    }
  });
  const mention = bot && h("button", { class: "plain-button", onclick: () => { input.value = `@${page.screen.bot_name} ${input.value}`; input.focus(); } }, `@${page.screen.bot_name}`);
  return [
    quoting && h("p", { class: "quoting" }, `引用 ${page.person(quoting.from).name}：${quoting.text}`, h("button", { "aria-label": "不引用", onclick: () => { quoting = null; composer(page); } }, "×")),
    picker,
    h("div", { class: "write" }, mention, input, h("button", { class: "send", onclick: send }, "发送")),
  ];
}
