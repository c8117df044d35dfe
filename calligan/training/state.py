"""All that changes during training, and its checkpoints: exact, verified, never half-written.

A checkpoint is a folder: state.safetensors (every tensor), state.json (every number), and
manifest.json (their sha256), written last. The folder gets its name by a rename, so that
kill -9 or a power cut leaves the one before it. Nothing in it can run code.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from calligan.config import TrainConfig
from calligan.errors import ModelError
from calligan.models.critic import Critic
from calligan.models.layers import placed
from calligan.models.networks import (
    AnyGenerator,
    make_discriminator,
    make_generator,
)
from calligan.reader.network import Reader
from calligan.reader.verdict import Judge
from calligan.storage import (
    cannot_write,
    fsync_folder,
    sha256_bytes,
    write_bytes,
    write_json,
)
from calligan.training.optimizer import adamw, generator_optimizers, only_moving

_KEPT = 2


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
    # of new styles, the model's style they began at
    began_at: dict[str, str] = field(default_factory=dict)


class TrainState:
    """Networks, optimizers and counters of a run."""

    generator: AnyGenerator
    field: Callable[[Tensor, Tensor], Tensor]  # the generator's, compiled if that is wanted
    average: AnyGenerator  # exponential moving average of the generator
    discriminator: Critic | None
    generator_optimizers: dict[str, torch.optim.Optimizer]
    discriminator_optimizers: dict[str, torch.optim.Optimizer]

    def __init__(self, config: TrainConfig, styles: int):
        self.config, self.styles = config, styles
        self.counters = Counters()
        self.reader = _reader(config)
        self.first_critic: Critic | None = None  # for the first stage that plays, at its size
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
        """Place the networks and give them fresh optimizers."""
        same = generator is getattr(self, "generator", None)
        self.generator = placed(generator, self.config.device)
        self.average = placed(average, self.config.device).requires_grad_(False).eval()
        if not same:
            compiled = self.config.compile
            self.field = torch.compile(generator.field) if compiled else generator.field
        settings, fused = self.config.optimizer, self.config.device in ("cpu", "cuda")
        only_moving(self.generator, settings.moves)
        self.generator_optimizers = generator_optimizers(self.generator, settings, fused)
        self.discriminator, self.discriminator_optimizers = None, {}
        stage = self.config.stages[self.counters.stage]
        if stage.adversarial and self.config.loss.objective != "none":
            if discriminator is None:
                discriminator, self.first_critic = self.first_critic, None
            if discriminator is None:
                torch.manual_seed(self.config.seed + 1 + self.counters.stage)
                discriminator = make_discriminator(
                    self.config.discriminator, self.styles, stage.size_px
                )
            self.discriminator = placed(discriminator, self.config.device)
            critic = adamw(
                self.discriminator.parameters(), settings, settings.discriminator_betas, fused
            )
            self.discriminator_optimizers = {"adamw": critic}

    def begin_at(self, generator: AnyGenerator, critic: Critic | None = None) -> None:
        """Take a generator's weights, before step one; grown, if the first stage is larger.

        A critic is taken where every stage has its size.
        """
        self.first_critic = critic
        grown = self._grown(generator.cpu().train(), self.config.stages[0].size_px)
        self._set_up(grown, deepcopy(grown), None)

    def enter(self, stage: int) -> None:
        """Begin a stage: grow the generator to its size, start or drop the discriminator."""
        size_px = self.config.stages[stage].size_px
        networks = [self._grown(net, size_px) for net in (self.generator, self.average)]
        keep = self.discriminator if size_px == self.generator.size_px else None
        self.counters.stage, self.counters.stage_step = stage, 0
        self._set_up(networks[0], networks[1], keep)

    def _grown(self, network: AnyGenerator, size_px: int) -> AnyGenerator:
        """`network` for a larger image, computing the same function of a coarser one at first."""
        while network.size_px < size_px:
            network = network.doubled()
        return network

    def update_average(self) -> None:
        """One step of the moving average, quick at first."""
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
            shutil.rmtree(temporary, ignore_errors=True)
            for name, data in files.items():
                write_bytes(temporary / name, data)
            digests = {name: sha256_bytes(data) for name, data in files.items()}
            write_json(temporary / "manifest.json", digests)
            if path.exists():  # the same step again: the old one stays until the new one is there
                path.rename(folder / f".{path.name}.old")
            temporary.rename(path)
            fsync_folder(folder)
            shutil.rmtree(folder / f".{path.name}.old", ignore_errors=True)
        except OSError as error:
            _bring_back(folder)
            raise cannot_write(path, error) from error
        for old in checkpoints(folder)[:-_KEPT]:
            shutil.rmtree(old, ignore_errors=True)
        return path

    def load(self, path: Path) -> None:
        """Become the state that was saved at `path` (verified first)."""
        files = _verified(path)
        try:
            self.counters = Counters(**json.loads(files["state.json"]))
            size_px = self.config.stages[self.counters.stage].size_px
            networks = [
                make_generator(self.config.generator, self.styles, size_px) for _ in range(2)
            ]
            self._set_up(networks[0], networks[1], None)
            self._load_tensors(from_bytes(files["state.safetensors"]))
        except (KeyError, IndexError, TypeError, RuntimeError, ValueError) as error:
            raise ModelError(f"{path} does not fit this run's config; start a new run") from error

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
            network.load_state_dict(_below(tensors, f"{name}/"))
        for name, optimizer in self._optimizers().items():
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            slots: dict[int, dict[str, Tensor]] = {}
            for key, value in _below(tensors, f"{name}/").items():
                index, slot = key.split("/")
                # The fused kernels walk memory: moments must lie as their parameter does.
                like = parameters[int(index)]
                laid = torch.empty_like(like).copy_(value) if value.shape == like.shape else value
                slots.setdefault(int(index), {})[slot] = laid
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": slots, "param_groups": groups})


def checkpoints(folder: Path) -> list[Path]:
    """Checkpoints in a folder, oldest first, verified or not."""
    found = [path for path in folder.glob("[0-9]*") if path.is_dir() and path.name.isdecimal()]
    return sorted(found, key=lambda path: int(path.name))


def _bring_back(folder: Path) -> None:
    """Give checkpoints that were set aside their names again, where nothing took them."""
    for old in folder.glob(".*.old"):
        path = folder / old.name.removeprefix(".").removesuffix(".old")
        if not path.exists():
            old.rename(path)


def newest_verified(folder: Path) -> Path:
    """The newest checkpoint whose checksums hold; raises ModelError where there is none."""
    _bring_back(folder)
    for path in reversed(checkpoints(folder)):
        try:
            _verified(path)
        except ModelError:
            continue
        return path
    raise ModelError(f"{folder} holds no whole checkpoint; start a new run")


def _verified(path: Path) -> dict[str, bytes]:
    try:
        digests = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        files = {name: (path / name).read_bytes() for name in digests}
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"checkpoint {path} is damaged or incomplete") from error
    if not files or any(sha256_bytes(data) != digests[name] for name, data in files.items()):
        raise ModelError(f"checkpoint {path} is damaged (checksum)")
    return files


def _reader(config: TrainConfig) -> Reader | None:
    """The reader, fixed, where it is part of the loss."""
    if not config.loss.reader:
        return None
    return Judge.load().reader.requires_grad_(False).to(config.device)


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
