"""The printed summary of a model: its layers, their output shapes and their parameters.

`flax.nnx.tabulate` runs the network to make its table, which for a static unroll means compiling every
step, and cannot show outputs that are nested named tuples; this one only traces shapes.
"""

import io

import jax
import jax.numpy as jnp
from rich.console import Console
from rich.table import Table

from rnn_jax.models.classifier import Classifier


def count_parameters(tree: object) -> int:
    """The number of weights in a module or any tree of arrays."""
    return sum(leaf.size for leaf in jax.tree.leaves(tree) if hasattr(leaf, "size"))


def summarize(model: Classifier, length: int) -> str:
    """The table of a model's layers, for batches `[B, length]` of tokens."""
    tokens = jax.ShapeDtypeStruct((1, length), jnp.int32)
    lengths = jax.ShapeDtypeStruct((1,), jnp.int32)
    embedded = jax.eval_shape(model.embedding, tokens)
    ratios = jax.ShapeDtypeStruct((1, length, model.ratio_features), jnp.float32)
    inputs = jax.ShapeDtypeStruct((1, length, embedded.shape[-1] + model.ratio_features), jnp.float32)
    logits = jax.eval_shape(model, tokens, lengths, ratios)

    table = Table(title=None, show_footer=True)
    table.add_column("layer", "total")
    table.add_column("output")
    table.add_column("parameters", f"{count_parameters(model):,}", justify="right")

    def row(layer: str, output: jax.ShapeDtypeStruct, parameters: object) -> None:
        shape = ", ".join(["B", *map(str, output.shape[1:])])
        table.add_row(layer, f"[{shape}]", f"{count_parameters(parameters):,}", style=None)

    row(f"embedding of {model.embedding.num_embeddings:,} words", embedded, model.embedding)
    if model.pair_buckets:
        row(f"pairs of words in {model.pair_buckets:,} buckets", embedded, model.pairs)
    if model.ratio_features:
        row("log-count ratios of n-grams", ratios, None)
    for layer, output, parameters in model.layers.parts(inputs, lengths):
        row(layer, output, parameters)
    row("dense, sigmoid", logits, model.head)

    text = io.StringIO()
    Console(file=text, width=80, force_terminal=False, markup=False).print(table)
    return text.getvalue().rstrip()
