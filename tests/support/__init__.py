"""What the unit, contract and integration tests share: a provider that records, a bench, example orders."""
