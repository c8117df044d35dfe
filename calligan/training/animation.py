"""An animation of training from a run's sample sheets, and plots of the numbers in its log."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from calligan.described import refuse_unused
from calligan.errors import ConfigError, ModelError
from calligan.limits import MAX_PAGE_PX
from calligan.page.film import check_film, save_film
from calligan.page.sheet import GAP_PX, label_width_px
from calligan.pictures import read_picture
from calligan.progress import Note, ignore
from calligan.project.run import Run
from calligan.reading import parse_json
from calligan.requests.drawing import split_names
from calligan.requests.sheets import STILL, AnimationRequest

_TITLE_PX = 28
_FEW_POINTS = 20  # curves with fewer have markers
_MAX_CURVES, _MAX_NAME_CHARS = 100, 64  # a run logs fewer than 40 numbers
_MAX_STEP, _MAX_VALUE = 10**9, 1e30  # larger ones have no axis


def animate(request: AnimationRequest, note: Note = ignore) -> None:
    """Write a film of a run's samples, or curves of its log. Raises ConfigError."""
    check_film(request.output, also=[STILL])
    run = Run.open(request.run)
    if request.output.suffix.lower() == STILL:
        refuse_unused(request, ["styles", "chars", "fps"], "a .png has curves of the whole run")
        save_curves(run, request.output)
        return
    names = split_names(request.styles) or list(run.styles[:3])
    if unknown := [name for name in names if name not in run.styles]:
        raise ConfigError(
            f"{request.run} has no style {unknown[0]}; it has: {', '.join(run.styles)}"
        )
    if request.chars < 1 or not 1 <= request.fps <= 60:
        raise ConfigError("give --chars 1 or more, and --fps 1 to 60")
    indices = [run.styles.index(name) for name in names]
    if save_film(request.output, render_frames(run, indices, request.chars), request.fps) == 1:
        note(
            "the run has one sample sheet, so the film is a still: train longer, or keep "
            "samples more often (--set keep_every_steps=50)"
        )


@dataclass(frozen=True)
class SampleSheet:
    """Cells of a sample sheet, each field uint8 (styles, characters, S, S)."""

    step: int
    source: np.ndarray
    drawn: np.ndarray
    real: np.ndarray


def _sheet_paths(run: Run) -> list[Path]:
    found = (run.folder / "samples").glob("*.png")
    paths = sorted(path for path in found if path.stem.isdecimal())
    if not paths:
        raise ModelError(f"{run.folder} has no samples yet; train it for a while")
    return paths


def read_sheets(run: Run) -> Iterator[SampleSheet]:
    """The sample sheets of a run, in order; raises ModelError where there are none."""
    return _read(run, _sheet_paths(run))


def _read(run: Run, paths: Sequence[Path]) -> Iterator[SampleSheet]:
    names = run.styles
    label_px = label_width_px(["source", "real", *names])  # labels of the loop's sheets
    for path in paths:
        try:
            page = np.asarray(read_picture(path, MAX_PAGE_PX).convert("L"))
        except (OSError, ValueError) as error:
            raise ModelError(f"{path} is unusable: {error}; remove it") from error
        yield _split_sheet(page, int(path.stem), len(names), label_px)


def render_frames(run: Run, styles: list[int], count: int) -> Iterator[np.ndarray]:
    """Frames uint8 (H, W) of source, final, current and real glyphs; `count` characters a style."""
    paths = _sheet_paths(run)
    (last,) = _read(run, paths[-1:])
    size_px = last.drawn.shape[-1]
    font = ImageFont.load_default(14)
    for sheet in _read(run, paths):
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
    """Numbers of the log, by name, as lists of (step, value).

    Raises ModelError for a log of more than a run has. What no run logs is passed over.
    """
    found: dict[str, list[tuple[int, float]]] = {}
    for line in run.log_lines():
        try:
            row = dict(parse_json(line))
            step = int(row["step"])
        except (ValueError, KeyError, TypeError):  # an incomplete line
            continue
        for name, value in row.items() if 0 <= step <= _MAX_STEP else ():
            plain = isinstance(value, int | float) and abs(value) <= _MAX_VALUE
            if plain and _is_curve(name):
                found.setdefault(name, []).append((step, float(value)))
        if len(found) > _MAX_CURVES:
            path, most = run.folder / "log.jsonl", f"more than {_MAX_CURVES} kinds of numbers"
            raise ModelError(f"{path} is damaged: it has {most}; remove it")
    return found


def _is_curve(name: str) -> bool:
    """Whether a number of the log is drawn: plain names only, as matplotlib reads others as TeX."""
    plain = name.isascii() and name.isidentifier() and len(name) <= _MAX_NAME_CHARS
    return plain and name not in ("step", "stage", "progress")


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
    count = (page.shape[1] - left) // pitch if size_px > 0 else 0
    if count < 1:
        raise ModelError(f"the samples of step {step:,} are not of this run; remove them")
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
