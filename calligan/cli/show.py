"""What the commands share in talking to people: notes and bars on stderr, results on stdout."""

import sys
from typing import Any

from tqdm import tqdm


def note(message: str) -> None:
    """A line for people, on stderr."""
    print(message, file=sys.stderr, flush=True)


def bar(total: float, label: str, unit: str, **options: Any) -> tqdm:
    """A progress bar on stderr; silent where stderr is no terminal."""
    return tqdm(
        total=total, desc=label, unit=unit, file=sys.stderr, disable=None, leave=False, **options
    )
