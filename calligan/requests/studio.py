"""The studio in a browser."""

from dataclasses import dataclass
from pathlib import Path

from calligan.described import argument, described
from calligan.errors import ConfigError, DataError


@dataclass(frozen=True)
class StudioRequest:
    """The project to serve, and where."""

    folder: Path = argument("The project: where hands/, runs/ and studio/ lie.", Path())
    browser: bool = described(True, "Open the page, or only print it.", "--browser/--no-browser")
    port: int | None = described(None, "Port; default 8577, or a free one.", between=(1, 65535))
    host: str = described(
        "127.0.0.1",
        "Address or name of this machine, by which other machines open the studio. Default: only "
        "this machine can.",
    )
    lan: bool = described(False, "Serve this network too: a telephone photographs pages.", "--lan")

    def validate(self) -> None:
        """Raise ConfigError for both --lan and --host, DataError where there is no folder."""
        if self.lan and self.host != StudioRequest.host:
            raise ConfigError("--lan finds the address itself; leave --host out")
        if not self.folder.is_dir():
            raise DataError(f"no folder {self.folder}; make it first, or leave it out")
