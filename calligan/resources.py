"""Where the data that ships with calligan lies: in the checkout, or inside the wheel."""

import os
from pathlib import Path

from platformdirs import user_cache_path

_PACKAGE = Path(__file__).parent


def data_folder(name: str) -> Path:
    """The folder `charsets`, `fonts` or `weights`, from the wheel or from the checkout."""
    installed = _PACKAGE / "data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def bundled_model() -> Path | None:
    """The model that ships with calligan, if it does."""
    return _shipped("calligan")


def reader_model() -> Path | None:
    """The reader of glyphs that ships with calligan, if it does."""
    return _shipped("reader")


def upscaler_model() -> Path | None:
    """The upscaler that ships with calligan, if it does."""
    return _shipped("upscaler")


def _shipped(name: str) -> Path | None:
    path = data_folder("weights") / f"{name}.safetensors"
    return path if path.is_file() else None


def cache_folder() -> Path:
    """Where fetched fonts are kept; the environment variable CALLIGAN_CACHE moves it."""
    moved = os.environ.get("CALLIGAN_CACHE")
    return Path(moved) if moved else user_cache_path("calligan")
