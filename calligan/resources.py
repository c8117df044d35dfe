"""Paths of shipped data (in the checkout or the wheel) and of the cache."""

import os
from pathlib import Path

from platformdirs import user_cache_path

_PACKAGE = Path(__file__).parent


def data_folder(name: str) -> Path:
    """The shipped folder `charsets`, `fonts`, `formats` or `weights`."""
    installed = _PACKAGE / "data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def bundled_model() -> Path | None:
    """The shipped model, or None if it was not packaged."""
    return _shipped("calligan")


def reader_model() -> Path | None:
    """The shipped glyph reader, or None if it was not packaged."""
    return _shipped("reader")


def inspector_model() -> Path | None:
    """The shipped inspector of drawn glyphs, or None if it was not packaged."""
    return _shipped("inspector")


def non_han_weights() -> Path | None:
    """The shipped decoder of letters, marks and kana, or None if it was not packaged."""
    return _shipped("non-han")


def upscaler_model() -> Path | None:
    """The shipped upscaler, or None if it was not packaged."""
    return _shipped("upscaler")


def _shipped(name: str) -> Path | None:
    path = data_folder("weights") / f"{name}.safetensors"
    return path if path.is_file() else None


def cache_folder() -> Path:
    """The cache folder: the environment variable CALLIGAN_CACHE, else the user's cache."""
    override = os.environ.get("CALLIGAN_CACHE")
    return Path(override) if override else user_cache_path("calligan")
