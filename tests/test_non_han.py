"""Letters, digits, marks and kana: drawn in a hand where it has them, else the source font's."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import HAN, LATIN, build_font
from fontTools.ttLib import TTFont
from safetensors.numpy import load_file

from calligan.errors import ModelError
from calligan.glyphs.charset import is_drawn, is_kana, load_charset
from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.letter_placement import letter_advance_em, letter_matrix, letter_placement
from calligan.glyphs.placement import Placement
from calligan.inference import non_han
from calligan.inference.content import Way
from calligan.inference.non_han import KIND, NonHan, NonHanCard
from calligan.inference.proofread import Attempt, Verdict
from calligan.inference.writer import Looks, Writer
from calligan.library.fonts import export_font
from calligan.library.hands import written
from calligan.library.model import load, page_request
from calligan.library.typecase import TypeCase
from calligan.models.file import read_metadata, write_weights
from calligan.project.source import file_digest
from calligan.resources import bundled_model, non_han_weights
from calligan.vector.font import UPEM
from calligan.vector.outline import Outline
from calligan.vector.vertical_form import vertical_form

sys.path.append(str(Path(__file__).parents[1] / "weights"))
import legible
import non_han as train_non_han

ADVANCES = {"あ": 1.0, "ー": 1.0, "A": 0.4, "。": 1.0}


@pytest.fixture(scope="module")
def kana_font(tmp_path_factory):
    return build_font(tmp_path_factory.mktemp("kana") / "kana.ttf", HAN + LATIN + "あいっー。B")


@pytest.fixture
def writer(inked_model, kana_font):
    return Writer.open(inked_model, str(kana_font), fine=False)


def with_hand(writer: Writer, advances) -> Writer:
    """The writer, with a decoder of such characters for its first style: the model's own."""
    name = writer.card.styles[0].name
    styles = [replace(style, path="") for style in writer.card.styles]
    drawer = replace(
        writer.drawer,
        card=replace(writer.card, styles=styles),
        non_han=lambda: NonHan(card=NonHanCard(hands={name: advances})),
        letter_network=writer.drawer.network,
    )
    proofreader = writer.proofreader and replace(writer.proofreader, drawer=drawer)
    return replace(writer, drawer=drawer, proofreader=proofreader)


def same(one: Outline, other: Outline) -> bool:
    return one.controls.shape == other.controls.shape and np.allclose(one.controls, other.controls)


def test_kana_are_hiragana_katakana_and_their_signs():
    assert all(map(is_kana, "あゖァヺーゝヾ"))
    assert not any(map(is_kana, "・。゛一々Aｱ゙"))
    assert is_drawn("あ") and is_drawn("々") and not is_drawn("。")


def test_what_was_not_learned_is_the_source_fonts(calligan, inked_model, kana_font, tmp_path):
    done = calligan(
        *("infer", "一あA", "--model", inked_model, "--source", kana_font),
        *("--no-verdict", "--no-fine", "-o", tmp_path / "a.png"),
    )
    assert done.returncode == 0, done.stderr
    assert "taken from the source font: A" in done.stderr
    (line,) = (line for line in done.stderr.splitlines() if "kana" in line)
    assert line.startswith("kana of the source font, not legible in") and line.endswith(": あ")


def test_what_a_hand_has_is_drawn_with_its_advance(writer):
    writer = with_hand(writer, ADVANCES)
    assert writer.parted("一あっーA。B", 0) == ("一あーA。", "っB")
    letters = writer.letters(writer.read("一あっーA。B"), 0)
    assert letters["A"].advance_em == 0.4 and letters["あ"].advance_em == 1
    assert letters["ー"].vertical is not None and letters["あ"].vertical is None
    for char in "あA。":
        assert not same(letters[char].outline, writer.borrowed_letter(char).outline)
    for char in "っB":
        assert same(letters[char].outline, writer.borrowed_letter(char).outline)
    assert writer.replaced("一あっ", 0) == "っ"


def test_han_and_others_are_drawn_by_their_own_network(writer):
    hand = with_hand(writer, ADVANCES)
    plain, large = hand.drawer.draw("一あA", 0), Way("larger", scale=1.04)
    assert np.array_equal(plain[:1], writer.drawer.draw("一", 0))
    assert np.array_equal(hand.drawer.draw("Aあ一A", 0)[[2, 1, 3]], plain)
    asked = []

    def other():
        asked.append("letters")
        return writer.drawer.network()

    drawer = replace(hand.drawer, letter_network=other)
    drawer.draw("一い", 0)
    assert not asked
    assert np.array_equal(drawer.draw("あ", 0, large), writer.drawer.draw("あ", 0, large))
    assert asked


def test_some_kana_are_drawn_by_the_models_own_decoder(writer):
    hand = with_hand(writer, ADVANCES)
    card = replace(hand.drawer.non_han().card, by_model={hand.card.styles[0].name: "あ"})

    def other():
        raise AssertionError

    drawer = replace(hand.drawer, non_han=lambda: NonHan(card=card), letter_network=other)
    drawer.open_letters("一あ", 0)
    assert np.array_equal(drawer.draw("一あ", 0), writer.drawer.draw("一あ", 0))
    for draws in (drawer.draw, drawer.open_letters):
        with pytest.raises(AssertionError):
            draws("一ー", 0)


def test_letters_keep_the_size_and_place_that_they_have_in_a_font(kana_font, writer):
    face, em = Face(FontSpec(kana_font)), Placement.full_width(256)
    advance_em = letter_advance_em(face, "A", em)
    image = letter_placement(face, "A", em).draw(face, face.glyph_index("A"))
    from calligan.config import TraceConfig
    from calligan.vector.trace import trace

    traced = trace(image, em, UPEM, TraceConfig())
    placed = traced.transform(letter_matrix("A", advance_em, em, UPEM)).controls.reshape(-1, 2)
    left, bottom, right, top = face.ink_box_em(face.glyph_index("A"))
    found = [*placed.min(axis=0), *placed.max(axis=0)]
    assert np.allclose(found, np.array([left, bottom, right, top]) * UPEM, atol=4)
    assert advance_em == pytest.approx(face.advance_em(face.glyph_index("A")), abs=0.001)


def test_other_styles_and_own_fonts_have_none(writer):
    hand = with_hand(writer, ADVANCES)
    assert hand.parted("あA", 1) == ("", "あA")
    own = [replace(style, path="mine.ttf") for style in hand.card.styles]
    drawer = replace(hand.drawer, card=replace(hand.card, styles=own))
    assert replace(hand, drawer=drawer).parted("あA", 0) == ("", "あA")


def test_learned_kana_are_drawn(writer):
    card = replace(writer.card, trained_chars=writer.card.trained_chars + "あ")
    learned = replace(writer, drawer=replace(writer.drawer, card=card))
    assert learned.parted("一あい", 0) == ("一あ", "い")


def test_what_each_of_several_styles_borrows_is_told(inked_model, kana_font):
    model = load(inked_model, source=str(kana_font), fine=False, check=False, cache=False)
    vars(model)["writer"] = with_hand(model.writer, ADVANCES)
    first, second = (style.name for style in model.styles[:2])
    pages = model.write("一AB", [1, 2])
    assert pages.borrowed == "AB" and pages.text.drawn == "一"
    assert [*pages.notes(page_request("一AB", {}))][:2] == [
        f"taken from the source font in {first}: B",
        f"taken from the source font in {second}: A B",
    ]
    assert pages.as_json()["borrowed_by_style"] == {first: "B", second: "AB"}
    alike = model.write("一B", [1, 2])
    assert "taken from the source font: B" in [*alike.notes(page_request("一B", {}))]


@pytest.mark.parametrize("looks", [None, Looks({})])
def test_in_cursive_hands_they_are_drawn_as_in_others(inked_model, kana_font, looks):
    """What is expected of a Han character there, that its form was not learned, is not of these."""
    writer = with_hand(Writer.open(inked_model, str(kana_font), fine=False, looks=looks), ADVANCES)
    styles = tuple(replace(style, script="草") for style in writer.card.styles)
    learned = HAN + load_charset("gb2312-1")  # enough for something to be expected
    card = replace(writer.card, styles=styles, trained_chars=learned)
    drawer = replace(writer.drawer, card=card)
    proofreader = writer.proofreader and replace(writer.proofreader, drawer=drawer)
    writer = replace(writer, drawer=drawer, proofreader=proofreader)
    assert (proofreader is not None) == (looks is not None)
    letters = writer.letters(writer.read("一あA。"), 0)
    for char in "あA。":
        assert not same(letters[char].outline, writer.borrowed_letter(char).outline)
    assert writer.replaced("一あA。", 0) == ""


def test_a_picked_kana_is_drawn_and_a_picked_letter_is_not(writer):
    assert writer.parted("一あいA", 0, {"い": 2, "A": 1}) == ("一い", "あA")


def test_the_studio_draws_what_a_hand_has_and_picked_kana(inked_model, kana_font):
    model = load(inked_model, source=str(kana_font), fine=False, cache=False)
    vars(model)["writer"] = with_hand(model.writer, ADVANCES)
    case, name = TypeCase(model), model.styles[0].name
    page = case.page("あいっA。B", 1, vertical=True).pages
    outlines = {mark.text: mark.outline for mark in page.pages[0].marks}
    printed = {char: model.writer.borrowed_letter(char) for char in "あいっAB"}
    assert page.text.replaced == {name: "いっ"}
    assert page.text.borrowed == "B" and "A。" in page.text.drawn
    for char in "あA":
        assert not same(outlines[char], printed[char].outline)
    for char in "いB":
        assert same(outlines[char], printed[char].outline)
    picked = case.page("あいっ", 1, vertical=True, pick={"い": 1, "っ": 1}).pages
    outlines = {mark.text: mark.outline for mark in picked.pages[0].marks}
    assert not same(outlines["い"], printed["い"].outline)
    small = case.candidates("っ", 1)[0].outline
    assert same(outlines["っ"], small.transform(np.array([[1, 0, 130], [0, 1, 100]])))


def test_glyphs_are_kept_for_one_decoder(writer, tmp_path):
    files = [tmp_path / name for name in "ab"]
    for file in files:
        file.write_bytes(file.name.encode())
    card = NonHanCard(hands={})
    one, other = (
        replace(writer, drawer=replace(writer.drawer, non_han=lambda f=file: NonHan(f, card)))
        for file in files
    )
    assert one.setting(0) != other.setting(0)


@pytest.fixture
def decoder(inked_model, kana_font, tmp_path, monkeypatch):
    """A decoder of the model's own weights for its styles' `A`, in place of the shipped one."""
    writer = Writer.open(inked_model, str(kana_font), fine=False)
    card = NonHanCard(file_digest(inked_model), writer.source.digest, {"any": {"A": 0.5}})
    path = tmp_path / "non-han.safetensors"
    monkeypatch.setattr(non_han, "non_han_weights", lambda: path)

    def write(change=1.0, **changed):
        import torch

        state = load_file(inked_model)
        weights = {n: torch.from_numpy(v * change) for n, v in state.items() if "unfold" in n}
        write_weights(path, weights, KIND, json.dumps(asdict(replace(card, **changed))))
        return Writer.open(inked_model, str(kana_font), fine=False).drawer

    return write


def test_the_decoder_is_for_one_model_and_one_source(decoder):
    for changed, known in (({}, True), ({"model": "another"}, False), ({"source": "other"}, False)):
        assert bool(decoder(**changed).non_han().card.hands) == known


def test_letters_have_the_edges_of_the_fonts_letters(writer, monkeypatch):
    """Han characters of a hand may be polygons, and its letters round."""
    name, hand = writer.card.styles[0].name, with_hand(writer, ADVANCES)
    edges = {name: {"letters": "", "kana": "round"}}
    card = NonHanCard(hands={name: ADVANCES}, edges=edges)
    styles = [replace(style, edges="polygon") for style in hand.card.styles]
    drawer = replace(
        hand.drawer, card=replace(hand.card, styles=styles), non_han=lambda: NonHan(card=card)
    )
    hand = replace(hand, drawer=drawer, proofreader=None)
    asked = []

    def trace_all(images, placement, upem, config):
        asked.extend([config.edges] * len(images))
        return [Outline.from_drawing(_Square())] * len(images)

    monkeypatch.setattr("calligan.inference.writer.trace_all", trace_all)
    outlines = hand.traced(dict.fromkeys("A一あ。B", np.full((64, 64), 255, np.uint8)), 0)
    assert "".join(outlines) == "A一あ。B"
    assert sorted(asked) == ["", "polygon", "polygon", "polygon", "round"]  # A, 一 。 B, あ
    assert drawer.tracing("A", 0).edges == "" and drawer.tracing("あ", 0).edges == "round"
    assert drawer.tracing("。", 0).edges == drawer.tracing("一", 0).edges == "polygon"


def test_kana_of_the_source_font_do_not_get_the_edges_of_the_hand(writer, monkeypatch):
    from calligan.inference import export

    asked = []
    monkeypatch.setattr(export, "trace", lambda *given: asked.append(given[-1].edges))
    job = export.Job(Path("model"), 0, "あ", Placement.full_width(64), UPEM)
    job = replace(job, trace=replace(job.trace, edges="polygon"))
    export.copy_source({}, "あ", writer, job)
    assert asked == [""]


def test_the_decoder_replaces_weights_of_the_model(decoder):
    drawer = decoder(change=0.5)
    own, other = (
        dict(each().generator.state_dict()) for each in (drawer.network, drawer.letter_network)
    )
    changed = {name for name in own if not own[name].equal(other[name])}
    assert changed == {name for name in own if "unfold" in name}


def test_a_decoder_that_is_damaged_or_of_another_shape_is_refused(decoder, tmp_path):
    drawer = decoder(change=float("nan"))
    with pytest.raises(ModelError, match="not finite"):
        drawer.letter_network()
    import torch

    path = non_han.non_han_weights()
    card = read_metadata(path, KIND, "file", "")
    write_weights(path, {"unfold.conv.bias": torch.zeros(3)}, KIND, card)
    with pytest.raises(ModelError, match="does not fit the model"):
        drawer.letter_network()
    write_weights(path, {}, KIND, '{"edges": {"one": {"letters": "wavy"}}}')
    with pytest.raises(ModelError, match="wavy"):
        NonHan.of(bundled_model(), "any")
    write_weights(path, {}, KIND, '{"hands": []}')
    with pytest.raises(ModelError, match=r"non-han\.safetensors is damaged"):
        NonHan.of(bundled_model(), "any")


def test_doubtful_kana_are_replaced_unless_picked_or_written():
    image = np.full((64, 64), 255, np.uint8)
    drawn, own = (Attempt(way, image, 0.5, ("broken",)) for way in ("as it is", "as written"))
    kana = Verdict("あ", (drawn,), 0.1)
    assert kana.replaced and not kana.doubtful
    assert not replace(kana, picked=1).replaced
    assert not Verdict("あ", (own,), 0.1).replaced
    assert Verdict("あ", (own,), 0.1).doubtful
    assert not Verdict("永", (drawn,), 0.1).replaced


def test_what_a_hand_has_is_without_fault_and_other_kana_are_scored(inked_model, kana_font):
    checked = Writer.open(inked_model, str(kana_font), fine=False, looks=Looks({}))
    writer = with_hand(checked, ADVANCES)
    card = replace(writer.card, trained_chars=writer.card.trained_chars + "い")
    drawer = replace(writer.drawer, card=card)
    writer = replace(writer, drawer=drawer, proofreader=replace(writer.proofreader, drawer=drawer))
    letters = writer.letters(writer.read("あいA"), 0)
    legible, scored, latin = (glyph.verdict for glyph in writer.draw("あいA", 0))
    assert legible.faults == () and legible.count == 1
    assert latin.faults == () and latin.count == 1
    assert scored.faults == ("unlike",) and scored.count > 1
    assert not same(letters["あ"].outline, writer.borrowed_letter("あ").outline)
    assert same(letters["い"].outline, writer.borrowed_letter("い").outline)
    assert writer.replaced("あい", 0) == "い"


def test_forms_for_vertical_text():
    square = Outline.from_drawing(_Square())
    moved, turned = vertical_form("っ", square), vertical_form("ー", square)
    assert moved is not None and turned is not None
    assert np.array_equal(moved.controls - square.controls, np.full((4, 4, 2), (130.0, 100.0)))
    assert turned.controls.reshape(-1, 2).min(axis=0).tolist() == [520, 480]  # was at (300, 400)
    assert vertical_form("つ", square) is None and vertical_form("一", square) is None
    stop, quote = vertical_form("。", square), vertical_form("“", square, 0.5)
    assert np.array_equal(stop.controls - square.controls, np.full((4, 4, 2), (500.0, 500.0)))
    # A narrow mark is turned about the middle of its advance, which becomes that of the column.
    assert quote.controls.reshape(-1, 2).min(axis=0).tolist() == [520, 230]


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


def test_a_font_has_letters_in_the_hand_unless_others_are_asked_for(
    inked_model, kana_font, tmp_path
):
    model = load(inked_model, source=str(kana_font), fine=False, cache=False, check=False)
    plain, hand = model.writer, with_hand(model.writer, ADVANCES)
    cases = {"hand": (hand, None), "plain": (plain, None), "latin": (hand, str(kana_font))}
    made, glyphs = {}, {}
    for name, (writer, latin) in cases.items():
        vars(model)["writer"] = writer
        report = export_font(
            model, path := tmp_path / f"{name}.ttf", 1, "一", latin=latin, own=False
        )
        assert report.drawn == "一"
        assert set(report.letters) == (set("A。") if name == "hand" else set())
        made[name] = TTFont(path)
        glyphs[name] = made[name].getGlyphSet()
        said = str(made[name]["name"].getName(13, 3, 1, 0x409))
        assert ("that are not drawn" in said) == (name == "hand")
    assert made["hand"]["hmtx"]["uni0041"][0] == 400 != made["latin"]["hmtx"]["uni0041"][0]
    for name, alike in (("uni0041", False), ("uni0042", True), ("uni4E00", True)):
        assert (_drawn(glyphs["hand"], name) == _drawn(glyphs["plain"], name)) == alike
    assert made["hand"]["GSUB"].table.LookupList.Lookup[0].SubTable[0].mapping["uni3002"]


def test_what_the_font_of_letters_lacks_is_in_the_hand_or_the_source_fonts(
    inked_model, kana_font, tmp_path
):
    latin = build_font(tmp_path / "latin.ttf", "B", scale=0.6, family="Latin")
    model = load(inked_model, source=str(kana_font), fine=False, cache=False, check=False)
    vars(model)["writer"] = with_hand(model.writer, {"。": 1.0})
    report = export_font(
        model, path := tmp_path / "a.ttf", 1, "一AB。😀", latin=str(latin), own=False
    )
    assert (report.letters, set(report.copied), report.lacking) == ("。", set("AB"), "😀")
    font = TTFont(path)
    assert {*map(ord, "一AB。")} <= {*font.getBestCmap()}
    own = TTFont(latin)
    heights = [each["glyf"][each.getBestCmap()[ord("B")]].yMax for each in (own, font)]
    assert abs(heights[0] - heights[1]) <= 1
    assert "that Latin lacks" in str(font["name"].getName(13, 3, 1, 0x409))


def _drawn(glyphs, name):
    from fontTools.pens.recordingPen import RecordingPen

    pen = RecordingPen()
    glyphs[name].draw(pen)
    return pen.value


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


def test_the_shipped_decoder_is_of_the_shipped_model():
    path, model = non_han_weights(), bundled_model()
    assert path is not None and model is not None
    card = json.loads(read_metadata(path, KIND, "file", ""))
    assert card["model"] == file_digest(model), "run weights/non_han.py and weights/legible.py"
    assert len(card["hands"]) > 10
    for advances in card["hands"].values():
        assert all(0 < advance <= 1.2 for advance in advances.values())


def test_a_learned_glyph_is_chosen_if_it_is_as_the_fonts(kana_font):
    face, em = Face(FontSpec(kana_font)), Placement.full_width(256)
    real = letter_placement(face, "A", em).draw(face, face.glyph_index("A"))
    assert legible.is_alike(real, real)
    assert legible.is_alike(np.roll(real, 2, axis=1), real)
    assert not legible.is_alike(np.full_like(real, 255), real)
    dotted, cut, moved = real.copy(), real.copy(), np.roll(real, 40, axis=1)
    dotted[20:24, 20:24] = 0
    cut[124:132] = 255
    for spoiled in (dotted, cut, moved):
        assert not legible.is_alike(spoiled, real)


def test_of_letters_and_of_digits_a_hand_has_all_or_none():
    letters, digits = set(legible.GROUPS[0]), set(legible.GROUPS[1])
    assert legible.whole_groups({*letters, *digits, "。"}) == {*letters, *digits, "。"}
    assert legible.whole_groups({*letters, "1", "。", "あ"}) == {*letters, "。", "あ"}
    assert legible.whole_groups(digits | letters - {"q"}) == digits


def test_what_is_not_drawn_well_is_learned_more_often():
    class Pairs:
        styles = (SimpleNamespace(name="one"), SimpleNamespace(name="two"))

        def __init__(self):
            self.chars = ["AB", "B"]

    pairs = Pairs()
    train_non_han.repeat_hard(pairs, NonHanCard(hands={"one": {"A": 0.5}, "two": {"B": 0.5}}), 6)
    assert (pairs.chars[0].count("B"), pairs.chars[0].count("A")) == (7, 1)
    assert pairs.chars[1] == "B"


def test_letters_that_melt_in_bold_are_the_source_fonts_and_are_told(
    inked_model, kana_font, tmp_path
):
    model = load(inked_model, source=str(kana_font), fine=False, cache=False)
    writer = with_hand(model.writer, ADVANCES)
    vars(model)["writer"] = writer
    paper = np.full((writer.card.size_px, writer.card.size_px), 255, np.uint8)
    paper[8:16, 8:16] = 0
    bad = Attempt("as it is", paper, 0.5, ("melted",))
    for char in "A。":
        writer.proofreader.remember(0, [Verdict(char, (bad,), 0.1)])
    made = export_font(model, tmp_path / "a.ttf", 1, "一", own=False)
    assert set(made.copied) == set("A。")
    assert made.letters == "" and set(map(ord, "A。")) <= set(TTFont(made.path).getBestCmap())
    assert set(model.write("一A。").borrowed) == set("A。")
