// All hands: begin one, and see those that are learned.

import { ask, glyph } from "./common.js";

document.getElementById("begin").addEventListener("submit", (event) => {
  event.preventDefault();
  location.href = `/hand/${encodeURIComponent(event.target.elements.name.value)}`;
});

for (const place of document.querySelectorAll("[data-hand]")) {
  if (!place.dataset.hand) continue;
  const query = new URLSearchParams({ hand: place.dataset.hand, text: "永和书" });
  ask(`/api/specimen?${query}`).then(
    (told) => place.replaceChildren(...told.glyphs.map((one) => glyph(one.d))),
    () => {},
  );
}
