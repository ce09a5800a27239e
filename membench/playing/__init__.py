"""Playing one episode: steps, calls of a plug-in, what it leaves behind, drift."""
