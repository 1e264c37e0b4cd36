import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.data.memory_tasks import COPIED, SYMBOLS, TASKS, draw_adding, draw_copying

KEY = jax.random.key(3)


def test_the_adding_problem_marks_one_number_in_each_half():
    inputs, targets = draw_adding(KEY, 500, 11)
    values, marks = np.asarray(inputs[..., 0]), np.asarray(inputs[..., 1])
    assert inputs.shape == (500, 11, 2)
    assert (marks[:, :5].sum(axis=1) == 1).all()
    assert (marks[:, 5:].sum(axis=1) == 1).all()
    assert set(marks.argmax(axis=1)) == set(range(5))
    np.testing.assert_allclose(
        targets, [row[mark > 0].sum() for row, mark in zip(values, marks, strict=True)]
    )


def test_copying_gives_symbols_blanks_and_a_sign():
    inputs, targets = draw_copying(KEY, 50, 7)
    tokens = np.asarray(inputs.argmax(axis=-1))
    assert inputs.shape == (50, 7 + 2 * COPIED, SYMBOLS + 2)
    np.testing.assert_array_equal(tokens[:, :COPIED], targets)
    assert set(np.unique(targets)) == set(range(SYMBOLS))
    expected = np.full(7 + COPIED, SYMBOLS)
    expected[6] = SYMBOLS + 1
    assert (tokens[:, COPIED:] == expected).all()


@pytest.mark.parametrize("name", TASKS)
def test_scores_go_from_guessing_to_all_right(name):
    task = TASKS[name]
    _, targets = task.draw(KEY, 4000, 10)
    if name == "adding":
        guess, right = jnp.ones((4000, 10, 1)), jnp.broadcast_to(targets[:, None, None], (4000, 10, 1))
    else:
        guess = jax.random.normal(KEY, (4000, 30, SYMBOLS))
        right = jnp.zeros((4000, 30, SYMBOLS)).at[:, -COPIED:].set(100 * jax.nn.one_hot(targets, SYMBOLS))
    assert abs(float(task.score(guess, targets))) < 0.03
    assert float(task.score(right, targets)) == pytest.approx(1, abs=1e-6)
    assert float(task.loss(right, targets)) == pytest.approx(0, abs=1e-6)
    chance = {"adding": 1 / 6, "copying": np.log(SYMBOLS)}[name]
    flat = guess if name == "adding" else jnp.zeros_like(guess)
    assert float(task.loss(flat, targets)) == pytest.approx(chance, rel=0.05)
