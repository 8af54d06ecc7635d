"""Importing netral does nothing heavy and never reaches the network."""

import subprocess
import sys

HEAVY = "torch transformers onnxruntime tokenizers numpy fastapi uvicorn polars openpyxl xlsxwriter jinja2 ray ijson"


def test_import_loads_no_heavy_library():
    code = (
        "import sys, socket\n"
        "def closed(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = closed\n"
        "import netral\n"
        f"print([name for name in {HEAVY.split()!r} if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
