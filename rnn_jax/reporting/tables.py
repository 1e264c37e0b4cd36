"""The results table, in Markdown."""

import re
from collections.abc import Iterable, Sequence
from statistics import mean, stdev
from typing import Any

from rnn_jax.reporting.runs import Row, Run
from rnn_jax.reporting.significance import interval, paired_p_value

HEAD = (
    "network", "reads", "hidden size", "parameters", "validation %", "test %", "95 % interval", "p", "seeds",
    "epochs", "best epoch", "seconds", "reviews/s", "on",
)  # fmt: skip


def results_table(rows: Sequence[Row]) -> str:
    """One line a row: means over seeds, with the sample standard deviation of the test accuracy.

    *p* is that of the paired test against the row above, on the same platform.
    """
    above = [None, *rows[:-1]]
    return markdown([HEAD, *map(_cells, rows, above)])


def pairs_table(rows: Sequence[Row]) -> str:
    """The *p* of the paired test of each row against every row above it."""
    lines = [["p", *(row.name for row in rows[:-1])]]
    for number, row in enumerate(rows[1:], start=1):
        lines.append([row.name, *(_p_value(row, other) for other in rows[:number])])
        lines[-1] += [""] * (len(rows) - number - 1)
    return markdown(lines)


def short_table(rows: Sequence[Row]) -> str:
    """One line a row, in short: for the first page."""
    head = ("network", "parameters", "validation %", "test %", "seeds", "seconds", "on")
    cells = [dict(zip(HEAD, _cells(row, None), strict=True)) for row in rows]
    return markdown([head, *([row[name] for name in head] for row in cells)])


def markdown(lines: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; the first line is its head."""
    head, *body = lines
    return "".join("| " + " | ".join(line) + " |\n" for line in (head, ["---"] * len(head), *body))


def commands(rows: Sequence[Row]) -> str:
    """The command of each row, and what it ran with: several lines where its seeds were run differently."""
    lines = []
    for row in rows:
        seeds: dict[tuple[str, str], list[str]] = {}
        for run in row.runs:
            seeds.setdefault(_origin(run), []).append(str(run.result["seed"]))
        lines += [
            f"- {row.name} on {command}, N = {', '.join(own)}; {made_with}\n"
            for (command, made_with), own in seeds.items()
        ]
    return "".join(lines)


def hardware(rows: Iterable[Row]) -> str:
    """The devices that the runs of some rows were recorded on."""
    return " / ".join(dict.fromkeys(_devices(run) for row in rows for run in row.runs))


def _origin(run: Run) -> tuple[str, str]:
    """Where, how and with what a run was made, its seed aside."""
    command = re.sub(r"(--seed[ =]|--split[ =]|--workdir[ =]\S*seed-)\d+", r"\1N", run.result["command"])
    versions = ", ".join(f"{name} {version}" for name, version in run.result["versions"].items())
    return f"{_devices(run)}: `{command}`", f"{_code(run.result['commit'])}; {versions}"


def _code(commit: str | None) -> str:
    """What code made a run: a commit, shortened, `+changes` where files differed; or a package's version."""
    if commit and " " in commit:
        return commit
    name, plus, changes = str(commit).partition("+")
    return f"commit {name[:12]}{plus}{changes}"


def _cells(row: Row, above: Row | None) -> tuple[str, ...]:
    accuracies = [100 * accuracy for accuracy in row.values("test_accuracy")]
    return (
        row.name,
        _reads(row.runs[0].config),
        _hidden_size(row.runs[0].config),
        _distinct(*row.values("parameters")),
        _validation(row),
        mean_and_deviation(accuracies),
        "{:.2f} to {:.2f}".format(*interval(accuracies)) if len(accuracies) > 1 else "–",
        _p_value(row, above),
        str(len(row.runs)),
        _distinct(*row.values("epochs_run")) if row.runs[0].epochs else "–",
        ", ".join(map(str, row.values("best_epoch"))) if row.runs[0].epochs else "–",
        f"{mean(run.seconds for run in row.runs):.0f}",
        f"{mean(row.values('examples_per_second')):,.0f}" if row.runs[0].epochs else "–",
        hardware([row]),
    )


def _hidden_size(config: dict[str, Any]) -> str:
    """A bag of words has none, nor have baselines that are no networks."""
    return "–" if config.get("network") in ("bag", "nb_svm") else f"{config['hidden_size']:,}"


def _validation(row: Row) -> str:
    """The mean validation accuracy; a network that is refitted has none."""
    accuracies = row.values("validation_accuracy")
    return "–" if None in accuracies else f"{100 * mean(accuracies):.2f}"


def _reads(config: dict[str, Any]) -> str:
    """How many words it knows, or bytes, which of a review it reads, and what it has been told of them."""
    side = {"head": "last", "tail": "first"}[config["truncate"]]
    longest = "whole reviews" if config.get("network") == "nb_svm" else f"{side} {config['max_length']:,}"
    told = ", n-gram ratios" if config.get("log_count_ratios") else ""
    known = "bytes" if config.get("tokens") == "bytes" else f"{config['vocabulary_size']:,} words"
    return f"{known}{told}, {longest}"


def _p_value(row: Row, above: Row | None) -> str:
    if above is None or above.platform != row.platform or above.name == row.name:
        return "–"
    if row.correct is None or above.correct is None or row.correct.shape[1] != above.correct.shape[1]:
        return "–"
    if any(len(each.runs) == 1 and each.runs[0].epochs for each in (row, above)):
        return "–"  # one seed of a network does not tell how much others would differ
    p = paired_p_value(row.correct, above.correct)
    return f"{p:.2g}" if p >= 1e-3 else "< 0.001"


def _distinct(*counts: int) -> str:
    return " / ".join(f"{count:,}" for count in sorted(set(counts)))


def mean_and_deviation(values: Sequence[float], places: int = 2) -> str:
    """The mean with the sample standard deviation, where there is more than one value; `""` for none."""
    if not values:
        return ""
    spread = f" ± {stdev(values):.{places}f}" if len(values) > 1 else ""
    return f"{mean(values):.{places}f}{spread}"


def _devices(run: Run) -> str:
    devices = run.result["hardware"]
    return f"{devices['num_devices']} × {devices['device'].removesuffix(' Processor')}"
