"""Photographs of pages: open them safely, straighten them by markers, separate ink from paper."""

from pathlib import Path

import numpy as np

from calligan.errors import DataError
from calligan.limits import MAX_PHOTO_PX, MAX_PHOTO_SIDE_PX, MAX_PICTURE_BYTES
from calligan.pictures import read_picture
from calligan.reading import check_file
from calligan.scan.opencv import opencv
from calligan.scan.template_sheet import MARKER_MM, TemplateSheet

_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
_PDF_HEAD = b"%PDF-"
_MIN_SIDE_PX = 64
_RUBBING_GREY = 105  # of 255: a page whose centre is darker is a rubbing (white on black)
_MIN_PAPER_SHARE, _MAX_PAPER_SHARE = 0.25, 0.97  # of the picture, for a sheet on a background
_CORNERS = ("top left", "top right", "bottom right", "bottom left")  # in the order of the markers
PX_PER_MM = 12.0  # resolution of a straightened page


def open_photo(path: Path, max_px: int = MAX_PHOTO_PX) -> np.ndarray:
    """Open a picture, turned by its EXIF data: uint8 (H, W, 3), RGB, at most 4,500 px a side.

    Raises DataError for a file that is damaged, too large, or not a supported picture.
    """
    try:
        picture = read_picture(path, max_px, _FORMATS, MAX_PHOTO_SIDE_PX)
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder; name the pictures in it") from error
    except FileNotFoundError as error:
        raise DataError(f"no picture {path}; check the path") from error
    except (OSError, ValueError) as error:
        if is_pdf(path):
            raise DataError(
                f"{path} is a PDF, and only pictures are read; give photographs of its pages, or "
                "save each page as a PNG of 300 dpi (pdftoppm -r 300 -png FILE.pdf page)"
            ) from error
        raise DataError(f"cannot read {path}: {error}; save the page as a JPEG again") from error
    if min(picture.size) < _MIN_SIDE_PX:
        size = f"{picture.width} x {picture.height} pixels"
        raise DataError(f"{path} is {size}, too small for a page; give a larger picture")
    return np.asarray(picture)


def is_pdf(path: Path) -> bool:
    """Whether a file begins as a PDF does."""
    try:
        check_file(path, MAX_PICTURE_BYTES)
        with path.open("rb") as file:
            return file.read(len(_PDF_HEAD)) == _PDF_HEAD
    except (OSError, ValueError):
        return False


def read_sheet(photo: np.ndarray) -> tuple[np.ndarray, TemplateSheet]:
    """Straighten a photographed template page, in any orientation, and read its QR code.

    Returns the page, uint8 (H, W, 3) at PX_PER_MM, and its sheet. Raises DataError, naming what
    is missing, if the markers or the code are not found.
    """
    found = _find_markers(photo)
    if missing := [name for number, name in enumerate(_CORNERS) if number not in found]:
        if len(_find_markers(photo[:, ::-1])) == len(_CORNERS):
            raise DataError("the picture is mirrored; flip it")
        if not found:
            raise DataError(
                "not a template page: none of its four corner marks was found; photograph it "
                "again, sharp and with all corners (a page without marks needs --text)"
            )
        marks = "mark" if len(missing) == 1 else "marks"
        raise DataError(
            f"the corner {marks} at the page's {', '.join(missing)} cannot be found; photograph "
            "it again, sharp and with all four corners"
        )
    corners = np.stack([found[number] for number in range(len(_CORNERS))])
    # The code is read on a page straightened as each paper; its true paper is then in the code.
    for paper in ("a4", "letter"):
        page = _straighten(photo, corners, TemplateSheet(paper, 20, ""))
        sheet = _read_code(page)
        if sheet is not None:
            same_paper = sheet.paper == paper
            return page if same_paper else _straighten(photo, corners, sheet), sheet
    raise DataError("the QR code on the page cannot be read; photograph it again, sharp")


def corners_seen(photo: np.ndarray) -> dict[str, tuple[float, float] | None]:
    """Where each corner mark of a template page is, as shares of width and height; None unseen."""
    found, (high, wide) = _find_markers(photo), photo.shape[:2]
    places: dict[str, tuple[float, float] | None] = dict.fromkeys(_CORNERS)
    for number, quad in found.items():
        x, y = quad.mean(axis=0)
        places[_CORNERS[number]] = (float(x / wide), float(y / high))
    return places


def flatten_page(photo: np.ndarray) -> np.ndarray:
    """A free page, uint8 (H, W, 3), cropped and straightened if its four edges are visible.

    Rubbings (white on black) are inverted.
    """
    cv2 = opencv()
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    corners = _find_paper(grey)
    if corners is None:
        dark = _find_paper(255 - grey)  # a rubbing on a light background
        corners = dark if dark is not None and _is_dark_within(grey, dark) else None
    if corners is not None:
        sides = np.hypot(*(corners - np.roll(corners, -1, axis=0)).T)
        width, height = round(max(sides[0], sides[2])), round(max(sides[1], sides[3]))
        goal = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), goal)
        photo = cv2.warpPerspective(photo, matrix, (width, height), flags=cv2.INTER_AREA)
        edge = round(0.012 * min(width, height))  # may show the desk
        photo = photo[edge : height - edge, edge : width - edge]
    high, wide = photo.shape[:2]
    centre = photo[high // 4 : -high // 4, wide // 4 : -wide // 4]
    if np.median(centre) >= _RUBBING_GREY:
        return photo
    darkest = photo.min(axis=2, keepdims=True)  # a red seal becomes as dark as the background
    return np.repeat(255 - darkest, 3, axis=2)


def extract_sheet_ink(page: np.ndarray, sheet: TemplateSheet) -> np.ndarray:
    """The ink of a straightened template page, its darkness measured in the cells only."""
    return extract_ink(page, slice(*(round(mm * PX_PER_MM) for mm in sheet.cells_span_mm)))


def extract_ink(page: np.ndarray, written: slice = slice(None)) -> np.ndarray:
    """The ink of a page: float (H, W), 1 = ink, paper and pale guides near 0.

    Only the red channel counts, in which red guides are as light as paper. Each pixel is compared
    with the paper around it. The darkness of ink is measured in the rows `written`, which should
    exclude printed codes.
    """
    cv2 = opencv()
    red = page[..., 0].astype(np.float32)
    small = cv2.resize(red, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    size = max(3, round(min(small.shape) / 12) | 1)
    # The paper's brightness: the local maximum of the red channel, smoothed.
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((size, size))).astype(np.uint8), 5)
    paper = cv2.GaussianBlur(paper.astype(np.float32), (0, 0), size / 2)
    paper = cv2.resize(paper, red.shape[::-1], interpolation=cv2.INTER_LINEAR)
    share = np.clip(red / np.maximum(paper, 1), 0, 1)
    dark = float(np.percentile(share[written], 1))
    # A linear ramp symmetric about half ink: a hard threshold would thin blurred strokes.
    low, high = min(0.82, dark + 0.72 * (1 - dark)), min(0.5, dark + 0.28 * (1 - dark))
    ink: np.ndarray = np.clip((low - share) / max(low - high, 0.05), 0, 1)
    return ink


def _find_paper(grey: np.ndarray) -> np.ndarray | None:
    """Corners (4, 2) of a bright sheet on a darker background, clockwise from top left, or None."""
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
    plausible = _MIN_PAPER_SHARE < share < _MAX_PAPER_SHARE
    if not plausible or len(quad) != 4 or not cv2.isContourConvex(quad):
        return None
    clockwise = quad[np.argsort(np.arctan2(*(quad - quad.mean(axis=0)).T[::-1]))]
    first = int(clockwise.sum(axis=1).argmin())
    corners: np.ndarray = np.roll(clockwise, -first, axis=0) / k
    return corners


def _is_dark_within(grey: np.ndarray, corners: np.ndarray) -> bool:
    cv2 = opencv()
    inside = cv2.fillConvexPoly(np.zeros_like(grey), np.rint(corners).astype(np.int32), 1)
    return bool(np.median(grey[inside > 0]) < _RUBBING_GREY)


def _find_markers(photo: np.ndarray) -> dict[int, np.ndarray]:
    """Corners (4, 2) of each marker that is found, by its number."""
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


def _straighten(photo: np.ndarray, corners: np.ndarray, sheet: TemplateSheet) -> np.ndarray:
    cv2 = opencv()
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * MARKER_MM
    goal = np.concatenate([square + origin for origin in sheet.marker_origins_mm()]) * PX_PER_MM
    matrix, _ = cv2.findHomography(corners.reshape(-1, 2), goal)
    size = tuple(round(mm * PX_PER_MM) for mm in sheet.size_mm)
    page: np.ndarray = cv2.warpPerspective(
        photo, matrix, size, flags=cv2.INTER_AREA, borderValue=(255, 255, 255)
    )
    return page


def _read_code(page: np.ndarray) -> TemplateSheet | None:
    """The sheet in the page's QR code, decoded at several scales; None if that fails."""
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
        if code and (sheet := TemplateSheet.from_code(code)):
            return sheet
    return None
