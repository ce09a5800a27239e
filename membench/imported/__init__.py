"""Per-item results of other harnesses: reading their files, matching their items, and the task that sums them up."""
