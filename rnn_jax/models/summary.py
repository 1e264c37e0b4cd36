"""The printed summary of a model: its layers, their output shapes and their parameters.

`flax.nnx.tabulate` runs the network to make its table, which for a static unroll means compiling every
step, and cannot show outputs that are nested named tuples; this one only traces shapes.
"""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from rich.console import Console
from rich.table import Table

from rnn_jax.models.classifier import Classifier
from rnn_jax.models.encoder import Part
from rnn_jax.models.language_model import LanguageModel
from rnn_jax.models.vector_classifier import VectorClassifier


def count_parameters(tree: object) -> int:
    """The number of weights in a module or any tree of arrays."""
    return sum(leaf.size for leaf in jax.tree.leaves(tree) if hasattr(leaf, "size"))


def summarize(model: Classifier, length: int) -> str:
    """The table of a model's layers, for batches `[B, length]` of tokens."""
    tokens = jax.ShapeDtypeStruct((1, length), jnp.int32)
    embedded = jax.eval_shape(model.embedding, tokens)
    ratios = jax.ShapeDtypeStruct((1, length, model.ratio_features), jnp.float32)
    inputs = jax.ShapeDtypeStruct((1, length, embedded.shape[-1] + model.ratio_features), jnp.float32)
    rows: list[Any] = [(f"embedding of {model.embedding.num_embeddings:,} words", embedded, model.embedding)]
    if model.pair_buckets:
        rows.append((f"pairs of words in {model.pair_buckets:,} buckets", embedded, model.pairs))
    if model.ratio_features:
        rows.append(("log-count ratios of n-grams", ratios, None))
    rows += _read(model, inputs)
    return _table(rows, model)


def summarize_vector_classifier(model: VectorClassifier, length: int, size: int) -> str:
    """The table of a model's layers, for batches of vectors, `[B, length, size]`."""
    return _table(_read(model, jax.ShapeDtypeStruct((1, length, size), jnp.float32)), model)


def summarize_parts(parts: Sequence[Part], model: object) -> str:
    """The table of a model that says itself what it is made of."""
    return _table(parts, model)


def _read(model: VectorClassifier, inputs: jax.ShapeDtypeStruct) -> list[Any]:
    """From vectors to answers."""
    lengths = jax.ShapeDtypeStruct((1,), jnp.int32)
    logits = jax.eval_shape(model.logits, inputs, lengths)
    head = "dense, sigmoid" if model.num_labels == 2 else "dense, softmax"
    return [*model.layers.parts(inputs, lengths), (head, logits, model.head)]


def summarize_language_model(model: LanguageModel, length: int) -> str:
    """The table of a language model's layers, for batches `[B, length]` of tokens."""
    tokens, lengths = jax.ShapeDtypeStruct((1, length), jnp.int32), jax.ShapeDtypeStruct((1,), jnp.int32)
    embedded = jax.eval_shape(model.embedding, tokens)
    logits = jax.eval_shape(lambda t, n: model(t, n, None)[0], tokens, lengths)
    size = f"{model.embedding.num_embeddings:,}"
    rows: list[Any] = [(f"embedding of {size} tokens", embedded, model.embedding)]
    rows += model.recurrent.parts(embedded)
    if model.tied:
        rows += [("projection", embedded, layer) for layer in model.projections]
        rows.append((f"softmax over {size} tokens, tied", logits, model.bias))
    else:
        rows.append((f"softmax over {size} tokens", logits, model.head))
    return _table(rows, model)


def _table(rows: Iterable[tuple[str, jax.ShapeDtypeStruct, object]], model: object) -> str:
    """A line a layer, `(name, output, parameters)`."""
    table = Table(title=None, show_footer=True)
    table.add_column("layer", "total")
    table.add_column("output")
    table.add_column("parameters", f"{count_parameters(model):,}", justify="right")
    for layer, output, parameters in rows:
        shape = ", ".join(["B", *map(str, output.shape[1:])])
        table.add_row(layer, f"[{shape}]", f"{count_parameters(parameters):,}", style=None)
    text = io.StringIO()
    Console(file=text, width=80, force_terminal=False, markup=False).print(table)
    return text.getvalue().rstrip()
