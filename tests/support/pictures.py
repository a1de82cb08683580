"""Real, small pictures for tests."""

import hashlib
import io

from PIL import Image


def jpeg(seed: str, size: tuple[int, int] = (64, 64)) -> bytes:
    red, green, blue = hashlib.sha256(seed.encode()).digest()[:3]
    out = io.BytesIO()
    Image.new("RGB", size, (red, green, blue)).save(out, "JPEG")
    return out.getvalue()
