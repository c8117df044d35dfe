"""Morph a text from style to style."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from calligan.described import values
from calligan.inference.content import ContentSource, picture_of
from calligan.inference.morph import morphed, path_through, stop_of
from calligan.inference.writer import Writer
from calligan.library.orders import check_morph, stops_of
from calligan.models.weights import load_model, read_card
from calligan.page.film import save_film
from calligan.page.sheet import Row, contact_sheet, save_sheet
from calligan.progress import Note, ignore
from calligan.project.source import source_font
from calligan.requests.sheets import STILL, MorphRequest

_STEPS, _STILL_STEPS = 24, 7  # frames per transition, of a film and on a still sheet


def morph(
    text: str,
    styles: Sequence[str] | str,
    *,
    steps: int | None = None,
    way: str = "slerp",
    loop: bool = True,
    still: bool = False,
    model: Path | str | None = None,
    source: str | None = None,
    device: str = "auto",
    note: Note = ignore,
) -> tuple[str, np.ndarray]:
    """Interpolate from each style to the next: the characters, uint8 (frames, characters, S, S).

    `styles` are numbers or names, also of learned hands: between a hand and the model that it was
    trained from, weights are averaged. "all" is every style of the model. `steps` are 24, or 7 if
    `still`.
    """
    chars, frames, _ = _morphed(text, styles, steps, way, loop, still, model, source, device, note)
    return chars, np.stack(list(frames))


def _morphed(
    text: str,
    styles: Sequence[str] | str,
    steps: int | None,
    way: str,
    loop: bool,
    still: bool,
    model: Path | str | None,
    source: str | None,
    device: str,
    note: Note,
) -> tuple[str, Iterator[np.ndarray], ContentSource]:
    """As `morph`, with frames that are drawn one by one, and the source glyphs."""
    path, wanted = stops_of(text, styles, steps, way, Path(model) if model is not None else None)
    font = source_font(read_card(path), source, note)
    writer = Writer.open(path, font, fine=False, device=device, note=note)
    predictor, stops = writer.drawer.predictor, []
    for hand, index in wanted:
        opened = load_model(hand, predictor.device) if hand else (predictor.generator, writer.card)
        stops.append(stop_of(*opened, index))
    chars = writer.read(text).drawn
    count = steps or (_STILL_STEPS if still else _STEPS)
    through = path_through(stops, count, way, loop and not still)
    return chars, morphed(writer.drawer, chars, through), writer.source


def save_morph(request: MorphRequest, note: Note = ignore) -> None:
    """Write a film of a text between styles, or a sheet of a few steps; see `morph`."""
    check_morph(request)
    still = request.output.suffix.lower() == STILL
    chars, frames, source = _morphed(**values(request, "output", "fps"), still=still, note=note)
    if still:
        columns = list(frames)
        rows = [Row(char, [c[i] for c in columns]) for i, char in enumerate(chars)]
        size_px = columns[0].shape[-1]
        save_sheet(
            contact_sheet(rows, size_px, pictures=partial(picture_of, source)), request.output
        )
    else:
        film = (np.hstack(list(frame)) for frame in frames)
        save_film(request.output, film, request.fps, 0.0 if request.loop else 1.0)
