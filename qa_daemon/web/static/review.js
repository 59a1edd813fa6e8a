// The review page: pictures, another class, verdicts, who else is here. Letters of every turn come
// from the server in one attribute: they are looked up here, never worked out.

import { missed, on, open, place, reached } from "/static/queue.js";

const SLICES_AT_ONCE = 10;
const ZOOM_STEP = 1.25, ZOOM_MIN = 1, ZOOM_MAX = 8;
const GREY_STEP = 0.1, GREY_MIN = 0.2, GREY_MAX = 4;
const PAN_STEP = 40;
const BEAT_MS = 10_000;
const PREFETCHED_MAX = 12;

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const said = (name) => $("#review")?.dataset[`words${name}`] ?? "";
const csrf = () => $("meta[name=csrf]").content;
const random = () => crypto.randomUUID();

let view; // what is shown now; begun anew with each finding

function begin(wasAhead = false) {
  const review = $("#review");
  if (!review) return;
  const stack = JSON.parse(review.dataset.stack);
  view = {
    stack, at: stack.start, turn: 0, preset: 0, zoom: 1, x: 0, y: 0, bright: 1, contrast: 1,
    stored: false, blinking: false, chosen: null,
  };
  $("#track")?.addEventListener("input", (event) => go(Number(event.target.value)));
  for (const box of $$(".film .box")) watchPointer(box);
  for (const image of $$(".film img")) {
    image.addEventListener("error", missing, { once: true });
    if (image.complete && image.naturalWidth === 0) missing({ target: image });
  }
  draw();
  prefetch();
  here(wasAhead);
}

// --- pictures

function hangingOf(side) {
  const picture = view.stack.pictures[view.at];
  if (side === "suggested" && view.chosen !== null) return view.stack.classes[view.chosen];
  return picture[side];
}

function draw() {
  if (!view.stack.pictures.length) return;
  const picture = view.stack.pictures[view.at];
  const shown = picture.shown[Math.min(view.preset, picture.shown.length - 1)];
  for (const film of $$(".film[data-side]")) {
    const own = film.dataset.side;
    const side = view.blinking && own === "tagged" ? "suggested" : own;
    drawFilm(film, side, hangingOf(side), picture, shown);
  }
  drawStrip(picture, shown);
}

function drawFilm(film, side, hanging, picture, shown) {
  const base = view.stored ? 0 : hanging.turn;
  const turn = view.stack.composed[view.turn][base];
  const holder = $(".turn", film);
  holder.className = `turn t${turn}`;
  holder.dataset.turn = turn;
  setSource($("img", holder), shown.url);
  film.classList.toggle("sug", side === "suggested");
  $("[data-name]", film).textContent = said(side === "suggested" ? "Suggested" : "Tagged");
  const edges = hanging.letters[turn] ?? ["", "", "", ""];
  for (const letter of $$(".lt", film)) letter.textContent = edges[Number(letter.dataset.edge)];
  $("[data-place]", film).textContent = picture.caption.place;
  $("[data-mm]", film).textContent = picture.caption.mm;
  $("[data-window]", film).textContent = view.bright === 1 && view.contrast === 1 ? shown.window : "";
  $("[data-view]", film).hidden = view.turn === 0;
  const level = $(".level", film);
  if (level && picture.level !== null) level.setAttribute("transform", `translate(0 ${picture.level})`);
  const inset = $("[data-stored]", film);
  if (inset) {
    setSource(inset, shown.thumbnail);
    const stored = hanging.letters[0] ?? ["", ""];
    for (const letter of $$(".stored b", film)) letter.textContent = stored[Number(letter.dataset.edge)];
  }
  const pan = $(".pan", film);
  pan.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.zoom})`;
  pan.style.filter = `brightness(${view.bright}) contrast(${view.contrast})`;
}

function drawStrip(picture, shown) {
  const track = $("#track");
  if (track) {
    track.value = view.at;
    track.setAttribute("aria-valuetext", picture.caption.place);
  }
  for (const thumb of $$(".tell")) thumb.classList.toggle("on", Number(thumb.dataset.go) === view.at);
  for (const tile of $$("[data-tile]")) setSource(tile, shown.thumbnail);
  pressed("stored", view.stored);
  pressed("blink", view.blinking);
}

function setSource(image, url) {
  if (image.getAttribute("src") !== url) image.setAttribute("src", url);
}

function missing(event) {
  const box = event.target.closest(".box");
  box?.classList.add("gone");
}

function pressed(name, is) {
  $(`[data-look="${name}"]`)?.setAttribute("aria-pressed", String(is));
}

function go(at) {
  view.at = Math.max(0, Math.min(view.stack.pictures.length - 1, at));
  draw();
}

function turned(key) {
  view.turn = view.stack.composed[view.stack.turns[key]][view.turn];
  draw();
}

function zoomed(factor) {
  view.zoom = Math.max(ZOOM_MIN, Math.min(ZOOM_MAX, view.zoom * factor));
  if (view.zoom === 1) view.x = view.y = 0;
  draw();
}

const held = (value) => Math.round(Math.max(GREY_MIN, Math.min(GREY_MAX, value)) * 100) / 100;

const LOOKS = {
  "slice-previous": (event) => go(view.at - (event.shiftKey ? SLICES_AT_ONCE : 1)),
  "slice-next": (event) => go(view.at + (event.shiftKey ? SLICES_AT_ONCE : 1)),
  blink: () => { view.blinking = !view.blinking; draw(); },
  stored: () => { view.stored = !view.stored; draw(); },
  window: () => { view.preset = (view.preset + 1) % view.stack.pictures[view.at].shown.length; view.bright = view.contrast = 1; draw(); },
  "flip-vertical": () => turned("v"),
  "flip-horizontal": () => turned("h"),
  "turn-right": () => turned("r"),
  "turn-left": () => turned("l"),
  "zoom-in": () => zoomed(ZOOM_STEP),
  "zoom-out": () => zoomed(1 / ZOOM_STEP),
  "zoom-fit": () => { view.x = view.y = 0; view.bright = view.contrast = 1; zoomed(0); },
  brighter: () => { view.bright = held(view.bright + GREY_STEP); draw(); },
  darker: () => { view.bright = held(view.bright - GREY_STEP); draw(); },
  "more-contrast": () => { view.contrast = held(view.contrast + GREY_STEP); draw(); },
  "less-contrast": () => { view.contrast = held(view.contrast - GREY_STEP); draw(); },
};

function watchPointer(box) {
  box.addEventListener("wheel", (event) => {
    if (event.ctrlKey || view.stack.pictures.length < 2) return;
    event.preventDefault();
    const steps = event.shiftKey ? SLICES_AT_ONCE : 1;
    go(view.at + Math.sign(event.deltaY || event.deltaX) * steps);
  }, { passive: false });
  let from = null;
  box.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = { x: event.clientX, y: event.clientY, view: { ...view } };
    box.setPointerCapture(event.pointerId);
  });
  box.addEventListener("pointermove", (event) => {
    if (!from) return;
    const dx = event.clientX - from.x, dy = event.clientY - from.y;
    if (event.pointerType === "touch" && view.zoom === 1) return;
    if (view.zoom > 1) {
      view.x = from.view.x + dx;
      view.y = from.view.y + dy;
    } else {
      view.contrast = held(from.view.contrast + dx / 200);
      view.bright = held(from.view.bright - dy / 200);
    }
    draw();
  });
  const end = (event) => {
    if (from && event.type === "pointerup" && event.pointerType === "touch") {
      const dx = event.clientX - from.x;
      if (Math.abs(dx) > PAN_STEP && view.zoom === 1) go(view.at - Math.sign(dx));
    }
    from = null;
  };
  box.addEventListener("pointerup", end);
  box.addEventListener("pointercancel", end);
}

// --- keys and clicks

for (const [act, look] of Object.entries(LOOKS)) on(act, (event) => (view?.stack.pictures.length ? look(event) : false));
for (let label = 0; label < 8; label += 1) on(`class-${label}`, () => ($("#classes") ? void choose(label) : false));

/** Shift with a bracket is ten slices, whatever character the keyboard makes of it. */
function onKey(event) {
  if (!view || event.ctrlKey || event.altKey || event.metaKey || $("dialog[open]")) return;
  if (event.target.closest("input:not([type=range]), textarea, select")) return;
  if (event.key === "{" || event.key === "}") return go(view.at + (event.key === "{" ? -SLICES_AT_ONCE : SLICES_AT_ONCE));
  if (event.key === "Escape") return unchoose();
  if (event.key === "Enter" && !event.target.closest("a, button, summary, input")) return void $("#banner [data-again]")?.click();
  if (event.key.startsWith("Arrow") && view.zoom > 1 && !event.target.closest("input")) pan(event);
}

function pan(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
  view.x += { ArrowLeft: PAN_STEP, ArrowRight: -PAN_STEP }[event.key] ?? 0;
  view.y += { ArrowUp: PAN_STEP, ArrowDown: -PAN_STEP }[event.key] ?? 0;
  draw();
}

function onClick(event) {
  const target = event.target.closest("[data-look], [data-class], [data-go], [data-act], a[data-key]");
  if (!target || !view) return;
  const { look, go: at, act, key } = target.dataset;
  if (target.dataset.class !== undefined) return void choose(Number(target.dataset.class));
  if (at !== undefined) return go(Number(at));
  if (act === "unchoose") return unchoose();
  if (look) return LOOKS[look](event);
  if (["next", "previous"].includes(key) && target.closest("#review-top")) {
    event.preventDefault();
    visit(target.getAttribute("href"));
  }
}

// --- another class

async function choose(label) {
  $("#classes").close();
  const answer = await ask(`/finding/${$("#review").dataset.finding}/class/${label}`, { headers: { Accept: "text/html" } });
  if (!answer) return;
  const page = parsed(await answer.text());
  if (!answer.ok) return banner("w", ($("main", page) ?? page.body).textContent.trim());
  view.tagsBefore ??= [...$("#tags").childNodes];
  $("#tags").replaceChildren(...page.body.childNodes);
  view.chosen = label;
  draw();
  $("#tags button")?.focus();
}

function unchoose() {
  if (view.chosen === null) return;
  view.chosen = null;
  $("#tags").replaceChildren(...view.tagsBefore);
  draw();
  $("#question").focus();
}

const parsed = (text) => new DOMParser().parseFromString(text, "text/html");

// --- verdicts

async function onSubmit(event) {
  const form = event.target;
  const { verdict, undo } = form.dataset;
  if (verdict === undefined && undo === undefined) return;
  event.preventDefault();
  if (form.dataset.sent || document.body.classList.contains("offline")) return;
  form.dataset.sent = "1";
  const fields = new FormData(form, event.submitter);
  if (undo !== undefined) fields.set("request", random());
  const scope = $('[data-act="scope"]');
  if (scope && fields.has("scope")) fields.set("scope", scope.value);
  const answer = await ask(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(fields) });
  delete form.dataset.sent;
  if (!answer) return;
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) return refused(form, told);
  form.closest("dialog")?.close();
  cache.clear();
  await visit(told.next);
  if (verdict !== undefined) toast(told);
  else toast({ words: told.words });
}

function refused(form, told) {
  const words = told.words ?? told.error ?? "";
  const own = $(".err", form);
  if (own) {
    own.textContent = words;
    return;
  }
  form.closest("dialog")?.close();
  banner(told.kind === "stale" ? "" : "w", words, told.kind === "taken" ? $('[data-key="next"]')?.getAttribute("href") : told.next || location.pathname, told.kind);
}

function banner(kind, words, next, why) {
  const place = $("#banner");
  const box = document.createElement("div");
  box.className = `ban ${kind}`;
  box.setAttribute("role", "alert");
  const text = document.createElement("span");
  text.className = "grow";
  text.textContent = words;
  box.append(text);
  if (next) {
    const link = document.createElement("a");
    link.className = "btn";
    link.href = next;
    link.dataset.again = "";
    link.textContent = said(why === "taken" ? "Next" : "Again");
    box.append(link);
  }
  place.replaceChildren(box);
}

function toast(told) {
  const holder = document.createElement("div");
  const part = document.createElement("div");
  part.id = "toast";
  part.dataset.part = "";
  const box = document.createElement("div");
  box.className = "toast";
  box.setAttribute("role", "status");
  const words = document.createElement("span");
  words.textContent = [told.words, told.colleague && `${said("Colleague")} ${told.colleague}`].filter(Boolean).join(" ");
  box.append(words);
  if (told.act) box.append(...backWays(told, box));
  part.append(box);
  holder.append(part);
  place(holder);
}

function backWays(told, box) {
  const button = document.createElement("button");
  button.className = "btn";
  button.type = "button";
  button.dataset.key = "undo";
  const key = document.createElement("kbd");
  key.textContent = "u";
  button.append(key, ` ${said("Undo")}`);
  button.addEventListener("click", () => takeBack(told.act));
  if (told.leaves_s === null) return [button];
  box.dataset.until = String(Date.now() / 1000 + told.leaves_s);
  const clock = document.createElement("span");
  clock.setAttribute("aria-hidden", "true");
  const [before, after] = said("Leaves").split("{time}");
  const left = document.createElement("span");
  left.dataset.left = "";
  clock.append(before, left, after ?? "");
  return [clock, button];
}

async function takeBack(act) {
  const body = new URLSearchParams({ act, request: random() });
  const answer = await ask("/verdict/undo", { method: "POST", body });
  if (!answer) return;
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) return banner("w", told.words ?? told.error ?? "");
  cache.clear();
  await visit(told.next);
  toast({ words: told.words });
}

// --- asking the server

async function ask(url, options = {}) {
  const headers = { Accept: "application/json", "X-CSRF-Token": csrf(), ...options.headers };
  try {
    const answer = await fetch(url, { ...options, headers });
    reached();
    if (answer.status !== 401 && new URL(answer.url).pathname !== "/sign-in") return answer;
    if (!$("#session-ended").open) open($("#session-ended"));
  } catch {
    missed();
    banner("w", said("Offline"));
  }
  return null;
}

// --- going on

const cache = new Map();

function prefetch() {
  for (const link of $$("[data-prefetch]")) {
    const url = link.getAttribute("href");
    if (!cache.has(url)) cache.set(url, load(url));
  }
}

async function load(url) {
  const answer = await fetch(url, { headers: { Accept: "text/html", "X-QA-Background": "1" } }).catch(() => null);
  if (!answer?.ok) return null;
  const page = parsed(await answer.text());
  const stack = $("#review", page)?.dataset.stack;
  if (!stack) return null;
  for (const each of JSON.parse(stack).pictures.slice(0, PREFETCHED_MAX)) new Image().src = each.shown[0].url;
  return page;
}

async function visit(url, isBack = false) {
  const known = cache.get(url);
  cache.delete(url);
  const page = (await known) ?? (await load(url));
  if (!page) {
    location.href = url;
    return;
  }
  leave();
  place(page);
  $("meta[name=csrf]").content = $("meta[name=csrf]", page).content;
  document.title = page.title;
  if (!isBack) history.pushState(null, "", url);
  begin(true);
  $("#question").focus();
}

// --- who else is here

let beating;

async function here(wasAhead) {
  clearInterval(beating);
  const number = $("#review").dataset.finding;
  let opened = wasAhead;
  const beat = async () => {
    const answer = await fetch(`/finding/${number}/here`, {
      method: "POST", body: new URLSearchParams(opened ? { opened: "1" } : {}), headers: { "X-CSRF-Token": csrf(), "X-QA-Background": "1", Accept: "application/json" },
    }).catch(() => null);
    if (!answer) return missed();
    opened = false;
    reached();
    if (!answer.ok) return;
    const told = await answer.json().catch(() => ({ others: [] }));
    const place = $("#others");
    if (place) place.textContent = (told.others ?? []).map((who) => `${who} ${place.dataset.words}`).join(", ");
  };
  beating = setInterval(beat, BEAT_MS);
  await beat();
}

function leave() {
  clearInterval(beating);
  const number = $("#review")?.dataset.finding;
  if (!number) return;
  const body = new URLSearchParams({ csrf: csrf(), gone: "1" });
  navigator.sendBeacon(`/finding/${number}/here`, body);
}

window.addEventListener("keydown", onKey, { capture: true });
document.addEventListener("click", onClick);
document.addEventListener("submit", onSubmit);
window.addEventListener("popstate", () => visit(location.pathname + location.search, true));
window.addEventListener("pagehide", leave);
begin();
