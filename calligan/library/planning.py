"""What to write next for a hand, and sheets of it."""

from pathlib import Path
from typing import Any

from calligan.described import values
from calligan.errors import ConfigError, ModelError
from calligan.inference.plan import Plan, planned, sampled, unwritten
from calligan.library.model import Model
from calligan.library.sheets import check_template, write_template
from calligan.progress import Cancel, Note, Progress, count_progress, ignore, never_cancel
from calligan.project.models import HANDS, hand_path, suggest_hands
from calligan.project.run import Run
from calligan.requests.hands import LearningRequest, PlanRequest


def plan_next(
    name: str,
    count: int,
    *,
    source: str | None = None,
    hands: Path | str = HANDS,
    device: str = "auto",
    progress: Progress = ignore,
    cancel: Cancel = never_cancel,
    note: Note = ignore,
) -> Plan:
    """Choose `count` characters to write next that improve a learned hand the most."""
    if count < 1:
        raise ConfigError(f"--plan {count} is invalid; give 1 or more")
    if (best := hand_path(name, Path(hands))) is None:
        raise ModelError(f"no hand {name}; {suggest_hands(name, Path(hands))}")
    progress("opening", 0, 1)
    run = Run.open(best.parent)
    there = run.selection().styles[0].chars
    writer = Model(run.best, source, fine=False, device=device, note=note).writer
    chars = unwritten(writer, there)
    tried = len(sampled(chars, count))
    plan = planned(writer, chars, count, count_progress("drawing", tried, progress, cancel))
    if plan.tried:
        note(
            f"{name} was learned from {len(set(there)):,} characters; of "
            f"{plan.tried:,} others of GB 2312, {plan.doubtful:,} are doubtful as it draws them now"
        )
    return plan


def write_plan(
    name: str,
    count: int,
    output: Path,
    paper: str = "a4",
    *,
    source: str | None = None,
    hands: Path | str = HANDS,
    device: str = "auto",
    progress: Progress = ignore,
    cancel: Cancel = never_cancel,
    note: Note = ignore,
) -> tuple[str, int]:
    """Write sheets of the characters of `plan_next` as a PDF; them, and the number of pages."""
    check_template(output)
    plan = plan_next(
        *(name, count),
        source=source,
        hands=hands,
        device=device,
        progress=progress,
        cancel=cancel,
        note=note,
    )
    chars = plan.chars
    return chars, write_template(chars, output, paper, font=source, note=note)


def write_request(
    hand: LearningRequest, plan: PlanRequest, progress: Progress = ignore, note: Note = ignore
) -> tuple[str, int]:
    """Write the sheets of a request; see `write_plan`."""
    where: dict[str, Any] = {"source": hand.source, "hands": hand.hands, "device": hand.device}
    return write_plan(hand.name, **values(plan), **where, progress=progress, note=note)
