"""The command `vezne`: operate a stack, run the local one, write the documents."""
