"""Stand-ins for the media providers: real wire protocols, real media, a ledger of paid starts, and faults on request.

Nothing here imports the product, and the product imports nothing from here: the two meet only over HTTP.
"""
