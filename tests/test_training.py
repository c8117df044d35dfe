"""Objectives, schedule, and a loop that resumes exactly."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from conftest import HAN, TINY, build_font

from calligan.config import (
    DISCRIMINATOR_RULES,
    GENERATOR_RULES,
    MOVES,
    AugmentConfig,
    TrainConfig,
)
from calligan.errors import ConfigError, Diverged, ModelError
from calligan.models import published
from calligan.models.networks import DISCRIMINATORS, GENERATORS
from calligan.models.pixels import ink
from calligan.models.weights import load_critic, load_model
from calligan.pairs.store import PairStore
from calligan.reader import calibration
from calligan.settings import from_dict, load_preset, parse_setting, replaced
from calligan.training.augment import augment_images
from calligan.training.loop import Listener, train
from calligan.training.losses import multiscale_l1
from calligan.training.new_run import Run, create_run
from calligan.training.optimizer import orthogonalise
from calligan.training.schedule import learning_rate, progress_of, stage_at
from calligan.training.state import TrainState, checkpoints, newest_verified
from calligan.training.transfer import initial_state


@pytest.fixture(autouse=True)
def quick_calibration(monkeypatch):
    """The reader sees a few real glyphs of a style: it takes half the time of a tiny run."""
    monkeypatch.setattr(calibration, "_MAX_GLYPHS", 8)


def tiny_config(**settings) -> TrainConfig:
    values = dict(parse_setting(text) for text in TINY)
    return replaced(TrainConfig(), {"steps": 8, "minutes": None, **values, **settings})


def new_run(tmp_path, data_folder, config):
    selection = PairStore.open(data_folder).select(["bold", "slanted"])
    return create_run(tmp_path, config, selection)


def tensors_of(run):
    state = TrainState(run.config, len(run.styles))
    state.load(newest_verified(run.checkpoints))
    return dict(state._tensors()), state.counters


def stop_after(steps):
    """A listener that stops the loop when so many steps have been made."""
    asked = iter(range(1, 10_000))
    return Listener(should_stop=lambda: next(asked) >= steps)


GAMES = {
    "hinge": {},
    "wgan": {"loss.n_critic": 2},
    "wgan-gp": {"loss.n_critic": 2},
    "dragan": {},
    "ebgan": {"discriminator.kind": "autoencoder"},
    "relativistic": {},
    "f-js": {},
    "lsgan": {
        "discriminator.heads": "apart",
        "discriminator.scales": 2,
        "discriminator.widths": [8, 8],
        "loss.wrong_character": 0.5,
        "generator.embedding": "gaussian",
    },
}


@pytest.mark.parametrize(
    ("objective", "stop"), [("hinge", 1), ("hinge", 4), *((name, 6) for name in GAMES)]
)
def test_resume_is_exact(tmp_path, data_folder, objective, stop):
    """k steps, save, load, and the rest give the very tensors of an unbroken run."""
    torch.set_num_threads(1)
    config = tiny_config(**{"loss.objective": objective, **GAMES[objective]})
    config.validate()
    whole = new_run(tmp_path / "whole", data_folder, config)
    assert train(whole, whole.selection(), TrainState(config, 2), Listener())
    broken = new_run(tmp_path / "broken", data_folder, config)
    assert not train(broken, broken.selection(), TrainState(config, 2), stop_after(stop))
    resumed = Run.open(broken.folder)
    state = TrainState(resumed.config, 2)
    state.load(newest_verified(resumed.checkpoints))
    assert state.counters.step == stop
    assert train(resumed, resumed.selection(), state, Listener())
    (a, counted), (b, counted_too) = tensors_of(whole), tensors_of(resumed)
    assert a.keys() == b.keys()
    counted.elapsed_s = counted_too.elapsed_s
    if stop % config.keep_every_steps == 0:  # otherwise stopping evaluates once more
        assert counted == counted_too
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(name.startswith("discriminator-adamw/") for name in a)


def preset_config(name: str, **settings) -> TrainConfig:
    size = {"size_px": 32, "adversarial": True, "learning_rate": 1e-3, "learning_rate_end": 1e-4}
    small = {"batch_size": 4, "steps": 3, "minutes": None, "stages": [{"share": 1.0, **size}]}
    small |= {
        "eval_chars": 2,
        "sample_chars": 2,
        "keep_every_steps": 10,
        "log_every_steps": 1,
        "device": "cpu",
        "precision": "fp32",
    }
    return replaced(from_dict(TrainConfig, load_preset(name)), {**small, **settings})


@pytest.fixture
def narrow(monkeypatch):
    """The published baselines' networks with few channels."""
    monkeypatch.setattr(published, "_WIDTHS", (8, 16, 24, 32))


@pytest.mark.parametrize("preset", ["zi2zi", "pix2pix"])
def test_published_baselines_train_resume_exactly_and_draw(tmp_path, data_folder, narrow, preset):
    torch.set_num_threads(1)
    config = preset_config(preset)
    config.validate()
    whole = new_run(tmp_path / "whole", data_folder, config)
    assert train(whole, whole.selection(), TrainState(config, 2), Listener())
    broken = new_run(tmp_path / "broken", data_folder, config)
    assert not train(broken, broken.selection(), TrainState(config, 2), stop_after(1))
    state = TrainState(config, 2)
    state.load(newest_verified(broken.checkpoints))
    assert train(broken, broken.selection(), state, Listener())
    (a, _), (b, _) = tensors_of(whole), tensors_of(broken)
    assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
    generator, card = load_model(whole.best)
    source = torch.rand(2, 1, 32, 32) * 2 - 1
    with torch.inference_mode():
        one, other = (generator(source, torch.tensor([i, i])) for i in (0, 1))
    assert one.shape == source.shape and card.generator.kind == preset
    assert torch.equal(one, other) == (preset == "pix2pix")  # which knows no style


def test_a_run_can_begin_at_a_model_and_add_a_style(tmp_path, calligan, data_folder, tiny_settings):
    command = ["train", "--data", data_folder, "--runs", tmp_path, "--steps", 4, *tiny_settings]
    assert calligan(*command, "--styles", "slanted").returncode == 0
    more = calligan(*command, "--from", tmp_path / "0001")
    assert more.returncode == 0, more.stderr
    (first, _), (second, card) = (
        load_model(tmp_path / name) for name in ("0001/best.safetensors", "0002/start.safetensors")
    )
    assert all(
        torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True)
    )
    _, card = load_model(tmp_path / "0002" / "best.safetensors")
    assert [style.name for style in card.styles] == ["bold", "slanted"]
    assert card.provenance["began_at"]["step"] == 4
    run = Run.open(tmp_path / "0002")
    assert [stage.size_px for stage in run.config.stages] == [32, 32]  # none at 16 px any more
    assert sum(stage.share for stage in run.config.stages) == pytest.approx(1)
    before = initial_state(run.config, run.selection(), run.start).generator
    assert torch.equal(before.embedding.weight[1], first.embedding.weight[0])
    resumed = calligan("train", "--resume", tmp_path / "0002")
    assert resumed.returncode == 0 and "finished already" in resumed.stderr


def test_zi2zis_losses_are_in_the_log_and_change_the_numbers(tmp_path, data_folder, narrow):
    torch.set_num_threads(1)
    seen = []
    for number, change in enumerate(({}, {"loss.label_shuffling": False}, {"loss.constancy": 0.0})):
        config = preset_config("zi2zi", steps=2, **change)
        run = new_run(tmp_path / str(number), data_folder, config)
        train(run, run.selection(), TrainState(config, 2), Listener())
        seen.append(json.loads((run.folder / "log.jsonl").read_text().splitlines()[1]))
    assert {"category", "constancy", "adversarial", "d"} <= seen[0].keys()
    assert "constancy" not in seen[2]
    assert len({row["d"] for row in seen}) == len({row["g"] for row in seen}) == 3


def test_a_category_loss_needs_a_discriminator_that_names_styles():
    with pytest.raises(ConfigError, match="zi2zi"):
        tiny_config(**{"loss.category": 1.0}).validate()


def test_networks_and_presets_match_what_the_config_offers():
    assert sorted(GENERATOR_RULES) == sorted(GENERATORS)
    assert sorted(DISCRIMINATOR_RULES) == sorted(DISCRIMINATORS)
    with pytest.raises(ConfigError, match="zi2zi"):
        load_preset("zi2z")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"loss.objective": "wgan", "discriminator.spectral_norm": True},
            "clipping and spectral norm",
        ),
        ({"loss.objective": "ebgan"}, "autoencoder with loss.objective ebgan"),
        ({"discriminator.kind": "autoencoder"}, "ebgan with discriminator.kind autoencoder"),
    ],
)
def test_games_that_cannot_be_played_are_refused_with_the_reason(settings, says):
    with pytest.raises(ConfigError, match=says):
        tiny_config(**settings).validate()


@pytest.mark.parametrize("shape", [(24, 90), (90, 24), (32, 32)])
def test_orthogonalised_matrices_have_singular_values_near_one(shape):
    torch.manual_seed(0)
    matrix = torch.randn(shape) @ torch.diag(torch.linspace(0.1, 3, shape[1]))
    result = orthogonalise(matrix)
    values = torch.linalg.svdvals(result)
    assert values.min() > 0.5 and values.max() < 1.3
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    assert torch.nn.functional.cosine_similarity(result.flatten(), (u @ v).flatten(), dim=0) > 0.95


def test_l1_at_several_scales_sees_a_shift_less_than_at_one():
    drawn, wanted = torch.zeros(1, 1, 16, 16), torch.zeros(1, 1, 16, 16)
    drawn[..., 4], wanted[..., 5] = 1, 1
    assert multiscale_l1(drawn, wanted, (1, 2, 4, 8)) < multiscale_l1(drawn, wanted, (1,))
    assert multiscale_l1(wanted, wanted, (1, 2, 4, 8)) == 0


def test_schedule_covers_all_stages_and_falls():
    config = tiny_config()
    seen = [stage_at(config, progress_of(config, step, 0.0), step)[0] for step in range(8)]
    assert seen == [0, 0, 1, 1, 2, 2, 2, 2]
    by_time = tiny_config(steps=None, minutes=2.0)
    assert progress_of(by_time, 0, 60.0) == 0.5
    stage = config.stages[0]
    rates = [learning_rate(stage, share, 100, 10) for share in (0.0, 0.5, 1.0)]
    assert rates[0] == stage.learning_rate and rates[-1] == stage.learning_rate_end
    assert rates == sorted(rates, reverse=True)
    assert learning_rate(stage, 0.0, 0, 10) < stage.learning_rate / 10


def test_weights_of_the_losses_change_the_numbers(tmp_path, data_folder):
    """Every loss weight reaches the result: none is parsed and forgotten."""
    torch.set_num_threads(1)
    results = {}
    changes = {"bce": 0.5, "l1": 0.5, "scales": [1], "adversarial": 1.0, "feature_matching": 0.0}
    changes |= {"adversarial_reconstruction": 1.0, "wrong_style": 0.0}
    for number, (name, value) in enumerate([("", None), *changes.items()]):
        config = tiny_config(**({f"loss.{name}": value} if name else {}))
        run = new_run(tmp_path / str(number), data_folder, config)
        train(run, run.selection(), TrainState(config, 2), Listener())
        results[name] = tensors_of(run)[0]["generator/fold.conv.weight"]
    plain = results.pop("")
    for name, weights in results.items():
        assert not torch.equal(weights, plain), name


def test_not_a_number_stops_before_the_checkpoint_is_touched(tmp_path, data_folder):
    config = tiny_config(keep_every_steps=2)
    run = new_run(tmp_path, data_folder, config)
    state = TrainState(config, 2)
    train(run, run.selection(), state, stop_after(4))
    before = tensors_of(run)[0]
    with torch.no_grad():
        state.generator.embedding.weight[0, 0] = float("nan")
    with pytest.raises(Diverged, match="not finite at step 4"):
        train(run, run.selection(), state, Listener())
    after = tensors_of(run)[0]
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_resuming_a_finished_run_changes_nothing(tmp_path, data_folder):
    config = tiny_config(steps=5)
    run = new_run(tmp_path, data_folder, config)
    train(run, run.selection(), TrainState(config, 2), Listener())
    before = {p: p.stat().st_mtime_ns for p in run.folder.rglob("*") if p.is_file()}
    state = TrainState(config, 2)
    state.load(newest_verified(run.checkpoints))
    assert train(run, run.selection(), state, Listener())
    assert {p: p.stat().st_mtime_ns for p in run.folder.rglob("*") if p.is_file()} == before


def test_a_style_or_source_added_later_leaves_older_runs_alone(
    tmp_path, data_folder, calligan, font_folder
):
    data = tmp_path / "data"
    shutil.copytree(data_folder, data)
    config = tiny_config()
    run = new_run(tmp_path / "runs", data, config)
    train(run, run.selection(), TrainState(config, 2), stop_after(3))
    other = build_font(tmp_path / "other.ttf", slant=0.1)
    added = calligan(
        "render-pairs",
        font_folder / "bold.ttf",
        other,
        "--data",
        data,
        "--charset",
        HAN,
        "--size",
        32,
    )
    assert added.returncode == 2 and "already holds a target named bold" in added.stderr
    added = calligan(
        "render-pairs",
        other,
        font_folder / "bold.ttf",
        "--data",
        data,
        "--charset",
        HAN,
        "--size",
        32,
    )
    assert added.returncode == 0, added.stderr
    assert len(PairStore.open(data).manifest.of_role("source")) == 2
    assert calligan("train", "--resume", run.folder).returncode == 0


def test_resume_takes_the_newest_whole_checkpoint(tmp_path, data_folder):
    config = tiny_config(keep_every_steps=2)
    run = new_run(tmp_path, data_folder, config)
    train(run, run.selection(), TrainState(config, 2), Listener())
    older, newer = checkpoints(run.checkpoints)
    path = newer / "state.safetensors"
    data = bytearray(path.read_bytes())
    data[-3] ^= 4
    path.write_bytes(data)
    assert newest_verified(run.checkpoints) == older
    (older / "manifest.json").unlink()
    with pytest.raises(ModelError, match="no complete checkpoint"):
        newest_verified(run.checkpoints)


def test_kill_minus_nine_costs_only_the_steps_since_the_last_save(
    tmp_path, data_folder, calligan, killed, tiny_settings
):
    settings = [*tiny_settings, "--set", "keep_every_steps=2"]
    command = ["train", "--steps", "20", "--data", data_folder, "--runs", tmp_path, *settings]
    unbroken = calligan(*command)
    assert unbroken.returncode == 0, unbroken.stderr
    saved = tmp_path / "0002" / "checkpoints"
    killed(*command, enough=lambda: saved.is_dir() and checkpoints(saved))
    resumed = calligan("train", "--resume", tmp_path / "0002")
    assert resumed.returncode == 0, resumed.stderr
    step = int(re.search(r"going on from step (\d+)", resumed.stderr)[1])
    assert 0 < step < 20
    first, second = (Run.open(tmp_path / name) for name in ("0001", "0002"))
    a, b = tensors_of(first)[0], tensors_of(second)[0]
    assert all(torch.equal(a[name], b[name]) for name in a)
    steps = [json.loads(line)["step"] for line in (second.folder / "log.jsonl").open()]
    assert steps == [json.loads(line)["step"] for line in (first.folder / "log.jsonl").open()]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_save_once_and_exit(tmp_path, data_folder, tiny_settings, number, code):
    command = ["train", "--steps", "100000", "--data", data_folder, "--runs", tmp_path]
    process = subprocess.Popen(
        [sys.executable, "-m", "calligan", *map(str, [*command, *tiny_settings])],
        stderr=subprocess.PIPE,
        text=True,
    )
    saved = tmp_path / "0001" / "checkpoints"
    _wait_for(lambda: saved.is_dir() and checkpoints(saved))
    with pytest.raises(ConfigError, match="another process"), Run.open(tmp_path / "0001").lock():
        pytest.fail("two processes trained one run")
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in said and "--resume" in said
    counters = tensors_of(Run.open(tmp_path / "0001"))[1]
    assert f"stopped at step {counters.step:,}" in said


def test_run_folder_tells_everything_before_step_one(tmp_path, data_folder):
    config = tiny_config()
    run = new_run(tmp_path, data_folder, config)
    told = json.loads((run.folder / "run.json").read_text())
    assert told["seed"] == config.seed and told["data_hash"] and told["versions"]["torch"]
    assert Run.open(run.folder).config == config
    assert json.loads((run.folder / "split.json").read_text())["test"]


def test_best_model_is_that_of_the_last_stage_and_knows_its_data(run_folder, data_folder):
    generator, card = load_model(run_folder / "best.safetensors")
    assert generator.size_px == card.size_px == 32
    assert [style.name for style in card.styles] == ["bold", "slanted"]
    held = set("".join(card.held_out.values()))
    assert card.trained_chars and not held & set(card.trained_chars)
    assert card.metrics["stage"] == 2 and card.provenance["versions"]["torch"]
    rows = [json.loads(line) for line in (run_folder / "log.jsonl").open()]
    measured = [row for row in rows if "validation_l1" in row]
    assert measured and all(row["copy_source_l1"] > 0 for row in measured)
    assert (run_folder / "samples" / "0000008.png").is_file()


def _wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.05)


def test_source_and_targets_are_disturbed_together():
    source = torch.ones(3, 1, 32, 32)
    source[:, :, 8:20, 10:14] = -1
    target = source.repeat_interleave(2, 0)
    still = AugmentConfig(weight=0.0, amount=1.0)
    moved, moved_target = augment_images(source, target, still, seed=5)
    again, _ = augment_images(source, target, still, seed=5)
    assert torch.equal(moved, again) and not torch.equal(moved[0], moved[1])
    assert torch.equal(moved_target[0], moved_target[1])
    crossing = [(ink(moved)[i] - ink(moved_target)[2 * i]).abs().mean() for i in range(3)]
    assert max(crossing) < 0.02  # the source's edges pass through one blur more
    assert all((ink(moved)[i] - ink(source)[i]).abs().mean() > 0.005 for i in range(3))
    other, _ = augment_images(source, target, still, seed=6)
    assert not torch.equal(moved, other)


def test_with_neither_amount_nor_weight_nothing_is_disturbed():
    source, target = torch.rand(2, 1, 16, 16), torch.rand(4, 1, 16, 16)
    assert augment_images(source, target, AugmentConfig(weight=0.0), 1) == (source, target)


def test_weight_moves_the_sources_edges_only():
    source = torch.ones(64, 1, 32, 32)
    source[:, :, 8:24, 14:18] = -1
    flat = AugmentConfig(weight=0.4)
    moved, target = augment_images(source, source.clone(), flat, seed=1)
    ink_of_each = ink(moved).sum(dim=(1, 2, 3))
    assert ink_of_each.std() > 3 and float((target - source).abs().max()) < 1e-4


def test_other_negatives_and_styles_change_the_numbers(tmp_path, data_folder):
    torch.set_num_threads(1)
    changes = (
        {},
        {"loss.wrong_character": 1.0},
        {"loss.wrong_style": 0.0},
        {"discriminator.heads": "apart"},
        {"generator.embedding": "gaussian"},
        {"loss.reader": 1.0},
    )
    seen = []
    for number, change in enumerate(changes):
        config = tiny_config(**change)
        config.validate()
        run = new_run(tmp_path / str(number), data_folder, config)
        train(run, run.selection(), TrainState(config, 2), Listener())
        rows = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
        seen.append([row for row in rows if "d" in row][-1])
    assert len({(row["d"], row["g"]) for row in seen}) == len(seen)
    assert "kl" in seen[4] and not any("kl" in row for row in seen[:4])
    assert "reader" in seen[5] and not any("reader" in row for row in seen[:5])


def test_no_game_makes_no_discriminator(tmp_path, data_folder):
    torch.set_num_threads(1)
    config = tiny_config(**{"loss.objective": "none"})
    run, state = new_run(tmp_path, data_folder, config), TrainState(config, 2)
    assert train(run, run.selection(), state, Listener())
    assert state.discriminator is None and state.counters.stage == 2
    assert '"d"' not in (run.folder / "log.jsonl").read_text()


def test_a_run_can_begin_at_a_discriminator_too(tmp_path, calligan, data_folder, tiny_settings):
    command = ["train", "--data", data_folder, "--runs", tmp_path, *tiny_settings]
    assert calligan(*command, "--steps", 8, "--styles", "slanted").returncode == 0
    assert (tmp_path / "0001" / "best-critic.safetensors").exists()
    one_size = [
        "--set",
        "stages=[{share=0.5, size_px=32, adversarial=false, learning_rate=1e-3,"
        "learning_rate_end=1e-3}, {share=0.5, size_px=32, adversarial=true,"
        "learning_rate=1e-3, learning_rate_end=1e-3}]",
    ]
    done = calligan(*command, "--steps", 4, "--from", tmp_path / "0001", *one_size)
    assert done.returncode == 0, done.stderr
    run = Run.open(tmp_path / "0002")
    state = initial_state(run.config, run.selection(), run.start)
    first, card = load_critic(tmp_path / "0001" / "best-critic.safetensors")
    assert card.styles == ("slanted",)
    assert state.discriminator is None
    state.enter_stage(1)
    for name, tensor in state.discriminator.state_dict().items():
        taken = first[name][[0, 0]] if name == "embedding.weight" else first[name]
        assert torch.equal(tensor, taken.float())


@pytest.mark.parametrize("moves", MOVES)
def test_only_what_should_move_moves(tmp_path, data_folder, moves):
    torch.set_num_threads(1)
    config = tiny_config(**{"optimizer.moves": moves})
    run, state = new_run(tmp_path, data_folder, config), TrainState(config, 2)
    before = {name: p.detach().clone() for name, p in state.generator.named_parameters()}
    train(run, run.selection(), state, Listener())
    after = dict(state.generator.named_parameters())
    same_shape = [name for name in before if before[name].shape == after[name].shape]
    moved = {name for name in same_shape if not torch.equal(before[name], after[name])}
    assert "embedding.weight" in moved
    assert any("encoder" in name for name in moved) == (moves == "all")
    assert any("decoder" in name and "film" not in name for name in moved) == (
        moves in ("all", "decoder")
    )
    assert any("film" in name for name in moved) == (moves != "style")
