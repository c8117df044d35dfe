// The page: what is written, in which hand, from which font; drawn by a worker, a glyph at a time.

import { kept } from "./fetching.js";
import { LETTERS } from "./files.js";
import { outline } from "./outline.js";
import { isHan, laidOut, made, picture, pngFile, svgFile } from "./sheet.js";
import { machineFonts, openedFont } from "./sources.js";
import { WORDS } from "./words.js";

const find = (id) => document.getElementById(id);
const state = { told: null, fonts: [], font: null, hand: 0, language: "zh-Hans", opened: false, busy: null, trouble: null, keeping: false, offline: false, unasked: null };
const paths = new Map(); // by font, hand and character: an outline, or "" where the font lacks it
const sources = new Map(); // by font and character: ink, has
const letters = new Map(); // by hand: what it has besides Han, {char: [advance_em, path, path in columns]}; null while fetched
let worker;

if (!window.calliganLacks) begin();

async function begin() {
  work();
  const asked = new URLSearchParams(location.hash.slice(1));
  speak(asked.get("lang") ?? (navigator.language.startsWith("zh") ? "zh-Hans" : "en"));
  try {
    state.told = await (await fetch("hands.json")).json();
  } catch {
    return trouble("failed", "hands.json");
  }
  find("mark").setAttribute("d", state.told.hands[0].thumb);
  find("text").value = cut(asked.get("text") ?? WORDS[state.language].example);
  const named = state.told.hands.findIndex((hand) => hand.name === asked.get("hand"));
  state.hand = Math.max(0, named);
  if (asked.get("write") === "down") document.querySelector("[value=down]").checked = true;
  listHands();
  listen();
  await findFonts();
}

function work() {
  worker = new Worker("worker.js", { type: "module" });
  worker.onmessage = ({ data }) => {
    if (data.trouble) return trouble(data.trouble, data.what);
    if (data.opened) state.opened = true;
    if (data.key) arrived(data);
    if (state.told) draw();
  };
  worker.onerror = () => trouble("failed", "worker.js");
}

function arrived({ key, path, drawn_ms }) {
  state.busy = null;
  paths.set(key, path);
  performance.mark("glyph", { detail: { drawn_ms } });
}

async function findFonts() {
  const found = await machineFonts(state.told.sample, state.told.placement);
  const best = found.find((font) => font.writesTraditional()) ?? found.find((font) => font.writesChinese());
  state.font = best?.placed() ?? null;
  state.fonts = state.font ? [state.font] : [];
  listFonts();
  if (!state.font) {
    speak("en"); // Chinese could not be read here
    trouble("noFont");
  }
  draw();
  state.unasked = found; // whether the others write Chinese is asked when nothing is waiting
}

function findOtherFonts() {
  if (!state.unasked) return;
  state.fonts.push(...state.unasked.filter((font) => font.writesChinese() && !state.fonts.includes(font)));
  state.unasked = null;
  listFonts();
}

async function openFile(file) {
  if (!file) return listFonts();
  try {
    const font = await openedFont(file, state.told.sample, state.told.placement);
    state.fonts.push(font);
    state.font = font.placed();
    document.body.style.fontFamily ||= `${getComputedStyle(document.body).fontFamily}, ${font.family}`;
    trouble(null);
  } catch {
    trouble("notFont", file.name);
  }
  listFonts();
  draw();
}

/** Show what there is, and ask for the next glyph that is not. */
function draw() {
  if (!state.font) return;
  const layout = current(), chars = [...new Set(layout.cells.map((cell) => cell.char))];
  const missing = chars.filter((char) => paths.get(keyOf(char)) === undefined);
  if (!missing.every(isHan)) openLetters();
  for (const char of missing.filter((char) => (isHan(char) ? !source(char).has : lettersOf() !== null))) {
    paths.set(keyOf(char), letterPath(char) ?? (source(char).has ? source(char).path : ""));
  }
  const left = missing.filter((char) => paths.get(keyOf(char)) === undefined);
  const next = left.find(isHan);
  if (next && state.opened && !state.busy && !state.trouble) ask(next);
  show(layout, chars, left);
}

function ask(char) {
  state.busy = keyOf(char);
  const style = Float32Array.from(state.told.hands[state.hand].vector);
  worker.postMessage({ key: state.busy, source: source(char).ink, style });
}

function source(char) {
  const key = `${state.font.id}|${char}`;
  if (!sources.has(key)) {
    const has = state.font.has(char), ink = state.font.ink(char);
    sources.set(key, { has, ink, path: has ? outline(ink, state.font.size_px) : "" });
  }
  return sources.get(key);
}

/** Fetch what the hand has besides Han characters, once. */
async function openLetters() {
  const hand = state.told.hands[state.hand].name;
  if (!(hand in LETTERS) || letters.has(hand)) return;
  letters.set(hand, null);
  try {
    letters.set(hand, JSON.parse(new TextDecoder().decode(await kept(LETTERS[hand]))));
  } catch (error) {
    letters.delete(hand);
    return trouble(error.kind ?? "broken", error.what ?? error.message);
  }
  draw();
}

/** What the hand has besides Han characters; null while it is fetched. */
function lettersOf() {
  const hand = state.told.hands[state.hand].name;
  return hand in LETTERS ? letters.get(hand) ?? null : {};
}

function letterPath(char) {
  const [, path, inColumns] = lettersOf()?.[char] ?? [];
  return isDown() ? inColumns ?? path : path;
}

function show(layout, chars, left) {
  const drawn = new Map(chars.map((char) => [char, paths.get(keyOf(char))]).filter(([, path]) => path !== undefined));
  const pale = new Map(left.map((char) => [char, source(char).path]));
  const svg = picture(layout, drawn, pale, find("text").value);
  const shown = find("sheet").firstElementChild;
  const fresh = [...svg.querySelectorAll(".drawn")].filter((_, i) => !shown?.querySelectorAll(".drawn")[i]);
  fresh.forEach((path) => path.classList.add("fresh"));
  find("sheet").replaceChildren(...(chars.length ? [svg] : []));
  const done = chars.length > 0 && !left.length;
  find("svg").disabled = find("png").disabled = !done;
  find("sheet").dataset.done = done;
  say(layout, chars, left);
  if (done) setTimeout(findOtherFonts, 200);
  if (done) keepOffline();
}

function say({ unmarked }, chars, left) {
  const words = WORDS[state.language], lacking = chars.filter((char) => paths.get(keyOf(char)) === "" && !source(char).has);
  const remarks = [];
  if (lacking.length) remarks.push(words.lacking(lacking.join("")));
  if (!chars.length) remarks.push(words.empty);
  if (unmarked) remarks.push(words.unmarked);
  if (isFull()) remarks.push(words.full(find("text").maxLength));
  let told = remarks.join(" ") || (state.offline ? words.offline : words.ready);
  if (left.length) told = state.opened ? words.drawing(left.length) : words.loading;
  find("said").textContent = state.trouble ? "" : told;
}

function current() {
  const text = find("text").value.normalize("NFC");
  const advance = (char) => lettersOf()?.[char]?.[0] ?? state.font.advance_em(char);
  return laidOut(text, isDown(), state.told.placement.size_px, advance);
}

/** A text of an address, cut where the browser cuts what is typed: not within a character. */
function cut(text) {
  return text.slice(0, find("text").maxLength).replace(/[\ud800-\udbff]$/, "");
}

/** Whether no more fits: a character beyond U+FFFF counts twice. */
function isFull() {
  return find("text").value.length >= find("text").maxLength - 1;
}

function isDown() {
  return document.querySelector("[value=down]").checked;
}

function keyOf(char) {
  return `${state.font.id}|${state.hand}|${char}${isDown() && !isHan(char) ? "|down" : ""}`;
}

function trouble(kind, what) {
  state.trouble = kind && kind !== "notFont" ? kind : null;
  const words = kind ? WORDS[state.language][kind] : "";
  find("trouble").textContent = typeof words === "function" ? words(what) : words;
  if (kind === "noFont" || kind === "notFont") {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: WORDS[state.language].file, onclick: () => find("file").click() });
    find("trouble").append(" ", button);
  }
  find("trouble").hidden = !kind;
  if (kind) find("said").textContent = "";
}

// The controls

function listen() {
  find("text").addEventListener("input", changed);
  find("directions").addEventListener("change", changed);
  find("hands").addEventListener("change", ({ target }) => {
    state.hand = Number(target.value);
    changed();
  });
  find("source").addEventListener("change", ({ target }) => {
    if (target.value === "file") return find("file").click();
    state.font = state.fonts[Number(target.value)].placed();
    draw();
  });
  find("file").addEventListener("change", ({ target }) => openFile(target.files[0]).then(() => (target.value = "")));
  find("file").addEventListener("cancel", listFonts);
  find("language").addEventListener("click", () => {
    speak(state.language === "en" ? "zh-Hans" : "en");
    changed();
  });
  find("desk").addEventListener("submit", (event) => event.preventDefault());
  find("svg").addEventListener("click", () => save("svg"));
  find("png").addEventListener("click", () => save("png"));
}

function changed() {
  const asked = { text: find("text").value, hand: state.told.hands[state.hand].name, ...(isDown() && { write: "down" }), lang: state.language };
  history.replaceState(null, "", `#${new URLSearchParams(asked)}`);
  draw();
}

async function save(kind) {
  const layout = current(), drawn = new Map(layout.cells.map(({ char }) => [char, paths.get(keyOf(char))]));
  const hand = state.told.hands[state.hand], text = find("text").value.trim();
  const told = `calligan; ${hand.chinese} (${hand.name}, ${hand.licence}); ${state.font.label || "sans-serif"}`;
  const blob = kind === "svg" ? new Blob([svgFile(layout, drawn, text, told)], { type: "image/svg+xml" }) : await pngFile(layout, drawn);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${text.replace(/[\s\p{P}\p{S}]+/gu, "").slice(0, 12) || "calligan"}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function listHands() {
  const rows = state.told.hands.map((hand, index) => {
    const label = document.createElement("label"), input = document.createElement("input");
    Object.assign(input, { type: "radio", name: "hand", value: index, checked: index === state.hand });
    const thumb = made("svg", { viewBox: "0 0 256 256", "aria-hidden": "true" });
    thumb.append(made("path", { d: hand.thumb }));
    const name = document.createElement("b"), script = document.createElement("small");
    name.dataset.hand = index;
    script.dataset.script = hand.script;
    label.append(input, thumb, name, script);
    label.title = `${hand.chinese} · ${hand.name}`;
    return label;
  });
  find("hands").append(...rows);
  speak(state.language);
}

function listFonts() {
  const words = WORDS[state.language];
  const options = state.fonts.map((font, i) => new Option(font.label || words.system, i, false, font === state.font));
  find("source").replaceChildren(...options, new Option(words.file, "file"));
  if (!state.font) find("source").prepend(new Option("–", "", true, true));
}

function speak(language) {
  state.language = language in WORDS ? language : "en";
  const words = WORDS[state.language];
  document.documentElement.lang = state.language;
  for (const place of document.querySelectorAll("[data-word]")) place.textContent = words[place.dataset.word];
  for (const place of document.querySelectorAll("[data-script]")) place.textContent = words.scripts[place.dataset.script] ?? place.dataset.script;
  for (const place of document.querySelectorAll("[data-hand]")) {
    const { chinese, name } = state.told.hands[place.dataset.hand];
    place.textContent = state.language === "en" ? spelled(name) : chinese;
    place.lang = state.language === "en" ? "en" : /[\u3040-\u30ff]/.test(chinese) ? "ja" : "zh-Hans";
  }
  find("text").placeholder = words.placeholder;
  find("text").setAttribute("aria-label", words.placeholder);
  Object.assign(find("language"), { textContent: words.other, lang: state.language === "en" ? "zh-Hans" : "en" });
  listFonts();
  if (state.trouble) trouble(state.trouble);
}

function spelled(name) {
  return name.split("-").map((part) => part[0].toUpperCase() + part.slice(1)).join(" ");
}

/** Keep the page for visits without a network, once nothing else is waiting. */
async function keepOffline() {
  if (state.keeping || !navigator.serviceWorker) return;
  state.keeping = true;
  try {
    await navigator.serviceWorker.register("offline.js");
    await navigator.serviceWorker.ready;
    state.offline = true;
    document.documentElement.dataset.offline = "true";
  } catch {
    return; // a private window, or no room: the page works as long as there is a network
  }
  draw();
}
