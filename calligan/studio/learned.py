"""What is to be said of a hand: how far it is learned, and what its learning noted."""

import re
from functools import lru_cache
from pathlib import Path

from calligan.errors import CalliganError
from calligan.models.card import read_card
from calligan.project.models import hand_path
from calligan.project.run import is_finished
from calligan.studio.jobs import OPEN, Jobs

# Notes of a finished job that are shown.
SHOWN_NOTES = re.compile(r"only |labelled right|left out|not learned from|\d+ are few|the model is")
_WEAK = "the model is not yet better than a copy of the source: train longer"  # as training says
_TOO_FEW_STEPS = re.compile(r"only [\d,]+ steps in that time")


def learning_notes(jobs: Jobs, hand: str) -> list[str]:
    """The warnings of a hand's last learning, however long ago; none for one without a job."""
    path = hand_path(hand)
    if path is None:
        return []
    done = [job for job in jobs.recent(hand) if job.kind == "learn" and job.state == "finished"]
    mine = [job for job in done if job.result.get("run") == path.parent.as_posix()]
    notes = [line for job in mine[:1] for line in job.message.split("\n")]
    kept = [line for line in notes if SHOWN_NOTES.match(line)]
    if is_worse_than_source(path, path.stat().st_mtime_ns) and _WEAK not in kept:
        kept.append(_WEAK)
    return kept


def shown_notes(jobs: Jobs, hand: str) -> list[str]:
    """The warnings of a hand's last learning; none while it is learned anew."""
    return [] if is_being_learned(jobs, hand) else learning_notes(jobs, hand)


def learning_state(jobs: Jobs, hand: str) -> str:
    """How far a hand is learned: not_learned, being_learned, not_finished or learned.

    A hand that is learned anew stays learned: until then its model before is used.
    """
    path = hand_path(hand)
    if path is not None and is_finished(path.parent):
        return "learned"
    if is_being_learned(jobs, hand):
        return "being_learned"
    return "not_learned" if path is None else "not_finished"


def doubt_of(jobs: Jobs, hand: str) -> str:
    """Why a learned hand is not one to make a font of; "" if it is."""
    state = learning_state(jobs, hand)
    if state != "learned":
        return state
    return "weak_hand" if is_weak(jobs, hand) else ""


def shown_state(jobs: Jobs, hand: str) -> str:
    """The state of a hand in the list and on its page: as `learning_state`, or weak_hand."""
    return doubt_of(jobs, hand) or "learned"


def is_being_learned(jobs: Jobs, hand: str) -> bool:
    """Whether a job learns the hand, or waits to."""
    return any(job.kind == "learn" and job.state in OPEN for job in jobs.recent(hand))


def is_weak(jobs: Jobs, hand: str) -> bool:
    """Whether a hand is not worth making a font of: hardly learned."""
    notes = learning_notes(jobs, hand)
    return any(line == _WEAK or _TOO_FEW_STEPS.match(line) for line in notes)


@lru_cache(maxsize=64)
def is_worse_than_source(model: Path, mtime_ns: int) -> bool:
    """Whether a model's held-out loss is not below that of a copy of the source."""
    try:
        metrics = read_card(model).metrics
    except CalliganError:
        return False
    loss, copied = metrics.get("validation_l1"), metrics.get("copy_source_l1")
    if not (isinstance(loss, int | float) and isinstance(copied, int | float)):
        return False
    return loss >= copied
