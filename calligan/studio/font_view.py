"""The My font view: upload, coverage, completing or making a font, and its new glyphs."""

import asyncio
import contextlib
import zipfile
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from calligan.errors import DataError
from calligan.glyphs.charset import is_drawn
from calligan.glyphs.strokes import stroke_count
from calligan.resources import bundled_model
from calligan.studio import font_files, removal
from calligan.studio.downloads import attachment
from calligan.studio.engine import Engine
from calligan.studio.font_files import Choices
from calligan.studio.learned import shown_notes
from calligan.studio.locations import checked_name, font_folder
from calligan.studio.messages import localize
from calligan.studio.rendering import language_of, render_error, render_page, translations
from calligan.studio.request_body import read_json_body, read_upload, studio_of
from calligan.studio.shapes import ink_width, path
from calligan.studio.tasks import OWN

CHARSETS = (
    "components-500",
    "gb2312-1",
    "gb2312",
    "tongyong-8105",
    "big5-1",
    "jis-1",
    "jis-1+kana",
    "gb2312+big5-1+jis-1",
)
_A_PAGE = 120
_MAX_TRIAL_CHARS = 300
_MAX_OWN_CHARS = 10_000
_REPORTS = {
    "html": (font_files.REPORT, "text/html"),
    "json": (font_files.VERDICTS, "application/json"),
}
# What is filled in for a font, and how long it may be.
_SETTINGS = {"hand": 200, "charset": 60, "chars": 40_000, "family": 60, "family_chinese": 60}
_TYPES = {".ttf": "font/ttf", ".otf": "font/otf", ".woff2": "font/woff2"}


async def overview(request: Request) -> Response:
    """The list of fonts, and of those that were removed in the last week."""
    t, fonts = translations(language_of(request)), []
    for name in font_files.font_names():
        about = font_files.about_font(name)
        state = t["font_made" if font_files.made_kinds(name) else "font_not_made"]
        fonts.append(
            {"name": name, "specimen": "", "details": [about["family"] if about else "", state]}
        )
    values = {"fonts": fonts, "removed": removal.names_of_removed("font")}
    return render_page(request, "fonts.html", values)


async def view(request: Request) -> Response:
    """One font; a new one with ?new=1."""
    name = checked_name(request.path_params["name"])
    if not font_folder(name).is_dir() and request.query_params.get("new") != "1":
        t = translations(language_of(request))
        values = {"title": t["no_font"], "message": t["no_font_do"]}
        return render_error(request, 404, **values, link="/font", link_text=t["to_fonts"])
    return render_page(request, "font.html", {"name": name, "charsets": (*CHARSETS, OWN)})


async def describe(request: Request) -> Response:
    """The state of a font as JSON."""
    name = checked_name(request.path_params["name"])
    queue, language = studio_of(request).jobs, language_of(request)
    about, choices = font_files.about_font(name), Choices.read(name)
    made_with = Choices.read(name, font_files.MADE_WITH)
    made, glyphs = font_files.made(name), font_files.verdicts(name)
    kinds = font_files.made_kinds(name)
    stamp = max((font_files.made_path(name, kind).stat().st_mtime_ns for kind in kinds), default=0)
    return JSONResponse(
        {
            "about": about and {**about, "refusal": localize(about["refusal"], language)},
            "own": font_files.own_hand(name),
            "check": font_files.checked(name),
            "made": made and _localized(made, language),
            "settings": font_files.settings(name),
            "kinds": kinds,
            "report": (font_folder(name) / font_files.REPORT).is_file(),
            "stamp": str(stamp),
            "count": len(glyphs),
            "doubtful": sum(bool(glyph["doubtful"]) for glyph in glyphs),
            "notes": [localize(line, language) for line in shown_notes(queue, name)],
            "changed": len(font_files.changed(name)),
            "pending": choices.pending(made_with),
            "picked": dict(choices.picked_of(made_with.hand or choices.hand)),
            "left_out": choices.left_out,
        }
    )


def _localized(made: dict[str, Any], language: str) -> dict[str, Any]:
    return {**made, "narrowed": localize(made.get("narrowed", ""), language)}


async def lacks(request: Request) -> Response:
    """Which characters of a text the finished font does not have."""
    name, body = checked_name(request.path_params["name"]), await read_json_body(request)
    text = str(body.get("text", ""))[:_MAX_TRIAL_CHARS]
    lacking = await studio_of(request).run_on_files(lambda: font_files.lacking(name, text))
    return JSONResponse({"lacks": lacking})


async def upload(request: Request) -> Response:
    """Upload a font to complete."""
    name = checked_name(request.path_params["name"])
    file, data, _ = await read_upload(request, font_files.MAX_BYTES)
    studio = studio_of(request)
    about = await studio.run_on_files(lambda: font_files.take_font(name, file, data))
    if not about["refusal"] and bundled_model():
        with contextlib.suppress(DataError):  # a full queue: then no hand is suggested
            studio.jobs.add("match", name, {})
    return JSONResponse(about)


async def check(request: Request) -> Response:
    """Queue a check of the given font."""
    name = checked_name(request.path_params["name"])
    font_files.given_font(name)
    return JSONResponse({"job": studio_of(request).jobs.add("check", name, {})})


async def check_sheet(request: Request) -> Response:
    """The picture of what the check found."""
    sheet = font_folder(request.path_params["name"]) / font_files.CHECK_SHEET
    if not sheet.is_file():
        raise DataError("it was not checked yet")
    return FileResponse(sheet, media_type="image/png")


async def learn(request: Request) -> Response:
    """Queue learning the given font's own hand."""
    name = checked_name(request.path_params["name"])
    font_files.given_font(name)
    font_files.note_about(name, own=name)
    work = {"font": True, "minutes": 10}
    return JSONResponse({"job": studio_of(request).jobs.add("learn", name, work)})


async def settings(request: Request) -> Response:
    """Keep what is filled in for a font, so that it is found again; `begin` begins a new one."""
    name, body = checked_name(request.path_params["name"]), await read_json_body(request)
    given = {key: str(body.get(key, ""))[:most] for key, most in _SETTINGS.items() if key in body}

    def keep() -> None:
        if body.get("begin") is not True:
            font_files.existing(name)
        font_files.add_settings(name, given)

    await studio_of(request).run_on_files(keep)
    return JSONResponse({})


async def make(request: Request) -> Response:
    """Queue making the font."""
    name, body = checked_name(request.path_params["name"]), await read_json_body(request)
    hand = str(body.get("hand", ""))
    await studio_of(request).engine.run(lambda engine: engine.check(hand))
    complete, charset = body.get("complete") is True, _charset(body)
    given = font_files.given_font(name).suffix if complete else ".ttf"
    kind = body.get("kind") or given
    if kind not in ((given,) if complete else (".ttf", ".otf", ".ufo")):
        raise DataError(f"no kind of font {kind!r}; choose one of the list")
    families = {key: str(body.get(key, ""))[:60].strip() for key in ("family", "family_chinese")}
    work = {"hand": hand, **charset, "complete": complete, "kind": kind, **families}
    kept = {"hand": hand, **charset, **families}
    await studio_of(request).run_on_files(lambda: font_files.add_settings(name, kept))
    return JSONResponse({"job": studio_of(request).jobs.add("font", name, work)})


def _charset(body: dict[str, Any]) -> dict[str, str]:
    """The characters to make: a shipped set, or the Chinese ones of a text. Raises DataError."""
    charset, text = body.get("charset"), str(body.get("chars", ""))
    if charset != OWN:
        if charset not in CHARSETS:
            raise DataError(f"no charset {charset!r}; choose one of the list")
        return {"charset": charset}
    chars = "".join(dict.fromkeys(filter(is_drawn, text)))
    if not chars:
        raise DataError("there is no Chinese character or kana to make; paste some")
    if len(chars) > _MAX_OWN_CHARS:
        raise DataError(f"the text is longer than {_MAX_OWN_CHARS:,} characters; give less")
    return {"charset": OWN, "chars": chars}


async def glyphs(request: Request) -> Response:
    """A page of the new glyphs: all, the doubtful ones, or those changed by the user.

    With `chars`, only those characters.
    """
    name, params = checked_name(request.path_params["name"]), request.query_params
    page = int(params["page"]) if params.get("page", "").isdecimal() else 0
    show = params.get("show", "all")
    found = font_files.changed(name) if show == "changed" else font_files.verdicts(name)
    if show == "doubtful":
        found = [glyph for glyph in found if glyph["doubtful"]]
        found.sort(key=lambda glyph: glyph["score"] or 0)
    if only := {*params.get("chars", "")[:_MAX_TRIAL_CHARS]}:
        found = [glyph for glyph in found if glyph["char"] in only]
    part = found[min(page, 10_000) * _A_PAGE :][:_A_PAGE]
    chars = "".join(str(glyph["char"]) for glyph in part)
    pictures = await studio_of(request).run_on_files(lambda: font_files.pictures_of(name, chars))
    shown = [
        {**glyph, "strokes": stroke_count(glyph["char"]), **pictures[glyph["char"]]}
        for glyph in part
    ]
    return JSONResponse({"glyphs": shown, "of": len(found), "a_page": _A_PAGE})


async def choose(request: Request) -> Response:
    """Pick a candidate, leave the glyph out, or undo either; returns the previous choice."""
    name, body = checked_name(request.path_params["name"]), await read_json_body(request)
    char, hand, number = str(body.get("char", "")), str(body.get("hand", "")), body.get("number")
    if len(char) != 1 or not is_drawn(char):
        raise DataError("choose for one Chinese character or kana")
    if number is not None and (not isinstance(number, int) or not 0 <= number <= 99):
        raise DataError("the number of a candidate is 1 or more")
    font_files.existing(name)
    picture: dict[str, Any] | None = None
    if number:
        picture = await studio_of(request).engine.run(partial(_picture, hand, char, number))
    choices = Choices.read(name)
    before: Any = choices.picked_of(hand).get(char)
    choices.changed(hand, char, number).write(name)
    font_files.note_picked(name, char, picture)
    return JSONResponse({"number": 0 if char in choices.left_out else before})


def _picture(hand: str, char: str, number: int, engine: Engine) -> dict[str, Any]:
    """The picture of a candidate, not fitted to a font, and where its ink begins and ends."""
    chosen = engine.chosen(hand)
    for candidate in chosen.case.candidates(char, chosen.style):
        if candidate.number == number:
            return {"d": path(candidate.outline), "box": ink_width(candidate.outline)}
    raise DataError("there is no such candidate; choose one of those shown")


async def download(request: Request) -> Response:
    """The finished font as a file."""
    name, kind = checked_name(request.path_params["name"]), f".{request.path_params['kind']}"
    # Not the name of the uploaded file, which it would replace.
    file = f"{name}-complete" if font_files.about_font(name) else name
    if kind == ".woff2":
        data = await asyncio.to_thread(_woff2, name)
        return attachment(data, f"{file}.woff2", _TYPES[kind])
    if kind == ".ufo":
        data = await asyncio.to_thread(_zipped, font_files.made_path(name, kind), file)
        return attachment(data, f"{file}.ufo.zip", "application/zip")
    if kind not in _TYPES:
        raise DataError(f"no kind of font {kind!r}")
    made = font_files.made_path(name, kind)
    return FileResponse(made, media_type=_TYPES[kind], filename=f"{file}{kind}")


async def report(request: Request) -> Response:
    """The verdicts on all new glyphs: a page with pictures, or JSON."""
    name, kind = checked_name(request.path_params["name"]), request.path_params["kind"]
    if kind not in _REPORTS:
        raise DataError(f"no kind of report {kind!r}")
    file, media_type = _REPORTS[kind]
    found = font_folder(name) / file
    if not found.is_file():
        raise DataError("no font is made yet")
    return FileResponse(found, media_type=media_type, filename=f"{name}-report.{kind}")


def _woff2(name: str) -> bytes:
    from fontTools.ttLib import TTFont

    kinds = [kind for kind in font_files.made_kinds(name) if kind != ".ufo"]
    font, file = TTFont(font_files.made_path(name, kinds[0] if kinds else ".ttf")), BytesIO()
    font.flavor = "woff2"
    font.save(file)
    return file.getvalue()


def _zipped(folder: Path, name: str) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in sorted(folder.rglob("*")):
            if each.is_file():
                archive.write(each, f"{name}.ufo/{each.relative_to(folder).as_posix()}")
    return file.getvalue()


ROUTES = [
    Route("/font", overview),
    Route("/font/{name}", view),
    Route("/font/{name}/check.png", check_sheet),
    Route("/font/{name}/report.{kind}", report),
    Route("/font/{name}/made.{kind}", download),
    Route("/upload/font/{name}", upload, methods=["POST"]),
    Route("/api/font/{name}", describe),
    Route("/api/font/{name}/lacks", lacks, methods=["POST"]),
    Route("/api/font/{name}/settings", settings, methods=["POST"]),
    Route("/api/font/{name}/check", check, methods=["POST"]),
    Route("/api/font/{name}/learn", learn, methods=["POST"]),
    Route("/api/font/{name}/make", make, methods=["POST"]),
    Route("/api/font/{name}/glyphs", glyphs),
    Route("/api/font/{name}/choose", choose, methods=["POST"]),
]
