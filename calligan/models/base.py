"""The interface of all generators."""

import torch
from torch import Tensor, nn

from calligan.errors import ConfigError
from calligan.models.distance import REACH, image_of_field
from calligan.models.pixels import image_of_logits

_LOGIT_BOUND = 8.0  # for ink logits, so that no output dominates an average


class GeneratorBase(nn.Module):
    """Content (M, ...) and styles (N, ...) to glyphs (N, 1, S, S); N is a multiple of M.

    The output is a *field*, positive where there is ink: ink logits, or if `outputs_distance` the
    signed distance of models/distance.py. A new network overrides `field`, or `encode` and `decode`
    if its content is a source glyph, and sets the capability flags below.
    """

    size_px: int
    outputs_distance: bool = False
    takes_char_index: bool = False  # content is a character index instead of a source glyph
    interpolates_styles: bool = False  # vectors between two styles are styles too
    cell_px: float = 0.0  # edge of its grid cells; 0 without a grid
    embedding: nn.Embedding

    def __init__(self) -> None:
        super().__init__()
        self.log_variance: nn.Embedding | None = None  # of Gaussian style embeddings

    @property
    def has_grid_artefacts(self) -> bool:
        """Whether edges show its grid, so that cycle spinning improves them."""
        return self.cell_px > 0 and not self.outputs_distance

    def style(self, style_index: Tensor) -> Tensor:
        """Style vectors (N, style_dim) of styles numbered from 0."""
        style: Tensor = self.embedding(style_index)
        return style

    def divergence(self, style_index: Tensor) -> Tensor | None:
        """Mean KL divergence of Gaussian styles from N(0, 1); None where styles are points."""
        return None

    def encode(self, source: Tensor) -> list[Tensor]:
        """Encode sources (M, 1, S, S), if they are its content, into a list of levels."""
        raise NotImplementedError

    def decode(self, levels: list[Tensor], style: Tensor) -> Tensor:
        """The field (N, 1, S, S), float32, of encoded sources in styles (N, style_dim)."""
        raise NotImplementedError

    def field(self, content: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        """The output field, float32 (N, 1, S, S), of content in styles (N, style_dim).

        `noise` (N, noise_dim) is for generators that draw from noise; the default is fresh noise.
        """
        return self.decode(self.encode(content), style)

    def noise(self, count: int) -> Tensor | None:
        """Noise for `count` glyphs; None if the generator does not use noise."""
        return None

    def double_size(self) -> "GeneratorBase":
        """A copy for images of twice the size, which computes the same at the old resolution."""
        raise ConfigError("only generator.kind calligan can grow from stage to stage")

    def image(self, field: Tensor) -> Tensor:
        """A field as an image in [-1, 1], 1 = paper."""
        return image_of_field(field) if self.outputs_distance else image_of_logits(field)

    def clamp_field(self, field: Tensor) -> Tensor:
        """Clamp a field to the range in which values make a visible difference."""
        bound = REACH if self.outputs_distance else _LOGIT_BOUND
        return field.clamp(-bound, bound)

    def critic_input(self, field: Tensor) -> Tensor:
        """A discriminator's input in [-1, 1]: the image, or tanh of the distance."""
        return -torch.tanh(field) if self.outputs_distance else self.image(field)

    def forward(self, content: Tensor, style_index: Tensor) -> Tensor:
        """Draw in the styles numbered from 0: (N, 1, S, S) in [-1, 1]."""
        return self.image(self.field(content, self.style(style_index)))
