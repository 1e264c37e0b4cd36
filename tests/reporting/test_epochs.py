"""The table of made-up epochs."""

import pytest

from rnn_jax.errors import UserError
from rnn_jax.reporting.epochs import epochs_table, load_epochs, seconds_to_goal, speed


def row(*epochs, data_seconds=0.1):
    return {
        "library": "rnn_jax",
        "reviews": 1000,
        "config": {
            **{"cell": "lstm", "max_length": 400, "embedding_size": 8, "hidden_size": 16},
            **{"batch_size": 64, "buckets": 6},
        },
        "epochs": [
            {"seconds": seconds, "data_seconds": data_seconds, "test_accuracy": accuracy}
            for seconds, accuracy in epochs
        ],
    }


def test_the_first_epoch_compiles_and_counts_only_for_the_goal():
    measured = row((20.0, 0.8), (4.0, 0.86), (5.0, 0.871), (6.0, 0.86))
    assert speed(measured) == 200
    assert seconds_to_goal(measured) == 29
    assert seconds_to_goal(row((20.0, 0.8), (4.0, 0.86))) is None
    assert speed(row((20.0, 0.8))) is None


def test_the_table():
    own = row((20.0, 0.8), (4.0, 0.88)) | {"padding": 0.125}
    packed = own | {"config": own["config"] | {"packed": True}, "padding": 0.012}
    keras = row((20.0, 0.8), data_seconds=None) | {"library": "keras_jax"}
    name, rest = "| lstm | 400 | 8 | 16 |", "| 250 | 20.0 | 2.5 | 24.0 | 80.0, 88.0 |"
    assert epochs_table([own, packed, keras]).splitlines()[2:] == [
        f"| rnn_jax {name} 64, padded to 6 lengths | 12.5 {rest}",
        f"| rnn_jax {name} 64, packed | 1.2 {rest}",
        f"| keras_jax {name} 64, padded to one length | – | – | 20.0 | – | not reached | 80.0 |",
    ]


def test_a_damaged_record_is_named(tmp_path):
    file = tmp_path / "epochs.jsonl"
    assert load_epochs(file) == []
    file.write_text('{"library": "keras"}\n')
    with pytest.raises(UserError, match=r"epochs\.jsonl, line 1 cannot be read"):
        load_epochs(file)
