"""Objectives against closed forms, penalties against finite differences."""

import math

import pytest
import torch

from calligan.training.objectives import EBGAN_MARGIN, OBJECTIVES
from calligan.training.penalties import PENALTIES, gradient_norm

GRID = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
MU = 0.8  # the distance between two Gaussians of variance 1
P, Q = (torch.exp(-((GRID - m) ** 2) / 2) / math.sqrt(2 * math.pi) for m in (0.0, MU))
RATIO = torch.exp((MU**2 - 2 * MU * GRID) / 2)  # p / q
STEP = float(GRID[1] - GRID[0])


def test_games_stay_finite_at_scores_that_no_conjugate_could_take():
    far = torch.tensor([40.0])
    for name in ("f-js", "f-hellinger", "f-reverse-kl", "vanilla", "relativistic"):
        assert torch.isfinite(OBJECTIVES[name].discriminator(far, far)), name


class Mean:
    """Scores whose mean is an expectation under a density."""

    @staticmethod
    def of(values: torch.Tensor, density: torch.Tensor) -> float:
        return float((values * density).sum() * STEP)


def js(p, q):
    m = (p + q) / 2
    return float((p * torch.log(p / m) + q * torch.log(q / m)).sum() * STEP)


# (activation, conjugate) at the optimum v*, where g(v*) = f'(p / q); and the divergence itself.
F_GANS = {
    "f-kl": (1 + torch.log(RATIO), MU**2 / 2),
    "f-reverse-kl": (torch.log(RATIO), MU**2 / 2),
    "f-pearson": (2 * (RATIO - 1), math.exp(MU**2) - 1),
    "f-hellinger": (torch.log(RATIO) / 2, 2 - 2 * math.exp(-(MU**2) / 8)),
    "f-js": (torch.log(RATIO), js(P, Q)),
}


def expected_loss(name: str, scores: torch.Tensor) -> float:
    """The discriminator's loss with scores at GRID, real drawn from P and fake from Q.

    The losses are means, so samples in proportion to a density give its expectation.
    """
    generator = torch.Generator().manual_seed(0)
    real, fake = (
        scores[torch.multinomial(density, 400_000, replacement=True, generator=generator)]
        for density in (P, Q)
    )
    return float(OBJECTIVES[name].discriminator(real, fake))


@pytest.mark.parametrize("name", F_GANS)
def test_an_f_gan_at_its_optimum_measures_its_divergence(name):
    best, divergence = F_GANS[name]
    assert -expected_loss(name, best) == pytest.approx(divergence, rel=0.03)
    for worse in (best + 0.3, best - 0.3, best * 0.7):
        assert -expected_loss(name, worse) < divergence * 0.995


@pytest.mark.parametrize("name", ["minimax", "vanilla", "dragan"])
def test_the_classic_game_at_its_optimum_is_js(name):
    assert expected_loss(name, torch.log(RATIO)) == pytest.approx(
        2 * math.log(2) - js(P, Q), abs=5e-3
    )


@pytest.mark.parametrize("name", sorted(OBJECTIVES.keys() - {"none"}))
def test_gradients_point_the_right_way(name):
    objective = OBJECTIVES[name]
    real, fake = (torch.tensor([0.2, 0.1], requires_grad=True) for _ in range(2))
    objective.discriminator(real, fake).backward()
    assert (real.grad < 0).all() and (fake.grad > 0).all()  # real up, fake down
    fake = torch.tensor([-0.2, 0.1], requires_grad=True)
    objective.generator(torch.tensor([0.3, 0.1]), fake).backward()
    assert (fake.grad < 0).all()  # the generator wants its scores up


@pytest.mark.parametrize(
    ("name", "real", "fake"),
    [("lsgan", 1.0, 0.0), ("hinge", 1.0, -1.0), ("ebgan", 0.0, -EBGAN_MARGIN)],
)
def test_two_points_that_the_discriminator_tells_apart_cost_nothing(name, real, fake):
    loss = OBJECTIVES[name].discriminator(torch.tensor([real]), torch.tensor([fake]))
    assert float(loss) == 0.0


def test_a_saturated_generator_learns_only_from_the_second_form():
    slopes = {}
    for name in ("minimax", "vanilla"):
        fake = torch.tensor([-8.0], requires_grad=True)
        OBJECTIVES[name].generator(fake.detach(), fake).backward()
        slopes[name] = abs(float(fake.grad))
    assert slopes["minimax"] < 1e-3 and slopes["vanilla"] > 0.99


def test_relativistic_scores_are_relative():
    objective = OBJECTIVES["relativistic"]
    real, fake = torch.tensor([1.0, 2.0]), torch.tensor([0.0, -1.0])
    assert torch.allclose(
        objective.discriminator(real, fake), objective.discriminator(real + 5, fake + 5)
    )


def test_wasserstein_games_keep_their_papers_rules():
    wgan, penalised = OBJECTIVES["wgan"], OBJECTIVES["wgan-gp"]
    assert (wgan.clip, wgan.n_critic) == (0.01, 5)
    assert (penalised.penalty, penalised.penalty_weight, penalised.n_critic) == (
        "interpolated",
        10,
        5,
    )
    assert {o.penalty for o in OBJECTIVES.values()} - {""} <= set(PENALTIES)


def quadratic(images: torch.Tensor) -> torch.Tensor:
    """A critic with a gradient that is known: 2 a x."""
    weights = torch.arange(1.0, images[0].numel() + 1, dtype=images.dtype).view_as(images[0]) / 5
    return (weights * images**2).flatten(1).sum(dim=1)


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_agree_with_finite_differences(name):
    generator = torch.Generator().manual_seed(0)
    real, fake, noise = (
        torch.rand(2, 1, 2, 2, generator=generator, dtype=torch.float64) for _ in range(3)
    )
    at = {
        "interpolated": real + noise[:, :1, :1, :1] * (fake - real),
        "perturbed": real + 0.5 * real.std() * noise,
        "r1": real,
    }[name]
    norms = []
    for sample in at:
        slopes = []
        for index in range(4):
            shift = torch.zeros(4, dtype=torch.float64)
            shift[index] = 1e-5
            moved = [sample.flatten() + sign * shift for sign in (1, -1)]
            up, down = (quadratic(m.view(1, 1, 2, 2)) for m in moved)
            slopes.append((up - down) / 2e-5)
        norms.append(torch.cat(slopes).norm())
    norm = torch.stack(norms)
    wanted = norm.square().mean() / 2 if name == "r1" else (norm - 1).square().mean()
    assert float(PENALTIES[name](quadratic, real, fake, noise).detach()) == pytest.approx(
        float(wanted), rel=1e-5
    )


def test_a_penalty_can_be_trained_through():
    weight = torch.tensor(3.0, requires_grad=True)
    norm = gradient_norm(lambda x: (weight * x).flatten(1).sum(1), torch.ones(1, 1, 2, 2))
    norm.sum().backward()
    assert float(norm.detach()) == pytest.approx(6.0) and float(weight.grad) == pytest.approx(2.0)
