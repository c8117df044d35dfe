// All fonts: upload one to complete, or name a new one.

import { acceptFiles, ask, openByName, part, t, tryAsk } from "./common.js";

openByName(part("begin"), "font");
for (const button of document.querySelectorAll("[data-token]"))
  button.addEventListener("click", async () => {
    if (await tryAsk("/api/restore", { token: button.dataset.token })) location.reload();
  });
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
