"""Every public function has an example, and it is true."""

import doctest
import importlib

import pytest

from rnn_jax.settings import with_flat
from tests.tasks.cases import CASES
from tests.tasks.test_contract import run_of
from tests.training.runs import make_run

PUBLIC = (
    *(
        f"unroll.{name}.{name}"
        for name in (
            *("auto", "dynamic", "static", "fused", "hoisted", "checkpointed", "parallel", "newton", "cudnn"),
        )
    ),
    "unroll.auto.fastest",
    "unroll.newton.iterate",
    "platforms.for_device",
    "unroll.layers.init_layers",
    "unroll.layers.run_layers",
    "models.recurrent.Recurrent",
    "interchange.pytorch.from_pytorch",
    "interchange.pytorch.to_pytorch",
    "interchange.keras.from_keras",
    "interchange.keras.from_keras_model",
    "interchange.weight_files.save_layers",
    "interchange.weight_files.load_layers",
    "data.label_types.name_of",
    "data.label_types.type_of",
    "data.label_types.column_of",
    "ahead.operations.count",
    "ahead.compiling.largest_batch",
    "ahead.scaling.all_reduce_seconds",
    "tasks.exported.export_classifier",
    "tasks.exported.serialize",
    "data.kept.Kept",
    "data.sources.drawings.lines",
    "data.sources.pen_digits.resample",
    "tasks.bleu.bleu",
    "tasks.labels.detection",
    "tasks.predictor.Predictor",
    "tasks.generator.Generator",
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with the runs that examples name."""
    folder = tmp_path_factory.mktemp("examples")
    make_run(folder / "runs" / "lstm").train("test")
    case = CASES["language_model"]
    run_of(case._replace(settings=with_flat(case.settings, epochs=1)), folder / "runs" / "shakespeare").train(
        "test"
    )
    return folder


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_function_has_an_example_that_is_true(name, runs, monkeypatch):
    if name.startswith(("interchange.weight_files", "tasks.exported")):
        pytest.importorskip("safetensors", reason="pip install safetensors flatbuffers")
        pytest.importorskip("flatbuffers", reason="pip install safetensors flatbuffers")
    if name.startswith("tasks.bleu"):
        pytest.importorskip("sacrebleu", reason="pip install sacrebleu")
    monkeypatch.chdir(runs)
    module = importlib.import_module(f"rnn_jax.{name.rpartition('.')[0]}")
    public = getattr(module, name.rpartition(".")[2])
    [test] = doctest.DocTestFinder(recurse=False).find(public, name, module, globs=vars(module).copy())
    assert test.examples
    failed, _ = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test)
    assert failed == 0
