// Turns message text into elements: links, WeCom's small markdown, mentions. Text never becomes markup.
import { h } from "./dom.js";

const INLINE = /<a href="([^"]+)">([^<]*)<\/a>|<font color="(info|comment|warning)">([\s\S]*?)<\/font>|\*\*([^*]+)\*\*|`([^`]+)`|\[([^\]]+)\]\((https?:[^)\s]+)\)|(https?:\/\/[^\s<>"']+)|<@([^>]+)>/g;

function link(address, text) {
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text);
}

function safe(address) {
  return /^https?:\/\//.test(address);
}

/** One line of text. */
export function inline(text) {
  const out = [];
  let from = 0;
  for (const m of text.matchAll(INLINE)) {
    if (m.index > from) out.push(text.slice(from, m.index));
    const [whole, href, label, colour, coloured, bold, code, title, target, bare, mention] = m;
    if (href !== undefined) out.push(safe(href) ? link(href, label) : label);
    else if (colour) out.push(h("span", { class: `ink-${colour}` }, inline(coloured)));
    else if (bold) out.push(h("strong", {}, bold));
    else if (code) out.push(h("code", {}, code));
    else if (title) out.push(link(target, title));
    else if (bare) out.push(link(bare, bare));
    else if (mention) out.push(h("span", { class: "mention" }, `@${mention}`));
    else out.push(whole);
    from = m.index + whole.length;
  }
  if (from < text.length) out.push(text.slice(from));
  return out;
}

/** Plain text with links, line breaks kept by the style. */
export function plain(text) {
  return h("div", { class: "plain" }, inline(text));
}

/** Markdown: headings, quotes, and the inline marks. */
export function markdown(text) {
  const box = h("div", { class: "markdown" });
  for (const line of text.split("\n")) {
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    const quote = /^>\s?(.*)$/.exec(line);
    if (heading) box.append(h("p", { class: "md-head" }, inline(heading[2])));
    else if (quote) box.append(h("p", { class: "md-quote" }, inline(quote[1])));
    else box.append(h("p", {}, line ? inline(line) : "\u00a0"));
  }
  return box;
}
