// The chat page: keeps what the server says is on the screen, and asks again whenever something changed.
import { ask } from "./dom.js";
import { composer, lines } from "./chat.js";
import { members } from "./members.js";
import { side } from "./side.js";
import { tools } from "./tools.js";
import { tour } from "./tour.js";

const remembered = (name, otherwise) => sessionStorage.getItem(name) ?? otherwise;

/** What the page shows; every part gets it and calls `act`, `go`, `be`. */
const page = {
  who: remembered("who", "li"),
  open: remembered("chat", "wrHuadongSales"),
  screen: null,
  seen: JSON.parse(remembered("seen", "{}")),

  /** Somebody does something; a refusal is shown for a moment. */
  async act(act) {
    try {
      await ask("act", { as: page.who, ...act });
      return true;
    } catch (error) {
      page.say(error.message);
      return false;
    }
  },
  /** Opens a conversation. */
  go(chat) {
    page.open = chat;
    sessionStorage.setItem("chat", chat);
    document.body.dataset.view = "chat";
    refresh();
  },
  /** Becomes somebody else. */
  be(who) {
    page.who = who;
    sessionStorage.setItem("who", who);
    refresh();
  },
  /** A short message at the bottom. */
  say(text) {
    const toast = document.getElementById("toast");
    toast.textContent = REASONS[text] ?? text;
    toast.hidden = false;
    clearTimeout(page.hush);
    page.hush = setTimeout(() => { toast.hidden = true; }, 3500);
  },
  person(id) {
    return page.screen.people.find((p) => p.id === id) ?? { id, name: id, kind: "employee" };
  },
  refresh: () => refresh(),
};

const REASONS = {
  "muted by the owner": "你已被群主禁言",
  "only the owner and admins can do that": "只有群主和管理员可以操作",
  "nobody here can remove that member": "不能移出该成员",
  "external people can only be in customer groups": "外部联系人只能加入客户群",
  "the card is already closed": "这张卡片已处理",
  "customer groups have no mute": "客户群没有禁言功能",
  "only ordinary members can be muted": "只能禁言普通成员",
};

let busy = false;
let again = false;

/** Fetches the screen; calls that come meanwhile are folded into one more. */
async function refresh() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    do {
      again = false;
      const query = new URLSearchParams({ as: page.who, chat: page.open });
      page.screen = await ask(`screen?${query}`);
      draw();
    } while (again);
    document.body.classList.remove("offline");
  } catch {
    document.body.classList.add("offline");
  } finally {
    busy = false;
  }
}

function draw() {
  const { screen } = page;
  if (!screen.people.some((p) => p.id === page.who)) {
    const first = screen.people.find((p) => p.kind !== "robot");
    if (first && first.id !== page.who) return page.be(first.id);
  }
  if (!screen.chat && screen.chats.length && !screen.chats.some((c) => c.id === page.open)) {
    page.open = screen.chats[0].id;
    again = true;
    return;
  }
  const row = screen.chats.find((c) => c.id === page.open);
  if (row && (document.body.dataset.view === "chat" || matchMedia("(min-width: 721px)").matches)) {
    page.seen[`${page.who}/${row.id}`] = row.no;
    sessionStorage.setItem("seen", JSON.stringify(page.seen));
  }
  side(page);
  lines(page);
  composer(page);
  members(page);
  tools(page);
  tour(page);
}

/** Opens and closes the side panels. */
function panels() {
  const body = document.body;
  const toggle = (id, name, on) => document.getElementById(id).addEventListener("click", () => body.classList.toggle(name, on));
  toggle("members-open", "with-members");
  toggle("members-close", "with-members", false);
  const sheet = document.getElementById("tools");
  document.getElementById("tools-open").addEventListener("click", () => { sheet.hidden = !sheet.hidden; });
  document.getElementById("tools-close").addEventListener("click", () => { sheet.hidden = true; });
  document.getElementById("back").addEventListener("click", () => { body.dataset.view = "list"; });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      sheet.hidden = true;
      close();
      if (matchMedia("(max-width: 1079px)").matches) body.classList.remove("with-members");
    }
  });
  const close = () => {
    document.getElementById("people").hidden = true;
    document.getElementById("me").setAttribute("aria-expanded", "false");
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#people, #me")) close();
  });
}

panels();
if (matchMedia("(min-width: 1080px)").matches) document.body.classList.add("with-members");
const wanted = new URLSearchParams(location.search);
if (wanted.has("as")) page.who = wanted.get("as");
if (wanted.has("chat")) page.go(wanted.get("chat"));
if (wanted.has("tools")) document.getElementById("tools").hidden = false;
refresh();
const events = new EventSource("/sim/events");
events.addEventListener("changed", refresh);
events.addEventListener("open", refresh);
events.addEventListener("error", () => document.body.classList.add("offline"));
