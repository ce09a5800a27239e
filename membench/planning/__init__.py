"""From a request to cells: names, settings, data and model checked, time estimated, nothing played."""
