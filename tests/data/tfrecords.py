"""TFRecord files, written as the format is published: a byte and a bit at a time, unlike the reader."""

import json
import shutil
import struct

from array_record.python.array_record_module import ArrayRecordReader

from rnn_jax.data import imdb


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


def frame(record):
    length = struct.pack("<Q", len(record))
    return length + struct.pack("<I", masked(length)) + record + struct.pack("<I", masked(record))


def convert(prepared, folder):
    """Prepared reviews as they would be in the default format of TFDS, two files a split."""
    shutil.copytree(prepared, folder)
    place = folder / imdb.FOLDER
    info = json.loads((place / "dataset_info.json").read_text())
    info["fileFormat"] = "tfrecord"
    for split in info["splits"]:
        name = f"imdb_reviews-{split['name']}"
        [old] = place.glob(f"{name}.*")
        reader = ArrayRecordReader(str(old))
        records = reader.read(0, reader.num_records())
        reader.close()
        old.unlink()
        half = len(records) // 2
        split["shardLengths"] = [str(half), str(len(records) - half)]
        for i, part in enumerate((records[:half], records[half:])):
            (place / f"{name}.tfrecord-0000{i}-of-00002").write_bytes(b"".join(map(frame, part)))
    (place / "dataset_info.json").write_text(json.dumps(info))
    return folder
