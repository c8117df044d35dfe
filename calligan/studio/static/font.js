// One font: what it has, what is made of it, and every new glyph.

import { candidatesTitle, doubts, doubtsText, placed, showCandidates } from "./candidates.js";
import { agreed, ask, glyph, handLabel, isOpen, jobLine, make, part, startJob, t, toast, tryAsk } from "./common.js";

const NAME = document.getElementById("font-view").dataset.name;
const BASE = `/font/${encodeURIComponent(NAME)}`;
const API = `/api${BASE}`;
const MIN_FOR_TEXT = 2000; // glyphs of a new font that can show a classical text
const TRIAL_CHARS = 20; // new glyphs that are shown otherwise
let known = null;
let hands = [];
let hand = ""; // that was chosen here, now or before
let matching = false; // whether the nearest hand is being searched for

async function refresh() {
  try {
    known = await ask(API);
  } catch (error) {
    toast(error.message);
    return;
  }
  showGiven();
  fillForm();
  showMade();
  part("hand-notes").replaceChildren(...known.notes.map((text) => make("p", { class: "trouble", text: `${NAME}${t("colon")}${text}` })));
}

// ---- what was given

function showGiven() {
  const about = known.about;
  part("given-part").hidden = !about;
  part("make-head").textContent = t(about ? "make_complete" : "make_font");
  if (!about) return;
  part("family").textContent = `${about.family} · ${about.file}`;
  part("coverage").replaceChildren(table(about.sets, known.made?.sets?.gb2312 && known.made.sets));
  part("refusal").textContent = about.refusal ? `${t("cannot_complete")} ${about.refusal}` : "";
  part("make-part").hidden = Boolean(about.refusal);
  part("own-part").hidden = hands.some((one) => one.key === known.own && one.doubt !== "not_finished");
  part("found").replaceChildren(...(known.check ? found(known.check) : []));
}

/** How much of each set the given font has, the completed one (`after`, if there is one), and what is lacking. */
function table(sets, after) {
  const names = ["gb2312-1", "gb2312", "tongyong-8105", "big5-1", "jis-1", "kana"].filter((name) => name in sets);
  const rows = names.map((name) => [name, sets[name]]).map(([name, [has, of]]) => {
    const now = after?.[name]?.[0] ?? has;
    const bar = make("progress", { max: of, value: now, "aria-label": t(`set_${name}`) });
    const numbers = [has.toLocaleString(), ...(after?.[name] ? [now.toLocaleString()] : []), of - now ? (of - now).toLocaleString() : "✓"];
    return make("tr", {}, make("th", { scope: "row", text: t(`set_${name}`) }), make("td", {}, bar), ...numbers.map((text) => make("td", { class: "number", text })));
  });
  const keys = ["set_name", "", after ? "had" : "has", ...(after ? ["has_now"] : []), "lacks"];
  const head = make("tr", {}, ...keys.map((key, at) => make(at === 1 ? "td" : "th", { scope: at === 1 ? null : "col", text: key && t(key), class: at > 1 ? "number" : null })));
  return make("table", { class: "coverage" }, make("thead", {}, head), make("tbody", {}, ...rows));
}

function found(check) {
  const parts = [make("p", { text: `${check.count.toLocaleString()} ${t("checked")}` })];
  const lines = {
    found_blank: [...check.blank],
    found_duplicates: check.duplicates,
    found_mislabelled: Object.entries(check.mislabelled).map(([char, other]) => `${char} → ${other}`),
    found_malformed: [...check.malformed],
  };
  const any = Object.entries(lines).filter(([, chars]) => chars.length);
  if (!any.length) parts.push(make("p", { text: t("found_nothing") }));
  for (const [key, chars] of any)
    parts.push(make("p", {}, make("b", { text: t("found_count").replace("{}", t(key)).replace("{}", chars.length.toLocaleString()) }), make("span", { lang: "zh-Hans", text: chars.slice(0, 60).join("  ") + (chars.length > 60 ? " …" : "") })));
  if (lines.found_mislabelled.length + lines.found_malformed.length) {
    const picture = make("img", { src: `${BASE}/check.png`, alt: t("check_picture"), class: "samples natural", loading: "lazy" });
    parts.push(make("details", {}, make("summary", { text: t("check_picture") }), picture));
  }
  return parts;
}

part("check").addEventListener("click", () => startJob(`${API}/check`, {}));
part("own").addEventListener("click", () => startJob(`${API}/learn`, {}));

// ---- making

const form = part("make");
const FIELDS = ["charset", "chars", "family", "family_chinese"]; // beside the hand
const SAVE_MS = 400; // after the last key
const MAX_LAST_CHARS = 15_000; // a request of a page that is left may have 64 KB
const touched = new Set(); // fields that were changed here
let filled = false;
let saving = 0;

const filledIn = () => ({ hand, ...Object.fromEntries(FIELDS.map((name) => [name, form.elements[name].value])) });

const changes = () => Object.fromEntries([...touched].map((name) => [name, form.elements[name].value]));

/** What is filled in is kept by the studio, so that the font is found again as it was begun. */
function saveSettings() {
  clearTimeout(saving);
  saving = 0;
  return tryAsk(`${API}/settings`, changes());
}
form.addEventListener("input", (event) => {
  touched.add(event.target.name);
  if (event.target === form.elements.hand) hand = form.elements.hand.value;
  clearTimeout(saving);
  saving = setTimeout(saveSettings, SAVE_MS);
  showHints();
});
addEventListener("pagehide", () => {
  if (!saving || form.elements.chars.value.length > MAX_LAST_CHARS) return;
  clearTimeout(saving);
  const [body, headers] = [JSON.stringify(changes()), { "Content-Type": "application/json" }];
  fetch(`${API}/settings`, { method: "POST", body, headers, keepalive: true }).catch(() => {});
});

/** The form as it was left, here or in another browser. */
function fillForm() {
  if (!filled) {
    hand ||= known.settings.hand ?? "";
    const { charset } = form.elements;
    const there = [...charset.options].some((option) => option.value === known.settings.charset);
    for (const name of FIELDS)
      if (known.settings[name] && !touched.has(name) && (name !== "charset" || there)) form.elements[name].value = known.settings[name];
    filled = true;
  }
  const good = hands.filter((one) => !one.doubt).map((one) => one.key); // others are not preselected
  const own = good.find((key) => key === known.own);
  const near = good.find((key) => key === known.about?.nearest);
  const there = hands.some((one) => one.key === hand) ? hand : null;
  form.elements.hand.value = there ?? own ?? near ?? good[0] ?? hands[0]?.key;
  showHints();
}

/** Why a hand is offered; the field of one's own characters, and how many there are. */
function showHints() {
  const near = known?.about?.nearest;
  const searched = matching && !hand;
  part("hand-why").textContent = searched ? t("searching_hand") : near && form.elements.hand.value === near ? t("nearest_hand") : "";
  part("own-chars").hidden = form.elements.charset.value !== "own";
  const count = new Set(form.elements.chars.value.match(/\p{Script=Han}/gu)).size;
  part("own-count").textContent = `${count.toLocaleString()} ${t("own_count")}`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  startAsFilledIn();
});
part("again").addEventListener("click", ({ currentTarget }) => {
  currentTarget.disabled = true; // at once: a second click would do nothing
  start(known.made.order);
});

/** What becomes of the newest choices, beside their button: the job itself is far above. */
function showAgainSaid(job) {
  part("again").disabled = Boolean(job);
  part("again-said").textContent = job ? t(`again_${job.state}`) : "";
  part("made-stale").hidden = Boolean(job);
}

const start = (order, kind = order.kind) => startJob(`${API}/make`, { ...order, kind, complete: Boolean(known.about) });

/** What one's own characters are, each once; "" for a shipped set. */
const ownChars = ({ charset, chars }) => (charset === "own" ? [...new Set(chars.match(/\p{Script=Han}/gu))].join("") : "");

/** Asks first, if the font made before is of another hand or other characters: it is replaced. */
async function startAsFilledIn() {
  hand = form.elements.hand.value;
  const order = filledIn();
  const before = known.made?.order;
  const same = before && ["hand", "charset"].every((key) => order[key] === before[key]) && ownChars(order) === ownChars(before);
  if (before && !same && !(await agreed(replacedSaid(before), t("replace_font")))) return;
  clearTimeout(saving); // the order is kept, too
  saving = 0;
  start(order);
}

/** What the font is that would be replaced. */
function replacedSaid(order) {
  const of = hands.find((one) => one.key === order.hand);
  return t("replace_font_ask").replace("{hand}", of ? handLabel(of) : order.hand).replace("{set}", t(`set_${order.charset}`));
}

async function loadHands() {
  hands = (await ask("/api/hands")).hands;
  form.elements.hand.replaceChildren(...hands.map((one) => make("option", { value: one.key, text: handLabel(one) })));
}

// ---- what was made

let shown = "";

async function showMade() {
  part("made-part").hidden = !known.made;
  if (!known.made) return;
  const made = known.made;
  const facts = [`${made.family}`, `${made.drawn.toLocaleString()} ${t("drawn_count")}`, `${made.doubtful} ${t("doubtful_count")}`];
  if (made.there) facts.push(`${made.there.toLocaleString()} ${t("there_count")}`);
  part("made-narrowed").textContent = made.narrowed;
  part("made-dense").textContent = made.dense ? denseSaid([...made.dense]) : "";
  part("made-lacking").textContent = made.lacking ? `${t("lacking_count")}${made.lacking}` : "";
  part("made-said").textContent = facts.join(" · ");
  const fontKind = known.kinds.find((kind) => kind !== ".ufo"); // browsers show no UFO
  showDownloads(fontKind);
  const counts = { all: known.count, doubtful: known.doubtful, changed: known.changed };
  for (const input of part("filters").querySelectorAll("input")) input.nextElementSibling.querySelector("small").textContent = counts[input.value].toLocaleString();
  part("again").hidden = !known.pending;
  part("again-count").textContent = [...known.pending].length.toLocaleString();
  if (shown === known.stamp) return;
  shown = known.stamp;
  if (fontKind) await showFace(`${BASE}/made${fontKind}?${known.stamp}`);
  showGlyphs();
}

/** The files of the font, what to do with them, and which choices they are without. */
function showDownloads(fontKind) {
  const links = fontKind ? [...known.kinds, ".woff2"] : known.kinds;
  const buttons = links.map((kind) => make("a", { class: "button", href: `${BASE}/made${kind}`, download: true, text: kind.slice(1).toUpperCase() }));
  if (!known.about)
    for (const kind of [".otf", ".ufo"])
      if (!known.kinds.includes(kind))
        buttons.push(make("button", { type: "button", class: "quiet", text: `${t("also_make")} ${kind.slice(1).toUpperCase()}`, onclick: () => start(known.made.order, kind) }));
  for (const kind of known.report ? ["html", "json"] : ["json"])
    buttons.push(make("a", { class: kind === "html" ? "button" : "quiet", href: `${BASE}/report.${kind}`, download: true, text: `${t("report")} ${kind.toUpperCase()}` }));
  part("downloads").replaceChildren(...buttons);
  const named = [known.made.family, known.made.order.family_chinese].filter(Boolean).join(" · ");
  const use = fontKind ? t("made_use").replace("{kind}", fontKind.slice(1).toUpperCase()).replace("{name}", () => named) : "";
  part("made-use").textContent = use + (known.kinds.includes(".ufo") ? t("ufo_use") : "");
  part("made-stale").textContent = known.pending ? t("made_stale").replace("{}", [...known.pending].length.toLocaleString()) : "";
}

/** Which characters were left out as too dense, the first hundred of them by name. */
function denseSaid(chars) {
  const named = chars.slice(0, 100).join(" ") + (chars.length > 100 ? " …" : "");
  return t("dense_count").replace("{}", chars.length.toLocaleString()) + named;
}

/** Text set in the font just made. */
async function showFace(address) {
  const face = new FontFace("just-made", `url(${address})`);
  try {
    await face.load();
    for (const old of [...document.fonts]) if (old.family === "just-made") document.fonts.delete(old);
    document.fonts.add(face);
    part("trial-shown").classList.add("made");
  } catch (error) {
    toast(error.message);
  }
}

/** The text in the font; what the font lacks is grey, in another, and listed. */
async function showTrial() {
  const text = part("trial").value;
  const { lacks } = await ask(`${API}/lacks`, { text }).catch(() => ({ lacks: "" }));
  if (text !== part("trial").value) return; // a newer one is under way
  const runs = [];
  for (const char of text) {
    const there = !lacks.includes(char);
    if (runs.at(-1)?.there === there) runs.at(-1).text += char;
    else runs.push({ there, text: char });
  }
  part("trial-shown").replaceChildren(...runs.map((run) => make("span", { class: run.there ? null : "lacking", text: run.text })));
  part("trial-lacks").textContent = lacks ? `${t("trial_lacks")} ${[...lacks].join(" ")}` : "";
}
part("trial").addEventListener("input", showTrial);

/** The text at first: new glyphs. A new font of many shows a classical text, which it can. */
function proposeTrial(glyphs) {
  const trial = part("trial");
  const fits = !known.about && known.count >= MIN_FOR_TEXT;
  const found = glyphs.filter((one) => !one.left_out).slice(0, TRIAL_CHARS).map((one) => one.char).join("");
  if (trial.value === trial.defaultValue && !fits && found) trial.value = found;
  showTrial();
}

let page = 0;
let asked = 0; // how often glyphs were asked for: an answer to an earlier question is not shown

/** The glyphs of the chosen filter, of those that are looked for. */
const askGlyphs = (more) => ask(`${API}/glyphs?${new URLSearchParams({ show: part("filters").querySelector(":checked").value, ...more })}`);

async function showGlyphs(more = false) {
  page = more ? page + 1 : 0;
  const mine = ++asked;
  const answer = await askGlyphs({ page, chars: part("find").value });
  if (mine !== asked) return;
  const cells = answer.glyphs.map(cell);
  if (!more) proposeTrial(answer.glyphs);
  if (!more) part("glyphs").replaceChildren();
  part("glyphs").append(...(cells.length || more ? cells : [make("p", { class: "hint", text: t("none_of_these") })]));
  part("more").hidden = (page + 1) * answer.a_page >= answer.of;
}
part("filters").addEventListener("change", () => showGlyphs());
part("find").addEventListener("input", (event) => event.isComposing || showGlyphs());
part("find").addEventListener("compositionend", () => showGlyphs());
part("more").addEventListener("click", () => showGlyphs(true));

/** Shows one glyph anew where it is, so that the others stay in view. */
async function showAgain(char) {
  const answer = await askGlyphs({ chars: char });
  const before = part("glyphs").querySelector(`[data-char="${char}"]`);
  if (!before) return;
  const after = answer.glyphs.map(cell);
  before.replaceWith(...after);
  after[0]?.focus();
}

function cell(one) {
  const [out, picked] = [known.left_out.includes(one.char), one.char in known.picked];
  const changed = out || picked || known.pending.includes(one.char);
  const without = out || (one.left_out && !picked);
  const kind = `cell${one.doubtful && !changed ? " doubted" : ""}${without ? " out" : ""}${changed ? " mine" : ""}`;
  const button = make("button", { type: "button", class: kind, "data-char": one.char, onclick: () => choose(one) });
  // Drawn in a square em, and placed as the font will have it; the others are as it has them.
  const picture = one.box ? glyph(one.d, "", 1000, ...placed(one.box, fitOfFont())) : glyph(one.d, "", one.width);
  button.append(make("span", { class: "cell-char", text: one.char, lang: "zh-Hans" }), picture);
  button.append(...saidOf(one, out));
  if (one.doubtful && !changed) {
    button.title = doubtsText(one.faults, one.strokes);
    button.append(make("small", { class: "why", text: doubts(one.faults) }));
  }
  return button;
}

/** How glyphs are narrowed and placed in the font; as they are in a new one. */
const fitOfFont = () => (known.about ? { scale: known.made.scale, advance: known.made.advance } : {});

/** What becomes of a glyph that was chosen or left out. */
function saidOf(one, out) {
  const said = (key) => [make("small", { text: t(key) })];
  if (out) return said(known.pending.includes(one.char) ? "will_leave_out" : "left_out_now");
  if (one.char in known.picked) return said("picked");
  if (one.left_out === "chosen") return said("comes_back");
  if (one.left_out) return said("too_dense");
  return known.pending.includes(one.char) ? said("first_comes_back") : [];
}

const dialog = part("candidates");

async function choose({ char, way, left_out }) {
  part("candidates-title").textContent = candidatesTitle(char);
  const [out, picked] = [known.left_out.includes(char), char in known.picked];
  const dense = left_out === "dense";
  part("out-said").textContent = out ? t("out_said") : dense && !picked ? t("dense_said") : "";
  part("out").hidden = out || dense;
  part("out").onclick = () => take(char, 0);
  part("first-choice").hidden = !(picked || out);
  part("first-choice").textContent = t(out ? "take_back" : dense ? "leave_out" : "first_choice");
  part("first-choice").onclick = () => take(char, null);
  dialog.showModal();
  const first = way === "as written" || left_out ? 0 : 1; // one's own glyph is not among the drawn ones
  const used = out ? 0 : known.picked[char] ?? first;
  await showCandidates(part("ways"), known.made.order.hand, char, used, (number) => take(char, number), fitOfFont());
}

async function take(char, number) {
  dialog.close();
  const said = number === 0 ? "leaves_out" : number ? "takes_form" : "takes_first";
  try {
    const before = await ask(`${API}/choose`, { hand: known.made.order.hand, char, number });
    toast(t(said).replace("{}", char), { name: t("undo"), run: () => take(char, before.number ?? null) });
  } catch (error) {
    toast(error.message);
  }
  await refresh();
  showAgain(char);
}

// ---- its name, and its end

const renaming = part("renaming");
part("rename").addEventListener("click", () => {
  part("rename-trouble").textContent = "";
  renaming.showModal();
  part("new-name").select();
});
part("rename-cancel").addEventListener("click", () => renaming.close());
part("rename-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const to = part("new-name").value.trim();
  if (to === NAME) return renaming.close();
  try {
    if (saving) await saveSettings();
    await ask(`${API}/rename`, { to });
    location.replace(`/font/${encodeURIComponent(to)}`);
  } catch (error) {
    part("rename-trouble").textContent = error.message;
  }
});

part("remove").addEventListener("click", async () => {
  if (!(await agreed(removalSaid(), t("delete")))) return;
  clearTimeout(saving);
  saving = 0;
  if (await tryAsk(`${API}/remove`, {})) location.href = "/font";
});

/** What goes with the font, and what stays. */
function removalSaid() {
  const chosen = new Set([...Object.keys(known.picked), ...known.left_out]).size;
  const kinds = known.kinds.map((kind) => kind.slice(1).toUpperCase());
  const parts = [
    known.about && t("goes_given").replace("{}", () => known.about.file),
    t("goes_settings"),
    known.made && t("goes_made").replace("{}", kinds.join(t("comma"))),
    chosen && t("goes_choices").replace("{}", chosen.toLocaleString()),
  ];
  const stays = hands.some((one) => one.key === known.own && known.about) ? t("hand_stays") : "";
  return t("font_delete_ask").replace("{}", NAME).replace("{}", parts.filter(Boolean).join(t("comma"))) + stays;
}

// ---- work

let states = "";

document.addEventListener("work", async (event) => {
  const mine = event.detail.filter((job) => job.subject === NAME);
  const places = { check: "checking", font: "making", learn: "making" };
  for (const place of ["checking", "making"]) {
    const jobs = Object.keys(places).filter((kind) => places[kind] === place).map((kind) => mine.find((job) => job.kind === kind));
    part(place).replaceChildren(...jobs.filter((job) => job && (isOpen(job) || job.state === "failed" || job.state === "cancelled")).map(jobLine));
  }
  matching = mine.some((job) => job.kind === "match" && isOpen(job));
  showHints();
  part("own").disabled = mine.some((job) => job.kind === "learn" && isOpen(job));
  const being = mine.find((job) => job.kind === "font" && isOpen(job));
  part("start").disabled = Boolean(being);
  showAgainSaid(being);
  const now = mine.map((job) => `${job.id}${job.state}`).join();
  if (states && now !== states) {
    await refreshHands();
    refresh();
  }
  states = now || "none";
});

/** The font's own hand is selected once it is learned. */
async function refreshHands() {
  const learned = () => hands.some((one) => one.key === known.own && !one.doubt);
  const had = learned();
  await loadHands();
  if (!learned() || had) return;
  hand = known.own;
  tryAsk(`${API}/settings`, { hand });
}

/** A new font is there as soon as it has a name. */
async function begin() {
  if (new URLSearchParams(location.search).get("new") !== "1") return;
  if (await tryAsk(`${API}/settings`, { begin: true })) history.replaceState(null, "", location.pathname);
}

begin().then(loadHands).then(refresh, (error) => toast(error.message));
