"""The studio in a real browser: Debian's Chromium, driven by Playwright; skipped without them."""

import io
import re
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest

pytest.importorskip("starlette", reason="the studio needs pip install 'calligan[studio]'")
sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
from conftest import HAN, build_font
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from test_studio import CHARS, HAND, copybook_page, project, written_page  # noqa: F401

from calligan.page.sheet import Row, contact_sheet, label_width_px
from calligan.studio.jobs import Jobs

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium: apt-get install chromium")
WAIT_MS = 60_000


@pytest.fixture(scope="module")
def address(project, start):  # noqa: F811
    """The printed address of a studio in a process of its own."""
    (project / "page.jpg").write_bytes(written_page(project / "bold.ttf", HAN[:20]))
    (project / "torn.jpg").write_bytes(written_page(project / "bold.ttf", HAN[:20], trim=200))
    lines = [HAN[:8], HAN[8:16]]
    (project / "copybook.jpg").write_bytes(copybook_page(project / "bold.ttf", lines, gap_mm=-2))
    build_font(project / "Begun.ttf", HAN[:30] + "A", weight=90, family="Begun")
    process = start("calligan", "studio", project, "--no-browser")
    yield process.stdout.readline().strip()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


@pytest.fixture(scope="module")
def contexts(address):
    """A browser's context in each language; its pages share a process, which takes long to start."""
    base = address.split("/?")[0]
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--process-per-site"]
        browser = playwright.chromium.launch(executable_path=BROWSER, args=arguments)
        there = {}
        for language in ("en-GB", "zh-CN"):
            context = browser.new_context(locale=language, permissions=["clipboard-write"])
            context.request.get(address)  # sets the cookie; drawing the first page takes a second
            context.new_page().goto(f"{base}/static/studio.css")  # stays, and the process with it
            there[language] = context
        yield there
        browser.close()


@pytest.fixture(params=["en-GB", "zh-CN"])
def page(request, contexts, address):
    """A page that was let in; what its console complains of fails the test."""
    context = contexts[request.param]
    page, complaints = context.new_page(), []
    page.set_default_timeout(WAIT_MS)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    context.request.get(address)
    page.base = address.split("/?")[0]
    yield page
    page.close()
    context.pages[0].evaluate("localStorage.clear()")
    # Refusals that tests ask for, and a studio that is gone.
    expected = ("422", "404", "ERR_CONNECTION_REFUSED")
    assert not [line for line in complaints if not any(code in line for code in expected)]


def write(page, text, **setting):
    from urllib.parse import urlencode

    page.goto(f"{page.base}/write?{urlencode({'text': text, 'hand': HAND, **setting})}")
    page.wait_for_selector(f".glyph[data-char='{text[-1]}'] path[d^='M']")


def test_the_token_does_not_stay_in_the_address(page, address):
    page.context.clear_cookies()
    page.goto(address)
    assert page.url.startswith(f"{page.base}/write") and "token" not in page.url
    assert page.evaluate("document.cookie.includes('calligan-')") is False


def test_one_types_and_the_page_is_drawn(page):
    write(page, "书法")
    page.fill("#text", "书法永")
    page.wait_for_selector(".glyph[data-char='永'] path[d^='M']")
    assert page.locator(".glyph").count() == 3
    page.click("label:has(input[value=scroll])")
    page.wait_for_selector("svg.sheet-of-paper[viewBox^='0 0 340 ']")
    page.fill("input[name=sign]", "丙")
    page.wait_for_selector(".glyph[data-char='丙']")
    assert "format=scroll" in page.url and "sign=" in page.url
    page.reload()
    page.wait_for_selector("svg.sheet-of-paper[viewBox^='0 0 340 ']")
    assert page.input_value("#text") == "书法永" and page.input_value("input[name=sign]") == "丙"
    page.click("nav a[href='/runs']")
    page.click("nav a[href='/write']")  # the page that was left
    page.wait_for_selector("svg.sheet-of-paper[viewBox^='0 0 340 ']")
    assert page.input_value("#text") == "书法永" and page.input_value("input[name=sign]") == "丙"
    write(page, "和")  # an address with a text is all of the page
    assert page.input_value("#text") == "和" and page.input_value("input[name=sign]") == ""


def test_a_page_that_is_being_drawn_says_how_much_is_to_come_and_speaks_seldom(page):
    write(page, "永")
    left = ["书法和", "书法", "书"]

    def slow(route):
        told = route.fetch().json()
        route.fulfill(json={**told, "pending": left.pop(0) if left else ""})

    page.route("**/api/page", slow)
    page.evaluate(
        """() => new MutationObserver((changes) => {
          for (const { target } of changes)
            if (target.id?.startsWith("to-come"))
              (window[target.id + "-seen"] ??= []).push(target.textContent);
        }).observe(document.body, { subtree: true, childList: true })"""
    )
    page.fill("#text", "永书法和")
    page.wait_for_function("() => window['to-come-spoken-seen']?.at(-1) === ''")
    english = page.get_attribute("html", "lang") == "en"
    said = "Writing; characters still to come: {}" if english else "正在书写，还有 {} 字"
    assert page.evaluate("window['to-come-seen']") == [*map(said.format, (3, 2, 1)), ""]
    assert page.evaluate("window['to-come-spoken-seen']") == [said.format(3), ""]
    assert page.locator("#to-come-spoken[aria-live=polite]").count() == 1
    assert not page.locator("[aria-live] #to-come, [role=status] #to-come").count()


def test_a_glyph_is_picked_and_that_is_undone(page):
    write(page, "永和")
    before = page.get_attribute(".glyph[data-char='永'] path", "d")
    page.click(".glyph[data-char='永']")
    page.wait_for_selector("#ways .way >> nth=3")
    used = page.locator("#ways .way[aria-current=true][aria-pressed=true]")
    assert used.count() == 1 and used.locator(".in-use").is_visible()
    assert used.evaluate("one => one === document.activeElement.closest('.way')")
    faults = {"en": ("hard to read", "hard to recognise"), "zh-Hans": ("难以辨认", "难以认出")}
    short, said = faults[page.get_attribute("html", "lang")]
    for place in ("#ways .doubt", ".glyph[data-char='永'] title"):
        assert said in page.text_content(place)
    assert short in used.text_content() and said in used.get_attribute("title")
    assert page.locator("#ways .way .best").count() == used.locator(".best").count() == 1
    first = page.locator("#ways > :not(.doubt)").first  # the printed form, which is no choice
    assert first.evaluate("one => one.matches('figure:has(path[d^=M])')")
    names = page.locator("#ways .form-name > span").all_text_contents()
    assert names == [str(number) for number in range(1, len(names) + 1)] and len(names) > 3
    page.click("#ways .way >> nth=3")
    page.wait_for_selector(".glyph.picked[data-char='永'] path[d^='M']")
    page.click(".glyph[data-char='永']")
    page.wait_for_selector("#ways .way:nth-of-type(4)[aria-current]")
    page.keyboard.press("Escape")
    assert page.get_attribute(".glyph[data-char='永'] path", "d") != before
    assert "--pick" in page.text_content("#command") and "pick=" in page.url
    page.click(".toast button")
    page.wait_for_selector(".glyph:not(.picked)[data-char='永']")
    assert page.get_attribute(".glyph[data-char='永'] path", "d") == before


DENSE = {"en": ("It has 18 strokes.", "Known before"), "zh-Hans": ("此字有 18 画。", "写之前已知")}


@pytest.mark.parametrize(
    ("faults", "reads", "words"),
    [
        (["dense"], "well", ("", "")),  # the reader recognises it, and knows nothing of strokes
        (["dense"], "less", ("reads less well", "不太好认")),
        (["misdrawn", "dense"], "well", ("strokes may be wrong", "笔画可能有误")),
        (["misdrawn"], "well", ("strokes may be wrong", "笔画可能有误")),
        ([], "far", ("less clear, as this hand may be", "不太清楚，此体有时如此")),
    ],
)
def test_what_is_foreseen_of_a_character_is_told_apart_from_what_is_seen(
    page, faults, reads, words
):
    way = {"number": 1, "faults": faults, "score": 0.988, "reads": reads, "d": "M0 0L9 9"}
    other = {**way, "number": 2, "faults": [fault for fault in faults if fault == "dense"]}
    told = {"ways": [way, other], "strokes": 18, "printed": "M0 0L8 8"}
    told["ways"] = [{**each, "box": [0, 9]} for each in told["ways"]]
    page.route("**/api/candidates?*", lambda route: route.fulfill(json=told))
    write(page, "永和")
    page.click(".glyph[data-char='永']")
    page.wait_for_selector("#ways .way")
    language = page.get_attribute("html", "lang")
    assert page.text_content("#ways .mine :is(.reads, .why)") == words[language == "zh-Hans"]
    doubt = "".join(page.locator("#ways .doubt").all_text_contents())
    assert all((said in doubt) == ("dense" in faults) for said in DENSE[language])
    heads = page.locator("#ways dt").all_text_contents()
    seen = ("Seen in the form in use:", "在现用的写法中看到：")
    assert len(heads) == len(faults) and (heads[-1:] == [seen[language == "zh-Hans"]]) == (
        "misdrawn" in faults
    )
    assert "98.8 %" in page.get_attribute("#ways .way", "title")
    assert "%" not in page.text_content("#candidates")


def test_a_fault_of_all_forms_is_told_as_one(page):
    way = {"faults": ["misdrawn"], "score": 0.9, "reads": "well", "d": "M0 0L9 9", "box": [0, 9]}
    ways = [{**way, "number": number} for number in (1, 2)]
    told = {"ways": ways, "strokes": 6, "printed": "M0 0L8 8"}
    page.route("**/api/candidates?*", lambda route: route.fulfill(json=told))
    write(page, "永和")
    page.click(".glyph[data-char='永']")
    page.wait_for_selector("#ways .way")
    assert page.text_content("#ways dt") in ("Seen in all forms:", "在各种写法中都看到：")
    assert page.is_hidden("#reads-said")  # no form is said to read well
    page.keyboard.press("Escape")
    ways[0]["faults"] = []
    page.click(".glyph[data-char='永']")
    page.wait_for_selector("#ways .way .reads:not(:empty)")
    assert page.is_visible("#reads-said")


def test_what_is_doubtful_in_the_seal_or_not_of_the_hand_is_named_below_the_whole_page(page):
    faults = {"faults": ["unlearned"], "strokes": 9}

    def told(route):
        more = {"doubtful": {"永": faults, "书": faults}, "borrowed": "あABCDEFGHIJKLM"}
        route.fulfill(json={**route.fetch().json(), **more})

    page.route("**/api/page", told)
    write(page, "永和", format="scroll", seal="书")
    marked, seal, borrowed = page.locator("#said p").all_text_contents()
    assert "永" in marked and "书" not in marked
    assert re.search("in the seal: 书|印章中存疑的字：书", seal)
    assert re.search("(From the printed font: |取自印刷字体：)あ A .* K …$", borrowed)
    sheet, room = (page.locator(at).bounding_box() for at in (".sheet-of-paper", "#pages"))
    assert sheet["y"] + sheet["height"] <= room["y"] + room["height"]


def test_the_address_is_that_of_the_page_before_it_is_drawn_again(page):
    write(page, "永和")
    page.wait_for_url("**/write?*hand=*")
    page.goto(f"{page.base}/runs")
    page.route("**/api/page", lambda route: None)  # no answer
    page.click("nav a[href='/write']")
    page.wait_for_url(f"**/write?*text={quote('永和')}*")


def test_many_doubtful_characters_are_named_a_dozen_at_first(page):
    faults = {"faults": ["unlearned"], "strokes": 9}

    def doubt(route):
        told = route.fetch().json()
        route.fulfill(json={**told, "doubtful": dict.fromkeys(HAN[:20], faults)})

    page.route("**/api/page", doubt)
    write(page, "永和")
    chars = page.locator("#said .char")
    assert chars.count() == 12 and "8" in page.text_content("#said .more-chars")
    page.click("#said .more-chars")
    assert chars.count() == 20 and page.locator("#said .more-chars").count() == 0
    assert chars.nth(12).evaluate("one => one === document.activeElement")
    kept = page.query_selector("#said p")
    page.fill("#text", "永和书")
    page.wait_for_selector(".glyph[data-char='书'] path[d^='M']")
    assert kept.evaluate("one => one.isConnected")  # what stays the same is not spoken again
    chars.nth(3).click()
    page.wait_for_selector("#candidates[open]")
    assert HAN[3] in page.text_content("#candidates-title")


def test_a_number_that_is_refused_is_marked(page):
    write(page, "永")
    page.click("#download")
    for value, wrong in (("5", True), ("72.5", False), ("601", True)):
        page.fill("#dpi", value)
        assert (page.get_attribute("#dpi", "aria-invalid") == "true") == wrong
        assert page.is_visible("#dpi-range") == wrong
    page.keyboard.press("Escape")
    page.fill("input[name=wrap]", "0")
    assert page.get_attribute("input[name=wrap]", "aria-invalid") == "true"
    page.wait_for_selector("#said .trouble")
    page.click("#undo")
    assert page.get_attribute("input[name=wrap]", "aria-invalid") == "false"


def test_undo_goes_on_when_the_page_is_loaded_anew(page):
    write(page, "永")
    page.check("input[name=vertical][value='1']", force=True)
    page.wait_for_url("**vertical=1**")
    page.reload()  # as the button of the language does
    page.wait_for_selector("#undo:enabled")
    page.click("#undo")
    page.wait_for_function("() => !location.search.includes('vertical')")
    write(page, "和")  # the steps of another page
    assert page.is_disabled("#undo")


def test_a_form_is_picked_for_the_signature_alone(page):
    write(page, "永和", format="scroll", sign="丙")
    before = page.get_attribute(".glyph[data-char='丙'] path", "d")
    page.click(".glyph[data-char='丙']")
    page.click("#ways .way >> nth=2")
    page.wait_for_selector(".glyph.picked[data-char='丙'] path[d^='M']")
    page.wait_for_url("**pick=**")
    assert page.get_attribute(".glyph[data-char='丙'] path", "d") != before
    page.fill("input[name=sign]", "")
    page.wait_for_selector(".glyph[data-char='丙']", state="detached")
    assert "pick=" not in page.url


def test_the_undo_of_a_message_takes_back_its_own_step_or_is_gone(page):
    def pick(number):
        page.dispatch_event(".glyph[data-char='永']", "click")  # it may just be drawn anew
        page.click(f"#ways .way >> nth={number - 1}")
        page.wait_for_selector("#candidates:not([open])", state="attached")
        return page.locator(".toast button").count()

    write(page, "永和", format="scroll")
    page.click("label:has(input[name=marks])")
    assert pick(3) == 1
    page.click("#undo")
    assert not page.locator(".toast button").count()
    assert pick(3) == 1
    assert pick(3) == 0  # it is in use already: nothing to take back
    assert pick(2) == 1
    page.focus("#pages")
    page.keyboard.press("Control+z")
    assert not page.locator(".toast button").count()
    assert pick(2) == 1
    page.click("label:has(input[name=ink][value='#7a1712'])")  # a step after it
    assert not page.locator(".toast button").count()
    page.click("#undo")
    page.click("#undo")
    page.wait_for_url("**3D3**")
    assert page.is_checked("input[name=marks]")


def test_another_hand_does_not_take_the_picked_form(page):
    write(page, "永和", pick="永=2")
    page.wait_for_selector(".glyph.picked[data-char='永']")
    page.goto(f"{page.base}/write?hand=0001/slanted")  # as from the page of that hand
    page.wait_for_selector(".glyph[data-char='永']:not(.picked) path[d^='M']")
    assert page.input_value("#text") == "永和" and "pick=" not in page.url


def test_by_the_keyboard_alone(page):
    write(page, "永和")
    page.focus("#pages")
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("#candidates[open] .way:focus")
    assert "和" in page.text_content("#candidates-title")
    page.keyboard.press("Escape")
    page.wait_for_selector("#candidates:not([open])", state="attached")


def test_a_hand_is_chosen_by_its_look(page):
    write(page, "永")
    page.click("#hand")
    page.wait_for_selector("[data-key='0001/slanted'] .glyph-picture")
    page.click("[data-key='0001/slanted']")
    page.wait_for_url("**hand=0001%2Fslanted**")
    page.click("#mix > summary")
    page.select_option("#mix-second", "0001/bold")
    page.wait_for_url("**hand=0001%2Fslanted%3A0.5%2Bbold%3A0.5**")


def test_downloads(page):
    write(page, "永")
    page.click("summary:has-text('Download'), summary:has-text('下载')")
    for kind in ("png", "svg", "pdf", "gif"):
        with page.expect_download() as got:
            page.click(f"[data-kind={kind}]")
        assert Path(got.value.suggested_filename).suffix == f".{kind}"
        assert Path(got.value.path()).stat().st_size > 500


def test_a_download_is_busy_until_it_has_come_and_is_asked_for_once(page):
    write(page, "永")
    asked = []

    def late(route):
        asked.append(route.request.url)
        page.wait_for_timeout(700)
        route.fulfill(status=200, body=b"GIF8", headers={"Content-Disposition": "attachment"})

    page.route("**/write.gif*", late)
    page.click("#download")
    with page.expect_download():
        page.click("[data-kind=gif]")
        assert page.get_attribute("[data-kind=gif]", "aria-busy") == "true"
        page.click("[data-kind=gif]")
    page.wait_for_selector("[data-kind=gif]:not([aria-busy])")
    assert len(asked) == 1
    page.unroute("**/write.gif*")
    page.route(
        "**/write.gif*", lambda route: route.fulfill(status=422, json={"error": "too large"})
    )
    page.click("[data-kind=gif]")
    page.wait_for_selector(".toast:has-text('too large')")


def test_a_refused_download_says_why(page):
    write(page, "永")
    page.click("#download")
    assert (page.get_attribute("#dpi", "min"), page.get_attribute("#dpi", "max")) == ("10", "600")
    page.fill("#dpi", "9999")
    page.click("[data-kind=png]")
    page.wait_for_selector(".toast:has-text('600')")
    says = {
        "en": "The number is out of range: give 10 to 600.",
        "zh-Hans": "数值超出范围，请填 10 到 600。",
    }
    assert page.text_content(".toast") == says[page.get_attribute("html", "lang")]
    page.route("**/write.png*", lambda route: route.fulfill(status=404, body="<p>none</p>"))
    page.click("[data-kind=png]")
    page.wait_for_selector(".toast >> text=/That did not work|没有成功/")


def test_what_cannot_be_drawn_cannot_be_downloaded(page):
    write(page, "永")
    assert page.get_attribute("#download", "aria-disabled") == "false"
    page.click("label:has(input[value=couplet])")
    page.wait_for_selector("#said .trouble")
    assert page.is_visible(".stale .sheet-of-paper")  # the page before is not the result
    assert page.get_attribute("#download", "aria-disabled") == "true"
    page.click("#download", force=True)
    assert page.is_hidden("[data-kind=png]") and not page.get_attribute("[data-kind=png]", "href")
    page.fill("#text", "永和\n书法")
    page.wait_for_selector("#download[aria-disabled=false]")
    assert not page.query_selector(".stale")


def test_files_that_are_no_pictures_stay_named_beside_photographs(page, project):  # noqa: F811
    name = f"odd-{page.evaluate('navigator.language')}"
    page.goto(f"{page.base}/hand/{name}")
    page.wait_for_selector("#zone")
    file = project / "notes.png"
    file.write_text("hello")
    page.set_input_files("#files", [file, project / "page.jpg"])
    page.wait_for_selector(".photo-card >> nth=1")
    card = page.locator(".photo-card:has-text('notes.png')")
    assert card.locator(".trouble").text_content()
    assert card.locator("button").text_content() in ("Close", "关闭")  # nothing is removed
    card.locator("button").click()
    assert page.locator(".photo-card").count() == 1
    assert "page" in page.text_content(".photo-card .hint")  # its file
    page.fill("[name=minutes]", "3")
    page.locator("[name=minutes]").blur()
    page.reload()
    page.wait_for_selector(".cell")
    assert page.input_value("[name=minutes]") == "3"
    page.goto(f"{page.base}/hand/{name}-other")
    page.wait_for_function("document.querySelector('[name=minutes]').value === '10'")


def test_photographs_are_cut_seen_and_corrected(page, project):  # noqa: F811
    name, held = f"hand-{page.evaluate('navigator.language')}", []

    def late(route):  # so that the files are chosen before there is a script
        page.wait_for_timeout(1000)
        route.continue_()

    page.route("**/static/hand.js", late)
    page.goto(f"{page.base}/hand")
    page.fill("#name", name)
    page.click("#begin button")
    page.wait_for_url("**/hand/hand-*", wait_until="commit")
    page.wait_for_selector("#zone")
    page.set_input_files("#files", [project / "page.jpg", project / "torn.jpg"])
    page.wait_for_selector(".photo-card >> nth=1")
    assert page.locator(".photo-card").nth(0).locator(".trouble").count() == 0  # as they were given
    assert page.locator(".cell").count() == 20
    assert page.locator(".corner.lost").count() == 2
    page.emulate_media(color_scheme="dark")
    filtered = "getComputedStyle(document.querySelector('.cell img')).filter"
    assert page.evaluate(filtered).startswith("invert")
    page.emulate_media(color_scheme="light")
    assert page.evaluate(filtered) == "none"
    page.click(".cell >> nth=2")
    page.fill("#glyph-char", "永")
    page.route("**/judge", lambda route: held.append(route))
    with page.expect_request("**/judge"):
        page.keyboard.press("Enter")
    page.wait_for_selector(".cell[aria-busy=true] .cell-char:text-is('永')")  # at once
    page.unroute("**/judge")
    held.pop().continue_()
    page.wait_for_selector(".cell:not([aria-busy]) .cell-char:text-is('永')")
    page.click(".toast button")
    page.wait_for_selector(f".toast >> text=/(Undone: |已撤销：){HAN[2]}/")
    page.wait_for_selector(f".cell-char:text-is('{HAN[2]}')")
    page.click(".cell >> nth=2")
    page.click("#glyph-out")
    page.wait_for_selector(f".toast >> text=/(Left out: |已弃用：){HAN[2]}/")
    page.click("#filters label:has([value=left_out])")
    page.wait_for_selector(f".cell.out .cell-char:text-is('{HAN[2]}')")
    page.click(".cell.out")
    assert page.text_content("#glyph-title").startswith(f"{HAN[2]} · ")
    page.click("#glyph-out")
    again = {"en": "In use again", "zh-Hans": "已恢复使用"}[page.get_attribute("html", "lang")]
    page.wait_for_selector(f".toast:has-text('{again}')")
    page.click("#filters label:has([value=all])")
    page.wait_for_selector(f".cell-char:text-is('{HAN[2]}')")
    assert page.is_enabled("#learn-go") and not page.text_content("#minutes-hint")
    page.fill("[name=minutes]", "3")
    assert "300" in page.text_content("#minutes-hint")
    page.click(".photo-card >> nth=1 >> button:last-child")
    question = page.text_content("#question")
    assert "torn" in question and ("No glyph" in question or "没有切出字" in question)
    page.click("dialog[open] [value=yes]")
    page.wait_for_selector(".photo-card.bad", state="detached")


def test_a_begun_font_is_completed_and_seen_in_the_page(page, project):  # noqa: F811
    name = f"Begun-{page.evaluate('navigator.language')}"
    file = {"name": f"{name}.ttf", "mimeType": "font/ttf"}
    page.goto(f"{page.base}/font")
    page.set_input_files("#file", [{**file, "buffer": (project / "Begun.ttf").read_bytes()}])
    page.wait_for_selector("#coverage table")
    page.wait_for_selector(f"select[name=hand] option[value='{HAND}']", state="attached")
    page.select_option("select[name=hand]", HAND)
    page.select_option("select[name=charset]", "gb2312-1")
    page.fill("input[name=family]", "Whole")
    page.click("#start")
    page.reload()  # in the middle: the work goes on
    page.wait_for_selector("#glyphs .cell path[d^='M']")
    missing = len({char for char in CHARS if char not in HAN[:30]})
    assert 0 < page.locator("#glyphs .cell").count() <= missing
    added = page.locator("#glyphs .cell-char").all_text_contents()
    assert page.input_value("#trial") == "".join(added[:20])
    doubted = page.locator("#glyphs .cell.doubted >> nth=0")
    assert doubted.locator(".why").text_content() and doubted.get_attribute("title")
    assert page.evaluate(
        "[...document.fonts].some((f) => f.family === 'just-made' && f.status === 'loaded')"
    )
    kept = {"select[name=hand]": HAND, "select[name=charset]": "gb2312-1"}
    kept["input[name=family]"] = "Whole"
    assert {field: page.input_value(field) for field in kept} == kept
    page.evaluate("localStorage.clear()")  # another browser, or another address
    page.reload()
    page.wait_for_selector(f"select[name=hand] option[value='{HAND}']", state="attached")
    page.wait_for_selector("#glyphs .cell path[d^='M']")
    assert {field: page.input_value(field) for field in kept} == kept
    page.select_option("select[name=charset]", "own")
    page.fill("[name=chars]", f"{HAN[0]} a，{HAN[1]}{HAN[0]}")
    assert page.text_content("#own-count").startswith("2 ")
    page.focus("[name=family]")
    page.keyboard.type("X")  # and the field is not left
    page.reload()
    page.wait_for_selector("#glyphs .cell path[d^='M']")
    typed = {"select[name=charset]": "own", "input[name=family]": "WholeX"}
    assert {field: page.input_value(field) for field in typed} == typed
    assert page.is_visible("[name=chars]") and page.locator(".coverage th").count() == 10
    page.fill("#trial", f"{HAN[0]}鷲{HAN[1]}")
    page.wait_for_selector("#trial-shown .lacking:text-is('鷲')")
    assert page.text_content("#trial-shown") == f"{HAN[0]}鷲{HAN[1]}"
    assert page.text_content("#trial-lacks").endswith(" 鷲")


def test_a_begun_font_is_found_again_renamed_and_taken_back(page):
    language = page.evaluate("navigator.language")
    begun, named = f"Idea-{language}", f"意-{language}"
    page.goto(f"{page.base}/font")
    page.fill("#name", begun)
    answers = []
    page.route("**/api/font/Idea-*", lambda route: answers.append(route))
    page.click("#begin button")
    page.wait_for_selector(f"select[name=hand] option[value='{HAND}']", state="attached")
    page.select_option("select[name=charset]", "jis-1")  # before what was kept has come
    page.fill("input[name=family]", "Idea")
    while not answers:
        page.wait_for_timeout(20)
    kept = {"charset": "gb2312-1", "family": "Other", "family_chinese": "他"}
    answers[0].fulfill(json={**answers[0].fetch().json(), "settings": kept})
    sync_api.expect(page.locator("input[name=family_chinese]")).to_have_value("他")
    assert page.input_value("select[name=charset]") == "jis-1"
    assert page.input_value("input[name=family]") == "Idea"
    page.unroute("**/api/font/Idea-*")
    page.goto(f"{page.base}/font")  # at once: nothing is made, and the page is left
    page.click(f".hand-card:has-text('{begun}')")
    page.wait_for_selector(f"select[name=hand] option[value='{HAND}']", state="attached")
    page.wait_for_selector("#own-chars", state="hidden")
    page.click("#rename")
    assert not findings(page)
    page.fill("#new-name", "12")
    page.keyboard.press("Enter")
    page.wait_for_selector("#rename-trouble:not(:empty)")
    page.fill("#new-name", named)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"h1:text-is('{named}')")
    page.wait_for_selector(f"select[name=hand] option[value='{HAND}']", state="attached")
    sync_api.expect(page.locator("input[name=family]")).to_have_value("Idea")
    assert page.input_value("select[name=charset]") == "jis-1"
    page.click("#remove")
    asked = page.text_content("#question")
    assert named in asked and ("what was filled in" in asked or "已填的设置" in asked)
    assert not findings(page)
    page.click("dialog[open] [value='']")
    page.click("#remove")
    page.click("dialog[open] [value=yes]")
    page.wait_for_selector(f".removed:has-text('{named}')")
    assert not page.locator(f".hand-card:has-text('{named}')").count()
    assert not findings(page)
    page.click(f".removed:has-text('{named}') button")
    page.wait_for_selector(f".hand-card:has-text('{named}')")
    assert not page.locator(f".removed:has-text('{named}')").count()


def made_font(page, glyphs=(), **told):
    """Shows a font of which the server tells this."""
    made = {"family": "Made", "drawn": 2, "doubtful": 0, "order": {"hand": HAND}}
    known = {"about": None, "kinds": [], "count": 2, "doubtful": 0, "notes": [], "stamp": "1"}
    known |= {"changed": len(glyphs), "settings": {}, "own": "made"}
    known |= {
        "picked": {},
        "left_out": "",
        "pending": "",
        **told,
        "made": made | told.get("made", {}),
    }
    shown = {"glyphs": list(glyphs), "of": len(glyphs), "a_page": 120}
    page.route("**/api/font/made", lambda route: route.fulfill(json=known))
    page.route("**/api/font/made/glyphs?*", lambda route: route.fulfill(json=shown))
    page.route("**/api/font/made/lacks", lambda route: route.fulfill(json={"lacks": ""}))
    page.goto(f"{page.base}/font/made?new=1")
    page.wait_for_selector("#made-said:has-text('Made')")


def test_a_glyph_that_the_font_is_without_is_taken_back(page):
    absent = {"char": HAN[2], "score": None, "doubtful": False, "faults": []}
    absent["left_out"] = "chosen"
    made_font(page, [{**absent, "d": "", "width": 1000}], left_out=HAN[2])
    page.route(
        "**/api/candidates?*",
        lambda route: route.fulfill(json={"ways": [], "strokes": 9, "printed": ""}),
    )
    page.route("**/api/font/made/choose", lambda route: None)
    page.click(f"#glyphs .cell.out.mine:has-text('{HAN[2]}')")
    assert page.is_hidden("#out")
    above, button = page.locator("#candidates > p >> nth=-1"), page.locator("#first-choice")
    below_y = above.bounding_box()["y"] + above.bounding_box()["height"]
    assert button.bounding_box()["y"] > below_y + 8
    with page.expect_request("**/api/font/made/choose") as choice:
        page.click("#first-choice:text-matches('^(Take it back|恢复使用)$')")
    page.wait_for_function("!document.getElementById('candidates').open")
    assert choice.value.post_data_json == {"hand": HAND, "char": HAN[2], "number": None}


@pytest.mark.parametrize("pending", ["", HAN[2]])
def test_a_font_is_to_be_made_again_only_if_a_change_is_not_in_it(page, pending):
    glyph = {"char": HAN[2], "score": None, "doubtful": False, "faults": [], "d": "", "width": 9}
    made_font(page, [glyph], left_out=HAN[2], pending=pending)
    assert page.is_visible("#again") == bool(pending)
    said = {"": ("Left out", "已弃用"), HAN[2]: ("Will be left out", "将不收入")}[pending]
    assert page.text_content("#glyphs .cell small") in said
    assert bool(page.text_content("#made-stale")) == bool(pending)


def test_a_font_that_is_to_be_made_again_says_so_beside_the_button(page):
    job = {"id": 1, "kind": "font", "subject": "made", "state": "waiting", "message": ""}
    job |= {"done": 0, "total": 0, "what": "", "left_s": None, "cancel": False, "resumed": False}
    jobs = []
    page.route("**/api/work", lambda route: route.fulfill(json={"jobs": jobs}))

    def order(route):
        jobs[:] = [job | {"result": {}, "waits_for": None}]
        route.fulfill(json={})

    page.route("**/api/font/made/make", order)
    made_font(page, pending=HAN[2])
    assert page.is_enabled("#again") and page.is_visible("#made-stale")
    page.click("#again")
    page.wait_for_selector("#again-said >> text=/It waits|正在等待/")
    assert page.is_disabled("#again") and page.is_hidden("#made-stale")
    jobs[0]["state"] = "running"
    page.wait_for_selector("#again-said >> text=/being made|正在制作/")
    jobs[0]["state"] = "cancelled"
    page.wait_for_selector("#again:enabled")
    assert not page.text_content("#again-said") and page.is_visible("#made-stale")


def test_a_picked_form_is_shown_in_its_place_as_the_font_will_have_it(page):
    glyph = {"score": 1, "doubtful": False, "faults": [], "d": "M0 0", "width": 500}
    glyphs = [{**glyph, "char": char} for char in HAN[:3]]
    about = {"family": "Made", "file": "a.ttf", "refusal": "", "sets": {}}
    made_font(page, glyphs, made={"scale": [0.5, 1], "advance": 500}, about=about, kinds=[".ufo"])
    fresh = {**glyphs[1], "d": "M5 5", "box": [200, 800]}

    def some(route):
        only = "chars=" + quote(HAN[1]) in route.request.url
        shown = [fresh] if only else glyphs
        route.fulfill(json={"glyphs": shown, "of": len(shown), "a_page": 120})

    page.route("**/api/font/made/glyphs?*", some)
    way = {"number": 1, "way": "plain", "faults": [], "score": 1, "d": "M0 0L9 9", "box": [0, 9]}
    page.route("**/api/candidates?*", lambda route: route.fulfill(json={"ways": [way]}))
    page.route("**/api/font/made/choose", lambda route: route.fulfill(json={"number": None}))
    page.click(f"#glyphs .cell[data-char='{HAN[1]}']")
    page.click("#ways .way")
    new = page.wait_for_selector("#glyphs .cell path[d='M5 5']", state="attached")
    assert new.get_attribute("transform") == "matrix(0.5 0 0 -1 250.0 880.0)"
    assert page.locator("svg:has(path[d='M5 5'])").get_attribute("viewBox") == "0 0 1000 1000"
    assert page.locator("#glyphs .cell").count() == 3  # the others stay
    assert page.evaluate("document.activeElement.dataset.char") == HAN[1]
    page.fill("#find", HAN[1])
    page.wait_for_selector(f"#glyphs .cell[data-char='{HAN[2]}']", state="detached")
    assert page.locator("#glyphs .cell").count() == 1


def test_the_form_says_that_the_nearest_hand_is_searched_for(page):
    job = {"id": 1, "kind": "match", "subject": "made", "state": "running", "message": ""}
    job |= {"done": 0, "total": 1, "what": "", "left_s": None, "cancel": False, "resumed": False}
    page.route("**/api/work", lambda route: route.fulfill(json={"jobs": [job]}))
    about = {"family": "Made", "file": "a.ttf", "refusal": "", "sets": {}}
    made_font(page, about=about)
    page.wait_for_selector("#hand-why:text-matches('^(Searching for|正在寻找)')")
    job["state"], about["nearest"] = "finished", page.input_value("[name=hand]")
    page.wait_for_selector("#hand-why:text-matches('^(The nearest|自带)')", timeout=15_000)


@pytest.mark.parametrize(
    ("made", "matrix"),
    [
        ({}, "1 0 0 -1 0.0 880.0"),
        ({"scale": [0.5, 0.9], "advance": 500}, "0.5 0 0 -0.9 250.0 842.0"),
        (
            {"scale": [0.8, 1], "advance": 500},
            "0.5 0 0 -1 250.0 880.0",
        ),  # wider than the font's body: squeezed
    ],
)
def test_candidates_are_as_narrow_as_the_font(page, made, matrix):
    glyph = {"char": HAN[2], "score": 1, "doubtful": False, "faults": [], "d": "M0 0", "width": 500}
    about = {"family": "Made", "file": "a.ttf", "refusal": "", "sets": {}} if made else None
    made_font(page, [glyph], made=made, about=about)
    way = {"number": 1, "faults": [], "score": 1, "reads": "well", "d": "M0 0L9 9"}
    ways = {"ways": [{**way, "box": [0, 1000]}], "strokes": 9, "printed": "M0 0L8 8"}
    page.route("**/api/candidates?*", lambda route: route.fulfill(json=ways))
    page.click("#glyphs .cell")
    drawn = page.wait_for_selector(".way path[d='M0 0L9 9']", state="attached")
    assert drawn.get_attribute("transform") == f"matrix({matrix})"
    assert page.text_content(".way .reads") in ("reads well", "好认")


def test_a_doubtful_glyph_of_a_font_says_why_and_no_number(page):
    glyph = {"char": HAN[2], "score": 0.988, "doubtful": True, "faults": ["dense"], "strokes": 18}
    made_font(page, [{**glyph, "d": "M0 0L9 9", "width": 900}])
    cell = page.locator("#glyphs .cell.doubted")
    language = page.get_attribute("html", "lang")
    assert DENSE[language][0] in cell.get_attribute("title")
    assert cell.locator(".why").text_content() in ("many strokes", "笔画多")
    assert "%" not in cell.text_content()


def test_another_font_is_made_in_its_place_only_if_that_is_wanted(page):
    order = {"hand": HAND, "charset": "gb2312", "family": "Made", "complete": False}
    made_font(page, made={"order": {**order, "kind": ".ttf"}}, settings=order)
    asked = []

    def make(route):
        asked.append(route.request.post_data_json["charset"])
        route.fulfill(json={"job": 1})

    page.route("**/api/font/made/make", make)
    page.wait_for_selector(f"select[name=hand] option[value='{HAND}']", state="attached")
    with page.expect_response("**/make"):
        page.click("#start")  # the same once more
    page.select_option("select[name=charset]", "gb2312-1")
    page.click("#start")
    assert "GB" in page.text_content("dialog[open] p")
    assert not findings(page)
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")
    page.click("#start")
    page.click("dialog[open] [value='']")
    page.click("#start")
    with page.expect_response("**/make"):
        page.click("dialog[open] [value=yes]")
    assert asked == ["gb2312", "gb2312-1"]


def test_what_is_left_out_as_too_dense_is_named(page):
    dense = {
        "char": "鬱",
        "score": 0.5,
        "doubtful": False,
        "faults": ["dense"],
        "left_out": "dense",
    }
    made_font(page, [{**dense, "d": "M0 0L9 9", "width": 9}], made={"dense": "鬱龘", "there": 3})
    assert page.text_content("#glyphs .cell.out small") in ("Left out: too dense", "过密，未收入")
    page.route("**/api/candidates?*", lambda route: route.fulfill(json={"ways": []}))
    page.click("#glyphs .cell.out")
    assert "click it" in (said := page.text_content("#out-said")) or "点选" in said
    page.keyboard.press("Escape")
    english = page.evaluate("document.documentElement.lang") == "en"
    said = page.text_content("#made-dense"), page.text_content("#made-said")
    assert (
        said[0]
        == f"{'Left out, too dense to draw (2): ' if english else '笔画过密，未收入（2字）：'}鬱 龘"
    )
    assert said[1].endswith("· 3 already there" if english else "· 3 个字原已有")


def test_runs_are_seen(page):
    page.goto(f"{page.base}/runs?run=runs/0001")
    page.wait_for_selector(".curves polyline[points*=',']")
    page.wait_for_selector(".samples img[style]")  # without its English names
    english = page.evaluate("document.documentElement.lang") == "en"
    names = ["Printed", "bold", "Original"] if english else ["印刷体", "bold", "原迹"]
    assert page.locator(".sample-names span").all_text_contents()[:3] == names
    page.click(".enlarge")
    large, small = (page.locator(f"{at} .samples img") for at in (".enlarged", ".card"))
    assert large.bounding_box()["width"] > 1.2 * small.bounding_box()["width"]
    assert large.get_attribute("src").endswith(small.get_attribute("src"))
    assert not findings(page)
    page.keyboard.press("Escape")
    page.wait_for_selector(".enlarged", state="detached")


def test_samples_are_played_as_a_film(page):
    def three(route):
        answer = route.fetch().json()
        runs = [{**run, "sheets": run["sheets"][-1:] * 3} for run in answer["runs"]]
        route.fulfill(json={**answer, "runs": runs})

    page.route("**/api/runs", three)
    page.goto(f"{page.base}/runs?run=runs/0001")
    page.wait_for_selector("#shown input[type=range]")
    page.evaluate(
        """window.seen = [];
        document.addEventListener("input", (event) => window.seen.push(event.target.value), true)"""
    )
    page.click("#shown figure > button.quiet")
    for _ in range(100):  # the page's policy allows no script that waits
        if len(page.evaluate("window.seen")) == 3:
            break
        page.wait_for_timeout(100)
    assert page.evaluate("window.seen") == ["0", "1", "2"]
    assert page.input_value("#shown input[type=range]") == "2"


def told_hand(page, name, **told):
    """Open the page of a hand of which this is told."""
    glyph = {"file": "永.png", "char": "永", "page": "", "note": "", "made_ms": 1}
    hand = {"pages": [], "glyphs": [glyph], "learned": True, "state": "learned", "notes": []}
    hand |= {"there": True, "run": None, "next": "", "steps_learned": 0, "steps_a_minute": 0}
    page.route(f"**/api/hand/{name}", lambda route: route.fulfill(json={**hand, **told}))
    page.goto(f"{page.base}/hand/{name}")
    page.wait_for_selector(".cell")


def test_the_rows_of_a_hand_that_is_learned_are_named_beside_them_and_few_points_are_no_chart(page):
    """Also while pictures come and go: the page shows them anew every few seconds."""
    names = ("source", "going", "real")
    cells = [np.full((128, 128), 200, np.uint8)] * 8
    file = io.BytesIO()
    contact_sheet([Row(name, cells) for name in names], 128).save(file, "PNG")
    run = {"path": "hands/going/0001", "styles": ["going"], "finished": False, "minutes": 10}
    run |= {"sheets": ["0000010.png"], "before_after": None, "step": 10, "elapsed_s": 60}
    run |= {"label_px": label_width_px(names), "curves": {"reconstruction": [[5, 1], [10, 0.9]]}}
    page.route("**/sheet/**", lambda r: r.fulfill(body=file.getvalue(), content_type="image/png"))
    told_hand(page, "going", run=run, state="being_learned", notes=[])
    for _ in range(3):
        seen = [[0, 0]]
        while not seen[-1][1]:  # at once, since the page may be shown anew between two calls
            page.wait_for_selector(".samples img[style]")
            seen = page.evaluate(
                """[...document.querySelectorAll(".sample-names span, .sample-window")]
                .map((part) => part.getBoundingClientRect()).map(({ y, height }) => [y, height])"""
            )
        *names, (top, whole) = seen
        rows = [(y + height / 2 - top) / whole for y, height in names]
        assert rows == pytest.approx([1 / 6, 1 / 2, 5 / 6], abs=0.03)
        page.evaluate("document.dispatchEvent(new Event('back'))")
        page.wait_for_load_state("networkidle")
    assert page.locator(".curves").count() == 0


def test_a_hand_whose_learning_ends_while_its_page_is_opened_is_shown_as_it_is(page):
    job = {"id": 1, "kind": "learn", "subject": "ending", "state": "finished", "message": ""}
    job |= {"done": 9, "total": 9, "what": "training", "left_s": None, "cancel": False}
    job |= {"resumed": False, "result": {}, "waits_for": None}
    page.route("**/api/work", lambda route: route.fulfill(json={"jobs": [job]}))
    with page.expect_request("**/api/hand/ending"):
        told_hand(page, "ending", state="being_learned")
        with page.expect_request("**/api/hand/ending"):  # again, once the work is known
            pass


def test_minutes_that_give_too_few_steps_are_named_and_enough_are_filled_in(page):
    """By the speed of the last learning; learning on counts the steps that the hand has had."""
    run = {"path": "hands/slow/0001", "styles": ["slow"], "finished": True, "sheets": []}
    run |= {"curves": {}, "before_after": None, "step": 100, "elapsed_s": 600, "label_px": 9}
    told_hand(page, "new", learned=False, state="not_learned", steps_a_minute=9)
    assert page.input_value("[name=minutes]") == "35" and page.is_hidden("#learn-anew")
    told_hand(page, "slow", run=run, state="weak_hand", steps_learned=100, steps_a_minute=10)
    assert page.input_value("[name=minutes]") == "20" and page.is_visible("#learn-anew")
    assert not page.text_content("#minutes-hint")
    page.fill("[name=minutes]", "12")
    said = page.text_content("#minutes-hint")
    assert re.findall(r"\d+", said) == ["120", "100", "300", "20"]
    asked = []
    page.route(
        "**/api/hand/slow/learn",
        lambda r: (asked.append(r.request.post_data_json), r.fulfill(json={})),
    )
    for button in ("#learn-go", "#learn-anew"):
        page.click(button)
        page.wait_for_selector(f"{button}:not([aria-busy])")
    assert [each["on"] for each in asked] == [True, False] and asked[0]["minutes"] == 12


def test_the_time_left_is_rough_and_does_not_jump(page):
    job = {"id": 1, "kind": "plan", "subject": "a", "state": "running", "message": "", "done": 4}
    job |= {"cancel": False, "resumed": False, "total": 9, "what": "drawing", "result": {}}
    page.goto(f"{page.base}/runs")
    said = page.evaluate(
        """async (job) => {
          const { jobLine } = await import("/static/common.js");
          const line = (left_s) => jobLine({ ...job, left_s }).querySelector("p.hint");
          return [170, 100, 128, 1, 15, 42, 760].map((left_s) => line(left_s).textContent);
        }""",
        {**job, "waits_for": None},
    )
    left = [re.sub(r".*· ", "", text) for text in said]
    soon = "less than a minute left" if "less" in left[3] else "不到一分钟"
    assert left[3:6] == [soon] * 2 + [left[5]] and left[1] == left[2]
    assert [re.findall(r"\d+", text) for text in left] == [["3"], ["2"], ["2"], [], [], [], ["15"]]


def test_progress_is_never_more_than_all_and_the_first_estimate_is_a_number(page):
    job = {"id": 1, "kind": "learn", "subject": "a", "state": "running", "message": ""}
    job |= {"cancel": False, "resumed": False, "result": {}, "waits_for": None}
    page.goto(f"{page.base}/runs")
    told = page.evaluate(
        """async (job) => {
          const { jobLine } = await import("/static/common.js");
          const line = (more) => jobLine({ ...job, ...more }).querySelector("p.hint").textContent;
          return [
            line({ what: "trying hands", done: 90, total: 90, left_s: 12 }),
            line({ what: "training", done: 190, total: 180, left_s: null }),
          ];
        }""",
        job,
    )
    assert told[0].endswith(("less than a minute left", "不到一分钟")) and "%" not in told[0]
    assert told[1].endswith("100 %")


def test_a_studio_that_does_not_answer_is_told_until_it_does(page, project):  # noqa: F811
    gone = lambda: page.route("**/api/**", lambda r: r.abort("connectionrefused"))  # noqa: E731
    back = lambda: page.unroute_all(behavior="ignoreErrors")  # noqa: E731
    job = {"kind": "learn", "subject": "gone", "message": "", "cancel": False, "resumed": False}
    job |= {"done": 5, "total": 9, "what": "", "left_s": 60, "result": {}, "waits_for": None}
    job |= {"id": 1, "state": "running"}
    page.route("**/api/work", lambda route: route.fulfill(json={"jobs": [job]}))
    page.goto(f"{page.base}/hand/gone")
    page.wait_for_selector("#work-badge:text-is('1')")
    gone()
    page.wait_for_selector("#away:has-text('calligan studio')", timeout=15_000)
    assert not findings(page)
    back()
    page.wait_for_selector("#away", state="hidden")
    write(page, "永")
    gone()
    page.fill("#text", "永和")
    page.wait_for_selector("#said .trouble:has-text('calligan studio')")
    back()
    page.wait_for_selector(".glyph[data-char='和'] path[d^='M']", timeout=30_000)
    assert page.is_hidden("#away") and not page.locator("#said :text('calligan studio')").count()


def test_a_name_that_is_taken_is_not_opened_in_silence(page, project):  # noqa: F811
    name = f"taken-{page.evaluate('navigator.language')}"
    (project / "studio/hands" / name / "glyphs").mkdir(parents=True)
    page.goto(f"{page.base}/hand")
    page.fill("#name", name)
    page.click("#begin button")
    page.wait_for_selector("#begin .trouble a")
    assert name in page.text_content("#begin .trouble")
    assert not findings(page)
    page.fill("#name", f"{name}-2")
    assert not page.text_content("#begin .trouble")
    page.click("#begin button")
    page.wait_for_url(f"**/hand/{name}-2?new=1")
    page.wait_for_load_state("networkidle")
    assert page.is_hidden("#gone") and page.is_hidden("#kept")


def test_a_hand_is_renamed_and_deleted_and_both_are_undone(page, project):  # noqa: F811
    name = f"kept-{page.evaluate('navigator.language')}"
    glyphs = project / "studio/hands" / name / "glyphs"
    glyphs.mkdir(parents=True)
    shutil.copy(Path(__file__).parent.parent / "calligan/studio/static/seal.svg", glyphs / "x.svg")
    page.goto(f"{page.base}/hand/{name}")
    page.click("#rename")
    page.fill("#new-name", "con")
    page.keyboard.press("Enter")
    page.wait_for_selector("#rename-trouble:not(:empty)")
    assert not findings(page)
    page.fill("#new-name", f"{name}-x")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/hand/{name}-x")
    page.click(".toast button")
    page.wait_for_url(f"**/hand/{name}")
    page.click("#delete")
    assert name in page.text_content("#question")
    page.click("dialog[open] [value='']")  # not yet
    assert glyphs.is_dir()
    page.click("#delete")
    page.click("dialog[open] [value=yes]")
    page.wait_for_url("**/hand")
    assert page.locator(f".hand-card:has-text('{name}')").count() == 0 and not glyphs.exists()
    page.click(".toast button")
    page.wait_for_url(f"**/hand/{name}")
    assert (glyphs / "x.svg").is_file()
    page.click("#delete")
    page.click("dialog[open] [value=yes]")
    page.wait_for_url("**/hand")
    page.reload()  # the message is gone, the line in the list is not
    page.wait_for_selector(f".removed:has-text('{name}')")
    assert not page.locator(".toast").count() and not findings(page)
    page.click(f".removed:has-text('{name}') button")
    page.wait_for_selector(f".hand-card:has-text('{name}')")
    assert (glyphs / "x.svg").is_file()
    assert not page.locator(f".removed:has-text('{name}')").count()
    page.goto(f"{page.base}/hand/{name}-x")  # an address of the time before
    page.wait_for_selector("#gone:not([hidden])")


def test_the_badge_counts_the_open_work_and_one_toast_is_shown(page):
    job = {"kind": "learn", "subject": "a", "message": "", "cancel": False, "resumed": False}
    job |= {"done": 5, "total": 9, "what": "", "left_s": 60, "result": {}, "waits_for": None}
    jobs = [{**job, "id": 1, "state": "running"}, {**job, "id": 2, "state": "waiting"}]
    page.route("**/api/work", lambda route: route.fulfill(json={"jobs": jobs}))
    page.goto(f"{page.base}/runs")
    page.wait_for_selector("#work-badge:text-is('2')")
    say = "import('/static/common.js').then(({toast}) => ['one', 'two'].forEach((x) => toast(x)))"
    page.evaluate(say)
    assert page.locator(".toast").all_text_contents() == ["two"]


def test_a_run_that_goes_on_is_called_so(page):
    job = {"id": 1, "kind": "resume", "subject": "runs/0001", "state": "running", "message": ""}
    job |= {"done": 3, "total": 9, "what": "training", "left_s": None, "cancel": False}
    job |= {"resumed": False, "result": {}, "waits_for": None}

    def unfinished(route):
        answer = route.fetch().json()
        runs = [{**run, "finished": False} for run in answer["runs"]]
        route.fulfill(json={**answer, "runs": runs})

    page.route("**/api/runs", unfinished)
    page.route("**/api/work", lambda route: route.fulfill(json={"jobs": [job]}))
    page.goto(f"{page.base}/runs?run=runs/0001")
    card = ".hand-card:has-text('runs/0001') small >> nth=0"
    page.wait_for_selector(f"{card} >> text=/Going on|进行中/")
    job["state"] = "cancelled"
    page.wait_for_selector(f"{card} >> text=/not finished|未完成/")


def test_the_first_run_is_announced_while_a_hand_is_being_learned(page):
    job = {"id": 1, "kind": "learn", "subject": "mine", "state": "waiting", "message": ""}
    job |= {"done": 0, "total": 0, "what": "", "left_s": None, "cancel": False}
    job |= {"resumed": False, "result": {}, "waits_for": None}
    page.route("**/api/runs", lambda route: route.fulfill(json={"runs": [], "data": False}))
    page.route("**/api/work", lambda route: route.fulfill(json={"jobs": [job]}))
    page.goto(f"{page.base}/runs")
    page.wait_for_selector("#runs-pick >> text=/first run begins|第一次训练/")


def test_a_refused_name_is_refused_in_own_words_and_a_refused_file_apart_from_its_box(page):
    page.goto(f"{page.base}/font")
    page.fill("#name", "a b")
    said = page.eval_on_selector("#name", "one => one.validationMessage")
    assert said == page.get_attribute("#name", "title") and ("spaces" in said or "空格" in said)
    page.fill("#name", "ab")
    assert page.eval_on_selector("#name", "one => one.checkValidity()")
    page.set_input_files("#file", {"name": "sub.py", "mimeType": "text/plain", "buffer": b"x"})
    page.wait_for_selector("#reading.trouble")
    zone, said = (page.locator(at).bounding_box() for at in ("#zone", "#reading"))
    assert said["y"] > zone["y"] + zone["height"] + 8


def test_a_run_of_one_measurement_shows_a_point_and_says_why(page):
    def first(route):
        answer = route.fetch().json()
        (run, *_) = answer["runs"]
        run["curves"] = {"reconstruction": [[3, 0.5]], "validation_l1": [[3, 0.4]]}
        route.fulfill(json={**answer, "runs": [run]})

    page.route("**/api/runs", first)
    page.goto(f"{page.base}/runs")
    page.wait_for_selector(".curves circle >> nth=1")
    assert page.locator(".curves polyline").count() == 0
    box = page.locator(".curves").bounding_box()
    dot = page.locator(".curves circle >> nth=0").bounding_box()
    assert dot["x"] + dot["width"] <= box["x"] + box["width"]
    assert page.locator("figcaption").first.locator(".hint").count() == 3
    axis = page.locator(".curves text").all_text_contents()
    assert [text for text in axis if re.fullmatch(r"(Loss|损失) 0\.\d+", text)], axis


@pytest.mark.parametrize("path", ["write", "hand", "font", "runs", "nothing"])
def test_no_view_is_wider_than_a_telephone(page, path):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{page.base}/{path}")
    page.wait_for_load_state("networkidle")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360
    if path != "nothing":
        page.click("#work > summary")
        box = page.locator("#work .drop-in").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360


def test_language_and_look_are_switched_and_kept(page):
    page.goto(f"{page.base}/write")
    first = page.get_attribute("html", "lang")
    page.click("#language")
    page.wait_for_selector(f"html:not([lang={first}])", state="attached")
    page.click("#theme")
    look = page.get_attribute("html", "data-theme")
    page.reload()
    assert page.get_attribute("html", "data-theme") == look in ("light", "dark")
    assert page.get_attribute("html", "lang") != first


@pytest.mark.parametrize("page", ["en-GB"], indirect=True)
def test_columns_of_a_copybook_are_moved_by_mouse_and_by_keys(page, project):  # noqa: F811
    name = f"book-{page.evaluate('navigator.language')}"
    page.goto(f"{page.base}/hand/{name}")
    page.click("#free > summary")
    page.fill("#page-text", f"{HAN[:8]}\n{HAN[8:16]}")
    page.set_input_files("#files", project / "copybook.jpg")
    page.click(".photo-card .trouble ~ .quiet >> nth=0")  # two columns were found as one
    page.wait_for_selector("#columns-board .handle")
    assert page.locator("#columns-board .column").count() == 1
    page.click("#columns-add")
    assert page.locator("#columns-board .column").count() == 2

    page.focus("[data-handle='0-1']")
    before = float(page.get_attribute("[data-handle='0-1']", "aria-valuenow"))
    for key in ("ArrowLeft", "Shift+ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    after = float(page.get_attribute("[data-handle='0-1']:focus", "aria-valuenow"))
    assert abs(before - after - 1.0) < 0.11
    for _ in range(3):
        page.keyboard.press("Control+z")
    assert float(page.get_attribute("[data-handle='0-1']", "aria-valuenow")) == before

    box = page.locator("[data-handle='0-0'] rect").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 25, middle[1], steps=4)
    page.mouse.up()
    moved = page.locator("[data-handle='0-0'] rect").bounding_box()
    assert abs(moved["x"] - box["x"] + 25) < 2

    page.click("#columns-cut")
    page.wait_for_selector("#columns-board .cut-box >> nth=15", state="attached")
    cuts_are_moved(page)
    assert not findings(page)
    before = page.evaluate("[...document.querySelectorAll('.cell img')].map((one) => one.src)")
    page.click("#columns-cut")
    page.wait_for_function("old => document.querySelector('.cell img').src !== old[0]", arg=before)
    page.keyboard.press("Escape")
    page.wait_for_selector(".cell >> nth=15")
    assert {one.text_content() for one in page.locator(".cell-char").all()} == set(HAN[:16])


def cuts_are_moved(page):
    """By mouse, finger and keys; the column's pieces follow, and each step is undone."""
    cut, share = "[data-handle='1:2']", "aria-valuenow"

    def piece() -> list[float]:  # its lower end is the cut
        return [float(x) for x in page.get_attribute(".pieces svg >> nth=1", "viewBox").split()]

    def middle() -> tuple[float, float]:
        box = page.locator(f"{cut} rect").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    first, (x, y) = float(page.get_attribute(cut, share)), middle()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 9, steps=3)
    page.mouse.up()
    assert abs(middle()[1] - y - 9) < 1 and float(page.get_attribute(f"{cut}:focus", share)) > first
    assert page.locator(".pieces li").all_text_contents() == list(HAN[:8])
    high = piece()[3]
    page.keyboard.press("Shift+ArrowDown")
    assert piece()[3] > high
    assert f"{HAN[1]} – {HAN[2]}" in page.get_attribute(cut, "aria-label")

    touch, (x, y) = page.context.new_cdp_session(page), middle()
    for kind, points in (("Start", [(x, y)]), ("Move", [(x, y - 12)]), ("End", [])):
        told = [{"x": x, "y": y} for x, y in points]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": told})
    assert abs(middle()[1] - y + 12) < 1
    assert page.is_enabled("#columns-release")
    for _ in range(3):
        page.keyboard.press("Control+z")
    assert float(page.get_attribute(cut, share)) == first and page.is_disabled("#columns-release")
    page.focus(cut)
    page.keyboard.press("ArrowDown")


@pytest.mark.parametrize("page", ["zh-CN"], indirect=True)
def test_from_photographs_to_text(page, project):  # noqa: F811
    """Sheet, photograph, a corrected label, learning that outlives a reload, and a mixture."""
    name = f"walk-{page.evaluate('navigator.language')}"

    def learn_fast(route):  # as the page asks, but with the tiny model and few steps
        told = {"steps": 60, "model": "runs/0001", "settings": [
            "eval_chars=4", "sample_chars=2", "log_every_steps=2", "keep_every_steps=20",
            "batch_size=4"]}  # fmt: skip
        route.fulfill(json={"job": Jobs(project / "studio/work.sqlite").add("learn", name, told)})

    page.goto(f"{page.base}/hand")
    with page.expect_download() as got:
        page.click("#sheets button")
    assert Path(got.value.path()).read_bytes().startswith(b"%PDF")
    page.fill("#name", name)
    page.click("#begin button")
    page.wait_for_url("**/hand/walk-*")
    page.wait_for_selector("#zone")
    page.set_input_files("#files", project / "page.jpg")
    page.click(".cell >> nth=4")
    page.fill("#glyph-char", "永")
    page.keyboard.press("Enter")
    page.wait_for_selector(".cell-char:text-is('永')")

    page.route("**/api/hand/*/learn", learn_fast)
    page.click("#learn-go")
    page.wait_for_selector("#learning .job.running progress")
    page.reload()  # in the middle: the learning goes on
    page.wait_for_selector("#learning .job.running, #learning .job.finished")
    page.click("#write-with", timeout=180_000)
    page.wait_for_selector(".glyph[data-char='永'] path[d^='M']")
    assert f"hand={name}" in page.url

    page.click("#mix > summary")
    page.select_option("#mix-second", HAND)
    page.wait_for_url(f"**hand={name}%3A0.5%2B0001%2Fbold%3A0.5**")
    page.wait_for_selector("svg[data-pending='0'] .glyph[data-char='永'] path[d^='M']")
    assert f"--model runs/0001 --style {name}:0.5+bold:0.5" in page.text_content("#command")
    assert page.is_visible("#mix-why")  # the bundle's hands are of another model


@pytest.mark.parametrize("page", ["zh-CN"], indirect=True)
def test_without_a_chinese_font_there_is_one_or_a_notice(page, project):  # noqa: F811
    there = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True).stdout.strip()
    if there:
        pytest.skip("this machine has a Chinese font")
    page.route("**/ui-font", lambda route: route.fulfill(status=404))
    page.goto(f"{page.base}/hand")
    page.wait_for_selector("#no-font:not([hidden])")
    font, pen, file = TTFont(project / "source.ttf"), TTGlyphPen(None), project / "ui.ttf"
    for index, point in enumerate([(100, 350), (100, 400), (900, 400), (900, 350)]):
        (pen.lineTo if index else pen.moveTo)(point)
    pen.closePath()
    font["glyf"]["u4E00"] = pen.glyph()  # a low stroke, as 一 is
    font.save(file)
    page.unroute("**/ui-font")
    page.route("**/ui-font", lambda route: route.fulfill(path=file))
    page.goto(f"{page.base}/hand")
    page.wait_for_function("[...document.fonts].some((font) => font.status === 'loaded')")
    page.wait_for_timeout(200)
    assert page.is_hidden("#no-font")


def findings(page, *rules: str) -> list[str]:
    """What axe-core finds serious or critical on the page as it is, by these rules or by all."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = axe.Axe().run(page, options=options).response["violations"]
    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    return [f"{page.url}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in grave]


def test_axe_finds_nothing_on_any_view_light_or_dark(page, project):  # noqa: F811
    name, found = f"axe-{page.evaluate('navigator.language')}", []

    def look():
        page.emulate_media(color_scheme="light")
        found.extend(findings(page))
        page.emulate_media(color_scheme="dark")
        found.extend(findings(page, "color-contrast"))  # all else is the same

    write(page, "永和", format="scroll", sign="丙", seal="书")
    page.click("#mix > summary")
    page.select_option("#mix-second", index=1)
    page.click("#work > summary")
    look()
    page.click("summary:has-text('Download'), summary:has-text('下载')")
    look()
    page.keyboard.press("Escape")
    page.click("#hand")
    page.wait_for_selector("[data-key='0001/slanted'] .glyph-picture")
    look()
    page.keyboard.press("Escape")
    page.click(".glyph[data-char='永']")
    page.wait_for_selector("#ways .way >> nth=3")
    look()
    for path in ("hand", "font", "font/none", "font/new?new=1", "runs?run=runs/0001", "nothing"):
        page.goto(f"{page.base}/{path}")
        page.wait_for_load_state("networkidle")
        look()
    page.goto(f"{page.base}/hand/{name}")
    look()
    page.set_input_files("#files", [project / "torn.jpg", project / "page.jpg"])
    page.wait_for_selector(".photo-card >> nth=1")
    page.click("#free > summary")
    page.fill("#page-text", f"{HAN[:8]}\n{HAN[8:16]}")
    page.set_input_files("#files", project / "copybook.jpg")
    page.wait_for_selector(".photo-card >> nth=2")
    look()
    page.click(".cell >> nth=2")
    look()
    page.keyboard.press("Escape")
    page.click(".photo-card >> nth=2 >> .trouble ~ .quiet >> nth=0")
    page.wait_for_selector("#columns-board .handle")
    look()
    assert not found, "\n".join(found)


def test_axe_would_find_something(page):
    page.goto(f"{page.base}/hand")
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert "image-alt" in "".join(findings(page))
    page.emulate_media(color_scheme="dark")
    assert not findings(page, "color-contrast")
    page.evaluate("document.querySelector('h1').style.color = '#222'")
    assert "color-contrast" in "".join(findings(page, "color-contrast"))
