"""Reports of the proofreader's verdicts: HTML with pictures, a contact sheet, JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calligan.errors import DataError
from calligan.inference.content import picture_of
from calligan.inference.report_page import report_page
from calligan.page.sheet import Row, contact_sheet, save_png
from calligan.storage import atomic_file, check_writable, write_bytes, write_json

if TYPE_CHECKING:  # so that a file's name can be checked before torch is imported
    from calligan.inference.proofread import Proofreader, Verdict

_MAX_LISTED = 40  # doubtful characters in a line, per style and reason


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
                "remark": self.proofreader.remarks.get(style, ""),
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

    def save(self, path: Path | str) -> None:
        """Write a report in the format of the file ending. Raises DataError for an unknown one."""
        path = Path(path)
        check_report(path)
        _WRITERS[path.suffix.lower()](self, path)

    def save_all(self, paths: Sequence[Path]) -> Sequence[Path]:
        """Write reports, and give their paths."""
        for path in paths:
            self.save(path)
        return paths

    def _save_json(self, path: Path) -> None:
        write_json(path, self.as_json())

    def _save_html(self, path: Path) -> None:
        hands = [(style, self.verdicts(style)) for style in self.styles]
        write_bytes(path, report_page(self.proofreader, hands).encode())

    def candidates(self, chars: str) -> "list[tuple[int, Verdict]]":
        """Styles and verdicts of the characters of a text, in its order."""
        found = [(style, self.proofreader.verdicts.get(style, {})) for style in self.styles]
        return [(s, known[c]) for s, known in found for c in dict.fromkeys(chars) if c in known]

    def save_candidates(self, path: Path, count: int, chars: str) -> None:
        """Save a sheet of each character's source glyph and `count` attempts, numbered from 1.

        The rows are in the order of `chars`; the attempt in use is framed, and shown in any case.
        """
        rows, several, source = [], len(self.styles) > 1, self.proofreader.drawer.source
        for style, verdict in self.candidates(chars):
            used = verdict.picked or 1
            images = [attempt.image for attempt in verdict.candidates[: max(count, used)]]
            name = f" {self.proofreader.drawer.card.styles[style].name}" if several else ""
            rows.append(Row(verdict.char + name, [source.images(verdict.char)[0], *images], used))
        numbers = ["", *map(str, range(1, max(len(row.images) for row in rows)))]
        size_px = self.proofreader.drawer.card.size_px
        sheet = contact_sheet(rows, size_px, numbers, partial(picture_of, source))
        with atomic_file(path) as file:
            save_png(sheet, file)

    def candidate_notes(self, count: int, chars: str) -> Iterator[str]:
        """How to read the sheet of candidates, and whether there are fewer than asked for."""
        most = max(verdict.count for _, verdict in self.candidates(chars))
        if most < count:
            yield f"there are {most} candidates of a character, not {count}"
        yield "the candidate in use is framed; choose another by its number: --pick 书=2"


_WRITERS = {".json": Findings._save_json, ".html": Findings._save_html}  # by the file's ending


def check_report(path: Path) -> None:
    """Raise DataError for a path that a report cannot be written to."""
    if path.suffix.lower() not in _WRITERS or path.is_dir():
        kinds = " or ".join(_WRITERS)
        raise DataError(f"{path} does not end in {kinds}; name the kind of report")
    check_writable(path)
