"""An animation of training from a run's sample sheets, and plots of the numbers in its log."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from calligan.errors import ModelError
from calligan.page.sheet import GAP_PX, label_width_px
from calligan.project.run import Run
from calligan.storage import parse_json

_TITLE_PX = 28
_FEW_POINTS = 20  # curves with fewer have markers


@dataclass(frozen=True)
class SampleSheet:
    """Cells of a sample sheet, each field uint8 (styles, characters, S, S)."""

    step: int
    source: np.ndarray
    drawn: np.ndarray
    real: np.ndarray


def read_sheets(run: Run) -> Iterator[SampleSheet]:
    """The sample sheets of a run, in order; raises ModelError where there are none."""
    paths = sorted((run.folder / "samples").glob("*.png"))
    if not paths:
        raise ModelError(f"{run.folder} has no samples yet; train it for a while")
    names = run.styles
    label_px = label_width_px(["source", "real", *names])  # labels of the loop's sheets
    for path in paths:
        with Image.open(path) as image:
            page = np.asarray(image.convert("L"))
            yield _split_sheet(page, int(path.stem), len(names), label_px)


def render_frames(run: Run, styles: list[int], count: int) -> Iterator[np.ndarray]:
    """Frames uint8 (H, W) of source, final, current and real glyphs; `count` characters a style."""
    all_sheets = list(read_sheets(run))
    last = all_sheets[-1]
    size_px = last.drawn.shape[-1]
    font = ImageFont.load_default(14)
    for sheet in all_sheets:
        rows = []
        for style in styles:
            for char in range(min(count, last.drawn.shape[1])):
                current = _resize(sheet.drawn[style, char], size_px)
                cells = [x[style, char] for x in (last.source, last.drawn, last.real)]
                rows.append(np.hstack([cells[0], cells[1], current, cells[2]]))
        page = np.vstack([np.full((_TITLE_PX, 4 * size_px), 255, np.uint8), *rows])
        image = Image.fromarray(page)
        draw = ImageDraw.Draw(image)
        for column, title in enumerate(("source", "at the end", f"step {sheet.step:,}", "real")):
            draw.text((column * size_px + 6, 6), title, fill=64, font=font)
        yield np.asarray(image)


def read_curves(run: Run) -> dict[str, list[tuple[int, float]]]:
    """Numbers of the log, by name, as lists of (step, value)."""
    found: dict[str, list[tuple[int, float]]] = {}
    for line in (run.folder / "log.jsonl").read_text(encoding="utf-8").splitlines():
        try:
            row = dict(parse_json(line))
            step = int(row["step"])
        except (ValueError, KeyError, TypeError):  # an incomplete line
            continue
        for name, value in row.items():
            if name not in ("step", "stage", "progress") and isinstance(value, int | float):
                found.setdefault(name, []).append((step, float(value)))
    return found


def save_curves(run: Run, path: Path) -> None:
    """Draw losses and validation L1 against steps. Needs matplotlib (the extra `plot`)."""
    from calligan.errors import Unmeasured
    from calligan.storage import atomic_file

    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise Unmeasured("curves need matplotlib: pip install 'calligan[plot]'") from error
    found = {k: v for k, v in read_curves(run).items() if k not in ("images", "elapsed_s")}
    if not found:
        raise ModelError(f"{run.folder} has logged nothing yet; train it for a while")
    figure = Figure(figsize=(9, 2.2 * len(found)), layout="constrained")
    axes = figure.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (name, points) in zip(axes, found.items(), strict=True):
        marker = "o" if len(points) <= _FEW_POINTS else ""  # a line of one point shows nothing
        axis.plot(*zip(*points, strict=True), linewidth=1, marker=marker, markersize=4)
        axis.set_title(name.replace("_", " "), loc="left", fontsize=10)
        axis.grid(alpha=0.3)
    axes[-1].set_xlabel("step")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    with atomic_file(path) as file:
        figure.savefig(file, format="png", dpi=120)


def _split_sheet(page: np.ndarray, step: int, styles: int, left: int) -> SampleSheet:
    """Split a contact sheet into cells; the labels are `left` pixels wide."""
    size_px = (page.shape[0] - GAP_PX) // (3 * styles) - GAP_PX
    pitch = size_px + GAP_PX
    count = (page.shape[1] - left) // pitch
    cells = np.stack(
        [
            np.stack(
                [
                    page[GAP_PX + y * pitch :, left + x * pitch :][:size_px, :size_px]
                    for x in range(count)
                ]
            )
            for y in range(3 * styles)
        ]
    )
    return SampleSheet(step, cells[0::3], cells[1::3], cells[2::3])


def _resize(image: np.ndarray, size_px: int) -> np.ndarray:
    if image.shape[0] == size_px:
        return image
    return np.asarray(Image.fromarray(image).resize((size_px, size_px), Image.Resampling.BOX))
