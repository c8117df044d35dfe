"""The device that networks run on, and its batch size."""

import torch
from torch import Tensor

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


def moved(tensor: Tensor, device: str | torch.device) -> Tensor:
    """The tensor on a device; copies to a GPU do not wait for its earlier work."""
    if torch.device(device).type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
