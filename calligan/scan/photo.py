"""Pictures of paper: opened with care, straightened by a page's markers, evened in light."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from calligan.errors import DataError
from calligan.scan.opencv import opencv
from calligan.scan.sheet import MARKER_MM, Sheet

_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
_MOST_PIXELS = 120_000_000
_LEAST_PX = 64  # of the shorter side
_WORKED_PX = 4500  # of the longer side: enough for any page
_RUBBING = 105  # of 255: a page whose middle is darker is a rubbing
_LEAST_PAPER, _MOST_PAPER = 0.25, 0.97  # of a picture, for a sheet on a ground
_CORNERS = ("top left", "top right", "bottom right", "bottom left")  # as its markers are numbered
PX_A_MM = 12.0  # of a straightened page


def open_photo(path: Path) -> np.ndarray:
    """A picture as it should be held: uint8 (H, W, 3), RGB, at most 4,500 px a side.

    Raises DataError for what is no picture of ours, damaged, or far too large.
    """
    try:
        with warnings.catch_warnings(), Image.open(path, formats=_FORMATS) as image:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            pages = getattr(image, "n_frames", 1)
            if pages > 1 and image.format == "TIFF":  # a telephone's JPEG may hold a preview too
                raise DataError(f"{path} holds {pages} pages; save each as a picture of its own")
            if image.width * image.height > _MOST_PIXELS:
                raise Image.DecompressionBombError
            image.draft("RGB", (_WORKED_PX, _WORKED_PX))
            clear = ImageOps.exif_transpose(image).convert("RGBA")
            paper = Image.new("RGBA", clear.size, "white")
            turned = Image.alpha_composite(paper, clear).convert("RGB")
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder; name the pictures in it") from error
    except FileNotFoundError as error:
        raise DataError(f"no picture {path}; check the path") from error
    except Image.DecompressionBombError as error:
        raise DataError(
            f"{path} has too many pixels; make it smaller than {_MOST_PIXELS // 1_000_000} "
            "megapixels (a page needs about 8)"
        ) from error
    except UnidentifiedImageError as error:
        kinds = ", ".join(_FORMATS)
        raise DataError(f"{path} is no picture of {kinds}; save it as JPEG") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path} is a damaged picture ({error}); save it anew") from error
    if min(turned.size) < _LEAST_PX:
        raise DataError(f"{path} is {turned.width} x {turned.height} pixels: too small for a page")
    turned.thumbnail((_WORKED_PX, _WORKED_PX))
    return np.asarray(turned)


def read_sheet(photo: np.ndarray) -> tuple[np.ndarray, Sheet]:
    """A template's page, whichever way up: uint8 (H, W, 3) at PX_A_MM, and what it holds.

    Raises DataError, which says what is missing, where no page of ours is found.
    """
    found = _markers(photo)
    if lacking := [name for number, name in enumerate(_CORNERS) if number not in found]:
        if len(_markers(photo[:, ::-1])) == len(_CORNERS):
            raise DataError("the page is seen in a mirror; save the picture the right way round")
        if not found:
            raise DataError(
                "no template page: none of its four corner marks is in the picture and "
                "sharp; photograph it again (a free page needs --text)"
            )
        marks = "mark" if len(lacking) == 1 else "marks"
        raise DataError(
            f"the {marks} at the page's {', '.join(lacking)} cannot be seen; photograph it again, "
            "all four corners in the picture and sharp"
        )
    corners = np.stack([found[number] for number in range(len(_CORNERS))])
    for paper in ("a4", "letter"):
        page = _straightened(photo, corners, Sheet(paper, 20, ""))
        sheet = _read_code(page)
        if sheet is not None:
            right = page if sheet.paper == paper else _straightened(photo, corners, sheet)
            return right, sheet
    raise DataError("the code at its foot cannot be read; photograph the page again, sharp")


def corners_seen(photo: np.ndarray) -> dict[str, tuple[float, float] | None]:
    """Where each corner mark of a template page is, as shares of width and height; None unseen."""
    found, (high, wide) = _markers(photo), photo.shape[:2]
    places: dict[str, tuple[float, float] | None] = dict.fromkeys(_CORNERS)
    for number, quad in found.items():
        x, y = quad.mean(axis=0)
        places[_CORNERS[number]] = (float(x / wide), float(y / high))
    return places


def flattened(photo: np.ndarray) -> np.ndarray:
    """A free page cut out of its surroundings and straightened, where its four edges show.

    Rubbings, white on black, are turned over.
    """
    cv2 = opencv()
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    corners = _paper(grey)
    if corners is None:
        dark = _paper(255 - grey)  # a rubbing on a light ground
        corners = dark if dark is not None and _dark_within(grey, dark) else None
    if corners is not None:
        sides = np.hypot(*(corners - np.roll(corners, -1, axis=0)).T)
        width, height = round(max(sides[0], sides[2])), round(max(sides[1], sides[3]))
        goal = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), goal)
        photo = cv2.warpPerspective(photo, matrix, (width, height), flags=cv2.INTER_AREA)
        edge = round(0.012 * min(width, height))  # of desk, at a corner that is not quite square
        photo = photo[edge : height - edge, edge : width - edge]
    high, wide = photo.shape[:2]
    middle = photo[high // 4 : -high // 4, wide // 4 : -wide // 4]
    if np.median(middle) >= _RUBBING:
        return photo
    least = photo.min(axis=2, keepdims=True)  # in which a red seal is as dark as the ground
    return np.repeat(255 - least, 3, axis=2)


def sheet_ink(page: np.ndarray, sheet: Sheet) -> np.ndarray:
    """The ink of a straightened template page: as dark as its cells say, not its printed codes."""
    return evened(page, slice(*(round(mm * PX_A_MM) for mm in sheet.rows_mm)))


def evened(page: np.ndarray, written: slice = slice(None)) -> np.ndarray:
    """Ink alone: float (H, W), 1 = ink, paper and pale guides near 0.

    Each pixel is judged by its red, in which red guides are as pale as paper, against the paper
    about it. How dark ink is is seen in the rows `written`, where no printed code is.
    """
    cv2 = opencv()
    red = page[..., 0].astype(np.float32)
    small = cv2.resize(red, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    size = max(3, round(min(small.shape) / 12) | 1)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((size, size))).astype(np.uint8), 5)
    paper = cv2.GaussianBlur(paper.astype(np.float32), (0, 0), size / 2)
    paper = cv2.resize(paper, red.shape[::-1], interpolation=cv2.INTER_LINEAR)
    share = np.clip(red / np.maximum(paper, 1), 0, 1)
    dark = float(np.percentile(share[written], 1))
    # Half ink in a pixel is to stay half ink, or a blurred photograph thins dark strokes.
    low, high = min(0.82, dark + 0.72 * (1 - dark)), min(0.5, dark + 0.28 * (1 - dark))
    ink: np.ndarray = np.clip((low - share) / max(low - high, 0.05), 0, 1)
    return ink


def _paper(grey: np.ndarray) -> np.ndarray | None:
    """Corners of a bright sheet on a darker ground, clockwise from its top left; or None."""
    cv2 = opencv()
    k = 700 / max(grey.shape)
    small = cv2.GaussianBlur(
        cv2.resize(grey, None, fx=k, fy=k, interpolation=cv2.INTER_AREA), (0, 0), 2
    )
    _, bright = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    bright = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((41, 41), np.uint8))
    found, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not found:
        return None
    outline = max(found, key=cv2.contourArea)
    share = cv2.contourArea(outline) / small.size
    quad = cv2.approxPolyDP(outline, 0.02 * cv2.arcLength(outline, True), True).reshape(-1, 2)
    if not _LEAST_PAPER < share < _MOST_PAPER or len(quad) != 4 or not cv2.isContourConvex(quad):
        return None
    around = quad[np.argsort(np.arctan2(*(quad - quad.mean(axis=0)).T[::-1]))]
    first = int(around.sum(axis=1).argmin())
    corners: np.ndarray = np.roll(around, -first, axis=0) / k
    return corners


def _dark_within(grey: np.ndarray, corners: np.ndarray) -> bool:
    cv2 = opencv()
    inside = cv2.fillConvexPoly(np.zeros_like(grey), np.rint(corners).astype(np.int32), 1)
    return bool(np.median(grey[inside > 0]) < _RUBBING)


def _markers(photo: np.ndarray) -> dict[int, np.ndarray]:
    """Corners (4, 2) of the page's markers that are in the picture, by number."""
    cv2 = opencv()
    grey = cv2.cvtColor(np.ascontiguousarray(photo), cv2.COLOR_RGB2GRAY)
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    settings = cv2.aruco.DetectorParameters()
    settings.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    found, numbers, _ = cv2.aruco.ArucoDetector(dictionary, settings).detectMarkers(grey)
    if numbers is None:
        return {}
    by_number = zip(np.ravel(numbers).tolist(), found, strict=True)
    return {n: quad.reshape(4, 2) for n, quad in by_number if n < len(_CORNERS)}


def _straightened(photo: np.ndarray, corners: np.ndarray, sheet: Sheet) -> np.ndarray:
    cv2 = opencv()
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * MARKER_MM
    wanted = np.concatenate([square + corner for corner in sheet.markers()]) * PX_A_MM
    matrix, _ = cv2.findHomography(corners.reshape(-1, 2), wanted)
    size = tuple(round(mm * PX_A_MM) for mm in sheet.size_mm)
    page: np.ndarray = cv2.warpPerspective(
        photo, matrix, size, flags=cv2.INTER_AREA, borderValue=(255, 255, 255)
    )
    return page


def _read_code(page: np.ndarray) -> Sheet | None:
    """What the page's QR code says, tried at a few sizes."""
    cv2 = opencv()
    height, width = page.shape[:2]
    part = cv2.cvtColor(
        page[round(height * 0.8) :, round(width * 0.2) : round(width * 0.8)], cv2.COLOR_RGB2GRAY
    )
    for scale in (1.0, 0.6, 1.6):
        picture = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        try:
            code, *_ = cv2.QRCodeDetector().detectAndDecode(picture)
        except cv2.error:
            continue
        if code and (sheet := Sheet.of_code(code)):
            return sheet
    return None
