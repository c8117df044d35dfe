"""The other games of the field, each by its preset and real commands."""

import json
import re
import shlex
import sys
from functools import partial

import numpy as np
import pytest
from conftest import HAN, build_font, save_inked
from PIL import Image

from calligan.cli import main
from calligan.config import TrainConfig
from calligan.errors import ConfigError
from calligan.models import published
from calligan.models.weights import load_model, read_card
from calligan.pairs.batches import Pairs
from calligan.pairs.store import PairStore
from calligan.settings import from_dict, load_preset

TINY = [
    *("batch_size=4", "eval_chars=4", "sample_chars=2", "keep_every_steps=4", "warmup_steps=2"),
    *("device=cpu", "precision=fp32", "generator.widths=[8, 16]", "generator.style_dim=8"),
    *("discriminator.grid=8", "discriminator.widths=[8, 16]"),
]
STAGE = (
    "stages=[{share=1.0, size_px=32, adversarial=true, learning_rate=1e-3, learning_rate_end=1e-4}]"
)


def settings(*more: str) -> list[str]:
    return [part for setting in (*TINY, STAGE, *more) for part in ("--set", setting)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, calligan, data_folder):
    """A run of four steps by a preset."""
    done = {}

    def train(preset, *more):
        if preset not in done:
            runs = tmp_path_factory.mktemp(preset)
            said = calligan(
                *("train", "--preset", preset, "--steps", 4, "--data", data_folder),
                *("--runs", runs, *settings(*more)),
            )
            assert said.returncode == 0, said.stderr
            (runs / "said.txt").write_text(said.stderr, encoding="utf-8")
            done[preset] = runs / "0001"
        return done[preset]

    return train


@pytest.mark.parametrize("preset", ["sngan", "stargan", "vae", "learn", "zi2zi", "pix2pix"])
def test_presets_are_sound(preset):
    from_dict(TrainConfig, load_preset(preset)).validate()


def test_sngan_draws_what_it_was_trained_on_from_noise(trained, calligan, tmp_path):
    run = trained("sngan")
    card = read_card(run / "best.safetensors")
    assert card.generator.classes == len(card.trained_chars) > 0
    chars, out = card.trained_chars[:2], tmp_path / "samples.png"
    (said,) = re.findall("^next: calligan (.*)$", (run.parent / "said.txt").read_text(), re.M)
    command = [*shlex.split(said), "--count", 3]
    assert command[:4] == ["sample", chars, "--model", str(run)]
    calligan = partial(calligan, cwd=tmp_path)
    assert calligan(*command).returncode == 0
    first = Image.open(out).tobytes()
    assert calligan(*command).returncode == 0 and Image.open(out).tobytes() == first
    assert calligan(*command, "--seed", 1).returncode == 0 and Image.open(out).tobytes() != first
    assert calligan(*command, "--between").returncode == 0
    unseen = card.held_out["test"][0]
    done = calligan("sample", unseen, "--model", run, "-o", out)
    assert done.returncode == 2 and "give other characters" in done.stderr
    done = calligan("infer", chars, "--model", run, "-o", out)
    assert done.returncode == 2 and "calligan sample" in done.stderr
    done = calligan("evaluate", run)
    assert done.returncode == 2 and "noise" in done.stderr
    done = calligan("restyle", tmp_path, "--model", run, "-o", tmp_path / "other")
    assert done.returncode == 2 and "noise" in done.stderr


def test_what_begins_at_a_model_takes_its_network_and_its_characters(
    trained, calligan, tmp_path, data_folder
):
    def begun(*options):
        common = ("--steps", 2, "--data", data_folder, "--runs", tmp_path / "runs")
        return calligan("train", "--from", trained("sngan"), *common, *settings(), *options)

    done = begun("--preset", "vae")
    assert done.returncode == 2 and "another kind or shape" in done.stderr
    done = begun("--preset", "sngan", "--styles", "1", "--sources", "source")
    assert done.returncode == 0, done.stderr
    fewer = tmp_path / "fewer"
    fonts = [font.path for font in PairStore.open(data_folder).manifest.fonts][:2]
    assert calligan("render-pairs", *fonts, "--charset", HAN[:40], "-d", fewer).returncode == 0
    done = begun("--preset", "sngan", "--data", fewer)
    assert done.returncode == 2 and "own characters" in done.stderr, done.stderr


def test_every_row_of_the_log_has_the_generator_s_losses(calligan, tmp_path, data_folder):
    done = calligan(
        *("train", "--steps", 12, "--data", data_folder, "--runs", tmp_path, *settings()),
        *("--set", "generator.grid=8", "--set", "loss.objective=wgan-gp"),
    )
    assert done.returncode == 0, done.stderr
    rows = map(json.loads, (tmp_path / "0001" / "log.jsonl").read_text().splitlines())
    losses = [row for row in rows if "d" in row]
    assert len(losses) == 2 and all({"g", "penalty", "adversarial"} <= row.keys() for row in losses)


def test_sngan_says_that_it_is_watched_on_training_characters(trained):
    rows = [json.loads(line) for line in (trained("sngan") / "log.jsonl").read_text().splitlines()]
    assert any("train_l1" in row for row in rows)
    assert not any("validation_l1" in row for row in rows)


def test_stargan_takes_any_hand_for_a_source(trained, calligan, tmp_path, data_folder):
    run = trained("stargan", "generator.grid=8")
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert all({"cycle", "category"} <= row.keys() for row in rows if "d" in row)
    hand = tmp_path / "hand"
    hand.mkdir()
    store = PairStore.open(data_folder)
    font = store.manifest.named("slanted")
    for char in font.chars[:3]:
        glyph = np.asarray(store.images(font)[font.chars.index(char)])
        Image.fromarray(glyph).save(hand / f"{char}.png")
    Image.fromarray(glyph).save(hand / f"{char}-2.png")
    done = calligan("restyle", hand, "--model", run, "-o", hand)
    assert done.returncode == 2 and "another -o" in done.stderr
    out = tmp_path / "out"
    done = calligan("restyle", hand, "--style", "bold", "--model", run, "-o", out)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in out.glob("*.png")} == {
        "contact-sheet.png",
        f"{font.chars[2]}-2.png",
        *(f"{char}.png" for char in font.chars[:3]),
    }
    Image.fromarray(glyph).save(hand / "A.png")
    done = calligan("restyle", hand, "--model", run, "-o", out)
    assert done.returncode == 0 and "not Han characters or kana: A" in done.stderr
    out = tmp_path / "of-font"
    done = calligan("restyle", font.path, "--chars", HAN[:2], "--model", run, "-o", out)
    assert done.returncode == 0, done.stderr
    assert len(list(out.glob("*.png"))) == 3


def test_any_source_draws_sources_from_styles(data_folder):
    selection = PairStore.open(data_folder).select(["bold", "slanted"])
    batch = Pairs(selection, "train", any_source=True).random(64, 2, 0, 0)
    assert set(batch.source_style_index.tolist()) == {-1, 0, 1}
    plain = Pairs(selection, "train").random(64, 2, 0, 0)
    assert set(plain.source_style_index.tolist()) == {-1}
    pairs = Pairs(selection, "train")
    assert all(
        pairs.classes[index] == char
        for index, char in zip(plain.char_index, plain.chars[::2], strict=True)
    )


def test_vae_draws_new_hands(trained, calligan, tmp_path):
    run = trained("vae", "generator.grid=8")
    generator, _ = load_model(run / "best.safetensors")
    assert generator.log_variance is not None
    model = save_inked(run / "best.safetensors", tmp_path / "inked.safetensors")
    images = []
    for seed in (7, 7, 8):
        out = tmp_path / "v.png"
        done = calligan(
            *("infer", HAN[:2], "--style", "random", "--seed", seed, "--model", model, "-o", out)
        )
        assert done.returncode == 0, done.stderr
        images.append(Image.open(out).tobytes())
    assert images[0] == images[1]


@pytest.mark.parametrize(
    ("preset", "change", "said"),
    [
        ("sngan", {"loss": {"l1": 1.0}}, "no source glyph to reconstruct"),
        ("stargan", {"any_source": False}, "unless any_source"),
        ("stargan", {"discriminator": {"names_styles": False}}, "names_styles"),
        ("sngan", {"generator": {"kind": "noise", "widths": [8] * 6}}, "one multiple of"),
        ("sngan", {"discriminator": {"kind": "pix2pix"}}, "spectral_norm"),
        ("zi2zi", {"loss": {"wrong_style": 0.5}}, "do not depend on the style"),
        ("vae", {"loss": {"objective": "none", "penalty": 1.0}}, "no critic"),
    ],
)
def test_games_that_make_no_sense(preset, change, said):
    values = load_preset(preset)
    for key, value in change.items():
        values[key] = {**values.get(key, {}), **value} if isinstance(value, dict) else value
    with pytest.raises(ConfigError, match=said):
        from_dict(TrainConfig, values).validate()


@pytest.fixture
def narrow(monkeypatch, capsys, tmp_path):
    """Run a command in this process, where published networks have few channels: code and stderr."""
    monkeypatch.setattr(published, "_WIDTHS", (8, 16, 24, 32))
    monkeypatch.chdir(tmp_path)

    def run(*arguments) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["calligan", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().err

    return run


def test_a_hand_is_learned_from_a_network_that_cannot_freeze_parts(narrow, data_folder, tmp_path):
    run = tmp_path / "runs" / "0001"
    train = ("train", "--preset", "pix2pix", "--steps", 4, "--data", data_folder)
    code, said = narrow(*train, *settings())
    assert code == 0, said
    font = build_font(tmp_path / "half.ttf", chars=HAN[:12], weight=30)
    learn = ("learn", "half", "--from", font, "--model", run, "--steps", 2)
    of_network = ("generator", "discriminator")  # those are the model's
    more = [part for s in (*TINY, STAGE) if not s.startswith(of_network) for part in ("--set", s)]
    code, said = narrow(*learn, *more)
    assert code == 0, said
    code, said = narrow(*learn, *more, "--set", "optimizer.moves=decoder")
    assert code == 2 and "only kind calligan can freeze parts" in said
