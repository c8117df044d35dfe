"""How long the studio takes: from the command to the first glyph, from a key to a drawn glyph.

    python benchmarks/studio.py --tries 50

A real server and Debian's Chromium (`apt-get install chromium`, and `pip install playwright`). A
key types a character that was not drawn before; a change of layout is a click on another format.
Prints median and worst, in milliseconds.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from rich.console import Console

from calligan.glyphs.charset import load_charset

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_WATCH = """(what) => new Promise((done) => {
  const there = () => document.querySelector(what);
  if (there()) return done(0);
  const began = performance.now();
  const watcher = new MutationObserver(() => {
    if (!there()) return;
    watcher.disconnect();
    requestAnimationFrame(() => done(performance.now() - began));
  });
  watcher.observe(document.body, { childList: true, subtree: true, attributes: true });
  ACT
})"""
_TYPED = """const text = document.getElementById("text");
  text.value = text.value.slice(-7) + CHAR;
  text.dispatchEvent(new InputEvent("input", { bubbles: true }));"""
_CLICKED = "document.querySelector(CHOICE).click();"


def main() -> None:
    """Measure, and print a line a figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tries", type=int, default=50)
    parser.add_argument("--starts", type=int, default=5, help="of the command")
    asked = parser.parse_args()
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        sys.exit("no Chromium: apt-get install chromium")
    figures: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for last in range(asked.starts - 1, -1, -1):
            began = time.perf_counter()
            process, address = started(Path(folder))
            try:
                page = chromium.new_page()
                page.goto(address)
                page.wait_for_selector(".glyph path[d^='M']")
                took = 1000 * (time.perf_counter() - began)
                figures.setdefault("command to first glyph", []).append(took)
                if not last:
                    figures |= in_page(page, asked.tries)
                page.close()
            finally:
                process.terminate()
                process.wait()
    for name, taken in figures.items():
        told = f"median {statistics.median(taken):6.0f} ms, worst {max(taken):6.0f} ms"
        Console().print(f"{name:26} {told}, of {len(taken)}", highlight=False)


def started(folder: Path) -> tuple[subprocess.Popen, str]:
    """A studio, and its address."""
    command = [sys.executable, "-m", "calligan", "studio", str(folder), "--no-browser"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def in_page(page: Page, tries: int) -> dict[str, list[float]]:
    """From a key to a glyph that is new, to one that is known, and to another layout."""
    page.wait_for_selector("svg.sheet-of-paper[data-pending='0']")
    chars = load_charset("gb2312-1")[500 : 500 + tries]
    new = [typed(page, char) for char in chars]
    page.fill("#text", "永和")
    page.wait_for_selector(".glyph[data-char='和'] path[d^='M']")
    known = [typed(page, char) for char in chars]
    widths_mm = {"scroll": 340, "hall": 680, "fan": 560}
    layout = []
    for number in range(tries):
        name = list(widths_mm)[number % len(widths_mm)]
        act = _CLICKED.replace("CHOICE", repr(f"input[value={name}]"))
        seen = f"svg.sheet-of-paper[viewBox^='0 0 {widths_mm[name]} ']"
        layout.append(float(page.evaluate(watching(act), seen)))
    return {"key to a new glyph": new, "key to a known glyph": known, "change of layout": layout}


def typed(page: Page, char: str) -> float:
    """How long a character takes to be seen, in ms."""
    act = _TYPED.replace("CHAR", repr(char))
    return float(page.evaluate(watching(act), f".glyph[data-char='{char}'] path[d^='M']"))


def watching(act: str) -> str:
    """A script that does something and waits for what it is given to be seen; how long, in ms."""
    return _WATCH.replace("ACT", act)


if __name__ == "__main__":
    main()
