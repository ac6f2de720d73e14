"""Paynet: captures of card pre-authorisations."""
