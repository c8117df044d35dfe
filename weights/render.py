"""The bundle's data: every target and source font of bundle.toml, at its size.

    python weights/render.py DATA [--size 128]

30 fonts are fetched where they are missing. At 256 px the data takes 13 GB, at 128 px 3.2 GB.
The same call again goes on.
"""

import argparse
import subprocess
import sys
import tomllib
from pathlib import Path

BUNDLE = Path(__file__).resolve().parent / "bundle.toml"


def main() -> None:
    """Fetch, then render the styles from the first source, then the other sources."""
    told = tomllib.loads(BUNDLE.read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--size", type=int, default=told["size_px"], help="pixels")
    options = parser.parse_args()
    sources = [*told["sources"], *told["new_sources"]]
    styles = [*told["styles"], *told["new_styles"]]
    calligan("fonts", "fetch", *sources, *styles)
    common = ["--data", options.data, "--charset", told["charset"], "--size", str(options.size)]
    calligan("render-pairs", sources[0], *styles, *common)
    for source in sources[1:]:
        calligan("render-pairs", source, styles[0], *common)


def calligan(*arguments: str) -> None:
    """Run a command."""
    subprocess.run([sys.executable, "-m", "calligan", *arguments], check=True)


if __name__ == "__main__":
    main()
