"""Weights of recurrent layers from other libraries, and to them: arrays by their names there."""
