"""What a model is asked: prompt, chat template, the form of an answer, how pieces become tokens."""
