"""The fonts of a studio: uploaded fonts, finished fonts, and what was chosen for their glyphs."""

import contextlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont, TTLibError

from calligan import apart
from calligan.errors import CalliganError, DataError, FontError
from calligan.storage import cannot_write, read_json, write_bytes, write_json
from calligan.studio import removal
from calligan.studio.jobs import Jobs
from calligan.studio.locations import FONTS, font_folder

MAX_BYTES = 64 * 2**20
CHECK_SHEET, VERDICTS, REPORT = "check.png", "verdicts.json", "report.html"
CHOICES, MADE_WITH = "choices.json", "made-with.json"
ABSENT = "absent.json"  # pictures of glyphs that the finished font is without
_ABOUT, _SETTINGS, _MADE, _CHECKED = "about.json", "settings.json", "made.json", "checked.json"
_PICKED = "picked.json"  # pictures of candidates
_NEW = "new"  # the folder of fonts that are being made
_GIVEN = ("given.ttf", "given.otf")
_MAGIC = {b"\0\1\0\0": ".ttf", b"true": ".ttf", b"OTTO": ".otf"}
_LOOK_S = 40.0  # processor time beyond the limit: fontTools reads the whole font


@dataclass(frozen=True)
class Choices:
    """The user's choices for a font's glyphs: candidates by number, and glyphs to leave out."""

    hand: str = ""  # whose candidates they are
    picked: Mapping[str, int] = field(default_factory=dict)
    left_out: str = ""

    @classmethod
    def read(cls, font: str, file: str = CHOICES) -> "Choices":
        """The stored choices of a font, or empty ones; with MADE_WITH, those it was made with."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            return cls(**read_json(font_folder(font) / file))
        return cls()

    def write(self, font: str, file: str = CHOICES) -> None:
        """Store the choices."""
        write_json(font_folder(font) / file, asdict(self))

    def picked_of(self, hand: str) -> Mapping[str, int]:
        """The picked candidates, if they are of this hand."""
        return self.picked if hand == self.hand else {}

    def pending(self, made: "Choices") -> str:
        """The characters that a font made with other choices has otherwise."""
        now, then = self.picked_of(made.hand or self.hand), made.picked
        chars = dict.fromkeys([*now, *then, *self.left_out, *made.left_out])
        return "".join(
            char
            for char in chars
            if now.get(char) != then.get(char) or (char in self.left_out) != (char in made.left_out)
        )

    def changed(self, hand: str, char: str, number: int | None) -> "Choices":
        """A copy with a candidate (from 1) for a character; 0 leaves it out, None undoes both."""
        picked = {c: n for c, n in self.picked_of(hand).items() if c != char}
        left_out = self.left_out.replace(char, "")
        if number:
            picked[char] = number
        return Choices(hand, picked, left_out + (char if number == 0 else ""))


def font_names() -> list[str]:
    """The fonts of this studio."""
    return sorted(path.name for path in FONTS.glob("*") if path.is_dir())


def given_font(name: str) -> Path:
    """The uploaded font. Raises DataError if there is none."""
    for file in _GIVEN:
        if (path := font_folder(name) / file).is_file():
            return path
    raise DataError(f"there is no uploaded font called {name}; upload one first")


def take_font(name: str, file: str, data: bytes) -> dict[str, Any]:
    """Store an uploaded font, and return its coverage. Raises DataError for other files.

    It is read in a process of its own, since a font may be hostile.
    """
    kind = _MAGIC.get(data[:4])
    if kind is None:
        raise DataError(
            f"the file {file[:80]} is no TTF or OTF; save it as one (no collection, no WOFF)"
        )
    path = font_folder(name) / f"given{kind}"
    if font_folder(name).exists():
        raise DataError(f"there is a font called {name} already; open it, or rename the file")
    write_bytes(path, data)
    try:
        about = {"file": file[:80], **_read_apart(path)}
    except BaseException:
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()
        raise
    write_json(font_folder(name) / _ABOUT, about)
    return about


def about_font(name: str) -> dict[str, Any] | None:
    """The coverage of an uploaded font, or None if there is none."""
    return _noted(name, _ABOUT)


def note_about(name: str, **values: Any) -> None:
    """Add to what is known of an uploaded font."""
    if about := about_font(name):
        write_json(font_folder(name) / _ABOUT, {**about, **values})


def sets_of(path: Path) -> dict[str, tuple[int, int]]:
    """How many characters of each shipped set a finished font has, and of how many."""
    from calligan.library.coverage import coverage

    return coverage(path).sets


def _read_apart(path: Path) -> dict[str, Any]:
    try:
        here = "calligan.studio.font_files:look"
        told, _ = apart.call(here, str(path), what="the font", seconds=_LOOK_S)
    except CalliganError as error:
        raise FontError(str(error).replace(str(path), "the font")) from error
    return dict(told)


def look(path: str) -> apart.Answer:
    """What a font has. In the child."""
    from calligan.library.coverage import coverage

    seen = coverage(path)
    refusal = seen.refusal.replace(path, "the font")
    return {"family": seen.family, "sets": seen.sets, "refusal": refusal}, []


def made_path(name: str, kind: str = ".ttf") -> Path:
    """The finished font of a kind. Raises DataError if there is none."""
    path = font_folder(name) / f"made{kind}"
    if not path.exists():
        raise DataError("no such font is made yet")
    return path


def made_kinds(name: str) -> list[str]:
    """The kinds of the finished font."""
    return [
        kind for kind in (".ttf", ".otf", ".ufo") if (font_folder(name) / f"made{kind}").exists()
    ]


def verdicts(name: str) -> list[dict[str, Any]]:
    """The verdict on each new glyph. Not to be changed: it is kept for the next call."""
    path = font_folder(name) / VERDICTS
    with contextlib.suppress(OSError, ValueError):
        return _verdicts(path, path.stat().st_mtime_ns)
    return []


@lru_cache(maxsize=2)
def _verdicts(path: Path, mtime_ns: int) -> list[dict[str, Any]]:
    found = read_json(path)
    return found if isinstance(found, list) else []


def changed(name: str) -> list[dict[str, Any]]:
    """The new glyphs that the user changed: those of the finished font, then those left out."""
    choices, made = Choices.read(name), Choices.read(name, MADE_WITH)
    out = dict.fromkeys(choices.left_out + made.left_out)
    picked, glyphs = choices.picked_of(made.hand or choices.hand), verdicts(name)
    chosen = {*picked, *out, *choices.pending(made)}
    there = {glyph["char"] for glyph in glyphs}
    absent = [left_out_by_choice(char) for char in out if char not in there]
    return [glyph for glyph in glyphs if glyph["char"] in chosen] + absent


def left_out_by_choice(char: str) -> dict[str, Any]:
    """The entry of a glyph that the user left out, in the list of verdicts."""
    return {"char": char, "score": None, "doubtful": False, "faults": [], "left_out": "chosen"}


def absent_pictures(name: str) -> dict[str, dict[str, Any]]:
    """Pictures of glyphs that the finished font is without, as `glyph_paths`."""
    return _noted(name, ABSENT) or {}


def picked_pictures(name: str) -> dict[str, dict[str, Any]]:
    """Pictures of the candidates that were picked, with `box`, which the font may not have yet."""
    return _noted(name, _PICKED) or {}


def note_picked(name: str, char: str, picture: Mapping[str, Any] | None) -> None:
    """Keep the picture of a candidate that was picked for a character; None: none is picked."""
    others = {c: seen for c, seen in picked_pictures(name).items() if c != char}
    write_json(font_folder(name) / _PICKED, {**others, **({char: picture} if picture else {})})


def pictures_of(name: str, chars: str) -> dict[str, dict[str, Any]]:
    """Glyphs as the font has them, or will have them once it is made again, as `glyph_paths`.

    Those with a `box`, where their ink begins and ends, are not fitted to the font yet.
    """
    made_with = Choices.read(name, MADE_WITH)
    choices, pictures = Choices.read(name), picked_pictures(name)
    picked = {*choices.picked_of(made_with.hand)} & {*choices.pending(made_with)}
    fresh = {char: pictures[char] for char in picked & pictures.keys()}
    found = {**absent_pictures(name), **glyph_paths(name, chars), **fresh}
    blank = {"d": "", "width": (made(name) or {}).get("advance", 1000)}
    return {char: {**blank, **found.get(char, {})} for char in chars}


def pictures_before(name: str, hand: str) -> dict[str, dict[str, Any]]:
    """The glyphs that are left out now, as they are in the finished font, or were before."""
    chars = Choices.read(name).left_out
    if Choices.read(name, MADE_WITH).hand != hand:
        return {}
    there: dict[str, dict[str, Any]] = {}
    with contextlib.suppress(CalliganError, OSError, TTLibError):
        there = glyph_paths(name, chars)
    found = {**absent_pictures(name), **there}
    return {char: found[char] for char in chars if char in found}


def new_paths(name: str, kind: str) -> list[Path]:
    """Where a font of a kind is to be made, and those of the other kinds that were made before.

    A font of the old state beside one of the new would be downloaded by mistake.
    """
    folder = font_folder(name) / _NEW
    kinds = (kind, *(other for other in made_kinds(name) if other != kind))
    paths = [folder / f"made{each}" for each in kinds]
    for path in paths:  # of a process that was killed
        _delete(path)
    return paths


def take_new(name: str, paths: Sequence[Path]) -> None:
    """Put the fonts that were made in their places."""
    for path in paths:
        place = font_folder(name) / path.name
        if place.is_dir():  # a UFO, which cannot be replaced
            _delete(place)
        path.replace(place)
    with contextlib.suppress(OSError):
        (font_folder(name) / _NEW).rmdir()


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def settings(name: str) -> dict[str, Any]:
    """What was filled in for a font."""
    return _noted(name, _SETTINGS) or {}


def add_settings(name: str, values: Mapping[str, str]) -> None:
    """Keep what was filled in for a font; it is begun thereby."""
    write_json(font_folder(name) / _SETTINGS, {**settings(name), **values})


def made(name: str) -> dict[str, Any] | None:
    """What is known of the finished font; None if there is none."""
    return _noted(name, _MADE) if made_kinds(name) else None


def note_made(name: str, told: Mapping[str, Any]) -> None:
    """Note what a finished font is."""
    write_json(font_folder(name) / _MADE, dict(told))


def checked(name: str) -> dict[str, Any] | None:
    """What was found in the given font; None if it was not checked."""
    return _noted(name, _CHECKED)


def note_checked(name: str, found: Mapping[str, Any]) -> None:
    """Note what was found in the given font."""
    write_json(font_folder(name) / _CHECKED, dict(found))


def _noted(name: str, file: str) -> dict[str, Any] | None:
    with contextlib.suppress(OSError, ValueError):
        found = read_json(font_folder(name) / file)
        return found if isinstance(found, dict) else None
    return None


def existing(name: str) -> Path:
    """The folder of a font. Raises DataError if there is no such font."""
    folder = font_folder(name)
    if not folder.is_dir():
        raise DataError("there is no font of that name; go back to My font")
    return folder


def rename(name: str, to: str) -> None:
    """Give a font another name. Raises DataError if there is one of that name."""
    folder, new = existing(name), font_folder(to)
    if new.exists():
        raise DataError(f"there is a font called {to} already; choose another name")
    _opened.cache_clear()  # an open file cannot be moved on Windows
    try:
        folder.rename(new)
    except OSError as error:
        raise cannot_write(new, error) from error


def own_hand(name: str) -> str:
    """The hand that is learned from a given font: it keeps the name that the font had then."""
    return str((about_font(name) or {}).get("own") or name)


def remove(jobs: Jobs, name: str) -> str:
    """Remove a font; returns a token to bring it back by."""
    existing(name)
    _opened.cache_clear()
    return removal.remove(jobs, "font", name)


def lacking(name: str, text: str) -> str:
    """The characters of a text that the finished font does not have, each once."""
    cmap = _made_font(name).getBestCmap()
    return "".join(c for c in dict.fromkeys(text) if not c.isspace() and ord(c) not in cmap)


def _made_font(name: str) -> TTFont:
    kind = next(iter(made_kinds(name)), ".ttf")
    path = made_path(name, kind if kind != ".ufo" else ".ttf")
    return _opened(path, path.stat().st_mtime_ns)


def glyph_paths(name: str, chars: str) -> dict[str, dict[str, Any]]:
    """Glyphs of the finished font: SVG paths and advances, in an em of 1000 units, y upward."""
    font = _made_font(name)
    cmap, glyphs, k = font.getBestCmap(), font.getGlyphSet(), 1000 / font["head"].unitsPerEm
    found = {}
    for char in chars:
        if ord(char) in cmap:
            pen = SVGPathPen(glyphs, ntos=lambda value: f"{value:.4g}")
            glyph = glyphs[cmap[ord(char)]]
            glyph.draw(TransformPen(pen, (k, 0, 0, k, 0, 0)))
            found[char] = {"d": pen.getCommands(), "width": round(k * glyph.width)}
    return found


@lru_cache(maxsize=4)
def _opened(path: Path, mtime_ns: int) -> TTFont:
    return TTFont(path, lazy=True)
