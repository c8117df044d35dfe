"""The choice of device and precision, made once before training starts."""

from dataclasses import replace

from calligan.config import TrainConfig
from calligan.models.device import pick_device
from calligan.models.precision import has_bf16


def resolve_device(config: TrainConfig) -> TrainConfig:
    """The config with `auto` replaced by the device and precision this machine supports."""
    device = pick_device(config.device)
    precision = config.precision
    if precision == "auto":
        precision = "bf16" if has_bf16(device) else "fp32"
    return replace(config, device=device, precision=precision)
