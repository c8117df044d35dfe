"""The command `calligan`, and `python -m calligan`."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from calligan.interrupts import raise_on_signals, received


def main() -> NoReturn:
    """Run a command. Signals are handled from the first moment, also while modules are imported."""
    raise_on_signals()
    open_closed_streams()
    try:
        from calligan.cli import main as run
    except KeyboardInterrupt:
        raise SystemExit(128 + received[0]) from None
    run()


def open_closed_streams() -> None:
    """Give standard streams that are closed (`2>&-`) the null device.

    Else they are None, and a file that is opened later takes their number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


if __name__ == "__main__":
    main()
