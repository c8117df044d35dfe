"""The FreeType adapter: open a font, find its glyphs, rasterize them.

FreeType reads TTF, OTF, TTC and WOFF. WOFF2 is unpacked once into the cache by fontTools.
"""

import ctypes
import io
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import freetype
import numpy as np
from freetype import raw as ft

from calligan.errors import FontError
from calligan.glyphs.unpack import unpack_woff2
from calligan.storage import sha256_bytes

if TYPE_CHECKING:
    from fontTools.pens.basePen import AbstractPen

_LOAD_OUTLINE = freetype.FT_LOAD_NO_HINTING | freetype.FT_LOAD_NO_BITMAP
_LOAD_UNSCALED = (
    freetype.FT_LOAD_NO_SCALE | freetype.FT_LOAD_NO_BITMAP | freetype.FT_LOAD_IGNORE_TRANSFORM
)
_F26DOT6 = 64
_MAX_BITMAP_PX = 16 * 2**20  # area of one glyph's bitmap: 4,096 x 4,096
_MAX_FONT_BYTES = 512 * 2**20


@dataclass(frozen=True)
class FontSpec:
    """A font in the user's notation: `PATH`, `PATH#FACE` (index or name), `PATH@INSTANCE`.

    `face` is a face of a TTC; `instance` is a named instance (`Bold`) or a weight (`650`) of a
    variable font.
    """

    path: Path
    face: str = "0"
    instance: str | None = None

    @classmethod
    def parse(cls, text: str) -> "FontSpec":
        """Parse `text`; an existing file with this exact name takes precedence over `#` and `@`."""
        if Path(text).exists():
            return cls(Path(text))
        folder, name = os.path.split(text)
        rest, _, instance = name.partition("@")
        file, _, face = rest.partition("#")
        return cls(Path(folder, file), face or "0", instance or None)

    def __str__(self) -> str:
        face = "" if self.face == "0" else f"#{self.face}"
        return f"{self.path}{face}" + (f"@{self.instance}" if self.instance else "")


@dataclass(frozen=True)
class Bitmap:
    """Ink coverage of one glyph, uint8 (H, W), 255 = full ink, and its position in pixels.

    From a Face: `left_px` is the first column's offset from the pen, `top_px` the first row's
    height above it. From a Placement: both are offsets from the canvas's top left corner, y down.
    """

    ink: np.ndarray
    left_px: int
    top_px: int

    def same(self, other: "Bitmap") -> bool:
        """Whether both have the same ink in the same place."""
        place = (self.left_px, self.top_px) == (other.left_px, other.top_px)
        return place and np.array_equal(self.ink, other.ink)


class Face:
    """An open font face. Not thread-safe; cheap to open again in another process."""

    def __init__(self, spec: FontSpec):
        self.spec = spec
        data = _read(spec.path)
        self.sha256 = sha256_bytes(data)
        self._data = unpack_woff2(spec.path, data, self.sha256)
        self.index = _face_index(spec, self._data)
        self._face = self._open(self.index)
        self._pen = (0.0, 0.0, 0.0)
        if spec.instance:
            _set_instance(self._face, spec)

    def _open(self, index: int) -> freetype.Face:
        try:
            face = freetype.Face(io.BytesIO(self._data), index)
        except freetype.FT_Exception as error:
            raise _not_a_font(self.spec) from error
        if not face.is_scalable or not face.units_per_EM:
            raise FontError(f"{self.spec} has no outlines (a bitmap font); give an outline font")
        if face.charmap is None or not _select_unicode(face):
            raise FontError(f"{self.spec} has no Unicode character map; give a Unicode font")
        return face

    @property
    def family(self) -> str:
        """The font's family name; may be empty."""
        return (self._face.family_name or b"").decode("utf-8", "replace")

    def name_entry(self, name_id: int) -> str:
        """An entry of the name table (0 copyright, 13 licence); empty if there is none."""
        for index in range(self._face.sfnt_name_count):
            name = self._face.get_sfnt_name(index)
            if name.name_id == name_id and name.platform_id in (0, 3):
                text = bytes(name.string).decode("utf-16-be", "replace")
                return " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return ""

    @property
    def upem(self) -> int:
        """Font units per em."""
        return int(self._face.units_per_EM)

    def glyph_index(self, char: str) -> int:
        """The glyph index of a character; 0 if the font lacks it."""
        return int(self._face.get_char_index(ord(char)))

    def ink_box_em(self, glyph: int) -> tuple[float, float, float, float] | None:
        """Left, bottom, right, top of the outline in ems, y up; None for a blank glyph."""
        if ft.FT_Load_Glyph(self._face._FT_Face, glyph, _LOAD_UNSCALED):
            return None
        outline = self._face._FT_Face.contents.glyph.contents.outline
        if outline.n_points == 0:
            return None
        box = ft.FT_BBox()
        ft.FT_Outline_Get_BBox(ctypes.byref(outline), ctypes.byref(box))
        left, bottom, right, top = (v / self.upem for v in (box.xMin, box.yMin, box.xMax, box.yMax))
        return (left, bottom, right, top) if right > left and top > bottom else None

    def advance_em(self, glyph: int) -> float:
        """Horizontal advance in ems."""
        if ft.FT_Load_Glyph(self._face._FT_Face, glyph, _LOAD_UNSCALED):
            return 1.0
        return float(self._face._FT_Face.contents.glyph.contents.metrics.horiAdvance) / self.upem

    def draw(self, glyph: int, em_px: float, x_px: float = 0.0, y_px: float = 0.0) -> Bitmap | None:
        """Rasterize one glyph with the pen offset by a fraction of a pixel (y up).

        Returns None for a glyph that is blank, refused by FreeType, or larger than any canvas.
        """
        self._set_pen(em_px, x_px, y_px)
        if ft.FT_Load_Glyph(self._face._FT_Face, glyph, _LOAD_OUTLINE):
            return None
        slot = self._face._FT_Face.contents.glyph.contents
        # Check the size before pixels are allocated.
        box = ft.FT_BBox()
        ft.FT_Outline_Get_CBox(ctypes.byref(slot.outline), ctypes.byref(box))
        width, height = box.xMax - box.xMin, box.yMax - box.yMin
        if width * height > _MAX_BITMAP_PX * _F26DOT6**2:
            return None
        if ft.FT_Render_Glyph(ctypes.byref(slot), freetype.FT_RENDER_MODE_NORMAL):
            return None
        bitmap = slot.bitmap
        if not bitmap.rows or not bitmap.width or bitmap.pixel_mode != freetype.FT_PIXEL_MODE_GRAY:
            return None
        # string_at copies the buffer at once; freetype-py's list costs 1.8 ms a glyph.
        buffer = ctypes.string_at(bitmap.buffer, bitmap.rows * bitmap.pitch)
        ink = np.frombuffer(buffer, np.uint8).reshape(bitmap.rows, bitmap.pitch)[:, : bitmap.width]
        return Bitmap(ink, slot.bitmap_left, slot.bitmap_top)

    def draw_outline(self, glyph: int, pen: "AbstractPen", bolder_units: int = 0) -> None:
        """Draw a glyph to a fontTools pen, in font units, ink to the right of each contour.

        `bolder_units` is added to the thickness of its strokes; it may be negative.
        """
        from fontTools.pens.recordingPen import RecordingPen
        from fontTools.pens.reverseContourPen import ReverseContourPen

        if ft.FT_Load_Glyph(self._face._FT_Face, glyph, _LOAD_UNSCALED):
            return
        outline, drawn = self._face.glyph.outline, RecordingPen()
        if half := round(bolder_units / 2):  # FreeType keeps the left and bottom edges in place
            slot = ctypes.byref(self._face._FT_Face.contents.glyph.contents.outline)
            ft.FT_Outline_Embolden(slot, 2 * half)
            ft.FT_Outline_Translate(slot, -half, -half)
        outline.decompose(
            drawn,
            move_to=_begin,
            line_to=lambda a, pen: pen.lineTo((a.x, a.y)),
            conic_to=lambda a, b, pen: pen.qCurveTo((a.x, a.y), (b.x, b.y)),
            cubic_to=lambda a, b, c, pen: pen.curveTo((a.x, a.y), (b.x, b.y), (c.x, c.y)),
        )
        if drawn.value:
            drawn.closePath()
        # Ink is on the left of PostScript contours and on the right of TrueType contours.
        left = outline.flags & freetype.FT_OUTLINE_REVERSE_FILL
        drawn.replay(ReverseContourPen(pen) if left else pen)

    def _set_pen(self, em_px: float, x_px: float, y_px: float) -> None:
        """Set FreeType's size and pen offset if they changed."""
        if self._pen != (em_px, x_px, y_px):
            self._face.set_char_size(0, round(em_px * _F26DOT6), 72, 72)
            shift = ft.FT_Vector(round(x_px * _F26DOT6), round(y_px * _F26DOT6))
            ft.FT_Set_Transform(self._face._FT_Face, None, ctypes.byref(shift))
            self._pen = (em_px, x_px, y_px)

    @cached_property
    def vertical_forms(self) -> dict[int, int]:
        """Vertical form by glyph index, from the font's `vert` feature."""
        from calligan.glyphs.vertical import vertical_substitutions

        return vertical_substitutions(self._data, self.index)


def _begin(point: Any, pen: "AbstractPen") -> None:
    if pen.value:
        pen.closePath()
    pen.moveTo((point.x, point.y))


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise FontError(f"{path} is a folder; give a font file in it")
    try:
        if path.stat().st_size > _MAX_FONT_BYTES:
            limit_mb = _MAX_FONT_BYTES >> 20
            raise FontError(f"{path} is larger than {limit_mb} MB; give a smaller font")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FontError(
            f"no font file {path}, and no catalog font of that name; see `calligan fonts`"
        ) from error
    except OSError as error:
        raise FontError(f"cannot read {path}: {error.strerror}; check its permissions") from error
    if not data:
        raise FontError(f"{path} is empty; copy or fetch the font again")
    return data


def _face_index(spec: FontSpec, data: bytes) -> int:
    """The index of the face that `spec.face` names. Raises FontError with the available faces."""
    if spec.face == "0":  # every font has this face
        return 0
    count, names = _faces(spec, data)
    if spec.face.isdecimal():
        if int(spec.face) < count:
            return int(spec.face)
        raise FontError(
            f"{spec.path} has {count} face(s), numbered from 0; there is no #{spec.face}"
        )
    matches = [i for i, name in enumerate(names) if spec.face.lower() == name.lower()]
    if not matches:
        raise FontError(f"{spec.path} has no face #{spec.face}; it has: {', '.join(names)}")
    return matches[0]


def _faces(spec: FontSpec, data: bytes) -> tuple[int, list[str]]:
    try:
        first = freetype.Face(io.BytesIO(data), 0)
        count = max(1, first.num_faces)
        if spec.face.isdecimal():
            return count, []
        faces = (freetype.Face(io.BytesIO(data), i) for i in range(count))
        return count, [(face.family_name or b"?").decode("utf-8", "replace") for face in faces]
    except freetype.FT_Exception as error:
        raise _not_a_font(spec) from error


def _not_a_font(spec: FontSpec) -> FontError:
    return FontError(
        f"{spec.path} is not a font (TTF, OTF, TTC, WOFF, WOFF2), or is damaged; "
        "fetch or export it again"
    )


def _select_unicode(face: freetype.Face) -> bool:
    try:
        face.select_charmap(freetype.FT_ENCODING_UNICODE)
    except freetype.FT_Exception:
        return False
    return True


def _set_instance(face: freetype.Face, spec: FontSpec) -> None:
    """Set a variable font to a named instance or a weight."""
    try:
        info = face.get_variation_info()
    except freetype.FT_Exception as error:
        raise FontError(f"{spec.path} is not a variable font; drop @{spec.instance}") from error
    wanted = str(spec.instance)
    if wanted.isdecimal():
        axes = [axis for axis in info.axes if axis.tag == "wght"]
        if not axes or not axes[0].minimum <= int(wanted) <= axes[0].maximum:
            axis_range = f"{axes[0].minimum:g}-{axes[0].maximum:g}" if axes else "none"
            raise FontError(f"{spec.path} has no weight {wanted}; its weight axis: {axis_range}")
        face.set_var_design_coords(
            [float(wanted) if axis.tag == "wght" else axis.default for axis in info.axes]
        )
        return
    names = {str(instance.name): instance for instance in info.instances}
    found = next((n for n in names if n.lower() == wanted.lower()), None)
    if found is None:
        raise FontError(f"{spec.path} has no instance @{wanted}; it has: {', '.join(names)}")
    face.set_var_named_instance(found)
