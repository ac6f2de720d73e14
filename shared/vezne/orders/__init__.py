"""The path of an order, its record and its evidence. Knows nothing of HTTP."""
