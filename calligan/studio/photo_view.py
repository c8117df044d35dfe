"""Photographs of a hand: upload, removal, columns, and corrections of glyphs."""

from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from calligan.errors import DataError
from calligan.scan.folder import Label, annotate, labels, relabel
from calligan.studio.locations import checked_name, glyphs_folder
from calligan.studio.names_view import check_free
from calligan.studio.page_cuts import checked_cuts, checked_edges, cut_files, read_cut
from calligan.studio.photos import (
    MAX_BYTES,
    add_photo,
    pages,
    photo_path,
    recut_photo,
    remove_photo,
)
from calligan.studio.request_body import read_json_body, read_upload, studio_of

_COLUMNS = ("rtl", "ltr", "rows")


async def upload(request: Request) -> Response:
    """Upload a photograph; it is cut into glyphs at once."""
    name = checked_name(request.path_params["name"])
    await check_free(request, name)
    file, data, fields = await read_upload(request, MAX_BYTES)
    columns = _checked_columns(fields.get("columns", "rtl"))
    text = fields.get("text", "").replace("\r", "")
    page = await studio_of(request).run_on_files(lambda: add_photo(name, file, data, text, columns))
    return JSONResponse(page)


async def photo(request: Request) -> Response:
    """A photograph, reduced."""
    path = photo_path(*_name_and_file(request))
    if not path.is_file():
        raise DataError("that photograph is not there any more")
    return FileResponse(path, media_type="image/jpeg")


async def remove(request: Request) -> Response:
    """Remove a photograph and its glyphs."""
    name, file = _name_and_file(request)
    return JSONResponse(
        {"glyphs": await studio_of(request).run_on_files(lambda: remove_photo(name, file))}
    )


async def page_cut(request: Request) -> Response:
    """Where a page without template was cut."""
    name, file = _name_and_file(request)
    path = photo_path(name, file, thumb=False)
    entry = next(page for page in pages(name) if page["file"] == file)
    fields = {"text": entry["text"], "columns": entry["columns"]}
    return JSONResponse({**fields, "cut": read_cut(path)})


async def page_picture(request: Request) -> Response:
    """The straightened picture of a page without template."""
    name, file = _name_and_file(request)
    path = cut_files(photo_path(name, file, thumb=False))[0]
    if not path.is_file():
        raise DataError("that photograph is not there any more")
    return FileResponse(path, media_type="image/jpeg")


async def recut(request: Request) -> Response:
    """Cut a page again with given columns, cuts and text; returns what it was before."""
    (name, file), body = _name_and_file(request), await read_json_body(request)
    text, columns = str(body.get("text", "")), _checked_columns(str(body.get("columns", "rtl")))
    edges = checked_edges(body.get("edges"))
    cuts = checked_cuts(body.get("cuts"), edges)
    work = partial(recut_photo, name, file, text.replace("\r", ""), columns, edges, cuts)
    return JSONResponse(await studio_of(request).run_on_files(work))


async def picture(request: Request) -> Response:
    """The image of a glyph."""
    name, file = _name_and_file(request)
    folder = glyphs_folder(name)
    if not folder.is_dir() or file not in {label.file for label in labels(folder)}:
        raise DataError("there is no such glyph")
    return FileResponse(folder / file, media_type="image/png")


async def correct(request: Request) -> Response:
    """Set the character of a glyph, or leave it out; returns the previous one."""
    name, body = checked_name(request.path_params["name"]), await read_json_body(request)
    file, char = str(body.get("file", "")), str(body.get("char", ""))
    before = await studio_of(request).run_on_files(lambda: _relabelled(name, file, char))
    return JSONResponse({"char": before.char, "note": before.note})


def _relabelled(hand: str, file: str, char: str) -> Label:
    """The label before. What is doubtful under the new one is said by `judge`."""
    from calligan.library.scanning import doubt_of_cell

    folder = glyphs_folder(hand)
    note = next((label.note for label in labels(folder) if label.file == file), "")
    return relabel(folder, file, char, doubt_of_cell(note))


async def judge(request: Request) -> Response:
    """Say what is doubtful about a glyph under its character; apart, as it may take seconds."""
    name, body = checked_name(request.path_params["name"]), await read_json_body(request)
    folder, file, studio = glyphs_folder(name), str(body.get("file", "")), studio_of(request)
    char = next((label.char for label in labels(folder) if label.file == file), "")
    note = await studio.run_on_reader(lambda: _doubt_of(folder, file, char))
    if char:
        await studio.run_on_files(lambda: annotate(folder, file, char, note))
    return JSONResponse({"note": note})


def _doubt_of(folder: Path, file: str, char: str) -> str:
    from calligan.library.scanning import doubt_of

    return doubt_of(folder, file, char)


def _checked_columns(columns: str) -> str:
    if columns not in _COLUMNS:
        raise DataError(f"columns {columns!r} is not one of {', '.join(_COLUMNS)}")
    return columns


def _name_and_file(request: Request) -> tuple[str, str]:
    return checked_name(request.path_params["name"]), request.path_params["file"]


ROUTES = [
    Route("/hand/{name}/photo/{file}", photo),
    Route("/hand/{name}/page/{file}", page_picture),
    Route("/hand/{name}/glyph/{file}", picture),
    Route("/upload/hand/{name}", upload, methods=["POST"]),
    Route("/api/hand/{name}/label", correct, methods=["POST"]),
    Route("/api/hand/{name}/judge", judge, methods=["POST"]),
    Route("/api/hand/{name}/photo/{file}/remove", remove, methods=["POST"]),
    Route("/api/hand/{name}/page/{file}", page_cut),
    Route("/api/hand/{name}/page/{file}/cut", recut, methods=["POST"]),
]
