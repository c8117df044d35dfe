"""The tables of networks and objectives: every entry can be met, and each of its needs is checked."""

from dataclasses import replace

import pytest

from calligan.config import (
    DISCRIMINATOR_RULES,
    GENERATOR_RULES,
    OBJECTIVE_RULES,
    StageConfig,
    TrainConfig,
)
from calligan.errors import ConfigError
from calligan.settings import replaced

OTHER = {0: 1, 1: 2, None: 1.0, "ink": "distance", "all": "style", "joint": "apart"}
OTHER |= {"ebgan": "hinge", "autoencoder": "calligan"}


def other(value):
    return not value if isinstance(value, bool) else OTHER[value]


CHOICES = [
    *(("generator.kind", kind, rules.needs) for kind, rules in GENERATOR_RULES.items()),
    *(("discriminator.kind", kind, rules.needs) for kind, rules in DISCRIMINATOR_RULES.items()),
    *(("loss.objective", name, needs) for name, needs in OBJECTIVE_RULES.items()),
]
OWN = [
    (section, kind, need)
    for section, table in (("generator", GENERATOR_RULES), ("discriminator", DISCRIMINATOR_RULES))
    for kind, rules in table.items()
    for need in rules.own
]


def set_to(config, setting, value):
    if setting == "stages.adversarial":
        first, *rest = config.stages
        return replace(config, stages=(*rest, replace(first, adversarial=value)))
    return replaced(config, {setting: value})


def met(choice, value, needs):
    """A config that takes the choice and does what it asks for."""
    stages = (StageConfig(0.5, 64, True, 1e-3, 1e-4),) * 2
    config = replaced(replace(TrainConfig(any_source=True), stages=stages), {choice: value})
    for need in needs:
        config = set_to(config, need.setting, need.value)
    return config


@pytest.mark.parametrize(("choice", "value", "needs"), CHOICES, ids=lambda part: str(part)[:20])
def test_every_choice_can_be_met_and_says_what_it_needs(choice, value, needs):
    config = met(choice, value, needs)
    config.validate()
    for need in needs:
        with pytest.raises(ConfigError) as refused:
            set_to(config, need.setting, other(need.value)).validate()
        said = str(refused.value)
        assert f"setting {need.setting} is" in said
        assert f"with {choice} {value}: {need.why}" in said


@pytest.mark.parametrize(("section", "kind", "need"), OWN)
def test_a_section_refuses_what_its_kind_cannot_take(section, kind, need):
    config = replaced(TrainConfig(), {f"{section}.kind": kind})
    getattr(config, section).validate()
    wrong = replaced(config, {f"{section}.{need.setting}": other(need.value)})
    with pytest.raises(ConfigError, match=rf"{section}\.{need.setting} is .* with kind {kind}: "):
        getattr(wrong, section).validate()


@pytest.mark.parametrize(
    ("settings", "sizes", "says"),
    [
        ({}, (48,), "multiples of generator.grid (32)"),
        ({"discriminator.grid": 64}, (32,), "multiples of discriminator.grid (64)"),
        ({}, (64, 192), "stay or double"),
        ({"generator.kind": "zi2zi"}, (64, 128), "one power of two from 32"),
        ({"generator.kind": "zi2zi"}, (16,), "one power of two from 32"),
        (
            {"discriminator.kind": "pix2pix", "loss.wrong_style": 0},
            (96,),
            "one power of two from 32, for discriminator.kind pix2pix",
        ),
        ({"generator.kind": "noise", "loss.l1": 0}, (48,), "one multiple of 32 (4 cells"),
    ],
)
def test_sizes_that_a_network_cannot_work_at(settings, sizes, says):
    stages = tuple(StageConfig(1 / len(sizes), size, True, 1e-3, 1e-4) for size in sizes)
    config = replaced(replace(TrainConfig(), stages=stages), settings)
    with pytest.raises(ConfigError) as refused:
        config.validate()
    assert says in str(refused.value)
