"""Which runs show what a language model is worth."""

import sys

from experiments import pretraining, search
from experiments.pretraining import LABELS, SEEDS
from experiments.recorded_runs import RecordedRun


def commands(monkeypatch, capsys, module, *arguments):
    monkeypatch.setattr(sys, "argv", ["script", "--dry-run", *arguments])
    assert module.main() == 0
    return capsys.readouterr().out.splitlines()


def test_each_number_of_labelled_reviews_is_learnt_with_a_language_model_and_without(monkeypatch, capsys):
    lines = commands(monkeypatch, capsys, pretraining, "--what", "labels")
    first, *classifiers = lines
    assert "language_model --preset reviews" in first
    assert len(classifiers) == 2 * len(LABELS) * len(SEEDS)
    started = [line for line in classifiers if "--init-from" in line]
    assert len(started) == len(classifiers) / 2
    where = first.split("--workdir ")[1]
    assert all(f"--init-from {where} " in line for line in started)
    assert all(("--preset best" in line) is (line not in started) for line in classifiers)
    assert not any("--no-test" in line for line in classifiers)


def test_language_models_of_few_epochs_are_judged_on_validation_reviews(monkeypatch, capsys):
    lines = commands(monkeypatch, capsys, pretraining, "--what", "epochs", "--seeds", "0")
    models = [line for line in lines if "language_model" in line]
    assert [line.split("--epochs ")[1].split()[0] for line in models if "--epochs" in line] == ["1", "2"]
    assert len(models) == 3
    classifiers = [line for line in lines if "imdb_sentiment" in line]
    assert len(classifiers) == 3
    assert all("--no-test" in line for line in classifiers)
    for model, classifier in zip(models, classifiers, strict=True):
        assert model.split("--workdir ")[1] in classifier


def test_a_search_may_start_from_a_language_model(monkeypatch, capsys):
    options = search.Options("semi_supervised")
    runs = search.runs_of(options, search.draw_settings(search.SEARCHES["semi_supervised"]), (0,))
    assert all(isinstance(each.needs, RecordedRun) and each.needs.name == "reviews" for each in runs)
    assert all(f"--init-from {each.needs.workdir} " in each.command for each in runs)
    assert all("--no-test" in each.command for each in runs)


def test_settings_of_classifiers_are_those_that_can_be_asked_for(monkeypatch):
    """Every command that would be run is read by the script that it names."""
    from experiments.imdb_sentiment import Options
    from experiments.presets import PRESETS
    from experiments.training import read_options

    options = pretraining.Options(seeds=(0,))
    for each in [*pretraining.labels(options), *pretraining.epochs(options)]:
        monkeypatch.setattr(sys, "argv", each.command.split()[2:])
        assert read_options(Options, PRESETS, "lstm").settings.training.seed == 0
