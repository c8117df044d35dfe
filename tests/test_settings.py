"""Settings from plain values: what is wrong is named, with the nearest setting that there is."""

import dataclasses
import math
from typing import Any, Literal

import pytest

from calligan.config import TrainConfig
from calligan.errors import ConfigError
from calligan.settings import from_dict, load_train_config, parse_setting, replaced, save, to_dict


@dataclasses.dataclass(frozen=True)
class Part:
    size: int
    names: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Whole:
    part: Part
    ratio: float = 1.0
    on: bool = False
    limit: float | None = None
    kind: Literal["thin", "bold"] = "thin"
    parts: tuple[Part, ...] = ()
    counts: dict[str, int] = dataclasses.field(default_factory=dict)
    notes: dict[str, Any] = dataclasses.field(default_factory=dict)


PART = {"part": {"size": 1}}


def test_plain_values_of_every_type_become_a_dataclass_and_go_back():
    values = {
        "part": {"size": 3, "names": ["a", "b"]},
        "ratio": 2,
        "on": True,
        "limit": None,
        "kind": "bold",
        "parts": [{"size": 1}],
        "counts": {"x": 1},
        "notes": {"any": [1, {"y": None}]},
    }
    made = from_dict(Whole, values)
    assert made.part == Part(3, ("a", "b")) and made.parts == (Part(1),)
    assert made.ratio == 2.0 and type(made.ratio) is float and made.notes == values["notes"]
    assert from_dict(Whole, to_dict(made)) == made
    assert from_dict(Whole, {"part": {"size": 1}}) == Whole(Part(1))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"prat": {}}, "unknown setting prat; did you mean part?"),
        ({"zzz": 1}, "unknown setting zzz; known: part, ratio"),
        ({"part": {"size": 1, "nam": 2}}, "unknown setting part.nam; did you mean names?"),
        ({**PART, "parts": [{"sise": 1}]}, "unknown setting parts.sise; did you mean size?"),
        ({}, "setting Whole lacks part"),
        ({"part": {}}, "setting part lacks size"),
        ({"part": 3}, "setting part should be a table, not 3"),
        ([], "setting Whole should be a table, not []"),
        ({"part": {"size": "3"}}, "setting part.size should be int, not '3'"),
        ({"part": {"size": True}}, "setting part.size should be int, not True"),
        ({"part": {"size": 3.0}}, "setting part.size should be int, not 3.0"),
        ({"part": {"size": 3, "names": "ab"}}, "setting part.names should be a list, not 'ab'"),
        ({"part": {"size": 3, "names": [1]}}, "setting part.names should be str, not 1"),
        ({**PART, "ratio": True}, "setting ratio should be float, not True"),
        ({**PART, "ratio": "1"}, "setting ratio should be float, not '1'"),
        ({**PART, "ratio": math.nan}, "setting ratio should be a finite number, not nan"),
        ({**PART, "ratio": math.inf}, "setting ratio should be a finite number, not inf"),
        ({**PART, "ratio": 10**400}, "setting ratio should be float, not 1000"),
        ({**PART, "on": 1}, "setting on should be bool, not 1"),
        ({**PART, "limit": "x"}, "setting limit should be float, not 'x'"),
        ({**PART, "kind": "medium"}, "setting kind should be one of thin, bold, not 'medium'"),
        ({**PART, "parts": {"size": 1}}, "setting parts should be a list"),
        ({**PART, "counts": [1]}, "setting counts should be a table"),
        ({**PART, "counts": {"x": 0.5}}, "setting counts.x should be int, not 0.5"),
    ],
)
def test_what_is_wrong_is_named(values, says):
    with pytest.raises(ConfigError) as refused:
        from_dict(Whole, values)
    assert says in str(refused.value)


def test_dotted_settings_change_a_copy():
    config = TrainConfig()
    changed = replaced(config, {"loss.l1": 3, "generator.widths": [8, 16]})
    assert changed.loss.l1 == 3.0 and changed.generator.widths == (8, 16)
    assert config == TrainConfig() and replaced(config, {}) == config
    with pytest.raises(ConfigError, match="seed has no parts"):
        replaced(config, {"seed.x": 1})
    with pytest.raises(ConfigError, match=r"unknown setting loss\.bcc; did you mean bce"):
        replaced(config, {"loss.bcc": 1})


@pytest.mark.parametrize(
    ("text", "value"),
    [("a.b=2", 2), ("a.b = [1, 2]", [1, 2]), ("a.b=bold", "bold"), ('a.b="2"', "2"), ("a.b=", "")],
)
def test_the_command_line_s_settings_are_toml_or_text(text, value):
    assert parse_setting(text) == ("a.b", value)


def test_a_run_s_settings_are_read_back_and_checked(tmp_path):
    path = tmp_path / "config.json"
    config = replaced(TrainConfig(), {"seed": 5})
    save(config, path)
    assert load_train_config(path) == config
    path.write_text('{"batch_size": 0}')
    with pytest.raises(ConfigError, match="batch_size"):
        load_train_config(path)
    path.write_text("{")
    with pytest.raises(ConfigError, match=r"config\.json"):
        load_train_config(path)
