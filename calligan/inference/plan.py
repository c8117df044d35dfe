"""Choose the characters to write next that improve a learned hand the most."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from calligan.glyphs.charset import load_charset
from calligan.inference.parallel import in_order
from calligan.inference.writer import Writer

_CHUNK_CHARS = 16  # characters drawn at once by a thread, and between two progress reports


@dataclass(frozen=True)
class Plan:
    """What to write next, and what the choice is based on."""

    chars: str
    tried: int = 0  # characters drawn and scored; 0 without a reader
    doubtful: int = 0  # of those


def unwritten(writer: Writer, written: str) -> str:
    """Characters of GB 2312 not written yet that can be drawn, ordered to cover components."""
    there = set(written)
    every = load_charset("components-500+gb2312")
    return "".join(char for char in every if char not in there and not writer.source.lacks(char))


def planned(
    writer: Writer, chars: str, count: int, progress: Callable[[int], None] = lambda count: None
) -> Plan:
    """Choose `count` of the characters that `unwritten` returns.

    Half are those with the worst scores as the hand is drawn now, half those that cover the
    components of GB 2312 soonest. Without a reader all are of the second kind.
    """
    worst: list[str] = []
    if writer.proofreader is not None:
        writer.open_networks()  # before threads need them
        parts = (chars[at : at + _CHUNK_CHARS] for at in range(0, len(chars), _CHUNK_CHARS))
        with closing(in_order(lambda part: len(writer.draw(part, 0)), parts)) as counts:
            for drawn in counts:
                progress(drawn)
        worst = [verdict.char for verdict in writer.proofreader.doubtful(0)]
    chosen = "".join(dict.fromkeys([*worst[: count // 2], *chars]))[:count]
    return Plan(chosen, 0 if writer.proofreader is None else len(chars), len(worst))
