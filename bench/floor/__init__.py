"""The floor: the smallest honest program on Temporal for the same chain.

Two paid jobs, each reported by a webhook, and one callback at the end. It believes every webhook, keeps no file, signs
nothing, archives nothing and may pay twice; what we take longer than this is the price of all that.
"""
