"""What is counted of answers, against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, matthews_corrcoef, recall_score

from rnn_jax.tasks.labels import detection


def test_detection_against_scikit_learn(rng):
    labels = rng.random(300) < 0.3
    answers = np.where(rng.random(300) < 0.2, ~labels, labels)
    found = detection(confusion_matrix(labels, answers).tolist())
    assert found.sensitivity == pytest.approx(recall_score(labels, answers))
    assert found.specificity == pytest.approx(recall_score(~labels, ~answers))
    assert found.correlation == pytest.approx(matthews_corrcoef(labels, answers))


def test_answers_that_are_all_the_same():
    assert detection([[5, 0], [5, 0]]) == (0, 1, 0)
    assert detection([[0, 0], [0, 5]]) == (1, 0, 0)
