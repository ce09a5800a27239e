"""Talking to OpenAI-compatible servers: addresses, one bounded HTTP call, chat replies, prices."""
