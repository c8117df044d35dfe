// A straightened page as a drawing: its columns, the cuts along them, and handles to move both.

import { draw, t } from "./common.js";

const STEP = 0.002; // an arrow key moves a handle by this share of the page
const MIN_WIDTH = 0.01; // of a column
const MIN_HEIGHT = 0.004; // of a character
const INSET = 0.16; // of a column's width: a cut's line ends before the edges, which are dragged too

/** How far a handle can go: to its neighbours. A key is "column-edge" or "column:cut". */
function handleOf(columns, key) {
  const [index, place] = key.split(/[-:]/).map(Number);
  const { edges, cuts } = columns[index];
  if (key.includes("-")) {
    const least = place ? edges[0] + MIN_WIDTH : columns[index - 1]?.edges[1] ?? 0;
    const most = place ? columns[index + 1]?.edges[0] ?? 1 : edges[1] - MIN_WIDTH;
    return { index, place, isEdge: true, least, most, value: edges[place], shares: edges };
  }
  const least = place ? cuts[place - 1] + MIN_HEIGHT : 0;
  const most = place + 1 < cuts.length ? cuts[place + 1] - MIN_HEIGHT : 1;
  return { index, place, isEdge: false, least, most, value: cuts[place], shares: cuts };
}

/**
 * Draws `page` (picture, width, height, columns, inRows, selected) into an SVG element.
 *
 * A column has two edges, its cuts, whether these were placed, its characters (where they are known)
 * and its number. Calls `before` as a change begins, `changed` at each step, `chose` when a column is
 * chosen, `ended` after a drag.
 */
export function drawPage(board, page, on) {
  const focus = document.activeElement?.dataset?.handle;
  board.setAttribute("viewBox", `0 0 ${page.width} ${page.height}`);
  board.replaceChildren(
    draw("image", { href: page.picture, width: page.width, height: page.height }),
    ...page.columns.map((column, index) => band(page, column, index, on)),
    ...page.columns.flatMap((column, index) => [
      handle(board, page, `${index}-0`, on),
      handle(board, page, `${index}-1`, on),
      ...column.cuts.map((_, place) => handle(board, page, `${index}:${place}`, on)),
    ]),
  );
  if (focus) focusHandle(board, focus);
}

export function focusHandle(board, key) {
  board.querySelector(`[data-handle="${key}"]`)?.focus({ preventScroll: true });
}

/** Marks a column without drawing the page anew, which would end a drag. */
export function markColumn(board, index) {
  board.querySelectorAll(".column").forEach((one, at) => one.classList.toggle("chosen", at === index));
  for (const one of board.querySelectorAll(".handle.cut"))
    one.setAttribute("tabindex", one.dataset.handle.startsWith(`${index}:`) ? 0 : -1);
}

/** The box of a part of the page, of shares across and along the columns. */
export function boxOf(page, [from, to], [start, end]) {
  const { width, height } = page;
  return page.inRows
    ? { x: start * width, y: from * height, width: (end - start) * width, height: (to - from) * height }
    : { x: from * width, y: start * height, width: (to - from) * width, height: (end - start) * height };
}

function band(page, column, index, on) {
  const box = boxOf(page, column.edges, [0, 1]);
  const size = Math.max(page.width, page.height) / 36;
  const at = page.inRows ? { x: size * 0.4, y: box.y + box.height / 2 } : { x: box.x + box.width / 2, y: size };
  const group = draw("g", { class: index === page.selected ? "column chosen" : "column", onpointerdown: () => on.chose(index) });
  group.append(draw("rect", box), draw("text", { ...at, "font-size": size, text: column.number }));
  column.cuts.slice(1).forEach((end, place) => {
    const part = boxOf(page, column.edges, [column.cuts[place], end]);
    const beside = page.inRows // outside of the column, which it would cover
      ? { x: part.x + part.width / 2, y: part.y - size * 0.4 }
      : { x: part.x - size * 0.5, y: part.y + part.height / 2 };
    const label = { ...beside, "font-size": size * 0.75, class: "cut-char", lang: "zh-Hant" };
    group.append(draw("rect", { ...part, class: "cut-box" }));
    if (column.chars) group.append(draw("text", { ...label, text: column.chars[place] }));
  });
  return group;
}

function handle(board, page, key, on) {
  const { isEdge, index, place, least, most, value } = handleOf(page.columns, key);
  const column = page.columns[index];
  const level = isEdge === page.inRows; // a horizontal line
  const [along, across] = level ? [page.height, page.width] : [page.width, page.height];
  const at = value * along;
  const [from, to] = column.edges;
  const inset = isEdge ? 0 : INSET * (to - from);
  const ends = isEdge ? [0, across] : [(from + inset) * across, (to - inset) * across];
  const line = level ? { x1: ends[0], x2: ends[1], y1: at, y2: at } : { x1: at, x2: at, y1: ends[0], y2: ends[1] };
  const thick = Math.max(page.width, page.height) / (isEdge ? 45 : 110);
  const middle = isEdge
    ? across * (((index % 3) + 1) / 4 + (place ? 0.06 : 0)) // beside each other where edges meet
    : (ends[0] + ends[1]) / 2 - thick / 2;
  const grip = { width: thick, height: thick, rx: thick * (isEdge ? 0.3 : 0.5) };
  const gripAt = level ? { x: middle, y: at - thick / 2 } : { x: at - thick / 2, y: middle };
  const group = draw("g", {
    class: ["handle", level && "level", !isEdge && "cut"].filter(Boolean).join(" "),
    tabindex: isEdge || index === page.selected ? 0 : -1,
    role: "slider",
    "data-handle": key,
    "aria-label": `${t(page.inRows ? "row" : "column")} ${column.number}: ${isEdge ? edgeName(page, place) : cutName(column, place)}`,
    "aria-orientation": level ? "vertical" : "horizontal",
    "aria-valuemin": (100 * least).toFixed(1),
    "aria-valuemax": (100 * most).toFixed(1),
    "aria-valuenow": (100 * value).toFixed(1),
    "aria-valuetext": `${(100 * value).toFixed(1)} %`,
    onpointerdown: (event) => startDrag(event, board, page, key, level, on),
    onkeydown: (event) => moveByKey(event, page, key, level, on),
    onfocus: () => on.chose(index, key),
  });
  group.append(draw("line", { ...line, class: "reach" }), draw("line", line), draw("rect", { ...gripAt, ...grip }));
  return group;
}

const edgeName = (page, side) => t((page.inRows ? ["edge_top", "edge_bottom"] : ["edge_left", "edge_right"])[side]);

function cutName({ chars, cuts }, place) {
  const before = place ? chars?.[place - 1] ?? place : t("cut_start");
  const after = place + 1 < cuts.length ? chars?.[place] ?? place + 1 : t("cut_end");
  return `${t("cut")} ${before} – ${after}`;
}

function moveTo(page, key, value) {
  const { isEdge, index, place, least, most, shares } = handleOf(page.columns, key);
  shares[place] = Math.min(most, Math.max(least, value));
  if (!isEdge) page.columns[index].placed = true;
}

function startDrag(event, board, page, key, level, on) {
  event.preventDefault();
  event.stopPropagation();
  on.chose(handleOf(page.columns, key).index, key);
  on.before();
  const view = board.getScreenCTM(); // the drawing may be narrower than its element
  const share = ({ clientX, clientY }) => {
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(view.inverse());
    return level ? y / page.height : x / page.width;
  };
  const offset = handleOf(page.columns, key).value - share(event); // it does not jump to the pointer
  board.setPointerCapture(event.pointerId);
  const drag = (moved) => {
    moveTo(page, key, share(moved) + offset);
    on.changed();
  };
  const stop = () => {
    board.removeEventListener("pointermove", drag);
    board.removeEventListener("pointerup", stop);
    board.removeEventListener("pointercancel", stop);
    focusHandle(board, key);
    on.ended();
  };
  board.addEventListener("pointermove", drag);
  board.addEventListener("pointerup", stop);
  board.addEventListener("pointercancel", stop);
}

function moveByKey(event, page, key, level, on) {
  const steps = level ? { ArrowUp: -1, ArrowDown: 1 } : { ArrowLeft: -1, ArrowRight: 1 };
  const { isEdge, value } = handleOf(page.columns, key);
  if (event.key === "Delete" && isEdge) on.removed();
  else if (steps[event.key]) {
    on.before();
    moveTo(page, key, value + steps[event.key] * STEP * (event.shiftKey ? 5 : 1));
    on.changed();
    on.ended();
  } else return;
  event.preventDefault();
}
