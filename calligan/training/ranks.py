"""Several processes that train one network, as torchrun starts them.

Each takes its share of every batch and gradients are averaged, so that the course of a run does not
depend on their number, but for rounding: a batch is a function of (seed, step), and rank r of n
takes the r-th n-th of it. Rank 0 alone writes, evaluates and tells.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from calligan.errors import ConfigError


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this is."""

    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes and tells."""
        return self.rank == 0

    def share(self, length: int) -> slice:
        """This process's part of a batch of `length`, which `count` divides."""
        each = length // self.count
        return slice(self.rank * each, (self.rank + 1) * each)

    def average(self, parameters: Iterable[Tensor]) -> None:
        """Replace gradients by their mean over all processes."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.count
        for gradient, mean in zip(
            gradients, flat.split([g.numel() for g in gradients]), strict=True
        ):
            gradient.copy_(mean.view_as(gradient))

    def mean(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """The mean of each loss over all processes."""
        if self.count == 1 or not losses:
            return losses
        every = torch.stack([loss.float() for loss in losses.values()])
        distributed.all_reduce(every)
        return dict(zip(losses, every / self.count, strict=True))

    def told(self, *numbers: float) -> tuple[float, ...]:
        """What rank 0 says, to all: how long training has gone on, whether to stop."""
        if self.count == 1:
            return numbers
        said = torch.tensor(numbers, dtype=torch.float64)
        distributed.broadcast(said, src=0, group=_told_group())
        return tuple(said.tolist())

    def text(self, text: str) -> str:
        """The same for a text."""
        if self.count == 1:
            return text
        said = [text]
        distributed.broadcast_object_list(said, src=0, group=_told_group())
        return said[0]

    def check(self, batch_size: int, styles_per_char: int) -> None:
        """Raise ConfigError where a batch cannot be shared out."""
        if batch_size % (self.count * styles_per_char):
            raise ConfigError(
                f"setting batch_size is {batch_size}; {self.count} processes want a multiple of "
                f"{self.count * styles_per_char} (styles_per_char times processes)"
            )


ALONE = Ranks()


def is_lost(error: RuntimeError) -> bool:
    """Whether an error says that another process of the training has ended."""
    told = str(error).lower()
    return isinstance(error, distributed.DistError) or "gloo" in told or "connection" in told


_groups: list[distributed.ProcessGroup] = []  # the one that numbers and texts go through


def _told_group() -> distributed.ProcessGroup | None:
    return _groups[0] if _groups else None


@contextmanager
def joined(device: str) -> Iterator[Ranks]:
    """This process among those that torchrun started, on its GPU; alone without torchrun."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield ALONE
        return
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    if device == "cuda":
        torch.cuda.set_device(local)
    distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    if device == "cuda":
        _groups.append(distributed.new_group(backend="gloo"))
    try:
        yield Ranks(rank, count)
    finally:
        _groups.clear()
        distributed.destroy_process_group()
