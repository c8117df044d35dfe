"""`calligan studio`: everything in a browser."""

from calligan.cli.show import note, result
from calligan.described import values
from calligan.errors import ConfigError
from calligan.requests.studio import StudioRequest


def studio(request: StudioRequest) -> None:
    """Open a page in the browser on which everything is written, learned and made by eye.

    Example: calligan studio

    The address that is printed holds a key: whoever has it can use the studio while it runs.
    Ctrl-C ends it; work that takes long goes on where it was with the next start.
    """
    request.validate()
    try:
        from calligan.studio.serve import serve
    except ImportError as error:
        needed = f"the studio needs {error.name}: pip install 'calligan[studio]'"
        raise ConfigError(needed) from error
    if request.lan:
        note("whoever is in this network and has the address can use it; it is not encrypted")
    serve(**values(request), announce=result)
    note("the studio is closed")
