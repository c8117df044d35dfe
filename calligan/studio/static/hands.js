// All hands: name a new one, and see those that are learned.

import { openByName, part, showSpecimen } from "./common.js";

openByName(part("begin"), "hand");
for (const place of document.querySelectorAll("[data-hand]"))
  if (place.dataset.hand) showSpecimen(place, place.dataset.hand, "永和书");
