"""NannyML in an environment of its own, `.venv-nannyml`, made by `make`: its requirements and ours never meet."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".venv-nannyml" / "bin" / "python"


def in_nannyml(script: Path, *arguments: str) -> dict[str, Any] | None:
    """Run a script there, its reports of usage off; return the JSON of its last line, None without the environment."""
    if not (ROOT / ".venv-nannyml" / ".installed").exists():
        return None
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"NML_DISABLE_USAGE_LOGGING": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [str(PYTHON), str(script), *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{script.name} failed in .venv-nannyml:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
