"""Render the bundle's data: every target and source font of bundle.toml, at its size.

    python weights/render.py DATA [--size 128]

Missing fonts of the 30 are fetched. At 256 px the data takes 13 GB, at 128 px 3.2 GB.
Run again, it continues.
"""

import argparse
import subprocess
import sys
import tomllib
from pathlib import Path

BUNDLE = Path(__file__).resolve().parent / "bundle.toml"


def main() -> None:
    """Fetch the fonts, then render styles and sources."""
    bundle = tomllib.loads(BUNDLE.read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--size", type=int, default=bundle["size_px"], help="pixels")
    options = parser.parse_args()
    sources = [*bundle["sources"], *bundle["new_sources"]]
    styles = [*bundle["styles"], *bundle["new_styles"]]
    calligan("fonts", "fetch", *sources, *styles)
    common = ["--data", options.data, "--charset", bundle["charset"], "--size", str(options.size)]
    calligan("render-pairs", sources[0], *styles, *common)
    for source in sources[1:]:
        calligan("render-pairs", source, styles[0], *common)


def calligan(*arguments: str) -> None:
    """Run a calligan command."""
    subprocess.run([sys.executable, "-m", "calligan", *arguments], check=True)


if __name__ == "__main__":
    main()
