"""Check a page request and lay it out."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageColor

from calligan import __version__
from calligan.errors import ConfigError, DataError, ModelError
from calligan.glyphs.placement import PITCH
from calligan.page.drawing import Page
from calligan.page.flow import Direction, Letter
from calligan.page.formats import Format, load_format
from calligan.page.latin import is_in_word
from calligan.page.layout import Setting, Words, lay_out
from calligan.page.output import KINDS, OPAQUE
from calligan.page.plain import plain, stacked
from calligan.page.seal import Kind
from calligan.requests.drawing import check_seed
from calligan.requests.pages import PageRequest

if TYPE_CHECKING:  # so that a request can be checked before torch is imported
    from calligan.inference.writer import Missing, Text, Writer

_MAX_TITLE_CHARS = 40
_PX_MM = 25.4 / 96  # a pixel on plain pages


def leaves_out_marks(request: PageRequest) -> bool:
    """Whether the format omits punctuation that the text has."""
    whole = request.text + request.title + request.signature
    if request.form is None or whole == without_marks(whole):
        return False
    return not (load_format(request.form).marks if request.marks is None else request.marks)


def layout_notes(request: PageRequest) -> Iterator[str]:
    """What a format leaves out of a text, and what it asks of one, in lines."""
    if request.form is None:
        return
    if leaves_out_marks(request):
        yield f"punctuation is left out, as is usual for {request.form}; --marks writes it"
    lines = without_marks(request.text).split("\n")[: load_format(request.form).least_lines]
    lengths = [sum(not char.isspace() for char in line) for line in lines]
    if len(set(lengths)) > 1:
        yield (
            f"the lines of a {request.form} should be equally long; these have {min(lengths):,} "
            f"and {max(lengths):,} characters"
        )


def check_page(request: PageRequest) -> None:
    """Raise ConfigError or DataError naming the first invalid option."""
    _check_numbers(request)
    for name, value, known in (
        ("--missing", request.missing, ("error", "skip", "box")),
        ("--seal-kind", request.seal_kind, ("white", "red")),
    ):
        if value not in known:
            raise ConfigError(f"{name} {value!r} is not one of {', '.join(known)}")
    for name, colour in (("--ink", request.ink), ("--paper", request.paper)):
        _check_colour(name, colour)
    if request.form is not None and request.labels:
        raise ConfigError("--labels is for plain pages, without --format")
    if request.form is not None:
        form = load_format(request.form)
        if (request.signature or request.seal) and not form.signed:
            raise ConfigError(f"--format {request.form} has no place for a --sign or a --seal")
        if request.title and not form.titled:
            raise ConfigError(f"--format {request.form} has no place for a --title")
        if request.vertical or request.wrap or request.cell_px:
            raise ConfigError("--vertical, --wrap and --size are for plain pages, without --format")
        return
    if request.marks is not None:
        raise ConfigError("--marks and --no-marks need a --format")
    if request.title or request.signature or request.seal:
        raise ConfigError("--title, --sign and --seal need a --format")


def _check_numbers(request: PageRequest) -> None:
    if request.cell_px is not None and not 8 <= request.cell_px <= 2048:
        raise ConfigError(f"--size {request.cell_px} is out of range; give 8 to 2048 pixels")
    if request.wrap is not None and request.wrap < 1:
        raise ConfigError(f"--wrap {request.wrap} is invalid; give 1 or more")
    if request.vary is not None and not 0 <= request.vary <= 1:
        raise ConfigError(f"--vary {request.vary:g} is out of range; give 0 to 1")
    if not 0 <= request.trace <= 100:
        raise ConfigError(f"--trace {request.trace} is out of range; give 0 to 100")
    check_seed(request.seed)


def write_pages(
    writer: "Writer",
    request: PageRequest,
    styles: list[int],
    progress: Callable[[int], None] = lambda count: None,
    letters_of: "Callable[[Text, int], Mapping[str, Letter]] | None" = None,
) -> "tuple[list[Page], Text]":
    """The pages of a request in each style, numbered from 0, and the checked text.

    `letters_of` returns the letters of a text in a style; without it the writer draws them, and
    ModelError is raised where all that it draws is blank.
    """
    form = load_format(request.form) if request.form else None
    kind: Missing = request.missing  # type: ignore[assignment]
    parts = [request.text, request.title, request.signature, request.seal]
    if leaves_out_marks(request):
        parts = [without_marks(part) for part in parts]
    read = [writer.read(part, kind).text if part else "" for part in parts]
    whole = writer.read("\n".join(filter(None, parts)), kind)
    pages: list[Page] = []
    names, blank, replaced, copied = [], {}, {}, {}
    for index in styles:
        letters = letters_of(whole, index) if letters_of else writer.letters(whole, index, progress)
        name = writer.card.styles[index].name
        names.append(f"{index + 1} {name}")
        if letters_of is None:
            blank[name] = _blank(whole.drawn, letters, name)
        replaced[name] = writer.replaced(whole.drawn, index)
        copied[name] = writer.replaced(whole.borrowed, index)
        if form is None:
            pages.append(_plain(read[0], letters, request, writer.card.size_px))
        else:
            pages += _formed(read, letters, request, form)
    if form is None:
        labels = names if request.labels else []
        pages = [
            stacked(pages, labels, {c: writer.borrowed_letter(c) for c in set("".join(labels))})
        ]
    for page in pages:
        page.about, page.title = _about(writer, names), _title(read)
    whole = replace(whole, blank=_some(blank), replaced=_some(replaced))
    return pages, _without_drawn(whole, _some(copied))


def _without_drawn(text: "Text", copied: Mapping[str, str]) -> "Text":
    """The text whose marks, digits and letters count as drawn, but for those copied in a style."""
    anywhere = set("".join(copied.values()))
    drawn = "".join(char for char in text.borrowed if char not in anywhere)
    borrowed = "".join(char for char in text.borrowed if char in anywhere)
    return replace(text, drawn=text.drawn + drawn, borrowed=borrowed, copied=copied)


def _some(chars_of: Mapping[str, str]) -> dict[str, str]:
    """The styles that have any characters."""
    return {name: chars for name, chars in chars_of.items() if chars}


def _blank(han: str, letters: Mapping[str, Letter], style: str) -> str:
    """The characters that are drawn without ink. Raises ModelError if that is all of them."""
    blank = "".join(char for char in han if not len(letters[char].outline.contour))
    if blank and blank == han:
        raise ModelError(
            f"the model draws only blank glyphs in {style}; train it longer, or give another "
            "--model, such as bundle, the shipped one"
        )
    return blank


def _title(read: list[str]) -> str:
    """The title of a text, or else its beginning: the first line."""
    text, title, *_ = read
    return (title or text).partition("\n")[0][:_MAX_TITLE_CHARS]


def _about(writer: "Writer", styles: list[str]) -> dict[str, str]:
    """What a page was drawn with, for the metadata of its file."""
    source = writer.source
    return {
        "Software": f"calligan {__version__}",
        "Source": f"{source.name}, sha256 {source.digest}",
        "Styles": ", ".join(styles),
    }


def without_marks(text: str) -> str:
    """Text without punctuation, as on brushed pages. Punctuation in Latin words is kept."""
    before = " " + text
    return "".join(
        char
        for index, (char, last) in enumerate(zip(text, before, strict=False))
        if not unicodedata.category(char).startswith("P")
        or (last + char).isascii()
        or is_in_word(text, index)
    )


def check_output(path: Path, transparent: bool = False) -> None:
    """Raise DataError for a file that pages cannot be written to."""
    if path.is_dir():
        raise DataError(f"{path} is a folder; name a file in it")
    if path.suffix.lower() not in KINDS:
        raise DataError(f"{path} does not end in {', '.join(KINDS)}; name the kind of page")
    if transparent and path.suffix.lower() in OPAQUE:
        raise DataError(f"{path} cannot be transparent; write a .png, .webp, .svg or .pdf")


def _plain(text: str, letters: Mapping[str, Letter], request: PageRequest, size_px: int) -> Page:
    setting = Setting(letters, request.ink or "black", vary=request.vary or 0, seed=request.seed)
    em_mm = (request.cell_px or size_px) * PITCH * _PX_MM
    way: Direction = "vertical" if request.vertical else "horizontal"
    paper = None if request.transparent else request.paper or "white"
    return plain(text, setting, em_mm, way, request.wrap, paper)


def _formed(
    read: list[str], letters: Mapping[str, Letter], request: PageRequest, form: Format
) -> list[Page]:
    text, title, signature, seal = read
    kind: Kind = request.seal_kind  # type: ignore[assignment]
    words = Words(text, title, signature, [letters[char].outline for char in seal], kind)
    if request.paper:
        form = replace(form, paper=request.paper)
    strength = form.vary if request.vary is None else request.vary
    ink = request.ink or form.ink
    setting = Setting(letters, ink, form.seal, strength, request.seed, request.trace)
    pages = lay_out(words, form, setting)
    if request.transparent:
        for page in pages:
            page.paper = None
    return pages


def _check_colour(name: str, colour: str | None) -> None:
    try:
        ImageColor.getrgb(colour or "black")
    except ValueError as error:
        raise DataError(
            f"{name} {colour!r} is not a colour; write a name such as black, or #202020"
        ) from error
