import numpy as np

from rnn_jax.reporting.gate_map import MOST_WORDS, draw_gates


def panels(words, gates):
    figure = draw_gates(words, gates)
    return figure, dict(zip(gates, figure.axes, strict=False))  # colour bars come after


def test_a_column_is_a_word_and_a_row_a_unit_in_the_same_order_in_every_panel(rng):
    words = ["not", "bad", "at"]
    gates = {"update gate": rng.uniform(size=(3, 4)), "candidate": 5 * rng.normal(size=(3, 4))}
    figure, axes = panels(words, gates)
    order = np.argsort(-gates["update gate"].mean(axis=0))
    for name, values in gates.items():
        (image,) = axes[name].images
        np.testing.assert_allclose(image.get_array(), values[:, order].T)
    assert axes["update gate"].images[0].get_clim() == (0, 1)
    low, high = axes["candidate"].images[0].get_clim()
    assert -low == high == np.abs(gates["candidate"]).max()
    assert [label.get_text() for label in axes["candidate"].get_xticklabels()] == words
    assert "all words" in figure.get_suptitle()


def test_of_a_long_text_the_end_is_drawn(rng):
    words = [f"w{n}" for n in range(MOST_WORDS + 5)]
    gates = {"update gate": rng.uniform(size=(len(words), 2))}
    figure, axes = panels(words, gates)
    assert axes["update gate"].get_xticklabels()[0].get_text() == "w5"
    np.testing.assert_allclose(
        np.sort(axes["update gate"].images[0].get_array()[:, 0]), np.sort(gates["update gate"][5])
    )
    assert f"the last {MOST_WORDS} of {len(words)} words" in figure.get_suptitle()
