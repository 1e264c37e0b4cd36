"""Weights of one network for a part of another: word vectors by name, recurrent layers by direction."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

Params = Any  # nested dicts, arrays at the leaves


def take_rows(
    theirs: Params, mine: Params, their_names: Sequence[str], my_names: Sequence[str]
) -> tuple[Params, int]:
    """Vectors by name: `[V', E], [V, E] -> [V, E]`, and how many were taken; rows of other names stay."""
    index = {name: row for row, name in enumerate(their_names)}
    places = np.array([index.get(name, -1) for name in my_names])
    found = np.flatnonzero(places >= 0)

    def rows(their: NDArray[Any], my: NDArray[Any]) -> NDArray[Any]:
        taken = np.array(my)
        taken[found] = np.asarray(their)[places[found]]
        return taken

    return jax.tree.map(rows, theirs, mine), len(found)


def take_layers(theirs: Params, mine: Params) -> Params:
    """Recurrent layers, one direction from another.

    Where mine read in both directions and theirs forward alone, the backward ones stay as they are; where
    mine read forward alone, only that is taken. What mine read beside the inputs of theirs, such as log-count
    ratios, or the other direction of the layer below, has no weight at first: states begin as theirs were.

    What is around the layers, if anything, is taken with them.

    Raises:
        ValueError: if they do not fit: only the inputs, the first axis of a kernel, may be more.
    """
    around = {name: _widen(theirs[name], mine[name]) for name in mine if name != "layers"}
    return around | {"layers": {i: _layer(theirs["layers"][i], layer) for i, layer in mine["layers"].items()}}


def _layer(theirs: Params, mine: Params) -> Params:
    forward = theirs.get("forward", theirs)
    if "forward" not in mine:
        return _widen(forward, mine)
    backward = _widen(theirs["backward"], mine["backward"]) if "backward" in theirs else mine["backward"]
    return {"forward": _widen(forward, mine["forward"]), "backward": backward}


def _widen(theirs: Params, mine: Params) -> Params:
    """The weights of theirs in the shapes of mine, zero beyond."""

    def widen(their: NDArray[Any], my: NDArray[Any]) -> NDArray[Any]:
        if their.shape == my.shape:
            return np.asarray(their)
        if their.shape[1:] != my.shape[1:] or len(their) > len(my):
            raise ValueError(f"weights {their.shape} do not fit {my.shape}")
        return np.concatenate([their, np.zeros((len(my) - len(their), *my.shape[1:]), my.dtype)])

    return jax.tree.map(widen, theirs, mine)
