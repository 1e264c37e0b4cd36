"""What a classifier reads of a text, whichever texts these are."""

from dataclasses import dataclass
from typing import Annotated

from rnn_jax.data.examples import Truncate
from rnn_jax.data.log_count_ratios import PATTERNS
from rnn_jax.settings import Rule, above, at_least


@dataclass(frozen=True)
class ReadingSettings:
    """What is read of texts."""

    vocabulary_size: Annotated[int, at_least(4)] = 10_000
    """Number of token indices: the most frequent words of the training split, and 3 special ones."""
    max_length: Annotated[int, above(0), Rule(lambda n: n >= 2, "must leave room for a word: 2 or more")] = (
        500
    )
    """Longest text in tokens; longer ones are cut."""
    truncate: Truncate = "head"
    """Side that a longer text loses: head keeps its last words, tail its first."""
    log_count_ratios: Annotated[
        int, Rule(lambda n: 0 <= n <= len(PATTERNS), f"must be from 0 to {len(PATTERNS)}")
    ] = 0
    """Naive Bayes log-count ratios read beside each word vector: 1, of the word; 2 and 3, also of the two and
    three words that end with it; 4 and 5, also of pairs with one or two words between them; 0, none."""
    refit: bool = False
    """Train on the validation examples, too, when all settings have been chosen; the last epoch counts."""
    buckets: Annotated[int, above(0)] = 6
    """Number of lengths that batches are padded to; each is compiled once."""
    packed: bool = False
    """In training, several texts in a row of a batch, of max_length tokens in all; else each has a row of its
    own. A batch is of batch_size rows, and so of more texts; those of a row share the noise on words and
    layers, and each has its own before the head."""
