"""walletgate: bill payments."""
