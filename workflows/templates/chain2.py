"""chain2: a caller's picture is restyled, then animated."""

from temporalio import workflow

from domain.chains import ChainTemplate, Step
from domain.media import MediaKind
from domain.plan import ChainPlan
from domain.runs import RunOutcome
from workflows.chain import ChainWorkflow

TEMPLATE = ChainTemplate(
    slug="chain2",
    version="2026-05-23",
    title="image-to-image → image-to-video",
    description="Restyles the picture you bring, then animates it.",
    steps=(
        Step(
            "image_to_image",
            "Restyle image",
            MediaKind.IMAGE,
            default_model="bytedance/seedream-4.5",
            starts_from_picture=True,
        ),
        Step(
            "image_to_video",
            "Generate video",
            MediaKind.VIDEO,
            default_model="bytedance/seedance-1.5-pro",
            takes=("image_to_image",),
        ),
    ),
)


@workflow.defn(name="chain2")
class ImageToImageToVideoWorkflow(ChainWorkflow):
    template = TEMPLATE

    @workflow.run
    async def run(self, plan: ChainPlan) -> RunOutcome:
        return await self.run_chain()
