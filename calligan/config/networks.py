"""Settings of the two networks."""

from dataclasses import dataclass

from calligan.config.checks import require, require_at_least, require_at_most, require_one_of
from calligan.config.rules import DISCRIMINATOR_RULES, GENERATOR_RULES

# A model's card may ask for any network; it is built before its weights are compared.
_MOST = {"grid": 1024, "widths": 8192}


@dataclass(frozen=True)
class GeneratorConfig:
    """A residual U-Net over patches. Its grid has the same size for every image size.

    Kinds zi2zi and pix2pix read only `style_dim` from here: the length of zi2zi's embedding.
    """

    kind: str = "calligan"  # one of GENERATOR_RULES
    grid: int = 32  # the image is folded to grid x grid cells before the first convolution
    widths: tuple[int, ...] = (32, 64, 128, 256)  # channels at each halving of the grid
    encoder_blocks: int = 1  # residual blocks per level in the encoder, which does not see a style
    blocks: int = 1  # residual blocks per level in the decoder
    style_dim: int = 64  # length of the style embedding
    noise_dim: int = 64  # length of the noise vector; kind noise only
    classes: int = 0  # number of characters, for kind noise; set from the data
    embedding: str = "learned"  # or fixed (random, as in zi2zi), or gaussian (mean, variance: VAE)
    output: str = "ink"  # what is drawn: ink logits, or signed distance (models/distance.py)

    def validate(self) -> None:
        """Raise ConfigError naming the first invalid field."""
        embeddings, outputs = ("learned", "fixed", "gaussian"), ("ink", "distance")
        require_one_of(
            self, "generator", kind=GENERATOR_RULES, embedding=embeddings, output=outputs
        )
        GENERATOR_RULES[self.kind].check_section(self, "generator")
        ok = 2 <= len(self.widths) <= 10 and all(w > 0 and w % 8 == 0 for w in self.widths)
        require(ok, "generator.widths", self.widths, "two or more multiples of 8, ten at the most")
        least = {"grid": 1, "encoder_blocks": 1, "blocks": 1, "style_dim": 1, "noise_dim": 1}
        require_at_least(self, "generator", **least, classes=0)
        require_at_most(self, "generator", **_MOST, encoder_blocks=64, blocks=64)
        require_at_most(self, "generator", style_dim=2**16, noise_dim=2**16, classes=10**6)
        coarsest = 2 ** (len(self.widths) - 1)
        fits = self.grid % coarsest == 0
        require(fits, "generator.grid", self.grid, f"a multiple of {coarsest}")


@dataclass(frozen=True)
class DiscriminatorConfig:
    """A projection PatchGAN over (source, glyph) pairs.

    Kinds zi2zi and pix2pix read only `kind` and `input_noise` from here.
    """

    kind: str = "calligan"  # one of DISCRIMINATOR_RULES
    grid: int = 32
    widths: tuple[int, ...] = (48, 96, 192)  # channels; each after the first halves the grid
    spectral_norm: bool = False  # steadier training but softer edges: see docs/experiments.md
    scales: int = 1  # copies of the network, each on a smaller image than the one before
    scale_step: int = 2  # how many times smaller
    crop_px: int = 0  # edge of the windows that the first copy sees; 0: the whole image
    heads: str = "joint"  # apart: separate scores for "is it real" and "does it fit the source"
    names_styles: bool = False  # add a head that classifies the style of a glyph
    # Standard deviation of noise on the glyphs that it sees, real and generated (Sønderby et al.
    # 2017), except in gradient penalties; hides invisible differences such as rounding.
    input_noise: float = 0.0

    def validate(self) -> None:
        """Raise ConfigError naming the first invalid field."""
        require_one_of(self, "discriminator", kind=DISCRIMINATOR_RULES, heads=("joint", "apart"))
        require_one_of(self, "discriminator", scale_step=(2, 4))
        DISCRIMINATOR_RULES[self.kind].check_section(self, "discriminator")
        ok = 2 <= len(self.widths) <= 10 and min(self.widths) >= 1
        require(ok, "discriminator.widths", self.widths, "two to ten numbers from 1")
        require_at_most(self, "discriminator", **_MOST, crop_px=1024)
        require(1 <= self.scales <= 3, "discriminator.scales", self.scales, "1 to 3")
        require_at_least(self, "discriminator", crop_px=0, input_noise=0)
        least = 2 ** (len(self.widths) - 1) * self.scale_step ** (self.scales - 1)
        require(self.grid >= least, "discriminator.grid", self.grid, f"{least} or more")
