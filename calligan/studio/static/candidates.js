// The candidates of a character, to choose from.

import { ask, draw, glyph, make, percent, t } from "./common.js";

export const candidatesTitle = (char) =>
  document.documentElement.lang === "en" ? `${t("candidates")} ${char}` : `${char}${t("candidates")}`;

/** Why a glyph is doubtful: in a few words, or with "_said" in a sentence. */
export const doubts = (faults, length = "") => (faults ?? []).map((fault) => t(`fault_${fault}${length}`)).join(t("comma"));

/** Fills an element with a button for each candidate; `take` receives the number of the chosen one.
 * They are as a font that was completed has them, if there is one: `fit`. */
export async function showCandidates(place, hand, char, used, take, fit = {}) {
  place.replaceChildren(make("p", { class: "waiting", text: "…" }));
  try {
    const answer = await ask(`/api/candidates?${new URLSearchParams({ hand, char })}`);
    const faults = answer.ways.find((way) => way.number === used)?.faults ?? [];
    const why = faults.length ? make("p", { class: "trouble", text: t("doubtful_why").replace("{}", doubts(faults, "_said")) }) : "";
    place.replaceChildren(why, ...answer.ways.map((way) => button(way, answer.limit ?? 0, used, take, fit)));
    (place.querySelector(".mine") ?? place.querySelector("button"))?.focus();
  } catch (error) {
    place.replaceChildren(make("p", { class: "trouble", text: error.message }));
  }
}

/** A glyph's scale and place in a font: its ink is within the advance, as `fit_to_body` makes it. */
function placed([left, right], { scale = [1, 1], advance }) {
  const [x, y] = scale;
  const plain = 500 * (1 - x);
  const [begins, ends] = [x * left + plain, x * right + plain];
  const [low, high] = [500 - advance / 2, 500 + advance / 2];
  if (!advance || (begins >= low && ends <= high)) return [scale, plain];
  const squeezed = Math.min(1, (high - low) / (ends - begins));
  const start = Math.min(Math.max(begins, low), high - squeezed * (ends - begins));
  return [[x * squeezed, y], start - x * squeezed * left];
}

function button(way, limit, used, take, fit) {
  const mine = used === way.number;
  const one = make("button", {
    type: "button",
    class: mine ? "way mine" : "way",
    "aria-pressed": mine ? "true" : "false",
    "aria-current": mine ? "true" : null,
    title: doubts(way.faults, "_said") || null,
    onclick: () => take(way.number),
  });
  one.append(glyph(way.d, "", 1000, ...placed(way.box, fit)), make("span", { text: t(`way_${way.way}`) }));
  if (way.score !== null) one.append(meter(way.score, limit));
  if (way.faults.length) one.append(make("span", { class: "why", text: doubts(way.faults) }));
  if (mine) one.append(make("b", { class: "in-use", text: t("in_use") }));
  return one;
}

/** The score, and the limit below which a glyph is doubtful. */
function meter(score, limit) {
  const bar = draw("svg", { viewBox: "0 0 100 6", class: score < limit ? "meter low" : "meter", "aria-hidden": "true" });
  bar.append(
    draw("rect", { class: "trough", width: 100, height: 2, y: 2 }),
    draw("rect", { class: "value", width: 100 * score, height: 2, y: 2 }),
    draw("rect", { class: "mark", x: Math.min(99, 100 * limit), width: 1, height: 6 }),
  );
  const text = make("span", { class: "score", text: percent(score) });
  const said = limit ? make("small", { class: "limit", text: `${t("limit")} ${percent(limit)}` }) : null;
  return make("span", { class: "meter-row" }, bar, text, said);
}
