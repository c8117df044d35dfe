"""All settings. Precedence: command-line flag > TOML file > the defaults here."""

from calligan.config.data import EDGES, RasterConfig, SplitConfig, TraceConfig
from calligan.config.networks import DiscriminatorConfig, GeneratorConfig
from calligan.config.rules import DISCRIMINATOR_RULES, GENERATOR_RULES, OBJECTIVE_RULES
from calligan.config.training import (
    DEFAULT_STAGES,
    MOVES,
    AugmentConfig,
    LossConfig,
    OptimizerConfig,
    StageConfig,
    TrainConfig,
)

__all__ = [
    "DEFAULT_STAGES",
    "DISCRIMINATOR_RULES",
    "EDGES",
    "GENERATOR_RULES",
    "MOVES",
    "OBJECTIVE_RULES",
    "AugmentConfig",
    "DiscriminatorConfig",
    "GeneratorConfig",
    "LossConfig",
    "OptimizerConfig",
    "RasterConfig",
    "SplitConfig",
    "StageConfig",
    "TraceConfig",
    "TrainConfig",
]
