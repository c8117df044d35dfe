// The Write view: the setting, the page drawn from it, and what one does to the page.

import { ask, copy, draw, glyph, make, t, toast } from "./common.js";
import { showWays, waysOf } from "./candidates.js";

const form = document.getElementById("setting");
const pages = document.getElementById("pages");
const outlines = new Map(); // by name, as the studio names them
const HAN = /\p{Script=Han}/u;

const state = { hand: "1", pick: {}, hands: [], last: null };
const past = []; // settings before, for undo

// ---- the setting: form, address, undo

function setting() {
  const told = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  if (told.paper === "none") {
    delete told.paper;
    told.transparent = "1";
  }
  if (!form.elements.vary.dataset.touched) delete told.vary;
  told.hand = mixed();
  const pick = Object.entries(state.pick).filter(([char]) => (told.text ?? "").includes(char));
  if (pick.length) told.pick = pick.map(([char, number]) => `${char}=${number}`).join(",");
  return told;
}

function show(told) {
  form.reset();
  for (const [name, value] of Object.entries(told)) {
    const field = form.elements[name];
    if (!field || name === "hand") continue;
    if (field.type === "checkbox") field.checked = value === "1";
    else if (field instanceof RadioNodeList) choose(name, value);
    else field.value = value;
  }
  form.elements.seed.value = told.seed ?? ""; // hidden fields are not reset
  if (told.transparent) choose("paper", "none");
  if (told.vary !== undefined) form.elements.vary.dataset.touched = "1";
  else {
    delete form.elements.vary.dataset.touched;
    form.elements.vary.value = told.format ? 0.6 : 0;
  }
  state.pick = Object.fromEntries(
    [...(told.pick ?? "").matchAll(/(.)=(\d+)/gsu)].map((found) => [found[1], Number(found[2])]),
  );
  unmix(told.hand ?? "1");
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
  for (const part of form.querySelectorAll("[data-for]")) {
    const wanted = part.dataset.for;
    part.hidden = !(wanted === chosen || wanted === (chosen ? "format" : "plain"));
  }
  for (const part of form.querySelectorAll("[data-not]"))
    part.hidden = part.dataset.not.split(" ").includes(chosen);
  for (const part of form.querySelectorAll("[data-when]")) {
    const field = form.elements[part.dataset.when] ?? document.getElementById(part.dataset.when);
    part.hidden = !field.value;
  }
  for (const range of form.querySelectorAll("output"))
    range.value = `${document.getElementById(range.getAttribute("for")).value} %`;
}

let kept = "";
let typed_at = 0;

function changed(remember = true) {
  shape();
  const was = kept && JSON.parse(kept);
  if (was && was.hand !== mixed()) state.pick = {}; // candidates are a hand's own
  const told = setting();
  const now = JSON.stringify(told);
  if (now === kept) return;
  const typing = was && JSON.stringify({ ...was, text: told.text, pick: told.pick }) === now;
  const goes_on = typing && Date.now() - typed_at < 1500; // one step for what is typed in one go
  typed_at = typing ? Date.now() : 0;
  if (remember && kept && !goes_on) past.push(kept);
  if (past.length > 200) past.shift();
  kept = now;
  document.getElementById("undo").disabled = !past.length;
  want();
}

document.getElementById("undo").addEventListener("click", undo);
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("textarea, input[type=text], input[type=number]");
  if ((event.ctrlKey || event.metaKey) && event.key === "z" && !event.shiftKey && !typing) {
    event.preventDefault();
    undo();
  }
});

function undo() {
  if (!past.length) return;
  kept = past.pop();
  show(JSON.parse(kept));
  document.getElementById("undo").disabled = !past.length;
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
document.getElementById("sample").addEventListener("change", async (event) => {
  if (!event.target.value) return;
  const told = await ask(`/api/text/${event.target.value}`);
  form.elements.text.value = told.text;
  event.target.value = "";
  changed();
});
document.getElementById("reseed").addEventListener("click", () => {
  form.elements.seed.value = (Number(form.elements.seed.value || 0) + 1) % 10000;
  if (Number(form.elements.vary.value) === 0) form.elements.vary.value = 0.6;
  form.elements.vary.dataset.touched = "1";
  changed();
});

// ---- the page: one request at a time, the newest setting next

let busy = false;
let again = false;
let version = 0;
const waiting = document.getElementById("waiting");

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
    const asked = setting();
    const at = version;
    if (!(asked.text ?? "").trim()) {
      empty();
      continue;
    }
    try {
      const told = await ask("/api/page", { setting: asked, have: [...outlines.keys()].slice(-800) });
      for (const [name, d] of Object.entries(told.outlines)) outlines.set(name, d);
      if (at === version) {
        state.last = told;
        render(told);
        if (told.pending) again = true;
      }
    } catch (error) {
      if (at === version) failed(error.message);
    }
    clearTimeout(slow);
    waiting.hidden = true;
  }
  clearTimeout(slow);
  waiting.hidden = true;
  busy = false;
}

function empty() {
  state.last = null;
  history.replaceState(null, "", "/write");
  pages.replaceChildren(make("p", { class: "empty", text: t("text_empty") }));
  document.getElementById("said").replaceChildren();
  links("");
}

function failed(message) {
  document.getElementById("said").replaceChildren(make("p", { class: "trouble", text: message }));
}

function render(told) {
  const focused = pages.querySelector(".glyph.here")?.dataset.number;
  const parts = told.pages.map((page) => sheet(page, told));
  pages.replaceChildren(...parts);
  const glyphs = [...pages.querySelectorAll(".glyph")];
  glyphs.forEach((one, number) => (one.dataset.number = number));
  if (focused !== undefined) glyphs[focused]?.classList.add("here");
  history.replaceState(null, "", `/write?${told.query}`);
  document.getElementById("command").textContent = told.command;
  links(told.query);
  say(told);
}

const EM = { x: 0, y: -120, width: 1000, height: 1000 };

function sheet(page, told) {
  const { width_mm: width, height_mm: height } = page;
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, class: "sheet-of-paper" });
  svg.style.setProperty("--ratio", width / height);
  svg.style.setProperty("--natural", `${width}mm`);
  if (!page.paper) svg.classList.add("clear");
  else svg.append(draw("rect", { width, height, fill: page.paper }));
  const doubtful = new Set(told.doubtful);
  const pending = new Set(told.pending);
  for (const [name, matrix, fill, char] of page.marks) {
    used(name);
    const path = draw("path", { d: outlines.get(name), fill });
    if (char && HAN.test(char) && !told.missing.includes(char)) {
      const kind = doubtful.has(char) ? "glyph doubtful" : char in state.pick ? "glyph picked" : "glyph";
      const group = draw("g", { class: kind, "data-char": char, transform: `matrix(${matrix})` });
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

/** Outlines used last stand last: those are told to the studio as known. */
function used(name) {
  const d = outlines.get(name);
  outlines.delete(name);
  outlines.set(name, d);
}

function say(told) {
  const lines = [];
  if (told.doubtful)
    lines.push(make("p", {}, t("doubtful_one") + " ", chars(told.doubtful), " " + t("doubtful_do")));
  if (told.missing) lines.push(make("p", {}, t("missing") + " ", chars(told.missing)));
  document.getElementById("said").replaceChildren(...lines);
}

const chars = (text) => make("b", { lang: "zh-Hans", text: [...text].join(" ") });

function links(query) {
  const look = new URLSearchParams(query);
  look.set("dpi", document.getElementById("dpi").value || 96);
  if (document.getElementById("grain").checked) look.set("grain", "1");
  look.set("dry", document.getElementById("dry").value);
  for (const link of document.querySelectorAll("[data-kind]")) {
    if (query) link.href = `/write.${link.dataset.kind}?${look}`;
    else link.removeAttribute("href");
  }
}
for (const name of ["dpi", "grain", "dry"])
  document.getElementById(name).addEventListener("input", () => links(state.last?.query ?? ""));
document.querySelector("[data-copy=command]").addEventListener("click", () =>
  copy(document.getElementById("command").textContent),
);
document.getElementById("copy-link").addEventListener("click", () => copy(location.href));

// ---- glyphs: by mouse, by touch, by keys

pages.addEventListener("click", (event) => {
  const one = event.target.closest(".glyph");
  if (one) candidates(one.dataset.char);
});
pages.addEventListener("keydown", (event) => {
  const glyphs = [...pages.querySelectorAll(".glyph")];
  if (!glyphs.length) return;
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

const dialog = document.getElementById("candidates");

async function candidates(char) {
  const first = document.getElementById("first-choice");
  first.hidden = !(char in state.pick);
  first.onclick = () => take(char, undefined);
  document.getElementById("candidates-title").textContent = waysOf(char);
  dialog.showModal();
  const place = document.getElementById("ways");
  await showWays(place, setting().hand, char, state.pick[char], (number) => take(char, number));
}

function take(char, number) {
  const before = state.pick;
  state.pick = { ...before, [char]: number };
  if (number === undefined) delete state.pick[char];
  dialog.close();
  changed();
  pages.focus();
  if (number !== undefined) toast(`${char}: ${t("taken")}`, { name: t("undo"), run: undo });
}

// ---- hands

const list = document.getElementById("hands");

document.getElementById("hand").addEventListener("click", async () => {
  list.showModal();
  await Promise.resolve(known);
  const parts = ["hand", "bundle", "run"].flatMap((origin) => {
    const found = state.hands.filter((one) => one.origin === origin);
    if (!found.length) return [];
    const cards = found.map(card);
    return [make("h3", { text: t(`hands_${origin}`) }), make("div", { class: "cards" }, ...cards)];
  });
  document.getElementById("hand-list").replaceChildren(...parts);
  const text = (form.elements.text.value.match(/\p{Script=Han}/gu) ?? ["永"]).slice(0, 3).join("");
  for (const part of list.querySelectorAll("[data-key]")) {
    if (!list.open) break; // one after another: the page is drawn between them
    await specimen(part.querySelector(".specimen"), part.dataset.key, text);
  }
});

function card(hand) {
  const here = hand.key === base();
  const told = make("span", { class: "hand-told" });
  told.append(make("span", { text: hand.chinese || hand.name, lang: hand.chinese ? "zh-Hans" : "en" }));
  told.append(make("small", { text: [hand.chinese ? hand.name : "", hand.script].filter(Boolean).join(" · ") }));
  return make(
    "button",
    {
      type: "button",
      class: here ? "hand-card mine" : "hand-card",
      "data-key": hand.key,
      "aria-pressed": here ? "true" : "false",
      onclick: () => {
        list.close();
        unmix(hand.key);
        changed();
      },
    },
    make("span", { class: "specimen" }),
    told,
  );
}

async function specimen(place, key, text) {
  try {
    const told = await ask(`/api/specimen?${new URLSearchParams({ hand: key, text })}`);
    place.replaceChildren(...told.glyphs.map((one) => glyph(one.d)));
  } catch {
    place.replaceChildren();
  }
}

const base = () => state.hand;
const MIXED = /^(?:(\d{4})\/)?(.+)$/s;

/** The hand's key, with what it is mixed with. */
function mixed() {
  const second = document.getElementById("mix-second").value;
  if (!second) return state.hand;
  const [, run, name] = state.hand.match(MIXED);
  const third = document.getElementById("mix-third").value;
  const shares = [Number(document.getElementById("mix-share").value) / 100];
  if (third) shares.push(Number(document.getElementById("mix-share-third").value) / 100);
  const first = Math.max(0, 1 - shares.reduce((a, b) => a + b));
  const parts = [[name, first], [second, shares[0]], [third, shares[1]]].filter(([one]) => one);
  const told = parts.map(([one, share]) => `${one}:${Number(share.toFixed(2))}`).join("+");
  return run ? `${run}/${told}` : told;
}

function unmix(key) {
  const [, run, rest] = key.match(MIXED);
  const parts = rest.split("+").map((part) => part.split(":"));
  state.hand = (run ? `${run}/` : "") + parts[0][0];
  mixes();
  document.getElementById("mix-second").value = parts[1]?.[0] ?? "";
  document.getElementById("mix-third").value = parts[2]?.[0] ?? "";
  if (parts[1]) document.getElementById("mix-share").value = 100 * Number(parts[1][1] ?? 0.5);
  if (parts[2]) document.getElementById("mix-share-third").value = 100 * Number(parts[2][1] ?? 0.3);
  if (parts[1]) document.getElementById("mix").open = true;
  name();
  shape();
}

/** The hands that this one can be mixed with: those of its model. */
function mixes() {
  const mine = state.hands.find((hand) => hand.key === state.hand);
  const others = state.hands.filter((hand) => mine && hand.model === mine.model && hand !== mine);
  document.getElementById("mix").hidden = others.length === 0;
  for (const id of ["mix-second", "mix-third"]) {
    const options = others.map((hand) =>
      make("option", { value: hand.name, text: [hand.chinese, hand.name].filter(Boolean).join(" · ") }),
    );
    const none = make("option", { value: "", text: t("mix_none") });
    document.getElementById(id).replaceChildren(none, ...options);
  }
}

function name() {
  const hand = state.hands.find((one) => one.key === state.hand);
  document.getElementById("hand-name").textContent = hand ? hand.chinese || hand.name : state.hand;
  document.getElementById("hand-kind").textContent = hand
    ? [hand.chinese ? hand.name : "", hand.script].filter(Boolean).join(" · ")
    : "";
  if (hand) specimen(document.querySelector("#hand .specimen"), hand.key, "永书");
}

const known = ask("/api/hands").then((told) => {
  state.hands = told.hands;
  const first = state.hands.find((hand) => hand.origin === "bundle") ?? state.hands[0];
  if (state.hand === "1" && first) state.hand = first.key;
  const before = mixed();
  unmix(document.getElementById("mix-second").value ? before : told_at_start.hand ?? state.hand);
  changed(false);
});
known.catch((error) => failed(error.message));

// ---- begin

for (const swatch of document.querySelectorAll(".swatch input[type=radio]"))
  if (swatch.value.startsWith("#")) swatch.nextElementSibling.style.background = swatch.value;

const told_at_start = Object.fromEntries(new URLSearchParams(location.search));
if (told_at_start.text === undefined) told_at_start.text = t("text_start");
show(told_at_start);
changed(false);
