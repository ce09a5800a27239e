"""The texts that come with membench: invented worlds, their probes, general knowledge, generic text, test suites."""
