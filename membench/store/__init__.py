"""A cell on disk: its recipe, records, summary, costs, and its folder with its lock."""
