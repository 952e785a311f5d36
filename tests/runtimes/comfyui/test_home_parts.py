import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.runtimes.comfyui.standin import make_standin

from fireside.runtimes.base import RuntimeStartError
from fireside.runtimes.comfyui.launch import Launch, command, environment, find_comfyui, find_python
from fireside.runtimes.comfyui.log import Log
from fireside.runtimes.comfyui.patience import Patience
from fireside.runtimes.comfyui.ports import Port


def test_the_folder_around_comfyui_will_do(tmp_path: Path) -> None:
    make_standin(tmp_path / "ComfyUI")
    assert find_comfyui(tmp_path) == tmp_path / "ComfyUI"


def test_a_folder_that_is_no_comfyui_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeStartError, match=r"main\.py"):
        Launch(comfyui_dir=tmp_path).check()


@pytest.mark.parametrize("place", ["ComfyUI/venv", "ComfyUI/.venv", "venv", ".venv"])
def test_a_virtual_environment_beside_comfyui_is_found(tmp_path: Path, place: str) -> None:
    comfyui = make_standin(tmp_path / "ComfyUI")
    python = tmp_path / place / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    assert find_python(comfyui, None) == python


def test_without_a_virtual_environment_our_own_python_is_taken(tmp_path: Path) -> None:
    assert find_python(make_standin(tmp_path / "ComfyUI"), None) == Path(sys.executable)


def test_a_python_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    (tmp_path / "python").touch()
    with pytest.raises(RuntimeStartError, match="no Python that can be run"):
        Launch(comfyui_dir=make_standin(tmp_path / "c"), python=tmp_path / "python").check()


@pytest.mark.parametrize("argument", ["--port", "--port=1", "--por", "--output-directory", "--tls-keyfile=k"])
def test_arguments_that_are_ours_are_refused(tmp_path: Path, argument: str) -> None:
    with pytest.raises(RuntimeStartError, match="Fireside sets"):
        Launch(comfyui_dir=make_standin(tmp_path / "c"), arguments=(argument,)).check()


def test_extra_paths_that_are_not_there_are_told(tmp_path: Path) -> None:
    launch = Launch(comfyui_dir=make_standin(tmp_path / "c"), extra_model_paths=(tmp_path / "paths.yaml",))
    with pytest.raises(RuntimeStartError, match=r"paths\.yaml"):
        launch.check()


def test_options_that_this_comfyui_does_not_know_are_left_out(tmp_path: Path) -> None:
    words = command(Launch(comfyui_dir=make_standin(tmp_path / "c")), tmp_path / "worker", 1234)
    assert "--port" in words
    assert "--database-url" not in words


def test_a_gpu_is_chosen_by_number_or_by_id(tmp_path: Path) -> None:
    comfyui = make_standin(tmp_path / "c")
    by_number, by_id = (Launch(comfyui_dir=comfyui, device=device) for device in ("1", "GPU-12"))
    words = command(by_number, tmp_path, 1234)
    assert words[words.index("--cuda-device") + 1] == "1"
    assert "--cuda-device" not in command(by_id, tmp_path, 1234)
    assert environment(by_number, "")["CUDA_VISIBLE_DEVICES"] == "1"
    assert environment(by_id, "")["CUDA_VISIBLE_DEVICES"] == "GPU-12"


def test_the_cpu_leaves_the_gpus_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    launch = Launch(comfyui_dir=make_standin(tmp_path / "c"), device="cpu")
    assert "--cpu" in command(launch, tmp_path, 1234)
    assert "CUDA_VISIBLE_DEVICES" not in environment(launch, "")


def test_the_bridge_comes_in_where_node_packs_are_kept_out(tmp_path: Path) -> None:
    comfyui = make_standin(tmp_path / "c")
    with (comfyui / "comfy" / "cli_args.py").open("a") as known:
        known.write('"--whitelist-custom-nodes"')
    none = Launch(comfyui_dir=comfyui, arguments=("--disable-all-custom-nodes",))
    some = Launch(
        comfyui_dir=comfyui, arguments=("--disable-all-custom-nodes", "--whitelist-custom-nodes", "mine", "--fast")
    )
    assert command(none, tmp_path, 1)[-2:] == ["--whitelist-custom-nodes", "fireside_bridge"]
    assert command(some, tmp_path, 1)[-4:] == ["--whitelist-custom-nodes", "fireside_bridge", "mine", "--fast"]


def test_a_reserved_port_can_be_opened_by_its_program_and_is_given_to_nobody_else() -> None:
    ports = [Port() for _ in range(50)]
    assert len({port.number for port in ports}) == len(ports)
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", ports[0].number))
        server.listen()
    for port in ports:
        port.free()
        port.free()


def test_the_first_repair_is_at_once_and_later_ones_wait_longer_and_longer() -> None:
    patience = Patience(clock=lambda: 0.0)
    assert [patience.pause() for _ in range(10)] == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]


def test_starts_long_ago_are_forgiven() -> None:
    times = iter([0.0, 10.0, 20.0, 321.0])
    patience = Patience(clock=times.__next__)
    assert [patience.pause() for _ in range(4)] == [0, 0, 1, 0]


def test_a_log_shows_the_last_lines_and_of_a_progress_bar_its_last_state(tmp_path: Path) -> None:
    log = Log(tmp_path / "comfyui.log")
    log.write(b"one\ntwo\r\n 10%\r 50%\r100%\r\n\nthree \xff")
    assert log.tail(10) == "one\ntwo\n100%\nthree \N{REPLACEMENT CHARACTER}"
    assert log.tail(1) == "three \N{REPLACEMENT CHARACTER}"
    log.close()


def test_a_log_does_not_grow_without_end(tmp_path: Path) -> None:
    log = Log(tmp_path / "comfyui.log")
    for _ in range(40):
        log.write(b"x" * 1023 * 1024 + b"\n")
    log.close()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 12 * 1024 * 1024
    assert len(log.tail(10)) <= 64 * 1024


def test_a_log_on_a_full_disk_keeps_its_tail() -> None:
    log = Log(Path("/dev/full"))
    log.write(b"still here\n")
    assert log.tail(1) == "still here"
    log.close()


def test_the_bridge_needs_nothing_of_fireside() -> None:
    bridge = Path(command.__code__.co_filename).parent / "bridge"
    assert [path.name for path in bridge.iterdir()] == ["fireside_bridge"], "whatever lies there is loaded by ComfyUI"
    found = subprocess.run(
        ["grep", "-rn", "import fireside\\|from fireside", str(bridge), "--include=*.py"], check=False
    )
    assert found.returncode == 1
