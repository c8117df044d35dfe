"""A hand learned from a folder or a font, by real commands."""

import json
import re
import shutil
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from conftest import HAN, TINY, build_font
from PIL import Image, ImageDraw, ImageFont

import calligan as calligan_library
from calligan.config import RasterConfig
from calligan.errors import Cancelled
from calligan.library.sessions import Session
from calligan.library.training import training_config
from calligan.models.base import GeneratorBase
from calligan.models.weights import read_card
from calligan.pairs.batches import Pairs
from calligan.pairs.handwriting import choose_split, from_pictures
from calligan.pairs.normalise import normalise_boxes
from calligan.pairs.split import held_out
from calligan.pairs.store import PairStore
from calligan.project.models import hand_path
from calligan.project.run import Run, is_finished
from calligan.training.schedule import stage_at
from calligan.training.state import TrainState, checkpoints
from calligan.training.transfer import initial_state, nearest_styles

WRITTEN = HAN[:12]


def test_the_nearest_style_draws_alike_though_elsewhere():
    bold = np.full((4, 64, 64), 255, np.uint8)
    for row in (8, 24, 40):
        bold[:, row : row + 7, 8:56] = 0
    hairline = np.full_like(bold, 255)
    hairline[:, 31, 8:56] = 0
    drawn = [torch.from_numpy(x)[:, None] / 127.5 - 1 for x in (hairline, np.roll(bold, 8, 1))]
    l1 = [float((x - (torch.from_numpy(bold)[:, None] / 127.5 - 1)).abs().mean()) for x in drawn]
    assert l1[0] < l1[1]

    class Drawn(GeneratorBase):
        """Two styles whose glyphs are given; a style's vector is its number."""

        size_px = 64

        def style(self, style_index):
            return style_index[:, None].float()

        def field(self, content, style, noise=None):
            return torch.stack([drawn[int(number)][0] for number in style[:, 0]])

        def image(self, field):
            return field

    assert nearest_styles(Drawn(), 2, 64, bold, bold) == [1, 0]


@pytest.fixture(scope="module")
def hand(tmp_path_factory, data_folder):
    """Pictures as `calligan scan` leaves them, on a larger canvas, one character twice."""
    folder = tmp_path_factory.mktemp("hand")
    store = PairStore.open(data_folder)
    font = store.manifest.named("bold")
    for char in WRITTEN:
        glyph = store.images(font)[font.chars.index(char)]
        canvas = np.full((96, 96), 255, np.uint8)
        canvas[20:84, 10:74] = glyph.repeat(2, 0).repeat(2, 1)
        Image.fromarray(canvas).save(folder / f"{char}.png")
    Image.fromarray(canvas).save(folder / f"{WRITTEN[0]}-2.png")
    return folder


@pytest.fixture(scope="module")
def learned(tmp_path_factory, calligan, run_folder, hand, tiny_settings):
    """A working directory in which the hand `mine` was learned."""
    home = tmp_path_factory.mktemp("home")
    done = calligan(
        *("learn", "mine", "--from", hand, "--model", run_folder, "--steps", 4, *tiny_settings),
        cwd=home,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "hands/mine/0001/best.safetensors"
    assert "13 glyphs of 12 characters" in done.stderr and "are few" in done.stderr
    assert "trying the nearest styles as a start, at most 30 steps each: " in done.stderr
    (said,) = re.findall(r"mine starts from (\w+): held-out L1 (.*?) after 30 .*\)", done.stderr)
    others = re.findall(r"\(others: \w+ (0\.\d+)\)", done.stderr)
    assert said[0] in ("bold", "slanted") and float(said[1]) <= float(others[0])
    assert "steps in that time" not in done.stderr  # it was told how many
    assert re.search(r"0\.\d M parameters \(0\.\d M of them trained\)", done.stderr)
    return home


def test_a_run_goes_on_from_its_trial_which_is_bounded(learned, run_folder, monkeypatch):
    """On a slow machine a trial has fewer steps; its time is part of the run's."""
    run = Run.open(learned / "hands/mine/0001")
    timed = replace(run.config, steps=None, minutes=1.0)
    start = run_folder / "best.safetensors"
    now = iter(range(0, 10_000, 2))  # two seconds a step, of 9 for the trials
    monkeypatch.setattr("calligan.training.trial.monotonic", lambda: float(next(now)))
    notes, told = [], []
    progress = lambda *what: told.append(what)  # noqa: E731
    state = initial_state(timed, run.selection(), start, notes.append, True, progress)
    assert told[0] == ("comparing hands", 0, 1)
    assert told[1] == ("trying hands", 1, 60) and told[-1] == ("trying hands", 6, 6)
    assert "after 3 steps" in notes[-1]
    assert state.counters.elapsed_s > 4 and state.counters.step == 0
    plain = initial_state(timed, run.selection(), start)
    pairs = zip(state.generator.parameters(), plain.generator.parameters(), strict=True)
    assert not all(torch.equal(tried, start) for tried, start in pairs)
    pairs = zip(state.generator.parameters(), state.average.parameters(), strict=True)
    assert all(torch.equal(network, average) for network, average in pairs)


def test_learning_is_cancelled_while_it_tries_hands(hand, run_folder, tmp_path):
    seen = []

    def cancel():
        return bool(seen) and seen[-1][0] == "trying hands"

    progress = lambda *what: seen.append(what)  # noqa: E731
    where = {"model": run_folder, "steps": 3, "hands": tmp_path, "settings": TINY}
    with pytest.raises(Cancelled, match="trying hands was cancelled after 1 of 60"):
        calligan_library.learn(hand, "tried", **where, progress=progress, cancel=cancel)
    assert not list(tmp_path.glob("tried/0*"))


def test_a_learned_hand_is_a_style_by_its_name(learned, calligan):
    done = calligan("infer", HAN[20:24], "--style", "mine", "-o", "out.png", cwd=learned)
    assert done.returncode == 0, done.stderr
    assert np.asarray(Image.open(learned / "out.png").convert("L")).min() < 255
    assert Image.open(learned / "hands/mine/0001/before-after.png").width > 100


def test_a_learned_hand_is_mixed_with_the_styles_that_it_was_learned_from(
    learned, run_folder, monkeypatch
):
    monkeypatch.chdir(learned)
    model, hand = calligan_library.load(run_folder), calligan_library.load("mine")

    def drawn(model, style):
        index = model.style_indices(style)[0]
        return model.writer.drawer.draw(HAN[20:24], index).astype(float)

    first, mine = drawn(model, "1"), drawn(hand, "mine")
    assert (drawn(model, "1:1+mine:0") == first).all()
    assert (drawn(model, "1:0+mine:1") == mine).all()
    half = drawn(model, "1:0.5+mine:0.5")
    assert (half != first).any() and (half != mine).any()
    assert (drawn(model, "1") == first).all()  # the model itself is as before


def test_a_hand_of_another_model_is_not_mixed(learned, run_folder, calligan, tmp_path):
    shutil.copytree(learned / "hands", tmp_path / "hands")
    shutil.copytree(run_folder, tmp_path / "runs/0001")
    (tmp_path / "hands/mine/0001/start.safetensors").write_bytes(b"of another model")
    done = calligan("infer", HAN[20], "--style", "1:0.5+mine:0.5", "-o", "out.png", cwd=tmp_path)
    assert done.returncode == 2 and "was learned from another model" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and not (tmp_path / "out.png").exists()


def test_styles_names_the_hands_that_are_here(learned, calligan, run_folder):
    done = calligan("styles", "--model", run_folder, cwd=learned)
    assert done.returncode == 0 and "mine" not in done.stderr
    shutil.copytree(run_folder, learned / "runs" / "0001", dirs_exist_ok=True)
    done = calligan("styles", cwd=learned)
    assert done.returncode == 0 and "by name: mine" in done.stderr
    shutil.rmtree(learned / "runs")


def test_what_a_hand_was_made_of_is_in_its_card(learned, run_folder, hand):
    card = read_card(learned / "hands/mine/0001/best.safetensors")
    assert [style.name for style in card.styles] == ["mine"]
    assert card.styles[0].path == hand.name  # not where it lies
    assert set(read_card(run_folder / "best.safetensors").trained_chars) <= set(card.trained_chars)
    assert card.provenance["began_at"]["step"] == 8


def test_both_images_of_a_character_are_learned_from(learned):
    (data,) = learned.glob("hands/mine/pairs-*")
    store = PairStore.open(data)
    (font,) = store.manifest.of_role("target")
    assert sorted(font.chars) == sorted(WRITTEN + WRITTEN[0])
    pairs = Pairs(store.select(["mine"]), "train" if _trains(store) else "validation")
    number = pairs._fonts.index(font)
    seen = {pairs._glyph(number, WRITTEN[0], np.random.default_rng(i)) for i in range(20)}
    assert len(seen) == 2


def _trains(store):
    return WRITTEN[0] in store.training_chars()


def test_learning_again_keeps_what_was_learned_before(
    learned, calligan, hand, run_folder, tiny_settings, tmp_path
):
    again = tmp_path / "again"  # what other tests look at stays as it is
    shutil.copytree(learned, again)
    before = (again / "hands/mine/0001/best.safetensors").read_bytes()
    done = calligan(
        *("learn", "mine", "--from", hand, "--chars", WRITTEN[:6], "--model", run_folder),
        *("--steps", 2, *tiny_settings),
        cwd=again,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "hands/mine/0002/best.safetensors"
    assert "mine was learned before (hands/mine/0001)" in done.stderr
    assert (again / "hands/mine/0001/best.safetensors").read_bytes() == before


def test_few_steps_are_all_of_reconstruction():
    """An adversarial stage of a few steps, as on a busy machine, leaves a hand worse."""
    config = training_config("learn", None, ["minutes=10"], None, None)
    assert [stage.adversarial for stage in config.stages] == [False, True]
    stages = [stage_at(config, progress, step)[0] for progress, step in ((0.99, 99), (0.31, 600))]
    assert stages == [0, 1]


def test_too_few_steps_for_the_time_are_told(tmp_path, calligan, hand, run_folder, tiny_settings):
    command = ("learn", "mine", "--from", hand, "--model", run_folder, "--minutes", 0.01)
    done = calligan(*command, *tiny_settings, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "steps in that time" in done.stderr


def test_what_is_not_learned_from_is_named(tmp_path, calligan, hand, run_folder, tiny_settings):
    shutil.copytree(hand, tmp_path / "hand")
    Image.new("L", (96, 96), 200).save(tmp_path / "hand" / f"{HAN[30]}.png")
    (tmp_path / "hand" / f"{WRITTEN[0]}-2.png").rename(tmp_path / "hand" / "龘.png")
    command = ("learn", "mine", "--from", "hand", "--model", run_folder, "--steps", 2)
    done = calligan(*command, *tiny_settings, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"no dark ink in the picture: {HAN[30]}" in done.stderr
    assert "no source font has them: 龘" in done.stderr


def test_a_label_can_be_corrected_and_learned_again(
    tmp_path, calligan, hand, run_folder, tiny_settings
):
    shutil.copytree(hand, tmp_path / "hand")
    command = ("learn", "mine", "--from", "hand", "--model", run_folder, "--steps", 2)
    assert calligan(*command, *tiny_settings, cwd=tmp_path).returncode == 0
    (tmp_path / "hand" / f"{WRITTEN[3]}.png").rename(tmp_path / "hand" / f"{HAN[40]}.png")
    done = calligan(*command, *tiny_settings, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "hands/mine/0002/best.safetensors"
    assert HAN[40] in PairStore.open(Run.open(tmp_path / "hands/mine/0002").data).manifest.chars


def test_interrupted_the_same_command_goes_on(
    tmp_path, calligan, killed, hand, run_folder, tiny_settings
):
    command = ("learn", "mine", "--from", hand, "--model", run_folder, "--steps", 40)
    command = (*command, *tiny_settings)
    hands = tmp_path / "hands/mine"
    killed(*command, cwd=tmp_path, enough=lambda: checkpoints(hands / "0001/checkpoints"))
    assert not is_finished(hands / "0001")
    assert _run_used(tmp_path) == "0001"  # cut off, and the only one there is
    done = calligan(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "going on from step" in done.stderr
    assert done.stdout.strip() == "hands/mine/0001/best.safetensors"
    assert (hands / "0001/before-after.png").exists()
    assert not (hands / "0001/checkpoints").exists()  # of use to an interrupted run only
    again = calligan("train", "--resume", hands / "0001")
    assert again.returncode == 2 and "is finished" in again.stderr

    # The first is whole now: a new one.
    killed(*command, cwd=tmp_path, enough=lambda: checkpoints(hands / "0002/checkpoints"))
    assert not is_finished(hands / "0002")
    assert _run_used(tmp_path) == "0001"  # the newest that is whole
    for state in (hands / "0002/checkpoints").glob("*/state.safetensors"):
        state.write_bytes(b"")
    again = calligan(*command, cwd=tmp_path)  # nothing whole to go on from: a new one
    assert again.stdout.strip() == "hands/mine/0003/best.safetensors"
    assert _run_used(tmp_path) == "0003"


def _run_used(folder):
    return hand_path("mine", folder / "hands").parent.name


def test_a_misspelt_hand_is_recognised(learned, calligan):
    for command in (
        ("infer", "书", "--style", "mien"),
        ("export", "--style", "mien", "-o", "mien.ttf"),
        ("evaluate", "mien"),
        ("infer", "书", "--model", "mien"),
        ("learn", "mien", "--plan", "5"),
    ):
        done = calligan(*command, cwd=learned)
        assert done.returncode == 2 and "did you mean mine" in done.stderr, (command, done.stderr)
    done = calligan("infer", "书", "--style", "mine,1", cwd=learned)
    assert done.returncode == 2 and "give it alone" in done.stderr
    (learned / "glyphs").mkdir()
    done = calligan("learn", "x", "--from", "glyhps", "--model", "mine", cwd=learned)
    assert done.returncode == 2 and "did you mean glyphs" in done.stderr


def test_a_hand_is_evaluated_on_what_it_did_not_learn_from(learned, calligan):
    done = calligan("evaluate", "mine", "--line", "--json", "figures.json", cwd=learned)
    assert done.returncode == 0, done.stderr
    assert "no font on this machine" in done.stderr
    assert "has no test characters" in done.stderr
    figures = json.loads((learned / "figures.json").read_text())
    assert figures["part"] == "validation"
    assert 0 < figures["means"]["all"]["model"]["l1"]["mean"] < 1


def test_a_hand_goes_on_from_itself(learned, calligan, hand, tiny_settings):
    command = ("learn", "mine", "--from", hand, "--model", "mine", "--steps", 2, *tiny_settings)
    done = calligan(*command, cwd=learned)
    assert done.returncode == 0, done.stderr


def test_each_step_is_told_and_a_hand_that_goes_on_does_not_search(
    learned, hand, tmp_path, monkeypatch
):
    shutil.copytree(learned / "hands/mine/0001", tmp_path / "mine/0001")
    seen = []
    calligan_library.learn(
        hand,
        "mine",
        model=tmp_path / "mine/0001",
        steps=3,
        hands=tmp_path,
        settings=[*TINY, "log_every_steps=100"],
        progress=lambda *what: seen.append(what),
    )
    ready = [("reading glyphs", 0, 1), ("getting ready", 0, 1)]
    trained = [("training", step, 3) for step in range(4)]
    assert seen == [*ready, *trained, ("drawing the comparison", 0, 1)]


def test_the_time_of_a_training_never_passes_its_end(learned):
    run = Run.open(learned / "hands/mine/0001")
    timed = replace(run, config=replace(run.config, steps=None, minutes=1.0))
    session = Session(timed, run.selection(), TrainState(timed.config, 1))
    assert session.progress_of({"step": 7, "elapsed_s": 63.6}) == (60, 60)


def test_a_font_keeps_what_was_written_as_it_was_written(learned, calligan, hand):
    asked = WRITTEN[1:4] + HAN[20:22]
    command = ("export", "--model", "hands/mine/0001", "--style", "mine", "--charset", asked)
    command = (*command, "--no-verdict")
    done = calligan(*command, "-o", "own.ttf", cwd=learned)
    assert done.returncode == 0, done.stderr
    assert f"{len(WRITTEN)} more characters are your own glyphs" in done.stderr
    drawn = calligan(*command, "--no-own", "-o", "drawn.ttf", cwd=learned)
    assert drawn.returncode == 0 and "your own glyphs" not in drawn.stderr
    for char in WRITTEN[1:4]:
        written = _inked(Image.open(hand / f"{char}.png"))
        font = ImageFont.truetype(learned / "own.ttf", 80)
        canvas = Image.new("L", (160, 160), 255)
        ImageDraw.Draw(canvas).text((40, 30), char, 0, font=font)
        shown = _inked(canvas)
        assert (shown & written).sum() / (shown | written).sum() > 0.6


def _inked(image):
    """What is ink of a picture, cut to its ink and of one size."""
    ink = image.convert("L").point(lambda v: 255 if v < 128 else 0)
    return np.asarray(ink.crop(ink.getbbox()).resize((48, 48))) > 127


def test_a_font_is_a_hand_too(tmp_path, calligan, run_folder, tiny_settings):
    font = build_font(tmp_path / "half.ttf", chars=WRITTEN, weight=30)
    done = calligan(
        *("learn", "half", "--from", font, "--model", run_folder, "--steps", 2, *tiny_settings),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "12 glyphs of 12 characters" in done.stderr


def test_pictures_are_placed_as_one():
    small = np.full((50, 50), 255, np.uint8)
    small[10:30, 10:20] = 0  # ten wide, twenty high, up and left of the middle
    tall = np.full((50, 50), 255, np.uint8)
    tall[0:40, 10:20] = 0
    found = from_pictures(
        "x", _here(), [("一", small)] * 3 + [("丁", tall)], RasterConfig(size_px=64)
    )
    ink = found.images[0] < 128
    rows, columns = np.nonzero(ink.any(1))[0], np.nonzero(ink.any(0))[0]
    assert (rows[0] + rows[-1] + 1) / 2 == pytest.approx(32, abs=1)
    assert (columns[0] + columns[-1] + 1) / 2 == pytest.approx(32, abs=1)
    heights = [(image < 128).any(1).sum() for image in found.images]
    assert heights[3] == pytest.approx(2 * heights[0], abs=1)


def test_uneven_pictures_are_made_more_even():
    rng = np.random.default_rng(0)
    chars, printed, pictures, truth = HAN[:30], {}, [], []
    for char in chars:
        side, x, y = rng.uniform(0.5, 0.8), *rng.uniform(0.4, 0.6, 2)
        printed[char] = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
        # The hand writes all of them smaller and lower than print, and each a little elsewhere.
        meant = 0.15 + 0.7 * np.array([x, y]) - (0, 0.05)
        middle = 200 * meant + rng.normal(0, 6, 2)
        half = 0.35 * side * 200 * rng.uniform(0.9, 1.1)
        left, low, right, high = np.rint([*(middle - half), *(middle + half)]).astype(int)
        canvas = np.full((200, 200), 255, np.uint8)
        canvas[200 - high : 200 - low, left:right] = 0
        pictures.append((char, canvas))
        truth.append((*meant, 0.7 * side))
    raster = RasterConfig(size_px=128)
    lies = {}
    for name, boxes in (("uneven", None), ("even", printed)):
        found = from_pictures("x", _here(), pictures, raster, boxes)
        place = found.entry.placement
        boxes = np.array([_middle_and_size(image) for image in found.images])
        away = boxes / place.em_px - np.array(truth)
        lies[name] = away.std(axis=0)
    assert (lies["even"][:2] < 0.5 * lies["uneven"][:2]).all()
    assert lies["even"][2] < 0.75 * lies["uneven"][2]
    known, lacking = (0.1, 0.2, 0.7, 0.8), (0.2, 0.1, 0.9, 0.7)
    (_, there), (scale, kept) = normalise_boxes(
        ["一", "龘"], [known, lacking], {"一": (0.3, 0.3, 0.6, 0.6)}
    )
    assert there == pytest.approx(known)  # alone in print: what differs is the hand's own
    assert scale == 1 and kept == pytest.approx(lacking)  # print lacks it


def _middle_and_size(image):
    rows, columns = np.nonzero((image < 128).any(1))[0], np.nonzero((image < 128).any(0))[0]
    low, right = len(image) - rows[-1] - 1, columns[-1] + 1
    high = len(image) - rows[0]
    return (columns[0] + right) / 2, (low + high) / 2, high - low


def _here():
    from pathlib import Path

    return Path(__file__)


@pytest.mark.parametrize("count", [2, 5, 10, 57])
def test_a_tenth_is_kept_for_validation_and_one_at_least(count):
    chars = HAN[:count]
    kept = held_out(chars, "validation", choose_split(chars))
    assert abs(len(kept) - max(1, round(count / 10))) <= 1 and 0 < len(kept) < count
    assert not held_out(chars, "test", choose_split(chars))


@pytest.mark.parametrize(
    ("name", "glyphs", "said"),
    [
        ("3", WRITTEN[:4], "not a hand name"),
        ("a/b", WRITTEN[:4], "not a hand name"),
        ("bold", WRITTEN[:4], "is taken"),  # a style of the model
        ("random", WRITTEN[:4], "is taken"),
        ("mine", "", "no PNG"),
        ("mine", WRITTEN[0], "one character only"),
    ],
)
def test_what_cannot_be_learned_from(name, glyphs, said, tmp_path, calligan, run_folder):
    folder = tmp_path / "glyphs"
    folder.mkdir()
    for char in glyphs:
        Image.new("L", (40, 40), 90).save(folder / f"{char}.png")
    done = calligan("learn", name, "--from", folder, "--model", run_folder, cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "hands").exists()


def test_a_plan_is_a_template_of_what_is_not_written_yet(learned, calligan):
    pytest.importorskip("cv2")
    build_font(learned / "print.ttf", chars=HAN + "藻撤储喀渤怪铡纶瞻碳")
    font = ("--source", "print.ttf")
    done = calligan("learn", "mine", "--plan", 9, "-o", "next.pdf", *font, cwd=learned)
    assert done.returncode == 0, done.stderr
    assert "9 characters on 1 page" in done.stderr
    assert (learned / "next.pdf").read_bytes()[:4] == b"%PDF"


def test_a_plan_takes_what_reads_worst_and_what_covers_most(learned):
    from types import SimpleNamespace

    from calligan.inference.plan import planned, unwritten
    from calligan.inference.writer import Writer

    class Source:
        def lacks(self, char):
            return char == "藻"

    writer = Writer(SimpleNamespace(source=Source()))
    plan = planned(writer, unwritten(writer, "撤储"), 5)
    assert plan.tried == 0
    assert len(plan.chars) == 5 and not set(plan.chars) & set("撤储藻")


def test_a_plan_draws_a_sample_of_what_is_not_written():
    """All where they are few; else so many for each that is wanted, evenly."""
    from calligan.inference.plan import sampled

    chars = "".join(map(chr, range(0x4E00, 0x4E00 + 6000)))
    assert sampled(chars[:480], 5) == chars[:480] and sampled(chars, 400) == chars
    few, more = sampled(chars, 20), sampled(chars, 50)
    assert (len(few), len(more)) == (480, 800)
    steps = {ord(after) - ord(before) for before, after in pairwise(few)}
    assert few[0] == chars[0] and steps == {12, 13} and chars.index(few[-1]) > 5980


def test_the_same_picture_is_learned_from_once(tmp_path):
    from calligan.library.hands import written

    rng = np.random.default_rng(0)
    one, other = (rng.integers(0, 2, (40, 40), np.uint8) * 255 for _ in range(2))
    for name, image in (("一", one), ("一-2", one), ("一-3", other), ("丁", one)):
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    said: list[str] = []
    found = written("hand", str(tmp_path), None, 32, note=said.append, once=True)
    assert sorted(found.entry.chars) == sorted("一一丁") and "1 picture(s) left out" in said[0]
    assert len(written("hand", str(tmp_path), None, 32).entry.chars) == 4  # restyle draws each
