"""The kinds of networks and objectives, and what each requires of the other settings.

The three tables are read before torch is imported. Networks are built in models/networks.py,
the objectives' losses are in training/objectives.py; tests assert that the names agree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from calligan.config.checks import require

if TYPE_CHECKING:  # they import the tables below
    from calligan.config.networks import DiscriminatorConfig, GeneratorConfig
    from calligan.config.training import TrainConfig

    Network: TypeAlias = GeneratorConfig | DiscriminatorConfig


@dataclass(frozen=True)
class Need:
    """A value that a choice requires of another setting, and the reason."""

    setting: str  # dotted, as --set takes it
    value: object
    why: str

    def check(self, config: Any, choice: str, section: str = "") -> None:
        """Raise ConfigError if the setting of `config` has another value.

        `section` is the dotted name of `config` itself, for the message.
        """
        shown = "left out" if self.value is None else str(self.value)
        shown = shown.lower() if isinstance(self.value, bool) else shown
        for value in _values(config, self.setting):
            wanted = f"{shown} with {choice}: {self.why}"
            require(value == self.value, section + self.setting, value, wanted)


# Takes the settings of a network, the name of its section and the stages' sizes in px. Returns
# whether the network supports these sizes, and a description of the sizes that it supports.
SizeRule = Callable[["Network", str, list[int]], tuple[bool, str]]


def _whole_cells(network: "Network", section: str, sizes_px: list[int]) -> tuple[bool, str]:
    """The image is folded to a grid of cells; a later stage may have larger cells."""
    fits = all(size % network.grid == 0 for size in sizes_px)
    return fits, f"multiples of {section}.grid ({network.grid})"


def _one_power_of_two(network: "Network", section: str, sizes_px: list[int]) -> tuple[bool, str]:
    """The image is halved down to one or a few pixels; the size is fixed."""
    fits = len(set(sizes_px)) == 1 and sizes_px[0] >= 32 and sizes_px[0].bit_count() == 1
    return fits, f"one power of two from 32, for {section}.kind {network.kind}"


def _doubled_from_four(network: "Network", section: str, sizes_px: list[int]) -> tuple[bool, str]:
    """The image begins as 4 x 4 cells; the size is fixed."""
    cells = 4 << (len(network.widths) - 1)  # a doubling before each width but the first
    fits = len(set(sizes_px)) == 1 and sizes_px[0] % cells == 0
    return fits, f"one multiple of {cells} (4 cells, doubled at each of {section}.widths)"


@dataclass(frozen=True)
class NetworkRules:
    """What a kind of generator or discriminator requires of the settings."""

    sizes: SizeRule
    own: tuple[Need, ...] = ()  # of its own section
    needs: tuple[Need, ...] = ()  # of all others
    names_styles: bool = False  # a discriminator that always has a style classification head

    def check_section(self, network: "Network", section: str) -> None:
        """Raise ConfigError for an unsupported setting in the network's own section."""
        for need in self.own:
            need.check(network, f"kind {network.kind}", f"{section}.")

    def check(self, config: "TrainConfig", section: str, sizes_px: list[int]) -> None:
        """Raise ConfigError for an unsupported setting elsewhere in a TrainConfig."""
        network: Network = getattr(config, section)
        for need in self.needs:
            need.check(config, f"{section}.kind {network.kind}")
        self.check_sizes(network, section, "stages.size_px", sizes_px)

    def check_sizes(
        self, network: "Network", section: str, setting: str, sizes_px: list[int]
    ) -> None:
        """Raise ConfigError naming `setting` if the network does not support these image sizes."""
        fits, wanted = self.sizes(network, section, sizes_px)
        require(fits, setting, sizes_px, wanted)


_INK = Need("output", "ink", "only kind calligan draws distance")
_ALL_LEARN = Need("optimizer.moves", "all", "only kind calligan can freeze parts")
_NO_SOURCE = "it has no source glyph to reconstruct"

GENERATOR_RULES = {
    "calligan": NetworkRules(_whole_cells),
    "zi2zi": NetworkRules(_one_power_of_two, own=(_INK,), needs=(_ALL_LEARN,)),
    "pix2pix": NetworkRules(_one_power_of_two, own=(_INK,), needs=(_ALL_LEARN,)),
    "noise": NetworkRules(
        _doubled_from_four,
        own=(_INK,),
        needs=(
            _ALL_LEARN,
            *(Need(f"loss.{name}", 0, _NO_SOURCE) for name in ("l1", "bce", "constancy", "cycle")),
            Need("stages.adversarial", True, "the discriminator is its only loss"),
        ),
    ),
}

_OF_CALLIGAN_ALONE = tuple(
    Need(name, value, "only kind calligan has it")
    for name, value in (
        ("spectral_norm", False),
        ("scales", 1),
        ("heads", "joint"),
        ("crop_px", 0),
        ("names_styles", False),
    )
)
_STYLE_UNSEEN = Need("loss.wrong_style", 0, "its scores do not depend on the style")

DISCRIMINATOR_RULES = {
    "calligan": NetworkRules(_whole_cells),
    "zi2zi": NetworkRules(
        _one_power_of_two, own=_OF_CALLIGAN_ALONE, needs=(_STYLE_UNSEEN,), names_styles=True
    ),
    "pix2pix": NetworkRules(_one_power_of_two, own=_OF_CALLIGAN_ALONE, needs=(_STYLE_UNSEEN,)),
    "autoencoder": NetworkRules(
        _whole_cells,
        own=_OF_CALLIGAN_ALONE,
        needs=(Need("loss.objective", "ebgan", "its scores are reconstruction errors"),),
    ),
}

_OBJECTIVES = (
    *("none", "minimax", "vanilla", "lsgan", "wgan", "wgan-gp", "hinge", "dragan", "ebgan"),
    *("relativistic", "f-kl", "f-reverse-kl", "f-pearson", "f-hellinger", "f-js"),
)
OBJECTIVE_RULES: dict[str, tuple[Need, ...]] = {
    **dict.fromkeys(_OBJECTIVES, ()),
    "none": (Need("loss.penalty", None, "it has no critic"),),
    "wgan": (
        Need(
            "discriminator.spectral_norm",
            False,
            "weight clipping and spectral norm both bound the weights",
        ),
    ),
    "ebgan": (Need("discriminator.kind", "autoencoder", "its scores are reconstruction errors"),),
}


def check_choices(config: "TrainConfig", sizes_px: list[int]) -> None:
    """Raise ConfigError if networks and objective of a TrainConfig are incompatible."""
    objective = config.loss.objective
    for need in OBJECTIVE_RULES[objective]:
        need.check(config, f"loss.objective {objective}")
    GENERATOR_RULES[config.generator.kind].check(config, "generator", sizes_px)
    DISCRIMINATOR_RULES[config.discriminator.kind].check(config, "discriminator", sizes_px)


def _values(config: Any, setting: str) -> list[object]:
    """The value of a dotted setting; one value per stage for a setting of `stages`."""
    name, _, rest = setting.partition(".")
    value = getattr(config, name)
    if not rest:
        return [value]
    parts = value if isinstance(value, tuple) else (value,)
    return [found for part in parts for found in _values(part, rest)]
