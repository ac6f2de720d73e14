"""KolayBi: collections booked in an accounting service."""
