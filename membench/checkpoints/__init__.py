"""From a folder of weights to a model on a device: what is refused, foreign code, precision, memory budgets."""
