"""Intervals, paired tests, half-lives and break-even points; pure functions of numbers."""
