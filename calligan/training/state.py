"""The state of training and its checkpoints, which are exact, verified and written atomically.

A checkpoint is a folder: state.safetensors (every tensor), state.json (every number), and
manifest.json (their sha256), written last. The folder is written under a temporary name and then
renamed, so that a crash or power cut leaves the previous checkpoint. It contains no code.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from calligan.config import LossConfig, TrainConfig
from calligan.errors import ConfigError, ModelError
from calligan.limits import MAX_CHECKPOINT_BYTES, MAX_JSON_BYTES, MAX_MODEL_HEADER_BYTES
from calligan.models.critic import Critic
from calligan.models.layers import to_device
from calligan.models.networks import (
    AnyGenerator,
    make_discriminator,
    make_generator,
)
from calligan.reader.judge import Judge
from calligan.reader.network import Reader
from calligan.reading import check_file, parse_json, read_bytes, read_json
from calligan.settings import from_dict
from calligan.storage import (
    cannot_write,
    fsync_folder,
    sha256_bytes,
    sha256_file,
    write_bytes,
    write_json,
)
from calligan.training.losses import distance_reconstruction, reconstruction
from calligan.training.optimizer import adamw, freeze_all_but, generator_optimizers

_KEPT_CHECKPOINTS = 2
_DAMAGED = (ConfigError, SafetensorError)
_FILES = ("state.safetensors", "state.json")  # of a checkpoint, beside its manifest


@dataclass
class Counters:
    """The numbers of a checkpoint."""

    step: int = 0
    stage: int = 0
    stage_step: int = 0
    images: int = 0
    elapsed_s: float = 0.0
    best_stage: int = -1
    best_l1: float | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    # new styles to the style of the initial model that they started from
    began_at: dict[str, str] = field(default_factory=dict)

    def validate(self) -> None:
        """Raise ValueError for a negative number, or a figure that is none."""
        if min(self.step, self.stage, self.stage_step, self.images) < 0:
            raise ValueError(f"{self} is out of range")
        figures = [self.metrics.get(name, 0.0) for name in ("validation_l1", "copy_source_l1")]
        if not all(isinstance(figure, int | float) for figure in figures):
            raise ValueError(f"{figures} are no numbers")


class TrainState:
    """Networks, optimizers and counters of a run."""

    generator: AnyGenerator
    field: Callable[[Tensor, Tensor], Tensor]  # `generator.field`, compiled if config.compile
    reconstruction_loss: Callable[[Tensor, Tensor, LossConfig], Tensor]  # compiled likewise
    average: AnyGenerator  # exponential moving average of the generator
    discriminator: Critic | None
    generator_optimizers: dict[str, torch.optim.Optimizer]
    discriminator_optimizers: dict[str, torch.optim.Optimizer]

    def __init__(self, config: TrainConfig, styles: int):
        self.config, self.styles = config, styles
        self.counters = Counters()
        self.reader = _load_reader(config)
        self.initial_critic: Critic | None = None  # for the first adversarial stage
        torch.manual_seed(config.seed)
        size_px = config.stages[0].size_px
        generator = make_generator(config.generator, styles, size_px)
        self._set_up(generator, deepcopy(generator), None)

    def _set_up(
        self,
        generator: AnyGenerator,
        average: AnyGenerator,
        discriminator: Critic | None,
    ) -> None:
        """Move the networks to the device and create new optimizers."""
        same = generator is getattr(self, "generator", None)
        self.generator = to_device(generator, self.config.device)
        self.average = to_device(average, self.config.device).requires_grad_(False).eval()
        if not same:
            loss = distance_reconstruction if generator.outputs_distance else reconstruction
            compiled = torch.compile if self.config.compile else _unchanged
            self.field, self.reconstruction_loss = compiled(generator.field), compiled(loss)
        settings, fused = self.config.optimizer, self.config.device in ("cpu", "cuda")
        freeze_all_but(self.generator, settings.moves)
        self.generator_optimizers = generator_optimizers(self.generator, settings, fused)
        self.discriminator, self.discriminator_optimizers = None, {}
        stage = self.config.stages[self.counters.stage]
        if stage.adversarial and self.config.loss.objective != "none":
            if discriminator is None:
                discriminator, self.initial_critic = self.initial_critic, None
            if discriminator is None:
                torch.manual_seed(self.config.seed + 1 + self.counters.stage)
                discriminator = make_discriminator(
                    self.config.discriminator, self.styles, stage.size_px
                )
            self.discriminator = to_device(discriminator, self.config.device)
            critic = adamw(
                self.discriminator.parameters(), settings, settings.discriminator_betas, fused
            )
            self.discriminator_optimizers = {"adamw": critic}

    def start_from(self, generator: AnyGenerator, critic: Critic | None = None) -> None:
        """Start from a generator's weights, enlarged to the size of the first stage.

        `critic` becomes the first discriminator; every stage must have its size.
        """
        self.initial_critic = critic
        grown = self._grow(generator.cpu().train(), self.config.stages[0].size_px)
        self._set_up(grown, deepcopy(grown), None)

    def enter_stage(self, stage: int) -> None:
        """Start a stage: grow the generator to its size, create or drop the discriminator."""
        size_px = self.config.stages[stage].size_px
        networks = [self._grow(net, size_px) for net in (self.generator, self.average)]
        keep = self.discriminator if size_px == self.generator.size_px else None
        self.counters.stage, self.counters.stage_step = stage, 0
        self._set_up(networks[0], networks[1], keep)

    def _grow(self, network: AnyGenerator, size_px: int) -> AnyGenerator:
        """`network` enlarged to `size_px`; at first it computes the same at the old resolution."""
        while network.size_px < size_px:
            network = network.double_size()
        return network

    def update_average(self) -> None:
        """Update the moving average of the weights; it adapts faster in the first steps."""
        decay = min(self.config.ema_decay, (1 + self.counters.step) / (10 + self.counters.step))
        with torch.no_grad():
            pairs = zip(self.average.parameters(), self.generator.parameters(), strict=True)
            mine, theirs = zip(*pairs, strict=True)
            torch._foreach_lerp_(mine, theirs, 1 - decay)
            for buffer, latest in zip(
                self.average.buffers(), self.generator.buffers(), strict=True
            ):
                buffer.copy_(latest)

    def save(self, folder: Path) -> Path:
        """Write a checkpoint into `folder` and drop all but the newest two. Returns its path."""
        path = folder / f"{self.counters.step:07d}"
        temporary = folder / f".{path.name}.tmp"
        tensors = to_bytes(dict(self._tensors()))
        numbers = json.dumps(vars(self.counters), allow_nan=False).encode()
        files = {"state.safetensors": tensors, "state.json": numbers}
        try:
            for left in folder.glob(".*.tmp"):  # by a process that was killed; the run is locked
                shutil.rmtree(left, ignore_errors=True)
            for name, data in files.items():
                write_bytes(temporary / name, data)
            digests = {name: sha256_bytes(data) for name, data in files.items()}
            write_json(temporary / "manifest.json", digests)
            if path.exists():  # the same step again: keep the old one until the new one is there
                path.rename(folder / f".{path.name}.old")
            temporary.rename(path)
            fsync_folder(folder)
            shutil.rmtree(folder / f".{path.name}.old", ignore_errors=True)
        except OSError as error:
            _restore_set_aside(folder)
            raise cannot_write(path, error) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        for old in checkpoints(folder)[:-_KEPT_CHECKPOINTS]:
            shutil.rmtree(old, ignore_errors=True)
        return path

    def load(self, path: Path) -> None:
        """Restore the checkpoint at `path`, after verifying its checksums."""
        digests = _digests(path)
        numbers = _read_verified(path / "state.json", digests, MAX_JSON_BYTES)
        try:
            self.counters = from_dict(Counters, parse_json(numbers))
            self.counters.validate()
            size_px = self.config.stages[self.counters.stage].size_px
            networks = [
                make_generator(self.config.generator, self.styles, size_px) for _ in range(2)
            ]
            self._set_up(networks[0], networks[1], None)
            tensors = _read_verified(path / "state.safetensors", digests, self._most_bytes())
            self._load_tensors(from_bytes(tensors))
        except (LookupError, TypeError, RuntimeError, ValueError, *_DAMAGED) as error:
            raise ModelError(f"{path} does not fit this run's config; start a new run") from error

    def _most_bytes(self) -> int:
        """The most that the tensors take in a file: weights, two moments of each, and a header."""
        weights = (net.state_dict().values() for net in self._networks().values())
        taken: int = sum(value.nbytes for value in chain(*weights))
        return 3 * taken + MAX_MODEL_HEADER_BYTES

    def _networks(self) -> dict[str, nn.Module]:
        found: dict[str, nn.Module] = {"generator": self.generator, "average": self.average}
        if self.discriminator is not None:
            found["discriminator"] = self.discriminator
        return found

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        owners = {
            "generator": self.generator_optimizers,
            "discriminator": self.discriminator_optimizers,
        }
        return {f"{who}-{kind}": o for who, kinds in owners.items() for kind, o in kinds.items()}

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        for name, network in self._networks().items():
            for key, value in network.state_dict().items():
                yield f"{name}/{key}", value.detach().cpu().contiguous().clone()
        for name, optimizer in self._optimizers().items():
            for index, slots in optimizer.state_dict()["state"].items():
                for slot, value in slots.items():
                    tensor = torch.as_tensor(value).detach().cpu().contiguous().clone()
                    yield f"{name}/{index}/{slot}", tensor

    def _load_tensors(self, tensors: dict[str, Tensor]) -> None:
        for name, network in self._networks().items():
            network.load_state_dict(_with_prefix(tensors, f"{name}/"))
        for name, optimizer in self._optimizers().items():
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            slots: dict[int, dict[str, Tensor]] = {}
            for key, value in _with_prefix(tensors, f"{name}/").items():
                index, slot = key.split("/")
                # Fused kernels need moments in the same memory layout as their parameter.
                like = parameters[int(index)]
                laid = torch.empty_like(like).copy_(value) if value.shape == like.shape else value
                slots.setdefault(int(index), {})[slot] = laid
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": slots, "param_groups": groups})


def checkpoints(folder: Path) -> list[Path]:
    """Checkpoints in a folder, oldest first, verified or not."""
    found = [path for path in folder.glob("[0-9]*") if path.is_dir() and path.name.isdecimal()]
    return sorted(found, key=lambda path: int(path.name))


def _restore_set_aside(folder: Path) -> None:
    """Rename checkpoints that were set aside back, where no new one replaced them."""
    for old in folder.glob(".*.old"):
        path = folder / old.name.removeprefix(".").removesuffix(".old")
        if not path.exists():
            old.rename(path)


def newest_verified(folder: Path) -> Path:
    """The newest checkpoint with valid checksums; raises ModelError where there is none."""
    _restore_set_aside(folder)
    for path in reversed(checkpoints(folder)):
        try:
            _verify(path)
        except ModelError:
            continue
        return path
    raise ModelError(f"{folder} has no complete checkpoint; start a new run")


def _digests(path: Path) -> dict[str, str]:
    """The checksums of a checkpoint's files."""
    try:
        digests = read_json(path / "manifest.json")
        if not isinstance(digests, dict) or set(digests) != set(_FILES):
            raise ValueError("other files")
    except (OSError, ValueError) as error:
        raise ModelError(f"checkpoint {path} is damaged or incomplete") from error
    return digests


def _verify(path: Path) -> None:
    """Raise ModelError if a file of a checkpoint has another checksum. Takes no memory."""
    digests = _digests(path)
    try:
        for name in _FILES:
            check_file(path / name, MAX_CHECKPOINT_BYTES)
        found = {name: sha256_file(path / name) for name in _FILES}
    except (OSError, ValueError) as error:
        raise ModelError(f"checkpoint {path} is damaged or incomplete") from error
    if found != digests:
        raise ModelError(f"checkpoint {path} is damaged (checksum)")


def _read_verified(path: Path, digests: dict[str, str], max_bytes: int) -> bytes:
    """A file of a checkpoint. Raises ModelError for one that is larger, or has another checksum."""
    try:
        data = read_bytes(path, max_bytes)
    except (OSError, ValueError) as error:
        raise ModelError(f"checkpoint {path.parent} is damaged or incomplete") from error
    if sha256_bytes(data) != digests[path.name]:
        raise ModelError(f"checkpoint {path.parent} is damaged (checksum)")
    return data


def _load_reader(config: TrainConfig) -> Reader | None:
    """The reader with frozen weights, if it is part of the loss."""
    if not config.loss.reader:
        return None
    return Judge.load().network.requires_grad_(False).to(config.device)


def _unchanged(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return function


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
