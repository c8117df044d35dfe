"""The card of a model: its metadata, stored in the header of its file."""

from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from calligan.config import GeneratorConfig, TraceConfig
from calligan.config.rules import GENERATOR_RULES
from calligan.errors import ConfigError, DataError, ModelError
from calligan.models.file import read_metadata
from calligan.settings import from_dict
from calligan.storage import parse_json

KIND, NOUN = "calligan", "model"  # of a model's file, see models.file
PENS = ("", "sharp", "round")
MAX_BOLDER_EM = 0.06  # a network knows distances up to about .05 em from an edge
CURE = "copy it again, or use --model bundle"


@dataclass(frozen=True)
class FontCard:
    """A font that a model learned from: a style (target) or a source of content."""

    name: str
    chinese: str
    script: str
    licence: str
    family: str
    font_sha256: str
    path: str  # when it was trained; empty for a font of the catalog
    face: str
    instance: str | None
    placement: dict[str, Any]  # see glyphs.placement
    least_score: float | None = None  # reader score that 95 % of its real glyphs reach
    tolerance_em: float | None = None  # TraceConfig.tolerance_em for its glyphs; None: the default
    bolder_em: float = 0.0  # added to the thickness of strokes, for the font's own on average
    pen: str = (
        ""  # redrawn with a pen of even width and such corners (vector/pen.py): a name of PENS
    )
    edges: str = ""  # TraceConfig.edges for its glyphs

    @property
    def tracing(self) -> TraceConfig:
        """How to trace its glyphs to outlines.

        A pen's edges have no noise; a large tolerance would only flatten the ends of its strokes.
        """
        if self.pen:
            return TraceConfig()
        tolerance_em = TraceConfig.tolerance_em if self.tolerance_em is None else self.tolerance_em
        return TraceConfig(tolerance_em, edges=self.edges)


@dataclass(frozen=True)
class ModelCard:
    """Everything but the weights."""

    generator: GeneratorConfig
    size_px: int
    styles: tuple[FontCard, ...]  # style 1 is styles[0]
    sources: tuple[FontCard, ...]
    trained_chars: str
    held_out: dict[str, str]
    metrics: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)  # seed, steps, data hash, versions

    def validate(self) -> None:
        """Raise ValueError or ConfigError for invalid values."""
        self.generator.validate()
        if not self.styles or not 16 <= self.size_px <= 1024:
            raise ValueError(f"{len(self.styles)} styles at {self.size_px} px")
        rules = GENERATOR_RULES[self.generator.kind]
        rules.check_sizes(self.generator, "generator", "size_px", [self.size_px])
        for style in self.styles:
            style.tracing.validate()
            if abs(style.bolder_em) > MAX_BOLDER_EM or (
                style.bolder_em and self.generator.output != "distance"
            ):
                raise ValueError(f"bolder_em is {style.bolder_em}")
            if style.pen not in PENS:
                raise ValueError(f"pen is {style.pen!r}")

    def listed(self) -> list[dict[str, Any]]:
        """The number, name, own name (`chinese`), script and licence of each style."""
        told = ("name", "chinese", "script", "licence")
        return [
            {"number": number, **{name: getattr(style, name) for name in told}}
            for number, style in enumerate(self.styles, start=1)
        ]

    @property
    def learned_steps(self) -> int:
        """How many steps its styles were learned in, with those of models that it went on from."""
        told: Any = self.provenance
        steps = 0
        while isinstance(told, dict):
            steps += int(told.get("step", 0))
            told = None if told.get("began_from") else told.get("began_at")
        return steps

    def check_unseen(self, chars: str) -> None:
        """Raise DataError if the model was trained on any of `chars`."""
        if seen := set(self.trained_chars) & set(chars):
            raise DataError(
                f"the model was trained on {len(seen)} characters that this data holds out; "
                "give --data rendered with the model's own split and seed (for a learned hand: the "
                "model that it started from has seen these characters in other hands)"
            )

    def style_index(self, wanted: str) -> int:
        """The index from 0 of a style given by number from 1, or by name.

        Raises ModelError listing the styles.
        """
        is_number = wanted.isdecimal() and len(wanted) < 10
        if is_number and 1 <= int(wanted) <= len(self.styles):
            return int(wanted) - 1
        names = [style.name for style in self.styles]
        if wanted in names:
            return names.index(wanted)
        chinese = [style.chinese for style in self.styles]
        if wanted in chinese:
            return chinese.index(wanted)
        near = get_close_matches(wanted, names, n=1)
        listed = ", ".join(f"{i} {name}" for i, name in enumerate(names, start=1))
        hint = f"did you mean {near[0]}? " if near else ""
        raise ModelError(
            f"no style {wanted!r} in this model; {hint}it has 1 to {len(names)}: {listed}"
        )


def read_card(path: Path) -> ModelCard:
    """Read only the card, without torch. Raises ModelError naming the file and the cure."""
    return card_of(path, read_metadata(path, KIND, NOUN, CURE))


def card_of(path: Path, description: str) -> ModelCard:
    """Parse the description of a model file. Raises ModelError if it is not a valid card."""
    try:
        card: ModelCard = from_dict(ModelCard, parse_json(description))
        card.validate()
        return card
    except (ConfigError, ValueError) as error:
        raise ModelError(
            f"{path} is damaged, or is of another version of calligan; {CURE}"
        ) from error
