"""What a request brings: read with limits, and refused in a sentence."""

from typing import Any

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
