// The guide beside the chat: what to do as whom, ticked where it was done.
import { h, show } from "./dom.js";

let folded = sessionStorage.getItem("tour") === "folded";

/** Draws it; nothing where nobody wrote one. */
export function tour(page) {
  const { tour } = page.screen;
  const box = document.getElementById("tour");
  box.hidden = !tour;
  if (!tour) return;
  const next = tour.steps.findIndex((step) => !step.done);
  const done = tour.steps.filter((step) => step.done).length;
  show(box, [tour, folded, page.who, page.open], () => [
    h("header", { class: "tour-head" },
      h("button", { class: "tour-fold", "aria-expanded": String(!folded), onclick: () => { folded = !folded; sessionStorage.setItem("tour", folded ? "folded" : ""); page.refresh(); } },
        h("strong", {}, "一步一步试"), h("span", {}, `${done}/${tour.steps.length} ${folded ? "展开" : "收起"}`)),
      tour.back && h("a", { href: tour.back }, "说明和控制台")),
    !folded && h("ol", { class: "tour-steps" }, tour.steps.map((step, at) => h("li", { class: step.done ? "done" : at === next ? "next" : "" },
      h("span", { class: "tick", "aria-label": step.done ? "已完成" : "未完成" }, step.done ? "✓" : String(at + 1)),
      h("span", { class: "tour-text" }, step.text, step.say && h("b", {}, ` ${step.say}`)),
      !step.done && step.who && h("button", { class: "tour-go", onclick: () => go(page, step) }, step.say ? "替我写好" : "打开")))),
  ]);
}

/** Becomes the person, opens the conversation, and writes the words without sending them. */
function go(page, step) {
  if (step.say) sessionStorage.setItem(`draft/${step.who}/${step.chat}`, step.say);
  delete document.getElementById("composer").dataset.shown;
  page.who = step.who;
  sessionStorage.setItem("who", step.who);
  page.go(step.chat);
}
