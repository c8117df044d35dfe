"""Outlines to pixels with FreeType's scan converter: exact coverage, no font needed."""

import ctypes

import freetype
import numpy as np
from freetype import raw as ft

from calligan.glyphs.face import Bitmap
from calligan.limits import MAX_OUTLINE_POINTS, MAX_OUTLINE_SIDE_PX
from calligan.vector.outline import Outline

_F26DOT6 = 64
_ON, _CUBIC = 1, 2  # FreeType's point tags: on the curve, control point of a cubic


def fill(outline: Outline) -> Bitmap | None:
    """Coverage of an outline in pixels (y down); None if nothing is filled.

    Raises ValueError for an outline that is too large for FreeType's counters.
    """
    if not len(outline.contour):
        return None
    left, top = np.floor(outline.controls.min(axis=(0, 1))).astype(int) - 1
    right, bottom = np.ceil(outline.controls.max(axis=(0, 1))).astype(int) + 1
    width, height = int(right - left), int(bottom - top)
    points, tags, ends = _points(outline, left, bottom)
    if len(points) > MAX_OUTLINE_POINTS or max(width, height) > MAX_OUTLINE_SIDE_PX:
        raise ValueError(f"outline of {len(points)} points, {width} x {height} pixels")
    ink = np.zeros((height, width), np.uint8)
    path = ft.FT_Outline(
        n_contours=len(ends),
        n_points=len(points),
        points=points.ctypes.data_as(ctypes.POINTER(ft.FT_Vector)),
        tags=tags.ctypes.data_as(ctypes.POINTER(ctypes.c_ubyte)),
        contours=ends.ctypes.data_as(ctypes.POINTER(ctypes.c_short)),
        flags=0,
    )
    bitmap = ft.FT_Bitmap(
        rows=height,
        width=width,
        pitch=width,
        buffer=ink.ctypes.data_as(ctypes.POINTER(ctypes.c_ubyte)),
        num_grays=256,
        pixel_mode=freetype.FT_PIXEL_MODE_GRAY,
    )
    library = freetype.get_handle()
    if ft.FT_Outline_Get_Bitmap(library, ctypes.byref(path), ctypes.byref(bitmap)):
        return None
    return Bitmap(ink, int(left), int(top))


def _points(outline: Outline, left: int, bottom: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (N, 2) in 1/64 pixel with y up, their tags, and the last point of each contour.

    Each piece contributes its first point and, if it is a curve, its two control points.
    """
    shown = np.ones((len(outline.contour), 3), bool)
    shown[outline.straight, 1:] = False
    corners = outline.controls[:, :3][shown]
    upward = (corners - (left, bottom)) * (_F26DOT6, -_F26DOT6)
    points = np.ascontiguousarray(np.rint(upward), dtype=np.dtype(ctypes.c_long))
    tags = np.broadcast_to(np.array([_ON, _CUBIC, _CUBIC], np.uint8), shown.shape)[shown]
    last = np.flatnonzero(np.diff(outline.contour, append=-1))
    ends = np.cumsum(shown.sum(axis=1))[last] - 1
    return points, np.ascontiguousarray(tags), ends.astype(np.int16)
