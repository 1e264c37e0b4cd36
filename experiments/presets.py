"""Settings with a name, for `imdb_sentiment --preset NAME`.

The introductory recipe in three networks: 10,000 words, an embedding, one recurrent layer, a sigmoid, batches
of 128, 6 epochs, the best of them by validation accuracy. Each takes about a minute on two cores;
results/README.md says what they reach.
"""

from dataclasses import replace

from rnn_jax.training.config import Config

PRESETS: dict[str, Config] = {
    "lstm": Config(),
    "gru": replace(Config(), cell="gru"),
    "elman": replace(Config(), cell="elman"),
}
