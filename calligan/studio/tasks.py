"""The kinds of long work: each takes its subject and arguments, and calls the library."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from calligan.project.models import BUNDLE
from calligan.studio.places import NEXT, glyphs_folder, hand_folder

if TYPE_CHECKING:
    from calligan.studio.worker import Course

Task = Callable[[str, dict[str, Any], "Course"], dict[str, Any]]


def learn(hand: str, asked: dict[str, Any], course: "Course") -> dict[str, Any]:
    """Learn a hand from its glyphs: `minutes` or `steps`, `even`, other `settings`."""
    from calligan.library.hands import learn as learned

    model = learned(
        glyphs_folder(hand),
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


TASKS: dict[str, Task] = {"learn": learn, "plan": plan}
