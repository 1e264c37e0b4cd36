"""What holds for all configurations and all texts, on random ones."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_jax.cells import CELLS
from rnn_jax.errors import UserError
from rnn_jax.settings import check, differences, from_flat, to_flat, with_flat
from rnn_jax.tasks.predictor import MOST_CHARACTERS, Predictor
from rnn_jax.tasks.text_classification import Settings
from tests.training.runs import make_run

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")

DEFAULTS = to_flat(Settings())
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)


@pytest.mark.slow
@given(
    st.fixed_dictionaries(
        {
            "cell": st.sampled_from(list(CELLS)),
            "hidden_size": st.integers(1, 10**6),
            "dropout": st.floats(0, 1, exclude_max=True),
            "learning_rate": st.floats(0, 1e30, exclude_min=True),
            "train_examples": st.none() | st.integers(1, 10**6).map(lambda half: 2 * half),
            "bidirectional": st.booleans(),
        }
    )
)
def test_settings_come_back_from_json(changes):
    config = with_flat(Settings(), **changes)
    check(config)
    assert from_flat(Settings(), json.loads(json.dumps(to_flat(config))), "here") == config
    assert not differences(config, config)
    assert differences(config, Settings()).keys() == {k for k, v in changes.items() if v != DEFAULTS[k]}


@given(
    st.dictionaries(st.sampled_from(list(DEFAULTS)), json_values, max_size=3), st.sets(st.text(max_size=5))
)
def test_whatever_a_file_holds_is_settings_or_an_error_that_names_it(changes, more):
    """Never another exception; and what is taken can be trained."""
    try:
        config = from_flat(Settings(), DEFAULTS | changes | dict.fromkeys(more, 1), "some/config.json")
    except UserError as error:
        text = str(error)
        assert "some/config.json" in text or "--" in text
        assert "\n" not in text
    else:
        check(config)
        assert not more


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    make_run(path).train("command")
    return Predictor(path)


words = st.sampled_from([f"word{i}" for i in range(17)]) | st.text(max_size=12)


@pytest.mark.slow
@settings(max_examples=30)
@given(texts=st.lists(st.lists(words, max_size=30).map(" ".join), min_size=1, max_size=6))
def test_a_text_gets_the_same_answer_in_any_company(predictor, texts):
    """Or all are refused, and the first that holds no words is named."""
    empty = [i for i, text in enumerate(texts, 1) if not any(c.isalnum() or c == "_" for c in text)]
    if empty:
        with pytest.raises(UserError, match=f"text {empty[0]} holds no words"):
            predictor(texts)
        return
    together = predictor(texts)
    assert ((together >= 0) & (together <= 1)).all()
    alone = np.concatenate([predictor([text]) for text in texts])
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)


def test_the_longest_text_and_one_more_character(predictor):
    longest = ("word1 " * MOST_CHARACTERS)[:MOST_CHARACTERS]
    assert np.isfinite(predictor([longest])).all()
    with pytest.raises(UserError, match="text 2 has 200,001 characters"):
        predictor([longest, longest + "a"])
