"""The command `calligan`, and `python -m calligan`."""

from typing import NoReturn

from calligan.interrupts import raise_on_signals, received


def main() -> NoReturn:
    """Run a command. Signals are handled from the first moment, also while modules are imported."""
    raise_on_signals()
    try:
        from calligan.cli import main as run
    except KeyboardInterrupt:
        raise SystemExit(128 + received[0]) from None
    run()


if __name__ == "__main__":
    main()
