"""Makes the tables and plots of `results/`, and of the README, from the recorded runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.ablation import WHOLE
from experiments.command_line import Place, parse, run
from experiments.search import FIRST_SEEDS, SECOND_SEEDS
from experiments.searches import SEARCHES
from rnn_jax.errors import UserError
from rnn_jax.platforms import BY_DEVICE
from rnn_jax.reporting.ablation import ablation_table
from rnn_jax.reporting.ahead import (
    COSTS,
    input_table,
    layers_table,
    load_ahead,
    load_input,
    model_table,
    runs_table,
)
from rnn_jax.reporting.benchmark import (
    at_once_table,
    benchmark_table,
    load_benchmark,
    split_at_once,
    training_table,
)
from rnn_jax.reporting.epochs import epochs_table, load_epochs
from rnn_jax.reporting.extensions import extensions_table, load_extensions
from rnn_jax.reporting.fastest import as_file, estimated, measured
from rnn_jax.reporting.iterations import load_iterations, over_training_table, weights_table
from rnn_jax.reporting.language_models import language_models_table, model_rows, published_table
from rnn_jax.reporting.language_speed import (
    curve_table,
    generation_table,
    load_curves,
    load_generation,
    load_speeds,
    speed_table,
)
from rnn_jax.reporting.memory import load_memory, memory_table
from rnn_jax.reporting.networks import costs_table, load_costs, load_orders, orders_table
from rnn_jax.reporting.parts import load_parts, parts_table
from rnn_jax.reporting.pretraining import labels_table, load_labels, load_pretraining, pretraining_table
from rnn_jax.reporting.runs import group_rows, load_runs
from rnn_jax.reporting.scaling import load_scaling, scaling_table
from rnn_jax.reporting.stress import load_stress, stress_table
from rnn_jax.reporting.tables import commands, pairs_table, results_table, short_table
from rnn_jax.reporting.text_files import load_text_files, text_files_table
from rnn_jax.reporting.tour import tour_page
from rnn_jax.reporting.trials import load_trials, search_table

if TYPE_CHECKING:  # matplotlib may be missing, and is asked for below
    from rnn_jax.reporting.picture import Picture

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "results/README.md")  # which show tables between marks


@dataclass(frozen=True)
class Options:
    """Makes the tables and plots of `results/`, and of the README, from the recorded runs."""

    check: bool = False
    """Write nothing, and exit with 1 where a file differs from what would be written."""
    root: Place = str(ROOT)
    """The project: its README.md, and results/ with raw/ in it."""


class Files(NamedTuple):
    """What every generated file should hold."""

    texts: dict[Path, str]
    pictures: "dict[Path, Picture]"


class Part(NamedTuple):
    """What is made from the records of one folder."""

    tables: dict[str, str]  # by name; each is a file, too
    pictures: "dict[str, Picture]"


def language_speed(folder: Path) -> Part:
    """How fast language models train and write on a platform, of what has been measured."""
    from rnn_jax.reporting import language_speed_plots

    curves = load_curves(folder / "curve.jsonl")
    measured = {
        "language_speed": (speed_table, load_speeds(folder / "speed.jsonl")),
        "language_curve": (curve_table, curves),
        "language_generation": (generation_table, load_generation(folder / "generation.jsonl")),
    }
    tables = {f"{name}_{folder.name}": table(rows) for name, (table, rows) in measured.items() if rows}
    return Part(tables, language_speed_plots.pictures(curves, folder.name))


def pretraining(folder: Path) -> Part:
    """What a language model is worth to a classifier on a platform, of what has been recorded."""
    from rnn_jax.reporting import pretraining_plots

    labels = load_labels(folder / "labels.jsonl")
    pretrained = load_pretraining(folder / "epochs.jsonl")
    tables = {f"labels_{folder.name}": labels_table(labels)} if labels else {}
    tables |= {f"pretraining_{folder.name}": pretraining_table(pretrained)} if pretrained else {}
    return Part(tables, pretraining_plots.pictures(labels, pretrained, folder.name))


def compiled_ahead(folder: Path) -> Part:
    """What compilers say of a platform."""
    from rnn_jax.reporting import ahead_plots

    rows, platform = load_ahead(folder / "ahead.jsonl"), folder.name
    tables = {f"ahead_{platform}": layers_table(rows, platform), f"ahead_runs_{platform}": runs_table(rows)}
    if platform == "tpu":
        tables["ahead_scaling"] = model_table(rows)
    return Part(tables, ahead_plots.pictures(rows, platform))


def fastest_unrolls(root: Path) -> dict[Path, str]:
    """The table that `--unroll auto` goes by, where there is one."""
    file, results = root / "rnn_jax/unroll/fastest.json", root / "results"
    if not file.exists():
        return {}
    lines = []
    for name, platform in BY_DEVICE.items():
        lines += measured(load_benchmark(results / "benchmark" / name / "benchmark.jsonl"), platform)
        if name in COSTS:
            lines += estimated(load_ahead(results / "ahead" / name / "ahead.jsonl"), platform)
    return {file: as_file(lines)}


def make_files(root: Path) -> Files:
    """Everything that can be made from the records below a folder."""
    try:
        from rnn_jax.reporting import (
            benchmark_plots,
            iteration_plots,
            language_model_plots,
            length_plots,
            memory_plots,
            network_plots,
            plots,
            scaling_plots,
            tour_plots,
        )
    except ModuleNotFoundError as error:
        raise UserError(f"plots need {error.name}: pip install matplotlib") from error

    results = root / "results"
    runs = load_runs(results / "raw")
    if not runs:
        raise UserError(f"{results / 'raw'} holds no finished run: python -m experiments.reproduce")
    tables: dict[str, str] = {}
    texts: dict[Path, str] = {}
    pictures: dict[str, Picture] = {}
    if rows := group_rows(runs):
        tables |= {"imdb": results_table(rows), "imdb_short": short_table(rows)}
        texts[results / "tables/imdb.md"] = f"{tables['imdb']}\n{pairs_table(rows)}\n{commands(rows)}"
        pictures |= plots.pictures(rows) | length_plots.pictures(rows)
    if models := model_rows(runs):
        tables["language_models"] = (
            f"{language_models_table(models)}\nPublished by others:\n\n{published_table()}"
        )
        texts[results / "tables/language_models.md"] = f"{tables['language_models']}\n{commands(models)}"
        pictures |= language_model_plots.pictures(models)
    if tour := tour_page(runs):
        texts[results / "tour.md"] = tour
        pictures |= tour_plots.pictures(runs)
    for name in SEARCHES:
        if trials := load_trials(results / f"search/{name}.jsonl"):
            table = search_table(trials, (FIRST_SEEDS, SECOND_SEEDS))
            texts[results / f"tables/search_{name}.md"] = table
    for file in sorted(results.glob("benchmark/*/benchmark.jsonl")):
        platform = file.parent.name
        measured = load_benchmark(file)
        others, at_once = split_at_once(measured)
        tables[f"unroll_{platform}"] = training_table(others)
        tables[f"parallel_{platform}"] = at_once_table(at_once)
        texts[results / f"tables/unroll_{platform}.md"] = benchmark_table(measured)
        if len(training_sizes(measured)) > 1:  # there is nothing to see in a single size
            pictures |= benchmark_plots.pictures(measured, platform)
    for file in sorted(results.glob("benchmark/*/data_parallel.jsonl")):
        platform = file.parent.name
        steps = load_scaling(file)
        tables[f"data_parallel_{platform}"] = scaling_table(steps)
        pictures |= scaling_plots.pictures(steps, platform)
    for file in sorted(results.glob("benchmark/*/input.jsonl")):
        tables[f"input_{file.parent.name}"] = input_table(load_input(file))
    for file in sorted(results.glob("benchmark/*/epochs.jsonl")):
        tables[f"epochs_{file.parent.name}"] = epochs_table(load_epochs(file))
    for file in sorted(results.glob("benchmark/*/parts.jsonl")):
        tables[f"parts_{file.parent.name}"] = parts_table(load_parts(file))
    for file in sorted(results.glob("benchmark/*/extensions.jsonl")):
        tables[f"extensions_{file.parent.name}"] = extensions_table(load_extensions(file))
    for file in sorted(results.glob("benchmark/*/text_files.jsonl")):
        tables[f"text_files_{file.parent.name}"] = text_files_table(load_text_files(file))
    for file in sorted(results.glob("memory/*/memory.jsonl")):
        platform = file.parent.name
        learnt = load_memory(file)
        tables[f"memory_{platform}"] = memory_table(learnt)
        pictures |= memory_plots.pictures(learnt, platform)
    if (file := results / "newton/iterations.jsonl").exists():
        counts = load_iterations(file)
        tables |= {"newton_weights": weights_table(counts), "newton_training": over_training_table(counts)}
        pictures |= iteration_plots.pictures(counts)
    for file in sorted(results.glob("networks/*/costs.jsonl")):
        platform = file.parent.name
        costs, orders = load_costs(file), load_orders(file.with_name("orders.jsonl"))
        tables |= {f"costs_{platform}": costs_table(costs), f"orders_{platform}": orders_table(orders)}
        pictures |= network_plots.pictures(costs, orders, platform)
    texts |= fastest_unrolls(root)
    parts = [language_speed(folder) for folder in sorted(results.glob("language_models/*"))]
    parts += [compiled_ahead(folder) for folder in sorted(results.glob("ahead/*"))]
    parts += [pretraining(folder) for folder in sorted(results.glob("pretraining/*"))]
    for part in parts:
        tables |= part.tables
        texts |= {results / f"tables/{name}.md": table for name, table in part.tables.items()}
        pictures |= part.pictures
    for mark, files in (("ablation", "ablation/*.jsonl"), ("ablation_semi_supervised", "ablation/*/*.jsonl")):
        if ablated := load_trials(*sorted(results.glob(files))):
            tables[mark] = ablation_table(ablated, WHOLE)
    for file in sorted(results.glob("stress/stress.jsonl")):
        tables["stress"] = stress_table(load_stress(file))
    for page in filter(Path.exists, (root / name for name in PAGES)):
        texts[page] = fill(page, tables)
    return Files(texts, {results / "plots" / name: picture for name, picture in pictures.items()})


def training_sizes(measured: Sequence[dict[str, Any]]) -> set[tuple[int, int]]:
    """The lengths and sizes at which training was measured."""
    cases = (row["case"] for row in measured)
    return {(case["time"], case["hidden"]) for case in cases if case["mode"] == "training"}


def fill(page: Path, tables: dict[str, str]) -> str:
    """A page with each table put between its marks."""
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        mark = f"<!-- table:{name} -->\n"
        before, *parts = text.split(mark)
        if any("<!-- /table -->" not in part for part in parts):
            # It would never be filled, and nobody would notice.
            raise UserError(
                f"{page}: the table that {mark.strip()} begins has no end: add <!-- /table --> below it"
            )
        ends = [part[part.index("<!-- /table -->") :] for part in parts]
        text = "".join([before, *(mark + table + end for end in ends)])
    return text


def main() -> int:
    """Writes, or compares."""
    options = parse(Options)
    root = Path(options.root)
    texts, pictures = make_files(root)
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text]
    stale += [path for path, picture in pictures.items() if not picture.is_in(path)]
    for path in stale:
        if options.check:
            print(f"{path.relative_to(root)} is not what the recorded runs give: run make tables")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if path in texts:
            path.write_text(texts[path], encoding="utf-8")
        else:
            pictures[path].save(path)
        print(f"wrote {path.relative_to(root)}")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    run(main)
