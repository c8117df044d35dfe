"""Averages of the weights of several models (Wortsman et al. 2022, "Model soups")."""

from copy import deepcopy
from functools import lru_cache

from calligan.errors import ModelError
from calligan.models.base import GeneratorBase

Shares = tuple[tuple[GeneratorBase, float], ...]
_TABLES = ("embedding.", "log_variance.")  # one row per style


@lru_cache(maxsize=2)
def average_weights(shares: Shares) -> GeneratorBase:
    """A copy of the first generator with weights averaged by shares; its style vectors stay.

    This works if the generators were trained from one another, as a learned hand is. Raises
    ModelError if they differ in shape.
    """
    (first, total), *others = shares
    mixed = deepcopy(first)
    weights = mixed.state_dict()
    for generator, share in others:
        total += share
        state = generator.state_dict()
        for name, tensor in weights.items():
            if name.startswith(_TABLES):
                continue
            if name not in state or state[name].shape != tensor.shape:
                raise ModelError("the networks of these styles differ in shape and cannot be mixed")
            if share:
                tensor.lerp_(state[name].to(tensor), share / total)
    return mixed
