"""A support vector machine on naive Bayes features of n-grams: the linear baseline that is hard to beat.

S. Wang and C. Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification", ACL 2012.
A review is x = r ∘ f, where f is 1 for each n-gram that it holds, however often, and r is the log-count ratio
of the n-gram with α = 1; the answer is the sign of w · x + b, and (w, b) minimise

    ½ ‖w‖² + C Σ max(0, 1 − y (w · x + b))²

Variant: uni-, bi- and trigrams, without the paper's interpolation between w and its mean, as in G. Mesnil,
T. Mikolov, M. Ranzato and Y. Bengio, 2015, arXiv:1412.5335. The machine itself is scikit-learn's `LinearSVC`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rnn_jax.data.examples import Examples
from rnn_jax.data.log_count_ratios import log_ratios, presence, split_ngrams
from rnn_jax.errors import UserError

SMOOTHING = 1.0  # α


class Ngrams(NamedTuple):
    """The n-grams of the training reviews, for n = 1, 2, …, and what each is worth."""

    known: list[NDArray[np.int64]]  # for each n, sorted
    ratios: NDArray[np.float32]  # r of all of them, one n after the other

    def features(self, examples: Examples) -> sparse.csr_matrix:
        """X of each review: `[N, number of n-grams]`."""
        blocks = []
        for n, known in enumerate(self.known, start=1):
            ngrams, ends = split_ngrams(examples, range(n))
            places = np.minimum(np.searchsorted(known, ngrams), len(known) - 1)
            seen = known[places] == ngrams
            owners = np.repeat(np.arange(len(examples)), examples.lengths)[ends]
            blocks.append(presence(owners[seen], places[seen], (len(examples), len(known))))
        return sparse.hstack(blocks).multiply(self.ratios).tocsr()


def count_ngrams(examples: Examples, longest: int) -> Ngrams:
    """All n-grams of up to `longest` words, with their log-count ratios."""
    known = [np.unique(split_ngrams(examples, range(n))[0]) for n in range(1, longest + 1)]
    there = Ngrams(known, np.ones(sum(map(len, known)), np.float32)).features(examples)
    counts = [np.asarray(there[examples.labels == label].sum(axis=0)).ravel() for label in (0, 1)]
    ends = np.cumsum([len(ngrams) for ngrams in known])[:-1]
    parts = zip(*(np.split(count, ends) for count in counts), strict=True)  # each n has sums of its own
    return Ngrams(known, np.concatenate([log_ratios(np.stack(part), SMOOTHING) for part in parts]))


class Machine(NamedTuple):
    """A trained machine."""

    weights: NDArray[np.float64]
    bias: float

    def correct(self, features: sparse.csr_matrix, labels: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which reviews it classifies correctly, `[N]`."""
        return ((features @ self.weights + self.bias) > 0) == (labels > 0)


def fit(features: sparse.csr_matrix, labels: NDArray[np.integer], c: float) -> Machine:
    """Trains a machine.

    Raises:
        UserError: if scikit-learn is not installed.
    """
    try:
        from sklearn.svm import LinearSVC
    except ModuleNotFoundError as error:
        raise UserError("NB-SVM needs scikit-learn: pip install scikit-learn") from error
    machine = LinearSVC(C=c, random_state=0).fit(features, labels)
    return Machine(machine.coef_[0], float(machine.intercept_[0]))
