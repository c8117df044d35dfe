"""Which characters to write next, so that a learned hand gains the most."""

from collections.abc import Callable
from dataclasses import dataclass

from calligan.glyphs.charset import load_charset
from calligan.inference.writer import Writer

_AT_ONCE = 256  # characters drawn, between two words of progress


@dataclass(frozen=True)
class Plan:
    """What to write next, and what was looked at to choose it."""

    chars: str
    tried: int = 0  # characters drawn and read; none without a reader
    doubtful: int = 0  # of those


def unwritten(writer: Writer, written: str) -> str:
    """What of GB 2312 is not written yet and can be drawn, in the order that covers components."""
    there = set(written)
    every = load_charset("components-500+gb2312")
    return "".join(char for char in every if char not in there and not writer.source.lacks(char))


def planned(
    writer: Writer, chars: str, count: int, progress: Callable[[int], None] = lambda count: None
) -> Plan:
    """`count` of the characters `unwritten` gives.

    Half are those that read worst as the hand is drawn now, half those that cover the components
    of GB 2312 soonest; without a reader all are of the second kind.
    """
    worst: list[str] = []
    if writer.proofreader is not None:
        for start in range(0, len(chars), _AT_ONCE):
            part = chars[start : start + _AT_ONCE]
            writer.draw(part, 0)
            progress(len(part))
        worst = [verdict.char for verdict in writer.proofreader.doubtful(0)]
    chosen = "".join(dict.fromkeys([*worst[: count // 2], *chars]))[:count]
    return Plan(chosen, 0 if writer.proofreader is None else len(chars), len(worst))
