"""The scripts people run: short, wiring and presets only."""
