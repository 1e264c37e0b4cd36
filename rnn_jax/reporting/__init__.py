"""Tables and plots, made from recorded runs alone."""
