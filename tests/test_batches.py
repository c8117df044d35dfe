"""Which glyphs a batch holds, worked out from a few fonts made here."""

import numpy as np
import pytest

from calligan.config import RasterConfig, SplitConfig
from calligan.errors import DataError
from calligan.glyphs.placement import Placement
from calligan.pairs.batches import Pairs, classes_of
from calligan.pairs.index import ABSENT, GlyphIndex
from calligan.pairs.manifest import FontEntry
from calligan.pairs.split import held_out, part_of
from calligan.pairs.store import PairStore, Selection

ALL = "".join(chr(0x4E00 + number) for number in range(60))
SPLIT = SplitConfig(seed=3, validation=0.2, test=0.2)
KEPT = held_out(ALL, "train", SPLIT)
A, B, C, D, E, *REST = KEPT
HELD = held_out(ALL, "test", SPLIT)[:2]
CHARS = {
    "print": A + B + C + D,  # the sources ...
    "song": C + D + E,
    "kai": A + B + C + E + C + HELD[0],  # ... and the styles; one has a character twice
    "cao": C + D + A,
    "xing": E + D + C + HELD[1],
}


def entry(name: str, role: str) -> FontEntry:
    return FontEntry(
        name, role, f"/{name}.ttf", "", None, "0" * 64, name, name, "", "", PLACE, CHARS[name]
    )


PLACE = Placement(16, 12.0, 0.0, 12.0)
FONTS = {name: entry(name, "source" if name in ("print", "song") else "target") for name in CHARS}


@pytest.fixture(scope="module")
def selection(tmp_path_factory) -> Selection:
    """Every glyph is one grey: ten times its font's number, plus its row."""
    folder = tmp_path_factory.mktemp("batches") / "data"
    store = PairStore.create_or_open(folder, "x", ALL, RasterConfig(size_px=16), SPLIT)
    for number, font in enumerate(FONTS.values()):
        greys = 10 * number + np.arange(len(font.chars), dtype=np.uint8)
        store.add_images(font, np.broadcast_to(greys[:, None, None], (len(greys), 16, 16)).copy())
    named = store.manifest.named
    sources, styles = (
        tuple(named(name) for name in names)
        for names in (("print", "song"), ("kai", "cao", "xing"))
    )
    return Selection(store, sources, styles)


def greys(images: np.ndarray) -> list[int]:
    return images[:, 0, 0].tolist()


def test_an_index_has_the_first_row_and_all_rows():
    fonts = [FONTS[name] for name in ("kai", "cao")]
    index = GlyphIndex(fonts)
    assert set(index.column) == set(CHARS["kai"] + CHARS["cao"])
    first = {c: index.first_row[index.column[c]].tolist() for c in (A, B, C, D, E)}
    assert first == {A: [0, 2], B: [1, ABSENT], C: [2, 0], D: [ABSENT, 1], E: [3, ABSENT]}
    assert index.rows(C, 0).tolist() == [2, 4] and index.rows(C, 1).tolist() == [0]
    assert index.rows(E, 0).tolist() == [3] and index.rows(A, 1).tolist() == [2]
    assert index.having(D, slice(None)).tolist() == [1]
    assert index.having(A, np.array([1, 0, 1])).tolist() == [0, 1, 2]
    assert index.having(B, np.array([1, 0])).tolist() == [1]


def test_a_part_of_the_split_ends_where_the_next_begins():
    """The same places, cut otherwise: test first, then validation, then training."""
    for test, validation in ((0.2, 0.2), (0.0, 0.4), (0.4, 0.0)):
        moved = SplitConfig(seed=3, validation=validation, test=test)
        held = {c for c in ALL if part_of(c, moved) != "train"}
        assert held == set(ALL) - set(KEPT)
        assert bool(held_out(ALL, "test", moved)) == (test > 0)
        assert bool(held_out(ALL, "validation", moved)) == (validation > 0)
    assert set(held_out(ALL, "test", SPLIT)) < set(
        held_out(ALL, "test", SplitConfig(seed=3, validation=0.0, test=0.4))
    )


def test_characters_are_those_that_sources_and_styles_share(selection):
    pairs = Pairs(selection, "train")
    assert (
        classes_of(selection) == pairs.classes == "".join(c for c in ALL if c in A + B + C + D + E)
    )
    assert pairs.chars == [A + B + C + E + C, C + D + A, E + D + C]
    with pytest.raises(DataError, match="kai shares no test characters"):
        Pairs(selection, "test")


def test_styles_may_be_sources_too(selection):
    pairs = Pairs(selection, "train", any_source=True)
    assert [font.name for font in pairs.sources] == ["print", "song", "kai", "cao", "xing"]
    told = [pairs.choose(6, 2, 1, step) for step in range(60)]
    seen = {
        (name, int(style))
        for choice in told
        for (name, _), style in zip(choice.source, choice.source_style_index, strict=True)
    }
    assert seen == {("print", -1), ("song", -1), ("kai", 0), ("cao", 1), ("xing", 2)}


def test_evenly_spread_characters_come_from_the_first_source(selection):
    pairs = Pairs(selection, "train")
    batch = pairs.spread(0)
    assert batch.chars == A + B + C + E + C
    assert greys(batch.source) == [0, 1, 2, 12, 2] and greys(batch.target) == [20, 21, 22, 23, 22]
    assert batch.style_index.tolist() == batch.wrong_style_index.tolist() == [0] * 5
    assert batch.source_style_index.tolist() == [-1] * 5
    places = [pairs.classes.index(char) for char in batch.chars]
    assert batch.char_index.tolist() == places
    assert pairs.spread(0, 2).chars == A + C and pairs.spread(0, 1).chars == A
    assert pairs.spread(0, 3).chars == A + B + C and pairs.spread(0, 9).chars == batch.chars
    assert pairs.spread(1, among=A + D).chars == D + A and pairs.spread(2, 1, D + C).chars == D
    with pytest.raises(DataError, match="cao has none"):
        pairs.spread(1, among=B)


def test_a_character_outside_training_has_no_class(selection):
    styles = (selection.styles[0], selection.styles[2])
    pairs = Pairs(Selection(selection.store, selection.sources, styles), "test", any_source=True)
    assert [pairs.spread(style).chars for style in (0, 1)] == list(HELD)
    assert pairs.spread(0).char_index.tolist() == [-1]


def test_batches_draw_everything_that_there_is_and_nothing_else(selection):
    pairs = Pairs(selection, "train")
    styles, wrong, chars, sources, repeated = set(), set(), set(), set(), set()
    for step in range(150):
        choice = pairs.choose(6, 3, 5, step)
        assert len(choice.source) == 2 and len(choice.target) == len(choice.chars) == 6
        for number, (name, row) in enumerate(choice.target):
            char, style = choice.chars[number], int(choice.style_index[number])
            assert name == ("kai", "cao", "xing")[style] and CHARS[name][row] == char
            source, source_row = choice.source[number // 3]
            assert CHARS[source][source_row] == char and char in pairs.classes
            styles.add(style)
            wrong.add((style, int(choice.wrong_style_index[number])))
            chars.add((style, char))
            sources.add((char, source))
            if name == "kai" and char == C:
                repeated.add(row)
        for at in (0, 3):  # all styles of a character come before one is repeated
            char, drawn = choice.chars[at], choice.style_index[at : at + 3].tolist()
            having = sum(char in CHARS[name] for name in ("kai", "cao", "xing"))
            assert len(set(drawn)) == having and drawn == (drawn[:having] * 3)[:3]
    assert styles == {0, 1, 2} and wrong == {(a, b) for a in range(3) for b in range(3) if a != b}
    assert chars == {(n, c) for n, has in enumerate(pairs.chars) for c in has}
    both = {(c, name) for name in ("print", "song") for c in CHARS[name]}
    assert sources == both and repeated == {2, 4}


def test_a_batch_is_its_seeds_and_its_steps(selection):
    pairs = Pairs(selection, "train")
    told = [pairs.choose(12, 2, *key) for key in ((5, 7), (5, 7), (5, 8), (6, 7))]
    drawn = [(choice.chars, choice.target, choice.source) for choice in told]
    assert drawn[0] == drawn[1] and drawn[0] != drawn[2] and drawn[0] != drawn[3]
    batch = pairs.random(12, 2, 5, 7)
    rows = {font: number for number, font in enumerate(CHARS)}
    assert greys(batch.target) == [10 * rows[name] + row for name, row in told[0].target]
    assert greys(batch.source) == [10 * rows[name] + row for name, row in told[0].source]
    assert set(vars(pairs)) - set(pairs.__getstate__()) == {"_images"}
    assert set(pairs.glyphs()) == set(CHARS)
    alone = Selection(selection.store, selection.sources, selection.styles[:1])
    assert set(Pairs(alone, "train").choose(4, 1, 0, 0).wrong_style_index.tolist()) == {0}
