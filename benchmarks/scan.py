"""Evaluate scanning on template pages that are filled with a font and photographed by simulation.

    python benchmarks/scan.py --hand ma-shan-zheng --model lxgw-wenkai --cells 1000
    python benchmarks/scan.py --hand zhi-mang-xing --free --gap -0.08      # touching characters

For every cell it checks whether the cell was found, whether its status is right, and whether the
image is closer to the glyph that was written than to any other glyph of the page. With `--free`, a
copybook page of @lanting is segmented by its text alone.
"""

import argparse
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from photograph import Camera, photograph
from PIL import Image, ImageFilter
from rich.console import Console

from calligan.errors import DataError
from calligan.glyphs.charset import is_han, load_charset, load_text
from calligan.page.drawing import Mark, Page, line
from calligan.page.flow import moved, set_line
from calligan.page.formats import Format, Region
from calligan.page.layout import Setting, Words, lay_out
from calligan.page.png import to_image
from calligan.scan.cells import Cell, cut_cells
from calligan.scan.cells import to_image as cell_image
from calligan.scan.copybook import crop, find_characters, find_doubts, remove_rules
from calligan.scan.photo import extract_ink, extract_sheet_ink, flatten_page, read_sheet
from calligan.scan.template_page import font_letters, template_page
from calligan.scan.template_sheet import TemplateSheet, make_sheets

INK = "#201a18"
SIZE_PX, INK_THRESHOLD = 64, 128


def write_page(
    sheet: TemplateSheet,
    page: Page,
    letters: dict,
    rng: np.random.Generator,
    spoilt_share: float = 0.08,
) -> list[str]:
    """Write on a page, slightly unevenly; a share of cells is left empty or crossed out."""
    statuses = []
    for index, char in enumerate(sheet.chars):
        x, y = sheet.cell_origin_mm(index)
        side = sheet.cell_mm
        shares = [1 - spoilt_share, spoilt_share / 2, spoilt_share / 2]
        status = rng.choice(["written", "empty", "crossed out"], p=shares)
        statuses.append(str(status))
        if status == "empty":
            continue
        size = side * rng.uniform(0.8, 0.92)
        marks, _ = set_line(char, letters, "vertical", size, 0, INK, np.eye(2, 3)[None])
        shift = rng.normal(0, 0.02 * side, 2)
        page.marks += [
            moved(m, x + side / 2 + shift[0], y + (side - size) / 2 + shift[1], rng.normal(0, 0.02))
            for m in marks
        ]
        if status == "crossed out":
            for a, b in (((0, 0), (1, 1)), ((1, 0), (0, 1))):
                ends = [(x + p * side, y + q * side) for p, q in (a, b)]
                page.marks.append(Mark(line(*ends, 1.0), np.eye(2, 3), INK))
    return statuses


def same_status(cell: Cell, status: str) -> bool:
    """Whether the status was recognised; written glyphs may extend beyond the cell's edge."""
    return cell.status.replace("over the edge", "written") == status


def match_glyphs(cells: list[Cell], truth: dict[str, np.ndarray]) -> list[bool]:
    """For each written cell, whether its image is closest to the glyph of its character."""
    chars = list(truth)
    known = np.stack([_normalised_vector(truth[char]) for char in chars])
    return [
        bool((cell.image < INK_THRESHOLD).any())
        and chars[int((known @ _normalised_vector(cell.image)).argmax())] == cell.char
        for cell in cells
        if same_status(cell, "written")
    ]


def _normalised_vector(image: np.ndarray) -> np.ndarray:
    """A glyph as a vector of mean 0 and length 1, normalised in size and position, and blurred."""
    there = np.argwhere(image < INK_THRESHOLD)
    (top, left), (low, right) = there.min(axis=0), there.max(axis=0) + 1
    box = Image.fromarray(image[top:low, left:right]).resize((48, 48), Image.Resampling.BOX)
    ink = np.asarray(box.filter(ImageFilter.GaussianBlur(1.5)), np.float64).reshape(-1)
    return (ink - ink.mean()) / max(np.linalg.norm(ink - ink.mean()), 1e-6)


def load_hand(font: str, text: str) -> tuple[dict, str]:
    """A font's letters, and the text without missing and blank characters."""
    hand, lacking = font_letters(font, text)
    there = {c for c in set(text) - set(lacking) if (_draw_in_cell(c, hand) < INK_THRESHOLD).any()}
    return hand, "".join(char for char in text if char in there)


def make_photographs(
    chars: str, hand: dict, models: dict, rng: np.random.Generator, spoilt_share: float = 0.08
) -> Iterator[tuple[TemplateSheet, list[str], np.ndarray]]:
    """Sheets, the statuses of their cells, and photographs of them, uint8 (H, W, 3)."""
    for number, sheet in enumerate(make_sheets(chars, "a4", 20)):
        page = template_page(sheet, models, "calligan", "mi")
        statuses = write_page(sheet, page, hand, rng, spoilt_share)
        camera = Camera(turned=number % 4, shadow=0.2 + 0.4 * rng.random(), jpeg=60)
        yield sheet, statuses, photograph(np.asarray(to_image(page, 220)), camera, rng)


def scan_simulated_hand(font: str, chars: str, folder: Path, model: str = "lxgw-wenkai") -> None:
    """Fill a folder by `calligan scan`, from simulated photographs of sheets in a font."""
    hand, there = load_hand(font, chars)
    models, _ = font_letters(model, there + "calligan")
    pages = make_photographs(there, hand, models, np.random.default_rng(0), spoilt_share=0)
    with TemporaryDirectory() as kept:
        paths = [
            Path(kept) / f"{number}.png" for number, _ in enumerate(make_sheets(there, "a4", 20))
        ]
        for path, (_, _, photo) in zip(paths, pages, strict=True):
            Image.fromarray(photo).save(path)
        command = ["scan", *map(str, paths), "-o", str(folder)]
        subprocess.run([sys.executable, "-m", "calligan", *command], check=True)


def read_templates(options: argparse.Namespace) -> Counter[str]:
    """Write, photograph, read and count template pages."""
    rng = np.random.default_rng(options.seed)
    hand, chars = load_hand(options.hand, load_charset(options.charset))
    chars = chars[: options.cells]
    models, _ = font_letters(options.model, chars + "calligan")
    counts: Counter[str] = Counter()
    for sheet, statuses, photo in make_photographs(chars, hand, models, rng):
        counts["pages"] += 1
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            path = options.keep / f"page{counts['pages']}.jpg"
            Image.fromarray(photo).save(path, quality=60)
        try:
            straight, read = read_sheet(photo)
        except DataError:
            read = None
        if read != sheet:
            counts["pages not read"] += 1
            continue
        cells = cut_cells(extract_sheet_ink(straight, sheet), sheet, SIZE_PX)
        counts["cells"] += len(cells)
        counts["status right"] += sum(map(same_status, cells, statuses))
        right = match_glyphs(cells, {char: _draw_in_cell(char, hand) for char in sheet.chars})
        counts["written"] += len(right)
        counts["the glyph written there"] += sum(right)
    return counts


def read_copybook(options: argparse.Namespace) -> Counter[str]:
    """Set a text on a page, photograph it, segment it by its text and count."""
    rng, text = np.random.default_rng(options.seed), load_text("lanting")
    text = "".join(char for char in text if is_han(char))
    hand, text = load_hand(options.hand, text)
    models, _ = font_letters(options.model, text)
    region = Region(25, 30, 250, 340, size_mm=22, gap=options.gap, line_gap=0.25)
    setting = Setting(hand, INK, vary=0.8, seed=options.seed)
    counts: Counter[str] = Counter()
    for page in lay_out(Words(text), Format("copybook", 300, 400, (region,), many=True), setting):
        photo = photograph(np.asarray(to_image(page, 150)), Camera(tilt=0.02, blur_px=1), rng)
        ink = remove_rules(extract_ink(flatten_page(photo)))
        spots = find_characters(ink, page.text, "rtl", models)
        cells = [Cell(spot.char, crop(ink, spot, SIZE_PX), "written") for spot in spots]
        right = match_glyphs(cells, {char: _draw_in_cell(char, hand) for char in page.text})
        counts["pages"] += 1
        counts["characters"] += len(cells)
        counts["right"] += sum(right)
        counts["wrong without a mark"] += sum(
            not (fine or said) for fine, said in zip(right, find_doubts(spots), strict=True)
        )
    return counts


def main() -> None:
    """Write, photograph, read and count pages."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hand", default="ma-shan-zheng")
    parser.add_argument("--model", default="lxgw-wenkai")
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--charset", default="gb2312-1", help="what is written on template pages")
    parser.add_argument("--keep", type=Path, help="keep the photographs of template pages here")
    parser.add_argument("--free", action="store_true", help="a copybook page")
    parser.add_argument("--gap", type=float, default=0.0, help="between its characters, in ems")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts = read_copybook(options) if options.free else read_templates(options)
    for name, count in counts.items():
        Console().print(f"{count:6,} {name}")


def _draw_in_cell(char: str, letters: dict) -> np.ndarray:
    """A character as it is written in a cell, without random variation."""
    marks, _ = set_line(char, letters, "vertical", 0.86 * 128, 0, "black", np.eye(2, 3)[None])
    page = Page(128, 128)
    page.marks = [moved(mark, 64, 128 * 0.07) for mark in marks]
    ink = 1 - np.asarray(to_image(page, 25.4).convert("L"), np.float32) / 255
    return cell_image(ink, SIZE_PX)


if __name__ == "__main__":
    main()
