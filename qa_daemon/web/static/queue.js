/* The queue in the browser: keys, parts of pages by fetch, the undo toast, what is new.
 *
 * Pages say what a key does: an element with `data-key="accept"` is pressed, focused or followed
 * when the key of that act is struck. Modules of single pages add what is no element with `on`.
 * Texts come with the page, in the person's language; nothing here speaks.
 */

const SEQUENCE_MS = 1000; // "g" and then nothing: dropped
const OFFLINE_MS = 5000; // shorter gaps are not worth a banner
const LOADING_MS = 300; // faster answers show no bars
const REPEATABLE = new Set(["next", "previous", "slice-next", "slice-previous", "extend-next", "extend-previous"]);

const body = document.body;
const keymap = new Map(Object.entries(JSON.parse(body.dataset.keymap || "{}")));
const singleKeys = body.dataset.singleKeys !== "off";
const acts = new Map();

/** Let a module of one page carry out an act itself; it returns false to leave it to the page. */
export function on(act, carryOut) {
  acts.set(act, carryOut);
}

// --- keys ---------------------------------------------------------------------------------------

/** Whether keys belong to a field now. */
function typing(target) {
  if (!(target instanceof Element)) return false;
  if (target.closest("[contenteditable=''],[contenteditable=true]")) return true;
  if (target.matches("textarea,select")) return true;
  return target.matches("input") && !target.matches("[type=checkbox],[type=radio],[type=button],[type=submit]");
}

/** The name of a stroke as the key map writes it: "j", "Shift+j", "?", "ArrowDown". */
export function strokeOf(event) {
  const { key, shiftKey } = event;
  if (key.length === 1) {
    const letter = key.toLowerCase();
    return shiftKey && letter !== key ? `Shift+${letter}` : key;
  }
  return shiftKey ? `Shift+${key}` : key;
}

let begun = "";
let begunAt = 0;

function actOf(event) {
  const stroke = strokeOf(event);
  const sequence = begun && performance.now() - begunAt < SEQUENCE_MS ? `${begun} ${stroke}` : "";
  begun = "";
  if (sequence && keymap.has(sequence)) return keymap.get(sequence);
  if (keymap.has(stroke)) return keymap.get(stroke);
  if ([...keymap.keys()].some((keys) => keys.startsWith(`${stroke} `))) {
    begun = stroke;
    begunAt = performance.now();
  }
  return "";
}

function within() {
  return document.querySelector("dialog[open]") || document;
}

function shown(element) {
  return element.getClientRects().length > 0 && !element.disabled && element.getAttribute("aria-disabled") !== "true";
}

/** Carry out an act by its name; false if this page knows none such now. */
export function perform(act, event) {
  const dialog = document.querySelector("dialog[open]");
  if (!dialog && acts.has(act) && acts.get(act)(event) !== false) return true;
  const element = [...within().querySelectorAll(`[data-key~="${act}"]`)].find(shown);
  if (!element) return false;
  if (element.matches("input:not([type=checkbox],[type=radio]),textarea")) {
    element.focus();
    element.select?.();
  } else {
    element.click();
  }
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
  if (typing(event.target)) {
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) event.target.blur();
    return;
  }
  if (event.key.length === 1 && !singleKeys) return;
  // Enter and Space belong to what has the focus.
  if ((event.key === "Enter" || event.key === " ") && event.target.closest("a,button,summary,input,[role=button]")) return;
  const act = actOf(event);
  if (!act || (event.repeat && !REPEATABLE.has(act))) return;
  if (perform(act, event)) event.preventDefault();
});

// --- parts of pages -----------------------------------------------------------------------------

const parser = new DOMParser();

/** Ask for a part of a page. A verdict is posted with the token that proves the page is ours. */
export async function fragment(url, { method = "GET", form = null, signal = null } = {}) {
  const headers = { "X-Requested-With": "fragment", Accept: "text/html" };
  if (method !== "GET") headers["X-CSRF-Token"] = document.querySelector("meta[name=csrf]")?.content || "";
  const response = await fetch(url, { method, headers, body: form, signal, credentials: "same-origin", redirect: "follow" });
  reached();
  if (response.status === 401 || new URL(response.url).pathname.startsWith("/sign-in")) {
    ended();
    throw new Error("signed out");
  }
  return { status: response.status, ok: response.ok, page: parser.parseFromString(await response.text(), "text/html"), headers: response.headers };
}

/** Put the parts of an answer where the page has parts of the same id; the others are left. */
export function place(page) {
  for (const part of page.querySelectorAll("[data-part]")) {
    const old = document.getElementById(part.id);
    if (old) old.replaceWith(document.adoptNode(part));
    if (part.matches("dialog[data-open]")) open(part);
    if ("reload" in part.dataset) reload();
  }
  countDown();
  document.dispatchEvent(new CustomEvent("placed"));
}

/** Ask for the parts of this page anew, but for what was placed just now. */
async function reload() {
  try {
    const { page } = await fragment(location.href);
    page.getElementById("toast")?.remove();
    page.getElementById("dialog")?.remove();
    place(page);
  } catch {
    missed();
  }
}

/** Show a dialog; its first field has the focus, and the opener gets it back. */
export function open(dialog) {
  const opener = document.activeElement;
  dialog.addEventListener("close", () => opener?.isConnected && opener.focus?.(), { once: true });
  dialog.showModal();
  const field = dialog.querySelector("[autofocus]") || dialog.querySelector("input:not([type=hidden]),textarea,select");
  (field || dialog.querySelector("button"))?.focus();
}

async function exchange(url, options, waiting) {
  const slow = setTimeout(() => waiting?.classList.add("loading"), LOADING_MS);
  try {
    place((await fragment(url, options)).page);
  } catch (error) {
    if (error.name !== "AbortError") missed();
  } finally {
    clearTimeout(slow);
    waiting?.classList.remove("loading");
  }
}

/** A number for one wish: sent twice, it is still one wish. */
export function newNumber() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-fragment]")) return;
  event.preventDefault();
  const number = form.querySelector("input[name=number]");
  if (number && !number.value) number.value = newNumber();
  const data = new FormData(form, event.submitter);
  if (form.method === "get") {
    const url = new URL(form.action);
    url.search = new URLSearchParams(data);
    exchange(url, {}, form);
  } else {
    exchange(form.action, { method: "POST", form: new URLSearchParams(data) }, form);
  }
  form.closest("dialog")?.close();
});

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-fragment]:not(form),[data-opens],[data-closes]");
  if (!target) return;
  if (target.dataset.opens) {
    const dialog = document.getElementById(target.dataset.opens);
    if (dialog) open(dialog);
  } else if ("closes" in target.dataset) {
    target.closest("dialog")?.close();
  } else {
    event.preventDefault();
    exchange(target.dataset.fragment || target.href, {}, null);
  }
});

// --- connection, session --------------------------------------------------------------------------

let gone = 0;

/** The service did not answer: after a while the page says so, and verdicts are off. */
export function missed() {
  if (!gone) gone = setTimeout(() => body.classList.add("offline"), OFFLINE_MS);
}

export function reached() {
  clearTimeout(gone);
  gone = 0;
  body.classList.remove("offline");
}

function ended() {
  const dialog = document.getElementById("session-ended");
  if (dialog && !dialog.open) open(dialog);
}

addEventListener("offline", missed);
addEventListener("online", reached);

// --- the toast ------------------------------------------------------------------------------------

const SPOKEN_S = 10; // the count-down speaks at the start and here, not every second
let ticking = 0;

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function countDown() {
  clearInterval(ticking);
  const toast = document.querySelector(".toast[data-until]");
  if (!toast) return;
  const until = Number(toast.dataset.until) * 1000;
  const show = () => {
    const left = Math.max(0, Math.round((until - Date.now()) / 1000));
    const place = toast.querySelector("[data-left]");
    if (place) place.textContent = clock(left);
    if (left === SPOKEN_S) say(toast.dataset.soon || "");
    if (left === 0) {
      clearInterval(ticking);
      toast.remove();
    }
  };
  show();
  ticking = setInterval(show, 1000);
}

/** Say something to people who listen to the page. */
export function say(text) {
  const status = document.getElementById("said");
  if (status) status.textContent = text;
}

// --- the sheet of keys, the theme -------------------------------------------------------------------

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-searches]")) return;
  const wanted = event.target.value.toLowerCase();
  for (const line of document.getElementById(event.target.dataset.searches).children) {
    line.hidden = !line.textContent.toLowerCase().includes(wanted);
  }
});

document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-sets-theme]");
  if (!choice) return;
  const html = document.documentElement;
  const isDark = getComputedStyle(html).colorScheme === "dark" || (!html.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  html.dataset.theme = isDark ? "light" : "dark";
  const form = new URLSearchParams({ theme: html.dataset.theme });
  fragment(choice.dataset.setsTheme, { method: "POST", form }).catch(missed);
});

countDown();
