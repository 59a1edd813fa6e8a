/* The list: the line in hand, what is selected, what has come since. */

import { fragment, missed, on, place, reached } from "/static/queue.js";

const inbox = document.getElementById("inbox");
const rows = () => [...document.querySelectorAll("#rows tr.line")];
const PEEK_MS = 150; // who walks down the list is not shown every line on the way
const WIDE = matchMedia("(min-width: 1600px)");

// --- the line in hand ---------------------------------------------------------------------------

let peeking = 0;
let asked = null;

function inHand() {
  return document.querySelector("#rows tr.line[aria-current]");
}

function take(row) {
  inHand()?.removeAttribute("aria-current");
  if (!row) return;
  row.setAttribute("aria-current", "true");
  row.scrollIntoView({ block: "nearest" });
  row.querySelector("a").focus({ preventScroll: true, focusVisible: false });
  sessionStorage.setItem(location.search, row.dataset.line);
  clearTimeout(peeking);
  if (WIDE.matches) peeking = setTimeout(() => peek(row), PEEK_MS);
}

async function peek(row) {
  asked?.abort();
  asked = new AbortController();
  const of = encodeURIComponent(location.search.slice(1));
  try {
    place((await fragment(`${row.dataset.peek}?of=${of}`, { signal: asked.signal })).page);
  } catch (error) {
    if (error.name !== "AbortError") missed();
  }
}

function step(by) {
  const all = rows();
  if (!all.length) return null;
  const now = all.indexOf(inHand());
  const next = all[Math.min(all.length - 1, Math.max(0, now < 0 ? 0 : now + by))];
  take(next);
  return next;
}

on("next", () => { step(1); });
on("previous", () => { step(-1); });
on("open", () => {
  const row = inHand();
  if (!row) return false;
  location.href = row.dataset.href;
  return true;
});

document.getElementById("rows")?.addEventListener("click", (event) => {
  const row = event.target.closest("tr.line");
  if (!row || event.target.closest("input")) return;
  if (event.target.closest("a")) return;
  if (event.shiftKey || event.ctrlKey || event.metaKey) {
    pick(row, !row.classList.contains("picked"));
  } else {
    location.href = row.dataset.href;
  }
});

document.getElementById("rows")?.addEventListener("focusin", (event) => {
  const row = event.target.closest("tr.line");
  if (row && row !== inHand()) {
    inHand()?.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
  }
});

// --- what is selected ---------------------------------------------------------------------------

function pick(row, isPicked) {
  row.classList.toggle("picked", isPicked);
  row.querySelector("input").checked = isPicked;
  told();
}

function told() {
  const picked = rows().filter((row) => row.classList.contains("picked"));
  const bar = document.getElementById("pickbar");
  bar.hidden = picked.length === 0;
  document.getElementById("hints").hidden = picked.length > 0;
  inbox.classList.toggle("picking", picked.length > 0);
  const words = document.getElementById("picked");
  words.textContent = picked.length === 1 ? words.dataset.one : words.dataset.many.replace("N", picked.length);
  document.getElementById("pickedlines").replaceChildren(
    ...picked.map((row) => Object.assign(document.createElement("input"), { type: "hidden", name: "line", value: row.dataset.line })),
  );
}

function extend(by) {
  const from = inHand() || step(0);
  if (!from) return;
  pick(from, true);
  pick(step(by), true);
}

on("extend-next", () => extend(1));
on("extend-previous", () => extend(-1));

/** An act without a selection is about the line in hand. */
function actOnLine(act) {
  on(act, () => {
    const row = inHand();
    if (document.getElementById("pickbar").hidden && row) pick(row, true);
    return false;
  });
}
["accept", "reject", "later"].forEach(actOnLine);

document.addEventListener("change", (event) => {
  if (event.target.matches("#rows input[name=line]")) pick(event.target.closest("tr"), event.target.checked);
});

function unpick() {
  rows().forEach((row) => {
    row.classList.remove("picked");
    row.querySelector("input").checked = false;
  });
  told();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-unpicks]")) unpick();
  const toggle = event.target.closest("[data-toggles]");
  if (toggle) {
    const isShown = document.getElementById(toggle.dataset.toggles).classList.toggle("shown");
    toggle.setAttribute("aria-expanded", String(isShown));
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; });
  unpick();
});

document.addEventListener("toggle", (event) => {
  if (!event.target.matches?.("details.menu") || !event.target.open) return;
  document.querySelectorAll("details.menu[open]").forEach((menu) => { if (menu !== event.target) menu.open = false; });
}, true);

// --- what has come since ------------------------------------------------------------------------

function hear() {
  const source = new EventSource(`${inbox.dataset.events}?since=${inbox.dataset.since}`);
  source.addEventListener("queue", (event) => {
    reached();
    const said = JSON.parse(event.data);
    const chip = document.getElementById("new");
    const words = chip.firstElementChild;
    chip.hidden = said.new === 0;
    words.textContent = said.new === 1 ? words.dataset.one : words.dataset.many.replace("N", said.new);
    for (const tally of document.querySelectorAll("#views [data-view]")) {
      if (tally.dataset.view in said.views) tally.textContent = said.views[tally.dataset.view];
    }
  });
  source.addEventListener("error", missed);
  source.addEventListener("open", reached);
  addEventListener("pagehide", () => source.close());
}

if (inbox) {
  const kept = sessionStorage.getItem(location.search);
  const row = rows().find((each) => each.dataset.line === kept) || rows()[0];
  if (row) take(row);
  hear();
}
document.addEventListener("placed", () => {
  if (!inHand()) take(rows()[0]);
  if (document.getElementById("pickbar")) told();
});
