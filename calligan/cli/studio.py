"""`calligan studio`: everything in a browser."""

from pathlib import Path
from typing import Annotated

import typer

from calligan.cli.show import note


def studio(
    folder: Annotated[
        Path, typer.Argument(help="The project: where hands/, runs/ and studio/ lie.")
    ] = Path(),
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page, or only print it.")
    ] = True,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port; default 8577, or a free one.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Listen there and be called so; without it, this machine alone.")
    ] = "127.0.0.1",
    lan: Annotated[
        bool, typer.Option("--lan", help="Serve this network too: a telephone photographs pages.")
    ] = False,
) -> None:
    """Open a page in the browser on which everything is written, learned and made by eye.

    Example: calligan studio

    The address that is printed holds a key: whoever has it can use the studio while it runs.
    Ctrl-C ends it; work that takes long goes on where it was with the next start.
    """
    from calligan.errors import ConfigError, DataError

    if lan and host != "127.0.0.1":
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
    serve(folder, port, host, lan, browser, typer.echo)
    note("the studio is closed")
