"""How methods, tasks and data sources are found, set and checked against their contract."""
