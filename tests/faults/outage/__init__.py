"""`make outage`: the deployed handlers on a virtual clock, in many instances, with a provider that is sick.

All of Vezne is the deployed code. Its environment is modelled, each part in one module: the clock, Lambda's instances
and the gateway (`fleet`), the table, the providers, the clients.
"""
