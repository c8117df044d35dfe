"""Which device and which precision, decided once, before step one."""

from dataclasses import replace

import torch

from calligan.config import TrainConfig
from calligan.errors import ConfigError
from calligan.models.precision import has_bf16


def resolved(config: TrainConfig) -> TrainConfig:
    """The config with every `auto` replaced by what this machine has."""
    device = pick_device(config.device)
    precision = config.precision
    if precision == "auto":
        precision = "bf16" if has_bf16(device) else "fp32"
    return replace(config, device=device, precision=precision)


def pick_device(wanted: str) -> str:
    """`cuda`, `mps` or `cpu`; raises ConfigError for a device that isn't there."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return next((name for name, found in there.items() if found), "cpu")
    if not there.get(wanted, True):
        raise ConfigError(f"this machine has no {wanted} device for torch; use --device auto")
    return wanted
