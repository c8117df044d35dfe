// All hands: name a new one, and see those that are learned.

import { ask, make, offerRemoved, part, showSpecimen, t } from "./common.js";
import { showSaid } from "./hand_names.js";

const form = part("begin");
const trouble = form.insertBefore(make("p", { class: "hint trouble", role: "alert" }), form.querySelector("div"));

/** A name that a hand has already leads to a question, not to that hand. */
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = form.elements.name.value;
  const page = `/hand/${encodeURIComponent(name)}`;
  try {
    const { there } = await ask(`/api${page}/name`);
    if (!there) location.href = `${page}?new=1`;
    else trouble.replaceChildren(`${t("name_taken").replace("{}", name)} `, make("a", { href: page, text: t("name_open") }), t("stop").trim());
  } catch (error) {
    trouble.textContent = error.message;
  }
});
form.elements.name.addEventListener("input", () => trouble.replaceChildren());

for (const place of document.querySelectorAll("[data-hand]"))
  if (place.dataset.hand) showSpecimen(place, place.dataset.hand, "永和书");
offerRemoved();
showSaid();
