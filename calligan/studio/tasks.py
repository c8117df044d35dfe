"""The kinds of long work: each takes its subject and arguments, and calls the library."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from calligan.glyphs.charset import load_charset
from calligan.project.models import BUNDLE
from calligan.storage import atomic_file, write_json
from calligan.studio.foundry import CHECK_SHEET, VERDICTS, Choices, given_font
from calligan.studio.places import NEXT, font_folder, glyphs_folder, hand_folder

if TYPE_CHECKING:
    from calligan.studio.worker import Course

Task = Callable[[str, dict[str, Any], "Course"], dict[str, Any]]


def learn(hand: str, asked: dict[str, Any], course: "Course") -> dict[str, Any]:
    """Learn a hand from its glyphs, or from the `font` of that name that was given.

    For `minutes` or `steps`; `even` or not; with other `settings`.
    """
    from calligan.library.hands import learn as learned

    model = learned(
        given_font(hand) if asked.get("font") else glyphs_folder(hand),
        hand,
        minutes=asked.get("minutes"),
        steps=asked.get("steps"),
        model=asked.get("model", BUNDLE),
        even=asked.get("even", True),
        settings=asked.get("settings", ()),
        progress=course.progress,
        cancel=course.cancel,
        note=course.note,
    )
    return {"run": model.path.parent.as_posix()}


def plan(hand: str, asked: dict[str, Any], course: "Course") -> dict[str, Any]:
    """Sheets of the `count` characters that would teach a learned hand the most."""
    from calligan.library.hands import plan_next
    from calligan.library.sheets import write_template

    chars = plan_next(
        hand,
        asked["count"],
        progress=course.progress,
        cancel=course.cancel,
        note=course.note,
    ).chars
    write_template(chars, hand_folder(hand) / NEXT, asked.get("paper", "a4"), note=course.note)
    return {"chars": chars}


def check(font: str, asked: dict[str, Any], course: "Course") -> dict[str, Any]:
    """Look for what is wrong with a font that was given; a sheet of it is kept."""
    from calligan.library.checking import check as checked
    from calligan.page.sheet import save_png

    seen = checked(
        given_font(font), progress=course.progress, cancel=course.cancel, note=course.note
    )
    with atomic_file(font_folder(font) / CHECK_SHEET) as file:
        save_png(seen.sheet(), file)
    found = seen.as_json()
    return {key: found[key] for key in ("blank", "duplicates", "mislabelled", "malformed")} | {
        "count": len(found["scores"])
    }


def font(name: str, asked: dict[str, Any], course: "Course") -> dict[str, Any]:
    """Make a font of a hand, or complete the one that was given.

    `hand` is a key of the engine's, `charset` a shipped set; glyphs are picked or left out as
    the font's choices say. It is kept as `made.ttf` (.otf, .ufo), with a verdict on each glyph.
    """
    from calligan.library.fonts import make_font
    from calligan.library.model import Model
    from calligan.requests import FontRequest
    from calligan.studio.engine import Engine

    chosen = Engine().chosen(asked["hand"])
    choices = Choices.read(name)
    wanted = "".join(c for c in load_charset(asked["charset"]) if c not in choices.left_out)
    base = given_font(name) if asked["complete"] else None
    path = font_folder(name) / f"made{asked['kind']}"
    model = Model(chosen.case.model.path, note=course.note, pick=choices.picked_of(asked["hand"]))
    order = FontRequest(path, chosen.style, wanted, str(base) if base else None)
    order = replace(order, family=asked["family"] or None)
    order = replace(order, family_chinese=asked["family_chinese"] or None)
    made = make_font(model, order, course.progress, course.cancel, course.note)
    findings = model.findings([made.style_index])
    glyphs = next(iter(findings.as_json().values()))["glyphs"] if findings else []
    by_char = {glyph["char"]: glyph for glyph in glyphs}
    told = [
        by_char.get(char, {"char": char, "score": None, "doubtful": False}) for char in made.drawn
    ]
    write_json(font_folder(name) / VERDICTS, told)
    return {
        "family": made.family,
        "drawn": len(made.drawn),
        "doubtful": sum(bool(glyph["doubtful"]) for glyph in told),
        "lacking": made.lacking[:100],
        "written": len(made.written),
        "order": asked,
    }


def train(subject: str, asked: dict[str, Any], course: "Course") -> dict[str, Any]:
    """Train a new run on the project's data, or go on with the run that this work began."""
    from calligan.library import training

    if run := course.kept.get("run"):
        return resume(subject, {"run": run}, course)
    model = training.train(
        minutes=asked.get("minutes"),
        steps=asked.get("steps"),
        settings=asked.get("settings", ()),
        progress=course.progress,
        cancel=course.cancel,
        note=course.note,
        on_begin=lambda folder: course.keep(run=folder.as_posix()),
    )
    return {"run": model.path.parent.as_posix()}


def resume(subject: str, asked: dict[str, Any], course: "Course") -> dict[str, Any]:
    """Go on with an interrupted run."""
    from calligan.library import training

    training.resume(asked["run"], progress=course.progress, cancel=course.cancel, note=course.note)
    return {"run": asked["run"]}


TASKS: dict[str, Task] = {
    "learn": learn,
    "plan": plan,
    "check": check,
    "font": font,
    "train": train,
    "resume": resume,
}
