"""BLEU: how much of a text is in what people have written."""

import importlib.util
from collections.abc import Sequence

from rnn_jax.errors import UserError


def check_bleu() -> None:
    """Raises UserError where the library that counts it is missing."""
    if importlib.util.find_spec("sacrebleu") is None:
        raise UserError("BLEU needs sacrebleu: pip install sacrebleu")


def bleu(texts: Sequence[str], references: Sequence[Sequence[str]], order: int = 4) -> float:
    """Of N texts, in percent, in lower case, as sacreBLEU counts it (M. Post, 2018, arXiv:1804.08771).

    The geometric mean of the shares of n-grams up to an order that are in a reference, times a penalty for
    short texts (K. Papineni, S. Roukos, T. Ward and W.-J. Zhu, ACL 2002).

    Args:
        texts: what has been written.
        references: what people wrote: of each text, as many.
        order: of the longest n-grams.

    Example:
        >>> round(bleu(["a dog runs in deep snow"], [["A dog runs through deep snow"]], order=1), 1)
        83.3
    """
    from sacrebleu.metrics.bleu import BLEU

    # With `force`, it does not warn of captions that are published with blanks before their full stops.
    counted = BLEU(lowercase=True, max_ngram_order=order, force=True)
    return float(
        counted.corpus_score(list(texts), [list(each) for each in zip(*references, strict=True)]).score
    )
