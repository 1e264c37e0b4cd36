"""Datasets that TFDS does not know, or does not build without TensorFlow: a builder each.

Whoever prepares one imports its module, which imports TFDS; to read what is prepared takes no builder.
`checksums.tsv` has the address, size, SHA-256 and name of each file that they download.
"""
