"""The environment that `dev` and `demo` give to every part: what the person set, and defaults for the rest."""

import base64
import secrets
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from cli.local_temporal import PORT
from cli.serve import ROOT, api_port

LOCAL_RECEIVER_PORT = 9000
"""In development a receiver of callbacks on this port of the same machine is trusted."""

_KEPT: dict[str, Callable[[], str]] = {
    "BABYCHAIN_SECRET": lambda: secrets.token_urlsafe(32),
    # A caller is known by its key's first 12 characters, so the random part starts before them.
    "BABYCHAIN_API_KEY": lambda: f"bchn_{secrets.token_urlsafe(24)}",
    # In this form Standard Webhooks libraries take it as it is.
    "BABYCHAIN_CALLBACK_SECRET": lambda: "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
    "BABYCHAIN_CRON_SECRET": lambda: secrets.token_urlsafe(24),
}


def data_dir(given: Mapping[str, str]) -> Path:
    return ROOT / (given.get("BABYCHAIN_DATA_DIR") or ".babychain")


def local_environment(given: Mapping[str, str], provider_keys: Collection[str]) -> dict[str, str]:
    """`given` completed: secrets that were generated once, local addresses, and sandbox mode where no key of a
    provider is at hand. An empty variable counts as unset, as it does for the parts."""
    env = {name: value for name, value in given.items() if value}
    folder = data_dir(env)
    env = keep_secrets(folder / "dev.env", env) | env
    if not any(name in env for name in provider_keys):
        env.setdefault("BABYCHAIN_PROVIDER_MODE", "sandbox")
    if env.get("BABYCHAIN_PROVIDER_MODE") == "sandbox":
        # So that a run can be watched being taken over: `babychain providers disable byteplus`, or a fault.
        env.setdefault("BABYCHAIN_FALLBACKS", "bytedance/seedance-1.5-pro=relaydance/seedance-1-5-pro-no-audio")
    env.setdefault("BABYCHAIN_PUBLIC_URL", f"http://127.0.0.1:{api_port(env.get('BABYCHAIN_API_PORT'))}")
    env.setdefault("BABYCHAIN_TRUSTED_ORIGINS", _local_origins(LOCAL_RECEIVER_PORT))
    # A reload should not wait half a minute for a provider; what it cuts off, Temporal starts again.
    env.setdefault("BABYCHAIN_SHUTDOWN_GRACE", "3")
    if "TEMPORAL_ADDRESS" not in env:
        env["TEMPORAL_ADDRESS"] = f"127.0.0.1:{env.get('BABYCHAIN_TEMPORAL_PORT') or PORT}"
    return env | {"BABYCHAIN_DATA_DIR": str(folder)}


def _local_origins(port: int) -> str:
    return f"http://127.0.0.1:{port},http://localhost:{port}"


def keep_secrets(file: Path, given: Mapping[str, str]) -> dict[str, str]:
    """The secrets of this checkout. What neither `given` nor the file has is made now and added to the file."""
    lines = file.read_text().splitlines() if file.exists() else []
    kept = dict(line.split("=", 1) for line in lines if "=" in line)
    made = {name: make() for name, make in _KEPT.items() if name not in given and name not in kept}
    if made:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        # A file that was there before may have been readable by others.
        file.chmod(0o600)
        with file.open("a") as appending:
            appending.writelines(f"{name}={value}\n" for name, value in made.items())
    return kept | made
