"""Choose the characters to write next that improve a learned hand the most."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from calligan.glyphs.charset import load_charset
from calligan.inference.parallel import in_order
from calligan.inference.writer import Writer

_CHUNK_CHARS = 8  # characters drawn at once by a thread, and between two progress reports
_TRIED_FOR_EACH, _LEAST_TRIED = 16, 480  # characters drawn for each that is wanted; and at least


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


def sampled(chars: str, count: int) -> str:
    """The characters to draw for a plan of `count`: all, or so many, evenly from first to last.

    To draw all of GB 2312 takes minutes, and there are always more doubtful ones than are wanted.
    """
    most = max(_LEAST_TRIED, _TRIED_FOR_EACH * count)
    if len(chars) <= most:
        return chars
    return "".join(chars[number * len(chars) // most] for number in range(most))


def planned(
    writer: Writer, chars: str, count: int, progress: Callable[[int], None] = lambda count: None
) -> Plan:
    """Choose `count` of the characters that `unwritten` returns.

    Half are those with the worst scores as the hand is drawn now, of those that `sampled` returns;
    half those that cover the components of GB 2312 soonest. Without a reader all are of the second
    kind.
    """
    worst: list[str] = []
    tried = sampled(chars, count) if writer.proofreader is not None else ""
    if writer.proofreader is not None:
        writer.open_networks()  # before threads need them
        parts = (tried[at : at + _CHUNK_CHARS] for at in range(0, len(tried), _CHUNK_CHARS))
        with closing(in_order(lambda part: len(writer.draw(part, 0)), parts)) as counts:
            for drawn in counts:
                progress(drawn)
        worst = [verdict.char for verdict in writer.proofreader.doubtful(0)]
    chosen = "".join(dict.fromkeys([*worst[: count // 2], *chars]))[:count]
    return Plan(chosen, len(tried), len(worst))
