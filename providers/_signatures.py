"""Webhook schemes: how a secret of ours is made, and how it comes back to us."""

import hashlib
import hmac


def derived_secret(secret: str, purpose: str) -> str:
    """A secret for one purpose: a provider that leaks it gives away nothing else, and api and worker agree on it."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def body_signature(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Compares in constant time, and bytes: `compare_digest` refuses text outside ASCII, which anyone can send."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
