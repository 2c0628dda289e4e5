// Pages work without this. With it they follow what happens, and lists are walked with j and k.
"use strict";
(() => {
  const main = document.querySelector("main");
  if (!main) return;

  const busy = () => {
    const at = document.activeElement;
    if (at && at !== document.body && main.contains(at) && /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) return true;
    return Boolean(main.querySelector("details[open]")) || String(getSelection()) !== "";
  };

  let stale = false;
  const renew = async () => {
    if (document.hidden || busy()) {
      stale = true;
      return;
    }
    stale = false;
    const answer = await fetch(location.href, { headers: { "X-By-Itself": "1" }, redirect: "manual" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("main");
    const nav = page.querySelector("nav");
    if (!fresh || busy()) return;
    main.replaceChildren(...fresh.childNodes);
    if (nav) document.querySelector("nav").replaceChildren(...nav.childNodes);
  };

  if ("live" in main.dataset && window.EventSource) {
    const again = () => renew().catch(() => { stale = true; });
    // Only a page that somebody sees keeps a connection: a browser has six for all pages of a house, also for those that it
    // keeps for going back.
    let events;
    const follow = () => {
      if (events) return;
      events = new EventSource("/live");
      events.addEventListener("change", again);
    };
    const leave = () => {
      events?.close();
      events = undefined;
    };
    follow();
    addEventListener("pagehide", leave);
    addEventListener("pageshow", (event) => event.persisted && (follow(), again()));
    document.addEventListener("visibilitychange", () => (document.hidden ? leave() : (follow(), again())));
    main.addEventListener("focusout", () => stale && setTimeout(() => renew().catch(() => {}), 300));
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || busy()) return;
    const rows = [...main.querySelectorAll("a.row")];
    const at = rows.indexOf(document.activeElement);
    if (event.key === "j") rows[Math.min(at + 1, rows.length - 1)]?.focus();
    else if (event.key === "k") rows[Math.max(at - 1, 0)]?.focus();
    else if (event.key === "/") {
      const search = main.querySelector("input[type=search]");
      if (!search) return;
      event.preventDefault();
      search.focus();
    }
  });
})();
