"""What a sandbox can be told before it starts; the control routes (`/_sandbox/...`) tell it the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import urlsplit

Media = Literal["real", "tiny"]
BflWebhook = Literal["secret", "hmac", "none"]
BailianErrors = Literal["native", "openai", "task"]
RelayDanceDialect = Literal["documented", "openai", "newapi"]

_OTHER_NAME = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}


@dataclass(frozen=True)
class Config:
    """Everything is in seconds unless its name says otherwise."""

    url: str = "http://127.0.0.1:8090"
    second_port: int | None = None  # where connections fail (`refuse`, `bad_tls`); the next port up unless given
    picture_seconds: float = 3
    video_seconds: float = 5
    media: Media = "real"
    sees_pictures: bool = False  # fetch and judge pictures behind addresses where media is tiny too
    limits: bool = True  # the providers' limits on work in flight and on request rates; a load test turns them off
    webhook_retry_seconds: tuple[float, ...] = (1, 5, 30)
    bfl_webhook: BflWebhook = "secret"
    bfl_result_seconds: float = 600
    bfl_retention_seconds: float = 3600
    bfl_replication_seconds: float = 0  # how long after the submit a poll still says `Task not found`
    bfl_strict_polling: bool = False  # the submit host does not know tasks that got a `polling_url`
    byteplus_result_seconds: float = 24 * 3600
    byteplus_unopened: frozenset[str] = frozenset()  # model ids the account has not activated
    byteplus_lists_identifiers: bool = True  # not certain of every model: the list may leave them out
    bach_result_seconds: float = 24 * 3600
    bach_longest_video: int = 6  # 5, as one of its error texts has it
    bach_needs_prompt: bool = False  # as another has it
    bach_judges_pictures_late: bool = False  # a picture it won't take ends the task, instead of the create
    bailian_result_seconds: float = 24 * 3600
    bailian_retention_seconds: float = 24 * 3600
    bailian_sides: tuple[int, int] = (360, 2000)  # of a picture, in pixels; newer pages allow more
    bailian_errors: BailianErrors = "native"  # in which of three shapes the gateway puts them
    babysea_start_seconds: float = 0  # how long a create takes: meanwhile its key is "in progress"
    babysea_key_seconds: float = 24 * 3600  # how long idempotency keys are remembered
    babysea_credits: float = 1_000_000  # of each account when it is first seen
    relaydance_dialect: RelayDanceDialect = "documented"
    relaydance_result_seconds: float = 1800
    relaydance_lag_seconds: float = 0  # how long after the submit a read still says that there is no such task

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or "127.0.0.1"

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        return 80 if port is None else port

    @property
    def fault_port(self) -> int:
        if self.second_port is not None:
            return self.second_port
        return self.port + 1 if self.port else 0

    @property
    def other_host(self) -> str:
        """A second name of the same machine, since real providers hand out URLs on another host than their API's.

        Only loopback has a second name we can know; in a container network the one name serves for both.
        """
        return _OTHER_NAME.get(self.host, self.host)

    @property
    def other_url(self) -> str:
        return f"http://{self.other_host}:{self.port}"


def from_environment(env: Mapping[str, str]) -> Config:
    latency = env.get("BABYCHAIN_SANDBOX_LATENCY")
    media = env.get("BABYCHAIN_SANDBOX_MEDIA", "real")
    limits = env.get("BABYCHAIN_SANDBOX_LIMITS", "on")
    if media not in ("real", "tiny"):
        raise ValueError(f"BABYCHAIN_SANDBOX_MEDIA is 'real' or 'tiny', not {media!r}")
    if limits not in ("on", "off"):
        raise ValueError(f"BABYCHAIN_SANDBOX_LIMITS is 'on' or 'off', not {limits!r}")
    return Config(
        url=env.get("BABYCHAIN_SANDBOX_URL", Config.url).rstrip("/"),
        picture_seconds=float(latency) if latency else Config.picture_seconds,
        video_seconds=float(latency) if latency else Config.video_seconds,
        media=cast("Media", media),
        limits=limits == "on",
    )
