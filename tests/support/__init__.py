"""Shared by the unit, contract and integration tests: a recording provider, a harness, example orders."""
