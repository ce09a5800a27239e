"""From stored cells to leaderboards: rows, their statistics, columns, formats."""

from membench.tables.columns import columns_help
from membench.tables.leaderboard import Table, rows, table_rows, tables

__all__ = ["Table", "columns_help", "rows", "table_rows", "tables"]
