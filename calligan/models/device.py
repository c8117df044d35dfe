"""The device that networks run on, and its batch size."""

import torch

from calligan.errors import ConfigError

BATCH_SIZES = {"cpu": 32, "mps": 64, "cuda": 256}  # glyphs drawn at once


def pick_device(wanted: str) -> str:
    """`cuda`, `mps` or `cpu`; raises ConfigError for a device that is not available."""
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if wanted == "auto":
        return next((name for name in ("cuda", "mps") if available[name]), "cpu")
    if not available.get(wanted):
        raise ConfigError(f"this machine has no {wanted} device for torch; use --device auto")
    return wanted
