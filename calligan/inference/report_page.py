"""A report of verdicts as one HTML page without scripts: a legend, then a table for each hand."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from calligan.inference.content import PLAIN

if TYPE_CHECKING:  # so that a file's name can be checked before torch is imported
    from calligan.inference.proofread import Proofreader, Verdict

_MAX_SHOWN = 500  # glyphs of a style; more if more are doubtful
_LEAST_SHARE = 0.001  # smaller scores are not told apart
_FAULTS = {
    "unlike": "does not read as its character: the score is below the hand's limit",
    "misdrawn": "probably differs from how this hand would write the character",
    "speck": "has specks of ink",
    "pinhole": "has small holes in strokes",
    "melted": "strokes run together, or enclosed paper has filled with ink",
    "broken": "is in too many pieces: a stroke is interrupted",
    "missing": "a part of the character is missing",
    "stray": "has ink where the character has none",
    "blob": "has a blob, thicker than its strokes",
    "dense": "has so many strokes that the model learned few such characters: compare with print",
    "unlearned": "a cursive form that the model did not learn: a guess",
    "blank": "was drawn without ink",
}
_WAYS = {
    PLAIN.name: "drawn from the source glyph, unchanged",
    "another source": "drawn from another source font",
    "weaker style": "drawn nearer to the mean of all hands",
    "stronger style": "drawn farther from the mean of all hands",
    "smaller": "drawn from the source glyph, made 4 % smaller",
    "larger": "drawn from the source glyph, made 4 % larger",
    "up and left": "drawn from the source glyph, moved by 2 %",
    "down and right": "drawn from the source glyph, moved by 2 %",
    "as written": "your own glyph",
}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; color: #222 }}
td, th {{ padding: .2rem .8rem; text-align: left; vertical-align: middle }}
td.picture {{ position: relative; width: 130px; height: 130px }}
img {{ width: 128px; height: 128px; border: 1px solid #ddd }}
img:hover, img:focus {{ position: absolute; z-index: 1; left: 0; top: 0; width: 400px;
height: 400px; background: #fff }}
dl {{ display: grid; grid-template-columns: max-content auto; gap: 0 1rem }} dd {{ margin: 0 }}
tr.doubtful td {{ background: #fdf0e0 }} small {{ color: #666 }} big {{ font-size: 1.6rem }}
</style><h1>{title}</h1><p>A network compares each drawn glyph with the same character in print.
Its score is the probability that the glyph is that character, and complete. A glyph with a low
score or a fault was drawn again in other ways, and the best drawing is shown. Point at a picture,
or click it, to enlarge it.</p>
{legends}{hands}</html>"""
_TABLE = """<h2>{title}</h2><p>{about}</p><table>
<tr><th>asked<th>source<th>drawn<th>score<th>way<th>faults</tr>
{rows}</table>"""


def report_page(proofreader: "Proofreader", hands: "Sequence[tuple[int, list[Verdict]]]") -> str:
    """The page of some hands: styles, numbered from 0, with their verdicts in order."""
    cards = proofreader.drawer.card.styles
    every = [verdict for _, verdicts in hands for verdict in verdicts]
    legends = _legend("Faults", _FAULTS, (fault for v in every for fault in v.faults))
    legends += _legend("Ways", _WAYS, (v.best.way for v in every))
    names = ", ".join(cards[style].name for style, _ in hands)
    tables = "".join(_table(proofreader, *hand) for hand in hands)
    return _PAGE.format(title=escape(f"Glyphs of {names}"), legends=legends, hands=tables)


def percent(score: float) -> str:
    """A score of 0 to 1 as a percentage."""
    return f"< {_LEAST_SHARE:.1%}".replace("%", " %") if score < _LEAST_SHARE else _exact(score, 3)


def _exact(share: float, digits: int) -> str:
    return f"{100 * share:.{digits}g} %"


def _legend(title: str, words: dict[str, str], used: Iterable[str]) -> str:
    """The words of the terms that the page uses."""
    there = set(used)
    terms = [f"<dt>{name}<dd>{about}" for name, about in words.items() if name in there]
    return f"<h2>{title}</h2><dl>{''.join(terms)}</dl>" if terms else ""


def _table(proofreader: "Proofreader", style: int, verdicts: "list[Verdict]") -> str:
    card, count = proofreader.drawer.card.styles[style], sum(v.doubtful for v in verdicts)
    least, limit = proofreader.least_score(style), proofreader.doubted_score(style)
    about = (
        f"{len(verdicts):,} characters, {count:,} of them doubtful (with a fault); these come "
        f"first. 95 % of the hand's real glyphs score {_exact(least, 2)} or more: what scores less "
        f"is drawn again. Below {_exact(limit, 2)}, its limit, a glyph is doubtful."
    )
    shown = verdicts[: max(count, _MAX_SHOWN)]
    if len(shown) < len(verdicts):
        about += f" {len(shown):,} are shown; the JSON report has every score."
    names = dict.fromkeys(filter(None, (card.name, card.chinese, card.script)))
    if remark := proofreader.remarks.get(style):
        about += f"</p><p>{escape(remark[0].upper() + remark[1:])}."
    rows = "".join(_row(proofreader, verdict, limit) for verdict in shown)
    title = escape(f"Style {style + 1}: {', '.join(names)}")
    return _TABLE.format(title=title, about=about, rows=rows)


def _row(proofreader: "Proofreader", verdict: "Verdict", limit: float) -> str:
    kind = ' class="doubtful"' if verdict.doubtful else ""
    source: np.ndarray = proofreader.drawer.source.images(verdict.char)[0]
    char = escape(verdict.char)
    pictures = "".join(
        f'<td class="picture"><img tabindex="0" alt="{char}, {what}" '
        f'src="data:image/png;base64,{_png(image)}">'
        for what, image in (("source", source), ("drawn", verdict.best.image))
    )
    cells = f"<td>{escape(percent(verdict.best.score))}<br><small>limit {_exact(limit, 2)}</small>"
    cells += f"<td>{escape(verdict.best.way)}<td>{escape('; '.join(_remarks(verdict, limit)))}"
    name = f"<big>{char}</big><br><small>U+{ord(verdict.char):04X}</small>"
    return f"<tr{kind}><td>{name}{pictures}{cells}</tr>\n"


def _remarks(verdict: "Verdict", limit: float) -> Iterator[str]:
    """The faults; or why a glyph with some, or with a low score, is not doubtful."""
    if verdict.faults:
        yield ", ".join(verdict.faults)
    if verdict.picked is not None:
        yield "not doubtful, as you picked it"
    elif not verdict.faults and limit <= verdict.best.score < verdict.least_score:
        yield "a low score, but not doubtful: it is above the limit"


def _png(image: np.ndarray) -> str:
    file = BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
