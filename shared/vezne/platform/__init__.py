"""What Vezne uses of Python and AWS. Nothing here knows about orders."""
