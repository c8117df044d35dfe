"""Find a model: a file, a run folder, a learned hand by name, the newest run, or the bundle."""

import re
from difflib import get_close_matches
from pathlib import Path

from calligan.errors import ModelError
from calligan.models.card import ModelCard, read_card
from calligan.project.run import newest_finished, newest_run
from calligan.resources import bundled_model, reader_model, upscaler_model

RUNS, HANDS = Path("runs"), Path("hands")
BUNDLE = "bundle"  # the name of the model that ships with calligan


def hand_path(name: str, hands: Path = HANDS) -> Path | None:
    """The model of a hand made by `calligan learn`; None if there is none of that name.

    Uses its newest finished run, or else its newest run.
    """
    try:
        return newest_finished(hands / name) / "best.safetensors"
    except ModelError:
        return None


def hand_names(hands: Path = HANDS) -> list[str]:
    """The names of hands made by `calligan learn`."""
    return sorted(folder.name for folder in hands.glob("*") if hand_path(folder.name, hands))


def suggest_hands(name: str, hands: Path = HANDS) -> str:
    """A hint for an error message about an unknown name: a similar hand, or all hands."""
    existing = hand_names(hands)
    if near := get_close_matches(name, existing, n=1):
        return f"did you mean {near[0]}, a hand in {hands}?"
    return (
        f"hands in {hands}: {', '.join(existing)}" if existing else f"no hand is learned in {hands}"
    )


def style_index(card: ModelCard, name: str) -> int:
    """The index from 0 of one of the model's styles, by number or name.

    Raises ModelError, with a hint about hands, where it has no such style.
    """
    try:
        return card.style_index(name)
    except ModelError as error:
        if name.isdecimal():
            raise
        if not (hands := hand_names()):
            raise ModelError(
                f"{error}; your own hand becomes one by `calligan learn {name} --from FOLDER`"
            ) from error
        if name in hands:
            raise ModelError(
                f"{name} is a learned hand, which is a separate model: give it alone"
            ) from error
        like = suggest_hands(name)
        text = f"no style {name!r}; {like}" if like[-1] == "?" else f"{error}; {like}"
        raise ModelError(text) from error


def check_styles(model: Path, styles: str) -> None:
    """Raise ModelError for a style, of some with commas, that a model file does not have."""
    if styles not in ("all", "random"):
        card = read_card(model)
        for name in re.split("[,+]", styles):  # mixtures read as 1:0.7+4:0.3
            style_index(card, name.partition(":")[0].strip())


def model_path(given: Path | None, style: str = "") -> Path:
    """The path of a model file.

    `given` is a file, a run folder (its best model), a folder of runs, a hand's name or `bundle`.
    Otherwise `style` may be a hand's name. The default is the newest run, then the bundle.
    Raises ModelError where there is none.
    """
    if given is not None and not given.exists():
        named = hand_path(str(given)) or (bundled_model() if str(given) == BUNDLE else None)
        if named is not None:
            return named
        if given.name == str(given) and not given.suffix:
            raise ModelError(
                f"no model, run folder or hand {given}; {suggest_hands(str(given))}; give a file, "
                f"a run folder, a hand, or {BUNDLE}, the shipped model"
            )
    if given is not None:
        whole = given.is_dir() and not (given / "best.safetensors").exists()
        folder = newest_run(given) if whole and any(given.glob("[0-9]*")) else given
        return folder / "best.safetensors" if folder.is_dir() else folder
    if style and (hand := hand_path(style)):
        return hand
    try:
        return newest_run(RUNS) / "best.safetensors"
    except ModelError:
        if (bundle := bundled_model()) is None:
            raise
        return bundle


def network_path(given: Path | str | None) -> Path:
    """As `model_path`, or the shipped network meant by "reader" or "upscaler"."""
    shipped = {"reader": reader_model, "upscaler": upscaler_model}
    if str(given) not in shipped or Path(str(given)).exists():
        return model_path(Path(given) if given is not None else None)
    if (path := shipped[str(given)]()) is None:
        raise ModelError(f"this calligan came without its {given}; install it again")
    return path
