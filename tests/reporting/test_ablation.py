from rnn_jax.reporting.ablation import ablation_table
from rnn_jax.reporting.trials import Trial


def trial(name, seed, accuracy):
    return Trial(name, {}, {"seed": seed, "validation_accuracy": accuracy, "train_seconds": 60.0 + seed})


def test_differences_are_taken_seed_by_seed():
    trials = [
        *(trial("the whole", seed, accuracy) for seed, accuracy in ((1, 0.91), (2, 0.92), (3, 0.93))),
        *(trial("no noise", seed, accuracy) for seed, accuracy in ((1, 0.90), (2, 0.90))),
        trial("more noise", 3, 0.935),
    ]
    assert ablation_table(trials, "the whole").splitlines() == [
        "| network | validation % | difference | seeds |",
        "| --- | --- | --- | --- |",
        "| the whole | 92.00 ± 1.00 | – | 3 |",
        "| no noise | 90.00 ± 0.00 | −1.50 ± 0.71 | 2 |",
        "| more noise | 93.50 | +0.50 | 1 |",
    ]


def test_without_the_whole_network_there_is_nothing_to_compare_with():
    assert "| no noise | 90.00 | – | 1 |" in ablation_table([trial("no noise", 1, 0.9)], "the whole")
