// The dialog in which a page without template is cut: its columns, and its characters within them.

import { DRAWN, ask, draw, make, part, t, toast } from "./common.js";
import { boxOf, drawPage, focusHandle, markColumn } from "./page_board.js";

const dialog = part("columns-dialog");
const board = part("columns-board");
const MIN_SPLIT_WIDTH = 0.02;
const MAX_COLUMNS = 60;
const MOST_UNDOS = 200;
const state = { api: "", past: [], saved: () => {} };
const page = { picture: "", width: 1, height: 1, columns: [], selected: 0, reading: "rtl", inRows: false };

/** Opens the dialog for a page of a hand; `saved` is called after each cut. */
export async function openColumns(base, file, saved) {
  const path = `${base}/page/${file}`;
  let answer;
  try {
    answer = await ask(`/api${path}`);
  } catch (error) {
    toast(error.message);
    return;
  }
  Object.assign(state, { api: `/api${path}`, past: [], saved });
  const first = answer.columns === "rtl" ? answer.cut.edges.length - 1 : 0; // as one reads
  Object.assign(page, { picture: path, selected: first });
  part("columns-status").textContent = "";
  show(answer);
  dialog.showModal();
}

function show({ text, columns, cut }) {
  part("columns-text").value = text;
  part("columns-reading").value = columns;
  page.columns = cut.edges.map((edges, index) => ({
    edges,
    cuts: cut.cuts?.[index] ?? [],
    placed: cut.placed?.includes(index) ?? false,
  }));
  Object.assign(page, { width: cut.width, height: cut.height });
  render();
}

/** What the server is asked to keep: edges, and the cuts of those columns where they were placed. */
const asked = () => ({
  edges: page.columns.map((column) => column.edges),
  cuts: page.columns.map((column) => (column.placed ? column.cuts : [])),
});

const snapshot = () => JSON.stringify({ columns: page.columns, reading: page.reading });

function remember(before = snapshot()) {
  state.past.push(before);
  if (state.past.length > MOST_UNDOS) state.past.shift();
}

const events = {
  before: () => remember(),
  changed: () => render(),
  chose: (index, key) => select(index, key),
  removed: () => removeColumn(),
  ended: () => {
    if (state.past.at(-1) === snapshot()) state.past.pop();
    render();
  },
};

function render() {
  const reading = part("columns-reading").value;
  const lines = part("columns-text").value.split("\n").map((line) => line.match(new RegExp(DRAWN, "gu")) ?? []).filter((line) => line.length);
  Object.assign(page, { reading, inRows: reading === "rows" });
  page.selected = Math.max(0, Math.min(page.selected, page.columns.length - 1));
  const read = reading === "rtl" ? [...page.columns].reverse() : page.columns;
  const rest = lines.flat();
  const known = lines.length === read.length || rest.length === read.reduce((sum, { cuts }) => sum + cuts.length - 1, 0);
  read.forEach((column, index) => {
    const count = column.cuts.length - 1;
    const chars = lines.length === read.length ? lines[index] : rest.splice(0, Math.max(0, count));
    Object.assign(column, { number: index + 1, chars: known && chars.length === count ? chars : null });
  });
  drawPage(board, page, events);
  showPieces();
  part("columns-count").textContent = `${t(page.inRows ? "rows_there" : "columns_there")} ${page.columns.length} · ${t("lines_there")} ${lines.length}`;
  showButtons();
}

/** Disables a button, or not; its title says why. */
function disable(id, disabled, why) {
  part(id).disabled = disabled;
  part(id).title = disabled ? why : "";
}

function showButtons() {
  part("columns-undo").disabled = !state.past.length;
  disable("columns-remove", page.columns.length < 2, t("column_last"));
  part("columns-add").disabled = page.columns.length >= MAX_COLUMNS;
  disable("columns-release", !page.columns[page.selected]?.placed, t("cuts_not_moved"));
}

/** The characters of the chosen column as they are cut now. */
function showPieces() {
  const { edges, cuts, chars } = page.columns[page.selected] ?? { cuts: [] };
  part("columns-pieces").replaceChildren(...cuts.slice(1).map((end, place) => {
    const { x, y, width, height } = boxOf(page, edges, [cuts[place], end]);
    const picture = draw("svg", { viewBox: `${x} ${y} ${width} ${height}`, "aria-hidden": "true" });
    picture.append(draw("image", { href: page.picture, width: page.width, height: page.height }));
    return make("li", {}, picture, make("span", { text: chars?.[place] ?? place + 1, lang: "zh-Hant" }));
  }));
}

/** Chooses a column, and focuses a handle of it. */
function select(index, key = `${index}-0`) {
  if (page.selected !== index) {
    page.selected = index;
    markColumn(board, index);
    showPieces();
    showButtons();
  }
  if (document.activeElement?.dataset?.handle !== key) focusHandle(board, key);
}

/** Splits the chosen column in two. */
function addColumn() {
  const [from, to] = page.columns[page.selected]?.edges ?? [0, 1];
  if (to - from < MIN_SPLIT_WIDTH) return;
  remember();
  const middle = (from + to) / 2;
  const halves = [[from, middle], [middle, to]].map((edges) => ({ edges, cuts: [], placed: false }));
  page.columns.splice(page.selected, 1, ...halves);
  render();
  select(page.selected);
}

function removeColumn() {
  if (page.columns.length < 2) return;
  remember();
  page.columns.splice(page.selected, 1);
  render();
  select(page.selected);
}

/** The cuts of the chosen column are found when the page is cut again. */
function releaseCuts() {
  remember();
  Object.assign(page.columns[page.selected], { cuts: [], placed: false });
  render();
}

function undo() {
  if (!state.past.length) return;
  const { columns, reading } = JSON.parse(state.past.pop());
  page.columns = columns;
  part("columns-reading").value = reading;
  render();
}

/** Cuts the page; without edges the columns are found anew. */
async function cut({ edges, cuts }, text = part("columns-text").value, columns = part("columns-reading").value) {
  const status = part("columns-status");
  status.className = "hint";
  status.textContent = t("cutting");
  part("columns-cut").disabled = part("columns-find").disabled = true;
  const [before, wanted] = [snapshot(), JSON.stringify(asked())];
  try {
    const previous = await ask(`${state.api}/cut`, { edges, cuts, text, columns });
    const answer = await ask(state.api);
    show(answer);
    if (JSON.stringify(asked()) !== wanted) remember(before);
    showButtons();
    status.textContent = `${t("cut_done")} ${answer.cut.boxes.length}`;
    if (previous.glyphs) {
      const { edges, cuts = [], placed = [] } = previous.cut;
      const run = () => cut({ edges, cuts: edges.map((_, index) => (placed.includes(index) ? cuts[index] : [])) }, previous.text, previous.columns);
      toast(status.textContent, { name: t("undo"), run }, dialog);
    }
    state.saved();
  } catch (error) {
    status.className = "trouble";
    status.textContent = error.message;
  }
  part("columns-cut").disabled = part("columns-find").disabled = false;
}

part("columns-add").addEventListener("click", addColumn);
part("columns-remove").addEventListener("click", removeColumn);
part("columns-release").addEventListener("click", releaseCuts);
part("columns-undo").addEventListener("click", undo);
part("columns-cut").addEventListener("click", () => cut(asked()));
part("columns-find").addEventListener("click", () => cut({}));
part("columns-text").addEventListener("input", render);
part("columns-reading").addEventListener("change", (event) => {
  remember();
  if ((event.target.value === "rows") !== page.inRows)
    for (const column of page.columns) Object.assign(column, { cuts: [], placed: false });
  render();
});
dialog.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "z" && !event.target.closest("textarea")) {
    event.preventDefault();
    undo();
  }
});
