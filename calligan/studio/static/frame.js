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
  if (!answer.ok) throw new Error(told.error || t("failed"));
  return told;
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
