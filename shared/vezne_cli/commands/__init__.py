"""The commands, one module per subject. They read what was typed and print; what they do is in the modules above.

They import those modules only when they run: `vezne --help` needs neither AWS's libraries nor the local stack's.
"""
