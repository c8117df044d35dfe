"""Settings for rendering fonts to training data, splitting it, and tracing glyphs to outlines."""

from dataclasses import dataclass

from calligan.config.checks import require, require_at_least

EDGES = ("", "sharp", "round", "polygon")


@dataclass(frozen=True)
class RasterConfig:
    """How glyphs are placed on their canvas; fixed for a data folder."""

    size_px: int = 128  # canvas edge
    extent: float = 0.80  # median of max(width, height) of a font's ink, as a share of the canvas
    reach: float = 0.96  # 99 % of a font's glyphs lie within this share of the canvas
    sampled_chars: int = 300  # characters measured to place a font
    min_ink: float = 0.001  # a glyph is blank if its ink covers this share of the canvas or less

    def validate(self) -> None:
        """Raise ConfigError naming the first invalid field."""
        require(16 <= self.size_px <= 1024, "raster.size_px", self.size_px, "16 to 1024")
        require(0.2 <= self.extent <= 1, "raster.extent", self.extent, "0.2 to 1")
        require(0.2 <= self.reach <= 1, "raster.reach", self.reach, "0.2 to 1")


@dataclass(frozen=True)
class SplitConfig:
    """Which characters are held out of every style; a pure function of seed and codepoint."""

    seed: int = 0
    validation: float = 0.025  # share used to choose checkpoints and to draw samples
    test: float = 0.05  # share used by `evaluate` only

    def validate(self) -> None:
        """Raise ConfigError naming the first invalid field."""
        require(0 < self.validation < 0.5, "split.validation", self.validation, "0 to 0.5")
        require(0 <= self.test < 0.5, "split.test", self.test, "0 to 0.5")


@dataclass(frozen=True)
class TraceConfig:
    """How grey glyphs become outlines."""

    tolerance_em: float = 0.0025  # maximum distance of a curve from the iso-line
    corner_deg: float = 50.0  # minimum turn of the line at a corner
    corner_reach_px: float = 2.5  # length on either side over which the turn is measured
    step_px: float = 0.5  # distance between sampled points
    speck_px2: float = 1.5  # minimum area of a piece of ink or a hole; smaller ones are dropped
    edges: str = ""  # which edges are made straight (vector/straight_edges.py); "" for none

    def validate(self) -> None:
        """Raise ConfigError naming the first invalid field."""
        require_at_least(
            self, "trace", tolerance_em=1e-4, step_px=0.1, corner_reach_px=0.5, speck_px2=0
        )
        require(self.tolerance_em <= 0.05, "trace.tolerance_em", self.tolerance_em, "0.05 or less")
        require(10 <= self.corner_deg < 180, "trace.corner_deg", self.corner_deg, "10 to 180")
        require(self.edges in EDGES, "trace.edges", self.edges, "sharp, round, polygon or none")
