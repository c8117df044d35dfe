"""The Write view: the page, hands, and candidates of glyphs."""

import unicodedata
from collections.abc import Collection
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from calligan.errors import DataError
from calligan.glyphs.charset import is_drawn, is_kana, load_text, text_titles
from calligan.glyphs.strokes import stroke_count
from calligan.page.formats import format_names, load_format
from calligan.studio.engine import Chosen, Engine
from calligan.studio.learned import doubt_of
from calligan.studio.messages import localize
from calligan.studio.rendering import language_of, render_page
from calligan.studio.request_body import read_json_body, studio_of
from calligan.studio.setting import Setting
from calligan.studio.shapes import ink_width, pages_as_json, path

if TYPE_CHECKING:  # torch is imported where it is needed
    from calligan.inference.writer import Text

_AT_ONCE_S = 0.12  # how long new glyphs are drawn before the page is shown as far as it is
_MAX_KNOWN = 5000
_WELL = 0.5  # a score that is more likely right than wrong
_ORDER = ("scroll", "hall", "square", "banner", "couplet", "fan", "letter", "practice")


async def view(request: Request) -> Response:
    """The HTML page; its script requests the rest."""
    names = sorted(format_names(), key=lambda name: (*_ORDER, name).index(name))
    forms = [(name, load_format(name)) for name in names]
    shapes = {name: (form.width_mm, form.height_mm) for name, form in forms}
    looks = {name: (form.paper, form.ink) for name, form in forms}
    values = {"formats": shapes, "looks": looks, "texts": text_titles()}
    return render_page(request, "write.html", values)


async def page(request: Request) -> Response:
    """The pages of a setting as outlines; glyphs that take longer are listed as pending."""
    body = await read_json_body(request)
    setting, have = Setting.read(body.get("setting", {})), body.get("have", [])
    if not isinstance(have, list) or len(have) > _MAX_KNOWN:
        raise DataError("have is no list of outlines")
    known = {str(name) for name in have}
    studio, language = studio_of(request), language_of(request)
    told = await studio.engine.run(lambda engine: _page(engine, setting, known))
    notes = [localize(note, language) for note in _notes(setting)]
    return JSONResponse({**told, "notes": notes})


def _notes(setting: Setting) -> list[str]:
    """What a page says of its text; that marks are left out is seen, and a switch of the page."""
    from calligan.inference.pages import layout_notes
    from calligan.library.model import page_request

    notes = layout_notes(page_request(setting.text, setting.layout))
    return [note for note in notes if not note.startswith("punctuation")]


def _page(engine: Engine, setting: Setting, known: set[str]) -> dict[str, Any]:
    chosen = engine.chosen(setting.hand)
    proof = chosen.case.page(
        setting.text, chosen.style, pick=setting.pick, seconds=_AT_ONCE_S, **setting.layout
    )
    return {
        **pages_as_json(list(proof.pages.pages), known),
        "pending": proof.pending,
        "doubtful": {
            char: {"faults": faults, "strokes": stroke_count(char)}
            for char, faults in proof.faults.items()
        },
        "missing": proof.pages.missing,
        "borrowed": _from_print(proof.pages.text, setting.pick),
        "query": setting.query(),
        "command": setting.command(chosen.options),
    }


def _from_print(read: "Text", picked: Collection[str]) -> str:
    """Kana, letters, digits and signs that are the source font's; punctuation needs no word."""
    printed = {*read.borrowed, *"".join(read.replaced.values())} - {*picked}
    chars = dict.fromkeys(char for char in read.text if char in printed)
    return "".join(char for char in chars if unicodedata.category(char)[0] in "LMNS")


async def hands(request: Request) -> Response:
    """All hands, and which learned ones do not write well yet, and why."""
    studio = studio_of(request)

    def listed(engine: Engine) -> list[dict[str, Any]]:
        return [
            {
                **asdict(hand),
                "doubt": doubt_of(studio.jobs, hand.key) if hand.origin == "hand" else "",
            }
            for hand in engine.hands()
        ]

    return JSONResponse({"hands": await studio.engine.run(listed)})


async def specimen(request: Request) -> Response:
    """A few characters in a hand, as paths."""
    key = request.query_params.get("hand", "")
    chars = "".join(filter(is_drawn, request.query_params.get("text", "")))[:6] or "永"

    def draw(engine: Engine) -> list[dict[str, str]]:
        chosen = engine.chosen(key)
        proof = chosen.case.page(chars, chosen.style, missing="box")
        marks = proof.pages.pages[0].marks
        return [{"char": mark.text, "d": path(mark.outline)} for mark in marks if mark.text]

    return JSONResponse({"glyphs": await studio_of(request).engine.run(draw)})


async def candidates(request: Request) -> Response:
    """The printed character, and the candidates with what the reader says of each."""
    key, char = (request.query_params.get(name, "") for name in ("hand", "char"))
    if len(char) != 1 or not is_drawn(char):
        raise DataError("candidates are drawn of one Chinese character or kana")

    def draw(engine: Engine) -> dict[str, Any]:
        chosen = engine.chosen(key)
        least = _least_score(chosen, char)
        ways = [
            {
                "number": c.number,
                "faults": c.faults,
                "score": _finite(c.score),
                "reads": _reading(c.score, least),
                "d": path(c.outline),
                "box": ink_width(c.outline),
            }
            for c in chosen.case.candidates(char, chosen.style)
        ]
        printed = path(chosen.case.printed(char))
        return {"char": char, "strokes": stroke_count(char), "printed": printed, "ways": ways}

    return JSONResponse(await studio_of(request).engine.run(draw))


async def text(request: Request) -> Response:
    """A shipped text by its name."""
    name = request.path_params["name"]
    if name not in text_titles():
        raise DataError("no such text; choose one of the list")
    return JSONResponse({"text": load_text(name).strip()})


def _least_score(chosen: Chosen, char: str) -> float | None:
    """What nearly all real glyphs of a hand reach; None without a reader, and for kana.

    The reader learned Han characters: how kana read says little.
    """
    return None if is_kana(char) else chosen.case.least_score(chosen.style)


def _reading(score: float, least: float | None) -> str:
    """How a form reads, as a word that the page knows; "" where there is no reader.

    `least` is what nearly all real glyphs of the hand reach. In a cursive hand that is little, as
    it differs from print on purpose.
    """
    if least is None or _finite(score) is None:
        return ""
    if score < least:
        return "less"
    return "well" if score >= _WELL else "far"


def _finite(score: float) -> float | None:
    return None if score != score else round(score, 4)


ROUTES = [
    Route("/write", view),
    Route("/api/page", page, methods=["POST"]),
    Route("/api/hands", hands),
    Route("/api/specimen", specimen),
    Route("/api/candidates", candidates),
    Route("/api/text/{name}", text),
]
