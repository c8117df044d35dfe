"""Redraw pictures of written glyphs in a learned style."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from calligan.described import values
from calligan.errors import DataError, ModelError
from calligan.folder_update import folder_update
from calligan.library.hands import written
from calligan.models.device import pick_device
from calligan.models.predictor import Predictor
from calligan.models.weights import load_model
from calligan.page.sheet import Row, contact_sheet, save_sheet
from calligan.progress import Cancel, Note, Progress, count_progress, ignore, never_cancel
from calligan.project.models import model_path, style_index
from calligan.requests.sheets import RestyleRequest
from calligan.storage import atomic_file, check_writable

_ROW = 12  # glyphs in a row of the contact sheet
_SHEET = "contact-sheet.png"
_PART = 32  # glyphs between two reports of progress


@dataclass(frozen=True)
class Restyled:
    """Glyphs before and after, uint8 (N, S, S), 255 = paper; row i shows `chars[i]`."""

    chars: str
    style: str
    before: np.ndarray
    after: np.ndarray

    def save(self, folder: Path) -> None:
        """Write a PNG for each glyph after, variants numbered, and a contact sheet."""
        counts: Counter[str] = Counter()
        with folder_update(folder) as new:
            for char, image in zip(self.chars, self.after, strict=True):
                counts[char] += 1
                variant = f"-{counts[char]}" if counts[char] > 1 else ""
                with atomic_file(new / f"{char}{variant}.png") as file:
                    Image.fromarray(image).save(file, "PNG")
            shown = (("yours", self.before), (self.style, self.after))
            rows = [Row(name, list(images[:_ROW])) for name, images in shown]
            save_sheet(contact_sheet(rows, self.after.shape[-1]), new / _SHEET)


def restyle(
    origin: Path | str,
    style: int | str = 1,
    *,
    chars: str | None = None,
    model: Path | str | None = None,
    device: str = "auto",
    progress: Progress = ignore,
    cancel: Cancel = never_cancel,
    note: Note = ignore,
) -> Restyled:
    """Draw a folder of PNGs named by character, or a font, in a style of a model.

    It works best with a model of the preset `stargan`, which is trained with every style as source.
    """
    device = pick_device(device)
    path = model_path(Path(model) if model is not None else None)
    generator, card = load_model(path, device)
    if generator.takes_char_index:
        raise ModelError("the model draws from noise, not from pictures; use `calligan sample`")
    index = style_index(card, str(style))
    hand = written("hand", str(origin), chars, card.size_px, note=note)
    predictor = Predictor(generator, device, note=note)
    add = count_progress("redrawing", len(hand.images), progress, cancel)
    drawn, vector = [], predictor.style(index)
    for start in range(0, len(hand.images), _PART):
        drawn.append(predictor.draw(hand.images[start : start + _PART], vector))
        add(len(drawn[-1]))
    return Restyled(hand.entry.chars, card.styles[index].name, hand.images, np.concatenate(drawn))


def save_restyled(
    request: RestyleRequest, progress: Progress = ignore, note: Note = ignore
) -> None:
    """Redraw glyphs as `restyle` does, into a folder that is written when all are drawn."""
    if request.output.resolve() == Path(request.origin).resolve():
        raise DataError(f"{request.output} is the folder of the input glyphs; give another -o")
    check_writable(request.output / _SHEET)
    done = restyle(**values(request, "output"), progress=progress, note=note)
    done.save(request.output)
