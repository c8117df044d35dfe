"""Which characters to write next, so that a learned hand gains the most."""

from calligan.glyphs.charset import load_charset
from calligan.inference.proofread import Proofreader
from calligan.inference.writer import Writer

_TRIED = 400  # common characters, drawn to see which are doubtful


def planned(writer: Writer, written: str, count: int) -> tuple[str, int | None]:
    """`count` characters not written yet, and how many were doubtful of those tried.

    Half are those that read worst as the hand is drawn now, half those that cover the components
    of GB 2312 soonest; without a reader all are of the second kind, and the number is None.
    """
    there = set(written)
    cover = [c for c in load_charset("components-500+gb2312") if c not in there]
    cover = [char for char in cover if not writer.lacks(char)]
    worst: list[str] = []
    if isinstance(writer, Proofreader):
        common = [c for c in load_charset("gb2312-1") if c not in there and not writer.lacks(c)]
        writer.draw("".join(common[:: max(1, len(common) // _TRIED)][:_TRIED]), 0)
        worst = [verdict.char for verdict in writer.doubtful(0)]
    chosen = dict.fromkeys([*worst[: count // 2], *cover])
    return "".join(list(chosen)[:count]), len(worst) if isinstance(writer, Proofreader) else None
