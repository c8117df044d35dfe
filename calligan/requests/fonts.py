"""Fonts: to make, to check, and to learn from."""

from dataclasses import dataclass
from pathlib import Path

from calligan.described import REQUIRED, argument, described, refuse_unused
from calligan.requests.drawing import DEVICE, JSON, STRICT, STYLE

DOUBTED = {  # what becomes of glyphs that stay doubtful
    "skip": "doubtful, left out",
    "source": "doubtful, taken from the source font",
}
FALLBACKS = {
    "dense": "left out, more strokes than this model draws (--fallback keep draws them)",
    "keep": "kept",
    **DOUBTED,
}

SCRIPTS = ("楷", "行楷", "行", "草", "pen", "display")


@dataclass(frozen=True)
class FontRequest:
    """The font to make. None means a default that depends on the style or the completed font."""

    path: Path = described(
        REQUIRED, "Font file to write: .ttf, .otf, .woff2 or .ufo.", "--output", "-o"
    )
    style: str = STYLE()
    charset: str = described(
        "gb2312",
        "Characters to include: a shipped set (gb2312+jis-1), a UTF-8 file, or the characters.",
    )
    complete: str | None = described(
        None,
        "Font to complete: its glyphs and metrics stay as they are, and only the characters that "
        "it lacks are drawn.",
    )
    latin: str | None = described(
        None,
        "Font for letters, digits and punctuation. Default: those of the hand, and the source "
        "font's for the rest.",
    )
    family: str | None = described(
        None, "Family name, in ASCII. Default: named after the style or the completed font."
    )
    family_chinese: str | None = described(None, "Chinese family name.")
    own: bool = described(
        True,
        "For a learned hand: use your own glyphs for the characters that you wrote.",
        "--own/--no-own",
    )
    fallback: str = described(
        "dense",
        "Glyphs not to use as drawn. dense: leave out characters with more strokes than the model "
        "can draw. keep: use all. skip: leave out doubtful glyphs. source: take doubtful glyphs "
        "from the source font.",
    )


@dataclass(frozen=True)
class CheckRequest:
    """Glyphs to check, and where to write what is found."""

    what: str = argument("A font, or a folder of PNGs named by character.")
    charset: str = described(
        "gb2312+jis-1+big5-1",
        "Characters of a font to check: shipped sets, a UTF-8 file, or characters.",
    )
    script: str | None = described(
        None,
        "Script of the glyphs (楷, 行楷, 行, 草, pen or display): sets how much they may differ "
        "from print. Default: that of a catalog font, else any.",
        one_of=SCRIPTS,
    )
    font: str | None = described(
        None, "Regular Chinese font to compare with. Default: one on this machine."
    )
    json_path: Path | None = JSON()
    sheet: Path | None = described(
        None, "Draw the faulty glyphs under their reference into this PNG."
    )
    strict: bool = STRICT()
    device: str = DEVICE()

    def validate(self) -> None:
        """Raise ConfigError for an option without effect."""
        if Path(self.what).is_dir():
            refuse_unused(self, ["charset"], "a folder is checked as a whole")


@dataclass(frozen=True)
class PairsRequest:
    """Fonts to render to a data folder."""

    source: str = argument("Source font: a catalog name or FILE[#FACE][@INSTANCE].")
    targets: list[str] = argument("Target fonts, written the same way; each becomes a style.")
    data: Path = described(Path("data"), "Data folder to create or extend.", "--data", "-d")
    charset: str = described(
        "gb2312",
        "Characters to render: shipped sets (gb2312+jis-1), a UTF-8 file, or the characters.",
    )
    size_px: int = described(128, "Image size in pixels.", "--size")
    seed: int = described(0, "Random seed of the held-out split.")


@dataclass(frozen=True)
class FetchRequest:
    """Fonts of the catalog to fetch."""

    names: list[str] | None = argument("Catalog names. Default: all fonts.", None)
