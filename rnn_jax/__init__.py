"""Recurrent networks in JAX: pure cells, unrolls, and everything to train them on IMDb."""
