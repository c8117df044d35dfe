// The Write view: the setting, the page drawn from it, and what one does to the page.

import { candidatesTitle, doubtsText, showCandidates } from "./candidates.js";
import { DRAWN, ask, copy, draw, keptValue, look, make, part, t, toast } from "./common.js";
import { handKey, loadHands, onHandChange, openHands, setHand } from "./hand_choice.js";

const form = part("setting");
const pages = part("pages");
const outlines = new Map(); // by name, as the studio names them

const state = { pick: {}, last: null };
const past = []; // settings before, for undo

// ---- the setting: form, address, undo

function setting() {
  const values = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  if (values.paper === "none") {
    delete values.paper;
    values.transparent = "1";
  }
  if (!form.elements.vary.dataset.touched) delete values.vary;
  values.hand = handKey();
  const written = ["text", "title", "sign", "seal"].map((name) => values[name] ?? "").join("");
  const pick = Object.entries(state.pick).filter(([char]) => written.includes(char));
  if (pick.length) values.pick = pick.map(([char, number]) => `${char}=${number}`).join(",");
  return values;
}

function show(values) {
  form.reset();
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements[name];
    if (!field || name === "hand") continue;
    if (field.type === "checkbox") field.checked = value === "1";
    else if (field instanceof RadioNodeList) choose(name, value);
    else field.value = value;
  }
  form.elements.seed.value = values.seed ?? ""; // hidden fields are not reset
  if (values.transparent) choose("paper", "none");
  if (values.vary !== undefined) form.elements.vary.dataset.touched = "1";
  else {
    delete form.elements.vary.dataset.touched;
    form.elements.vary.value = values.format ? 0.6 : 0;
  }
  state.pick = Object.fromEntries(
    [...(values.pick ?? "").matchAll(/(.)=(\d+)/gsu)].map((found) => [found[1], Number(found[2])]),
  );
  form.querySelectorAll("input[type=number]").forEach(markNumber);
  setHand(values.hand ?? "1");
  shape();
}

function choose(name, value) {
  const radios = [...form.elements[name]];
  const found = radios.find((radio) => radio.value === value);
  if (found) found.checked = true;
  else if (/^#[0-9a-f]{6}$/i.test(value)) other(form.querySelector(`[data-colour=${name}]`), value);
}

/** A colour that has no swatch gets one. */
function other(group, value) {
  const input = group.querySelector("input[type=color]");
  input.value = value;
  let radio = group.querySelector("input[data-other]");
  if (!radio) {
    const name = group.dataset.colour;
    radio = make("input", { type: "radio", name, "data-other": true });
    const swatch = make("label", { class: "swatch" }, radio, make("span"));
    group.insertBefore(swatch, input.parentElement);
  }
  radio.value = value;
  radio.setAttribute("aria-label", value);
  radio.nextElementSibling.style.background = value;
  radio.checked = true;
}

/** Shows what belongs to the chosen format, and hides the rest. */
function shape() {
  const chosen = form.elements.format.value;
  for (const section of form.querySelectorAll("[data-for]")) {
    const wanted = section.dataset.for;
    section.hidden = !(wanted === chosen || wanted === (chosen ? "format" : "plain"));
  }
  for (const section of form.querySelectorAll("[data-not]"))
    section.hidden = section.dataset.not.split(" ").includes(chosen);
  for (const section of form.querySelectorAll("[data-when]")) {
    const field = form.elements[section.dataset.when] ?? part(section.dataset.when);
    section.hidden = !field.value;
  }
  for (const range of form.querySelectorAll("output"))
    range.value = `${part(range.getAttribute("for")).value} %`;
}

let kept = "";
let typed_at = 0;
let offer = null; // a toast that takes back the last step: gone once there is another, or none

/** Draws what is set now. Whether that is a step of its own, which undo takes back. */
function changed(remember = true) {
  shape();
  const was = kept && JSON.parse(kept);
  if (was && was.hand !== handKey()) state.pick = {}; // candidates are a hand's own
  const values = setting();
  const now = JSON.stringify(values);
  if (now === kept) return false;
  const typing = was && was.text !== values.text && JSON.stringify({ ...was, text: values.text, pick: values.pick }) === now;
  const goes_on = typing && Date.now() - typed_at < 1500; // one step for what is typed in one go
  typed_at = typing ? Date.now() : 0;
  const step = Boolean(remember && kept && !goes_on);
  if (step) past.push(kept);
  if (past.length > 200) past.shift();
  offer?.remove();
  kept = now;
  part("undo").disabled = !past.length;
  want();
  return step;
}

part("undo").addEventListener("click", undo);
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("textarea, input[type=text], input[type=number]");
  if ((event.ctrlKey || event.metaKey) && event.key === "z" && !event.shiftKey && !typing) {
    event.preventDefault();
    undo();
  }
});

// The steps go on in the same tab when the page is loaded anew, as by the button of the language.
const KEPT_STEPS = "calligan-steps";
const address = () => new URLSearchParams(location.search || (keptValue("page") ?? "")).toString();

function keepSteps() {
  try {
    sessionStorage.setItem(KEPT_STEPS, JSON.stringify({ address: address(), past }));
  } catch {
    sessionStorage.removeItem(KEPT_STEPS); // they are too long
  }
}

function restoreSteps() {
  const before = JSON.parse(sessionStorage.getItem(KEPT_STEPS) ?? "{}");
  if (before.address === address()) past.push(...before.past);
  part("undo").disabled = !past.length;
}
window.addEventListener("pagehide", keepSteps);

function undo() {
  if (!past.length) return;
  offer?.remove();
  kept = past.pop();
  typed_at = 0;
  show(JSON.parse(kept));
  part("undo").disabled = !past.length;
  want();
}

form.addEventListener("input", (event) => {
  if (event.isComposing || event.target.id === "sample") return;
  if (event.target.name === "vary") event.target.dataset.touched = "1";
  if (event.target.type === "color") other(event.target.closest("[data-colour]"), event.target.value);
  if (event.target.name === "format" && !form.elements.vary.dataset.touched)
    form.elements.vary.value = event.target.value ? 0.6 : 0;
  changed();
});
form.addEventListener("compositionend", () => setTimeout(changed));
form.addEventListener("submit", (event) => event.preventDefault());
part("sample").addEventListener("change", async (event) => {
  if (!event.target.value) return;
  const answer = await ask(`/api/text/${event.target.value}`);
  form.elements.text.value = answer.text;
  event.target.value = "";
  changed();
});
part("reseed").addEventListener("click", () => {
  form.elements.seed.value = (Number(form.elements.seed.value || 0) + 1) % 10000;
  if (Number(form.elements.vary.value) === 0) form.elements.vary.value = 0.6;
  form.elements.vary.dataset.touched = "1";
  changed();
});

// ---- the page: one request at a time, the newest setting next

let busy = false;
let again = false;
let version = 0;
const waiting = part("waiting");

// How many characters are still to be drawn: shown at every step, but spoken seldom.
const SPEAK_MS = 15_000;
const count = make("p", { id: "to-come" });
const spoken = make("p", { id: "to-come-spoken", class: "visually-hidden", "aria-live": "polite" });
part("said").before(make("div", { class: "said", "aria-hidden": "true" }, count), spoken);
let spoken_at = 0;

function showToCome(pending) {
  const left = new Set(pending).size;
  count.hidden = !left;
  count.textContent = left ? t("to_come").replace("{}", left) : "";
  const now = Date.now();
  if (left && spoken.textContent && now - spoken_at < SPEAK_MS) return;
  spoken_at = now;
  spoken.textContent = count.textContent;
}

function want() {
  version += 1;
  again = true;
  if (!busy) pump();
}

async function pump() {
  busy = true;
  const slow = setTimeout(() => (waiting.hidden = false), 500);
  while (again) {
    again = false;
    const requested = setting();
    const at = version;
    if (!(requested.text ?? "").trim()) {
      empty();
      continue;
    }
    try {
      const answer = await ask("/api/page", { setting: requested, have: [...outlines.keys()].slice(-800) });
      for (const [name, d] of Object.entries(answer.outlines)) outlines.set(name, d);
      if (at === version) {
        state.last = answer;
        render(answer);
        if (answer.pending) again = true;
      }
    } catch (error) {
      if (at === version) failed(error.message);
      look(); // which finds out whether the studio is there, and tells when it is back
    }
    clearTimeout(slow);
    waiting.hidden = true;
  }
  clearTimeout(slow);
  waiting.hidden = true;
  busy = false;
}

document.addEventListener("back", want);

function empty() {
  state.last = null;
  showToCome("");
  history.replaceState(null, "", "/write");
  pages.classList.remove("stale");
  pages.replaceChildren(make("p", { class: "empty", text: t("text_empty") }));
  say();
  links("");
}

function failed(message) {
  state.last = null; // nothing can be saved
  showToCome("");
  links("");
  pages.classList.add("stale"); // the page before stays while one types, but is not the result
  say(make("p", { class: "trouble", text: message }));
}

function render(answer) {
  const focused = pages.querySelector(".glyph.here")?.dataset.number;
  const parts = answer.pages.map((page) => sheet(page, answer));
  pages.replaceChildren(...parts);
  pages.classList.remove("stale");
  const glyphs = [...pages.querySelectorAll(".glyph")];
  glyphs.forEach((one, number) => (one.dataset.number = number));
  if (focused !== undefined) glyphs[focused]?.classList.add("here");
  history.replaceState(null, "", `/write?${answer.query}`);
  localStorage.setItem("calligan-page", answer.query);
  part("command").textContent = answer.command;
  links(answer.query);
  showToCome(answer.pending);
  showNotes(answer);
}

const EM = { x: 0, y: -120, width: 1000, height: 1000 };

function sheet(page, answer) {
  const { width_mm: width, height_mm: height } = page;
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, class: "sheet-of-paper" });
  svg.style.setProperty("--ratio", width / height);
  svg.style.setProperty("--natural", `${width}mm`);
  if (!page.paper) svg.classList.add("clear");
  else svg.append(draw("rect", { width, height, fill: page.paper }));
  const pending = new Set(answer.pending);
  for (const [name, matrix, fill, char] of page.marks) {
    used(name);
    const path = draw("path", { d: outlines.get(name), fill });
    if (char && DRAWN.test(char) && !answer.missing.includes(char)) {
      const doubt = answer.doubtful[char];
      const kind = doubt ? "glyph doubtful" : char in state.pick ? "glyph picked" : "glyph";
      const group = draw("g", { class: kind, "data-char": char, transform: `matrix(${matrix})` });
      if (doubt) group.append(draw("title", { text: doubtsText(doubt.faults, doubt.strokes) }));
      group.append(draw("rect", { ...EM, class: "em" }), path);
      svg.append(group);
    } else {
      path.setAttribute("transform", `matrix(${matrix})`);
      svg.append(path);
    }
  }
  svg.dataset.pending = pending.size;
  return svg;
}

/** Outlines used last come last: those are answer to the studio as known. */
function used(name) {
  const d = outlines.get(name);
  outlines.delete(name);
  outlines.set(name, d);
}

const FEW = 12; // doubtful characters that are named below the page at first
let shows_all = false;
let noted = "";

/** What is to be said of the page. It is left alone while it stays the same: changes are spoken. */
function showNotes(answer) {
  const { doubtful, notes, missing, borrowed } = answer;
  const now = JSON.stringify([doubtful, notes, missing, borrowed, sealAlone(answer), shows_all]);
  if (now === noted) return;
  noted = now;
  const lines = notes.map((text) => make("p", { text }));
  const inSeal = sealAlone(answer);
  const marked = Object.keys(doubtful).filter((char) => !inSeal.includes(char));
  if (inSeal.length) lines.unshift(doubtfulLine(answer, inSeal, "doubtful_seal"));
  if (marked.length) lines.unshift(doubtfulLine(answer, marked, "doubtful_one"));
  if (missing) lines.push(make("p", {}, t("missing") + " ", make("b", { lang: "zh-Hans", text: [...missing].join(" ") })));
  if (borrowed) lines.push(borrowedLine([...borrowed]));
  part("said").replaceChildren(...lines);
}

/** The doubtful characters that are in the seal alone: it is one figure, in which nothing is marked. */
function sealAlone({ doubtful, pages: drawn }) {
  const seal = form.elements.format.value ? form.elements.seal.value : "";
  const marked = new Set(drawn.flatMap((page) => page.marks.map(([, , , char]) => char)));
  return Object.keys(doubtful).filter((char) => seal.includes(char) && !marked.has(char));
}

/** What is not in the hand but as the source font has it, the first of it if that is much. */
function borrowedLine(chars) {
  const named = chars.slice(0, FEW).join(" ") + (chars.length > FEW ? " …" : "");
  const [before, after] = t("borrowed").split("{}");
  return make("p", { class: "hint" }, before, make("span", { lang: "zh-Hans", text: named }), after);
}

/** Doubtful characters, the first of them if there are many; each opens its forms. */
function doubtfulLine(answer, names, said) {
  const chars = names.map((char) => [char, answer.doubtful[char]]);
  const shown = shows_all || chars.length <= FEW + 1 ? chars : chars.slice(0, FEW);
  const buttons = shown.map(([char, { faults, strokes }]) =>
    make("button", { type: "button", class: "char", lang: "zh-Hans", text: char, title: doubtsText(faults, strokes), onclick: () => candidates(char) }));
  const rest = chars.length - shown.length;
  const showAll = () => {
    shows_all = true;
    showNotes(answer);
    part("said").querySelectorAll(".char")[FEW].focus();
  };
  if (rest) buttons.push(make("button", { type: "button", class: "more-chars", text: t("doubtful_more").replace("{}", rest), onclick: showAll }));
  const [before, after] = t(said).split("{}");
  return make("p", {}, before, ...buttons, after);
}

/** One line in place of the notes, or none. */
function say(...lines) {
  noted = "";
  part("said").replaceChildren(...lines);
}

function links(query) {
  const look = new URLSearchParams(query);
  look.set("dpi", part("dpi").value || 96);
  if (part("grain").checked) look.set("grain", "1");
  look.set("dry", part("dry").value);
  for (const link of document.querySelectorAll("[data-kind]")) {
    if (query) link.href = `/write.${link.dataset.kind}?${look}`;
    else link.removeAttribute("href");
  }
  part("download").setAttribute("aria-disabled", String(!query));
}
part("download").addEventListener("click", (event) => {
  if (event.currentTarget.getAttribute("aria-disabled") === "true") event.preventDefault();
});
for (const name of ["dpi", "grain", "dry"])
  part(name).addEventListener("input", () => links(state.last?.query ?? ""));

/** Marks a number that the studio refuses; other steps than the arrows make are taken. */
function markNumber(field) {
  const { badInput, rangeUnderflow, rangeOverflow } = field.validity;
  const wrong = badInput || rangeUnderflow || rangeOverflow;
  field.setAttribute("aria-invalid", String(wrong));
  if (field.id === "dpi") part("dpi-range").hidden = !wrong;
}
document.addEventListener("input", ({ target }) => target.type === "number" && markNumber(target));
document.querySelector("[data-copy=command]").addEventListener("click", () =>
  copy(part("command").textContent),
);
part("copy-link").addEventListener("click", () => copy(location.href));

// ---- glyphs: by mouse, by touch, by keys

pages.addEventListener("click", (event) => {
  const one = event.target.closest(".glyph");
  if (one) candidates(one.dataset.char);
});
pages.addEventListener("keydown", (event) => {
  const glyphs = [...pages.querySelectorAll(".glyph")];
  if (!glyphs.length || pages.classList.contains("stale")) return;
  const at = glyphs.findIndex((one) => one.classList.contains("here"));
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    const next = at < 0 ? 0 : (at + step + glyphs.length) % glyphs.length;
    glyphs[at]?.classList.remove("here");
    glyphs[next].classList.add("here");
  } else if (event.key === "Enter" && at >= 0) {
    event.preventDefault(); // or it would press the dialog's first button
    candidates(glyphs[at].dataset.char);
  }
});
pages.addEventListener("blur", () => pages.querySelector(".here")?.classList.remove("here"));

const dialog = part("candidates");

async function candidates(char) {
  const first = part("first-choice");
  first.hidden = !(char in state.pick);
  first.onclick = () => take(char, undefined);
  part("candidates-title").textContent = candidatesTitle(char);
  dialog.showModal();
  const place = part("ways");
  await showCandidates(place, setting().hand, char, state.pick[char] ?? 1, (number) => take(char, number));
}

function take(char, number) {
  const before = state.pick;
  state.pick = { ...before, [char]: number };
  if (number === undefined) delete state.pick[char];
  dialog.close();
  const step = changed();
  pages.focus();
  if (number === undefined) return;
  offer = toast(char + t("colon") + t("taken"), step ? { name: t("undo"), run: undo } : undefined);
}

// ---- hands

part("hand").addEventListener("click", () => openHands(form.elements.text.value));
onHandChange(() => changed());
loadHands().then(() => {
  const before = handKey();
  setHand(part("mix-second").value ? before : initial.hand ?? before);
  changed(false);
}, (error) => failed(error.message));

// ---- begin

for (const swatch of document.querySelectorAll(".swatch input[type=radio]"))
  if (swatch.value.startsWith("#")) swatch.nextElementSibling.style.background = swatch.value;

// An address without a text, as in the menu, goes on with the page that was last written here.
const given = Object.fromEntries(new URLSearchParams(location.search));
const latest = Object.fromEntries(new URLSearchParams(keptValue("page") ?? ""));
if (given.hand) delete latest.pick; // candidates are a hand's own
const initial = given.text === undefined ? { text: t("text_start"), ...latest, ...given } : given;
restoreSteps();
if (given.text === undefined && latest.text) // at once, though the page is still to come
  history.replaceState(null, "", `/write?${new URLSearchParams(initial)}`);
show(initial);
changed(false);
