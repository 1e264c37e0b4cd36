"""Texts to be read apart from each other: a sequence each, or several where one is long."""

import numpy as np

from rnn_jax.data.batches import Bucketed
from rnn_jax.data.buckets import choose_boundaries
from rnn_jax.data.texts import Documents, join
from rnn_jax.data.tokenizers import Tokenizer

BUCKETS = 6  # lengths that batches are padded to


def apart(documents: Documents, tokenizer: Tokenizer, length: int, batch_size: int) -> Bucketed:
    """The documents in batches: `tokens` to read, and `targets`, the tokens that follow them.

    A document begins and ends with `END`. One that is longer than `length` is cut, and each part of it is
    read from an empty state.
    """
    text = join(documents, tokenizer)
    sizes = documents.lengths.astype(np.int64) + 1  # of what is read: the end before it, and its tokens
    first = np.cumsum(sizes) - sizes
    parts = -(-sizes // length)
    owners = np.repeat(np.arange(len(sizes)), parts)
    number = np.arange(len(owners)) - np.repeat(np.cumsum(parts) - parts, parts)
    starts = first[owners] + number * length
    ends = np.minimum(starts + length, (first + sizes)[owners])
    columns = {
        "tokens": [text[start:end] for start, end in zip(starts, ends, strict=True)],
        "targets": [text[start + 1 : end + 1] for start, end in zip(starts, ends, strict=True)],
    }
    lengths = (ends - starts).astype(np.int32)
    boundaries = choose_boundaries(lengths, length, BUCKETS)
    beside = {"characters": np.array(documents.characters), "unknown": np.array(documents.unknown)}
    return Bucketed(columns, lengths, boundaries, batch_size, beside)
