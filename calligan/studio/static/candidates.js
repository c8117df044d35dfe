// The candidates of a character, to choose from.

import { ask, draw, glyph, make, t } from "./common.js";

export const candidatesTitle = (char) =>
  document.documentElement.lang === "en" ? `${t("candidates")} ${char}` : `${char}${t("candidates")}`;

/** Why a glyph is doubtful: in a few words, or with "_said" in a sentence. */
export const doubts = (faults, length = "") => (faults ?? []).map((fault) => t(`fault_${fault}${length}`)).join(t("comma"));

/** Fills an element with a button for each candidate; `take` receives the number of the chosen one.
 * They are as wide and high as a font made narrower has them: `scale`. */
export async function showCandidates(place, hand, char, used, take, scale = [1, 1]) {
  place.replaceChildren(make("p", { class: "waiting", text: "…" }));
  try {
    const answer = await ask(`/api/candidates?${new URLSearchParams({ hand, char })}`);
    const faults = answer.ways.find((way) => way.number === used)?.faults ?? [];
    const why = faults.length ? make("p", { class: "trouble", text: t("doubtful_why").replace("{}", doubts(faults, "_said")) }) : "";
    place.replaceChildren(why, ...answer.ways.map((way) => button(way, answer.least, used, take, scale)));
    (place.querySelector(".mine") ?? place.querySelector("button"))?.focus();
  } catch (error) {
    place.replaceChildren(make("p", { class: "trouble", text: error.message }));
  }
}

function button(way, least, used, take, scale) {
  const mine = used === way.number;
  const one = make("button", {
    type: "button",
    class: mine ? "way mine" : "way",
    "aria-pressed": mine ? "true" : "false",
    "aria-current": mine ? "true" : null,
    title: doubts(way.faults, "_said") || null,
    onclick: () => take(way.number),
  });
  one.append(glyph(way.d, "", 1000, scale), make("span", { text: t(`way_${way.way}`) }));
  if (way.score !== null) one.append(meter(way.score, least ?? 0));
  if (way.faults.length) one.append(make("span", { class: "why", text: doubts(way.faults) }));
  if (mine) one.append(make("b", { class: "in-use", text: t("in_use") }));
  return one;
}

/** The score, and the mark that real glyphs reach. */
function meter(score, least) {
  const bar = draw("svg", { viewBox: "0 0 100 6", class: score < least ? "meter low" : "meter", "aria-hidden": "true" });
  bar.append(
    draw("rect", { class: "trough", width: 100, height: 2, y: 2 }),
    draw("rect", { class: "value", width: 100 * score, height: 2, y: 2 }),
    draw("rect", { class: "mark", x: Math.min(99, 100 * least), width: 1, height: 6 }),
  );
  const text = make("span", { class: "score", text: `${(100 * score).toFixed(1)} %` });
  return make("span", { class: "meter-row" }, bar, text);
}
