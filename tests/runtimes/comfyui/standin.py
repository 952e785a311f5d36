"""A program that a supervisor cannot tell from ComfyUI, up in a moment and with the faults that a test asks for."""

import json
from pathlib import Path

from fireside.runtimes.comfyui.launch import Launch

# The options it knows are found in its text, as those of ComfyUI are.
CLI_ARGS = """
"--listen" "--port" "--input-directory" "--output-directory" "--temp-directory" "--user-directory" "--front-end-root"
"--extra-model-paths-config" "--preview-method" "--cpu" "--cuda-device"
"""
MAIN = """
import json, os, signal, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

words = sys.argv[1:]
port = int(words[words.index("--port") + 1])
user = words[words.index("--user-directory") + 1]
with open(os.path.join(user, "starts"), "a") as starts:
    starts.write("x")
count = os.path.getsize(os.path.join(user, "starts"))
print("stand-in", count, flush=True)
with open(os.path.join(user, "environment.json"), "w") as told:
    json.dump(dict(os.environ), told)

if "--deaf" in words:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
if "--strays" in words:
    stray = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    with open(os.path.join(user, "strays"), "a") as told:
        told.write(f"{os.getpid()} {stray.pid}\\n")
if "--broken" in words:
    sys.exit("no module named torch")
if "--unlucky" in words and count == 1:
    sys.exit("OSError: [Errno 98] error while attempting to bind: address already in use")
if "--silent" in words:
    time.sleep(600)

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        is_hello = self.path == "/fireside/hello" and "--bridgeless" not in words
        if is_hello:
            known = self.headers["x-fireside-token"] == os.environ["FIRESIDE_BRIDGE_TOKEN"]
            return self.answer(200 if known else 403, {})
        if self.path == "/system_stats":
            shown = ["somebody", "else"] if "--strange" in words else sys.argv
            return self.answer(200, {"system": {"argv": shown}, "devices": []})
        if self.path == "/die" and "--lingering" in words:
            self.server.shutdown()
            return self.answer(200, {})
        if self.path == "/die":
            os.abort()
        return self.answer(404, {})

    def answer(self, status, body):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass

try:
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.serve_forever()
    server.server_close()
    # Its doors are closed, and it is still there for a while.
    time.sleep(3)
except KeyboardInterrupt:
    print("stopped in order", flush=True)
"""


def make_standin(folder: Path) -> Path:
    """Write it where a ComfyUI would be."""
    (folder / "comfy").mkdir(parents=True)
    (folder / "comfy" / "cli_args.py").write_text(CLI_ARGS)
    (folder / "main.py").write_text(MAIN)
    return folder


def launch_of(folder: Path, *arguments: str) -> Launch:
    """Say how it is started, with the faults it shall have."""
    return Launch(comfyui_dir=folder, arguments=arguments, device="cpu")


def environment_of(worker_folder: Path) -> dict[str, str]:
    """Give the environment that its last start saw."""
    return json.loads((worker_folder / "user" / "environment.json").read_text())


def starts_of(worker_folder: Path) -> int:
    """Count how often it was started."""
    return (worker_folder / "user" / "starts").stat().st_size


def strays_of(worker_folder: Path) -> list[int]:
    """Give the process ids of all its starts and their strays."""
    return [int(word) for word in (worker_folder / "user" / "strays").read_text().split()]
