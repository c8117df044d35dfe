"""`calligan studio`: everything in a browser."""

from calligan.cli.show import note, result
from calligan.requests.studio import StudioRequest


def studio(request: StudioRequest) -> None:
    """Open a page in the browser on which everything is written, learned and made by eye.

    Example: calligan studio

    The address that is printed holds a key: whoever has it can use the studio while it runs.
    Ctrl-C ends it; work that takes long goes on where it was with the next start.
    """
    from calligan.errors import ConfigError, DataError

    folder, lan = request.folder, request.lan
    if lan and request.host != StudioRequest.host:
        raise ConfigError("--lan finds the address itself; leave --host out")
    if not folder.is_dir():
        raise DataError(f"no folder {folder}; make it first, or leave it out")
    try:
        from calligan.studio.serve import serve
    except ImportError as error:
        raise ConfigError(
            f"the studio needs {error.name}: pip install 'calligan[studio]'"
        ) from error
    if lan:
        note(
            "whoever is in this network and has the address can use the studio; it is not encrypted"
        )
    serve(folder, request.port, request.host, lan, request.browser, result)
    note("the studio is closed")
