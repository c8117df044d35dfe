// Training runs: curves and samples, two side by side.

import { curveNames, curves, samples } from "./training.js";
import { ask, isOpen, jobLine, make, part, startJob, t, time, toast } from "./common.js";

let runs = [];
let jobs = [];
let chosen = new URLSearchParams(location.search).getAll("run");

async function refresh() {
  try {
    const found = await ask("/api/runs");
    runs = found.runs;
    part("begin").hidden = !found.data;
  } catch (error) {
    toast(error.message);
    return;
  }
  chosen = chosen.filter((path) => runs.some((run) => run.path === path));
  if (!chosen.length && runs.length) chosen = [runs[0].path];
  show();
}

function show() {
  const begins = jobs.some((job) => isOpen(job) && ["train", "learn"].includes(job.kind));
  part("runs-pick").textContent = t(runs.length ? "runs_pick" : begins ? "runs_first" : "runs_none");
  part("runs").replaceChildren(...runs.map(card));
  const two = chosen.map((path) => runs.find((run) => run.path === path)).filter(Boolean);
  part("shown").replaceChildren(...two.map((run, at) => details(run, two[1 - at])));
  const query = new URLSearchParams(chosen.map((path) => ["run", path]));
  history.replaceState(null, "", `/runs${chosen.length ? `?${query}` : ""}`);
}

function card(run) {
  const mine = chosen.includes(run.path);
  const job = jobOf(run);
  const state = t(job ? `state_${job.state}` : run.finished ? "run_finished" : "run_interrupted");
  const length = run.steps ? `${run.steps.toLocaleString()} ${t("steps")}` : `${run.minutes} ${t("minutes_short")}`;
  return make(
    "button",
    { type: "button", class: mine ? "hand-card mine" : "hand-card", "aria-pressed": mine ? "true" : "false", onclick: () => choose(run.path) },
    make("span", { class: "hand-text" }, make("span", { text: run.path }), make("small", { text: `${length} · ${state}` }), make("small", { text: run.styles.slice(0, 4).join(t("comma")) + (run.styles.length > 4 ? ` +${run.styles.length - 4}` : "") })),
  );
}

/** The open job that trains a run, or waits to; that of a hand goes on with its newest run. */
const jobOf = (run) =>
  jobs.find((job) => {
    const hand = `hands/${job.subject}/`;
    const learns = job.kind === "learn" && run.path.startsWith(hand) && !run.finished;
    const newest = !runs.some((other) => other.path.startsWith(hand) && other.path > run.path);
    return isOpen(job) && (job.subject === run.path || job.result.run === run.path || (learns && newest));
  });

/** A click shows a run; on another than the one that is shown, both. */
function choose(path) {
  if (chosen.includes(path)) chosen = chosen.length > 1 ? chosen.filter((one) => one !== path) : chosen;
  else chosen = [...chosen, path].slice(-2);
  show();
}

const FRAME_MS = 250; // of a film
const sample = {};

function details(run, other) {
  const box = make("section", { class: "card" });
  box.append(make("h2", { text: run.path }));
  box.append(make("p", { class: "hint", text: `${run.step.toLocaleString()} ${t("steps")} · ${time(run.elapsed_s)}` }));
  const names = curveNames(run);
  if (names.length) box.append(curves(run, names, other?.curves[names[0]] ? other : null));
  if (run.sheets.length) box.append(film(run));
  const job = jobOf(run);
  if (job) box.append(jobLine(job));
  else if (!run.finished && run.path.startsWith("runs/"))
    box.append(make("p", {}, make("button", { type: "button", class: "button", text: t("run_resume"), onclick: () => startJob("/api/runs/resume", { run: run.path }) })));
  return box;
}

/** Its sheets of samples, from the first to the last, selected by a slider or played as a film. */
function film(run) {
  const path = run.path.startsWith("runs/") ? run.path.replace("runs/", "runs/runs/") : run.path;
  const last = run.sheets.length - 1;
  const at = Math.min(sample[run.path] ?? last, last);
  const shown = samples("", run);
  const picture = shown.querySelector("img");
  const step = make("output");
  const turn = (number) => {
    picture.src = `/sheet/${path}/${run.sheets[number]}`;
    step.value = Number.parseInt(run.sheets[number], 10).toLocaleString();
  };
  const input = (event) => {
    sample[run.path] = Number(event.target.value);
    turn(sample[run.path]);
  };
  const range = make("input", { type: "range", min: 0, max: last, value: at, oninput: input, "aria-label": t("sample_at") });
  turn(at);
  const row = make("label", { class: "row" }, make("span", {}, `${t("sample_at")} `, step));
  if (last) row.append(range);
  const parts = [shown, make("figcaption", { class: "hint", text: t("samples") }), row];
  return make("figure", {}, ...parts, last ? make("button", { type: "button", class: "quiet", text: t("play_film"), onclick: () => play(range) }) : "");
}

/** Moves a slider from its first sheet to its last. It stops where the slider is moved by hand, or shown no more. */
function play(range, number = 0) {
  range.value = number;
  range.dispatchEvent(new Event("input"));
  setTimeout(() => {
    if (range.isConnected && Number(range.value) === number && number < Number(range.max)) play(range, number + 1);
  }, FRAME_MS);
}

part("begin").addEventListener("submit", (event) => {
  event.preventDefault();
  startJob("/api/runs/begin", { minutes: Number(event.target.elements.minutes.value) });
});

let ticks = 0;

document.addEventListener("work", (event) => {
  const before = jobs.map((job) => `${job.id}${job.state}`).join();
  jobs = event.detail;
  ticks += 1;
  const now = jobs.map((job) => `${job.id}${job.state}`).join();
  const training = jobs.some((job) => job.state === "running" && ["train", "resume", "learn"].includes(job.kind));
  if (now !== before || (training && ticks % 4 === 0)) refresh();
});

refresh();
