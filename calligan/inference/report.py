"""Reports of the proofreader's verdicts: HTML with pictures, a contact sheet, JSON."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from calligan.errors import DataError
from calligan.page.sheet import Row, contact_sheet, save_png
from calligan.storage import atomic_file, write_bytes, write_json

if TYPE_CHECKING:  # so that a file's name can be checked before torch is imported
    from calligan.inference.proofread import Proofreader, Verdict

_MAX_LISTED = 40  # doubtful characters in a line, per style and reason
_MAX_SHOWN = 500  # glyphs of a style in the HTML report; more if more are doubtful
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; color: #222 }}
td, th {{ padding: .2rem .8rem; text-align: left; vertical-align: middle }}
img {{ width: 72px; height: 72px; border: 1px solid #ddd }} tr.doubtful td {{ background: #fdf0e0 }}
</style><h1>{title}</h1><p>{about}</p><table><tr><th>asked<th>source<th>drawn<th>score<th>way<th>faults
</tr>{rows}</table></html>"""


@dataclass(frozen=True)
class Findings:
    """The verdicts of some styles."""

    proofreader: "Proofreader"
    styles: Sequence[int]

    def verdicts(self, style: int) -> "list[Verdict]":
        """Verdicts of one style, doubtful ones first, then by score, the lowest first."""
        found = self.proofreader.verdicts.get(style, {}).values()
        return sorted(found, key=lambda verdict: (not verdict.doubtful, verdict.best.score))

    def doubtful(self) -> dict[str, str]:
        """Style names to their doubtful characters, where there are any."""
        names = self.proofreader.drawer.card.styles
        every = {names[s].name: [v.char for v in self.proofreader.doubtful(s)] for s in self.styles}
        return {name: "".join(chars) for name, chars in every.items() if chars}

    def overruled(self) -> str:
        """Characters whose picked attempt has a fault."""
        every = (v for s in self.styles for v in self.verdicts(s))
        return "".join(v.char for v in every if v.picked and v.faults)

    def reasons(self) -> dict[str, dict[str, str]]:
        """Doubtful characters by style name and reason."""
        found: dict[str, dict[str, str]] = {}
        for style in self.styles:
            for verdict in self.proofreader.doubtful(style):
                why = found.setdefault(self.proofreader.drawer.card.styles[style].name, {})
                reason = ", ".join(verdict.faults)
                why[reason] = why.get(reason, "") + verdict.char
        return found

    def notes(self) -> Iterator[str]:
        """The doubtful characters, in lines."""
        if overruled := self.overruled():
            yield f"doubtful, but used because you picked them: {' '.join(overruled)}"
        for name, reasons in self.reasons().items():
            lists = "; ".join(
                f"{reason}: {' '.join(chars[:_MAX_LISTED])}{' …' * (len(chars) > _MAX_LISTED)}"
                for reason, chars in sorted(reasons.items(), key=lambda item: -len(item[1]))
            )
            yield f"doubtful in {name} ({sum(map(len, reasons.values()))}): {lists}"

    def as_json(self) -> dict[str, Any]:
        """Every score."""
        from calligan.reader.judge import four_digits

        return {
            self.proofreader.drawer.card.styles[style].name: {
                "least_score": self.proofreader.least_score(style),
                "glyphs": [
                    {
                        "char": verdict.char,
                        "score": four_digits(verdict.best.score),
                        "doubtful": verdict.doubtful,
                        "faults": list(verdict.faults),
                        "way": verdict.best.way,
                        "attempts": verdict.count,
                    }
                    for verdict in self.verdicts(style)
                ],
            }
            for style in self.styles
        }

    def save(self, path: Path) -> None:
        """Write a report in the format of the file ending. Raises DataError for an unknown one."""
        check_report(path)
        _WRITERS[path.suffix.lower()](self, path)

    def _save_json(self, path: Path) -> None:
        write_json(path, self.as_json())

    def _save_html(self, path: Path) -> None:
        write_bytes(path, "".join(self._page(style) for style in self.styles).encode())

    def save_candidates(self, path: Path, count: int) -> None:
        """Save a sheet of each character's source glyph and best attempts, numbered from 1."""
        rows = []
        for style in self.styles:
            for verdict in self.proofreader.verdicts.get(style, {}).values():
                source = self._source(verdict)
                images = [attempt.image for attempt in verdict.attempts[:count]]
                rows.append(Row(f"U+{ord(verdict.char):04X}", [source, *images]))
        with atomic_file(path) as file:
            numbers = ["", *map(str, range(1, count + 1))]
            save_png(contact_sheet(rows, self.proofreader.drawer.card.size_px, numbers), file)

    def _source(self, verdict: "Verdict") -> np.ndarray:
        image: np.ndarray = self.proofreader.drawer.source.images(verdict.char)[0]
        return image

    def _page(self, style: int) -> str:
        verdicts = self.verdicts(style)
        least = self.proofreader.least_score(style)
        count = sum(verdict.doubtful for verdict in verdicts)
        about = (
            f"{len(verdicts):,} characters, {count:,} of them doubtful (with a fault). 95 % of the "
            f"style's real glyphs score {least:.3g} or more. Glyphs with a lower score or a fault "
            "were drawn again with other inputs. Doubtful glyphs come first."
        )
        shown = verdicts[: max(count, _MAX_SHOWN)]
        if len(shown) < len(verdicts):
            about += f" {len(shown):,} are shown; the JSON report has every score."
        name = self.proofreader.drawer.card.styles[style].name
        rows = "".join(map(self._row, shown))
        return _PAGE.format(title=escape(f"Style {name}"), about=about, rows=rows)

    def _row(self, verdict: "Verdict") -> str:
        kind = ' class="doubtful"' if verdict.doubtful else ""
        pictures = "".join(
            f'<td><img alt="" src="data:image/png;base64,{_png(image)}">'
            for image in (self._source(verdict), verdict.best.image)
        )
        cells = f"<td>{verdict.best.score:.3g}<td>{escape(verdict.best.way)}"
        cells += f"<td>{escape(', '.join(verdict.faults))}"
        name = f"{escape(verdict.char)}<br><small>U+{ord(verdict.char):04X}</small>"
        return f"<tr{kind}><td>{name}{pictures}{cells}</tr>\n"


_WRITERS = {".json": Findings._save_json, ".html": Findings._save_html}  # by the file's ending


def check_report(path: Path) -> None:
    """Raise DataError for a path that a report cannot be written to."""
    if path.suffix.lower() not in _WRITERS or path.is_dir():
        kinds = " or ".join(_WRITERS)
        raise DataError(f"{path} does not end in {kinds}; name the kind of report")


def _png(image: np.ndarray) -> str:
    file = BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
