"""What is wrong with a set of glyphs, found by a judge that obeys the test; and by the real one."""

import json

import numpy as np
import pytest
from conftest import HAN, build_font
from PIL import Image

from calligan.errors import ConfigError
from calligan.library.checking import Examined
from calligan.library.checking import check as examine
from calligan.reader.check import check
from calligan.resources import reader_model


def glyph(seed):
    """Bars on paper, 64 px, unlike those of other seeds."""
    rng = np.random.default_rng(seed)
    image = np.full((64, 64), 255, np.uint8)
    for _ in range(4):
        y, x = rng.integers(4, 50, 2)
        image[y : y + 5, 4:60] = 0
        image[4:60, x : x + 5] = 0
    return image


class Same:
    name = "same"

    """Scores 1 where glyph and reference are one picture, else 0.01."""

    def scores(self, glyphs, references):
        pairs = zip(glyphs, references, strict=True)
        return np.array([1.0 if np.array_equal(a, b) else 0.01 for a, b in pairs])

    def embeddings(self, glyphs):
        flat = 255.0 - glyphs.reshape(len(glyphs), -1)
        return flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6)

    def least_score(self, script, font=""):
        return 0.3


CHARS = HAN[:60]


def test_a_sound_set_has_nothing_wrong():
    images = np.stack([glyph(i) for i in range(len(CHARS))])
    found = check(CHARS, images, list(images), Same(), 0.3)
    assert found.wrong == "" and not found.duplicates
    assert (found.scores == 1).all()


def test_what_is_likely_right_is_not_doubted_however_well_others_score():
    images = np.stack([glyph(i) for i in range(len(CHARS))])

    class Graded(Same):
        def scores(self, glyphs, references):
            return np.array([{0: 0.19, 1: 0.21}.get(i, 0.99) for i in range(len(glyphs))])

    found = check(CHARS, images, list(images), Graded(), 0.9)
    assert found.wrong == CHARS[0]  # and not the next, though it is below the limit


def test_each_kind_of_trouble_is_found_and_told_apart():
    references = [glyph(i) for i in range(len(CHARS))]
    images = np.stack(references)
    images[3] = 255  # blank
    images[7] = images[8]  # the same twice: and so mislabelled
    images[20] = glyph(999)  # malformed
    found = check(CHARS, images, references, Same(), 0.3, progress=lambda count: None)
    assert found.blank == CHARS[3]
    assert found.duplicates == (CHARS[7] + CHARS[8],)
    assert found.mislabelled == {CHARS[7]: CHARS[8]}
    assert found.malformed == CHARS[20]
    assert set(found.wrong) == {CHARS[i] for i in (3, 7, 8, 20)}


def test_a_glyph_is_taken_for_a_character_that_is_not_among_those_checked():
    references = [glyph(i) for i in range(4)]
    images = np.stack([glyph(50), *references[1:]])
    alone = check(HAN[:4], images, references, Same(), 0.3)
    assert alone.malformed == HAN[0] and not alone.mislabelled
    others = HAN[2:60], np.stack([glyph(i) for i in range(2, 60)])
    found = check(HAN[:4], images, references, Same(), 0.3, others=lambda: others)
    assert found.mislabelled == {HAN[0]: HAN[50]} and not found.malformed


def test_only_so_many_are_doubtful_where_a_whole_font_is_unlike_print():
    images = np.stack([glyph(i) for i in range(len(CHARS))])
    other = [glyph(1000 + i) for i in range(len(CHARS))]
    found = check(CHARS, images, other, Same(), 0.3)
    assert found.least_score == pytest.approx(0.01) and found.malformed == ""


def test_characters_without_a_reference_are_looked_at_for_ink_only():
    images = np.stack([glyph(i) for i in range(4)])
    found = check(HAN[:4], images, [images[0], None, images[2], None], Same(), 0.3)
    assert np.isnan(found.scores[[1, 3]]).all() and found.wrong == ""


needs_reader = pytest.mark.skipif(reader_model() is None, reason="the reader is not trained yet")


@needs_reader
def test_check_reads_fonts_and_folders(tmp_path, calligan, font_folder):
    sheet, told = tmp_path / "s.png", tmp_path / "f.json"
    done = calligan(
        *("check", font_folder / "bold.ttf", "--font", font_folder / "source.ttf"),
        *("--charset", HAN, "--sheet", sheet, "--json", told),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("blank") and sheet.exists() and told.exists()
    broken = build_font(tmp_path / "broken.ttf", chars=HAN[2:], blank=HAN[:2])
    done = calligan(
        *("check", broken, "--font", font_folder / "source.ttf", "--charset", HAN, "--strict")
    )
    assert done.returncode == 3 and HAN[0] in done.stdout.splitlines()[0]
    folder = tmp_path / "hand"
    folder.mkdir()
    for number, char in enumerate(HAN[:6]):
        Image.fromarray(glyph(number)).save(folder / f"{char}.png")
    done = calligan("check", folder, "--font", font_folder / "source.ttf")
    assert done.returncode == 0, done.stderr


@needs_reader
def test_check_refuses_what_it_cannot_read(tmp_path, calligan):
    done = calligan("check", tmp_path / "none.ttf")
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1


def test_a_set_without_faults_is_told_and_drawn_as_such():
    images = [glyph(i) for i in range(4)]
    right = Examined(check(HAN[:4], np.stack(images), images, Same(), 0.3), "", HAN[4:30])
    assert list(right.notes()) == [
        "checked 4 glyphs with ink: no fault was found",
        f"not in the font: {' '.join(HAN[4:24])} and 6 more",
    ]
    wrong = Examined(check(HAN[:4], np.stack([glyph(50), *images[1:]]), images, Same(), 0.3), "")
    assert list(wrong.notes()) == ["checked 4 glyphs with ink"]
    capped = Examined(check(HAN[0], np.stack(images[:1]), [glyph(9)], Same(), 0.3), "")
    assert next(capped.notes()) == "checked 1 glyph with ink"
    assert right.sheet().width > 300 > wrong.sheet().width  # a sentence, and two cells
    assert wrong.sheet(named=False).width < wrong.sheet().width  # the studio's, in any language


@needs_reader
def test_check_names_what_the_font_lacks_of_what_was_asked_for(tmp_path, calligan, font_folder):
    font = ("--font", font_folder / "source.ttf")
    some, told = build_font(tmp_path / "some.ttf", chars=HAN[:9]), tmp_path / "f.json"
    done = calligan("check", some, *font, "--charset", HAN[:11], "--json", told)
    assert done.returncode == 0 and f"not in the font: {HAN[9]} {HAN[10]}\n" in done.stderr
    assert json.loads(told.read_text("utf-8"))["absent"] == HAN[9:11]
    done = calligan("check", some, *font)  # the default is whatever the font has
    assert done.returncode == 0 and "not in the font" not in done.stderr


def test_check_refuses_before_it_works(tmp_path, calligan):
    (tmp_path / "file").touch()
    done = calligan("check", "any.ttf", "--sheet", tmp_path / "file" / "x.png")
    assert done.returncode == 2 and "cannot write" in done.stderr and "x.png" in done.stderr
    with pytest.raises(ConfigError, match="not one of 楷, 行楷"):
        examine("any.ttf", script="foo")
