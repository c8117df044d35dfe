"""The interface of all discriminators."""

from torch import Tensor, nn

Windows = Tensor  # (W, 2) int64: top left corners in pixels, one per part of a batch


class Critic(nn.Module):
    """Pairs of (source, glyph), images in [-1, 1], to scores, higher = more real."""

    styles: int

    crop_px: int = 0  # edge of its crop windows; 0 for the whole image

    def features(
        self, source: Tensor, glyph: Tensor, windows: Windows | None = None
    ) -> list[Tensor]:
        """Activations of every layer, first to last, for feature matching and `score`.

        `windows` are the crops of a critic with `crop_px`; the batch is split into as many parts.
        """
        raise NotImplementedError

    def score(self, features: list[Tensor], style_index: Tensor) -> Tensor:
        """Scores, float32, of features under a style numbered from 0."""
        raise NotImplementedError

    def matching_scores(self, scores: Tensor) -> Tensor:
        """The scores that depend on whether a glyph fits its source and style; by default all."""
        return scores

    def categories(self, features: list[Tensor]) -> Tensor | None:
        """Style logits (N, styles), or None without that head."""
        return None

    def forward(self, source: Tensor, glyph: Tensor, style_index: Tensor) -> Tensor:
        """Scores of pairs under styles."""
        return self.score(self.features(source, glyph), style_index)
