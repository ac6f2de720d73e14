"""HASO: expenses of legal cases."""
