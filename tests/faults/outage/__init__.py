"""`make outage`: the deployed handlers on a virtual clock, many instances of them, and a provider that is sick.

Everything that Vezne does is the deployed code. What is modelled is what is round it, each in one module: the clock,
Lambda's instances and the gateway (`fleet`), the table, the providers, the clients.
"""
