// What all views share: texts, requests, uploads, toasts, jobs, language and theme.

const words = JSON.parse(document.getElementById("words").textContent);

export const t = (key) => words[key] ?? key;
/** A character that models draw: `is_drawn` in Python. */
export const DRAWN = /[\u3005-\u3007\u3041-\u3096\u309d\u309e\u30a1-\u30fa\u30fc-\u30fe\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}]/u;
export const part = (id) => document.getElementById(id);

/** An element: `make("p", {class: "hint", text: "…", onclick: f}, child, …)`. */
export function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, options, children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function draw(tag, options = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  fill(element, options, children);
  return element;
}

function fill(element, options, children) {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
}

const AWAY = "away"; // why a request failed: the studio is not there

/** A request to the studio; throws an Error whose message can be shown. */
export async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", body };
  if (body !== undefined && !(body instanceof FormData)) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error(t("unreachable"), { cause: AWAY });
  }
  const data = answer.headers.get("content-type")?.startsWith("application/json")
    ? await answer.json()
    : { error: await answer.text() };
  if (!answer.ok) throw new Error(data.error || t("failed"));
  return data;
}

/** Sends a request whose failure is only shown; true if it succeeded. */
export async function tryAsk(path, body) {
  try {
    await ask(path, body);
    return true;
  } catch (error) {
    toast(error.message);
    return false;
  }
}

/** Adds a job, and shows it. */
export async function startJob(path, options) {
  await tryAsk(path, options);
  look();
}

/** The name of a file that is sent as an attachment. */
function attachedName(answer, fallback) {
  const given = answer.headers.get("content-disposition") ?? "";
  const coded = given.match(/filename\*=utf-8''([^;]+)/i)?.[1];
  return coded ? decodeURIComponent(coded) : given.match(/filename="([^"]+)"/)?.[1] ?? fallback;
}

/** What the studio says in refusing a file: as JSON, or as a page whose first paragraph is the message. */
async function refusal(answer) {
  const text = await answer.text();
  if (answer.headers.get("content-type")?.startsWith("application/json")) return JSON.parse(text).error;
  const page = new DOMParser().parseFromString(text, "text/html");
  return page.querySelector("main h1 + p:not(:has(a))")?.textContent;
}

/** Fetches a file and saves it. Until it has come, the button is busy and takes no clicks. */
async function save(button, address) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  const waiting = part("toasts").appendChild(make("p", { class: "visually-hidden", text: t("file_coming") }));
  try {
    const answer = await fetch(address).catch(() => Promise.reject(new Error(t("unreachable"))));
    if (!answer.ok) throw new Error((await refusal(answer).catch(() => "")) || t("failed"));
    const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: attachedName(answer, "calligan") });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    toast(error.message);
  }
  waiting.remove();
  button.removeAttribute("aria-busy");
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[download]");
  if (!link?.getAttribute("href")) return;
  event.preventDefault();
  save(link, link.href);
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("download" in form.dataset)) return;
  event.preventDefault();
  save(event.submitter ?? form.querySelector("button"), `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`);
});

/** Passes on the files that are dropped on a zone or chosen with its button. */
export function acceptFiles(zone, input, receive) {
  for (const kind of ["dragenter", "dragover"])
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    receive([...event.dataTransfer.files]);
  });
  const receiveChosen = () => {
    receive([...input.files]);
    input.value = "";
  };
  input.addEventListener("change", receiveChosen);
  if (input.files.length) receiveChosen(); // chosen before this script was loaded
}

/** What was filled in under a name the last time, in this browser; null if nothing was. */
export const keptValue = (name) => localStorage.getItem(`calligan-${name}`);

/** Keeps what is filled in for the next time that the page is opened, as it is typed. */
export function keepValue(field, name) {
  const [kept, given] = [keptValue(name), field.value];
  if (kept !== null) field.value = kept;
  if (!field.value) field.value = given; // it is not an option any more
  field.addEventListener("input", () => localStorage.setItem(`calligan-${name}`, field.value));
}

/** The hands or fonts that were removed, in a list, can be brought back. */
export function offerRemoved() {
  for (const button of document.querySelectorAll("[data-token]"))
    button.addEventListener("click", async () => {
      if (await tryAsk("/api/restore", { token: button.dataset.token })) location.reload();
    });
}

/** A name that is refused is refused in the page's own words, which the field has as its title. */
document.addEventListener("input", ({ target }) => {
  if (!target.pattern || !target.title) return;
  target.setCustomValidity(target.validity.patternMismatch ? target.title : "");
});

/** The form that names a new hand or font opens its page. */
export function openByName(form, view) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.href = `/${view}/${encodeURIComponent(form.elements.name.value)}?new=1`;
  });
}

/** What a hand is beside its name: its script, and why it does not write well yet. */
export const handTraits = (hand) => [hand.script && t(`script_${hand.script}`).replace("script_", ""), hand.doubt && t(hand.doubt)];

/** A hand's names: in Chinese or Japanese, if it has one, and in Latin letters. */
export const handNames = (hand) => [...new Set([hand.chinese, hand.name])].filter(Boolean).join(" · ");

/** A hand's names and traits. */
export const handLabel = (hand) => [handNames(hand), ...handTraits(hand)].filter(Boolean).join(" · ");

/** Glyphs of a hand as pictures; none if they cannot be drawn. */
export async function showSpecimen(place, hand, text, labelled = false) {
  try {
    const { glyphs } = await ask(`/api/specimen?${new URLSearchParams({ hand, text })}`);
    place.replaceChildren(...glyphs.map((one) => glyph(one.d, labelled ? one.char : "")));
  } catch {
    place.replaceChildren();
  }
}

/** A share in percent: to one digit after the point, small ones to two digits. */
export const percent = (share) => `${share < 0.01 ? Number((100 * share).toPrecision(2)) : (100 * share).toFixed(1)} %`;

/** A message that disappears by itself, or when the next one comes; with an action it stays longer.
 * The element is returned, so that it can be removed once its action makes no sense any more. */
export function toast(text, action, place = null) {
  const line = make("div", { class: "toast" }, make("span", { text }));
  if (action) {
    const done = () => {
      line.remove();
      action.run();
    };
    line.append(make("button", { type: "button", class: "quiet", text: action.name, onclick: done }));
  }
  const toasts = document.getElementById("toasts");
  (place ?? document.body).append(toasts); // a dialog covers what is outside of it
  toasts.querySelector(".toast")?.remove();
  toasts.append(line);
  setTimeout(() => line.remove(), action ? 12000 : 5000);
  return line;
}

/** An outline in an em of 1000 units as a picture of its own, its advance in the middle; scaled about its body's centre,
 * or moved to the right by `shift`. */
export function glyph(d, label, width = 1000, [x, y] = [1, 1], shift = 500 * (1 - x)) {
  const picture = draw("svg", { viewBox: `${(width - 1000) / 2} 0 1000 1000`, class: "glyph-picture" });
  if (label) picture.append(draw("title", { text: label }));
  else picture.setAttribute("aria-hidden", "true");
  picture.append(draw("path", { d, transform: `matrix(${x} 0 0 ${-y} ${shift.toFixed(1)} ${(500 + 380 * y).toFixed(1)})` }));
  return picture;
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("copied"));
  } catch {
    toast(t("copy_failed"));
  }
}

function remember(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=strict`;
}

document.getElementById("language").addEventListener("click", (event) => {
  remember("language", event.currentTarget.dataset.to);
  location.reload();
});

document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = root.dataset.theme === "auto" ? (dark ? "dark" : "light") : root.dataset.theme;
  root.dataset.theme = now === "dark" ? "light" : "dark";
  remember("theme", root.dataset.theme);
});

/** Whether 一 is drawn as a low stroke, and not as the tall box of a missing glyph. */
function hasChineseFont() {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `40px ${getComputedStyle(document.body).fontFamily}`;
  const seen = pen.measureText("一");
  return seen.actualBoundingBoxAscent + seen.actualBoundingBoxDescent < 20;
}

/** Where the browser has no Chinese font, that of the studio is used, or a notice is shown. */
async function provideChineseFont() {
  if (hasChineseFont()) return;
  const root = document.documentElement;
  if ("uiFont" in root.dataset) {
    const face = new FontFace("calligan-ui", 'url("/ui-font")');
    await face.load().then((loaded) => document.fonts.add(loaded)).catch(() => {});
    root.classList.add("ui-font");
  }
  part("no-font").hidden = hasChineseFont();
}
provideChineseFont();

// Menus close when one clicks elsewhere or presses Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.drop[open]"))
    if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details.drop[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
/** A click on the backdrop closes a dialog. */
const closeByBackdrop = (dialog) => dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
for (const dialog of document.querySelectorAll("dialog")) closeByBackdrop(dialog);

/** Shows a dialog that is gone once it is closed; the value that it was closed with. */
export function showDialog(dialog) {
  closeByBackdrop(dialog);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    }),
  );
}

/** Asks before something is done that cannot be undone; `yes` names it. */
export async function agreed(question, yes) {
  const text = make("p", { id: "question", text: question });
  const cancel = make("button", { class: "button", value: "", text: t("cancel"), autofocus: true });
  const buttons = make("div", { class: "row" }, cancel, make("button", { class: "button strong", value: "yes", text: yes }));
  const dialog = make("dialog", { class: "small", "aria-labelledby": "question" }, make("form", { method: "dialog", class: "rows" }, text, buttons));
  return (await showDialog(dialog)) === "yes";
}

// ---- jobs: shown on every page

export const time = (seconds) => {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} ${t("seconds")}`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} ${t("minutes_short")}`;
  return `${(seconds / 3600).toFixed(1)} ${t("hours")}`;
};

export const isOpen = (job) => job.state === "running" || job.state === "waiting";

const shownLeft = new Map(); // by a job's kind and subject, in seconds

/** The time left, which grows only where the estimate was far off: small changes would make it jump. */
function steadyLeft({ kind, subject, left_s }) {
  const job = `${kind} ${subject}`;
  const before = shownLeft.get(job);
  if (before === undefined || left_s < before || left_s > 1.3 * before + 20) shownLeft.set(job, left_s);
  return shownLeft.get(job);
}

/** An estimate in whole minutes; from ten on, of five. */
function timeLeft(job) {
  if (job.left_s === null) return "";
  const minutes = steadyLeft(job) / 60;
  if (minutes < 1) return t("left_soon");
  const rounded = minutes < 10 ? Math.round(minutes) : 5 * Math.round(minutes / 5);
  return t("left").replace("{}", rounded < 90 ? `${rounded} ${t("minutes_short")}` : time(60 * rounded));
}

/** A job: its kind, its progress, and buttons to cancel or retry it. */
export function jobLine(job) {
  const line = make("div", { class: `job ${job.state}` });
  line.append(make("div", { class: "row" },
    make("b", {}, `${t(`work_${job.kind}`)} · ${job.subject}`),
    make("span", { class: "hint", text: job.cancel && job.state === "running" ? t("stopping") : t(`state_${job.state}`) })));
  if (job.resumed && isOpen(job)) line.append(make("p", { class: "hint", text: t("was_interrupted") }));
  if (job.state === "running") {
    const share = Math.min(1, job.total ? job.done / job.total : 0);
    const counted = job.total > 1 && job.what !== "trying hands"; // all of that is a small part of learning
    line.append(make("progress", { max: 1, value: counted ? share : undefined, "aria-label": t(`work_${job.kind}`) }));
    const doing = job.what ? t(`doing_${job.what}`).replace(/^doing_/, "") : t("preparing");
    const said = [doing, counted && `${Math.floor(100 * share)} %`, timeLeft(job)];
    line.append(make("p", { class: "hint", text: said.filter(Boolean).join(" · ") }));
  }
  const other = job.waits_for;
  if (other) {
    const more = other.more ? t("waits_more").replace("{}", other.more) : "";
    const name = `${t(`work_${other.kind}`)} · ${other.subject}`;
    line.append(make("p", { class: "hint", text: [t("waits_for").replace("{}", name) + more, timeLeft(other)].filter(Boolean).join(" · ") }));
  }
  if (!isOpen(job))
    for (const sentence of job.message.split("\n").filter(Boolean))
      line.append(make("p", { class: job.state === "failed" ? "trouble" : "hint", text: sentence }));
  const act = (what) => startJob(`/api/work/${job.id}/${what}`, {});
  if (isOpen(job) && !job.cancel)
    line.append(make("button", { type: "button", class: "quiet", text: t("cancel"), onclick: () => act("cancel") }));
  if (job.state === "failed" || job.state === "cancelled")
    line.append(make("button", { type: "button", class: "quiet", text: t(job.state === "failed" ? "again" : "go_on"), onclick: () => act("retry") }));
  return line;
}

let timer = 0;
let before = "";
let missed = 0; // requests of this kind in a row that found no studio

/** Says that the studio does not answer, until it does again: then pages ask anew what they lack. */
function noteAnswer(answered) {
  if (answered && missed) document.dispatchEvent(new Event("back"));
  missed = answered ? 0 : missed + 1;
  const away = missed > 1; // a single one may be that of a page that is being left
  if (part("away").hidden === !away) return;
  part("away").hidden = !away;
  part("away").textContent = away ? t("unreachable") : "";
}

/** Requests the state of all jobs; polls every second while a job is open. */
export async function look() {
  clearTimeout(timer);
  let open = [];
  try {
    const { jobs } = await ask("/api/work");
    noteAnswer(true);
    open = jobs.filter(isOpen);
    const now = JSON.stringify(jobs);
    if (now !== before) showWork(jobs, open);
    before = now;
    document.dispatchEvent(new CustomEvent("work", { detail: jobs }));
  } catch (error) {
    noteAnswer(error.cause !== AWAY);
  }
  timer = setTimeout(look, open.length || missed ? 1000 : 15000);
}

function showWork(jobs, open) {
  const badge = document.getElementById("work-badge");
  badge.hidden = !open.length;
  badge.textContent = open.length;
  const shown = jobs.slice(0, Math.max(8, open.length));
  if (shown.length) document.getElementById("work-list").replaceChildren(...shown.map(jobLine));
}
document.getElementById("work").addEventListener("toggle", look);
document.addEventListener("visibilitychange", () => document.hidden || look());
look();
