"""Find installed Chinese fonts: through fontconfig, or in the usual font folders."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from calligan.errors import FontError
from calligan.glyphs.face import Face, FontSpec

_FOLDERS = (
    "/System/Library/Fonts",
    "/System/Library/Fonts/Supplemental",
    "/Library/Fonts",
    "~/Library/Fonts",
    "C:/Windows/Fonts",
    "~/AppData/Local/Microsoft/Windows/Fonts",
    "/usr/share/fonts",
    "~/.local/share/fonts",
)
# Parts of file names in order of preference: 楷 is closest to handwriting; then 宋, then 黑.
_KINDS = ("kai", "song", "simsun", "serif", "ming", "sun", "hei", "yahei", "pingfang", "sans")
_SUFFIXES = (".ttf", ".ttc", ".otf", ".otc")
_PROBE = "永和九年书法"  # has simplified characters that Japanese fonts lack
_MAX_TRIED = 12


def chinese_font() -> FontSpec | None:
    """The preferred installed Chinese font: 楷, else 宋, else 黑; None if there is none."""
    found = sorted(set(_find_by_fontconfig() or _find_in_folders()), key=_preference)
    return next(filter(_draws_chinese, found[:_MAX_TRIED]), None)


def _find_by_fontconfig() -> list[FontSpec]:
    program = shutil.which("fc-list")
    if program is None:
        return []
    command = [program, ":lang=zh-cn", "--format", "%{file}\t%{index}\n"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return []
    rows = (line.split("\t") for line in done.stdout.splitlines() if line.count("\t") == 1)
    # Indices above 65535 are named instances of variable fonts.
    return [FontSpec(Path(file), index) for file, index in rows if int(index) < 65536]


def _find_in_folders(folders: tuple[str, ...] = _FOLDERS) -> list[FontSpec]:
    return [FontSpec(path, "0") for folder in folders for path in _fonts_below(folder)]


def _fonts_below(folder: str) -> Iterator[Path]:
    for parent, _, names in os.walk(Path(folder).expanduser()):
        for name in names:
            if name.lower().endswith(_SUFFIXES) and _kind(name) < len(_KINDS):
                yield Path(parent, name)


def _preference(spec: FontSpec) -> tuple[int, int, str, int]:
    name = spec.path.name.lower()
    unusual = sum(word in name for word in ("bold", "light", "thin", "black", "italic", "mono"))
    return (_kind(name), unusual, str(spec.path), int(spec.face))


def _kind(name: str) -> int:
    return next((i for i, kind in enumerate(_KINDS) if kind in name.lower()), len(_KINDS))


def _draws_chinese(spec: FontSpec) -> bool:
    try:
        face = Face(spec)
        glyphs = [face.glyph_index(char) for char in _PROBE]
        return all(glyph and face.ink_box_em(glyph) for glyph in glyphs)
    except FontError:
        return False
