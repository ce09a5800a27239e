"""What an answer, a memory and a sequence of writes score."""
