// The hand to write with: the dialog of all hands, and mixtures of two or three.

import { ask, handNames, handTraits, make, part, showSpecimen, t } from "./common.js";

const list = part("hands");
let hands = [];
let current = "1";
let notify = () => {};

/** Sets the function that is called when the user takes another hand. */
export function onHandChange(listener) {
  notify = listener;
}

/** Requests the list of hands. */
export async function loadHands() {
  hands = (await ask("/api/hands")).hands;
  const first = hands.find((hand) => hand.origin === "bundle") ?? hands[0];
  if (current === "1" && first) current = first.key;
}

/** The key of the hand, with what it is mixed with: a:0.5+b:0.5, or 0001/a:0.5+b:0.5 in a run. */
export function handKey() {
  const second = part("mix-second").value;
  if (!second) return current;
  const third = part("mix-third").value;
  const shares = [Number(part("mix-share").value) / 100];
  if (third) shares.push(Number(part("mix-share-third").value) / 100);
  const first = Math.max(0, 1 - shares.reduce((a, b) => a + b));
  const parts = [[current, first], [inShort(second), shares[0]], [inShort(third), shares[1]]].filter(([one]) => one);
  return parts.map(([one, share]) => `${one}:${Number(share.toFixed(2))}`).join("+");
}

const run = () => current.match(/^\d{4}\//)?.[0] ?? "";
const inShort = (key) => (run() && key.startsWith(run()) ? key.slice(run().length) : key);

/** Shows a hand, or a mixture. */
export function setHand(key) {
  const parts = key.split("+").map((one) => one.match(/^(.*?)(?::([\d.]+))?$/s).slice(1));
  current = parts[0][0];
  showMixable();
  const keyOf = (name) => (name && !hands.some((hand) => hand.key === name) ? run() + name : name ?? "");
  part("mix-second").value = keyOf(parts[1]?.[0]);
  part("mix-third").value = keyOf(parts[2]?.[0]);
  if (parts[1]) part("mix-share").value = 100 * Number(parts[1][1] ?? 0.5);
  if (parts[2]) part("mix-share-third").value = 100 * Number(parts[2][1] ?? 0.3);
  if (parts[1]) part("mix").open = true;
  showName();
}

/** Offers the hands whose models share a style space with the current hand's. */
function showMixable() {
  const mine = hands.find((hand) => hand.key === current);
  const others = hands.filter((hand) => mine && hand !== mine);
  const mixable = others.filter((hand) => hand.spaces.some((space) => mine.spaces.includes(space)));
  part("mix").hidden = !others.length;
  part("mix-why").hidden = mixable.length === others.length;
  part("mix-why").textContent = t(mixable.length ? "mix_some" : "mix_nothing");
  for (const id of ["mix-second", "mix-third"]) {
    const options = mixable.map((hand) => make("option", { value: hand.key, text: handNames(hand) }));
    part(id).replaceChildren(make("option", { value: "", text: t("mix_none") }), ...options);
    part(id).disabled = !mixable.length;
  }
}

function showName() {
  const hand = hands.find((one) => one.key === current);
  part("hand-name").textContent = hand ? hand.chinese || hand.name : current;
  part("hand-kind").textContent = hand ? kind(hand) : "";
  if (hand) showSpecimen(document.querySelector("#hand .specimen"), hand.key, "永书");
}

const kind = (hand) => [hand.chinese && hand.chinese !== hand.name ? hand.name : "", ...handTraits(hand)].filter(Boolean).join(" · ");

/** Opens the dialog; each hand shows the first characters of a text. */
export async function openHands(text) {
  list.showModal();
  const groups = ["hand", "bundle", "run"].flatMap((origin) => {
    const cards = hands.filter((hand) => hand.origin === origin).map(card);
    return cards.length ? [make("h3", { text: t(`hands_${origin}`) }), make("div", { class: "cards" }, ...cards)] : [];
  });
  part("hand-list").replaceChildren(...groups);
  const chars = (text.match(/\p{Script=Han}/gu) ?? ["永"]).slice(0, 3).join("");
  list.style.setProperty("--chars", [...chars].length); // their room is kept free
  for (const one of list.querySelectorAll("[data-key]")) {
    if (!list.open) break; // one after another: the page is drawn between them
    await showSpecimen(one.querySelector(".specimen"), one.dataset.key, chars);
  }
}

function card(hand) {
  const mine = hand.key === current;
  const name = make("span", { text: hand.chinese || hand.name, lang: hand.chinese ? "zh-Hans" : "en" });
  const take = () => {
    list.close();
    setHand(hand.key);
    notify();
  };
  return make(
    "button",
    { type: "button", class: mine ? "hand-card mine" : "hand-card", "data-key": hand.key, "aria-pressed": mine ? "true" : "false", onclick: take },
    make("span", { class: "specimen" }),
    make("span", { class: "hand-text" }, name, make("small", { text: kind(hand) })),
  );
}
