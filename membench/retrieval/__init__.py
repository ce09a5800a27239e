"""Memories that are searched: passages, BM25, dense vectors, RAPTOR's trees."""

from membench.retrieval.bm25_index import best
from membench.retrieval.method import Retrieval

__all__ = ["Retrieval", "best"]
