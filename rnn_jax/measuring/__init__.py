"""Measurements: what unrolling, epochs and devices cost, beside other libraries; what cells remember."""
