"""What goes on a formatted page, and how it is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calligan.page.flow import Letter
from calligan.page.latin import is_wide
from calligan.page.seal import Kind
from calligan.vector.outline import Outline


@dataclass(frozen=True)
class Words:
    """A text with its title, signature and seal."""

    text: str
    title: str = ""
    signature: str = ""
    seal: Sequence[Outline] = ()
    seal_kind: Kind = "white"

    @property
    def signed(self) -> bool:
        """Whether there is a signature or a seal."""
        return bool(self.signature or self.seal)

    def with_title(self, joined: bool = False) -> str:
        """The text below its title, if it has one; `joined` drops the text's line breaks.

        Between two words of letters a space takes their place.
        """
        text = _joined(self.text) if joined else self.text
        return f"　　{self.title}\n{text}" if self.title else text


def _joined(text: str) -> str:
    whole = ""
    for line in text.split("\n"):
        apart = whole and line and not (is_wide(whole[-1]) or is_wide(line[0]))
        whole += (" " if apart else "") + line
    return whole


@dataclass(frozen=True)
class Setting:
    """Glyphs, colours and variation of a page."""

    letters: Mapping[str, Letter]
    ink: str
    seal: str = "#b3271e"
    vary: float = 0.0  # how much repeats of a character differ, 0 to 1
    seed: int = 0  # of that variation
    trace: int = 3  # pale glyphs after each model, on practice sheets
