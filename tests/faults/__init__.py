"""The proof of the promise: sent at most once, never guessed, never lost.

Function processes are real processes, and are really killed. They run the deployed handlers against MiniStack (table
and secrets) and the provider sandboxes. The truth is what the sandboxes booked: each answer and record must fit it.

    function.py      what runs in a function process: the handler, and the steps at which it can be killed
    process_pool.py  forks function processes from a parent that has everything imported
    environment.py   MiniStack, sandboxes, tables and secrets, and function processes as a test sees them
    orders.py        orders of each operation, each with its own reference, and the truth about them
    verdict.py       compares answers and records with that truth, and counts the contradictions
"""
