"""Numbers of training that can be worked out by hand: objectives, losses, weights, schedule."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_learning import GAME, example, flat, state_of
from torch import Tensor

from calligan.config import LossConfig, StageConfig, TrainConfig
from calligan.errors import Diverged
from calligan.training import steps, terms
from calligan.training.example import Drawn
from calligan.training.losses import (
    distance_reconstruction,
    feature_matching,
    multiscale_l1,
    reconstruction,
)
from calligan.training.objectives import OBJECTIVES
from calligan.training.penalties import PENALTIES
from calligan.training.ranks import Ranks
from calligan.training.schedule import learning_rate, progress_of, stage_at
from calligan.training.steps import training_step

REAL, FAKE = (0.5, -1.5, 2.25), (0.25, 2.0, -1.75)
R, G = (np.array(scores) for scores in (REAL, FAKE))
LOG_2 = math.log(2)


def soft(x: np.ndarray) -> np.ndarray:
    return np.log1p(np.exp(x))


CLASSIC = (soft(-R).mean() + soft(G).mean(), soft(-G).mean())
CRITIC = (G.mean() - R.mean(), -G.mean())
# The discriminator's loss and the generator's, by the formulas of the papers.
LOSSES = {
    "none": (0.0, 0.0),
    "minimax": (CLASSIC[0], -soft(G).mean()),
    "vanilla": CLASSIC,
    "dragan": CLASSIC,
    "lsgan": ((np.mean((R - 1) ** 2) + np.mean(G**2)) / 2, np.mean((G - 1) ** 2) / 2),
    "wgan": CRITIC,
    "wgan-gp": CRITIC,
    "hinge": (np.maximum(0, 1 - R).mean() + np.maximum(0, 1 + G).mean(), -G.mean()),
    "ebgan": (np.maximum(0, 1 + G).mean() - R.mean(), -G.mean()),
    "relativistic": (
        (soft(G.mean() - R).mean() + soft(G - R.mean()).mean()) / 2,
        (soft(R.mean() - G).mean() + soft(R - G.mean()).mean()) / 2,
    ),
    "f-kl": (np.exp(G - 1).mean() - R.mean(), -G.mean()),
    "f-reverse-kl": ((G - 1).mean() + np.exp(-R).mean(), np.exp(-G).mean()),
    "f-pearson": ((G**2 / 4 + G).mean() - R.mean(), -G.mean()),
    "f-hellinger": ((np.exp(G) - 1).mean() - (1 - np.exp(-R)).mean(), (np.exp(-G) - 1).mean()),
    "f-js": (
        (soft(G) - LOG_2).mean() - (LOG_2 - soft(-R)).mean(),
        (soft(-G) - LOG_2).mean(),
    ),
}
RULES = {  # penalty, its weight, clip, updates of the discriminator
    "wgan": ("", 0, 0.01, 5),
    "wgan-gp": ("interpolated", 10, 0, 5),
    "dragan": ("perturbed", 10, 0, 1),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_is_its_papers_formula(name):
    objective = OBJECTIVES[name]
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    found = (float(objective.discriminator(real, fake)), float(objective.generator(real, fake)))
    assert found == pytest.approx(LOSSES[name], abs=1e-6)
    rules = (objective.penalty, objective.penalty_weight, objective.clip, objective.n_critic)
    assert rules == RULES.get(name, ("", 0, 0, 1))
    assert objective.relative == (name == "relativistic")


def test_penalties_of_a_slope_that_is_known():
    """Each sample's slope is (3, 4): its norm is 5. A batch of grids is scored by its mean."""
    slope = torch.tensor([3.0, 4.0]).view(1, 1, 1, 2)

    def score(images: Tensor) -> Tensor:
        return (images * slope).flatten(1).sum(1)[:, None].repeat(1, 6)

    three = torch.randn(3, 4, 1, 1, 2).unbind()
    for name, wanted in (("interpolated", 16), ("perturbed", 16), ("r1", 12.5)):
        assert float(PENALTIES[name](score, *three)) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("name", ["wgan-gp", "dragan", "hinge"])
def test_a_penalty_is_measured_where_its_paper_says(name):
    """Somewhere between real and drawn, at real glyphs with noise, or at the real ones."""
    update = stub_update(terms.DiscriminatorUpdate)
    config = update.state.config
    update.state.config = replace(config, loss=replace(config.loss, objective=name))
    real, seen = update.example.critic_input, []
    update.critic.features = lambda source, glyph: [seen.append(glyph.detach()) or glyph]
    torch.manual_seed(0)
    for _ in range(50):
        terms._gradient_penalty(update)
    moved = torch.stack(seen) - real
    shares = moved / (0.5 - real)
    if name == "wgan-gp":  # the same for the whole of a glyph
        assert 0 <= shares.min() < 0.05 and 0.95 < shares.max() <= 1
        assert float(shares.mean()) == pytest.approx(0.5, abs=0.1)
        assert torch.allclose(shares, shares[..., :1, :1].expand_as(shares), atol=1e-5)
    else:  # half the deviation of the batch
        wanted = float(real.std()) / 2 if name == "dragan" else 0
        assert float(moved.mean()) == pytest.approx(0, abs=0.01)
        assert float(moved.std()) == pytest.approx(wanted, rel=0.1)


STAGES = tuple(StageConfig(share, 32, False, 2e-3, 1e-3) for share in (0.25, 0.25, 0.5))
THREE = replace(TrainConfig(), stages=STAGES, steps=8, minutes=None)


@pytest.mark.parametrize(
    ("progress", "index", "done"),
    [
        (0, 0, 0),
        (0.24, 0, 0.96),
        (0.25, 1, 0),
        (0.25 - 1e-10, 1, 0),
        (0.45, 1, 0.8),
        (0.5, 2, 0),
        (0.75, 2, 0.5),
        (1, 2, 1),
        (1.2, 2, 1),
    ],
)
def test_stages_follow_each_other_by_their_shares(progress, index, done):
    assert stage_at(THREE, progress, 0) == (index, pytest.approx(done, abs=1e-8))


@pytest.mark.parametrize(
    ("progress", "step", "index", "done"),
    [(0.3, 4, 0, 1), (0.3, 5, 1, 0.2), (0.1, 9, 0, 0.4), (1.2, 4, 0, 1), (0.6, 4, 0, 1)],
)
def test_a_stage_does_not_begin_before_its_least_step(progress, step, index, done):
    later = (STAGES[0], replace(STAGES[1], min_step=5), STAGES[2])
    config = replace(THREE, stages=later)
    assert stage_at(config, progress, step) == (index, pytest.approx(done, abs=1e-8))


def test_progress_is_in_steps_or_in_minutes():
    assert progress_of(THREE, 3, 1e9) == 3 / 8
    assert progress_of(replace(THREE, steps=None, minutes=2.0), 10**9, 90.0) == 0.75


@pytest.mark.parametrize(
    ("share", "step", "warmup", "rate"),
    [
        (0.25, 99, 9, 1e-3 + 1e-3 * (1 + math.sqrt(0.5)) / 2),
        (0.5, 99, 9, 1.5e-3),
        (0, 4, 9, 1e-3),  # half of the warm-up
        (0, 9, 9, 2e-3),
        (1, 0, 0, 1e-3),
        (0, 0, 1, 1e-3),
    ],
)
def test_rates_warm_up_and_fall_by_the_cosine(share, step, warmup, rate):
    assert learning_rate(STAGES[0], share, step, warmup) == pytest.approx(rate)


def pooled(image: np.ndarray, k: int) -> np.ndarray:
    return image.reshape(len(image) // k, k, -1, k).mean(axis=(1, 3))


def test_reconstruction_is_what_its_settings_say():
    rng = np.random.default_rng(0)
    logits, target = rng.normal(0, 2, (4, 4)), rng.uniform(-1, 1, (4, 4))
    drawn, wanted = 1 / (1 + np.exp(-logits)), (1 - target) / 2
    bce = -(wanted * np.log(drawn) + (1 - wanted) * np.log(1 - drawn)).mean()
    l1 = np.mean([np.abs(pooled(drawn, k) - pooled(wanted, k)).mean() for k in (1, 2)])
    config = LossConfig(bce=0.3, l1=0.7, scales=(1, 2))
    tensors = [torch.tensor(image)[None, None] for image in (logits, target)]
    assert float(reconstruction(*tensors, config)) == pytest.approx(0.3 * bce + 0.7 * l1)
    plain = [torch.tensor(image)[None, None] for image in (drawn, wanted)]
    assert float(multiscale_l1(*plain, (1, 2))) == pytest.approx(l1)
    a, b = 3 * logits, 3 * target
    whole, near = (
        np.mean([np.abs(pooled(f(a), k) - pooled(f(b), k)).mean() for k in (1, 2)])
        for f in (lambda x: x / 3, np.tanh)
    )
    fields = [torch.tensor(image)[None, None] for image in (a, b)]
    found = float(distance_reconstruction(*fields, config))
    assert found == pytest.approx(0.7 * (whole + near) / 2)


def test_feature_matching_is_the_mean_over_layers():
    real = [torch.zeros(2, 3), torch.zeros(4)]
    fake = [torch.full((2, 3), 0.5), torch.tensor([1.0, -2.0, 0.0, 0.0])]
    assert float(feature_matching(real, fake)) == pytest.approx((0.5 + 0.75) / 2)


class StubCritic:
    """Scores that can be worked out: 2 source + 3 glyph + style, of pictures of one grey."""

    styles = 2

    def features(self, source, glyph, windows=None):
        return [2 * source + 3 * glyph]

    def score(self, features, style_index):
        return features[0].mean(dim=(1, 2, 3)) + style_index

    def matching_scores(self, scores):
        return 10 * scores

    def categories(self, features):
        level = features[0].mean(dim=(1, 2, 3))
        return torch.stack([level, -level], dim=1)


def stub_update(kind, drawn: int = 1, **settings):
    """An update of two sources in two styles each; `drawn` says in how many ways they are drawn."""
    batch = example(2)
    grey = torch.tensor([0.1, 0.2, 0.3, 0.4])
    batch = replace(
        batch,
        source=torch.tensor([1.0, -0.5]).view(2, 1, 1, 1).expand(2, 1, 4, 4),
        target=grey.view(4, 1, 1, 1).expand(4, 1, 4, 4),
    )
    made = []
    for number in range(drawn):
        image = torch.full((4, 1, 4, 4), 0.5 + number)
        style = batch.style_index if number == 0 else batch.wrong_style_index
        made.append(Drawn(style, image, image, image))
    config = replace(TrainConfig(), loss=LossConfig(objective="wgan", **settings))
    state = SimpleNamespace(config=config, discriminator=StubCritic(), generator=SimpleNamespace())
    return kind(state, batch, made)


SOURCE = np.array([1, 1, -0.5, -0.5])
STYLE = np.array([0, 1, 0, 1])
REAL_SCORES = 2 * SOURCE + 3 * np.array([0.1, 0.2, 0.3, 0.4]) + STYLE
FAKE_SCORES = 2 * SOURCE + 1.5 + STYLE


def test_discriminator_terms_compare_what_they_say():
    """The objective is fake - real; matching scores are ten times as large."""
    update = stub_update(terms.DiscriminatorUpdate, drawn=2)
    real = REAL_SCORES.mean()
    swapped = (2 * SOURCE + 4.5 + 1 - STYLE).mean()
    wanted = ((FAKE_SCORES.mean() - real) + (swapped - real)) / 2
    assert float(terms._real_fake_loss(update)) == pytest.approx(wanted)
    wrong = (REAL_SCORES - STYLE + 1 - STYLE).mean()
    assert float(terms._wrong_style_loss(update)) == pytest.approx(10 * (wrong - real), abs=1e-5)
    # With the other character's source the mean stays: compare by a score that is not linear.
    update.critic.score = lambda features, style: features[0].mean(dim=(1, 2, 3)) ** 2 + style
    others = (2 * SOURCE[::-1] + 3 * np.array([0.1, 0.2, 0.3, 0.4])) ** 2 + STYLE
    own = (REAL_SCORES - STYLE) ** 2 + STYLE
    update = replace(update)
    found = float(terms._wrong_character_loss(update))
    assert found == pytest.approx(10 * (others.mean() - own.mean()), rel=1e-5)


@pytest.mark.parametrize("kind", [terms.DiscriminatorUpdate, terms.GeneratorUpdate])
def test_the_discriminator_sees_real_and_generated_glyphs_with_the_same_noise(kind):
    """Of the configured deviation, and fresh for every update."""
    torch.manual_seed(0)
    noises = []
    for _ in range(2):
        update = stub_update(kind)
        plain = update.real[0] - update.fake[0][0]
        noisy = replace(update.state.config.discriminator, input_noise=0.3)
        update.state.config = replace(update.state.config, discriminator=noisy)
        found = kind(update.state, update.example, update.drawn)
        assert torch.allclose(found.real[0] - found.fake[0][0], plain, atol=1e-6)
        noises.append((found.fake[0][0] - update.fake[0][0]) / 3)  # the stub's factor
    assert float(noises[0].std()) == pytest.approx(0.3, rel=0.3)
    assert not torch.allclose(*noises)


def test_category_terms_are_means_over_what_is_named():
    def named(levels: np.ndarray, style: np.ndarray) -> float:
        return float(soft(np.where(style == 0, -2, 2) * levels).mean())

    grey = np.array([0.1, 0.2, 0.3, 0.4])
    real, fake = 2 * SOURCE + 3 * grey, 2 * SOURCE + 1.5
    update = stub_update(terms.DiscriminatorUpdate)
    wanted = (named(real, STYLE) + named(fake, STYLE)) / 2
    assert float(terms._discriminator_category_loss(update)) == pytest.approx(wanted, rel=1e-5)
    both = stub_update(terms.GeneratorUpdate, drawn=2)
    wanted = (named(fake, STYLE) + named(2 * SOURCE + 4.5, 1 - STYLE)) / 2
    assert float(terms._generator_category_loss(both)) == pytest.approx(wanted, rel=1e-5)


def test_generator_terms_compare_what_they_say():
    update = stub_update(terms.GeneratorUpdate, drawn=2)
    wanted = -(FAKE_SCORES.mean() + (2 * SOURCE + 4.5 + 1 - STYLE).mean()) / 2
    assert float(terms._adversarial_loss(update)) == pytest.approx(wanted)
    grey = np.array([0.1, 0.2, 0.3, 0.4])
    matching = float(terms._feature_matching_loss(update))
    assert matching == pytest.approx(np.abs(3 * (0.5 - grey)).mean(), rel=1e-5)


def test_weights_of_terms_are_those_of_their_settings():
    settings = dict(wrong_style=0.6, wrong_character=0.7, category=0.8, penalty=0.9, cycle=1.1)
    settings |= dict(adversarial=1.2, feature_matching=1.3, constancy=1.4, reader=1.5, kl=1.6)
    settings |= dict(adversarial_reconstruction=1.7)

    def weights(kind, entries, change=lambda update: None) -> list[float]:
        update = stub_update(kind, **settings)
        update.state.generator.log_variance = object()
        change(update)
        return [weigh(update) for _, weigh, _ in entries]

    critic = (terms.DiscriminatorUpdate, terms.DISCRIMINATOR_TERMS)
    assert weights(*critic) == [1.0, 0.6, 0.7, 0.8, 0.9]
    assert weights(*critic, lambda u: setattr(u.critic, "styles", 1))[1] == 0
    for count, weight in ((1, 0), (2, 0.7)):  # a single character has no wrong one
        chars = replace(stub_update(critic[0]).example, source=torch.zeros(count, 1, 4, 4))
        assert weights(*critic, lambda u, e=chars: setattr(u, "example", e))[2] == weight
    generator = (terms.GeneratorUpdate, terms.GENERATOR_TERMS)
    assert weights(*generator) == [1.7, 1.2, 1.3, 0.8, 1.1, 1.4, 1.5, 1.6]
    assert weights(*generator, lambda u: setattr(u.state.generator, "log_variance", None))[7] == 0
    plain = weights(*generator, lambda u: setattr(u.state, "discriminator", None))
    assert plain == [1.0, 0, 0, 0, 1.1, 1.4, 1.5, 1.6]
    assert terms.penalty_weight(LossConfig(objective="wgan-gp")) == 10
    assert terms.penalty_weight(LossConfig(objective="wgan-gp", penalty=0.0)) == 0
    assert terms.penalty_weight(LossConfig(objective="hinge")) == 0


def test_a_sum_of_terms_is_weighted():
    listed = [terms.Term("a", 2.0, torch.tensor(3.0)), terms.Term("b", 0.5, torch.tensor(-4.0))]
    assert float(terms.weighted_sum(listed)) == 4.0


def test_the_generator_waits_for_the_discriminators_updates():
    settings = {"loss.n_critic": 3, "optimizer.discriminator_rate": 0.5, "optimizer.muon_rate": 7.0}
    state, batch, moved, told = state_of(GAME, **settings), example(), [], []
    for step in range(4):
        state.counters.step = step
        before = flat(state.generator), flat(state.discriminator)
        told.append(set(training_step(state, batch, 1e-3)))
        after = flat(state.generator), flat(state.discriminator)
        moved.append(tuple(not torch.equal(*pair) for pair in zip(before, after, strict=True)))
    assert moved == [(True, True), (False, True), (False, True), (True, True)]
    assert told[1] == {"d"} and {"d", "g", "adversarial", "reconstruction"} <= told[0]
    for kind, optimizer in state.generator_optimizers.items():
        rate = {"adamw": 1e-3, "muon": 7e-3}[kind]
        assert [g["lr"] for g in optimizer.param_groups] == pytest.approx([rate])
    optimizers = state.discriminator_optimizers.values()
    assert {g["lr"] for o in optimizers for g in o.param_groups} == {5e-4}
    assert all(p.requires_grad for p in state.discriminator.parameters())


def test_weights_are_clipped_where_the_paper_does():
    state = state_of(GAME, **{"loss.objective": "wgan"})
    training_step(state, example(), 1e-3)
    assert float(flat(state.discriminator).abs().max()) == pytest.approx(0.01)
    state = state_of(GAME, **{"loss.objective": "hinge"})
    training_step(state, example(), 1e-3)
    assert float(flat(state.discriminator).abs().max()) > 0.05


def test_a_gradient_that_is_not_finite_moves_nothing():
    state, batch = state_of(), example()
    batch.target[0, 0, 0, 0] = float("nan")
    before = flat(state.generator)
    with pytest.raises(Diverged, match="not finite at step 0"):
        training_step(state, batch, 1e-3)
    assert torch.equal(flat(state.generator), before)


def test_windows_lie_anywhere_in_the_image_and_are_shared_out():
    config = state_of(GAME, **{"discriminator.crop_px": 12}).config
    torch.manual_seed(0)
    seen = [steps._random_windows(config, 16, Ranks()) for _ in range(40)]
    assert {windows.shape for windows in seen} == {(8, 2)}
    for axis in (0, 1):
        assert {int(each) for windows in seen for each in windows[:, axis]} == {0, 1, 2, 3, 4}
    odd = replace(config, discriminator=replace(config.discriminator, crop_px=11))
    places = torch.cat([steps._random_windows(odd, 16, Ranks()) for _ in range(40)])
    assert set(places.flatten().tolist()) == {0, 1, 2, 3, 4, 5}
    torch.manual_seed(0)
    assert torch.equal(steps._random_windows(config, 16, Ranks(1, 4)), seen[0][2:4])
    torch.manual_seed(0)
    assert torch.equal(steps._random_windows(config, 16, Ranks(1, 3)), seen[0])
    assert steps._random_windows(TrainConfig(), 16, Ranks()) is None


def test_a_cycle_is_measured_where_the_source_is_a_style():
    """Drawn at 0.5, and back in style 1 at 0.75; the source of that style is paper, 1."""
    update = stub_update(terms.GeneratorUpdate, drawn=2)
    made = update.state.generator
    made.style, made.image = lambda index: index * 0.25, lambda field: field
    update.state.field = lambda image, style: image + style.view(-1, 1, 1, 1)
    for origin, wanted in (([1, -1], 0.125), ([-1, 0], 0.5), ([-1, -1], 0.0)):
        update.example = replace(update.example, source_style_index=torch.tensor(origin))
        assert float(terms._cycle_loss(update)) == pytest.approx(wanted)


def test_encodings_of_source_and_drawn_glyphs_are_compared():
    """Codes are twice the grey: 2, 2, -1, -1 of the sources, 1 and 3 of what is drawn."""
    update = stub_update(terms.GeneratorUpdate, drawn=2)
    update.state.generator.encode = lambda images: [images * 0, images * 2]
    assert float(terms._constancy_loss(update)) == pytest.approx((2.5 + 8.5) / 2)
    update.state.generator.divergence = lambda index: index.sum() / 8
    assert float(terms._kl_loss(update)) == 0.25


def test_the_reader_sees_what_is_drawn_up_to_three_pixels_away():
    update, seen = stub_update(terms.GeneratorUpdate), []
    update.state.reader = lambda drawn, source: drawn.mean((1, 2, 3)) - source.mean((1, 2, 3))
    wanted = soft(-(0.5 - SOURCE)).mean()
    assert float(terms._reader_loss(update)) == pytest.approx(wanted, rel=1e-5)
    size = terms.SIZE_PX
    marked = torch.zeros(4, 1, size, size)
    marked[..., 10, 20] = 1
    update.drawn = [replace(update.drawn[0], image=marked)]
    update.state.reader = lambda drawn, source: seen.append(divmod(int(drawn[0].argmax()), size))
    torch.manual_seed(0)
    for _ in range(60):
        with pytest.raises(TypeError):  # this reader only looks
            terms._reader_loss(update)
    assert {row for row, _ in seen} == set(range(7, 14))
    assert {column for _, column in seen} == set(range(17, 24))
