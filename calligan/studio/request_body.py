"""Reads the body of a request, with limits."""

from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from calligan.errors import DataError
from calligan.storage import parse_json
from calligan.studio.state import StudioState


def studio_of(request: Request) -> StudioState:
    """The state of the studio that serves a request."""
    studio: StudioState = request.app.state.studio
    return studio


async def read_json_body(request: Request) -> dict[str, Any]:
    """The JSON object in a body of type `application/json`. Raises DataError for anything else."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise DataError("the request is not application/json")
    try:
        body = parse_json(await request.body())
    except ValueError as error:
        raise DataError(f"the request is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise DataError("the request is not a JSON object")
    return body


async def read_upload(request: Request, max_bytes: int) -> tuple[str, bytes, dict[str, str]]:
    """The name and bytes of the one file of a form, and its other fields.

    Raises DataError if there is not exactly one file, or it is too large.
    """
    async with request.form(max_files=1, max_fields=8) as form:
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        if len(files) != 1:
            raise DataError("give one file at a time")
        data = await files[0].read(max_bytes + 1)
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        name = Path(files[0].filename or "").name or "file"
    if len(data) > max_bytes:
        raise DataError(f"{name[:80]} is larger than {max_bytes >> 20} MB")
    return name, data, fields
