// Template cards with their real buttons, selectors and check boxes.
import { h } from "./dom.js";
import { inline } from "./words.js";

function rows(list = []) {
  if (!list.length) return null;
  return h("dl", { class: "card-rows" }, list.map((row) => [
    h("dt", {}, row.keyname),
    h("dd", {}, row.type === 1 && row.url ? h("a", { href: row.url, target: "_blank", rel: "noopener noreferrer" }, row.value || row.url) : row.value ?? ""),
  ]));
}

function select(question, name) {
  const options = (question.option_list ?? []).map((o) => h("option", { value: o.id, selected: o.id === question.selected_id }, o.text));
  return h("label", { class: "card-select" }, h("span", {}, question.title ?? ""),
    h("select", { name: question.question_key, "data-question": name, disabled: Boolean(question.disable) }, options));
}

function checkbox(question) {
  const kind = question.mode === 1 ? "checkbox" : "radio";
  return h("div", { class: "card-options" }, (question.option_list ?? []).map((o) => h("label", {},
    h("input", { type: kind, name: question.question_key, value: o.id, checked: Boolean(o.is_checked), disabled: Boolean(question.disable) }),
    h("span", {}, o.text))));
}

/** What is chosen in the card's fields: question → option ids. */
function chosen(form) {
  const out = {};
  for (const field of form.querySelectorAll("select, input:checked")) (out[field.name] ??= []).push(field.value);
  return out;
}

/** Builds the card; `press(key, selected)` is called for a button. */
export function card(face, frozen, press) {
  const title = face.main_title ?? {};
  const source = face.source ?? {};
  const emphasis = face.emphasis_content;
  const quote = face.quote_area;
  const jumps = face.jump_list ?? [];
  const box = h("form", { class: `card ${face.card_type}`, onsubmit: (e) => e.preventDefault() },
    source.desc && h("p", { class: `card-source s${source.desc_color ?? 0}` }, source.desc),
    title.title && h("h3", {}, title.title),
    title.desc && h("p", { class: "card-desc" }, title.desc),
    emphasis && h("div", { class: "card-emphasis" }, h("strong", {}, emphasis.title ?? ""), h("span", {}, emphasis.desc ?? "")),
    quote && h("blockquote", {},
      quote.title && (quote.type === 1 && quote.url
        ? h("a", { class: "card-jump", href: quote.url, target: "_blank", rel: "noopener noreferrer" }, quote.title)
        : h("strong", {}, quote.title)),
      h("span", {}, quote.quote_text ?? "")),
    face.sub_title_text && h("p", { class: "card-sub" }, inline(face.sub_title_text)),
    rows(face.horizontal_content_list),
    (face.vertical_content_list ?? []).map((v) => h("p", { class: "card-sub" }, h("strong", {}, v.title ?? ""), " ", v.desc ?? "")),
    face.button_selection && select(face.button_selection),
    (face.select_list ?? []).map((q) => select(q)),
    face.checkbox && checkbox(face.checkbox),
    jumps.map((j) => j.url ? h("a", { class: "card-jump", href: j.url, target: "_blank", rel: "noopener noreferrer" }, j.title) : h("span", { class: "card-jump" }, j.title)),
  );
  const action = face.card_action;
  if (action?.type === 1 && action.url) box.append(h("a", { class: "card-jump", href: action.url, target: "_blank", rel: "noopener noreferrer" }, "查看详情"));
  if (frozen) {
    box.append(h("div", { class: "card-buttons" }, h("span", { class: "card-frozen" }, frozen)));
    for (const field of box.querySelectorAll("select, input")) field.disabled = true;
    return box;
  }
  const buttons = (face.button_list ?? []).map((b) => b.type === 1
    ? h("a", { class: `card-button b${b.style ?? 1}`, href: b.url, target: "_blank", rel: "noopener noreferrer" }, b.text)
    : h("button", { type: "button", class: `card-button b${b.style ?? 1}`, onclick: () => press(b.key, chosen(box)) }, b.text));
  if (face.submit_button) {
    const submit = face.submit_button;
    buttons.push(h("button", { type: "button", class: "card-button b1", onclick: () => press(submit.key, chosen(box)) }, submit.text));
  }
  for (const entry of face.action_menu?.action_list ?? []) {
    buttons.push(h("button", { type: "button", class: "card-button b2", onclick: () => press(entry.key, {}) }, entry.text));
  }
  if (buttons.length) box.append(h("div", { class: "card-buttons" }, buttons));
  return box;
}
