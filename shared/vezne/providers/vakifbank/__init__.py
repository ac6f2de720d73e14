"""VakıfBank: payments by the TOS interface."""
