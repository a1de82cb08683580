"""The one way to connect: API, worker, command line and tests share converter, tracing and Temporal's own settings.

Address, namespace, TLS and API key come from Temporal's own `TEMPORAL_*` variables and profiles.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import SetupError
from temporal.names import SEARCH_ATTRIBUTES

_SHARED = PydanticPayloadConverter()


class SharedPayloadConverter(CompositePayloadConverter):
    """One set of converters for the whole process.

    The SDK makes a payload converter for every workflow instance, and each would work out the same types again: a
    hundred times the cost of using them.
    """

    def __init__(self) -> None:
        super().__init__(*_SHARED.converters.values())


DATA_CONVERTER = DataConverter(payload_converter_class=SharedPayloadConverter)


def connect_options() -> dict[str, Any]:
    return {
        **ClientConfig.load_client_connect_config(),
        "data_converter": DATA_CONVERTER,
        "interceptors": [TracingInterceptor()],
    }


async def connect(*, lazy: bool = False) -> Client:
    """`lazy` lets the API start, and say what is wrong, while the server is away."""
    return await Client.connect(**connect_options(), lazy=lazy)


async def register_search_attributes(client: Client) -> list[str]:
    """Register what is missing; answers the names that were added. A name of another type stops the start.

    The server answers OK when a name exists with another type, and changes nothing: hence the look first.
    """
    known = await _registered(client)
    wanted = search_attribute_types()
    for name, kind in wanted.items():
        if name in known and known[name] != kind:
            raise SetupError(f"Temporal knows the search attribute {name} with another type; remove it there first.")
    missing = {name: kind for name, kind in wanted.items() if name not in known}
    if missing:
        await add_search_attributes(client, missing)
    return sorted(missing)


async def add_search_attributes(client: Client, types: Mapping[str, IndexedValueType.ValueType]) -> None:
    request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=types)
    await client.operator_service.add_search_attributes(request)


async def missing_search_attributes(client: Client) -> list[str]:
    known = await _registered(client)
    return sorted(key.name for key in SEARCH_ATTRIBUTES if key.name not in known)


async def is_serving(client: Client) -> bool:
    try:
        return await client.service_client.check_health(timeout=timedelta(seconds=2))
    except RPCError as error:
        if error.status in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED):
            return False
        raise
    except RuntimeError:
        # A lazy client that has never reached its server raises this instead of an RPC error.
        return False


async def _registered(client: Client) -> dict[str, IndexedValueType.ValueType]:
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace), timeout=timedelta(seconds=5)
    )
    return dict(answer.custom_attributes)


def search_attribute_types() -> dict[str, IndexedValueType.ValueType]:
    return {key.name: IndexedValueType.ValueType(int(key.indexed_value_type)) for key in SEARCH_ATTRIBUTES}
