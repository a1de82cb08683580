"""What the sandbox draws and films: real files, as asked, the same for the same order."""

import base64
import io
from dataclasses import replace

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from sandbox.media import films, pictures, tiny
from sandbox.media.orders import Format, Medium, PictureOrder, VideoOrder
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox

ORDER = PictureOrder(prompt="a paper boat on a calm sea at sunset", seed=7, width=320, height=192, format="png")
FILM = VideoOrder(prompt="drifting", seed=7, width=320, height=192, frames=25, sound=True)
PROMPTS = ("a boat at sea", "snowy mountains", "a fox in the forest", "desert dunes", "a city street at night", "")


def decoded(medium: Medium) -> Image.Image:
    return Image.open(io.BytesIO(medium.data)).convert("RGB")


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("size", [(320, 192), (64, 64), (208, 400)])
def test_a_picture_has_the_size_and_format_asked(format: Format, size: tuple[int, int]) -> None:
    medium = pictures.draw(replace(ORDER, format=format, width=size[0], height=size[1]))
    image = Image.open(io.BytesIO(medium.data))
    assert (image.format, image.size) == (format.upper(), size)
    assert medium.type == f"image/{format}"


def test_a_picture_larger_than_the_easel_still_has_its_size() -> None:
    assert decoded(pictures.draw(replace(ORDER, width=2848, height=1600, format="jpeg"))).size == (2848, 1600)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_same_order_is_the_same_bytes(prompt: str) -> None:
    order = replace(ORDER, prompt=prompt)
    assert pictures.draw(order).data == pictures.draw(order).data
    assert pictures.draw(order).data != pictures.draw(replace(order, seed=8)).data


def test_a_picture_is_no_flat_colour() -> None:
    assert min(ImageStat.Stat(decoded(pictures.draw(ORDER))).stddev) > 10


def test_an_edited_picture_shows_where_it_comes_from() -> None:
    """Bright stays bright and dark stays dark, which is how a person recognises it."""
    left_dark = Image.new("RGB", (400, 200), (20, 20, 30))
    left_dark.paste((240, 230, 200), (200, 0, 400, 200))
    file = io.BytesIO()
    left_dark.save(file, "PNG")
    edited = decoded(pictures.draw(replace(ORDER, prompt="at night", references=(file.getvalue(), file.getvalue()))))
    halves = [edited.crop(box).convert("L") for box in ((20, 60, 140, 150), (180, 60, 300, 150))]
    dark, bright = (ImageStat.Stat(half).mean[0] for half in halves)
    assert bright - dark > 40


def test_a_watermark_marks_the_corner() -> None:
    plain, marked = decoded(pictures.draw(ORDER)), decoded(pictures.draw(replace(ORDER, watermark=True)))
    changed = ImageChops.difference(plain, marked).getbbox()
    assert changed is not None
    assert changed[0] > plain.width / 2
    assert changed[1] > plain.height / 2


@pytest.mark.parametrize("sound", [True, False])
def test_a_film_has_the_frames_the_size_and_the_sound_asked(sound: bool) -> None:
    first = pictures.draw(replace(ORDER, width=640, height=640)).data
    film, last = films.shoot(replace(FILM, sound=sound, first_frame=first, wants_last_frame=True))
    with av.open(io.BytesIO(film.data), "r") as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (video.width, video.height, float(video.average_rate or 0)) == (320, 192, 24.0)
        assert [stream.codec_context.name for stream in container.streams.audio] == (["aac"] if sound else [])
        shown = [frame.to_image() for frame in container.decode(video)]  # type: ignore[no-untyped-call]
    assert len(shown) == 25
    assert ImageStat.Stat(ImageChops.difference(shown[0], shown[-1])).sum[0] > 0
    assert decoded(last).size == (320, 192)
    assert film.data.index(b"moov") < film.data.index(b"mdat")


def test_the_sound_lasts_as_long_as_the_film() -> None:
    (film,) = films.shoot(FILM)
    with av.open(io.BytesIO(film.data), "r") as container:
        samples = sum(frame.samples for frame in container.decode(container.streams.audio[0]))
        rate = container.streams.audio[0].rate
    assert abs(samples / (rate or 1) - 25 / 24) < 0.1


def test_the_same_film_order_is_the_same_bytes() -> None:
    order = replace(FILM, frames=8)
    assert films.shoot(order)[0].data == films.shoot(order)[0].data


def test_a_film_ends_on_the_last_frame_given() -> None:
    def flat(colour: tuple[int, int, int]) -> bytes:
        file = io.BytesIO()
        Image.new("RGB", (400, 400), colour).save(file, "PNG")
        return file.getvalue()

    order = replace(FILM, first_frame=flat((200, 0, 0)), last_frame=flat((0, 0, 200)), wants_last_frame=True)
    red, _, blue = ImageStat.Stat(decoded(films.shoot(order)[1])).mean
    assert blue > red + 80


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_tiny_pictures_are_real_and_not_below_any_limit(format: Format) -> None:
    medium = tiny.picture(format)
    assert len(medium.data) < 8_000
    assert min(decoded(medium).size) >= 400
    assert tiny.picture(format) is medium


@pytest.mark.parametrize("sound", [True, False])
def test_tiny_films_are_real(sound: bool) -> None:
    film, last = tiny.video(replace(FILM, sound=sound, wants_last_frame=True))
    assert len(film.data) < 8_000
    assert last.type == "image/png"
    with av.open(io.BytesIO(film.data), "r") as container:
        assert bool(container.streams.audio) is sound
        frames = list(container.decode(container.streams.video[0]))
    assert frames
    assert min(frames[0].width, frames[0].height) >= 400


async def test_a_chain_of_real_media_runs_through_the_protocols(sandbox: Sandbox) -> None:
    """A picture from one provider becomes the first frame at the other, fetched by its address."""
    async with running_sandbox(replace(QUICK, media="real")) as url:
        real = Sandbox(url, sandbox.http)
        sample = await real.sample(prompt="a boat at sea", width=512, height=512, seed=3, output_format="webp")
        again = (await real.http.get(sample)).content
        assert (await real.http.get(await real.sample(prompt="a boat at sea", width=512, height=512, seed=3,
                                                      output_format="webp"))).content == again  # fmt: skip
        content = [{"type": "text", "text": "it drifts"}, {"type": "image_url", "image_url": {"url": sample}}]
        created = await real.seedance(content=content, resolution="480p", duration=2)
        end = await real.task_in(created.json()["id"], "succeeded")
        assert end["ratio"] == "1:1"
        film = (await real.http.get(end["content"]["video_url"])).content
    with av.open(io.BytesIO(film), "r") as container:
        frames = list(container.decode(container.streams.video[0]))
    assert (len(frames), frames[0].width, frames[0].height) == (49, 640, 640)


async def test_real_seedance_wants_pictures_of_a_usable_size(sandbox: Sandbox) -> None:
    file = io.BytesIO()
    Image.new("RGB", (200, 200)).save(file, "PNG")
    data = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    answer = await sandbox.seedance(content=[{"type": "image_url", "image_url": {"url": data}}])
    assert answer.status_code == 400


async def test_a_picture_with_broken_data_fails_the_job(sandbox: Sandbox) -> None:
    whole = pictures.draw(replace(ORDER, width=400, height=400)).data
    broken = base64.b64encode(whole[: len(whole) // 2]).decode()
    async with running_sandbox(replace(QUICK, media="real")) as url:
        real = Sandbox(url, sandbox.http)
        receipt = (await real.bfl(input_image=broken)).json()
        assert (await real.bfl_end(receipt["id"]))["status"] == "Error"
