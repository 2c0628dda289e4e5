// Small helpers: build elements, avatars, times, requests.

/** Builds an element; props starting with "on" are listeners, children may be strings, elements, or nothing. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((c) => c !== undefined && c !== null && c !== false));
  return element;
}

/** An outline icon of 24×24 from one path. */
export function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** The square with a person's initials: the last two characters of the name. */
export function avatar(person, small = false) {
  const robot = person.kind === "robot";
  const name = [...person.name].slice(-2).join("");
  const colour = robot ? "robot" : `c${person.colour ?? 0}`;
  return h("span", { class: `avatar ${colour}${small ? " small" : ""}`, "aria-hidden": "true" }, name);
}

/** The group's tile: up to four members. */
export function tile(people) {
  const cells = people.slice(0, 4).map((person) => avatar(person, true));
  return h("span", { class: `tile n${cells.length}`, "aria-hidden": "true" }, cells);
}

const shown = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", year: "numeric", month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit",
  hourCycle: "h23",
});

function parts(time) {
  return Object.fromEntries(shown.formatToParts(new Date(time)).map((p) => [p.type, p.value]));
}

/** "10:05", "昨天 10:05" or "5月3日 10:05", seen from now. */
export function when(time, now) {
  const at = parts(time);
  const clock = `${at.hour}:${at.minute}`;
  const day = (t) => { const p = parts(t); return `${p.year}-${p.month}-${p.day}`; };
  if (day(time) === day(now)) return clock;
  if (day(time) === day(new Date(now).getTime() - 86_400_000)) return `昨天 ${clock}`;
  return `${at.month}月${at.day}日 ${clock}`;
}

/** "2026年5月4日 10:05" */
export function fullTime(time) {
  const at = parts(time);
  return `${at.year}年${at.month}月${at.day}日 ${at.hour}:${at.minute}`;
}

/** Asks the simulator; a refusal becomes an Error with its reason. */
export async function ask(path, body, method) {
  const options = body === undefined ? { method } : {
    method: method ?? "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  const response = await fetch(`/sim/api/${path}`, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail ?? String(response.status));
  return answer;
}

/** Puts new children in only if they differ from what was shown for the same data. */
export function show(element, data, build) {
  const key = JSON.stringify(data);
  if (element.dataset.shown === key) return false;
  element.dataset.shown = key;
  element.replaceChildren(...[build()].flat().filter(Boolean));
  return true;
}
