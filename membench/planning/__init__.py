"""From a request to cells: names, settings, data and model checked, order and shards, nothing played."""
