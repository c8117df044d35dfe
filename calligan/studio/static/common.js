// What every view shares: words, requests, toasts, language and look.

const words = JSON.parse(document.getElementById("words").textContent);

export const t = (key) => words[key] ?? key;

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
    throw new Error(t("unreachable"));
  }
  const told = answer.headers.get("content-type")?.startsWith("application/json")
    ? await answer.json()
    : { error: await answer.text() };
  if (!answer.ok) throw new Error(inWords(told.error || t("failed")));
  return told;
}

// What the library says most often to people who write; everything else is shown as it says it.
const SENTENCES = [
  [/characters are too many for/, "says_too_many"],
  [/more lines than the format/, "says_too_many_lines"],
  [/is no picture of/, "says_no_picture"],
  [/megapixels/, "says_megapixels"],
  [/is no name:/, "says_no_name"],
  [/there is a font called/, "says_font_there"],
  [/is no TTF or OTF/, "says_no_font"],
  [/should be ASCII/, "says_ascii"],
  [/may reserve; choose another/, "says_reserved"],
  [/no character of the charset is missing/, "says_nothing_missing"],
  [/no cell is written on/, "says_no_ink"],
  [/^only [\d,]+ steps in that time/, "says_few_steps"],
  [/is CID-keyed/, "says_cid"],
  [/is variable;/, "says_variable"],
  [/forbids changes/, "says_forbidden"],
];

export function inWords(message) {
  const found = SENTENCES.find(([pattern]) => pattern.test(message));
  return found ? t(found[1]) : message;
}

/** A line that goes by itself; with an action it stays longer. */
export function toast(text, action) {
  const line = make("div", { class: "toast" }, make("span", { text }));
  if (action) {
    const done = () => {
      line.remove();
      action.run();
    };
    line.append(make("button", { type: "button", class: "quiet", text: action.name, onclick: done }));
  }
  document.getElementById("toasts").append(line);
  setTimeout(() => line.remove(), action ? 12000 : 5000);
}

/** An outline in an em of 1000 units as a picture of its own. */
export function glyph(d, label) {
  const picture = draw("svg", { viewBox: "0 0 1000 1000", class: "glyph-picture" });
  if (label) picture.append(draw("title", { text: label }));
  else picture.setAttribute("aria-hidden", "true");
  picture.append(draw("path", { d, transform: "matrix(1 0 0 -1 0 880)" }));
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
// A click on the backdrop closes a dialog.
for (const dialog of document.querySelectorAll("dialog"))
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

// ---- long work: seen on every page

export const time = (seconds) => {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} ${t("seconds")}`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} ${t("minutes_short")}`;
  return `${(seconds / 3600).toFixed(1)} ${t("hours")}`;
};

export const isOpen = (job) => job.state === "running" || job.state === "waiting";

// Of what the library notes about work that ended well.
const WORTH_KNOWING = /^(only |labelled right|left out|not learned from|not in the source)/;

/** A piece of work: what it is, how far it is, and what can be done about it. */
export function jobLine(job) {
  const line = make("div", { class: `job ${job.state}` });
  line.append(make("div", { class: "row" },
    make("b", {}, `${t(`work_${job.kind}`)} · ${job.subject}`),
    make("span", { class: "hint", text: job.cancel && job.state === "running" ? t("stopping") : t(`state_${job.state}`) })));
  if (job.resumed && isOpen(job)) line.append(make("p", { class: "hint", text: t("was_interrupted") }));
  if (job.state === "running") {
    const share = job.total ? job.done / job.total : 0;
    line.append(make("progress", { max: 1, value: job.total ? share : undefined, "aria-label": t(`work_${job.kind}`) }));
    const doing = t(`doing_${job.what}`).replace(/^doing_/, "");
    const left = job.left_s === null ? "" : ` · ${time(job.left_s)} ${t("left")}`;
    if (job.total) line.append(make("p", { class: "hint", text: `${doing} · ${Math.floor(100 * share)} %${left}` }));
  }
  const said = job.state === "finished" ? job.message.split("\n").filter((line) => WORTH_KNOWING.test(line)) : [job.message];
  if (!isOpen(job))
    for (const sentence of said.filter(Boolean))
      line.append(make("p", { class: job.state === "failed" ? "trouble" : "hint", text: inWords(sentence) }));
  const act = async (what) => {
    try {
      await ask(`/api/work/${job.id}/${what}`, {});
    } catch (error) {
      toast(error.message);
    }
    look();
  };
  if (isOpen(job) && !job.cancel)
    line.append(make("button", { type: "button", class: "quiet", text: t("cancel"), onclick: () => act("cancel") }));
  if (job.state === "failed" || job.state === "cancelled")
    line.append(make("button", { type: "button", class: "quiet", text: t(job.state === "failed" ? "again" : "go_on"), onclick: () => act("retry") }));
  return line;
}

let timer = 0;
let before = "";

/** Asks how far the work is; polls every second while a job is open. */
export async function look() {
  clearTimeout(timer);
  let open = [];
  try {
    const { jobs } = await ask("/api/work");
    open = jobs.filter(isOpen);
    const now = JSON.stringify(jobs);
    if (now !== before) showWork(jobs, open);
    before = now;
    document.dispatchEvent(new CustomEvent("work", { detail: jobs }));
  } catch {
    // the page's own requests say that the studio does not answer
  }
  timer = setTimeout(look, open.length ? 1000 : 15000);
}

function showWork(jobs, open) {
  const badge = document.getElementById("work-badge");
  badge.hidden = !open.length;
  const running = open.find((job) => job.state === "running" && job.total);
  badge.textContent = running ? `${Math.floor((100 * running.done) / running.total)} %` : open.length;
  const shown = jobs.slice(0, Math.max(8, open.length));
  if (shown.length) document.getElementById("work-list").replaceChildren(...shown.map(jobLine));
}
document.getElementById("work").addEventListener("toggle", look);
document.addEventListener("visibilitychange", () => document.hidden || look());
look();
