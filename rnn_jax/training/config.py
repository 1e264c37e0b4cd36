"""Everything that decides what a run computes; where it runs and what it prints is decided elsewhere."""

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from flax import nnx

from rnn_jax.cells import CELLS
from rnn_jax.cells.noise import can_drop, can_zone_out, has_recurrent_kernel
from rnn_jax.data import dataset as datasets
from rnn_jax.data.log_count_ratios import PATTERNS
from rnn_jax.errors import UserError
from rnn_jax.models import POOLINGS, Classifier
from rnn_jax.seeds import make_key, words
from rnn_jax.training.optimizer import OPTIMIZERS, SCHEDULES
from rnn_jax.unroll import UNROLLS

if TYPE_CHECKING:  # a type checker cannot know what the tables hold
    CellName: TypeAlias = str
    UnrollName: TypeAlias = str
    PoolingName: TypeAlias = str
    OptimizerName: TypeAlias = str
    ScheduleName: TypeAlias = str
else:  # choices that the command line shows and checks
    CellName = Literal[tuple(CELLS)]
    UnrollName = Literal[tuple(UNROLLS)]
    PoolingName = Literal[tuple(POOLINGS)]
    OptimizerName = Literal[tuple(OPTIMIZERS)]
    ScheduleName = Literal[tuple(SCHEDULES)]


@dataclass(frozen=True)
class Config:
    """The settings of a run. The defaults are the reference LSTM, found by `experiments.search`."""

    dataset: datasets.Name = "auto"
    """Reviews to train on; auto: IMDb where it is at hand or can be downloaded, else synthetic ones."""
    vocabulary_size: int = 10_000
    """Number of token indices: the most frequent words of the training split, and 3 special ones."""
    max_length: int = 500
    """Longest review in tokens; longer ones are cut."""
    truncate: Literal["head", "tail"] = "head"
    """Side that a longer review loses: head keeps its last words, tail its first."""
    log_count_ratios: int = 0
    """Naive Bayes log-count ratios read beside each word vector: 1, of the word; 2 and 3, also of the two and
    three words that end with it; 4 and 5, also of pairs with one or two words between them; 0, none."""
    train_examples: int | None = None
    """Train on so many reviews only (an even number: half of each label), for trials; all by default."""
    refit: bool = False
    """Train on the validation reviews, too, when all settings have been chosen; the last epoch counts."""

    network: Literal["recurrent", "cnn", "bag"] = "recurrent"
    """What is between the word vectors and the sigmoid; to compare with: a convolutional network, a bag."""
    cell: CellName = "lstm"
    """Recurrent cell."""
    unroll: UnrollName = "fused"
    """How steps become a sequence: fused (a scan with derivatives by hand), dynamic (lax.scan as it is),
    static (a Python loop; compiles every step), checkpointed (little memory), parallel (all steps at once,
    for linear cells), cudnn (LSTM on NVIDIA GPUs)."""
    embedding_size: int = 32
    """Size of a word's vector."""
    pair_buckets: int = 0
    """Vectors shared by all pairs of words in a row, beside those of words; 0: none."""
    hidden_size: int = 32
    """Size of the recurrent state, in each direction; features of a width of the convolutional network."""
    num_layers: int = 1
    """Recurrent layers, one on another."""
    bidirectional: bool = False
    """Whether each layer also reads from the end to the beginning."""
    dense: bool = False
    """Whether a layer also reads what the layers below it read."""
    pooling: PoolingName = "max"
    """From the outputs of all steps to one vector a review."""
    word_dropout: float = 0.3
    """Probability that a word is made unknown in training."""
    vocabulary_dropout: float = 0.0
    """Probability that a word's vector is dropped in training, wherever the word occurs in a step."""
    embedding_dropout: float = 0.3
    """Probability that a feature of the word vectors is dropped in training, for all steps of a review."""
    dropout: float = 0.3
    """Probability that a feature is dropped in training, between layers and before the head."""
    recurrent_dropout: float = 0.0
    """Probability that a unit is hidden from the products of the next step in training, at all steps."""
    weight_dropout: float = 0.0
    """Probability that a recurrent weight is dropped in training, at all steps."""
    zoneout: float = 0.0
    """Probability that a unit keeps its old state at a step in training."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Type that the factors of matrix products are rounded to; parameters, states and sums are float32."""

    epochs: int = 8
    """Passes over the training reviews, at most. With more, a finished run goes on; the learning rate then
    falls over the new number."""
    patience: int = 0
    """Stop after so many epochs without better validation accuracy; 0 never stops early."""
    batch_size: int = 128
    """Reviews a step, over all devices."""
    buckets: int = 6
    """Number of lengths that batches are padded to; each is compiled once."""
    optimizer: OptimizerName = "adam"
    """How a gradient becomes an update."""
    learning_rate: float = 1e-2
    """Peak learning rate of the optimizer."""
    schedule: ScheduleName = "linear"
    """How the learning rate falls from its peak to zero over all epochs; constant: not at all."""
    warm_up: float = 0.0
    """Share of all steps in which the learning rate rises to its peak first."""
    clip_norm: float = 1.0
    """Largest global norm of the gradient; beyond it the gradient is scaled down; 0: not at all."""
    adversarial: float = 0.0
    """Radius of adversarial training, in units of the word vectors of a review; 0: none; doubles the work."""
    average_decay: float = 0.998
    """How much of the average of the weights a step keeps; 0 uses the weights of the last step."""
    seed: int = 0
    """Seed of the initial weights, the order of reviews, and dropout."""

    def validate(self) -> None:
        """Raises UserError, naming the option, for a value that makes no sense."""
        positive = (
            *("max_length", "embedding_size", "hidden_size", "num_layers", "epochs"),
            *("batch_size", "buckets", "learning_rate"),
        )
        for name in positive:
            _require(getattr(self, name) > 0, name, getattr(self, name), "must be above 0")
        _require(self.max_length >= 2, "max_length", self.max_length, "must leave room for a word: 2 or more")
        _require(self.vocabulary_size >= 4, "vocabulary_size", self.vocabulary_size, "must be 4 or more")
        if self.train_examples is not None:
            fits = self.train_examples >= 2 and self.train_examples % 2 == 0
            _require(fits, "train_examples", self.train_examples, "must be 2 or more, and even")
        _require(
            not (self.refit and self.patience), "patience", self.patience, "needs validation: no --refit"
        )
        for name in (*_RATES, "average_decay", "warm_up"):
            value = getattr(self, name)
            _require(0 <= value < 1, name, value, "must be 0 or more, and below 1")
        cell = CELLS[self.cell]
        for name, known in (
            ("recurrent_dropout", can_drop(cell)),
            ("weight_dropout", has_recurrent_kernel(cell)),
            ("zoneout", can_zone_out(cell)),
        ):
            value = getattr(self, name)
            _require(known or value == 0, name, value, f"is not known for --cell {self.cell}: leave it 0")
        for name in _RECURRENT:
            value = getattr(self, name)
            fits = self.network == "recurrent" or value == getattr(type(self), name)
            _require(fits, name, value, f"--network {self.network} has no such thing")
        _require(
            0 <= self.log_count_ratios <= len(PATTERNS),
            "log_count_ratios",
            self.log_count_ratios,
            f"must be from 0 to {len(PATTERNS)}",
        )
        words(self.seed)  # there are some
        for name in ("patience", "clip_norm", "adversarial", "pair_buckets"):
            _require(getattr(self, name) >= 0, name, getattr(self, name), "must be 0 or more")

    def make_model(self) -> Classifier:
        """The network of these settings, with its initial weights."""
        return Classifier(
            network=self.network,
            cell=self.cell,
            unroll=self.unroll,
            vocabulary_size=self.vocabulary_size,
            embedding_size=self.embedding_size,
            pair_buckets=self.pair_buckets,
            log_count_ratios=self.log_count_ratios,
            hidden_size=self.hidden_size,
            num_layers=self.num_layers,
            bidirectional=self.bidirectional,
            dense=self.dense,
            pooling=self.pooling,
            word_dropout=self.word_dropout,
            vocabulary_dropout=self.vocabulary_dropout,
            embedding_dropout=self.embedding_dropout,
            dropout=self.dropout,
            recurrent_dropout=self.recurrent_dropout,
            weight_dropout=self.weight_dropout,
            zoneout=self.zoneout,
            precision=self.precision,
            rngs=nnx.Rngs(make_key(self.seed)),
        )

    def load_data(self, data_dir: str | None, cache_dir: str | None) -> datasets.Dataset:
        """The reviews of these settings; see `rnn_jax.data.dataset.load` for arguments and errors."""
        return datasets.load(
            self.dataset,
            vocabulary_size=self.vocabulary_size,
            max_length=self.max_length,
            truncate=self.truncate,
            log_count_ratios=self.log_count_ratios,
            train_examples=self.train_examples,
            refit=self.refit,
            data_dir=data_dir,
            cache_dir=cache_dir,
        )

    def to_json(self) -> dict[str, Any]:
        """The settings as a flat JSON object."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, settings: dict[str, Any], source: str) -> "Config":
        """The settings of a JSON object.

        Settings that are missing have their defaults: an earlier version did not know them, and what is new
        is off by default.

        Raises:
            UserError: if settings are unknown, of the wrong type or make no sense, naming `source`.
        """
        defaults = cls().to_json()
        if odd := sorted(settings.keys() - defaults.keys()):
            names = ", ".join(map(repr, odd))
            raise UserError(f"{source} was written by a later version: settings {names} are unknown")
        settings = defaults | settings
        for name, value in settings.items():
            kinds = (
                {type(defaults[name]), int}
                if name in ("train_examples", *_FLOATS)
                else {type(defaults[name])}
            )
            if type(value) not in kinds:
                raise UserError(f"{source} is damaged: {name} is {json.dumps(value)}")
        config = cls(**settings)
        for name, kind in get_type_hints(cls).items():
            known = get_args(kind) if get_origin(kind) is Literal else (settings[name],)
            if settings[name] not in known:
                raise UserError(
                    f"{source} names an unknown {name} {settings[name]!r}: known are {', '.join(known)}"
                )
        config.validate()
        return config

    def differences(self, other: "Config") -> dict[str, str]:
        """What differs, as `name: mine against theirs`, by the name of the setting."""
        mine, theirs = self.to_json(), other.to_json()
        return {
            name: f"{name}: {mine[name]} against {theirs[name]}"
            for name in mine
            if mine[name] != theirs[name]
        }


RESUMABLE = {"epochs", "patience", "unroll"}  # what a run may change and go on

_RECURRENT = (  # what only a recurrent network has
    *("cell", "unroll", "num_layers", "bidirectional", "dense", "pooling"),
    *("recurrent_dropout", "weight_dropout", "zoneout"),
)
_RATES = (
    *("word_dropout", "vocabulary_dropout", "embedding_dropout", "dropout"),
    *("recurrent_dropout", "weight_dropout", "zoneout"),
)
_FLOATS = tuple(f.name for f in dataclasses.fields(Config) if f.type is float)


def _require(holds: bool, name: str, value: object, rule: str) -> None:
    if not holds:
        raise UserError(f"--{name.replace('_', '-')} {value}: {rule}")
