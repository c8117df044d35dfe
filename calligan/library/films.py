"""Morph a text from style to style."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from calligan.described import values
from calligan.errors import ConfigError, DataError
from calligan.inference.morph import WAYS, morphed, path_through, stop_of
from calligan.inference.writer import Writer
from calligan.models.weights import load_model, read_card
from calligan.page.film import check_film, save_film
from calligan.page.sheet import Row, contact_sheet, save_sheet
from calligan.progress import Note, ignore
from calligan.project.models import hand_path, model_path, style_index
from calligan.project.source import source_font
from calligan.requests.sheets import MorphRequest

_STILL = ".png"  # the ending of a sheet of a few steps instead of a film
_STILL_STEPS = 7  # frames per transition on a still sheet


def morph(
    text: str,
    styles: Sequence[str] | str,
    *,
    steps: int = 24,
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
    trained from, weights are averaged. "all" is every style of the model. `still` uses few steps.
    """
    if way not in WAYS or steps < 1:
        raise ConfigError("give --way slerp or lerp, --steps 1 or more, --fps 1 to 60")
    given = styles.split(",") if isinstance(styles, str) else list(styles)
    hands = {name: hand_path(name.strip()) for name in given}
    path = model_path(Path(model) if model is not None else None)
    if model is None and all(hands.values()):
        path = next(filter(None, hands.values()))
    card = read_card(path)
    wanted = [str(i + 1) for i in range(len(card.styles))] if given == ["all"] else given
    if len(wanted) < 2:
        raise ConfigError("--styles needs two or more, such as 1,3")
    indices = {name: style_index(card, name.strip()) for name in wanted if not hands.get(name)}
    font = source_font(card, source, note)
    writer = Writer.open(path, font, fine=False, device=device, note=note)
    predictor, stops = writer.drawer.predictor, {}
    for name in wanted:
        hand = hands.get(name)
        generator = load_model(hand, predictor.device)[0] if hand else predictor.generator
        stops[name] = stop_of(generator, indices.get(name, 0))
    chars = writer.read(text).han
    if not chars:
        raise DataError("the text has no Chinese character; give some")
    through = path_through(
        [stops[name] for name in wanted], _STILL_STEPS if still else steps, way, loop and not still
    )
    return chars, morphed(writer.drawer, chars, through)


def save_morph(request: MorphRequest, note: Note = ignore) -> None:
    """Write a film of a text between styles, or a sheet of a few steps; see `morph`."""
    check_film(request.output, also=[_STILL])
    if not 1 <= request.fps <= 60:
        raise ConfigError(f"--fps {request.fps:g} is out of range; give 1 to 60")
    still = request.output.suffix.lower() == _STILL
    chars, frames = morph(**values(request, "output", "fps"), still=still, note=note)
    if still:  # the sheet's font has no Chinese
        rows = [Row(f"U+{ord(char):04X}", list(frames[:, i])) for i, char in enumerate(chars)]
        save_sheet(contact_sheet(rows, frames.shape[-1]), request.output)
    else:
        film = (np.hstack(list(frame)) for frame in frames)
        save_film(request.output, film, request.fps, 0.0 if request.loop else 1.0)
