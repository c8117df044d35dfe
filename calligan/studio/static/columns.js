// The dialog in which the columns of a page without template are dragged into place.

import { ask, draw, make, part, t, toast } from "./common.js";

const dialog = part("columns-dialog");
const board = part("columns-board");
const STEP = 0.002; // an arrow key moves an edge by this share of the page
const MIN_WIDTH = 0.01;
const MAX_COLUMNS = 60;
const state = { base: "", api: "", width: 1, height: 1, edges: [], boxes: [], past: [], selected: 0, saved: () => {} };

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
  Object.assign(state, { base: path, api: `/api${path}`, past: [], selected: 0, saved });
  part("columns-text").value = answer.text;
  part("columns-reading").value = answer.columns;
  show(answer.cut);
  dialog.showModal();
}

function show(cut) {
  state.edges = cut.edges.map((edge) => [...edge]);
  Object.assign(state, { width: cut.width, height: cut.height, boxes: cut.boxes, found: cut.edges });
  state.selected = Math.min(state.selected, state.edges.length - 1);
  render();
}

const inRows = () => part("columns-reading").value === "rows";

/** The number of a column in the order of reading. */
const order = (index) => (part("columns-reading").value === "rtl" ? state.edges.length - index : index + 1);

function render() {
  const { width, height } = state;
  board.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const parts = [draw("image", { href: state.base, width, height })];
  for (const [, left, top, right, bottom] of state.boxes)
    parts.push(draw("rect", { class: "cut-box", x: left * width, y: top * height, width: (right - left) * width, height: (bottom - top) * height }));
  state.edges.forEach(([from, to], index) => parts.push(band(from, to, index)));
  state.edges.forEach((edge, index) => parts.push(handle(edge, index, 0), handle(edge, index, 1)));
  const focus = document.activeElement?.dataset?.handle;
  board.replaceChildren(...parts);
  if (focus) board.querySelector(`[data-handle="${focus}"]`)?.focus();
  const lines = part("columns-text").value.split("\n").filter((line) => line.trim()).length;
  part("columns-count").textContent = `${t(inRows() ? "rows_there" : "columns_there")} ${state.edges.length} · ${t("lines_there")} ${lines}`;
  part("columns-undo").disabled = !state.past.length;
  part("columns-remove").disabled = state.edges.length < 2;
  part("columns-add").disabled = state.edges.length >= MAX_COLUMNS;
}

function band(from, to, index) {
  const { width, height } = state;
  const chosen = index === state.selected ? "column chosen" : "column";
  const box = inRows()
    ? { x: 0, y: from * height, width, height: (to - from) * height }
    : { x: from * width, y: 0, width: (to - from) * width, height };
  const size = Math.max(width, height) / 36;
  const at = inRows() ? { x: size * 0.4, y: box.y + box.height / 2 } : { x: box.x + box.width / 2, y: size };
  const group = draw("g", { class: chosen, onpointerdown: () => select(index) });
  group.append(draw("rect", box), draw("text", { ...at, "font-size": size, text: order(index) }));
  return group;
}

function handle(edge, index, side) {
  const { width, height } = state;
  const [along, across] = inRows() ? [height, width] : [width, height];
  const at = edge[side] * along;
  const line = inRows() ? { x1: 0, x2: across, y1: at, y2: at } : { x1: at, x2: at, y1: 0, y2: across };
  const thick = Math.max(width, height) / 45;
  const grip = { rx: thick * 0.3, width: thick, height: thick };
  const place = ((index % 3) + 1) / 4 + (side ? 0.06 : 0); // beside each other where edges meet
  const gripAt = inRows() ? { x: across * place, y: at - thick / 2 } : { x: at - thick / 2, y: across * place };
  const [least, most] = limits(index, side);
  const group = draw("g", {
    class: inRows() ? "handle rows" : "handle",
    tabindex: 0,
    role: "slider",
    "data-handle": `${index}-${side}`,
    "aria-label": `${t(inRows() ? "row" : "column")} ${order(index)}: ${t(edgeName(side))}`,
    "aria-orientation": inRows() ? "vertical" : "horizontal",
    "aria-valuemin": (100 * least).toFixed(1),
    "aria-valuemax": (100 * most).toFixed(1),
    "aria-valuenow": (100 * edge[side]).toFixed(1),
    "aria-valuetext": `${(100 * edge[side]).toFixed(1)} %`,
    onpointerdown: (event) => startDrag(event, index, side),
    onkeydown: (event) => moveByKey(event, index, side),
    onfocus: () => mark(index),
  });
  group.append(draw("line", { ...line, class: "reach", "stroke-width": thick }), draw("line", line), draw("rect", { ...gripAt, ...grip }));
  return group;
}

const edgeName = (side) => (inRows() ? ["edge_top", "edge_bottom"] : ["edge_left", "edge_right"])[side];

/** How far an edge can go: to the next column, and not across its own other edge. */
function limits(index, side) {
  const [from, to] = state.edges[index];
  return side ? [from + MIN_WIDTH, state.edges[index + 1]?.[0] ?? 1] : [state.edges[index - 1]?.[1] ?? 0, to - MIN_WIDTH];
}

function move(index, side, value) {
  const [least, most] = limits(index, side);
  state.edges[index][side] = Math.min(most, Math.max(least, value));
}

/** Marks a column without drawing the page anew, which would end a drag. */
function mark(index) {
  state.selected = index;
  board.querySelectorAll(".column").forEach((one, at) => one.classList.toggle("chosen", at === index));
}

function select(index) {
  mark(index);
  board.querySelector(`[data-handle="${index}-0"]`)?.focus({ preventScroll: true });
}

function remember() {
  state.past.push(JSON.stringify(state.edges));
  if (state.past.length > 200) state.past.shift();
}

function startDrag(event, index, side) {
  event.preventDefault();
  event.stopPropagation();
  mark(index);
  remember();
  const view = board.getScreenCTM(); // the drawing may be narrower than its element
  const key = `${index}-${side}`;
  board.setPointerCapture(event.pointerId);
  const drag = (moved) => {
    const { x, y } = new DOMPoint(moved.clientX, moved.clientY).matrixTransform(view.inverse());
    move(index, side, inRows() ? y / state.height : x / state.width);
    state.boxes = []; // they are of the columns before
    render();
  };
  const stop = () => {
    board.removeEventListener("pointermove", drag);
    board.querySelector(`[data-handle="${key}"]`)?.focus({ preventScroll: true });
    if (state.past.at(-1) === JSON.stringify(state.edges)) state.past.pop();
    render();
  };
  board.addEventListener("pointermove", drag);
  board.addEventListener("pointerup", stop, { once: true });
  board.addEventListener("pointercancel", stop, { once: true });
}

function moveByKey(event, index, side) {
  const steps = inRows() ? { ArrowUp: -1, ArrowDown: 1 } : { ArrowLeft: -1, ArrowRight: 1 };
  if (event.key === "Delete") removeColumn();
  else if (steps[event.key]) {
    remember();
    move(index, side, state.edges[index][side] + steps[event.key] * STEP * (event.shiftKey ? 5 : 1));
    state.boxes = [];
    render();
  } else return;
  event.preventDefault();
}

/** Splits the chosen column in two. */
function addColumn() {
  const [from, to] = state.edges[state.selected] ?? [0, 1];
  if (to - from < 2 * MIN_WIDTH) return;
  remember();
  const middle = (from + to) / 2;
  state.edges.splice(state.selected, 1, [from, middle], [middle, to]);
  state.boxes = [];
  render();
  select(state.selected);
}

function removeColumn() {
  if (state.edges.length < 2) return;
  remember();
  state.edges.splice(state.selected, 1);
  state.selected = Math.min(state.selected, state.edges.length - 1);
  state.boxes = [];
  render();
  select(state.selected);
}

function undo() {
  if (!state.past.length) return;
  state.edges = JSON.parse(state.past.pop());
  state.boxes = [];
  state.selected = Math.min(state.selected, state.edges.length - 1);
  render();
}

/** Cuts the page; without edges the columns are found anew. */
async function cut(edges, text = part("columns-text").value, columns = part("columns-reading").value) {
  const status = part("columns-status");
  status.className = "hint";
  status.textContent = t("cutting");
  part("columns-cut").disabled = part("columns-find").disabled = true;
  try {
    const before = await ask(`${state.api}/cut`, { edges, text, columns });
    const answer = await ask(state.api);
    part("columns-text").value = answer.text;
    part("columns-reading").value = answer.columns;
    if (JSON.stringify(state.edges) !== JSON.stringify(answer.cut.edges)) remember();
    show(answer.cut);
    status.textContent = `${t("cut_done")} ${answer.cut.boxes.length}`;
    if (before.glyphs) {
      const run = () => cut(before.cut.edges, before.text, before.columns);
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
part("columns-undo").addEventListener("click", undo);
part("columns-cut").addEventListener("click", () => cut(state.edges));
part("columns-find").addEventListener("click", () => cut(null));
part("columns-text").addEventListener("input", render);
part("columns-reading").addEventListener("change", () => {
  state.boxes = [];
  render();
});
dialog.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "z" && !event.target.closest("textarea")) {
    event.preventDefault();
    undo();
  }
});
