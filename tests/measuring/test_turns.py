import time

from rnn_jax.measuring import turns


def test_each_runs_twice_in_its_turn_and_the_second_time_counts():
    calls = []

    def run(name, settled):
        calls.append(name)
        if calls[-2:] != [name, name] and len(calls) > 2 * turns.WARM_UPS:
            time.sleep(0.02)  # what a predecessor left behind
        time.sleep(settled)

    runs = {"quick": lambda: run("quick", 0.001), "slow": lambda: run("slow", 0.004)}
    seconds = turns.run_in_turns(runs, budget=0.08)
    assert calls[2 * turns.WARM_UPS :][:8] == ["quick", "quick", "slow", "slow"] * 2
    rounds = len(seconds["slow"])
    assert turns.ROUNDS[0] <= rounds <= 10  # twice 4 ms each
    assert [len(times) for times in seconds.values()] == [rounds, rounds]
    assert min(seconds["slow"]) >= 0.004
    assert sorted(seconds["quick"])[rounds // 2] < 0.02


def test_there_are_neither_too_few_rounds_nor_too_many():
    assert len(turns.run_in_turns({"a": lambda: None}, budget=0.0)["a"]) == turns.ROUNDS[0]
    assert len(turns.run_in_turns({"a": lambda: None}, budget=10.0)["a"]) == turns.ROUNDS[1]
