// One hand: photographs, glyphs, learning, what comes next.

import { acceptFiles, agreed, ask, isOpen, jobLine, keepValue, keptValue, make, part, showSpecimen, startJob, t, toast } from "./common.js";
import { openColumns } from "./columns.js";
import { offerNames, showSaid } from "./hand_names.js";
import { trainingState } from "./training.js";

const NAME = document.getElementById("hand-view").dataset.name;
const BASE = `/hand/${encodeURIComponent(NAME)}`;
const API = `/api${BASE}`;
const DEFAULT_MINUTES = 10;
const FEW_MINUTES = 5; // in which a machine that does something else too may not have learned enough
const FINISHED = ["weak_hand", "learned"]; // of a hand whose learning has finished
const FEW_CHARS = 30;
let known = { pages: [], glyphs: [] };

const isNew = new URLSearchParams(location.search).has("new");
offerNames(NAME, () => known);

async function refresh() {
  try {
    known = await ask(API);
  } catch (error) {
    toast(error.message);
    return;
  }
  part("kept").hidden = !known.there;
  part("gone").hidden = known.there || isNew;
  const chars = charCount();
  part("hand-state").textContent = known.there ? [chars && `${chars} ${t("chars_count")}`, t(known.state)].filter(Boolean).join(" · ") : "";
  showPhotos();
  showGlyphs();
  showLearning();
}

/** How many characters there are glyphs of; variants of one count once. */
const charCount = () => new Set(known.glyphs.map((one) => one.char).filter(Boolean)).size;

// ---- photographs

acceptFiles(part("zone"), part("files"), send);

const refused = []; // files that are not taken as photographs, until they are dismissed or the page is left

/** One after another, so that each is seen as soon as it is read. */
async function send(files) {
  for (const file of files) {
    const waiting = make("p", { class: "waiting", text: t("reading_photo").replace("{}", file.name) });
    part("photos").append(waiting);
    const form = new FormData();
    form.set("file", file);
    if (part("free").open) {
      form.set("text", part("page-text").value);
      form.set("columns", part("columns").value);
    }
    try {
      await ask(`/upload${BASE}`, form);
    } catch (error) {
      waiting.remove();
      refused.push({ name: file.name, message: error.message });
      showPhotos();
      continue;
    }
    waiting.remove();
    await refresh();
  }
}

function showPhotos() {
  const cards = known.pages.map((page) => {
    const picture = make("div", { class: "photo" });
    picture.append(make("img", { src: `${BASE}/photo/${page.file}`, alt: page.name, loading: "lazy" }));
    for (const [corner, place] of Object.entries(page.corners ?? {}))
      picture.append(make("span", { class: `corner ${corner.replace(" ", "-")} ${place ? "seen" : "lost"}` }));
    const card = make("figure", { class: page.trouble ? "photo-card bad" : "photo-card" }, picture);
    const caption = make("figcaption");
    caption.append(make("b", { text: page.trouble ? page.name : `${page.glyphs} ${t("glyphs_count")}` }));
    if (!page.trouble) caption.append(make("p", { class: "hint", text: page.name }));
    const lost = Object.entries(page.corners ?? {}).filter(([, place]) => !place).map(([corner]) => t(`corner_${corner}`));
    const trouble = lost.length ? `${t("corners_lost")} ${lost.join(t("comma"))}${t("corners_cure")}` : page.trouble;
    if (page.trouble) caption.append(make("p", { class: "trouble", text: trouble }));
    for (const line of page.notes) caption.append(make("p", { class: "hint", text: counted(line) }));
    if (page.text) caption.append(make("button", { type: "button", class: "quiet", text: t("correct_columns"), onclick: () => openColumns(BASE, page.file, refresh) }), " ");
    caption.append(make("button", { type: "button", class: "quiet", text: t("remove"), onclick: () => removePage(page) }));
    card.append(caption);
    return card;
  });
  part("photos").replaceChildren(...cards, ...refused.map(refusedCard));
}

function refusedCard(file) {
  const dismiss = () => {
    refused.splice(refused.indexOf(file), 1);
    showPhotos();
  };
  return make("figure", { class: "photo-card bad" }, make("figcaption", {},
    make("b", { text: file.name }),
    make("p", { class: "trouble", text: file.message }),
    make("button", { type: "button", class: "quiet", text: t("close"), onclick: dismiss })));
}

/** The counts of a page's cells, or the characters of some, translated. */
const counted = (line) =>
  line
    .replace(/(\d+) (written|empty|crossed out|over the edge)/g, (_, count, word) => t("cells_count").replace("{}", count).replace("{what}", t(`cells_${word}`)))
    .replace(/^(empty|crossed out): /, (_, word) => t(`cells_${word}`) + t("colon"))
    .replaceAll(", ", t("comma"));

async function removePage(page) {
  if (!(await agreed(t(page.glyphs ? "remove_page_ask" : "remove_unread_ask").replace("{}", page.name), t("remove")))) return;
  await ask(`${API}/photo/${page.file}/remove`, {});
  toast(t("removed"));
  refresh();
}

// ---- glyphs

const FILTERS = {
  all: (one) => one.char,
  doubtful: (one) => one.char && one.note,
  variants: (one) => one.char && known.glyphs.filter((other) => other.char === one.char).length > 1,
  left_out: (one) => !one.char,
};

/** Where a glyph's picture is; the browser would show the one before of a page that is cut again. */
const pictureOf = (one) => `${BASE}/glyph/${encodeURIComponent(one.file)}?made=${one.made_ms}`;

/** A glyph's character; of one that is left out, the one that its picture is named by. */
const charOf = (one) => one.char || [...one.file][0];

const relabelled = new Map(); // files whose new character the studio has not confirmed yet
const A_PAGE = 60;
let most = A_PAGE; // glyphs that are shown

function showGlyphs() {
  for (const id of ["glyphs-part", "learn", "learn-hint"]) part(id).hidden = !known.glyphs.length;
  part("learn-part").hidden = !known.glyphs.length && !known.run; // it may be learned of a font
  const count = known.glyphs.filter(FILTERS.all).length;
  const chars = charCount();
  part("glyph-count").textContent = chars === count ? count : t("glyphs_of_chars").replace("{}", count).replace("{chars}", chars);
  for (const input of part("filters").querySelectorAll("input"))
    input.nextElementSibling.querySelector("small").textContent = known.glyphs.filter(FILTERS[input.value]).length;
  const wanted = FILTERS[part("filters").querySelector(":checked").value];
  const shown = known.glyphs.filter(wanted);
  shown.sort((a, b) => (wanted === FILTERS.variants ? a.char.localeCompare(b.char) : 0));
  part("more").hidden = shown.length <= most;
  const cells = shown.slice(0, most).map((one) => {
    const busy = relabelled.get(one.file);
    const cell = make("button", { type: "button", class: `cell${one.note ? " doubted" : ""}${one.char ? "" : " out"}`, "aria-busy": busy === undefined ? null : "true", onclick: () => edit(one) });
    cell.append(make("span", { class: "cell-char", text: busy || charOf(one), lang: "zh-Hans" }));
    cell.append(make("img", { src: pictureOf(one), alt: "", loading: "lazy", width: 96, height: 96 }));
    if (one.note || !one.char) cell.append(make("small", { text: one.char ? noted(one.note) : t("left_out_now") }));
    return cell;
  });
  part("glyphs").replaceChildren(...(cells.length ? cells : [make("p", { class: "hint", text: t("none_of_these") })]));
}
part("filters").addEventListener("change", () => {
  most = A_PAGE;
  showGlyphs();
});
part("more").addEventListener("click", () => {
  most += A_PAGE;
  showGlyphs();
});

const noted = (note) =>
  note
    .replace(/^reads as /, `${t("note_reads")} `)
    .replace(/^reads badly$/, t("note_badly"))
    .replace(/^over the edge$/, t("note_over"));

let edited = null;

function edit(one) {
  edited = one;
  part("glyph-title").textContent = one.char || `${charOf(one)} · ${t("left_out_now")}`;
  part("glyph-picture").src = pictureOf(one);
  const page = known.pages.find((each) => each.file === one.page);
  part("glyph-note").textContent = [one.note && noted(one.note), page && `${t("from_page")} ${page.name}`].filter(Boolean).join(" · ");
  part("glyph-char").value = charOf(one);
  part("glyph-out").textContent = t(one.char ? "leave_out" : "take_back");
  part("glyph").showModal();
  part("glyph-char").select();
}
part("glyph-form").addEventListener("submit", (event) => {
  event.preventDefault();
  label(edited, [...part("glyph-char").value][0] ?? "");
});
part("glyph-out").addEventListener("click", () => label(edited, edited.char ? "" : part("glyph-char").value));

/** Corrects a glyph at once; it is judged under its new character afterwards, which may take seconds. */
async function label(one, char, undoing = false) {
  part("glyph").close();
  relabelled.set(one.file, char);
  showGlyphs();
  try {
    const before = await ask(`${API}/label`, { file: one.file, char });
    const undo = { name: t("undo"), run: () => label(one, before.char, true) };
    const done = !char ? "left_out_now" : undoing ? "undone" : before.char ? "corrected" : "taken_back";
    toast(t(done) + t("colon") + (char || charOf({ ...one, char: before.char })), undo);
    await ask(`${API}/judge`, { file: one.file });
  } catch (error) {
    toast(error.message);
  }
  if (relabelled.get(one.file) === char) relabelled.delete(one.file); // unless it was corrected again
  refresh();
}

// ---- learning

const minutesField = part("learn").elements.minutes;

/** Queues a job; its button is busy until the studio has it. */
async function begin(button, path, options) {
  button.setAttribute("aria-busy", "true");
  await startJob(path, options);
  button.removeAttribute("aria-busy");
}

part("learn").addEventListener("submit", (event) => {
  event.preventDefault();
  const button = event.submitter ?? part("learn-go");
  const on = button === part("learn-go") && FINISHED.includes(known.state);
  begin(button, `${API}/learn`, { minutes: Number(minutesField.value), even: event.target.elements.even.checked, on });
});
const MINUTES = `minutes-${NAME}`; // another hand has its own
keepValue(minutesField, MINUTES);
let typed = false; // into the field of minutes, on this page
minutesField.addEventListener("input", () => {
  typed = true;
  showMinutes();
});

const least = Number(part("minutes-hint").dataset.least); // steps

/** The minutes in which a hand has the steps that it needs, by the speed of the last learning; 0 if that is not known. */
function neededMinutes() {
  const had = FINISHED.includes(known.state) ? known.steps_learned : 0;
  return known.steps_a_minute ? Math.max(0, least - had) / known.steps_a_minute : 0;
}

const roundMinutes = (minutes) => 5 * Math.ceil(minutes / 5);

/** Fills in what is enough, unless the user gave as much. */
function suggestMinutes() {
  const kept = Number(keptValue(MINUTES) ?? DEFAULT_MINUTES);
  if (!typed) minutesField.value = kept >= neededMinutes() ? kept : Math.max(DEFAULT_MINUTES, roundMinutes(neededMinutes()));
}

/** Whether the minutes are too few: by the speed of the last learning, if there was one. */
function showMinutes() {
  const minutes = Number(minutesField.value);
  const needed = neededMinutes();
  const had = FINISHED.includes(known.state) ? known.steps_learned : 0;
  const steps = Math.round(known.steps_a_minute * minutes);
  const said = t(had ? "minutes_more" : "minutes_give").replace("{}", steps.toLocaleString()).replace("{had}", had.toLocaleString());
  const known_few = said.replace("{least}", least).replace("{minutes}", roundMinutes(needed));
  const few = !known.steps_a_minute && !had && minutes < FEW_MINUTES ? t("minutes_few").replace("{least}", least) : "";
  part("minutes-hint").textContent = !minutes ? "" : minutes < needed ? known_few : few;
}
keepValue(part("plan").elements.count, "next-count");
part("plan").addEventListener("submit", (event) => {
  event.preventDefault();
  begin(event.target.querySelector("button"), `${API}/plan`, { count: Number(event.target.elements.count.value) });
});

function showLearning() {
  suggestMinutes();
  showMinutes();
  const finished = FINISHED.includes(known.state);
  part("learn-go").textContent = t(finished ? "learn_on" : "learn_start");
  part("learn-anew").hidden = !finished;
  const hints = [charCount() < FEW_CHARS ? "learn_few" : "learn_said", finished && "learn_on_said"];
  part("learn-hint").textContent = hints.filter(Boolean).map(t).join(document.documentElement.lang === "en" ? " " : "");
  part("learned-notes").replaceChildren(...known.notes.map((text) => make("p", { class: "trouble", text })));
  part("course").replaceChildren(...(known.run ? trainingState(known.run) : []));
  part("next-part").hidden = !known.learned;
  part("unfinished").textContent = finished || !known.learned ? "" : t(`${known.state}_said`);
  part("write-with").href = `/write?${new URLSearchParams({ hand: NAME })}`;
  part("next-chars").textContent = known.next;
  part("next-pdf").hidden = !known.next;
  if (known.learned) specimen();
}

let drawn = "";

function specimen() {
  const now = `${known.run?.path} ${known.run?.finished}`;
  if (drawn === now) return;
  drawn = now;
  showSpecimen(part("specimen"), NAME, "永和九年书", true);
}

let states = "";
let step = 0;

document.addEventListener("work", (event) => {
  const mine = event.detail.filter((job) => job.subject === NAME);
  const learning = mine.find((job) => job.kind === "learn");
  const planning = mine.find((job) => job.kind === "plan");
  const shown = (job) => (job ? [jobLine(job)] : []);
  const silent = learning?.state === "finished" ? { ...learning, message: "" } : learning; // see learned-notes
  part("learning").replaceChildren(...shown(silent));
  part("planning").replaceChildren(...shown(planning));
  const going = Boolean(learning && isOpen(learning));
  for (const button of part("learn").querySelectorAll("button")) button.disabled = going;
  part("learn-going").hidden = !going;
  part("learn-hints").hidden = going;
  part("plan").querySelector("button").disabled = Boolean(planning && isOpen(planning));
  const now = mine.map((job) => `${job.id}${job.state}`).join();
  step += 1;
  if (now !== states || (learning?.state === "running" && step % 3 === 0)) refresh();
  states = now;
});

document.addEventListener("back", refresh);

refresh();
showSaid();
