"""The proof of the promise: sent at most once, never guessed, never lost.

Function processes are real ones and are really killed. They run the deployed handlers against MiniStack (table and
secrets) and the provider sandboxes; what the sandboxes booked is the truth every answer and record is held to.

    function.py   what runs in a function process: the handler, and the steps at which it can be killed
    process_pool.py    forks function processes from a parent that has everything imported
    environment.py      MiniStack, sandboxes, tables and secrets, and function processes as a test sees them
    orders.py     orders of each operation, each with its own reference, and the truth about them
    verdict.py    holds answers and records to that truth, and counts what contradicts it
"""
