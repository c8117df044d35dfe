"""Training seen: a run's sample sheets as the frames of a film, its log as curves."""

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


@dataclass(frozen=True)
class Sheet:
    """A sample sheet cut up: uint8 (styles, characters, S, S) of source, drawn and real."""

    step: int
    source: np.ndarray
    drawn: np.ndarray
    real: np.ndarray


def sheets(run: Run) -> Iterator[Sheet]:
    """The sample sheets of a run, in order; raises ModelError where there is none."""
    paths = sorted((run.folder / "samples").glob("*.png"))
    if not paths:
        raise ModelError(f"{run.folder} has no samples yet; train it for a while")
    names = run.styles
    label_px = label_width_px(["source", "real", *names])  # as the loop labels its rows
    for path in paths:
        with Image.open(path) as image:
            page = np.asarray(image.convert("L"))
            yield _cut(page, int(path.stem), len(names), label_px)


def frames(run: Run, styles: list[int], count: int) -> Iterator[np.ndarray]:
    """Source, last drawn, film and real side by side, `count` characters a style: uint8 (H, W)."""
    every = list(sheets(run))
    last = every[-1]
    size_px = last.drawn.shape[-1]
    font = ImageFont.load_default(14)
    for sheet in every:
        rows = []
        for style in styles:
            for char in range(min(count, last.drawn.shape[1])):
                now = _sized(sheet.drawn[style, char], size_px)
                cells = [x[style, char] for x in (last.source, last.drawn, last.real)]
                rows.append(np.hstack([cells[0], cells[1], now, cells[2]]))
        page = np.vstack([np.full((_TITLE_PX, 4 * size_px), 255, np.uint8), *rows])
        image = Image.fromarray(page)
        draw = ImageDraw.Draw(image)
        for column, title in enumerate(("source", "at the end", f"step {sheet.step:,}", "real")):
            draw.text((column * size_px + 6, 6), title, fill=64, font=font)
        yield np.asarray(image)


def curves(run: Run) -> dict[str, list[tuple[int, float]]]:
    """Every number of the log by name: (step, value)."""
    found: dict[str, list[tuple[int, float]]] = {}
    for line in (run.folder / "log.jsonl").read_text(encoding="utf-8").splitlines():
        try:
            row = dict(parse_json(line))
            step = int(row["step"])
        except (ValueError, KeyError, TypeError):  # cut off in the middle
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
    except ImportError as error:
        raise Unmeasured("curves need matplotlib: pip install 'calligan[plot]'") from error
    found = {k: v for k, v in curves(run).items() if k not in ("images", "elapsed_s")}
    if not found:
        raise ModelError(f"{run.folder} has logged nothing yet; train it for a while")
    figure = Figure(figsize=(9, 2.2 * len(found)), layout="constrained")
    axes = figure.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (name, points) in zip(axes, found.items(), strict=True):
        axis.plot(*zip(*points, strict=True), linewidth=1)
        axis.set_title(name.replace("_", " "), loc="left", fontsize=10)
        axis.grid(alpha=0.3)
    axes[-1].set_xlabel("step")
    with atomic_file(path) as file:
        figure.savefig(file, format="png", dpi=120)


def _cut(page: np.ndarray, step: int, styles: int, left: int) -> Sheet:
    """Cells of a contact sheet, right of its labels: its height tells their size."""
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
    return Sheet(step, cells[0::3], cells[1::3], cells[2::3])


def _sized(image: np.ndarray, size_px: int) -> np.ndarray:
    if image.shape[0] == size_px:
        return image
    return np.asarray(Image.fromarray(image).resize((size_px, size_px), Image.Resampling.BOX))
