"""Decisions. A workflow reads like the sentence you would say; all effects are activities."""
