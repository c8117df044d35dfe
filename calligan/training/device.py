"""Which device and which precision, decided once, before step one."""

from dataclasses import replace

from calligan.config import TrainConfig
from calligan.models.device import pick_device
from calligan.models.precision import has_bf16


def resolved(config: TrainConfig) -> TrainConfig:
    """The config with every `auto` replaced by what this machine has."""
    device = pick_device(config.device)
    precision = config.precision
    if precision == "auto":
        precision = "bf16" if has_bf16(device) else "fp32"
    return replace(config, device=device, precision=precision)
