"""The commands that play: run, check, questions, train-memory."""
