"""Things that happen to long runs, done on purpose."""
