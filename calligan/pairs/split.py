"""The split into training, validation and test characters, the same for every style.

It is a pure function of (seed, codepoint), so that it stays the same when fonts or characters are
added, and can be recomputed.
"""

import hashlib
from functools import lru_cache
from typing import Literal

from calligan.config import SplitConfig

Part = Literal["train", "validation", "test"]


@lru_cache(maxsize=100_000)  # a command asks for each character many times
def part_of(char: str, config: SplitConfig) -> Part:
    """The part of the split that a character belongs to, in every style."""
    digest = hashlib.sha256(f"{config.seed}:{ord(char)}".encode()).digest()
    position = int.from_bytes(digest[:8]) / 2**64
    if position < config.test:
        return "test"
    return "validation" if position < config.test + config.validation else "train"


def held_out(chars: str, part: Part, config: SplitConfig) -> str:
    """The characters of `chars` that are in one part, in order."""
    return "".join(char for char in chars if part_of(char, config) == part)
