"""The settings of training itself, whatever is trained."""

from dataclasses import dataclass
from typing import Annotated

from rnn_jax.seeds import words
from rnn_jax.settings import EXTENDABLE, NEUTRAL, Rate, above, at_least
from rnn_jax.training.optimizer import OptimizerName, ScheduleName


@dataclass(frozen=True)
class TrainingSettings:
    """Training."""

    epochs: Annotated[int, above(0), EXTENDABLE] = 8
    """Passes over the training examples, at most. With more, a finished run goes on; the learning rate then
    falls over the new number."""
    patience: Annotated[int, at_least(0), EXTENDABLE] = 0
    """Stop after so many epochs without a better one on the validation split; 0 never stops early."""
    batch_size: Annotated[int, above(0)] = 128
    """Examples a step, over all devices."""
    accumulate: Annotated[int, above(0), EXTENDABLE, NEUTRAL] = 1
    """Parts that a device works on its examples of a step in, one after the other (gradient accumulation):
    less memory, the same result up to rounding."""
    optimizer: OptimizerName = "adam"
    """How a gradient becomes an update."""
    learning_rate: Annotated[float, above(0)] = 1e-2
    """Peak learning rate of the optimizer."""
    schedule: ScheduleName = "linear"
    """How the learning rate falls from its peak to zero over all epochs; constant: not at all."""
    warm_up: Rate = 0.0
    """Share of all steps in which the learning rate rises to its peak first."""
    clip_norm: Annotated[float, at_least(0)] = 1.0
    """Largest global norm of the gradient; beyond it the gradient is scaled down; 0: not at all."""
    average_decay: Rate = 0.998
    """How much of the average of the weights a step keeps; 0 uses the weights of the last step."""
    freeze_epochs: Annotated[int, at_least(0)] = 0
    """Epochs at first in which the parts of the network that --init-from may take from another task, such as
    recurrent layers, stay as they are."""
    pretrained_rate: Annotated[float, above(0)] = 1.0
    """Learning rate of these parts afterwards, as a multiple of the rest's."""
    seed: int = 0
    """Seed of the initial weights, the order of examples, and dropout."""

    def check(self) -> None:
        """Raises UserError for a seed that is none."""
        words(self.seed)
