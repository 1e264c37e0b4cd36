"""The same epochs by Keras, on TensorFlow or on JAX: the same network, trained by the same recipe."""

import importlib.util
import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.dataset import Dataset
from rnn_jax.data.examples import Examples
from rnn_jax.data.vocabulary import UNKNOWN
from rnn_jax.errors import UserError
from rnn_jax.measuring.epochs import Epoch
from rnn_jax.settings import to_flat
from rnn_jax.tasks.text_classification import Settings

# Settings that must have their defaults: what they ask for has no counterpart here.
NOT_BUILT = (
    *("network", "num_layers", "bidirectional", "dense", "block", "precision", "pair_buckets"),
    *("log_count_ratios", "recurrent_dropout", "weight_dropout", "zoneout", "learned_initial_state"),
    *("clip_state_gradient", "adversarial", "virtual_adversarial", "unlabelled", "teacher_weight", "packed"),
    *("optimizer", "schedule", "warm_up"),
)
LAYERS = {"elman": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
POOLINGS = {"max": "GlobalMaxPooling1D", "mean": "GlobalAveragePooling1D", "last": None}


def check_keras(settings: Settings, backends: Sequence[str]) -> None:
    """Raises UserError for settings or back ends that `keras_epochs` could not train with in this process."""
    if len(backends) > 1:
        raise UserError("--libraries: Keras runs on one back end in a process: ask for them one by one")
    needed = ["keras", *(["tensorflow"] if "tensorflow" in backends else [])]
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        package = {"tensorflow": "tensorflow-cpu"}.get(missing[0], missing[0])
        raise UserError(f"--libraries: {missing[0]} is not installed: pip install {package}")
    if settings.training.seed >= 2**32:
        raise UserError(f"--libraries: --seed {settings.training.seed} must be below {2**32} in Keras")
    mine, defaults = to_flat(settings), to_flat(Settings())
    for name in NOT_BUILT:
        if mine[name] != defaults[name]:
            raise UserError(f"--libraries: Keras: it is not built with another {name.replace('_', ' ')}")
    for name, known in (("cell", LAYERS), ("pooling", POOLINGS)):
        if mine[name] not in known:
            raise UserError(f"--libraries: Keras: --{name} is one of {', '.join(known)} there")


def keras_epochs(settings: Settings, data: Dataset, num_threads: int, backend: str) -> list[Epoch]:
    """Trains as Keras' own examples do: reviews padded in front to one length, `compile`, `fit`.

    Averaged weights and those of the last step are tested, and the better accuracy counts. TensorFlow takes
    `num_threads`; JAX takes one device, whose products use all cores: what Keras does by itself.

    Args:
        settings: of the network and of training; they have passed `check_keras`.
        data: the reviews.
        num_threads: of TensorFlow.
        backend: `tensorflow` or `jax`.
    """
    training = settings.training
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(num_threads)
        tf.config.threading.set_inter_op_parallelism_threads(num_threads)
    import keras

    keras.utils.set_random_seed(training.seed)
    model = _make_model(settings)
    schedule = keras.optimizers.schedules.PolynomialDecay(
        training.learning_rate, -(-len(data.train) // training.batch_size) * training.epochs, 0.0
    )
    averaged = {"use_ema": True, "ema_momentum": training.average_decay} if training.average_decay else {}
    model.compile(
        keras.optimizers.Adam(schedule, global_clipnorm=training.clip_norm or None, **averaged),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    test = _pad(data.test, settings.text.max_length), data.test.labels
    # Keras averages weights from the start, as they were drawn: at first, those of the last step are better.
    swaps = [[keras.callbacks.SwapEMAWeights()], []] if training.average_decay else [[]]
    epochs: list[Epoch] = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seconds = time.perf_counter() - self.start
            tested = (
                model.evaluate(*test, batch_size=training.batch_size, verbose=0, callbacks=swap)[1]
                for swap in swaps
            )
            epochs.append(Epoch(seconds, None, float(max(tested))))

    model.fit(
        _pad(data.train, settings.text.max_length),
        data.train.labels,
        batch_size=training.batch_size,
        epochs=training.epochs,
        verbose=0,
        callbacks=[Clock()],
    )
    return epochs


def _make_model(settings: Settings) -> Any:
    """The classifier of `rnn_jax.models`, of Keras' layers."""
    import keras

    layers: Any = keras.layers
    recurrent, over_time = settings.encoder.recurrent, POOLINGS[settings.encoder.pooling]

    class WordDropout(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.draws = keras.random.SeedGenerator(settings.training.seed)

        def call(self, tokens: Any, training: bool = False) -> Any:
            if not training or settings.embedding.word_dropout == 0:
                return tokens
            dropped = (
                keras.random.uniform(keras.ops.shape(tokens), seed=self.draws)
                < settings.embedding.word_dropout
            )
            return keras.ops.where(dropped, UNKNOWN, tokens)

    return keras.Sequential(
        [
            keras.Input((settings.text.max_length,), dtype="int32"),
            WordDropout(),
            layers.Embedding(
                settings.text.vocabulary_size,
                settings.embedding.embedding_size,
                embeddings_initializer=keras.initializers.RandomNormal(stddev=0.05),
            ),
            layers.SpatialDropout1D(settings.embedding.embedding_dropout),
            getattr(layers, LAYERS[recurrent.cell])(recurrent.hidden_size, return_sequences=bool(over_time)),
            *([getattr(layers, over_time)()] if over_time else []),
            layers.Dropout(recurrent.dropout),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def _pad(examples: Examples, length: int) -> NDArray[np.int32]:
    """All sequences in one array `[N, length]`, zeros in front."""
    padded = np.zeros((len(examples), length), np.int32)
    for row, sequence in zip(padded, examples.sequences, strict=True):
        row[length - len(sequence) :] = sequence
    return padded
