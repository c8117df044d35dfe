"""The limits of the verdict's detectors and scores: what real glyphs measure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from calligan.reader.faults import Limits
from calligan.resources import data_folder
from calligan.storage import read_json

_READS_WELL = 0.5  # minimum score


@dataclass(frozen=True)
class Calibration:
    """Limits by hand of the catalog, by script, and "" for any; and scores of the reader.

    `limits`: one set for each class of source glyphs (`faults.class_of`).
    `least_scores`: the score that 99 % of a hand's real glyphs reach. `floors`: the score that
    99.9 % of a script's real glyphs reach ("" for any script but the cursive one).
    """

    limits: Mapping[str, Sequence[Limits]]
    least_scores: Mapping[str, float]
    floors: Mapping[str, float]
    reader: str  # the reader's name
    whole: Sequence[str] = ()  # hands and scripts whose simple glyphs are seldom in more pieces

    def limits_of(self, script: str, hand: str = "") -> Sequence[Limits]:
        """The limits of a hand, or else of its script."""
        return self.limits[self._known(script, hand)]

    def is_whole(self, script: str, hand: str = "") -> bool:
        """Whether a hand's simple glyphs seldom have more pieces than their source."""
        return self._known(script, hand) in self.whole

    def _known(self, script: str, hand: str) -> str:
        return next(name for name in (hand or script, script, "") if name in self.limits)

    def floor_of(self, script: str, scores: np.ndarray) -> float:
        """The score that nearly every real glyph of a script reaches.

        An unknown script is guessed from the scores (N,) of the set: if half of them are good, it
        is not the cursive one, whose real glyphs may score close to 0.
        """
        if script not in self.floors or not script:
            script = (
                ""
                if np.nanmedian(scores) >= _READS_WELL
                else min(self.floors, key=lambda name: self.floors[name])
            )
        return self.floors[script]


@cache
def shipped() -> Calibration | None:
    """The calibration that ships with calligan, if there is one."""
    path = calibration_path()
    return Calibration(**_read(path)) if path.is_file() else None


def calibration_path() -> Path:
    """The file that `weights/faults.py` writes."""
    return data_folder("weights") / "faults.json"


def _read(path: Path) -> dict[str, Any]:
    stored = read_json(path)
    return {name: stored[name] for name in ("limits", "least_scores", "floors", "reader", "whole")}
