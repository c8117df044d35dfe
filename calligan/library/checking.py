"""Check a font or a folder of glyphs for faults."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from calligan.config import RasterConfig
from calligan.errors import ConfigError, DataError
from calligan.glyphs.catalog import resolve_font
from calligan.glyphs.charset import is_han, load_charset
from calligan.glyphs.face import Face
from calligan.glyphs.placement import measure_placement
from calligan.glyphs.raster import render_glyphs
from calligan.library.orders import abbreviate
from calligan.models.device import pick_device
from calligan.page.sheet import Row, contact_sheet
from calligan.pairs.handwriting import from_pictures
from calligan.progress import Cancel, Note, Progress, count_progress, ignore, never_cancel
from calligan.project.source import chinese_font_name, installed_chinese_font
from calligan.reader.check import Checked, Printed
from calligan.reader.check import check as checked
from calligan.reader.judge import Judge, four_digits
from calligan.reader.limits import shipped
from calligan.requests.fonts import SCRIPTS
from calligan.resources import reader_model
from calligan.scan.folder import read_hand

CHARSET = "gb2312+jis-1+big5-1"  # default characters to check, if the font has them
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".svg", ".pdf")
_SIZE_PX = 64  # the reader's input
_MAX_LINE_CHARS = 120  # of a line of found characters
_SHEET_COLUMNS, _SHEET_ROWS = 20, 30


@dataclass(frozen=True)
class Examined:
    """What was found: `found.duplicates`, `.mislabelled`, `.malformed`, `.scores` …"""

    found: Checked
    blank: str  # characters without ink
    absent: str = ""  # characters that were asked for and that the font lacks

    @property
    def wrong(self) -> str:
        """Every character with a fault, each once."""
        return "".join(dict.fromkeys(self.blank + self.found.wrong))

    def as_json(self) -> dict[str, Any]:
        """All findings and scores; a score is None for a character without a reference."""
        return {
            "blank": self.blank,
            "absent": self.absent,
            "duplicates": list(self.found.duplicates),
            "mislabelled": self.found.mislabelled,
            "malformed": self.found.malformed,
            "capped": self.found.capped,
            "least_score": four_digits(self.found.least_score),
            "scores": {
                char: None if math.isnan(score) else four_digits(score)
                for char, score in zip(self.found.chars, self.found.scores, strict=True)
            },
        }

    def lines(self) -> Iterator[str]:
        """A line for each kind of fault: its name, how many characters have it, and which."""
        found = self.found
        labelled = [f"{char}→{other}" for char, other in found.mislabelled.items()]
        for label, count, shown in (
            ("blank", len(self.blank), self.blank),
            ("the same picture", sum(map(len, found.duplicates)), " ".join(found.duplicates)),
            ("mislabelled?", len(labelled), " ".join(labelled)),
            ("malformed?", len(found.malformed), found.malformed),
        ):
            more = " …" if len(shown) > _MAX_LINE_CHARS else ""
            yield f"{label:17} {count:5}  {shown[:_MAX_LINE_CHARS]}{more}"

    def notes(self) -> Iterator[str]:
        """How many glyphs were checked, and whether some faults are not listed."""
        nothing = not self.wrong and not self.found.capped
        yield self._checked() + (": no fault was found" if nothing else "")
        if self.absent:
            yield f"not in the font: {abbreviate(self.absent)}"
        if self.found.capped:
            yield (
                f"{self.found.capped:,} more glyphs read badly and are not listed: so many suggest "
                "a font that differs from print (--json has every score)"
            )

    def _checked(self) -> str:
        count = len(self.found.chars)
        return f"checked {count:,} glyph{'s' * (count != 1)} with ink"

    def sheet(self, named: bool = True) -> Image.Image:
        """Rows of references and glyphs with low scores, the worst first; or that there is none.

        Unless `named`, the rows have no English names.
        """
        names = ("asked", "found") if named else ("", "")
        found = self.found
        wrong = [found.chars.index(c) for c in (*found.mislabelled, *found.malformed)]
        rows = []
        for start in range(0, min(len(wrong), _SHEET_COLUMNS * _SHEET_ROWS), _SHEET_COLUMNS):
            part = wrong[start : start + _SHEET_COLUMNS]
            rows.append(Row(names[0], [found.references[i] for i in part]))
            rows.append(Row(names[1], [found.images[i] for i in part]))
        if not rows:
            rows.append(Row(f"{self._checked()}: none is mislabelled or malformed", []))
        return contact_sheet(rows, _SIZE_PX)


def check(
    what: Path | str,
    charset: str = CHARSET,
    *,
    script: str | None = None,
    font: str | None = None,
    device: str = "auto",
    progress: Progress = ignore,
    cancel: Cancel = never_cancel,
    note: Note = ignore,
) -> Examined:
    """Find blank, duplicate, mislabelled and malformed glyphs of a font or a folder of PNGs.

    `script` (楷, 行楷, 行, 草, pen, display) sets how much glyphs may differ from print; `font` is
    the regular font to compare with.
    """
    text, folder = str(what), Path(what).is_dir()
    if Path(what).suffix.lower() in _PICTURES:
        raise DataError(
            f"{what} is a picture; give a font, or a folder of PNGs named by their characters. For "
            "a page that calligan wrote, `calligan infer --report` tells what is doubtful"
        )
    if script not in (None, *SCRIPTS):
        raise ConfigError(f"--script {script!r} is not one of {', '.join(SCRIPTS)}")
    judge = Judge.load(pick_device(device))
    chars, images, blank, absent = _folder(Path(what)) if folder else _font(text, charset)
    if not chars:
        raise DataError(f"{what} has no glyph with ink for any of the characters; see --charset")
    regular = chinese_font_name(font, note)
    least = judge.least_score(script or "")
    if script is None and not folder:
        info = resolve_font(text)
        script, least = info.script, judge.least_score(info.script, info.name)
    add = count_progress("reading", len(chars), progress, cancel)
    found = _check_against(chars, images, regular, judge, least, script or "", add)
    return Examined(found, blank + found.blank, absent if charset != CHARSET else "")


def _font(text: str, charset: str) -> tuple[str, np.ndarray, str, str]:
    """Characters with ink, their glyphs, those mapped to blank glyphs, and those not mapped."""
    spec = resolve_font(text).spec
    wanted = "".join(filter(is_han, load_charset(charset)))
    raster = RasterConfig(size_px=_SIZE_PX)
    place = measure_placement(Face(spec), wanted, raster, least=1)
    glyphs = render_glyphs(spec, wanted, place, raster.min_ink)
    out = glyphs.left_out
    return glyphs.chars, glyphs.images, out["blank"] + out["notdef"], out["absent"]


def _folder(folder: Path) -> tuple[str, np.ndarray, str, str]:
    read = list(read_hand(folder))
    found = from_pictures("folder", folder, read, RasterConfig(size_px=_SIZE_PX))
    there = found.entry.chars
    return there, found.images, "".join(char for char, _ in read if char not in there), ""


def proofread(glyphs: list[tuple[str, np.ndarray]], font: str) -> Checked | None:
    """Check pictures of characters, uint8 (H, W), against a regular font.

    None if no picture has ink or the reader is missing.
    """
    inked = [(char, image) for char, image in glyphs if (image < 128).any()]
    if reader_model() is None or not inked:
        return None
    placed, judge = from_pictures("", Path(), inked, RasterConfig(size_px=_SIZE_PX)), Judge.load()
    return _check_against(placed.entry.chars, placed.images, font, judge, judge.least_score(""))


def open_reader() -> None:
    """Open what `proofread` needs, and keep it, if the font to compare with is on this machine.

    A glyph of another character than its label is compared with all others, which takes seconds the
    first time.
    """
    if reader_model() is None or not (font := installed_chinese_font()):
        return
    chars, images = _printed_charset(font)
    if len(chars) > 1:
        proofread([(chars[0], images[1]), (chars[1], images[1])], font)


def _check_against(
    chars: str,
    images: np.ndarray,
    font: str,
    judge: Judge,
    least_score: float,
    script: str = "",
    progress: Callable[[int], None] = lambda count: None,
) -> Checked:
    """Check glyphs against the same characters in a regular font."""
    there = dict(zip(*_printed(font, chars), strict=True))
    return checked(
        *(chars, images, [there.get(char) for char in chars], judge, least_score, progress),
        others=lambda: _printed_charset(font),
        floor=_floor(script, judge),
    )


def _floor(script: str, judge: Judge) -> Callable[[np.ndarray], float]:
    known = shipped()
    if known is None or known.reader != judge.name:
        return lambda scores: 0.0
    return lambda scores: known.floor_of(script, scores)


def _printed_charset(name: str) -> Printed:
    path = resolve_font(name).spec.path
    return _kept_charset(name, path.stat().st_mtime_ns if path.is_file() else 0)


@lru_cache(maxsize=1)
def _kept_charset(name: str, mtime_ns: int) -> Printed:
    """A regular font's glyphs of the most used characters; kept, as several sets are checked."""
    return _printed(name, load_charset("gb2312"))


def _printed(name: str, chars: str) -> Printed:
    """The characters that a regular font has, and its glyphs of them."""
    spec = resolve_font(name).spec
    raster = RasterConfig(size_px=_SIZE_PX)
    place = measure_placement(Face(spec), load_charset("gb2312"), raster)
    glyphs = render_glyphs(spec, "".join(dict.fromkeys(chars)), place, raster.min_ink)
    return glyphs.chars, glyphs.images
