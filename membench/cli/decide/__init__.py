"""The commands that help to decide: advise, compare."""
