"""The commands that keep what is stored: verify, score, export, merge, migrate."""
