"""chain1: a picture from text, then a video from the picture."""

from temporalio import workflow

from domain.chains import ChainTemplate, Step
from domain.media import MediaKind
from domain.plan import ChainPlan
from domain.runs import RunOutcome
from workflows.chain import ChainWorkflow

TEMPLATE = ChainTemplate(
    slug="chain1",
    version="2026-05-23",
    title="text-to-image → image-to-video",
    description="Draws a picture from text, then animates it.",
    steps=(
        Step("text_to_image", "Generate image", MediaKind.IMAGE, default_model="bytedance/seedream-4.5"),
        Step(
            "image_to_video",
            "Generate video",
            MediaKind.VIDEO,
            default_model="bytedance/seedance-1.5-pro",
            takes=("text_to_image",),
        ),
    ),
)


@workflow.defn(name="chain1")
class TextToImageToVideoWorkflow(ChainWorkflow):
    template = TEMPLATE

    @workflow.run
    async def run(self, plan: ChainPlan) -> RunOutcome:
        return await self.run_chain()
