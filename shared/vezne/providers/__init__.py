"""The providers: one folder each, and what they share."""
