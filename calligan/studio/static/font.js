// One font: what it has, what is made of it, and every new glyph.

import { candidatesTitle, doubts, doubtsText, showCandidates } from "./candidates.js";
import { agreed, ask, glyph, handLabel, isOpen, jobLine, keepValue, keptValue, make, part, startJob, t, toast } from "./common.js";

const NAME = document.getElementById("font-view").dataset.name;
const BASE = `/font/${encodeURIComponent(NAME)}`;
const API = `/api${BASE}`;
const MIN_FOR_TEXT = 2000; // new glyphs that can show a classical text; of fewer, the first are shown
let known = null;
let hands = [];
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
  part("hand-notes").replaceChildren(...known.notes.map((text) => make("p", { class: "trouble", text: `${NAME}: ${text}` })));
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
  part("own-part").hidden = hands.some((hand) => hand.key === NAME && hand.doubt !== "not_finished");
  part("found").replaceChildren(...(known.check ? found(known.check) : []));
}

/** How much of each set the given font has, the completed one (`after`, if there is one), and what is lacking. */
function table(sets, after) {
  const names = ["gb2312-1", "gb2312", "tongyong-8105", "big5-1", "jis-1"].filter((name) => name in sets);
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
    parts.push(make("p", {}, make("b", { text: `${t(key)} (${chars.length}): ` }), make("span", { lang: "zh-Hans", text: chars.slice(0, 60).join("  ") + (chars.length > 60 ? " …" : "") })));
  if (lines.found_mislabelled.length + lines.found_malformed.length) {
    const picture = make("img", { src: `${BASE}/check.png`, alt: t("check_picture"), class: "samples", loading: "lazy" });
    parts.push(make("details", {}, make("summary", { text: t("check_picture") }), picture));
  }
  return parts;
}

part("check").addEventListener("click", () => startJob(`${API}/check`, {}));
part("own").addEventListener("click", () => startJob(`${API}/learn`, {}));

// ---- making

const form = part("make");
const FIELDS = ["hand", "charset", "chars", "family", "family_chinese"];
for (const name of FIELDS) keepValue(form.elements[name], `${name}-${NAME}`);
form.addEventListener("input", showHints);

/** What was not filled in here is as in the last order, which another browser may have given. */
function fillForm() {
  for (const name of FIELDS.slice(1))
    if (keptValue(`${name}-${NAME}`) === null && known.order?.[name]) form.elements[name].value = known.order[name];
  const good = hands.filter((hand) => !hand.doubt).map((hand) => hand.key); // others are not preselected
  const own = good.find((key) => key === NAME);
  const near = good.find((key) => key === known.about?.nearest);
  const there = [keptValue(`hand-${NAME}`), known.order?.hand].find((key) => hands.some((hand) => hand.key === key));
  form.elements.hand.value = there ?? own ?? near ?? good[0] ?? hands[0]?.key;
  showHints();
}

/** Why a hand is offered; the field of one's own characters, and how many there are. */
function showHints() {
  const near = known?.about?.nearest;
  const chosen = keptValue(`hand-${NAME}`) ?? known?.order?.hand;
  const searched = matching && !chosen;
  part("hand-why").textContent = searched ? t("searching_hand") : near && form.elements.hand.value === near ? t("nearest_hand") : "";
  part("own-chars").hidden = form.elements.charset.value !== "own";
  const count = new Set(form.elements.chars.value.match(/\p{Script=Han}/gu)).size;
  part("own-count").textContent = `${count.toLocaleString()} ${t("own_count")}`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  startAsFilledIn();
});
part("again").addEventListener("click", () => start(known.made.order));

const start = (order, kind = order.kind) => startJob(`${API}/make`, { ...order, kind, complete: Boolean(known.about) });

/** What one's own characters are, each once; "" for a shipped set. */
const ownChars = ({ charset, chars }) => (charset === "own" ? [...new Set(chars.match(/\p{Script=Han}/gu))].join("") : "");

/** Asks first, if the font made before is of another hand or other characters: it is replaced. */
async function startAsFilledIn() {
  const order = Object.fromEntries(FIELDS.map((name) => [name, form.elements[name].value]));
  const before = known.made?.order;
  const same = before && ["hand", "charset"].every((key) => order[key] === before[key]) && ownChars(order) === ownChars(before);
  if (before && !same && !(await agreed(replacedSaid(before), t("replace_font")))) return;
  start(order);
}

/** What the font is that would be replaced. */
function replacedSaid(order) {
  const hand = hands.find((one) => one.key === order.hand);
  return t("replace_font_ask").replace("{hand}", hand ? handLabel(hand) : order.hand).replace("{set}", t(`set_${order.charset}`));
}

async function loadHands() {
  hands = (await ask("/api/hands")).hands;
  form.elements.hand.replaceChildren(...hands.map((hand) => make("option", { value: hand.key, text: handLabel(hand) })));
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
  part("made-said").textContent = facts.join(" · ") + (made.lacking ? ` · ${t("lacking_count")} ${made.lacking}` : "");
  const fontKind = known.kinds.find((kind) => kind !== ".ufo"); // browsers show no UFO
  const links = fontKind ? [...known.kinds, ".woff2"] : known.kinds;
  const buttons = links.map((kind) => make("a", { class: "button", href: `${BASE}/made${kind}`, download: true, text: kind.slice(1).toUpperCase() }));
  if (!known.about)
    for (const kind of [".otf", ".ufo"])
      if (!known.kinds.includes(kind))
        buttons.push(make("button", { type: "button", class: "quiet", text: `${t("also_make")} ${kind.slice(1).toUpperCase()}`, onclick: () => start(made.order, kind) }));
  for (const kind of known.report ? ["html", "json"] : ["json"])
    buttons.push(make("a", { class: kind === "html" ? "button" : "quiet", href: `${BASE}/report.${kind}`, download: true, text: `${t("report")} ${kind.toUpperCase()}` }));
  part("downloads").replaceChildren(...buttons);
  const counts = { all: known.count, doubtful: known.doubtful, changed: known.changed };
  for (const input of part("filters").querySelectorAll("input")) input.nextElementSibling.querySelector("small").textContent = counts[input.value].toLocaleString();
  part("again").hidden = !known.pending;
  part("again-count").textContent = [...known.pending].length.toLocaleString();
  if (shown === known.stamp) return;
  shown = known.stamp;
  if (fontKind) await showFace(`${BASE}/made${fontKind}?${known.stamp}`);
  showGlyphs();
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

let page = 0;

async function showGlyphs(more = false) {
  page = more ? page + 1 : 0;
  const show = part("filters").querySelector(":checked").value;
  const answer = await ask(`${API}/glyphs?${new URLSearchParams({ show, page })}`);
  const cells = answer.glyphs.map(cell);
  const trial = part("trial");
  if (show === "all" && known.count < MIN_FOR_TEXT && trial.value === trial.defaultValue)
    trial.value = answer.glyphs.filter((one) => !one.left_out).slice(0, 20).map((one) => one.char).join("");
  showTrial();
  if (!more) part("glyphs").replaceChildren();
  part("glyphs").append(...(cells.length || more ? cells : [make("p", { class: "hint", text: t("none_of_these") })]));
  part("more").hidden = (page + 1) * answer.a_page >= answer.of;
}
part("filters").addEventListener("change", () => showGlyphs());
part("more").addEventListener("click", () => showGlyphs(true));

function cell(one) {
  const out = known.left_out.includes(one.char);
  const changed = out || one.char in known.picked;
  const without = out || one.absent || (one.left_out && !changed);
  const kind = `cell${one.doubtful && !changed ? " doubted" : ""}${without ? " out" : ""}${changed ? " mine" : ""}`;
  const button = make("button", { type: "button", class: kind, onclick: () => choose(one) });
  button.append(make("span", { class: "cell-char", text: one.char, lang: "zh-Hans" }), glyph(one.d, "", one.width));
  button.append(...saidOf(one, out));
  if (one.doubtful && !changed) {
    button.title = doubtsText(one.faults, one.strokes);
    button.append(make("small", { class: "why", text: doubts(one.faults) }));
  }
  return button;
}

/** What becomes of a glyph that was chosen or left out. */
function saidOf(one, out) {
  const said = (key) => [make("small", { text: t(key) })];
  if (out) return said(known.pending.includes(one.char) ? "will_leave_out" : "left_out_now");
  if (one.char in known.picked) return said("picked");
  if (one.absent) return said("comes_back");
  return one.left_out ? said("too_dense") : [];
}

const dialog = part("candidates");

async function choose({ char, way, width, left_out }) {
  const hand = known.made.order.hand;
  part("candidates-title").textContent = candidatesTitle(char);
  const out = known.left_out.includes(char);
  part("out").hidden = out || Boolean(left_out);
  part("out").onclick = () => take(char, 0);
  part("first-choice").hidden = !(char in known.picked || out);
  part("first-choice").textContent = t(out ? "take_back" : "first_choice");
  part("first-choice").onclick = () => take(char, null);
  dialog.showModal();
  const first = way === "as written" || left_out ? 0 : 1; // one's own glyph is not among the drawn ones
  const used = out ? 0 : known.picked[char] ?? first;
  await showCandidates(part("ways"), hand, char, used, (number) => take(char, number), known.about ? { scale: known.made.scale, advance: width } : {});
}

async function take(char, number) {
  dialog.close();
  const hand = known.made.order.hand;
  try {
    const before = await ask(`${API}/choose`, { hand, char, number });
    toast(number === 0 ? `${char} ${t("will_leave_out")}` : char + t("colon") + t("taken"), { name: t("undo"), run: () => take(char, before.number ?? null) });
  } catch (error) {
    toast(error.message);
  }
  await refresh();
  showGlyphs();
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
  part("start").disabled = mine.some((job) => job.kind === "font" && isOpen(job));
  const now = mine.map((job) => `${job.id}${job.state}`).join();
  if (states && now !== states) {
    await refreshHands();
    refresh();
  }
  states = now || "none";
});

/** The font's own hand is selected once it is learned. */
async function refreshHands() {
  const had = hands.some((hand) => hand.key === NAME && !hand.doubt);
  await loadHands();
  const own = hands.find((hand) => hand.key === NAME && !hand.doubt);
  if (own && !had) localStorage.setItem(`calligan-hand-${NAME}`, NAME);
}

loadHands().then(refresh, (error) => toast(error.message));
