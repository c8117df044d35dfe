"""What a request brings: read with limits, and refused in a sentence."""

from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from calligan.errors import DataError
from calligan.storage import parse_json
from calligan.studio.house import House


def asked(request: Request) -> House:
    """The studio that a request is for."""
    house: House = request.app.state.house
    return house


async def asked_json(request: Request) -> dict[str, Any]:
    """A JSON object of a body of `application/json`. Raises DataError for anything else."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise DataError("the request is not application/json")
    try:
        told = parse_json(await request.body())
    except ValueError as error:
        raise DataError(f"the request is no JSON: {error}") from error
    if not isinstance(told, dict):
        raise DataError("the request is no JSON object")
    return told


async def asked_file(request: Request, most_bytes: int) -> tuple[str, bytes, dict[str, str]]:
    """The name and bytes of the one file of a form, and its other fields.

    Raises DataError where there is not one file, or it is too large.
    """
    async with request.form(max_files=1, max_fields=8) as form:
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        if len(files) != 1:
            raise DataError("give one file at a time")
        data = await files[0].read(most_bytes + 1)
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        name = Path(files[0].filename or "").name or "file"
    if len(data) > most_bytes:
        raise DataError(f"{name[:80]} is larger than {most_bytes >> 20} MB")
    return name, data, fields
