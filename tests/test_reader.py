"""What the reader learns from: glyphs spoiled as they say, drawn by seed and step."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")
sys.path.append(str(Path(__file__).parents[1] / "weights"))

from defects import (
    add_stroke,
    augment,
    blur_part,
    break_strokes,
    close_counters,
    fade,
    remove_component,
    swap_component,
)
from examples import KINDS, Examples, labels_for

from calligan.pairs.store import PairStore

SIZE = 64


def pieces(ink):
    import cv2

    return cv2.connectedComponents((ink > 0.5).astype(np.uint8))[0] - 1


@pytest.fixture
def glyph():
    """A square ring on the left, a cross on the right: two components with a gap between."""
    ink = np.zeros((SIZE, SIZE), np.float32)
    ink[16:48, 6:26] = 1
    ink[20:44, 10:22] = 0
    ink[10:54, 44:48] = 1
    ink[30:34, 36:58] = 1
    return ink


@pytest.fixture
def other():
    ink = np.zeros((SIZE, SIZE), np.float32)
    ink[8:12, 4:60] = ink[30:34, 4:60] = ink[52:56, 4:60] = 1
    return ink


@pytest.mark.parametrize("seed", range(8))
def test_defects_spoil_what_they_say(glyph, other, seed):
    rng = np.random.default_rng(seed)
    total = glyph.sum()
    assert pieces(glyph) == 2
    missing = remove_component(glyph, rng)
    assert pieces(missing) == 1 and missing.sum() < 0.95 * total
    # A ring cut once hangs together still, but what lay about the cut does not.
    severed = break_strokes(glyph, rng)
    assert severed.sum() < total and (severed <= glyph).all()
    swapped = swap_component(glyph, other, rng)
    kept = [np.array_equal(swapped[:, side], glyph[:, side]) for side in (np.s_[:26], np.s_[36:])]
    assert sorted(kept) == [False, True]
    extra = add_stroke(glyph, other, rng)
    assert extra is None or ((extra >= glyph).all() and extra.sum() > 1.05 * total)
    faint = fade(glyph, rng)
    assert faint is None or ((faint <= glyph).all() and faint.sum() < 0.85 * total)
    full = close_counters(glyph, rng)
    assert full is None or (full >= glyph - 1e-6).all()
    grey = [((image > 0.2) & (image < 0.8)).sum() for image in (glyph, blur_part(glyph, rng))]
    assert grey[0] == 0 and grey[1] > 20


def test_bars_that_are_broken_fall_apart(other):
    for seed in range(8):
        assert pieces(break_strokes(other, np.random.default_rng(seed))) > pieces(other)


def test_a_blank_glyph_cannot_be_spoiled():
    blank, rng = np.zeros((SIZE, SIZE), np.float32), np.random.default_rng(0)
    assert remove_component(blank, rng) is None and break_strokes(blank, rng) is None
    assert swap_component(blank, blank, rng) is None
    assert add_stroke(blank, blank, rng) is None


def test_a_disturbed_glyph_is_still_that_glyph(glyph):
    for seed in range(5):
        moved = augment(glyph, np.random.default_rng(seed))
        assert moved.shape == glyph.shape and 0.6 < moved.sum() / glyph.sum() < 1.6
        assert not np.array_equal(moved, glyph)


@pytest.fixture(scope="module")
def fonts(data_folder):
    store = PairStore.open(data_folder)
    return store, store.manifest.of_role("target"), store.manifest.of_role("source")


def test_examples_are_drawn_by_seed_and_step(fonts):
    examples = Examples(*fonts, "train")
    one, again, next_ = (examples.random(24, 0, step) for step in (3, 3, 4))
    assert np.array_equal(one.glyph, again.glyph) and one.kinds == again.kinds
    assert not np.array_equal(one.glyph, next_.glyph)
    assert one.glyph.shape == one.reference.shape == (24, 64, 64)
    assert one.labels.tolist() == [list(labels_for(kind)) for kind in one.kinds]
    assert set(one.kinds) <= set(KINDS)
    held_out = set(fonts[0].manifest.held_out["validation"] + fonts[0].manifest.held_out["test"])
    seen = {char for step in range(10) for char in examples.random(24, 1, step).chars}
    assert seen and not seen & held_out


def test_a_font_is_read_as_often_as_its_share(fonts):
    store, targets, sources = fonts
    examples = Examples(store, targets, sources, "train", [3.0, 1.0])
    rng = np.random.default_rng(0)
    places = [index for _ in range(60) for index, _ in examples._choose_chars(8, rng)]
    assert 0.6 < places.count(0) / len(places) < 0.9
    only = Examples(store, targets, sources, "train", [0.0, 1.0])
    assert {index for index, _ in only._choose_chars(40, rng)} == {1}


@pytest.mark.parametrize(
    ("kind", "labels"),
    [("genuine", (1, 1)), ("wrong", (0, -1)), ("alike", (0, -1)), ("missing", (-1, 0)),
     ("swapped", (0, 0)), ("broken", (1, 0))],
)  # fmt: skip
def test_what_each_kind_says(kind, labels):
    assert labels_for(kind) == labels
