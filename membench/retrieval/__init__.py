"""Memories that are searched: passages, BM25, dense vectors, RAPTOR's trees."""

from membench.retrieval.method import Retrieval, best

__all__ = ["Retrieval", "best"]
