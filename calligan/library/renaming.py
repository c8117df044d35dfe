"""A learned hand under another name."""

import json
from pathlib import Path

from calligan.models.card import CURE, KIND, NOUN
from calligan.models.file import read_weights, write_weights
from calligan.project.hand_folder import move_hand
from calligan.project.models import HANDS
from calligan.storage import parse_json

_NAMES = ("name", "chinese", "family")  # of a style


def rename_hand(old: str, new: str, hands: Path | str = HANDS) -> None:
    """Rename a learned hand: its folder, and the style in its models.

    Its data and its log keep the old name, so a learning that was interrupted begins anew. Raises
    ConfigError while another process learns it, DataError where the new name is taken.
    """
    name_styles(move_hand(Path(hands) / old, Path(hands) / new), old, new)


def name_styles(folder: Path, old: str, new: str) -> None:
    """Rename the style in the models of a hand's folder, where it has its old name."""
    for path in sorted(folder.glob("[0-9]*/*.safetensors")):
        if path.stem in ("best", "last"):
            _rename_style(path, old, new)


def _rename_style(path: Path, old: str, new: str) -> None:
    """Give the style of that name in a model file another one."""
    state, description = read_weights(path, KIND, NOUN, CURE)
    card = parse_json(description)
    for style in card["styles"]:
        style.update({key: new for key in _NAMES if style.get(key) == old})
    write_weights(path, state, KIND, json.dumps(card, allow_nan=False))
