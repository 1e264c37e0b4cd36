"""Spoken digits: the spectrum against loops, recordings as TFDS has them, and a WAV file of one's own."""

import io
import json
import math
import tarfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from rnn_jax.data import preparing
from rnn_jax.data.builders.sounds import SpokenDigit
from rnn_jax.data.sources import spoken_digits
from rnn_jax.data.sources.sounds import BANDS, FLOOR, HOP, LOWEST, POINTS, RATE, WINDOW, log_mel, read_wav
from rnn_jax.data.sources.spoken_digits import SPEAKERS, SpokenDigitSettings, load
from rnn_jax.errors import UserError


def band_energies(frame):
    """One frame, by the definitions."""
    windowed = [x * (0.5 - 0.5 * math.cos(2 * math.pi * n / (WINDOW - 1))) for n, x in enumerate(frame)]
    power = []
    for k in range(POINTS // 2 + 1):
        angle = 2 * math.pi * k / POINTS
        real = sum(x * math.cos(angle * n) for n, x in enumerate(windowed))
        imaginary = sum(x * math.sin(angle * n) for n, x in enumerate(windowed))
        power.append(real**2 + imaginary**2)
    mel = lambda f: 2595 * math.log10(1 + f / 700)  # noqa: E731
    width = (mel(RATE / 2) - mel(LOWEST)) / (BANDS + 1)
    corners = [700 * (10 ** ((mel(LOWEST) + i * width) / 2595) - 1) for i in range(BANDS + 2)]
    energies = []
    for low, centre, high in zip(corners, corners[1:], corners[2:], strict=False):
        total = 0.0
        for k, each in enumerate(power):
            f = k * RATE / POINTS
            if low < f < high:
                total += each * ((f - low) / (centre - low) if f <= centre else (high - f) / (high - centre))
        energies.append(math.log(total + FLOOR))
    return energies


def test_the_spectrum_is_its_definition(rng):
    sound = 0.3 * rng.normal(size=WINDOW + 2 * HOP + 7)
    scaled = sound / math.sqrt(sum(x**2 for x in sound) / len(sound))
    expected = np.array([band_energies(scaled[i * HOP : i * HOP + WINDOW]) for i in range(3)])
    np.testing.assert_allclose(log_mel(sound), expected - expected.mean(), atol=1e-4)


def test_loudness_does_not_count_and_a_tone_is_in_its_band(rng):
    time = np.arange(4000) / RATE
    tone = np.sin(2 * np.pi * 1000 * time)
    sound = tone + 0.02 * rng.normal(size=4000)
    spectrum = log_mel(0.5 * sound)
    np.testing.assert_allclose(log_mel(0.005 * sound), spectrum, atol=0.01)
    quiet = log_mel(np.concatenate([0.5 * sound, np.zeros(4000)]))
    assert np.isfinite(quiet).all()
    higher = log_mel(np.sin(2 * np.pi * 2000 * time) + 0.01 * rng.normal(size=4000))
    loudest = [int(each.mean(axis=0).argmax()) for each in (spectrum, higher)]
    mels = np.linspace(*(2595 * np.log10(1 + f / 700) for f in (LOWEST, RATE / 2)), BANDS + 2)[1:-1]
    centres = 700 * (10 ** (mels / 2595) - 1)
    np.testing.assert_allclose(centres[loudest], [1000, 2000], rtol=0.05)
    assert log_mel(tone[:10]).shape == (1, BANDS)  # shorter than a frame


def recordings(rng):
    """Of two digits by two speakers, a dozen each: `(name, samples)`."""
    names = [f"{label}_{who}_{n}" for label in (3, 7) for who in ("jackson", "theo") for n in range(12)]
    return [(name, rng.integers(-(2**15), 2**15, 900 + i % 12, np.int16)) for i, name in enumerate(names)]


@pytest.fixture
def prepared(tmp_path, rng, published):
    """Recordings from an archive like the published one; and what it holds."""
    held = recordings(rng)
    folder = tmp_path / "files"
    folder.mkdir()
    archive = folder / "archive.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, samples in [*held, ("README", np.zeros(5, np.int16))]:
            file = io.BytesIO()
            wavfile.write(file, RATE, samples)
            place = "README.wav" if name == "README" else f"recordings/{name}.wav"
            member = tarfile.TarInfo(f"free-spoken-digit-dataset-1.0.9/{place}")
            member.size = len(file.getvalue())
            file.seek(0)
            tar.addfile(member, file)
    published(SpokenDigit, {SpokenDigit.FILES["archive"]: (archive.name, archive.read_bytes())})
    preparing.prepare("spoken_digit", str(tmp_path), str(folder))
    return str(tmp_path), dict(held)


def test_what_is_prepared_is_what_the_archive_holds(prepared):
    place, held = prepared
    found = spoken_digits.read(place)
    assert len(found) == len(held)
    for each in found:
        samples = held[f"{each.label}_{each.speaker}_{each.number}"]
        np.testing.assert_array_equal(np.round(each.sound * 2**15), samples)


def test_sound_as_tfds_describes_it_is_read_without_tensorflow(prepared):
    place, held = prepared
    features = Path(place) / spoken_digits.FOLDER / "features.json"
    told = json.loads(features.read_text())
    told["featuresDict"]["features"]["audio"] = {
        "audio": {
            "dtype": "int64",
            "encoding": "NONE",
            "fileFormat": "wav",
            "sampleRate": "8000",
            "shape": {"dimensions": ["-1"]},
        },
        "pythonClassName": "tensorflow_datasets.core.features.audio_feature.Audio",
    }
    features.write_text(json.dumps(told))
    assert len(spoken_digits.read(place)) == len(held)


def test_splits_are_the_published_ones(prepared):
    data = load(SpokenDigitSettings(), prepared[0])
    assert data.name == "spoken_digit"
    assert [len(part) for part in (data.train, data.validation, data.test)] == [8, 20, 20]
    lengths = sorted({len(each) for each in data.test.sequences})
    assert lengths == [1 + (900 - WINDOW) // HOP]  # recordings 0 to 4
    assert set(data.test.labels) == {3, 7}


def test_a_speaker_is_held_out(prepared):
    data = load(SpokenDigitSettings(held_out="theo"), prepared[0])
    assert [len(part) for part in (data.train, data.validation, data.test)] == [14, 10, 24]
    theirs = [log_mel(each.sound) for each in spoken_digits.read(prepared[0]) if each.speaker == "theo"]
    assert all(any(np.array_equal(one, other) for other in theirs) for one in data.test.sequences)


def test_made_up_recordings_stand_in(tmp_path):
    data = load(SpokenDigitSettings(), str(tmp_path))
    assert data.name == "synthetic"
    again = load(SpokenDigitSettings(), str(tmp_path))
    np.testing.assert_array_equal(data.train.sequences[3], again.train.sequences[3])
    sizes = [len(part) for part in (data.train, data.validation, data.test)]
    assert sizes == [10 * len(SPEAKERS) * 5] * 3
    with pytest.raises(UserError, match="spoken_digit is not prepared"):
        load(SpokenDigitSettings(dataset="spoken_digit"), str(tmp_path))


def wav(path, sound, rate=RATE):
    wavfile.write(path, rate, sound)
    return path


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 11025])
def test_any_rate_is_read(tmp_path, rate):
    time = np.arange(rate) / rate
    tone = np.sin(2 * np.pi * 440 * time)
    for kind, samples in (
        ("int16", (2**15 - 1) * tone),
        ("uint8", 127 * tone + 128),
        ("int32", (2**31 - 256) * tone),
        ("float32", tone),
    ):
        sound = read_wav(wav(tmp_path / f"{kind}.wav", samples.astype(kind), rate))
        expected = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
        assert len(sound) == RATE
        np.testing.assert_allclose(sound[200:-200], expected[200:-200], atol=0.02)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: wav(path, np.ones((50, 2), np.int16)), "has 2 channels: mix it down to one"),
        (lambda path: wav(path, np.zeros(50, np.int16)), "holds no sound"),
        (lambda path: wav(path, np.full(50, np.nan, np.float32)), "holds no sound"),
        (lambda path: path.write_bytes(b"ID3"), "cannot be read as a WAV file"),
        (lambda path: None, "cannot be read as a WAV file"),
    ],
)
def test_what_is_no_recording(tmp_path, make, words):
    path = tmp_path / "sound.wav"
    make(path)
    with pytest.raises(UserError, match=words):
        read_wav(path)
