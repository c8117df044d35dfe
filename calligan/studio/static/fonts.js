// All fonts: give one to complete, or begin a new one.

import { ask, t } from "./common.js";

document.getElementById("begin").addEventListener("submit", (event) => {
  event.preventDefault();
  location.href = `/font/${encodeURIComponent(event.target.elements.name.value)}`;
});

const zone = document.getElementById("zone");
for (const kind of ["dragenter", "dragover"])
  zone.addEventListener(kind, (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
zone.addEventListener("drop", (event) => {
  event.preventDefault();
  send(event.dataTransfer.files[0]);
});
document.getElementById("file").addEventListener("change", (event) => send(event.target.files[0]));

/** The font is called as its file is. */
async function send(file) {
  if (!file) return;
  const said = document.getElementById("reading");
  said.className = "hint";
  said.textContent = `${t("reading_font")}: ${file.name} …`;
  const name = file.name.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N}_-]+/gu, "-").replace(/^-+/, "").slice(0, 40) || "font";
  const form = new FormData();
  form.set("file", file);
  try {
    await ask(`/upload/font/${encodeURIComponent(name)}`, form);
    location.href = `/font/${encodeURIComponent(name)}`;
  } catch (error) {
    said.className = "trouble";
    said.textContent = error.message;
  }
}
