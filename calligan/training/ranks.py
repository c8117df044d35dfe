"""Data-parallel training in several processes, as torchrun starts them.

Each process takes its share of every batch, and gradients are averaged. A batch is a function of
(seed, step), and rank r of n takes the r-th n-th of it, so that the number of processes changes a
run by rounding only. Only rank 0 writes, evaluates and reports.
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
    """The rank of this process and the number of processes."""

    rank: int = 0
    count: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process writes and reports."""
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

    def broadcast(self, *numbers: float) -> tuple[float, ...]:
        """The numbers of rank 0, on every process: elapsed time, whether to stop."""
        if self.count == 1:
            return numbers
        values = torch.tensor(numbers, dtype=torch.float64)
        distributed.broadcast(values, src=0, group=_broadcast_group())
        return tuple(values.tolist())

    def text(self, text: str) -> str:
        """The text of rank 0, on every process."""
        if self.count == 1:
            return text
        values = [text]
        distributed.broadcast_object_list(values, src=0, group=_broadcast_group())
        return values[0]

    def check(self, batch_size: int, styles_per_char: int) -> None:
        """Raise ConfigError where a batch cannot be divided among the processes."""
        if batch_size % (self.count * styles_per_char):
            raise ConfigError(
                f"setting batch_size is {batch_size}; {self.count} processes need a multiple of "
                f"{self.count * styles_per_char} (styles_per_char times processes)"
            )


SINGLE_PROCESS = Ranks()


def is_connection_lost(error: RuntimeError) -> bool:
    """Whether an error means that another training process has ended."""
    message = str(error).lower()
    return isinstance(error, distributed.DistError) or "gloo" in message or "connection" in message


_groups: list[distributed.ProcessGroup] = []  # the one for numbers and texts


def _broadcast_group() -> distributed.ProcessGroup | None:
    return _groups[0] if _groups else None


@contextmanager
def join_process_group(device: str) -> Iterator[Ranks]:
    """Join the processes that torchrun started, if any; each uses its own GPU."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield SINGLE_PROCESS
        return
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    if device == "cuda":
        torch.cuda.set_device(local)
    distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    if device == "cuda":
        _groups.append(distributed.new_group(backend="gloo"))
    try:
        yield Ranks(rank, count)
        distributed.barrier()  # no process ends while another still uses the connection
    finally:
        _groups.clear()
        distributed.destroy_process_group()
