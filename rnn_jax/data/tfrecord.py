"""Files of TFRecords, the default of TFDS, read without TensorFlow.

A record is framed as

    uint64 length | uint32 masked CRC-32C of the length | the record | uint32 masked CRC-32C of the record

in little-endian order. The mask is there because CRCs of data that hold CRCs are weak: a rotation by 15 bits,
plus a constant (TensorFlow, `tensorflow/core/lib/io/record_writer.h`).
"""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, the bits of a byte reversed


def read(path: Path) -> list[bytes]:
    """All records of a file, in their order.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is damaged: every CRC is checked.
    """
    content = path.read_bytes()
    starts, lengths, sums = [], [], []  # of the pieces under a CRC: a length and a record in turn
    position = 0
    while position < len(content):
        if position + _HEADER.size > len(content):
            raise ValueError(f"{path.name} ends within a record")
        length, length_sum = _HEADER.unpack_from(content, position)
        start = position + _HEADER.size
        end = start + length
        if end + _FOOTER.size > len(content):
            raise ValueError(f"{path.name} ends within a record")
        starts += [position, start]
        lengths += [8, length]
        sums += [length_sum, *_FOOTER.unpack_from(content, end)]
        position = end + _FOOTER.size
    found = masked_crc32c(np.frombuffer(content, np.uint8), np.array(starts, int), np.array(lengths, int))
    wrong = np.flatnonzero(found != np.array(sums, np.uint32))
    if len(wrong):
        raise ValueError(f"record {wrong[0] // 2 + 1} of {path.name} does not match its CRC")
    return [content[s : s + n] for s, n in zip(starts[1::2], lengths[1::2], strict=True)]


def masked_crc32c(
    content: NDArray[np.uint8], starts: NDArray[np.int_], lengths: NDArray[np.int_]
) -> NDArray[np.uint32]:
    """The masked CRC-32C of N pieces of a file, `[N]`, all of them at once: a step a byte of the longest."""
    order = np.argsort(-lengths, kind="stable")  # so that the pieces that go on stand in front
    starts, lengths = starts[order], lengths[order]
    state = np.full(len(order), 0xFFFFFFFF, np.uint32)
    # How many pieces have more than t bytes, for every t.
    counts = np.searchsorted(-lengths, -np.arange(lengths.max(initial=0)), side="left")
    for t, count in enumerate(counts):
        front = state[:count]
        front[:] = _TABLE[(front ^ content[starts[:count] + t]) & 0xFF] ^ (front >> 8)
    crc = np.empty_like(state)
    crc[order] = ~state
    return ((crc >> 15 | crc << 17) + np.uint32(0xA282EAD8)).astype(np.uint32)


def _table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(_POLYNOMIAL), table >> 1)
    return table


_TABLE = _table()
