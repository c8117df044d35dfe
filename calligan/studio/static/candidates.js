// The forms of a character, to choose from, and why one is doubtful: for every view.

import { ask, glyph, make, part, percent, t } from "./common.js";

// Known from the character, before it is drawn; all other faults are seen in the drawing.
const FORESEEN = ["dense", "unlearned"];

const isEnglish = () => document.documentElement.lang === "en";

export const candidatesTitle = (char) => (isEnglish() ? `${t("candidates")} ${char}` : `${char}${t("candidates")}`);

/** Why a glyph is doubtful, in a few words. */
export const doubts = (faults) => faults.map((fault) => t(`fault_${fault}`)).join(t("comma"));

/** Why a glyph is doubtful: a sentence for each fault. */
export const doubtsSaid = (faults, strokes) => faults.map((fault) => t(`fault_${fault}_said`).replace("{}", strokes ?? ""));

/** The sentences in one text, as for a tooltip. */
export const doubtsText = (faults, strokes) => doubtsSaid(faults, strokes).join(isEnglish() ? " " : "");

/** Fills an element with the printed form and a button for each candidate; `take` receives the number of the chosen one.
 * They are as a font that was completed has them, if there is one: `fit`. */
export async function showCandidates(place, hand, char, used, take, fit = {}) {
  place.replaceChildren(make("p", { class: "waiting", text: "…" }));
  part("reads-said").hidden = true;
  try {
    const { printed, strokes, ways } = await ask(`/api/candidates?${new URLSearchParams({ hand, char })}`);
    const buttons = ways.map((way) => button(way, strokes, used, take, fit));
    place.replaceChildren(...why(ways, strokes, used), print(printed, char), ...buttons);
    part("reads-said").hidden = !ways.some((way) => readingSaid(way) === "well");
    (place.querySelector(".mine") ?? place.querySelector("button"))?.focus();
  } catch (error) {
    place.replaceChildren(make("p", { class: "trouble", text: error.message }));
  }
}

/** What is doubtful: of the character, of all its forms, and of the form in use. */
function why(ways, strokes, used) {
  const mine = ways.find((way) => way.number === used); // none in a font that has another glyph, or is without it
  const faults = (mine ?? ways[0])?.faults ?? [];
  const kind = (fault) => {
    if (FORESEEN.includes(fault)) return "doubt_foreseen";
    return ways.every((way) => way.faults.includes(fault)) ? "doubt_all" : "doubt_seen";
  };
  const kinds = ["doubt_foreseen", "doubt_all", ...(mine ? ["doubt_seen"] : [])];
  const parts = kinds.map((name) => [name, faults.filter((fault) => kind(fault) === name)]).filter(([, found]) => found.length);
  if (!parts.length) return [];
  const lines = parts.flatMap(([head, found]) => [make("dt", { text: t(head) }), ...doubtsSaid(found, strokes).map((text) => make("dd", { text }))]);
  return [make("div", { class: "doubt" }, make("dl", {}, ...lines), make("p", { text: t("doubt_do") }))];
}

const print = (d, char) => make("figure", { class: "in-print" }, glyph(d, char), make("figcaption", { text: t("in_print") }));

/** A glyph's scale and place in a font: its ink is within the advance, as `fit_to_body` makes it. */
export function placed([left, right], { scale = [1, 1], advance }) {
  const [x, y] = scale;
  const plain = 500 * (1 - x);
  const [begins, ends] = [x * left + plain, x * right + plain];
  const [low, high] = [500 - advance / 2, 500 + advance / 2];
  if (!advance || (begins >= low && ends <= high)) return [scale, plain];
  const squeezed = Math.min(1, (high - low) / (ends - begins));
  const start = Math.min(Math.max(begins, low), high - squeezed * (ends - begins));
  return [[x * squeezed, y], start - x * squeezed * left];
}

function button(way, strokes, used, take, fit) {
  const mine = used === way.number;
  const one = make("button", {
    type: "button",
    class: mine ? "way mine" : "way",
    "aria-pressed": mine ? "true" : "false",
    "aria-current": mine ? "true" : null,
    title: [...doubtsSaid(way.faults, strokes), way.score === null ? "" : t("reader").replace("{}", percent(way.score))].filter(Boolean).join("\n") || null,
    onclick: () => take(way.number),
  });
  const best = way.number === 1 && make("b", { class: "best", text: t("best_form") });
  one.append(glyph(way.d, "", 1000, ...placed(way.box, fit)), make("span", { class: "form-name" }, make("span", { text: way.number }), best || ""), verdict(way));
  if (mine) one.append(make("b", { class: "in-use", text: t("in_use") }));
  return one;
}

/** What was seen in a form, else how it reads: not that it reads well where that is known to say little. */
function verdict(way) {
  const seen = seenIn(way);
  if (seen.length) return make("span", { class: "why", text: doubts(seen) });
  const said = readingSaid(way);
  return make("span", { class: "reads", text: said ? t(`reads_${said}`) : "" });
}

const seenIn = ({ faults }) => faults.filter((fault) => !FORESEEN.includes(fault));

/** How a form is said to read: "well", "far", "less"; "" where that is not said. */
function readingSaid(way) {
  const { faults, reads } = way;
  return reads && !seenIn(way).length && (!faults.length || reads === "less") ? reads : "";
}
