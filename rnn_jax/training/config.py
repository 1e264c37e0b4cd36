"""Everything that decides what a run computes; where it runs and what it prints is decided elsewhere."""

from dataclasses import dataclass
from typing import Annotated

from flax import nnx

from rnn_jax.data import dataset as datasets
from rnn_jax.models import Classifier, EmbeddingSettings, EncoderSettings
from rnn_jax.seeds import make_key
from rnn_jax.settings import at_least, require
from rnn_jax.training.settings import TrainingSettings


@dataclass(frozen=True)
class Config:
    """The settings of a run. The defaults are the reference LSTM, found by `experiments.search`."""

    text: datasets.TextSettings = datasets.TextSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    encoder: EncoderSettings = EncoderSettings()
    training: TrainingSettings = TrainingSettings()
    adversarial: Annotated[float, at_least(0)] = 0.0
    """Radius of adversarial training, in units of the word vectors of a review; 0: none; doubles the work."""

    def check(self) -> None:
        """Raises UserError where patience has nothing to go by."""
        patience = self.training.patience
        require(not (self.text.refit and patience), "patience", patience, "needs validation: no --refit")

    def make_model(self) -> Classifier:
        """The network of these settings, with its initial weights."""
        return Classifier(
            self.embedding,
            self.encoder,
            vocabulary_size=self.text.vocabulary_size,
            log_count_ratios=self.text.log_count_ratios,
            rngs=nnx.Rngs(make_key(self.training.seed)),
        )
