"""image-to-video: one step, from a caller's picture to a video. It shows how little a template is."""

from temporalio import workflow

from domain.chains import ChainTemplate, Step
from domain.media import MediaKind
from domain.plan import ChainPlan
from domain.runs import RunOutcome
from workflows.chain import ChainWorkflow

TEMPLATE = ChainTemplate(
    slug="image-to-video",
    version="2026-11-21",
    title="image-to-video",
    description="Animates the picture you bring.",
    steps=(
        Step(
            "image_to_video",
            "Generate video",
            MediaKind.VIDEO,
            default_model="bytedance/seedance-1.5-pro",
            starts_from_picture=True,
        ),
    ),
)


@workflow.defn(name="image-to-video")
class ImageToVideoWorkflow(ChainWorkflow):
    template = TEMPLATE

    @workflow.run
    async def run(self, plan: ChainPlan) -> RunOutcome:
        return await self.run_chain()
