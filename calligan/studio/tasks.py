"""The kinds of jobs: each takes a subject and options, and calls the library."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from calligan.glyphs.charset import is_han, load_charset
from calligan.project.models import BUNDLE, hand_path
from calligan.storage import write_json
from calligan.studio.font_files import (
    ABSENT,
    CHECK_SHEET,
    MADE_WITH,
    REPORT,
    VERDICTS,
    Choices,
    given_font,
    note_about,
    note_order,
    pictures_before,
    sets_of,
)
from calligan.studio.locations import NEXT, font_folder, glyphs_folder, hand_folder
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
    save_sheet(seen.sheet(), font_folder(font) / CHECK_SHEET)
    found = seen.as_json()
    return {key: found[key] for key in ("blank", "duplicates", "mislabelled", "malformed")} | {
        "count": len(found["scores"])
    }


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
    (.otf, .ufo), with a verdict on each glyph.
    """
    from calligan.library.fonts import make_font
    from calligan.library.model import Model
    from calligan.requests.fonts import FontRequest
    from calligan.studio.engine import Engine

    chosen = Engine().chosen(options["hand"])
    choices = Choices.read(name)
    charset = options["chars"] if options["charset"] == OWN else load_charset(options["charset"])
    wanted = "".join(char for char in charset if char not in choices.left_out)
    base = given_font(name) if options["complete"] else None
    path = font_folder(name) / f"made{options['kind']}"
    pictures = pictures_before(name, options["hand"])
    model = Model(chosen.case.model.path, note=job.note, pick=choices.picked_of(options["hand"]))
    order = FontRequest(path, chosen.style, wanted, str(base) if base else None)
    order = replace(order, family=options["family"] or None)
    order = replace(order, family_chinese=options["family_chinese"] or None)
    made = make_font(model, order, job.progress, job.cancel, job.note)
    findings = model.findings([made.style_index])
    report = font_folder(name) / REPORT
    report.unlink(missing_ok=True)  # of the font before
    if findings:
        findings.save(report)
    verdicts = _verdicts(findings, made, wanted)
    write_json(font_folder(name) / VERDICTS, verdicts)
    write_json(font_folder(name) / ABSENT, pictures | _dense_pictures(model, made))
    note_order(name, options)
    picked = choices.picked_of(options["hand"])
    Choices(options["hand"], picked, choices.left_out).write(name, MADE_WITH)
    told = {*made.drawn, *made.blank, *made.replaced, *made.lacking}
    return {
        "family": made.family,
        "drawn": sum(char in wanted for char in made.drawn),  # without the punctuation added
        "doubtful": sum(bool(glyph["doubtful"]) for glyph in verdicts),
        "lacking": made.lacking[:100],
        "dense": made.replaced,
        "there": sum(is_han(char) and char not in told for char in wanted),
        "written": len(made.written),
        "narrowed": made.narrowed,
        "scale": made.scale,
        "sets": sets_of(path) if base else {},
        "order": options,
    }


def _verdicts(findings: "Findings | None", made: "MadeFont", wanted: str) -> list[dict[str, Any]]:
    """The verdict on each new glyph, and on those that are left out as too dense or are blank."""
    glyphs = next(iter(findings.as_json().values()))["glyphs"] if findings else []
    by_char = {glyph["char"]: glyph for glyph in glyphs}
    new, found = {*made.drawn, *made.blank, *made.replaced}, []
    for char in wanted:
        if char in new:
            verdict = by_char.get(char, _unread(char, char in made.blank))
            left_out = {"doubtful": False, "left_out": "dense"} if char in made.replaced else {}
            found.append({**verdict, **left_out})
    return found


def _dense_pictures(model: "Model", made: "MadeFont") -> dict[str, dict[str, Any]]:
    """Pictures of the glyphs that were drawn, but are left out as too dense."""
    proofreader = model.writer.proofreader
    if proofreader is None or not made.replaced:
        return {}
    verdicts = proofreader.judged(made.replaced, made.style_index)
    outlines = model.writer.traced([v.best.image for v in verdicts], made.style_index)
    return {
        verdict.char: {"d": shape(outline), "width": UPEM}
        for verdict, outline in zip(verdicts, outlines, strict=True)
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
