"""How text becomes batches: sources, words, the encoded cache, length buckets, and the order of batches."""
