"""What every discriminator answers, whatever it is made of."""

from torch import Tensor, nn


class Critic(nn.Module):
    """Pairs of (source, glyph), images in [-1, 1], to scores, higher = more real."""

    styles: int

    def features(self, source: Tensor, glyph: Tensor) -> list[Tensor]:
        """Activations of every layer, first to last, for feature matching and `score`."""
        raise NotImplementedError

    def score(self, features: list[Tensor], style_index: Tensor) -> Tensor:
        """Scores, float32, of features under a style numbered from 0."""
        raise NotImplementedError

    def matches(self, scores: Tensor) -> Tensor:
        """Those of the scores that say whether a glyph fits its source and style: here all."""
        return scores

    def categories(self, features: list[Tensor]) -> Tensor | None:
        """Style logits (N, styles), where it has that head."""
        return None

    def forward(self, source: Tensor, glyph: Tensor, style_index: Tensor) -> Tensor:
        """Scores of pairs under styles."""
        return self.score(self.features(source, glyph), style_index)
