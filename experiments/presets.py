"""Settings with a name, for `imdb_sentiment --preset NAME`.

The introductory recipe with every important cell, and with one whose products are rounded: 10,000 words, an
embedding, one recurrent layer, a sigmoid, batches of 128, 8 epochs, the best of them by validation accuracy.
Each takes about a minute on two cores. The settings were found for the LSTM, by `experiments.search lstm`;
results/README.md says what they reach.
"""

from dataclasses import replace
from typing import Any, Literal

from rnn_jax.training.config import Config

CELLS = (
    *("elman", "lstm", "gru", "peephole_lstm", "coupled_lstm", "layer_norm_lstm", "mgu", "indrnn"),
    *("qrnn", "sru", "mingru", "minlstm", "lru"),
)

PRESETS: dict[str, Config] = {
    **{cell: replace(Config(), cell=cell) for cell in CELLS},
    "lstm_bfloat16": replace(Config(), precision="bfloat16"),
}

# Synthetic reviews have no noise to learn by heart, and each of their words may decide: none is dropped.
SYNTHETIC: dict[str, Any] = {
    "word_dropout": 0.0,
    "embedding_dropout": 0.0,
    "dropout": 0.0,
    "learning_rate": 1e-2,
}


def settle(config: Config, preset: str, dataset: Literal["imdb", "synthetic"]) -> Config:
    """The settings once it is known what `--dataset auto` came to.

    On synthetic reviews, settings that are still those of the preset give way to the ones in `SYNTHETIC`.
    """
    untouched = {n: v for n, v in SYNTHETIC.items() if getattr(config, n) == getattr(PRESETS[preset], n)}
    return replace(config, dataset=dataset, **(untouched if dataset == "synthetic" else {}))
