"""The five providers as HTTP servers on loopback, written from the providers' pages. They keep state.

``python -m vezne_sandbox --port 8100`` starts them. A test starts them with ``vezne_sandbox.server.running_sandbox()``.
``GET /`` of the server is the manual (``manual.py``). ``README.md`` says how to use them, and how to add an operation.
"""
