"""The command `vezne`: operate a stack, run the local one, write the documents."""

__version__ = "2026.11.26"
