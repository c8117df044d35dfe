"""A style to a font that others' tools accept; an existing font with what it lacked."""

import html
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import uharfbuzz as hb
from conftest import HAN, build_font, build_narrow_font
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.recordingPen import RecordingPointPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables.DefaultTable import DefaultTable
from fontTools.ufoLib import UFOReader

from calligan.glyphs.face import Face, FontSpec
from calligan.glyphs.placement import Placement
from calligan.inference.export import Job, Parts, outlines
from calligan.inference.fontmaker import default_family, reserved_names
from calligan.inference.writer import Writer
from calligan.models.weights import read_card
from calligan.vector.base_font import BaseFont, _add_to_cmap
from calligan.vector.body import fit_to_body, measure_body
from calligan.vector.outline import Outline

ASKED = HAN[:12]


@pytest.fixture(scope="module")
def export(inked_model, font_folder, calligan):
    def run(*options, **more):
        common = ("--model", inked_model, "--source", font_folder / "source.ttf")
        return calligan("export", *common, *options, **more)

    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory, export):
    """The same few characters as every kind of font."""
    folder = tmp_path_factory.mktemp("made")
    for kind in ("ttf", "otf", "woff2", "ufo"):
        options = ("--no-verdict", "--no-fine", "--charset", ASKED, "--family", "My Brush")
        done = export(*options, "-o", folder / f"a.{kind}")
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == str(folder / f"a.{kind}")
    return folder


@pytest.mark.parametrize("kind", ["ttf", "otf", "woff2"])
def test_the_sanitizer_of_browsers_accepts_it(made, kind):
    done = subprocess.run(
        [sys.executable, "-m", "ots", made / f"a.{kind}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["ttf", "otf", "woff2"])
def test_it_has_the_characters_and_says_what_it_is(made, kind):
    font = TTFont(made / f"a.{kind}")
    mapped = font.getBestCmap()
    assert set(map(ord, ASKED)) | {0x20, 0xA0, 0x3000, ord("A")} <= set(mapped)
    assert all(font["hmtx"][mapped[ord(char)]][0] == 1000 for char in ASKED)
    assert (
        font["OS/2"].fsType == 0 and font["OS/2"].ulCodePageRange1 & 1 << 18
    )  # simplified Chinese
    assert "vmtx" in font and font["vhea"].ascent == 500
    names = {record.nameID: str(record) for record in font["name"].names if record.langID == 0x409}
    assert names[1] == "My Brush" and names[6] == "MyBrush-Regular"
    assert "calligan" in names[10] and "Synthetic" in names[10]
    assert ("glyf" in font) == (kind != "otf")


def test_the_glyphs_are_those_that_the_model_draws(made, inked_model, font_folder):

    writer = Writer.open(inked_model, str(font_folder / "source.ttf"), fine=False)
    face = Face(FontSpec(made / "a.ttf"))
    placement = Placement.full_width(writer.card.size_px)
    for glyph in writer.draw(ASKED, 0):
        ink = placement.draw(face, face.glyph_index(glyph.char))
        both = ((ink < 128) & (glyph.image < 128)).sum()
        assert both >= 0.7 * max((glyph.image < 128).sum(), (ink < 128).sum()) - 4


def test_harfbuzz_sets_it_in_columns(made):
    font = hb.Font(hb.Face(hb.Blob.from_file_path(str(made / "a.ttf"))))
    buffer = hb.Buffer()
    buffer.add_str(ASKED[:3])
    buffer.guess_segment_properties()
    buffer.direction = "ttb"
    hb.shape(font, buffer)
    assert [p.y_advance for p in buffer.glyph_positions] == [-1000] * 3
    assert all(info.codepoint for info in buffer.glyph_infos)


def test_a_ufo_opens_in_an_editor(made):
    reader = UFOReader(made / "a.ufo")
    glyphs = reader.getGlyphSet()
    recorded, loaded = RecordingPointPen(), SimpleNamespace()
    glyphs.readGlyph(f"uni{ord(ASKED[0]):04X}", loaded, recorded)
    assert loaded.width == 1000 and recorded.value


def test_an_existing_ufo_is_left_alone(made, export):
    done = export("--charset", ASKED, "-o", made / "a.ufo")
    assert done.returncode == 2 and "already exists" in done.stderr


@pytest.mark.parametrize(("family", "warned"), [("Handy Two", True), ("Other", False)])
def test_a_given_name_that_contains_the_completed_fonts_is_told(tmp_path, export, family, warned):
    hand = build_font(tmp_path / "hand.ttf", ASKED[:6] + "A", weight=110, family="Handy")
    options = ("--charset", ASKED[:8], "-o", tmp_path / "full.ttf", "--family", family)
    done = export("--complete", hand, *options)
    assert done.returncode == 0, done.stderr
    assert ("the new name contains Handy:" in done.stderr) == warned


def test_completing_keeps_what_is_there(tmp_path, export):
    hand = build_font(
        tmp_path / "hand.ttf", ASKED[:6] + "A", weight=110, family="Handy", blank=ASKED[6]
    )
    before = TTFont(hand)
    before["name"].setName("Oblique", 17, 3, 1, 0x409)
    before.save(hand)
    done = export("--complete", hand, "--charset", ASKED, "-o", tmp_path / "full.ttf")
    assert done.returncode == 0, done.stderr
    assert "the new name" not in done.stderr and "bolder" not in done.stderr
    after = TTFont(tmp_path / "full.ttf")
    assert set(map(ord, ASKED)) <= set(after.getBestCmap())
    for name in before.getGlyphOrder():
        if name != f"u{ord(ASKED[6]):04X}":
            assert before["glyf"][name] == after["glyf"][name]
            assert before["hmtx"][name] == after["hmtx"][name]
    face = Face(FontSpec(tmp_path / "full.ttf"))
    assert face.ink_box_em(face.glyph_index(ASKED[6])) is not None
    assert after["name"].getBestFamilyName() == "Handy Completed"
    assert after["name"].getDebugName(17) is None
    assert not list(tmp_path.glob(".*"))  # no parts are left behind


def test_names_are_free_where_nobody_else_can_reserve_them(inked_model, tmp_path):
    card = read_card(inked_model)
    free = reserved_names(card, None)
    assert "bold" in " ".join(free)
    own = replace(
        card, styles=(replace(card.styles[0], name="my-hand", licence="own"),), sources=()
    )
    assert reserved_names(own, None) == set()
    assert default_family(own, 0, None, set()) == "Calligan My Hand"
    assert default_family(card, 0, None, free | {"bold"}) == "Calligan Hand 1"
    path = build_font(tmp_path / "own.ttf", ASKED[:6], family="Handy")
    base = BaseFont.open(path)
    learned = replace(own, styles=(replace(own.styles[0], family="Handy", licence="unknown"),))
    assert default_family(learned, 0, base, reserved_names(learned, base)) == "Handy Completed"
    base.font["name"].setName("with Reserved Font Name Handy", 13, 3, 1, 0x409)
    assert default_family(learned, 0, base, reserved_names(learned, base)) == "Calligan My Hand"


def test_completing_does_without_damaged_hints(tmp_path, export):
    hand = build_font(tmp_path / "hand.ttf", ASKED[:6], family="Handy")
    font = TTFont(hand)
    font["gasp"] = DefaultTable("gasp")
    font["gasp"].data = bytes(7)  # fontTools wants 4
    font.save(hand)
    done = export("--complete", hand, "--charset", ASKED, "-o", tmp_path / "full.ttf")
    assert done.returncode == 0 and "cannot be read: gasp" in done.stderr, done.stderr
    assert "gasp" not in TTFont(tmp_path / "full.ttf")


def test_completing_a_cff_font(tmp_path, made, export):
    done = export("--complete", made / "a.otf", "--charset", HAN[:20], "-o", tmp_path / "b.otf")
    assert done.returncode == 0, done.stderr
    face = Face(FontSpec(tmp_path / "b.otf"))
    assert all(face.glyph_index(char) for char in HAN[:20])
    subprocess.run(
        [sys.executable, "-m", "ots", tmp_path / "b.otf"], check=True, capture_output=True
    )
    assert [TTFont(tmp_path / "b.otf")["hmtx"][f"uni{ord(HAN[i]):04X}"][0] for i in (0, 15)] == [
        1000,
        1000,
    ]


def test_it_goes_on_where_it_was(tmp_path, inked_model, font_folder):

    writer = Writer.open(inked_model, str(font_folder / "source.ttf"), fine=False)
    job = Job(inked_model, 0, ASKED, Placement.full_width(32), 1000)
    first = outlines(writer, job, Parts(tmp_path / "p", job.key(writer)), {})
    seconds: dict[str, float] = {}
    again = outlines(writer, job, Parts(tmp_path / "p", job.key(writer)), seconds)
    assert not seconds  # nothing was drawn
    assert all((first[char].controls == again[char].controls).all() for char in ASKED)
    path = tmp_path / "p" / "00000.npz"
    whole = path.read_bytes()
    for part in (b"", b"half", whole[: len(whole) // 2], whole[:-20], whole[:60] + whole[90:]):
        path.write_bytes(part)
        seconds.clear()
        outlines(writer, job, Parts(tmp_path / "p", job.key(writer)), seconds)
        assert seconds and path.read_bytes() == whole  # drawn anew
    Parts(tmp_path / "p", "another job")
    assert not list((tmp_path / "p").glob("*.npz"))


def variable(path):
    build_font(path)
    font = TTFont(path)
    builder = FontBuilder(font=font)
    builder.setupFvar([("wght", 400, 400, 700, "Weight")], [])
    font.save(path)


def forbidden(path):
    build_font(path)
    font = TTFont(path)
    font["OS/2"].fsType = 2
    font.save(path)


def truncated(path):
    build_font(path)
    path.write_bytes(path.read_bytes()[:900])


@pytest.mark.parametrize(
    ("damage", "says"),
    [(variable, "is a variable font"), (forbidden, "forbids"), (truncated, "damaged")],
)
def test_bases_that_cannot_be_completed(tmp_path, export, damage, says):
    damage(tmp_path / "base.ttf")
    done = export("--complete", tmp_path / "base.ttf", "--charset", HAN, "-o", tmp_path / "o.ttf")
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1
    assert says in done.stderr and "base.ttf" in done.stderr
    assert not (tmp_path / "o.ttf").exists()


def test_a_font_that_has_none_of_the_characters_asked_for_is_completed(tmp_path, export):
    hand = build_font(tmp_path / "hand.ttf", chars=HAN[:8], weight=50)
    before = hand.read_bytes()
    done = export("--complete", hand, "--charset", HAN[20:23], "-o", tmp_path / "full.ttf")
    assert done.returncode == 0, done.stderr
    assert set(map(ord, HAN[:8] + HAN[20:23])) <= set(TTFont(tmp_path / "full.ttf").getBestCmap())
    for name, says in (("hand.ttf", "another file"), ("full.otf", ".ttf or .woff2")):
        done = export("--complete", hand, "--charset", HAN[20:23], "-o", tmp_path / name)
        assert done.returncode == 2 and says in done.stderr
    assert hand.read_bytes() == before and not (tmp_path / "full.otf").exists()


def test_letters_may_come_from_a_font_without_characters(tmp_path, export):
    build_font(tmp_path / "latin.ttf", chars="ABCabc1", weight=50)
    made = []
    for number, charset in enumerate((HAN[:3], f"{HAN[0]}Ab1")):
        name = f"{number}.ttf"
        done = export("--charset", charset, "--latin", "latin.ttf", "-o", name, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        made.append(TTFont(tmp_path / name))
    assert set(map(ord, HAN[:3] + "Ab1")) <= set(made[0].getBestCmap())
    assert "letters and marks taken from other fonts: A b 1" in done.stderr
    # They are as in their font, whatever else is asked for.
    boxes = [[font["glyf"]["uni0041"].xMin, font["glyf"]["uni0041"].yMax] for font in made]
    assert boxes[0] == boxes[1]


def test_characters_beyond_the_first_plane_get_a_table_of_their_own(tmp_path):
    base = BaseFont.open(build_font(tmp_path / "hand.ttf", chars=HAN[:8]))
    assert {table.format for table in base.font["cmap"].tables} == {4}
    _add_to_cmap(base.font, {0x20BB7: "u4E00"})
    assert base.font.getBestCmap()[0x20BB7] == "u4E00" and ord(HAN[0]) in base.font.getBestCmap()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-o", "a.pdf"], ".ttf, .otf"),
        (["-o", "a.ttf", "--family", "书法"], "--family-chinese"),
        (["-o", "a.ttf", "--family", "New Bold Hand"], "reserve"),
        (["-o", "a.ttf", "--charset", "，。！"], "nothing to draw"),
        (["-o", "a.ttf", "--style", "9"], "no style"),
        (["-o", "a.ttf", "--latin", "none.ttf"], "none.ttf"),
    ],
)
def test_bad_input_ends_in_one_line(tmp_path, export, options, says):
    done = export("--charset", ASKED, *options, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and says in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("share", [0.6, 0.4, 1.0])
def test_ink_added_to_a_narrow_font_keeps_within_the_advance(tmp_path, export, share):
    slim = build_narrow_font(tmp_path / "slim.ttf", ASKED[:6], share)
    report = tmp_path / "report.html"
    options = ("--charset", HAN[:40], "-o", tmp_path / "full.ttf", "--report", report)
    done = export("--complete", slim, *options)
    assert done.returncode == 0, done.stderr
    font = TTFont(tmp_path / "full.ttf")
    for char in HAN[6:40]:
        name = font.getBestCmap()[ord(char)]
        glyph, (advance, bearing) = font["glyf"][name], font["hmtx"][name]
        assert advance == round(1000 * share)
        assert 0 <= glyph.xMin == bearing and glyph.xMax <= advance, char
    told = f"the font's characters are {round(1000 * share)} of 1,000 units wide"
    assert (told in done.stderr) == (share < 1)
    assert (told in html.unescape(report.read_text()).replace("The", "the")) == (share < 1)
    assert share != 0.4 or " of their height" in done.stderr


def test_glyphs_overhang_as_much_as_the_fonts_own():
    own = measure_body([(-40, 0, 940, 900)] * 9, advance=900, upem=1000)
    square = Outline(np.array([[[-30, 0]] * 3 + [[930, 900]]], float), np.zeros(1, int), np.ones(1))
    assert fit_to_body({"永": square}, own).outlines["永"] is square
    tight = measure_body([(40, 0, 860, 900)] * 9, advance=900, upem=1000)
    fit = fit_to_body(
        {"永": square, "一": square.transform(np.array([[0.5, 0, 600], [0, 1, 0]]))}, tight
    )
    for outline in fit.outlines.values():
        assert outline.controls[..., 0].min() >= 0 and outline.controls[..., 0].max() <= 900
    assert fit.width == pytest.approx(820 / np.percentile([960, 480], 95)) and fit.height == 1
    assert measure_body([], 900, 1000) is None
