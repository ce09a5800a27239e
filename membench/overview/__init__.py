"""The short table: one line a method, tasks side by side, at any width."""
