"""Learning learns: one batch is learned by heart, averages follow, each game pushes the right way.

Everything here goes through `training_step`, on a tiny batch from a fixed seed. The two styles
differ plainly (one shifts the source to the right, the other turns it over), so that a mixed-up
index is seen in the pictures.
"""

import pytest
import torch
from conftest import TINY
from torch import Tensor, nn

from calligan.config import MOVES, OptimizerConfig, TrainConfig
from calligan.models.layers import GroupNorm
from calligan.settings import parse_setting, replaced
from calligan.training.example import Example
from calligan.training.objectives import OBJECTIVES
from calligan.training.optimizer import generator_optimizers
from calligan.training.state import TrainState
from calligan.training.steps import training_step

SIZE = 16
PLAIN = 0  # a stage without a discriminator
GAME = 1  # a stage with one


def example(chars: int = 4) -> Example:
    """A few sources, each in both styles."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(chars, 1, 4, 4, generator=generator) < 0.4
    source = 1 - 2 * coarse.float().repeat_interleave(4, 2).repeat_interleave(4, 3)
    target = torch.stack([source.roll(3, 3), source.flip(2)], dim=1).flatten(0, 1)
    style = torch.tensor([0, 1] * chars)
    return Example(source, target, style, 1 - style, torch.full((chars,), -1), torch.arange(chars))


def state_of(stage: int = PLAIN, **settings) -> TrainState:
    values = dict(parse_setting(text) for text in TINY)
    values |= {"steps": 8, "minutes": None, "generator.grid": 8, "ema_decay": 0.9}
    rates = {"learning_rate": 2e-3, "learning_rate_end": 1e-3}
    values["stages"] = [
        {"share": 0.5, "adversarial": stage == GAME, "size_px": SIZE, **rates}
        for stage in (PLAIN, GAME)
    ]
    torch.set_num_threads(1)
    state = TrainState(replaced(TrainConfig(), values | settings), 2)
    if stage:
        state.enter_stage(stage)
    return state


def l1(network: nn.Module, batch: Example, style_index: Tensor) -> float:
    """Mean difference of ink between what a generator draws in given styles and the targets."""
    network.eval()
    with torch.no_grad():
        drawn = network(batch.source, style_index)
    network.train()
    return float((drawn - batch.target).abs().mean() / 2)


def flat(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()]).clone()


@pytest.fixture(scope="module")
def learned() -> tuple[TrainState, Example, float]:
    """A state after 60 steps on one batch, the batch, and the difference before step one."""
    state, batch = state_of(), example()
    before = l1(state.generator, batch, batch.style_index)
    for _ in range(60):
        training_step(state, batch, 8e-3)
        state.counters.step += 1
    return state, batch, before


def test_one_batch_is_learned_by_heart(learned):
    state, batch, before = learned
    after = l1(state.generator, batch, batch.style_index)
    assert before > 0.3 and after < 0.025, (before, after)


def test_each_style_is_drawn_under_its_own_index(learned):
    state, batch, _ = learned
    right, swapped = (
        l1(state.generator, batch, i) for i in (batch.style_index, 1 - batch.style_index)
    )
    assert swapped > 0.2 > 4 * right


def test_each_character_is_drawn_from_its_own_source(learned):
    state, batch, _ = learned
    others = Example(batch.source.roll(1, 0), *list(vars(batch).values())[1:])
    assert l1(state.generator, others, batch.style_index) > 0.2
    each = batch.source_of_each
    assert torch.equal(each[0::2], batch.source) and torch.equal(each[1::2], batch.source)


def test_average_weights_learn_too(learned):
    state, batch, _ = learned
    assert l1(state.average, batch, batch.style_index) < 0.03
    assert not torch.equal(flat(state.average), flat(state.generator))


@pytest.mark.parametrize(("step", "share"), [(0, 0.9), (30, 9 / 40), (10_000, 0.1)])
def test_average_weights_follow_by_their_share(step, share):
    """At decay d they move by 1 - d of the way; d is (1 + step) / (10 + step), 0.9 at most."""
    state, batch = state_of(), example()
    state.counters.step = step
    with torch.no_grad():
        for parameter in state.average.parameters():
            parameter.add_(1.0)  # far from the generator, so that the share can be measured
    before = flat(state.average)
    training_step(state, batch, 1e-3)
    way = flat(state.generator) - before
    assert torch.allclose(flat(state.average) - before, share * way, rtol=1e-3, atol=1e-4)
    assert not any(parameter.requires_grad for parameter in state.average.parameters())


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_each_optimizer_descends(kind):
    """Alone, the other standing still, it lowers the loss of a small convolution."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.SiLU(), nn.Conv2d(16, 8, 1))
    given, wanted = torch.randn(4, 8, 6, 6), torch.randn(4, 8, 6, 6) * 3
    optimizers = generator_optimizers(network, OptimizerConfig(), fused=False)
    assert set(optimizers) == {"adamw", "muon"}
    losses = []
    for _ in range(20):
        loss = (network(given) - wanted).square().mean()
        network.zero_grad()
        loss.backward()
        for group in optimizers[kind].param_groups:
            group["lr"] = 5e-3
        optimizers[kind].step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.05 and losses[5] < losses[0]


@pytest.mark.parametrize("muon_rate", [0.0, 10.0])
def test_a_step_lowers_the_loss_of_its_own_batch(muon_rate):
    state, batch = state_of(**{"optimizer.muon_rate": muon_rate}), example()
    losses = [float(training_step(state, batch, 5e-4)["reconstruction"]) for _ in range(6)]
    assert losses == sorted(losses, reverse=True)


def test_a_step_moves_the_generator_by_its_rate():
    """No rate, no move; and a discriminator's rate is not the generator's."""
    for rate, share, moves in ((0.0, 1.0, (False, False)), (1e-3, 0.0, (True, False))):
        state = state_of(GAME, **{"optimizer.discriminator_rate": share})
        networks = (state.generator, state.discriminator)
        before = [flat(network) for network in networks]
        training_step(state, example(), rate)
        after = [flat(network) for network in networks]
        assert tuple(not torch.equal(*pair) for pair in zip(before, after, strict=True)) == moves


@pytest.mark.parametrize("moves", [name for name in MOVES if name != "all"])
def test_frozen_parts_stay_and_the_others_move(moves):
    state = state_of(GAME, **{"optimizer.moves": moves})
    before = {name: value.clone() for name, value in state.generator.named_parameters()}
    training_step(state, example(), 1e-3)
    moved = {
        name.split(".")[0] if "film" not in name else "film"
        for name, value in state.generator.named_parameters()
        if not torch.equal(value, before[name])
    }
    wanted = {"embedding"} | ({"film"} if moves != "style" else set())
    if moves == "decoder":
        wanted |= {"middle", "decoder", "norm", "unfold"}
    assert moved == wanted


def test_norms_learn_behind_frozen_layers():
    """Channels last, where torch's own kernel ends the process."""
    norm, plain = GroupNorm(8, 32), nn.GroupNorm(8, 32)
    frozen = torch.randn(4, 32, 8, 8).contiguous(memory_format=torch.channels_last)
    norm(frozen).square().sum().backward()
    plain(frozen.clone().requires_grad_()).square().sum().backward()
    torch.testing.assert_close(norm.weight.grad, plain.weight.grad)
    assert not frozen.requires_grad


STILL = 1e-8  # a rate at which the generator hardly moves ...
STRONG = {"optimizer.discriminator_rate": 5e5}  # ... and the discriminator does
GAMES = sorted(OBJECTIVES.keys() - {"none"})


def game(name: str, **settings) -> TrainState:
    """A game and nothing else: what is drawn is judged by the discriminator alone."""
    alone = {"feature_matching": 0.0, "adversarial_reconstruction": 0.0, "adversarial": 1.0}
    values = {f"loss.{key}": value for key, value in alone.items()}
    values |= {"loss.objective": name, "loss.wrong_style": 0.0, "loss.n_critic": 1}
    if name == "ebgan":
        values["discriminator.kind"] = "autoencoder"
    return state_of(GAME, **values | settings)


def scores(state: TrainState, batch: Example, style_index: Tensor | None = None) -> tuple:
    """Mean scores of the real glyphs and of those that the generator draws."""
    source, index = batch.source_of_each, batch.style_index if style_index is None else style_index
    with torch.no_grad():
        drawn = state.generator(batch.source, batch.style_index)
        return tuple(
            float(state.discriminator(source, glyphs, index).mean())
            for glyphs in (batch.target, drawn)
        )


@pytest.mark.parametrize("name", GAMES)
def test_a_generator_climbs_in_the_eyes_of_its_discriminator(name):
    """The discriminator stands still: what is drawn comes to be judged more real."""
    state, batch = game(name, **{"optimizer.discriminator_rate": 0.0}), example()
    training_step(state, batch, 0.0)  # where weights are clipped, they are from now on
    _, before = scores(state, batch)
    for _ in range(4):
        training_step(state, batch, 5e-4)
    _, after = scores(state, batch)
    assert after > before


@pytest.mark.parametrize("name", GAMES)
def test_a_discriminator_learns_to_tell_real_from_drawn(name):
    """The generator stands still: real glyphs come to be judged more real than drawn ones."""
    rate = 5e5 if name == "wgan" else 1e5  # the f-GANs leave float32 where they move fast
    state, batch = game(name, **{"optimizer.discriminator_rate": rate}), example()
    training_step(state, batch, 0.0)  # clips
    before = scores(state, batch)
    for _ in range(20 if name in ("wgan", "ebgan") else 8):
        training_step(state, batch, STILL)
    after = scores(state, batch)
    if name == "ebgan":  # what is drawn is beyond the margin already: only real glyphs are pulled
        assert after[0] > before[0] + 0.5
    else:
        assert after[0] - after[1] > before[0] - before[1]


@pytest.mark.parametrize(
    ("name", "heads"),
    [("hinge", "joint"), ("vanilla", "apart"), ("lsgan", "joint"), ("wgan-gp", "apart")],
)
def test_a_real_glyph_under_a_wrong_style_is_judged_wrong(name, heads):
    chosen = {"loss.wrong_style": 1.0, "discriminator.heads": heads}
    state, batch = game(name, **STRONG, **chosen), example()
    for _ in range(20):
        training_step(state, batch, STILL)
    right, _ = scores(state, batch)
    wrong, _ = scores(state, batch, batch.wrong_style_index)
    assert right > wrong + 0.1


def test_a_real_glyph_beside_a_wrong_source_is_judged_wrong():
    margins = []
    batch = example()
    others = Example(batch.source.roll(1, 0), *list(vars(batch).values())[1:])
    for weight in (0.0, 1.0):
        state = game("hinge", **STRONG, **{"loss.wrong_character": weight})
        for _ in range(30):
            training_step(state, batch, STILL)
        margins.append(scores(state, batch)[0] - scores(state, others)[0])
    assert margins[1] > 0.1 and margins[1] > margins[0] + 0.2, margins


def test_style_names_are_learned_for_what_they_are():
    """A discriminator that names styles comes to name the right ones, and its loss says so."""
    chosen = {"loss.category": 1.0, "discriminator.names_styles": True}
    state, batch = game("hinge", **STRONG, **chosen), example()
    for _ in range(30):
        training_step(state, batch, STILL)
    with torch.no_grad():
        named = state.discriminator.categories(
            state.discriminator.features(batch.source_of_each, batch.target)
        )
    assert torch.equal(named.argmax(dim=1), batch.style_index)
