"""Which model files a ComfyUI is believed to hold."""

import pytest
from tests.real_comfyui import Tasks, all_events
from tests.runtimes.comfyui.test_run_faithful import diffusion
from tests.runtimes.comfyui.test_run_healing import QUICK, trouble

from fireside.runtimes.base import Failed, Finished, Interrupted
from fireside.runtimes.comfyui.runtime import ComfyRuntime
from fireside.runtimes.comfyui.supervised import SupervisedHome
from fireside.runtimes.comfyui.warm import WarmModels

FAILED = Failed(node_id="1", node_type="", exception_type="", exception_message="")
BOTH = {
    "1": {"class_type": "Load", "inputs": {"model": "a", "more": [{"lora": "b"}], "text": "c", "seed": 1}},
    "2": {"class_type": "Show", "inputs": {"model": ["1", 0]}},
}
ONE = {"1": {"class_type": "Load", "inputs": {"model": "a", "other": "d"}}}
NONE = {"1": {"class_type": "Empty", "inputs": {}}}
HERE, THERE = object(), object()


@pytest.fixture
def warm() -> WarmModels:
    warm = WarmModels()
    warm.know(["a", "b", "d"])
    return warm


def test_it_holds_the_models_of_the_graph_that_ran_last(warm: WarmModels) -> None:
    warm.begin(BOTH, HERE)
    warm.end(Finished())
    assert warm.at(HERE) == ("a", "b")

    warm.begin(NONE, HERE)
    warm.end(Finished())
    assert warm.at(HERE) == ()


@pytest.mark.parametrize("end", [FAILED, Interrupted(), None], ids=["failed", "interrupted", "broken"])
def test_after_a_run_that_broke_it_holds_what_it_surely_holds(warm: WarmModels, end: object) -> None:
    warm.begin(BOTH, HERE)
    warm.end(Finished())
    warm.begin(ONE, HERE)
    warm.end(end)

    assert warm.at(HERE) == ("a",)


def test_another_process_holds_nothing(warm: WarmModels) -> None:
    warm.begin(BOTH, HERE)
    warm.end(Finished())
    assert warm.at(THERE) == warm.at(None) == ()

    warm.begin(ONE, THERE)
    warm.end(FAILED)
    assert warm.at(THERE) == ()


def test_what_was_freed_is_not_held(warm: WarmModels) -> None:
    warm.begin(BOTH, HERE)
    warm.forget()
    warm.end(FAILED)

    assert warm.at(HERE) == ()


@pytest.mark.asyncio(loop_scope="session")
async def test_a_real_one_tells_what_it_holds_until_it_is_another_process(
    real_runtime: ComfyRuntime, real_home: SupervisedHome, make_task: Tasks
) -> None:
    assert (await all_events(real_runtime, make_task(diffusion(1))))[-1] == Finished()
    assert real_runtime.warm_models() == ("tiny_sd15.ckpt",)

    await real_home.restart("the test wants it")
    assert (await all_events(real_runtime, make_task(QUICK)))[-1] == Finished()
    assert real_runtime.warm_models() == ()

    await all_events(real_runtime, make_task(diffusion(2)))
    assert isinstance((await all_events(real_runtime, make_task(trouble("out_of_memory"))))[-1], Failed)
    assert real_runtime.warm_models() == ()
