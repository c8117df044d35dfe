// One hand: photographs, glyphs, learning, what comes next.

import { acceptFiles, agreed, ask, isOpen, jobLine, keepValue, make, part, showSpecimen, startJob, t, toast } from "./common.js";
import { openColumns } from "./columns.js";
import { trainingState } from "./training.js";

const NAME = document.getElementById("hand-view").dataset.name;
const BASE = `/hand/${encodeURIComponent(NAME)}`;
const API = `/api${BASE}`;
const FEW_MINUTES = 5; // in which a machine that does something else too may not have learned enough
const MIN_TIMED_STEPS = 20; // of a learning whose speed is taken for that of the next
let known = { pages: [], glyphs: [] };

async function refresh() {
  try {
    known = await ask(API);
  } catch (error) {
    toast(error.message);
    return;
  }
  showPhotos();
  showGlyphs();
  showLearning();
}

// ---- photographs

acceptFiles(part("zone"), part("files"), send);

const refused = []; // files that are no photographs, until they are removed or the page is left

/** One after another, so that each is seen as soon as it is read. */
async function send(files) {
  for (const file of files) {
    const waiting = make("p", { class: "waiting", text: `${t("reading_photo")} ${file.name} …` });
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
    make("button", { type: "button", class: "quiet", text: t("remove"), onclick: dismiss })));
}

/** The counts of a page's cells, translated. */
const counted = (line) =>
  ["written", "empty", "crossed out", "over the edge"].reduce((text, word) => text.replace(word, t(`cells_${word}`)), line);

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

const A_PAGE = 60;
let most = A_PAGE; // glyphs that are shown

function showGlyphs() {
  for (const id of ["glyphs-part", "learn", "learn-hint"]) part(id).hidden = !known.glyphs.length;
  part("learn-part").hidden = !known.glyphs.length && !known.run; // it may be learned of a font
  const count = known.glyphs.filter(FILTERS.all).length;
  part("glyph-count").textContent = count;
  for (const input of part("filters").querySelectorAll("input"))
    input.nextElementSibling.querySelector("small").textContent = known.glyphs.filter(FILTERS[input.value]).length;
  const wanted = FILTERS[part("filters").querySelector(":checked").value];
  const shown = known.glyphs.filter(wanted);
  shown.sort((a, b) => (wanted === FILTERS.variants ? a.char.localeCompare(b.char) : 0));
  part("more").hidden = shown.length <= most;
  const cells = shown.slice(0, most).map((one) => {
    const cell = make("button", { type: "button", class: `cell${one.note ? " doubted" : ""}${one.char ? "" : " out"}`, onclick: () => edit(one) });
    cell.append(make("span", { class: "cell-char", text: charOf(one), lang: "zh-Hans" }));
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

async function label(one, char) {
  part("glyph").close();
  try {
    const before = await ask(`${API}/label`, { file: one.file, char });
    const undo = { name: t("undo"), run: () => label(one, before.char) };
    toast(char ? `${t(before.char ? "corrected" : "taken_back")}: ${char}` : t("left_out_now"), undo);
  } catch (error) {
    toast(error.message);
  }
  refresh();
}

// ---- learning

part("learn").addEventListener("submit", (event) => {
  event.preventDefault();
  const { minutes, even } = event.target.elements;
  startJob(`${API}/learn`, { minutes: Number(minutes.value), even: even.checked });
});
keepValue(part("learn").elements.minutes, "minutes");
part("learn").elements.minutes.addEventListener("input", showMinutes);

/** Whether the minutes are too few: by the speed of the last learning, if there was one. */
function showMinutes() {
  const place = part("minutes-hint");
  const least = Number(place.dataset.least);
  const minutes = Number(part("learn").elements.minutes.value);
  const { step, elapsed_s } = known.run ?? {};
  const a_minute = step >= MIN_TIMED_STEPS && elapsed_s ? (60 * step) / elapsed_s : 0;
  const steps = Math.round(a_minute * minutes);
  const known_few = t("minutes_give").replace("{}", steps.toLocaleString()).replace("{least}", least).replace("{minutes}", Math.ceil(least / a_minute));
  const few = minutes < FEW_MINUTES ? t("minutes_few").replace("{least}", least) : "";
  place.textContent = !minutes ? "" : !a_minute ? few : steps < least ? known_few : "";
}
keepValue(part("plan").elements.count, "next-count");
part("plan").addEventListener("submit", (event) => {
  event.preventDefault();
  startJob(`${API}/plan`, { count: Number(event.target.elements.count.value) });
});

function showLearning() {
  showMinutes();
  part("learn").querySelector("button").textContent = t(known.state === "learned" ? "learn_again" : "learn_start");
  const count = known.glyphs.filter(FILTERS.all).length;
  part("learn-hint").textContent = t(count < 30 ? "learn_few" : "learn_said");
  part("learned-notes").replaceChildren(...known.notes.map((text) => make("p", { class: "trouble", text })));
  part("course").replaceChildren(...(known.run ? trainingState(known.run) : []));
  part("next-part").hidden = !known.learned;
  part("unfinished").textContent = known.state === "learned" || !known.learned ? "" : t(`${known.state}_said`);
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
  for (const button of part("learn").querySelectorAll("button")) button.disabled = learning && isOpen(learning);
  const now = mine.map((job) => `${job.id}${job.state}`).join();
  step += 1;
  if ((states && now !== states) || (learning?.state === "running" && step % 3 === 0)) refresh();
  states = now || "none";
});

refresh();
