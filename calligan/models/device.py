"""Which device networks run on, and how much of a batch it takes at once."""

import torch

from calligan.errors import ConfigError

BATCHES = {"cpu": 32, "mps": 64, "cuda": 256}  # glyphs that are drawn at once


def pick_device(wanted: str) -> str:
    """`cuda`, `mps` or `cpu`; raises ConfigError for a device that isn't there."""
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if wanted == "auto":
        return next((name for name in ("cuda", "mps") if there[name]), "cpu")
    if not there.get(wanted):
        raise ConfigError(f"this machine has no {wanted} device for torch; use --device auto")
    return wanted
