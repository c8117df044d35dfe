"""Pages written by a model, as PNG, SVG, PDF or animated GIF."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from calligan.inference.pages import check_output, layout_notes
from calligan.inference.writer import Text
from calligan.page.drawing import Page
from calligan.page.gif import write_gif
from calligan.page.output import page_bytes, pages_bytes, pages_pdf, save_pages
from calligan.progress import Cancel, never_cancel
from calligan.requests.pages import Look, PageRequest


@dataclass(frozen=True)
class Pages:
    """One page or more. A notebook shows the first.

    `dpi` is pixels an inch, 10 to 2400. `grain` gives paper a soft grain, `dryness` (0 to 1) lets
    the brush run dry.
    """

    pages: Sequence[Page] = field(repr=False)  # outlines in millimetres, y downward
    text: Text  # what was read: which characters were drawn, borrowed, missing
    styles: Sequence[str]  # names, in the order written
    doubtful: dict[str, str] = field(default_factory=dict)  # style names to doubtful characters

    def __len__(self) -> int:
        return len(self.pages)

    def __getitem__(self, index: int) -> "Pages":
        return replace(self, pages=[self.pages[index]])

    @property
    def missing(self) -> str:
        """Characters that the source font lacks."""
        return self.text.missing

    @property
    def borrowed(self) -> str:
        """Characters copied from the source font: punctuation, digits, letters."""
        return self.text.borrowed

    def as_json(self) -> dict[str, Any]:
        """The styles, and which characters were drawn, borrowed (in any style) and missing.

        `borrowed_by_style` and `replaced`, kana among the drawn, are the source font's in a style.
        """
        text = self.text
        written = {"drawn": text.drawn, "borrowed": text.borrowed, "missing": text.missing}
        by_style = {"borrowed_by_style": dict(text.copied), "replaced": dict(text.replaced)}
        return {"styles": self.styles, **written, **by_style}

    def notes(self, request: PageRequest) -> Iterator[str]:
        """Which characters the model did not draw, in lines."""
        yield from layout_notes(request)
        if self.missing:
            yield f"not in the source font: {' '.join(self.missing)}"
        yield from self._borrowing()
        for style, chars in self.text.replaced.items():
            yield f"kana of the source font, not legible in {style}: {' '.join(chars)}"
        for style, chars in self.text.blank.items():
            yield f"drawn blank in {style}: {' '.join(chars)}"
        if len(self.styles) > 1 and not request.labels:
            yield f"styles in order: {', '.join(self.styles)}"

    def _borrowing(self) -> Iterator[str]:
        """What is taken from the source font; by style, where styles differ."""
        copied = [self.text.copied.get(style, "") for style in self.styles]
        if self.borrowed and all(set(chars) == set(self.borrowed) for chars in copied):
            yield f"taken from the source font: {' '.join(self.borrowed)}"
            return
        for style, chars in self.text.copied.items():
            yield f"taken from the source font in {style}: {' '.join(chars)}"

    def png(self, dpi: float = 96.0, grain: bool = False, dryness: float = 0.0) -> bytes:
        """The first page as a PNG."""
        return self._bytes(".png", Look(dpi, grain, dryness))

    def svg(self) -> str:
        """The first page as an SVG, in true outlines."""
        return self._bytes(".svg", Look()).decode()

    def gif(self, dpi: float = 96.0, frame_ms: int = 250, cancel: Cancel = never_cancel) -> bytes:
        """The first page being written, a character every `frame_ms` milliseconds.

        A frame has at most 2 million pixels, at a lower resolution if need be. Raises Cancelled.
        """
        Look(dpi, frame_ms=frame_ms).validate()
        file = BytesIO()
        write_gif(self.pages[0], dpi, frame_ms, file, cancel)
        return file.getvalue()

    def pdf(self) -> bytes:
        """All pages as a PDF, in true outlines; its text can be searched."""
        file = BytesIO()
        pages_pdf(self.pages, "calligan", file)
        return file.getvalue()

    def save(
        self, path: Path | str, dpi: float = 96.0, grain: bool = False, dryness: float = 0.0
    ) -> list[Path]:
        """Write files of the kind of the path's ending, numbered where there are several.

        The kinds are .png, .jpg, .webp, .gif, .svg and .pdf. Returns the paths.
        """
        look = Look(dpi, grain, dryness)
        look.validate()
        check_output(Path(path), any(page.paper is None for page in self.pages))
        return save_pages(Path(path), self.pages, look)

    def encoded(
        self, kind: str, dpi: float = 96.0, grain: bool = False, dryness: float = 0.0
    ) -> bytes:
        """All pages as one file of a kind such as ".pdf"; of the others, a single page."""
        look = Look(dpi, grain, dryness)
        look.validate()
        check_output(Path(f"page{kind}"), any(page.paper is None for page in self.pages))
        return pages_bytes(kind, self.pages, look)

    def _bytes(self, kind: str, look: Look) -> bytes:
        look.validate()
        return page_bytes(kind, self.pages[0], look)

    def _repr_png_(self) -> bytes:
        return self.png()
