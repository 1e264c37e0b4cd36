"""Sound as a sequence: the spectrum of short frames, in bands as wide as the ear's."""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnn_jax.errors import UserError
from rnn_jax.places import local

RATE = 8000  # samples a second
WINDOW, HOP = 200, 80  # samples: 25 ms, every 10 ms
POINTS = 256  # of a Fourier transform
BANDS = 40
LOWEST = 60.0  # Hz; the highest band ends at half the rate
FLOOR = 1e-3  # of the energy of a band, of sounds of a root mean square of 1, below which all is silence


def log_mel(sound: NDArray[np.floating]) -> NDArray[np.float32]:
    """The logarithm of the energy in mel bands, frame by frame: `[N] -> [T, BANDS]`.

    A frame is 25 ms long, under a Hann window, and the next begins 10 ms later; of shorter sounds, silence
    follows. The sound is scaled to a root mean square of 1 before, and the mean of the logarithms over the
    recording is taken off, so that loudness does not count.

    S. Davis and P. Mermelstein, IEEE Transactions on Acoustics, Speech and Signal Processing 28 (1980), but
    for their cosine transform.
    """
    scaled = sound.astype(np.float32) / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-12)
    padded = np.pad(scaled, (0, max(0, WINDOW - len(sound))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), POINTS)) ** 2
    energies = np.log(power @ mel_bands().T + FLOOR)
    return (energies - energies.mean()).astype(np.float32)


@cache
def mel_bands() -> NDArray[np.float64]:
    """Triangles that are as wide on the mel scale, of 2595 log10(1 + f / 700): `[BANDS, POINTS/2 + 1]`."""
    edges = np.linspace(_mel(LOWEST), _mel(RATE / 2), BANDS + 2)
    corners = 700 * (10 ** (edges / 2595) - 1)
    below, centre, above = (corners[i : i + BANDS, None] for i in range(3))
    frequencies = np.fft.rfftfreq(POINTS, 1 / RATE)
    rising, falling = (frequencies - below) / (centre - below), (above - frequencies) / (above - centre)
    return np.maximum(0, np.minimum(rising, falling))


def _mel(frequency: float) -> float:
    return float(2595 * np.log10(1 + frequency / 700))


def read_wav(path: str | Path) -> NDArray[np.float32]:
    """A recording from -1 to 1, at `RATE`, whatever its own rate.

    Raises:
        UserError: if it cannot be read, has more than one channel, or is empty.
    """
    from scipy.io import wavfile
    from scipy.signal import resample_poly

    place = local(path)
    try:
        rate, sound = wavfile.read(place)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{place} cannot be read as a WAV file ({error}): save it as PCM") from error
    if sound.ndim > 1:
        raise UserError(f"{place} has {sound.shape[1]} channels: mix it down to one")
    sound = from_integers(sound)
    if not sound.any() or not np.isfinite(sound).all() or rate <= 0:
        raise UserError(f"{place} holds no sound: it is silent, or damaged")
    common = np.gcd(rate, RATE)
    return resample_poly(sound, RATE // common, rate // common).astype(np.float32)


def from_integers(sound: NDArray[np.number]) -> NDArray[np.float32]:
    """Samples from -1 to 1, from how files hold them: unsigned bytes, signed integers, or floats."""
    samples = sound.astype(np.float32)
    if sound.dtype == np.uint8:
        return samples / np.float32(128) - np.float32(1)
    if sound.dtype.kind == "i":
        return samples / np.float32(2 ** (8 * sound.dtype.itemsize - 1))
    return samples
