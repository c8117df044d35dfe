// A training run: curves of its losses, and the newest sample sheet.

import { draw, make, showDialog, t } from "./common.js";

const [WIDTH, HEIGHT] = [640, 200];
const MIN_POINTS = 4; // of a curve, before which a hand's chart is an almost empty box
const DOT = 4; // radius of a curve's only point
const GAP = 4; // above the first row of a sheet, in its pixels

/** The state of a run as pictures. */
export function trainingState(run) {
  const parts = [];
  const names = curveNames(run);
  if (names.some((name) => run.curves[name].length >= MIN_POINTS)) parts.push(curves(run, names));
  const path = run.path.startsWith("runs/") ? run.path.replace("runs/", "runs/runs/") : run.path;
  const sheet = run.sheets.at(-1);
  if (run.before_after && run.finished) {
    const address = `/sheet/${path}/before-after.png`;
    const small = make("button", { type: "button", class: "bare enlarge", "aria-label": t("enlarge"), title: t("enlarge"), onclick: () => enlarge(t("before_after"), strips(address, run.before_after, { role: "img", tabindex: 0, "aria-label": t("before_after") })) }, strips(address, run.before_after));
    const began = run.began_from && t("began_from").replace("{}", run.began_from);
    parts.push(make("figure", {}, small, make("figcaption", { class: "hint", text: [t("before_after"), began].filter(Boolean).join(t("stop")) })));
  } else if (sheet) {
    parts.push(make("figure", {}, samples(`/sheet/${path}/${sheet}`, run), make("figcaption", { class: "hint", text: t("samples") })));
  }
  return parts;
}

/** A sheet of samples, which a click enlarges. */
export function samples(address, run) {
  const small = sampleSheet(address, run);
  const large = () => enlarge(t("samples"), sampleSheet(small.querySelector("img").src, run));
  return make("button", { type: "button", class: "bare enlarge", title: t("enlarge"), onclick: large }, small);
}

/** The picture of a sheet without its column of English names, which are written beside it. */
function sampleSheet(address, run) {
  const picture = make("img", { src: address, alt: t("samples") });
  picture.addEventListener("load", () => {
    const share = run.label_px / (picture.naturalWidth - run.label_px);
    picture.style.width = `${100 * (1 + share)}%`;
    picture.style.marginLeft = `${-100 * share}%`;
  });
  const mine = run.path.startsWith("hands/"); // rows are named as in the comparison of before and after
  const names = run.styles.flatMap((style) => (mine ? [t("row_source"), t("row_now"), t("row_yours")] : [t("row_source"), style, t("row_real")]));
  const rows = make("span", { class: "sample-names" }, ...names.map((text) => make("span", { text })));
  return make("span", { class: "samples named" }, rows, make("span", { class: "sample-window" }, picture));
}

/** Shows something in a dialog of its own, as large as the window allows. */
function enlarge(title, content) {
  const close = make("button", { class: "quiet", "aria-label": t("close"), text: "✕" });
  const head = make("form", { method: "dialog", class: "dialog-head" }, make("h2", { text: title }), close);
  showDialog(make("dialog", { class: "large enlarged", "aria-label": title }, head, content));
}

/** The losses of a run that there are. */
export const curveNames = (run) => ["reconstruction", "validation_l1"].filter((name) => run.curves[name]?.length);

/** The cells of a sheet, with the names of its rows in the language of the page. */
function strips(address, { width, height, left, pitch, count }, options = {}) {
  const place = make("div", { class: "strips", ...options });
  place.style.setProperty("--count", count);
  for (const [row, name] of ["row_source", "row_before", "row_after", "row_yours"].entries()) {
    place.append(make("span", { text: t(name) }));
    for (let column = 0; column < count; column += 1) {
      const cell = place.appendChild(make("i"));
      const [x, y] = [left + column * pitch, GAP + row * pitch];
      cell.style.backgroundImage = `url("${address}")`;
      cell.style.backgroundSize = `${(100 * width) / pitch}% auto`;
      cell.style.backgroundPosition = `${(100 * x) / (width - pitch)}% ${(100 * y) / (height - pitch)}%`;
    }
  }
  return place;
}

export function curves(run, names, other = null) {
  const all = [run, other].filter(Boolean).flatMap((one) => names.flatMap((name) => one.curves[name] ?? []));
  const last = Math.max(...all.map(([step]) => step), 1);
  const high = quantile(all.map(([, value]) => value), 0.98) * 1.05;
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 24}`, class: "curves", role: "img" });
  const titles = names.map((name) => `${label(name)}: ${run.curves[name]?.at(-1)?.[1].toFixed(4) ?? "–"}`);
  svg.append(draw("title", { text: titles.join(", ") }));
  for (const share of [0, 0.5, 1]) {
    const y = HEIGHT * (1 - share) + 4;
    svg.append(draw("line", { x1: 0, x2: WIDTH, y1: y, y2: y, class: "grid" }));
  }
  svg.append(draw("text", { x: WIDTH - 2, y: HEIGHT + 20, class: "end", text: `${last.toLocaleString()} ${t("steps")}` }));
  for (const [index, one] of [run, other].filter(Boolean).entries())
    for (const name of names) {
      const points = (one.curves[name] ?? []).map(
        ([step, value]) => `${((WIDTH * step) / last).toFixed(1)},${(HEIGHT * (1 - Math.min(1, value / high)) + 4).toFixed(1)}`,
      );
      if (new Set(points.map((point) => point.split(",")[0])).size === 1) {
        const [cx, cy] = points.at(-1).split(",");
        svg.append(draw("circle", { cx: Math.min(cx, WIDTH - DOT), cy, r: DOT, class: `dot ${name}` }));
      } else svg.append(draw("polyline", { points: points.join(" "), class: `curve ${name} run-${index}` }));
    }
  for (const [share, name] of [[0.5, ""], [1, `${t("curve")} `]])
    svg.append(draw("text", { x: 2, y: HEIGHT * (1 - share) + 16, text: name + (high * share).toPrecision(2) }));
  const single = all.length > 0 && new Set(all.map(([step]) => step)).size === 1;
  const key = make("p", { class: "hint key" });
  for (const name of names) key.append(make("span", { class: `key-${name}`, text: label(name) }));
  const caption = make("figcaption", {}, key, make("p", { class: "hint", text: t("curve_said") }));
  if (single) caption.append(make("p", { class: "hint", text: t("curve_single") }));
  return make("figure", {}, svg, caption);
}

const label = (name) => t(name === "validation_l1" ? "curve_held" : "curve");

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 1;
}
