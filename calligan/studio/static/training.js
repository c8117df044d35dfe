// A training run: curves of its losses, and the newest sample sheet.

import { draw, make, t } from "./common.js";

const [WIDTH, HEIGHT] = [640, 200];
const GAP = 4; // above the first row of a sheet, in its pixels
const COLOURS = ["reconstruction", "validation_l1"];

/** The state of a run as pictures. */
export function trainingState(run) {
  const parts = [];
  const names = COLOURS.filter((name) => new Set(run.curves[name]?.map(([step]) => step)).size > 1);
  if (names.length) parts.push(curves(run, names));
  const path = run.path.startsWith("runs/") ? run.path.replace("runs/", "runs/runs/") : run.path;
  const sheet = run.sheets.at(-1);
  if (run.before_after && run.finished) {
    const picture = strips(`/sheet/${path}/before-after.png`, run.before_after);
    parts.push(make("figure", {}, picture, make("figcaption", { class: "hint", text: t("before_after") })));
  } else if (sheet) {
    const picture = make("img", { src: `/sheet/${path}/${sheet}`, alt: t("samples"), class: "samples", loading: "lazy" });
    parts.push(make("figure", {}, picture, make("figcaption", { class: "hint", text: t("samples") })));
  }
  return parts;
}

/** The cells of a sheet, with the names of its rows in the language of the page. */
function strips(address, { width, height, left, pitch, count }) {
  const place = make("div", { class: "strips", role: "img", tabindex: 0, "aria-label": t("before_after") });
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
    if (share) svg.append(draw("text", { x: 2, y: y + 12, text: (high * share).toPrecision(2) }));
  }
  svg.append(draw("text", { x: WIDTH - 2, y: HEIGHT + 20, class: "end", text: `${last.toLocaleString()} ${t("steps")}` }));
  for (const [index, one] of [run, other].filter(Boolean).entries())
    for (const name of names) {
      const points = (one.curves[name] ?? []).map(
        ([step, value]) => `${((WIDTH * step) / last).toFixed(1)},${(HEIGHT * (1 - Math.min(1, value / high)) + 4).toFixed(1)}`,
      );
      if (points.length === 1) {
        const [cx, cy] = points[0].split(",");
        svg.append(draw("circle", { cx, cy, r: 3.5, class: `dot ${name}` }));
      }
      svg.append(draw("polyline", { points: points.join(" "), class: `curve ${name} run-${index}` }));
    }
  const key = make("p", { class: "hint key" });
  for (const name of names) key.append(make("span", { class: `key-${name}`, text: label(name) }));
  return make("figure", {}, svg, make("figcaption", {}, key));
}

const label = (name) => t(name === "validation_l1" ? "curve_held" : "curve");

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 1;
}
