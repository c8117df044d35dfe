"""The kinds of jobs: each takes a subject and options, and calls the library."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calligan.glyphs.charset import is_drawn, load_charset
from calligan.progress import Progress
from calligan.project.models import BUNDLE, hand_path
from calligan.storage import write_json
from calligan.studio import font_files
from calligan.studio.font_files import (
    ABSENT,
    CHECK_SHEET,
    MADE_WITH,
    REPORT,
    VERDICTS,
    Choices,
    given_font,
    glyph_paths,
    left_out_by_choice,
    note_about,
    note_checked,
    pictures_before,
    sets_of,
)
from calligan.studio.locations import NEXT, font_folder, glyphs_folder, hand_folder
from calligan.studio.shapes import ink_width
from calligan.studio.shapes import path as shape
from calligan.vector.font import UPEM

if TYPE_CHECKING:
    from calligan.inference.report import Findings
    from calligan.library.model import Model
    from calligan.library.orders import MadeFont
    from calligan.studio.worker import JobContext

OWN = "own"  # a charset of the user's own characters
Task = Callable[[str, dict[str, Any], "JobContext"], dict[str, Any]]


def learn(hand: str, options: dict[str, Any], job: "JobContext") -> dict[str, Any]:
    """Learn a hand from its glyphs, or from the uploaded font of that name.

    For `minutes` or `steps`; `even` or not; with other `settings`; `on` from what it is by now.
    """
    from calligan.library.hands import learn as learned

    known = hand_path(hand) if options.get("on") else None
    model = learned(
        given_font(hand) if options.get("font") else glyphs_folder(hand),
        hand,
        minutes=options.get("minutes"),
        steps=options.get("steps"),
        model=known.parent if known else options.get("model", BUNDLE),
        even=options.get("even", True),
        settings=options.get("settings", ()),
        progress=job.progress,
        cancel=job.cancel,
        note=job.note,
    )
    return {"run": model.path.parent.as_posix()}


def plan(hand: str, options: dict[str, Any], job: "JobContext") -> dict[str, Any]:
    """Make sheets of the `count` characters that would improve a learned hand most."""
    from calligan.library.planning import write_plan

    chars, _ = write_plan(
        hand,
        options["count"],
        hand_folder(hand) / NEXT,
        options.get("paper", "a4"),
        progress=job.progress,
        cancel=job.cancel,
        note=job.note,
    )
    return {"chars": chars}


def check(font: str, options: dict[str, Any], job: "JobContext") -> dict[str, Any]:
    """Check an uploaded font, and save a sheet of what was found."""
    from calligan.library.checking import check as checked
    from calligan.page.sheet import save_sheet

    seen = checked(given_font(font), progress=job.progress, cancel=job.cancel, note=job.note)
    save_sheet(seen.sheet(named=False), font_folder(font) / CHECK_SHEET)
    found = seen.as_json()
    told = {key: found[key] for key in ("blank", "duplicates", "mislabelled", "malformed")}
    told["count"] = len(found["scores"])
    note_checked(font, told)
    return {}


def match(font: str, options: dict[str, Any], job: "JobContext") -> dict[str, Any]:
    """Find the bundle's hand that is nearest to an uploaded font."""
    from calligan.library.matching import nearest_to
    from calligan.library.model import load

    job.progress("comparing hands", 0, 1)
    hand = nearest_to(given_font(font), load(BUNDLE, note=job.note))[0]
    note_about(font, nearest=hand)
    return {"hand": hand}


def font(name: str, options: dict[str, Any], job: "JobContext") -> dict[str, Any]:
    """Make a font of a hand, or complete the one that was given.

    `hand` is a key of the engine's, `charset` a shipped set, or `own` with the characters in
    `chars`; glyphs are picked or left out as the font's choices say. It is kept as `made.ttf`
    (.otf, .ufo), with a verdict on each glyph; other kinds that were made before are made anew.
    """
    from calligan.library.fonts import make_font
    from calligan.library.model import Model
    from calligan.requests.fonts import FontRequest
    from calligan.studio.engine import Engine

    chosen = Engine().chosen(options["hand"])
    hand, choices, before = options["hand"], Choices.read(name), font_files.made(name)
    charset = options["chars"] if options["charset"] == OWN else load_charset(options["charset"])
    wanted = "".join(char for char in charset if char not in choices.left_out)
    base = given_font(name) if options["complete"] else None
    pictures = pictures_before(name, hand)
    model = Model(chosen.case.model.path, note=job.note, pick=choices.picked_of(hand))
    paths = font_files.new_paths(name, options["kind"])
    order = FontRequest(paths[0], chosen.style, wanted, str(base) if base else None)
    order = replace(order, family=options["family"] or None)
    order = replace(order, family_chinese=options["family_chinese"] or None)
    width = _width_before(before, options, model)
    made = make_font(
        model, order, _then_saved(job), job.cancel, job.note, also=paths[1:], width=width
    )
    verdicts = _keep_made(name, model, made, paths, charset)
    write_json(font_folder(name) / ABSENT, pictures | _dense_pictures(model, made))
    Choices(hand, choices.picked_of(hand), choices.left_out).write(name, MADE_WITH)
    told = _told(made, wanted) | {
        "doubtful": sum(bool(glyph["doubtful"]) for glyph in verdicts),
        "sets": sets_of(font_files.made_path(name, options["kind"])) if base else {},
        "advance": glyph_paths(name, made.drawn[0])[made.drawn[0]]["width"] if base else UPEM,
        "model": _version(model),
        "order": options,
    }
    font_files.note_made(name, told)
    return told


def _then_saved(job: "JobContext") -> Progress:
    """Progress of drawing. Thousands of glyphs take a while to be written after it."""

    def progress(what: str, done: int, total: int) -> None:
        job.progress(what, done, total)
        if done >= total:
            job.progress("saving", 0, 1)

    return progress


def _keep_made(
    name: str, model: "Model", made: "MadeFont", paths: Sequence[Path], charset: str
) -> list[dict[str, Any]]:
    """Put a font that was made in its place, with its report; returns the verdicts."""
    findings = model.findings([made.style_index])
    report = font_folder(name) / REPORT
    report.unlink(missing_ok=True)  # of the font before
    font_files.take_new(name, paths)
    if findings:
        findings.save(report)
    verdicts = _verdicts(findings, made, charset, Choices.read(name).left_out)
    write_json(font_folder(name) / VERDICTS, verdicts)
    return verdicts


def _told(made: "MadeFont", wanted: str) -> dict[str, Any]:
    """What the page says of a font that was made of the characters `wanted`."""
    chars, told = set(wanted), {*made.drawn, *made.blank, *made.replaced, *made.lacking}
    return {
        "family": made.family,
        "drawn": sum(char in chars for char in made.drawn),  # without the punctuation added
        "lacking": made.lacking[:100],
        "dense": made.replaced,
        "there": sum(is_drawn(char) and char not in told for char in wanted),
        "written": len(made.written),
        "narrowed": made.narrowed,
        "scale": made.scale,
    }


def _width_before(
    before: dict[str, Any] | None, options: dict[str, Any], model: "Model"
) -> float | None:
    """The scale of widths of the font made before, if it is of the same hand and characters.

    Measured anew, it would change with the glyphs that are picked, and all others with it.
    """
    if before is None or before.get("model") != _version(model):
        return None
    if any(before["order"].get(key) != options.get(key) for key in ("hand", "charset", "chars")):
        return None
    return float(before["scale"][0])


def _version(model: "Model") -> list[Any]:
    """What tells a model from another one, or from itself after it was trained further."""
    return [model.path.as_posix(), model.path.stat().st_mtime_ns]


def _verdicts(
    findings: "Findings | None", made: "MadeFont", charset: str, left_out: str
) -> list[dict[str, Any]]:
    """The verdict on each new glyph; those that are left out, by choice or as too dense, say so."""
    glyphs = next(iter(findings.as_json().values()))["glyphs"] if findings else []
    by_char = {glyph["char"]: glyph for glyph in glyphs}
    blank, dense = {*made.blank}, {*made.replaced}
    new, found = {*made.drawn, *blank, *dense}, []
    for char in charset:
        if char in left_out:
            found.append(left_out_by_choice(char))
        elif char in new:
            verdict = by_char.get(char, _unread(char, char in blank))
            why = {"doubtful": False, "left_out": "dense"} if char in dense else {}
            found.append({**verdict, **why})
    return found


def _dense_pictures(model: "Model", made: "MadeFont") -> dict[str, dict[str, Any]]:
    """Pictures of the glyphs that were drawn, but are left out as too dense.

    They are not fitted to the font; `box` is where their ink begins and ends.
    """
    proofreader = model.writer.proofreader
    if proofreader is None or not made.replaced:
        return {}
    verdicts = proofreader.judged(made.replaced, made.style_index)
    images = {verdict.char: verdict.best.image for verdict in verdicts}
    outlines = model.writer.traced(images, made.style_index)
    return {
        char: {"d": shape(outline), "box": ink_width(outline)} for char, outline in outlines.items()
    }


def _unread(char: str, blank: bool) -> dict[str, Any]:
    """The verdict on a glyph that was not read."""
    faults = ["blank"] if blank else []
    return {"char": char, "score": None, "doubtful": blank, "faults": faults}


def train(subject: str, options: dict[str, Any], job: "JobContext") -> dict[str, Any]:
    """Train a new run on the project's data, or resume the run that this job started."""
    from calligan.library import training

    if run := job.saved.get("run"):
        return resume(subject, {"run": run}, job)
    model = training.train(
        minutes=options.get("minutes"),
        steps=options.get("steps"),
        settings=options.get("settings", ()),
        progress=job.progress,
        cancel=job.cancel,
        note=job.note,
        on_begin=lambda folder: job.save(run=folder.as_posix()),
    )
    return {"run": model.path.parent.as_posix()}


def resume(subject: str, options: dict[str, Any], job: "JobContext") -> dict[str, Any]:
    """Resume an interrupted run."""
    from calligan.library import training

    training.resume(options["run"], progress=job.progress, cancel=job.cancel, note=job.note)
    return {"run": options["run"]}


TASKS: dict[str, Task] = {
    "learn": learn,
    "plan": plan,
    "check": check,
    "match": match,
    "font": font,
    "train": train,
    "resume": resume,
}
