"""What Vezne needs of Python and AWS, without a word about orders."""
