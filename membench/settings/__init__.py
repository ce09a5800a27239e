"""What the settings of a plug-in may be: types, ranges and choices of its fields (pydantic)."""
