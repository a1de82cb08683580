"""On one's own machine the sandbox shows a run being taken over; where real keys are, nothing stands in unasked."""

from pathlib import Path

from cli.environment import local_environment
from domain.choosing import with_fallbacks
from tests.support.orders import catalogue

SEEDANCE, SILENT = "bytedance/seedance-1.5-pro", "relaydance/seedance-1-5-pro-no-audio"


def test_seedance_has_a_stand_in_in_the_sandbox_and_nothing_has_one_beside_real_keys(tmp_path: Path) -> None:
    here = {"BABYCHAIN_DATA_DIR": str(tmp_path)}
    made = local_environment(here, ["BFL_API_KEY"])
    assert with_fallbacks(catalogue(), made["BABYCHAIN_FALLBACKS"]).fallbacks == {SEEDANCE: (SILENT,)}
    assert "BABYCHAIN_FALLBACKS" not in local_environment(here | {"BFL_API_KEY": "a-key"}, ["BFL_API_KEY"])
