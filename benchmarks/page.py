"""The page in a real Chromium: seconds to the first glyph, milliseconds a glyph, bytes fetched.

    make web
    python benchmarks/page.py dist/web --font noto-serif-sc --picture page.png

Needs `pip install playwright` and a Chromium. Each round is a first visit with nothing kept, in a
browser whose machine has one Chinese font, then a second visit. Seconds are counted from the start
of navigation until a glyph's outline is there; the server is on this machine, so the network takes
no time. The machine's load is printed: beside other work everything takes longer.
"""

import argparse
import os
import shutil
import tempfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from urllib.parse import quote

from playwright.sync_api import Browser, Page, sync_playwright

from calligan.glyphs.catalog import load_catalog

TEXT = "花笑水碧茶馨石翠春江"
GLYPHS = "performance.getEntriesByName('glyph').map((e) => [e.startTime, e.detail.drawn_ms])"
DONE = "document.getElementById('sheet').dataset.done === 'true'"
KEPT = "document.documentElement.dataset.offline === 'true'"


class Counting(SimpleHTTPRequestHandler):
    """Serves files, and counts their bytes."""

    fetched = 0

    def copyfile(self, source, outputfile) -> None:
        """Send a file."""
        Counting.fetched += os.fstat(source.fileno()).st_size
        super().copyfile(source, outputfile)

    def log_message(self, *arguments) -> None:
        """Say nothing."""


def wait(page: Page, question: str) -> None:
    """Until the page answers yes."""
    while not page.evaluate(question):
        time.sleep(0.02)


def visit(browser: Browser, url: str, picture: Path | None) -> tuple[list[float], list[float]]:
    """Two visits: milliseconds to the first glyph in each, and for each glyph of the first."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
    firsts, each = [], []
    for text in (TEXT, TEXT[::-1]):
        page = context.new_page()
        page.goto(f"{url}#text={quote(text)}&hand=ma-shan-zheng")
        wait(page, DONE)
        glyphs = page.evaluate(GLYPHS)
        firsts.append(glyphs[0][0])
        each = each or [drawn_ms for _, drawn_ms in glyphs]
        wait(page, KEPT)
        if picture is not None:
            page.screenshot(path=picture, full_page=True)
        page.close()
    context.close()
    return firsts, each


def main() -> None:
    """Serve, visit, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--font", default="noto-serif-sc", help="a fetched .ttf of the catalog")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--browser", default="chromium")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Counting, directory=options.page))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        conf = Path(folder) / "fonts.conf"
        font = f"<dir>{load_catalog()[options.font].path.parent}</dir>"
        latin = "<dir>/usr/share/fonts/truetype/dejavu</dir>"
        conf.write_text(f"<fontconfig>{latin}{font}<cachedir>{folder}</cachedir></fontconfig>")
        browser = driver.chromium.launch(
            executable_path=shutil.which(options.browser),
            args=["--no-sandbox"],
            env={**os.environ, "FONTCONFIG_FILE": str(conf)},
        )
        for _ in range(options.rounds):
            url = f"http://127.0.0.1:{server.server_port}/"
            found.append(visit(browser, url, options.picture))
        browser.close()
    firsts = [[round(ms) for ms in column] for column in zip(*(f for f, _ in found), strict=True)]
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; one thread, {options.font}")
    print(f"first visit, ms to the first glyph: median {median(firsts[0]):.0f} of {firsts[0]}")
    print(f"second visit:                       median {median(firsts[1]):.0f} of {firsts[1]}")
    steady = [ms for _, each in found for ms in each[2:]]
    print(f"first glyph's network: median {median(each[0] for _, each in found):.0f} ms")
    print(f"later ones:            median {median(steady):.0f} ms, from {min(steady):.0f}")
    print(f"fetched in both visits: {Counting.fetched / options.rounds / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
