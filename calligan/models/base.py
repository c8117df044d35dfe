"""What every generator answers, whatever it is made of."""

import torch
from torch import Tensor, nn

from calligan.models.distance import REACH, image_of_field
from calligan.models.pixels import image_of_logits

_SURE = 8.0  # ink logits; no drawing counts for more where several are averaged


class GeneratorBase(nn.Module):
    """Content (M, ...) and styles (N, ...) to glyphs (N, 1, S, S); N is a multiple of M.

    What it draws is a *field*, positive where there is ink: ink logits, or the signed distance of
    models/distance.py where `speaks_distance`.
    """

    size_px: int
    speaks_distance: bool = False
    from_number: bool = False  # content is a character's number instead of its source glyph
    embedding: nn.Embedding

    @property
    def wavers(self) -> bool:
        """Whether its edges waver with its cells, so that a few drawings are worth averaging."""
        return not self.speaks_distance

    def style(self, style_index: Tensor) -> Tensor:
        """Style vectors (N, style_dim) of styles numbered from 0."""
        return self.embedding(style_index)

    def encode(self, source: Tensor) -> list[Tensor]:
        """What sources (M, 1, S, S) say, level by level, where they are its content."""
        raise NotImplementedError

    def field(self, content: Tensor, style: Tensor) -> Tensor:
        """What is drawn, float32 (N, 1, S, S), of content in styles (N, style_dim)."""
        raise NotImplementedError

    def image(self, field: Tensor) -> Tensor:
        """A field as an image in [-1, 1], 1 = paper."""
        return image_of_field(field) if self.speaks_distance else image_of_logits(field)

    def bounded(self, field: Tensor) -> Tensor:
        """A field within the range in which its values differ to the eye."""
        reach = REACH if self.speaks_distance else _SURE
        return field.clamp(-reach, reach)

    def shown(self, field: Tensor) -> Tensor:
        """A field as a discriminator sees it, in [-1, 1]: an image, or a smooth distance."""
        return -torch.tanh(field) if self.speaks_distance else self.image(field)

    def forward(self, content: Tensor, style_index: Tensor) -> Tensor:
        """Draw in the styles numbered from 0: (N, 1, S, S) in [-1, 1]."""
        return self.image(self.field(content, self.style(style_index)))
