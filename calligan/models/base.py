"""What every generator answers, whatever it is made of."""

import torch
from torch import Tensor, nn

from calligan.errors import ConfigError
from calligan.models.distance import REACH, image_of_field
from calligan.models.pixels import image_of_logits

_LOGIT_BOUND = 8.0  # ink logits; no drawing counts for more where several are averaged


class GeneratorBase(nn.Module):
    """Content (M, ...) and styles (N, ...) to glyphs (N, 1, S, S); N is a multiple of M.

    What it draws is a *field*, positive where there is ink: ink logits, or the signed distance of
    models/distance.py where `speaks_distance`. A new network overrides `field` (and `encode` where
    its content is a source glyph), and sets what it can do below.
    """

    size_px: int
    speaks_distance: bool = False
    from_number: bool = False  # content is a character's number instead of its source glyph
    mixes_styles: bool = False  # style vectors lie in one space: between two there are others
    cell_px: float = 0.0  # edge of the cells that it draws in; 0 where it has none
    embedding: nn.Embedding

    def __init__(self) -> None:
        super().__init__()
        self.log_variance: nn.Embedding | None = None  # of styles that are Gaussians

    @property
    def wavers(self) -> bool:
        """Whether its edges waver with its cells, so that a few drawings are worth averaging."""
        return self.cell_px > 0 and not self.speaks_distance

    def style(self, style_index: Tensor) -> Tensor:
        """Style vectors (N, style_dim) of styles numbered from 0."""
        style: Tensor = self.embedding(style_index)
        return style

    def divergence(self, style_index: Tensor) -> Tensor | None:
        """Mean KL divergence of Gaussian styles from N(0, 1); None where styles are points."""
        return None

    def encode(self, source: Tensor) -> list[Tensor]:
        """What sources (M, 1, S, S) say, level by level, where they are its content."""
        raise NotImplementedError

    def decode(self, levels: list[Tensor], style: Tensor) -> Tensor:
        """The field (N, 1, S, S), float32, of encoded sources in styles (N, style_dim)."""
        raise NotImplementedError

    def field(self, content: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        """What is drawn, float32 (N, 1, S, S), of content in styles (N, style_dim).

        `noise` (N, noise_dim) is of those that draw from noise; without it, fresh noise is taken.
        """
        return self.decode(self.encode(content), style)

    def noise(self, count: int) -> Tensor | None:
        """Noise for so many glyphs, where it draws from noise."""
        return None

    def doubled(self) -> "GeneratorBase":
        """The same for images of twice the size, which computes the same of a coarser one."""
        raise ConfigError("only generator.kind calligan grows from stage to stage")

    def image(self, field: Tensor) -> Tensor:
        """A field as an image in [-1, 1], 1 = paper."""
        return image_of_field(field) if self.speaks_distance else image_of_logits(field)

    def bounded(self, field: Tensor) -> Tensor:
        """A field within the range in which its values differ to the eye."""
        bound = REACH if self.speaks_distance else _LOGIT_BOUND
        return field.clamp(-bound, bound)

    def critic_input(self, field: Tensor) -> Tensor:
        """A discriminator's input in [-1, 1]: the image, or tanh of the distance."""
        return -torch.tanh(field) if self.speaks_distance else self.image(field)

    def forward(self, content: Tensor, style_index: Tensor) -> Tensor:
        """Draw in the styles numbered from 0: (N, 1, S, S) in [-1, 1]."""
        return self.image(self.field(content, self.style(style_index)))
