"""Kana: drawn in a hand where they are legible in it, else as the source font has them."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import HAN, LATIN, build_font
from fontTools.ttLib import TTFont

from calligan.glyphs.charset import is_drawn, is_kana
from calligan.inference import kana as listed
from calligan.inference.content import WAYS, Way
from calligan.inference.kana import LegibleKana, legible_kana
from calligan.inference.proofread import Attempt, Verdict
from calligan.inference.writer import Looks, Writer
from calligan.library.hands import written
from calligan.library.model import load
from calligan.library.typecase import TypeCase
from calligan.project.source import file_digest
from calligan.resources import bundled_model
from calligan.vector.outline import Outline
from calligan.vector.vertical_form import vertical_form

WEAKER = next(way for way in WAYS if way.name == "weaker style")


@pytest.fixture(scope="module")
def kana_font(tmp_path_factory):
    return build_font(tmp_path_factory.mktemp("kana") / "kana.ttf", HAN + LATIN + "あいっー")


@pytest.fixture
def writer(inked_model, kana_font):
    return Writer.open(inked_model, str(kana_font), fine=False)


def with_list(writer: Writer, hands) -> Writer:
    """The writer with a list of legible kana, for its first style."""
    name = writer.card.styles[0].name
    styles = [replace(style, path="") for style in writer.card.styles]
    drawer = replace(
        writer.drawer,
        card=replace(writer.card, styles=styles),
        kana=lambda: LegibleKana(hands={name: hands}),
    )
    proofreader = writer.proofreader and replace(writer.proofreader, drawer=drawer)
    return replace(writer, drawer=drawer, proofreader=proofreader)


def same(one: Outline, other: Outline) -> bool:
    return one.controls.shape == other.controls.shape and np.allclose(one.controls, other.controls)


def test_kana_are_hiragana_katakana_and_their_signs():
    assert all(map(is_kana, "あゖァヺーゝヾ"))
    assert not any(map(is_kana, "・。゛一々Aｱ゙"))
    assert is_drawn("あ") and is_drawn("々") and not is_drawn("。")


def test_kana_that_were_not_learned_are_those_of_the_source_font(
    calligan, inked_model, kana_font, tmp_path
):
    done = calligan(
        *("infer", "一あA", "--model", inked_model, "--source", kana_font),
        *("--no-verdict", "--no-fine", "-o", tmp_path / "a.png"),
    )
    assert done.returncode == 0, done.stderr
    assert "taken from the source font: A" in done.stderr
    (line,) = (line for line in done.stderr.splitlines() if "kana" in line)
    assert line.startswith("kana of the source font, not legible in") and line.endswith(": あ")


def test_kana_on_the_list_are_drawn_in_the_way_that_makes_them_legible(writer):
    writer = with_list(writer, {"as it is": "あー", WEAKER.name: "い"})
    assert writer.parted("一あいっー", 0) == ("一あいー", "っ")
    letters = writer.letters(writer.read("一あいっー"), 0)
    assert letters["ー"].vertical is not None and letters["あ"].vertical is None
    for char, way in (("あ", Way()), ("い", WEAKER)):
        image = writer.drawer.draw(char, 0, Way(strength=way.strength, name="another"))[0]
        assert np.array_equal(writer.draw("一" + char, 0)[1].image, image)
        assert not same(letters[char].outline, writer.borrowed_letter(char).outline)
    assert same(letters["っ"].outline, writer.borrowed_letter("っ").outline)
    assert writer.replaced("一あいっ", 0) == "っ"


def test_other_styles_and_own_fonts_have_no_list(writer):
    listing = with_list(writer, {"as it is": "あ"})
    assert listing.parted("あ", 1) == ("", "あ")
    own = [replace(style, path="mine.ttf") for style in listing.card.styles]
    drawer = replace(listing.drawer, card=replace(listing.card, styles=own))
    assert replace(listing, drawer=drawer).parted("あ", 0) == ("", "あ")


def test_learned_kana_are_drawn(writer):
    card = replace(writer.card, trained_chars=writer.card.trained_chars + "あ")
    learned = replace(writer, drawer=replace(writer.drawer, card=card))
    assert learned.parted("一あい", 0) == ("一あ", "い")


def test_a_picked_kana_is_drawn(writer):
    assert writer.parted("一あい", 0, {"い": 2}) == ("一い", "あ")


def test_the_studio_draws_legible_and_picked_kana(inked_model, kana_font):
    model = load(inked_model, source=str(kana_font), fine=False, cache=False)
    vars(model)["writer"] = with_list(model.writer, {"as it is": "あ"})
    case, name = TypeCase(model), model.styles[0].name
    page = case.page("あいっ", 1, vertical=True).pages
    outlines = {mark.text: mark.outline for mark in page.pages[0].marks}
    printed = {char: model.writer.borrowed_letter(char) for char in "あいっ"}
    assert page.text.replaced == {name: "いっ"}
    assert not same(outlines["あ"], printed["あ"].outline)
    assert same(outlines["い"], printed["い"].outline)
    picked = case.page("あいっ", 1, vertical=True, pick={"い": 1, "っ": 1}).pages
    outlines = {mark.text: mark.outline for mark in picked.pages[0].marks}
    assert not same(outlines["い"], printed["い"].outline)
    small = case.candidates("っ", 1)[0].outline
    assert same(outlines["っ"], small.transform(np.array([[1, 0, 130], [0, 1, 100]])))


def test_glyphs_are_kept_for_one_list(writer):
    one, other = (with_list(writer, {"as it is": kana}) for kana in ("あ", "い"))
    assert one.setting(0) != other.setting(0) and one.setting(1) == other.setting(1)


def test_the_list_is_for_one_model_and_one_source(inked_model, kana_font, monkeypatch):
    writer = Writer.open(inked_model, str(kana_font))
    for model, source, known in (
        (file_digest(inked_model), writer.source.digest, True),
        ("another", writer.source.digest, False),
        (file_digest(inked_model), "another", False),
    ):
        monkeypatch.setattr(
            "calligan.inference.drawer.legible_kana",
            lambda m=model, s=source: LegibleKana(m, s, {"any": {"as it is": "あ"}}),
        )
        opened = Writer.open(inked_model, str(kana_font))
        assert bool(opened.drawer.kana().ways("any")) == known


def test_doubtful_kana_are_replaced_unless_picked_or_written():
    image = np.full((64, 64), 255, np.uint8)
    drawn, own = (Attempt(way, image, 0.5, ("broken",)) for way in ("as it is", "as written"))
    kana = Verdict("あ", (drawn,), 0.1)
    assert kana.replaced and not kana.doubtful
    assert not replace(kana, picked=1).replaced
    assert not Verdict("あ", (own,), 0.1).replaced
    assert Verdict("あ", (own,), 0.1).doubtful
    assert not Verdict("永", (drawn,), 0.1).replaced


def test_legible_kana_have_no_fault_and_others_are_scored(inked_model, kana_font):
    checked = Writer.open(inked_model, str(kana_font), fine=False, looks=Looks({}))
    writer = with_list(checked, {"as it is": "あ"})
    card = replace(writer.card, trained_chars=writer.card.trained_chars + "い")
    drawer = replace(writer.drawer, card=card)
    writer = replace(writer, drawer=drawer, proofreader=replace(writer.proofreader, drawer=drawer))
    letters = writer.letters(writer.read("あい"), 0)
    legible, scored = (glyph.verdict for glyph in writer.draw("あい", 0))
    assert legible.faults == () and legible.count == 1
    assert scored.faults == ("unlike",) and scored.count > 1
    assert not same(letters["あ"].outline, writer.borrowed_letter("あ").outline)
    assert same(letters["い"].outline, writer.borrowed_letter("い").outline)
    assert writer.replaced("あい", 0) == "い"


def test_small_kana_and_the_sound_mark_have_vertical_forms():
    square = Outline.from_drawing(_Square())
    moved, turned = vertical_form("っ", square), vertical_form("ー", square)
    assert moved is not None and turned is not None
    assert np.array_equal(moved.controls - square.controls, np.full((4, 4, 2), (130.0, 100.0)))
    assert turned.controls.reshape(-1, 2).min(axis=0).tolist() == [520, 480]  # was at (300, 400)
    assert vertical_form("つ", square) is None and vertical_form("一", square) is None


class _Square:
    """A square of 100 units, its lower left corner at (300, 400)."""

    def draw(self, pen):
        pen.moveTo((300, 400))
        for corner in ((300, 500), (400, 500), (400, 400)):
            pen.lineTo(corner)
        pen.closePath()


def test_a_font_has_kana_with_their_vertical_forms(calligan, inked_model, kana_font, tmp_path):
    done = calligan(
        *("export", "--model", inked_model, "--source", kana_font, "--charset", "一あっー"),
        *("--no-verdict", "--no-fine", "-o", tmp_path / "a.ttf"),
    )
    assert done.returncode == 0, done.stderr
    assert "kana of the source font, not legible in the hand: あ っ ー" in done.stderr
    assert "1 character drawn" in done.stderr
    font = TTFont(tmp_path / "a.ttf")
    assert set(map(ord, "一あっー")) <= set(font.getBestCmap())
    lookup = font["GSUB"].table.LookupList.Lookup[0].SubTable[0].mapping
    assert lookup["uni3063"] == "uni3063.vert" and lookup["uni30FC"] == "uni30FC.vert"
    assert "uni3042" not in lookup


def test_pictures_of_kana_can_be_learned(tmp_path, writer):
    from PIL import Image

    for char in "一あA":
        image = Image.new("L", (64, 64), 255)
        image.paste(0, (20, 20, 40, 30))
        image.save(tmp_path / f"{char}.png")
    notes: list[str] = []
    hand = written("mine", str(tmp_path), None, 64, note=notes.append)
    assert sorted(hand.entry.chars) == ["一", "あ"] or sorted(hand.entry.chars) == ["あ", "一"]
    assert notes == ["left out, not Han characters or kana: A"]


def test_the_shipped_list_is_of_the_shipped_model():
    known, model = legible_kana(), bundled_model()
    assert model is not None and known.model == file_digest(model), "run weights/kana.py"
    assert listed.kana_path().is_file() and len(known.hands) > 10
    for hand in known.hands:
        ways = known.ways(hand)
        assert all(map(is_kana, ways)) and all(way.source == 0 for way in ways.values())
