"""Find a model: a file, a run folder, a learned hand by name, the newest run, or the bundle."""

from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from calligan.errors import ConfigError, ModelError
from calligan.limits import MAX_MODEL_BYTES
from calligan.models.card import ModelCard, read_card
from calligan.project.run import newest_finished, newest_run
from calligan.resources import bundled_model, reader_model, upscaler_model
from calligan.storage import sha256_file

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
        if not name:
            raise ModelError("the name of a style is empty; see `calligan styles`") from error
        if ":" in name:
            raise ModelError(f"{error}; a mixture has two or more parts: 1:0.7+4:0.3") from error
        if not (hands := hand_names()):
            raise ModelError(
                f"{error}; there is no {HANDS / name} in this folder; your own hand becomes a "
                f"style by `calligan learn {name} --from FOLDER`"
            ) from error
        if name in hands:
            raise ModelError(
                f"{name} is a learned hand, which is a separate model: give it alone"
            ) from error
        like = suggest_hands(name)
        text = f"no style {name!r}; {like}" if like[-1] == "?" else f"{error}; {like}"
        raise ModelError(text) from error


def parse_share(text: str) -> tuple[str, float]:
    """Parse a part of a mixture of styles, `kaiti:0.7`, to its name and share (1 by default)."""
    name, colon, number = text.strip().partition(":")
    try:
        share = float(number) if colon else 1.0
    except ValueError:
        share = -1.0
    if not name or not 0 <= share <= 1000:
        raise ConfigError(f"{text!r} is not a part of a mixture; write 1:0.7+4:0.3, or 1+4")
    return name, share


def check_styles(model: Path, styles: str) -> None:
    """Raise ModelError for a style, of some with commas, that a model file does not have.

    Raises ConfigError for a part of a mixture (1:0.7+4:0.3) that has another form.
    """
    if styles not in ("all", "random"):
        card = read_card(model)
        for style in styles.split(","):
            if "+" not in style:
                style_index(card, style.strip())
                continue
            for name in [parse_share(part)[0] for part in style.split("+")]:
                if mixed_hand(model, card, name) is None:
                    style_index(card, name)


def mixed_hand(model: Path, card: ModelCard, name: str) -> Path | None:
    """The model of a learned hand in a mixture; None for a style of the model itself.

    Raises ModelError if the hand's model does not share a style space with this one.
    """
    if name.isdecimal() or name in [style.name for style in card.styles]:
        return None
    path = hand_path(name)
    if path is not None and not style_spaces(path) & style_spaces(model):
        raise ModelError(f"{name} was learned from another model, so it cannot be mixed with these")
    return path


def style_spaces(model: Path) -> frozenset[str]:
    """SHA-256 of a model file, and of the models that it was trained from, as far as is known.

    Models with a common one share a style space: their styles can be mixed.
    """
    paths = [path for path in (model, model.with_name("start.safetensors")) if path.is_file()]
    found: set[str] = set()
    for path in paths:
        mtime_ns = path.stat().st_mtime_ns
        found |= {_digest(path, mtime_ns), *_noted_spaces(path, mtime_ns)}
    return frozenset(found)


def spaces_before(model: Path) -> frozenset[str]:
    """SHA-256 of the models that a model was trained from, as far as is known."""
    return style_spaces(model) - {_digest(model, model.stat().st_mtime_ns)}


@lru_cache(maxsize=64)
def _noted_spaces(path: Path, mtime_ns: int) -> tuple[str, ...]:
    """What a model's card says of the models before the one that it started from."""
    try:
        told = read_card(path).provenance.get("spaces", ())
    except ModelError:
        return ()
    return tuple(map(str, told)) if isinstance(told, list | tuple) else ()


@lru_cache(maxsize=64)
def _digest(path: Path, mtime_ns: int) -> str:
    try:
        return sha256_file(path, MAX_MODEL_BYTES)
    except ValueError as error:
        raise ModelError(f"{path} is not a model: {error}; give another") from error


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
