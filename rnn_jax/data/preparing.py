"""Preparing datasets with TFDS, without TensorFlow, as array_record files.

`tensorflow_datasets` is imported inside the functions that need it: it brings protobuf, pandas and more.
"""

import contextlib
import http.client
import tempfile
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from rnn_jax.data.prepared import data_directory, is_prepared, one_line, quiet
from rnn_jax.errors import UserError
from rnn_jax.places import local


def answers(url: str, timeout: float = 15.0) -> bool:
    """Whether the server of a file answers within `timeout` seconds."""
    found = []

    def ask() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            request = urllib.request.Request(url, method="HEAD")
            with urllib.request.urlopen(request, timeout=timeout) as response:
                found.append(response.status)

    # A look-up of the server's name knows no timeout and cannot be interrupted, so it gets a thread that
    # may be left behind.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout)
    return found == [200]


def check_writable(root: Path) -> None:
    """Makes a folder where there is none.

    Raises:
        UserError: if it cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise UserError(
            f"cannot write to {root} ({error.strerror}): choose another folder with --data-dir"
        ) from error


def build(builder: Any, otherwise: str, manual_dir: Path | None = None) -> None:
    """Lets a builder of TFDS download its files, unless `manual_dir` holds them, and write its examples.

    Raises:
        UserError: if files do not arrive whole, which `otherwise` tells how to get around; or if examples
            cannot be written.
    """
    import tensorflow_datasets as tfds

    # Without `try_download_gcs=False`, TFDS looks for prepared data in a bucket, in another format.
    config = tfds.download.DownloadConfig(try_download_gcs=False, manual_dir=manual_dir)
    try:
        with quiet():
            builder.download_and_prepare(download_config=config)
    except (tfds.download.DownloadError, tfds.download.download_manager.NonMatchingChecksumError) as error:
        raise UserError(
            f"{builder.name} did not arrive whole ({one_line(error)}): try again, or {otherwise}"
        ) from error
    # The disk, which array_record reports as a RuntimeError, or the network: `requests` raises OSErrors.
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"preparing {builder.name} in {builder.data_path} failed ({one_line(error)}): "
            "see to the cause and try again"
        ) from error


def make_builder(make: Callable[..., Any], root: Path) -> Any:
    """A builder of TFDS, which looks for no description on the network, and leaves no folder for one.

    Args:
        make: the class of one, or what makes it from the same arguments.
        root: the TFDS directory.
    """
    import tensorflow_datasets as tfds

    with mock.patch.object(tfds.core.DatasetInfo, "initialize_from_bucket"):
        return make(data_dir=root, file_format="array_record")


def builders() -> dict[str, Any]:
    """The builders of this package, by the name of the dataset, and of the configuration where it has one."""
    from rnn_jax.data.builders import (
        digits,
        long_texts,
        pens,
        photographs,
        promoters,
        series,
        sounds,
        translations,
    )

    found: list[Any] = [long_texts.TinyShakespeare, long_texts.WikiText2, digits.Mnist, sounds.SpokenDigit]
    found += [pens.PenDigits, pens.OmniglotStrokes]
    found += [promoters.Ecoli, promoters.ArabidopsisTata]
    found += [translations.Multi30k, photographs.Flickr8kSmall]
    found += [series.EttH1, series.ExchangeRate, series.FinanceVix]
    return {"/".join([each.name, *(config.name for config in each.BUILDER_CONFIGS)]): each for each in found}


def prepare(name: str, data_dir: str | None = None, manual_dir: str | None = None) -> Path:
    """Prepares a dataset that this package has a builder for, unless it is; returns the dataset's folder.

    Args:
        name: one of `builders`.
        data_dir: the TFDS directory; `$TFDS_DATA_DIR` or `~/tensorflow_datasets` by default.
        manual_dir: a folder with the files, which are downloaded by default.

    Raises:
        UserError: if files are missing in `manual_dir`, a server does not answer, a file is another than the
            published one, or the directory cannot be written.
    """
    root = data_directory(data_dir)
    make = builders()[name]
    files = {url: url.rsplit("/")[-1] for url in make.FILES.values()}
    files |= {url: make.url_infos[url].filename for url in files if url in make.url_infos}
    names = ", ".join(files.values())
    otherwise = f"fetch {names} on another machine and pass their folder with --manual-dir"
    folder = root / name / str(make.VERSION)
    if is_prepared(folder):
        return folder
    manual = local(manual_dir) if manual_dir else None
    for url, file in files.items():
        if manual is None and not answers(url):
            raise UserError(f"{url} does not answer: check the network, or {otherwise}")
        if manual is not None and not (manual / file).is_file():
            raise UserError(f"--manual-dir {manual} has no {file}: it takes {names}")
    check_writable(root)
    build(make_builder(make, root), otherwise, manual)
    return folder
