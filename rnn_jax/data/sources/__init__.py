"""Datasets beyond texts, one source a file: from what TFDS has prepared to sequences of vectors."""
