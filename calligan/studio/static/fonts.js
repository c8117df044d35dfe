// All fonts: upload one to complete, or name a new one.

import { acceptFiles, ask, offerRemoved, openByName, part, t } from "./common.js";

openByName(part("begin"), "font");
offerRemoved();
acceptFiles(part("zone"), part("file"), ([file]) => file && send(file));

/** The font is named after its file. */
async function send(file) {
  const status = part("reading");
  status.className = "hint";
  status.textContent = `${t("reading_font")}${t("colon")}${file.name} …`;
  const name = file.name.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N}_-]+/gu, "-").replace(/^-+/, "").slice(0, 40) || "font";
  const form = new FormData();
  form.set("file", file);
  try {
    await ask(`/upload/font/${encodeURIComponent(name)}`, form);
    location.href = `/font/${encodeURIComponent(name)}`;
  } catch (error) {
    status.className = "trouble";
    status.textContent = error.message;
  }
}
