"""What BytePlus' picture and video models share."""

from typing import Literal

from pydantic import Field

from providers._params import NativeParams

NAME = "byteplus"
API = "https://ark.ap-southeast.bytepluses.com/api/v3"


class WebSearch(NativeParams):
    type: Literal["web_search"] = Field(description="The tool.")
