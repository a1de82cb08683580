"""The environment of API and worker. Only the composition roots read it."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.errors import SetupError
from net.origins import TrustedOrigins
from providers import sandbox_environment

LOCAL_API = "http://127.0.0.1:8000"


class Settings(BaseSettings):
    """Every name is the field's name in capitals behind `BABYCHAIN_`."""

    model_config = SettingsConfigDict(env_prefix="BABYCHAIN_", env_ignore_empty=True, hide_input_in_errors=True)

    secret: SecretStr = Field(min_length=16, description="Signs asset links and webhook addresses.")
    api_key: SecretStr = Field(min_length=12, description="Caller keys: one, or several split by comma or newline.")
    callback_secret: SecretStr = Field(min_length=8, description="Signs callbacks.")
    cron_secret: SecretStr | None = Field(None, description="Guards /api/cron/process-runs.")
    provider_mode: Literal["byok", "babysea", "sandbox"] = Field("byok", description="Whose keys run the models.")
    public_url: str | None = Field(None, description="Where providers and callers reach the API.")
    temporal_ui_url: str | None = Field(None, description="Where people look at workflows: the Temporal Web UI.")
    trusted_origins: str = Field("", description="Origins exempt from https-and-public, split by comma.")
    data_dir: Path = Field(Path(".babychain"), description="Where the embedded default keeps its files.")
    database_url: str | None = Field(None, description="The archive: SQLite in the data folder, or PostgreSQL.")
    assets_url: str | None = Field(None, description="Pictures and videos: a folder, s3://, gs:// or az://.")
    asset_link_days: int = Field(7, ge=7, le=365, description="How long an asset link lives at least.")
    retention_days: int | None = Field(None, ge=1, description="Days an ended run's pictures and videos are kept.")
    sandbox_url: str = Field("http://127.0.0.1:8090", description="Where the provider sandbox listens.")
    prices: Path | None = Field(None, description="A JSON file with prices of your own.")
    provider_limits: str = Field("", description="Jobs at once per account: bfl=3,byteplus=10, or bfl=off.")
    fallbacks: str = Field("", description="Stand-ins for models named alone: model=model,model; model=model.")
    rate_limit_per_minute: int = Field(30, ge=1, description="Creates a minute and key.")
    read_limit_per_minute: int = Field(600, ge=1, description="Reads a minute and key.")
    api_processes: int = Field(1, ge=1, description="How many API processes share a key's minute without Redis.")
    redis_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("REDIS_URL", "redis_url"),
        description="Where API processes count a key's minute together.",
    )
    shutdown_grace: float = Field(30.0, ge=0, description="Seconds a stopping worker lets activities finish.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Log lines below it are dropped."
    )

    @classmethod
    def load(cls) -> Self:
        """Read the environment, or say every name that is missing or wrong."""
        try:
            return cls()
        except ValidationError as error:
            names: dict[str, list[str]] = {"missing": [], "invalid": []}
            for problem in error.errors(include_url=False, include_input=False):
                kind = "missing" if problem["type"] == "missing" else "invalid"
                names[kind].append(f"BABYCHAIN_{str(problem['loc'][0]).upper()}")
            said = "; ".join(f"{kind}: {', '.join(wrong)}" for kind, wrong in names.items() if wrong)
            raise SetupError(f"The environment is not complete: {said}.", facts=names) from None

    @property
    def own_prices(self) -> str | None:
        try:
            return self.prices.read_text() if self.prices else None
        except OSError as error:
            raise SetupError("The file of BABYCHAIN_PRICES cannot be read.") from error

    @property
    def base_url(self) -> str:
        return (self.public_url or LOCAL_API).rstrip("/")

    @property
    def providers_reach_us(self) -> bool:
        """Whether a provider can fetch our pictures and call our webhooks: the sandbox always can.

        Over plain http it can only where the operator vouches for our own address, as for a sandbox beside us.
        """
        if self.provider_mode == "sandbox":
            return True
        public = self.public_url or ""
        return public.startswith("https://") or TrustedOrigins.parse(self.trusted).allows(public)

    @property
    def archive_url(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir.absolute() / 'babychain.db'}"

    @property
    def retention(self) -> timedelta | None:
        return None if self.retention_days is None else timedelta(days=self.retention_days)

    @property
    def assets(self) -> str:
        return self.assets_url or (self.data_dir.absolute() / "assets").as_uri()

    @property
    def trusted(self) -> str:
        """In sandbox mode the sandbox's own origins are trusted: submit, results, and its second port for faults."""
        if self.provider_mode != "sandbox":
            return self.trusted_origins
        port = urlsplit(self.sandbox_url).port or 80
        hosts = dict.fromkeys([urlsplit(self.sandbox_url).hostname or "127.0.0.1", "localhost"])
        own = [f"http://{host}:{number}" for host in hosts for number in (port, port + 1)]
        return ",".join([*own, self.trusted_origins])

    def provider_environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """What adapters are built from. In sandbox mode real provider keys are not even looked at."""
        secret = {"BABYCHAIN_SECRET": self.secret.get_secret_value(), "BABYCHAIN_TRUSTED_ORIGINS": self.trusted}
        if self.provider_mode == "sandbox":
            return secret | sandbox_environment(self.sandbox_url)
        return dict(env) | secret

    def secrets(self) -> list[str]:
        held = [self.secret, self.api_key, self.callback_secret, self.cron_secret, self.redis_url]
        return [value.get_secret_value() for value in held if value is not None]
