"""The page, built and looked at in a real Chromium: drawn, saved, offline, and what goes wrong.

Needs playwright, a Chromium, npm and its registry for onnxruntime-web (or WEB_PAGE, a folder that
`make web` built), and a source font of the catalog; skips with a reason where one is missing.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from fontTools.svgLib.path import parse_path
from PIL import Image

import calligan as library
from calligan.config import RasterConfig
from calligan.glyphs.catalog import load_catalog, resolve_font
from calligan.glyphs.face import Face
from calligan.glyphs.placement import Placement, measure_placement, paste
from calligan.vector.fill import fill
from calligan.vector.font import UPEM
from calligan.vector.outline import OutlinePen

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.real_fonts
ROOT = Path(__file__).parent.parent
FONT = "noto-serif-sc"  # a plain file, as a system's fonts are
LETTERED = "kouzan-mouhitsu"  # has letters and kana
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
DONE = "document.getElementById('sheet').dataset.done === 'true'"


@pytest.fixture(scope="module")
def page_folder(tmp_path_factory) -> Path:
    """The page as `make web` builds it."""
    if built := os.environ.get("WEB_PAGE"):
        return Path(built)
    if not load_catalog()["lxgw-wenkai"].fetched:
        pytest.skip("lxgw-wenkai is not fetched")
    folder = tmp_path_factory.mktemp("web")
    command = [sys.executable, ROOT / "web/build.py", "--out", folder, "--letters", LETTERED]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode == 1 and "onnxruntime-web" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.returncode == 0, done.stderr
    return folder


class Server:
    """A folder, served; what is in `gone` is not found."""

    def __init__(self, folder: Path):
        gone = self.gone = set()

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self):
                if self.path.split("?")[0].lstrip("/") in gone:
                    return self.send_error(404)
                return super().do_GET()

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def server(page_folder):
    served = Server(page_folder)
    yield served
    served.stop()


@pytest.fixture(scope="module")
def machines():
    """Open a browser on a machine with or without a Chinese font: `machines(True).new_page()`."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    if not load_catalog()[FONT].fetched:
        pytest.skip(f"{FONT} is not fetched")
    opened = {}
    with playwright.sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:

        def machine(chinese: bool, *arguments: str):
            key = (chinese, *arguments)
            if key not in opened:
                fonts = f"<dir>{load_catalog()[FONT].path.parent}</dir>" if chinese else ""
                conf = Path(folder) / f"fonts-{len(opened)}.conf"
                latin = "<dir>/usr/share/fonts/truetype/dejavu</dir>"
                cache = f"<cachedir>{folder}/cache-{len(opened)}</cachedir>"
                conf.write_text(f"<fontconfig>{latin}{fonts}{cache}</fontconfig>")
                opened[key] = driver.chromium.launch(
                    executable_path=browser,
                    args=["--no-sandbox", *arguments],
                    env={**os.environ, "FONTCONFIG_FILE": str(conf)},
                )
            return opened[key]

        yield machine
        for each in opened.values():
            each.close()


def until(page, question, seconds=60.0):
    """Wait for an answer of the page; its own policy forbids Playwright's way to wait."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := page.evaluate(question):
            return answer
        time.sleep(0.05)
    pytest.fail(f"{question}: not in {seconds} s; the page says {said(page)!r}")


def said(page):
    return page.evaluate(
        "document.getElementById('trouble').textContent + document.getElementById('said').textContent"
    )


def opened(browser, url, **asked):
    """A page of a first visit, and what went wrong in it."""
    page = browser.new_context(locale="zh-CN", accept_downloads=True).new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    elsewhere = lambda request: not request.url.startswith((url, "blob:", "data:"))  # noqa: E731
    page.on("request", lambda request: wrong.append(request.url) if elsewhere(request) else None)
    page.goto(url + "#" + "&".join(f"{key}={quote(value)}" for key, value in asked.items()))
    return page, wrong


def saved(page, kind):
    with page.expect_download() as waiting:
        page.evaluate(f"document.getElementById('{kind}').click()")
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_a_first_visit_draws_what_the_library_draws_and_asks_nobody_else(machines, server):
    browser = machines(True)
    page, wrong = opened(browser, server.url, text="永", hand="ma-shan-zheng")
    until(page, DONE)
    assert page.evaluate("document.getElementById('source').selectedOptions[0].text") == "思源宋体"
    name, data = saved(page, "png")
    assert name == "永.png"
    with Image.open(io.BytesIO(data)) as picture:
        drawn = 255 - np.asarray(picture.convert("L")).astype(int)
    glyph = drawn[77 : 77 + 256, 77 : 77 + 256] > 128  # margin .35, canvas over its place by .05
    model = library.load("bundle", source=FONT, check=False)
    wanted = model.glyphs("永", "ma-shan-zheng")[0].image < 128
    assert (glyph & wanted).sum() / (glyph | wanted).sum() > 0.93
    assert not wrong


def test_svg_holds_the_text_and_every_glyph_and_columns_run_from_the_right(machines, server):
    page, wrong = opened(machines(True), server.url, text="永和，\n九 A", hand="yomogi")
    until(page, DONE)
    across = saved(page, "svg")[1].decode()
    assert across.count("<path ") == 5 and "<title>永和，" in across and "OFL" in across
    page.evaluate("document.querySelector('[value=down]').click()")
    until(page, DONE)
    name, data = saved(page, "svg")
    assert name == "永和九A.svg"
    places = [line.split('"')[1] for line in data.decode().splitlines() if "<path " in line]
    x, y = zip(*(map(float, place[10:-1].split()) for place in places), strict=True)
    assert len(places) == 4  # columns go without marks
    assert y[0] == y[2] < y[1] == y[3]
    assert x[0] == x[1] > x[3] > x[2]  # the A, which is narrow, stands in the middle of its column
    assert not wrong


@pytest.mark.parametrize("char", ["g", "5", "は", "ー"])
def test_letters_digits_and_kana_are_those_of_the_hand_in_columns_too(machines, server, char):
    page, wrong = opened(machines(True), server.url, text=char, hand=LETTERED, write="down")
    until(page, DONE)
    with Image.open(io.BytesIO(saved(page, "png")[1])) as picture:
        drawn = np.asarray(picture.convert("L"))[77 : 77 + 256, 77 : 77 + 256] < 128
    writer = library.load("bundle", check=False).writer
    index = writer.card.style_index(LETTERED)
    letter = writer.letters(writer.read(char), index)[char]
    place = Placement.full_width(256)
    spare_px = (1 - letter.advance_em) / 2 * place.em_px
    scale = place.em_px / UPEM
    to_canvas = [[scale, 0, place.origin_x_px + spare_px], [0, -scale, place.baseline_y_px]]
    wanted = np.full((256, 256), 255, np.uint8)
    paste(wanted, fill((letter.vertical or letter.outline).transform(np.array(to_canvas))))
    wanted = wanted < 128
    assert (drawn & wanted).sum() / (drawn | wanted).sum() > 0.95
    assert not wrong


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Calligraphy, “A&B” and words", ["Calligraphy,", "“A&B”andwords"]),
        ("永和九年岁在癸，丑暮春之初", ["永和九年岁在", "癸，丑暮春之初"]),
        ("永和九年岁在癸（丑）暮春之", ["永和九年岁在癸", "（丑）暮春之"]),
        ("九年岁在癸丑暮春之初", ["九年岁在癸丑暮春之初"]),
        ("Donaudampfschifffahrt 书", ["Donaudampfschifffahrt", "书"]),
    ],
)
def test_long_lines_are_parted_between_words_and_before_no_closing_mark(
    machines, server, text, lines
):
    page, _ = opened(machines(True), server.url, text="永")
    cells = page.evaluate(
        """(text) => import("./sheet.js").then(({ laidOut }) =>
        laidOut(text, false, 256, (char) => (/[ -~“”]/.test(char) ? 0.5 : 1)).cells)""",
        text,
    )
    found = {}
    for cell in cells:
        found.setdefault(cell["y"], []).append(cell["char"])
    assert ["".join(found[y]) for y in sorted(found)] == lines


def test_letters_that_cannot_be_fetched_are_named(machines, server):
    server.gone.add(f"letters-{LETTERED}.json.gz")
    page, _ = opened(machines(True), server.url, text="永A", hand=LETTERED)
    until(page, "document.getElementById('trouble').textContent")
    assert said(page).startswith(f"取不到 letters-{LETTERED}.json.gz")


def test_after_the_first_visit_it_works_without_a_network(machines, page_folder):
    server = Server(page_folder)
    page, wrong = opened(machines(True), server.url, text="永")
    until(page, DONE)
    until(page, "document.documentElement.dataset.offline")
    server.stop()
    page.context.set_offline(True)
    again = page.context.new_page()
    again.goto(server.url + "#text=" + quote("和"))
    until(again, DONE)
    assert saved(again, "png")[1][:4] == b"\x89PNG" and not wrong


def test_a_machine_without_a_chinese_font_is_told_so_and_may_open_one(machines, server, tmp_path):
    page, _ = opened(machines(False), server.url, text="永")
    until(page, "document.getElementById('trouble').textContent")
    assert "no Chinese font" in said(page)  # not in Chinese, which nobody could read there
    junk = tmp_path / "junk.ttf"
    junk.write_bytes(b"junk")
    page.set_input_files("#file", junk)
    until(page, "document.getElementById('trouble').textContent.includes('junk.ttf is no font')")
    page.set_input_files("#file", load_catalog()[FONT].path)
    until(page, DONE)
    assert page.evaluate("document.getElementById('trouble').hidden")
    assert saved(page, "svg")[1].count(b"<path ") == 1


@pytest.mark.parametrize("name", ["model.onnx.gz", "ort.wasm.gz", "hands.json"])
def test_what_cannot_be_fetched_is_named(machines, server, name):
    server.gone.add(name)
    page, _ = opened(machines(True), server.url, text="永")
    until(page, "document.getElementById('trouble').textContent")
    assert said(page) == f"取不到 {name}。请检查网络，再重新打开此页。"


def test_another_or_a_damaged_model_is_refused(machines, page_folder, tmp_path):
    folder = tmp_path / "page"
    shutil.copytree(page_folder, folder)
    shutil.copy(folder / "ort.wasm.gz", folder / "model.onnx.gz")
    server = Server(folder)
    page, _ = opened(machines(True), server.url, text="永")
    until(page, "document.getElementById('trouble').textContent")
    assert said(page).startswith("model.onnx.gz 不是此页的文件，或已损坏")
    server.stop()


def test_a_browser_without_simd_is_told_so_in_both_languages(machines, server):
    page = machines(True).new_context().new_page()
    page.add_init_script(
        "const real = WebAssembly.validate;"
        "WebAssembly.validate = (bytes) => !bytes.includes(0xfd) && real(bytes);"
    )
    page.goto(server.url)
    told = page.evaluate("document.getElementById('trouble').textContent")
    assert "没有 WebAssembly SIMD" in told and "no WebAssembly SIMD" in told
    assert not page.evaluate("document.getElementById('desk').checkVisibility()")


def test_what_the_font_lacks_is_named_and_left_out(machines, server):
    page, _ = opened(machines(True), server.url, text="永\U0002ebf0")
    until(page, DONE)
    assert said(page).startswith("此底字没有：\U0002ebf0")
    assert saved(page, "svg")[1].count(b"<path ") == 1


@pytest.mark.parametrize("kind", ["ma-shan-zheng", "zcool-xiaowei"])
def test_a_font_of_simplified_characters_alone_may_be_opened(machines, server, kind):
    page, _ = opened(machines(False), server.url, text="永")
    until(page, "document.getElementById('trouble').textContent")
    if not load_catalog()[kind].fetched:
        pytest.skip(f"{kind} is not fetched")
    page.set_input_files("#file", load_catalog()[kind].path)
    until(page, DONE)
    assert page.evaluate("document.getElementById('trouble').hidden")


def test_a_font_without_chinese_is_refused_where_another_font_has_it(machines, server):
    page, _ = opened(machines(True), server.url, text="永")
    until(page, DONE)
    page.set_input_files("#file", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
    until(page, "document.getElementById('trouble').textContent.includes('DejaVuSans.ttf')")


@pytest.mark.parametrize("char", ["😀", "ش"])
def test_what_only_another_font_of_the_machine_has_is_lacking(machines, server, char):
    page, wrong = opened(machines(True), server.url, text="永" + char)
    until(page, DONE)  # DejaVu, which is there too, has both
    assert said(page).startswith(f"此底字没有：{char}")
    assert saved(page, "svg")[1].count(b"<path ") == 1 and not wrong


@pytest.mark.parametrize(
    ("text", "column", "unmarked"),
    [
        ("永，和。", "永和", True),
        ("（10%）5-8", "10% 5-8", True),
        ("3.14，５％", "3.14 ５％", True),
        ("It’s “good” tea", "It’s good tea", True),
        ("永 A&B 和", "永A&B和", False),
        ("永、A和", "永A和", True),
        ("no marks", "no marks", False),
    ],
)
def test_columns_keep_marks_within_words_and_numbers_and_spaces_between(
    machines, server, text, column, unmarked
):
    page, _ = opened(machines(True), server.url, text="永")
    found = page.evaluate(
        """(text) => import("./sheet.js").then(({ laidOut }) => laidOut(text, true, 256, () => 1))""",
        text,
    )
    places = sorted((-cell["x"], cell["y"], cell["char"]) for cell in found["cells"])
    read, end = "", places[0][:2]
    for x, y, char in places:
        empty = x == end[0] and y > end[1] + 1
        read, end = read + " " * empty + char, (x, y + 0.9 * 256)
    assert (read, found["unmarked"]) == (column, unmarked)


@pytest.mark.parametrize(("lang", "told"), [("zh-Hans", "省去标点"), ("en", "marks were left out")])
def test_it_says_when_columns_lost_marks(machines, server, lang, told):
    page, _ = opened(machines(True), server.url, text="永，永", write="down", lang=lang)
    until(page, DONE)
    assert told in said(page)
    page.evaluate("document.querySelector('[value=across]').click()")
    until(page, DONE)
    assert told not in said(page)


@pytest.mark.parametrize(("lang", "told"), [("zh-Hans", "至多 200 字"), ("en", "At most 200")])
def test_it_says_when_no_more_text_fits(machines, server, lang, told):
    page, _ = opened(machines(True), server.url, text="永", lang=lang)
    until(page, DONE)
    assert told not in said(page)
    page.focus("#text")
    page.keyboard.insert_text("永" * 300)
    until(page, DONE)
    assert len(page.input_value("#text")) == 200 and told in said(page)


def test_a_text_of_an_address_is_cut_too_and_not_within_a_character(machines, server):
    page, _ = opened(machines(True), server.url, text="永" * 199 + "\U00020000永")
    until(page, DONE)
    assert page.input_value("#text") == "永" * 199 and "至多 200 字" in said(page)


def test_every_kind_of_font_file_that_may_be_opened_is_named(machines, server):
    page, _ = opened(machines(True), server.url, text="永")
    kinds = page.get_attribute("#file", "accept").split(",")
    told = page.evaluate(
        "import('./words.js').then(({ WORDS }) => Object.values(WORDS).map((w) => w.noFont))"
    )
    assert all(re.findall(r"\.\w+", sentence)[: len(kinds)] == kinds for sentence in told)


def test_both_languages_say_everything(machines, server):
    page, _ = opened(machines(True), server.url, text="永", lang="en")
    told = page.evaluate(
        "import('./words.js').then(({ WORDS }) => Object.values(WORDS).map((w) => Object.keys(w)))"
    )
    assert len(told) == 2 and sorted(told[0]) == sorted(told[1])
    assert page.evaluate("document.documentElement.lang") == "en"
    until(page, DONE)
    page.evaluate("document.getElementById('language').click()")
    assert page.evaluate("document.querySelector('[data-word=hands]').textContent") == "字体"


def test_a_font_is_placed_as_the_library_places_it(machines, server):
    page, _ = opened(machines(True), server.url, text="永")
    sample, x, baseline, em = page.evaluate(
        """Promise.all([import("./sources.js"), fetch("hands.json").then((r) => r.json())]).then(
        async ([{ machineFonts }, { sample, placement }]) => {
            const font = (await machineFonts(sample, placement))[0].placed();
            return [sample, font.x_px, font.baseline_px, font.em_px];
        })"""
    )
    face = Face(resolve_font(FONT).spec)
    wanted = measure_placement(face, sample, RasterConfig(size_px=256))
    assert (x, baseline, em) == pytest.approx(
        (wanted.origin_x_px, wanted.baseline_y_px, wanted.em_px), abs=1.0
    )


def test_outlines_follow_the_half_way_line_and_keep_corners_and_holes(machines, server):
    size = 64
    y, x = np.mgrid[:size, :size] + 0.5
    far = np.hypot(x - 24, y - 26)
    ink = np.clip(np.minimum(15.5 - far, far - 7.5), 0, 1)  # a ring
    ink[40:60, 36:60] = 1  # a square that touches two edges of nothing
    ink[2, 60] = 1  # a speck
    page, _ = opened(machines(True), server.url, text="永")
    path = page.evaluate(
        "(ink) => import('./outline.js').then(({ outline }) => outline(Float32Array.from(ink), 64))",
        ink.ravel().tolist(),
    )

    pen = OutlinePen()
    parse_path(path, pen)
    canvas = np.full((size, size), 255, np.uint8)
    paste(canvas, fill(pen.outline))
    ink[2, 60] = 0  # it is left out
    off = np.abs(1 - canvas / 255 - ink)
    assert path.count("M") == 3 and off.mean() < 0.005 and off.max() < 0.6
