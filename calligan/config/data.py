"""How fonts become training data, and drawn glyphs outlines."""

from dataclasses import dataclass

from calligan.config.checks import require, require_at_least


@dataclass(frozen=True)
class RasterConfig:
    """How glyphs are placed on their canvas; fixed for a data folder."""

    size_px: int = 128  # canvas edge
    extent: float = 0.80  # median of max(width, height) of a font's ink, as a share of the canvas
    reach: float = 0.96  # 99 % of a font's glyphs lie within this share of the canvas
    sampled_chars: int = 300  # characters measured to place a font
    min_ink: float = 0.001  # a glyph with ink on no more of the canvas than this is blank

    def validate(self) -> None:
        """Raise ConfigError naming the first field that makes no sense."""
        require(16 <= self.size_px <= 1024, "raster.size_px", self.size_px, "16 to 1024")
        require(0.2 <= self.extent <= 1, "raster.extent", self.extent, "0.2 to 1")
        require(0.2 <= self.reach <= 1, "raster.reach", self.reach, "0.2 to 1")


@dataclass(frozen=True)
class SplitConfig:
    """Which characters are held out of every style; a pure function of seed and codepoint."""

    seed: int = 0
    validation: float = 0.025  # share used to choose checkpoints and to draw samples
    test: float = 0.05  # share that nothing but `evaluate` ever looks at

    def validate(self) -> None:
        """Raise ConfigError naming the first field that makes no sense."""
        require(0 < self.validation < 0.5, "split.validation", self.validation, "0 to 0.5")
        require(0 <= self.test < 0.5, "split.test", self.test, "0 to 0.5")


@dataclass(frozen=True)
class TraceConfig:
    """How grey glyphs become outlines."""

    tolerance_em: float = 0.0025  # a curve strays no further from the iso-line
    corner_deg: float = 50.0  # the line turns by no less at a corner
    corner_reach_px: float = 2.5  # looking so far on either side
    step_px: float = 0.5  # between the points that are looked at
    speck_px2: float = 1.5  # no smaller area is ink, or a hole

    def validate(self) -> None:
        """Raise ConfigError naming the first field that makes no sense."""
        require_at_least(
            self, "trace", tolerance_em=1e-4, step_px=0.1, corner_reach_px=0.5, speck_px2=0
        )
        require(self.tolerance_em <= 0.05, "trace.tolerance_em", self.tolerance_em, "0.05 or less")
        require(10 <= self.corner_deg < 180, "trace.corner_deg", self.corner_deg, "10 to 180")
