"""Tables of the networks, by their name in the config."""

from collections.abc import Callable

from calligan.config import DiscriminatorConfig, GeneratorConfig
from calligan.models.base import GeneratorBase
from calligan.models.critic import Critic
from calligan.models.discriminator import Autoencoder, Discriminator, MultiScale
from calligan.models.generator import Generator
from calligan.models.noise import NoiseGenerator
from calligan.models.published import PublishedDiscriminator, PublishedGenerator

AnyGenerator = GeneratorBase

GENERATORS: dict[str, Callable[[GeneratorConfig, int, int], AnyGenerator]] = {
    "calligan": Generator,
    "zi2zi": lambda config, styles, size_px: PublishedGenerator(
        styles, size_px, kernel=5, style_dim=config.style_dim
    ),
    "pix2pix": lambda config, styles, size_px: PublishedGenerator(
        styles, size_px, kernel=4, style_dim=0
    ),
    "noise": NoiseGenerator,
}

DISCRIMINATORS: dict[str, Callable[[DiscriminatorConfig, int, int], Critic]] = {
    "calligan": lambda config, styles, size_px: (
        Discriminator if config.scales == 1 and not config.crop_px else MultiScale
    )(config, styles, size_px),
    "autoencoder": Autoencoder,
    "zi2zi": lambda config, styles, size_px: PublishedDiscriminator(
        styles, size_px, kernel=5, categories=True
    ),
    "pix2pix": lambda config, styles, size_px: PublishedDiscriminator(
        styles, size_px, kernel=4, categories=False
    ),
}


def make_generator(config: GeneratorConfig, styles: int, size_px: int) -> AnyGenerator:
    """A generator with fresh weights, for images of `size_px`."""
    return GENERATORS[config.kind](config, styles, size_px)


def make_discriminator(config: DiscriminatorConfig, styles: int, size_px: int) -> Critic:
    """A discriminator with fresh weights, for images of `size_px`."""
    return DISCRIMINATORS[config.kind](config, styles, size_px)
