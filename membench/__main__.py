"""`python -m membench` is `membench`."""

from membench.cli.app import main

main()
