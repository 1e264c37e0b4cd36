"""Settings with a name, for `imdb_sentiment --preset NAME`; results/README.md says what they reach.

`introduction` is what introductory texts with Keras train: 10,000 words, the last 500 of a review, padded to
one length, an embedding, a simple recurrent layer, its last state, a sigmoid; RMSprop with its defaults, 10
epochs, batches of 128, and nothing against overfitting. It departs from them in what all runs here share: the
best epoch by validation accuracy counts, the validation reviews are of other films (a tenth of the training
reviews), padding is behind the words and not read, initial weights are those of `rnn_jax.models`.

The introductory recipe with every important cell, and with one whose products are rounded: 10,000 words, an
embedding, one recurrent layer, a sigmoid, batches of 128, 8 epochs, the best of them by validation accuracy.
`lstm_packed` has several reviews in each of 56 rows, about as many a step as the 128 of the others.
Each takes about a minute on two cores. The settings were found for the LSTM, by `experiments.search lstm`.

Networks to compare with, on the same words of the same reviews: a convolutional one and a bag of words and
pairs, each with settings of its own (`experiments.search text_cnn`, `fasttext`).

`semi_supervised` starts from the language model `reviews` (`--init-from`); its settings were chosen by hand,
on the validation reviews. `semi_supervised_large`, which is for a GPU, starts from `reviews_large`; its
settings are a first guess.

`bytes` reads the first 4,095 bytes of a review, and so does `bytes_large`, which is for a GPU, by a larger
network: linear cells in residual blocks. Their settings are a first guess.

`best` is the most accurate network that labelled reviews alone have given here (`experiments.search closer`),
and takes three minutes; `minute` is the most accurate one within a minute (`experiments.search minute`).
"""

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from rnn_jax.settings import to_flat, with_flat
from rnn_jax.tasks.text_classification import Settings

CELLS = (
    *("elman", "lstm", "gru", "peephole_lstm", "coupled_lstm", "layer_norm_lstm", "mgu", "indrnn"),
    *("qrnn", "sru", "mingru", "minlstm", "lru", "slstm", "rg_lru", "s6"),
)

# What reads a log-count ratio of n-grams beside each word: the networks that go beyond the recipe.
RATIOS = with_flat(Settings(), pooling="mean_max", log_count_ratios=5, vocabulary_size=30_000)

PRESETS: dict[str, Settings] = {
    "introduction": with_flat(
        Settings(),
        cell="elman",
        pooling="last",
        word_dropout=0.0,
        embedding_dropout=0.0,
        dropout=0.0,
        epochs=10,
        buckets=1,
        optimizer="rmsprop",
        learning_rate=1e-3,
        schedule="constant",
        clip_norm=0.0,
        average_decay=0.0,
    ),
    **{cell: with_flat(Settings(), cell=cell) for cell in CELLS},
    "lstm_bfloat16": with_flat(Settings(), precision="bfloat16"),
    "lstm_packed": with_flat(Settings(), packed=True, batch_size=56),
    "text_cnn": with_flat(  # draw-04
        Settings(),
        network="cnn",
        hidden_size=100,
        embedding_size=64,
        embedding_dropout=0.0,
        learning_rate=5e-3,
        epochs=4,
    ),
    "fasttext": with_flat(  # draw-07
        Settings(),
        network="bag",
        pair_buckets=100_000,
        embedding_size=16,
        word_dropout=0.0,
        embedding_dropout=0.0,
        dropout=0.5,
        epochs=6,
    ),
    "minute": with_flat(  # draw-03
        RATIOS,
        cell="mingru",
        bidirectional=True,
        max_length=300,
        buckets=2,
        hidden_size=16,
        word_dropout=0.1,
        embedding_dropout=0.0,
        learning_rate=5e-3,
        epochs=2,
    ),
    "best": with_flat(  # draw-06
        RATIOS,
        cell="gru",
        bidirectional=True,
        max_length=1000,
        embedding_size=64,
        word_dropout=0.1,
        dropout=0.5,
        learning_rate=5e-3,
        adversarial=5.0,
        epochs=4,
    ),
    "semi_supervised": with_flat(
        RATIOS,
        cell="gru",
        bidirectional=True,
        max_length=600,
        unlabelled=True,
        embedding_size=128,
        hidden_size=128,
        word_dropout=0.1,
        dropout=0.5,
        learning_rate=5e-3,
        warm_up=0.05,
        # Less than in `best`: the radius is in units of the word vectors, and those of a language model are
        # large from the beginning.
        virtual_adversarial=2.0,
        epochs=3,
    ),
}
PRESETS["semi_supervised_large"] = with_flat(
    PRESETS["semi_supervised"],
    cell="lstm",
    embedding_size=256,
    hidden_size=1024,
    precision="bfloat16",
    embedding_dropout=0.5,
    batch_size=128,
    learning_rate=1e-3,
)

PRESETS["bytes"] = with_flat(
    Settings(),
    tokens="bytes",
    vocabulary_size=259,
    max_length=4096,
    truncate="tail",
    buckets=3,
    embedding_size=64,
    word_dropout=0.05,
    embedding_dropout=0.0,
    cell="lru",
    block="residual",
    num_layers=3,
    hidden_size=64,
    dropout=0.2,
    pooling="mean",
    batch_size=32,
    learning_rate=2e-3,
    schedule="cosine",
    warm_up=0.05,
    epochs=10,
)
PRESETS["bytes_large"] = with_flat(PRESETS["bytes"], num_layers=4, hidden_size=128, embedding_size=128)

# Further options of `semi_supervised` for a classifier that does not read unlabelled reviews itself.
LABELLED_ALONE = "--no-unlabelled --virtual-adversarial 0 --adversarial 1"

if TYPE_CHECKING:
    PresetName: TypeAlias = str
else:
    PresetName = Literal[tuple(PRESETS)]

# Synthetic reviews have no noise to learn by heart, and each of their words may decide: none is dropped.
SYNTHETIC: dict[str, Any] = {
    "word_dropout": 0.0,
    "embedding_dropout": 0.0,
    "dropout": 0.0,
    "learning_rate": 1e-2,
}


def settle(settings: Settings, preset: str, dataset: Literal["imdb", "synthetic"]) -> Settings:
    """The settings once it is known what `--dataset auto` came to.

    On synthetic reviews, settings that are still those of the preset give way to the ones in `SYNTHETIC`.
    """
    mine, presets = to_flat(settings), to_flat(PRESETS[preset])
    untouched = {name: value for name, value in SYNTHETIC.items() if mine[name] == presets[name]}
    return with_flat(settings, dataset=dataset, **(untouched if dataset == "synthetic" else {}))
