// The candidates of a character, to choose from.

import { ask, draw, glyph, make, t } from "./common.js";

export const candidatesTitle = (char) =>
  document.documentElement.lang === "en" ? `${t("candidates")} ${char}` : `${char}${t("candidates")}`;

/** Fills an element with a button for each candidate; `take` receives the number of the chosen one. */
export async function showCandidates(place, hand, char, chosen, take) {
  place.replaceChildren(make("p", { class: "waiting", text: "…" }));
  try {
    const answer = await ask(`/api/candidates?${new URLSearchParams({ hand, char })}`);
    place.replaceChildren(...answer.ways.map((way) => button(way, answer.least, chosen, take)));
    place.querySelector("button")?.focus();
  } catch (error) {
    place.replaceChildren(make("p", { class: "trouble", text: error.message }));
  }
}

function button(way, least, chosen, take) {
  const mine = chosen === way.number;
  const one = make("button", {
    type: "button",
    class: mine ? "way mine" : "way",
    "aria-pressed": mine ? "true" : "false",
    onclick: () => take(way.number),
  });
  one.append(glyph(way.d), make("span", { text: t(`way_${way.way}`) }));
  if (way.score !== null) one.append(meter(way.score, least ?? 0));
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
