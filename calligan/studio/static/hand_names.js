// A hand renamed or deleted, and a message that is shown on the page that one is led to.

import { agreed, ask, part, t, toast, tryAsk } from "./common.js";

const SAID = "calligan-said";

/** Opens a page, which shows a message; its Undo sends a request and opens another page. */
function leave(address, text, undo) {
  sessionStorage.setItem(SAID, JSON.stringify({ text, undo }));
  location.href = address;
}

/** Shows the message that the page before left, if it did. */
export function showSaid() {
  const said = JSON.parse(sessionStorage.getItem(SAID) ?? "null");
  sessionStorage.removeItem(SAID);
  if (!said) return;
  const { path, body, to } = said.undo;
  const run = async () => (await tryAsk(path, body)) && location.assign(to);
  toast(said.text, { name: t("undo"), run });
}

const pageOf = (name) => `/hand/${encodeURIComponent(name)}`;

/** Offers to rename and to delete a hand; `found` gives what there is of it. */
export function offerNames(name, found) {
  part("rename").addEventListener("click", () => {
    part("new-name").value = name;
    part("rename-trouble").textContent = "";
    part("rename-dialog").showModal();
    part("new-name").select();
  });
  part("rename-form").addEventListener("submit", (event) => {
    event.preventDefault();
    rename(name, part("new-name").value);
  });
  part("delete").addEventListener("click", () => remove(name, found()));
}

async function rename(name, other) {
  if (other === name) {
    part("rename-dialog").close();
    return;
  }
  try {
    await ask(`/api${pageOf(name)}/rename`, { name: other });
  } catch (error) {
    part("rename-trouble").textContent = error.message;
    return;
  }
  const undo = { path: `/api${pageOf(other)}/rename`, body: { name }, to: pageOf(name) };
  leave(pageOf(other), t("renamed").replace("{}", other), undo);
}

async function remove(name, { pages, glyphs, learned }) {
  const what = [
    pages.length && t("delete_photos").replace("{}", pages.length),
    glyphs.length && t("delete_glyphs").replace("{}", glyphs.length),
    learned && t("delete_learned"),
  ].filter(Boolean);
  const ask_of = what.length ? "delete_ask" : "delete_empty_ask";
  const question = t(ask_of).replace("{}", name).replace("{what}", what.join(t("comma")));
  if (!(await agreed(question, t("delete")))) return;
  try {
    const { token } = await ask(`/api${pageOf(name)}/remove`, {});
    leave("/hand", t("deleted") + name, { path: "/api/restore", body: { token }, to: pageOf(name) });
  } catch (error) {
    toast(error.message);
  }
}
