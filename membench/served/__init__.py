"""A model behind an endpoint as memories are lent it: its answers, kept and limited, and no weights."""
