"""Recurrent networks in JAX: pure cells, ways to unroll them, and everything to train them on IMDb."""
