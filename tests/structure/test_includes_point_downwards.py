"""Holds ARCHITECTURE.md's rule: plugins -> sdk <- broker, and inside broker/ no include points upwards."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Lowest first. A folder may include itself and what stands before it.
LAYERS = ["base", "message", "storage", "observe", "net", "routing", "registry", "channels", "intake", "planner", "dispatch",
          "engine", "api", "app"]

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
SOURCES = [p for folder in ("broker", "plugins", "sdk", "cli", "clients", "sim") for p in (ROOT / folder).rglob("*.[ch]*")
           if p.suffix in (".cpp", ".hpp", ".h", ".c")]


def includes(path):
    return INCLUDE.findall(path.read_text(errors="replace"))


def test_there_is_something_to_check():
    assert len(SOURCES) > 50


def test_broker_includes_point_downwards():
    wrong = []
    for path in SOURCES:
        parts = path.relative_to(ROOT).parts
        if parts[0] != "broker" or len(parts) < 3:
            continue
        layer = parts[1]
        for target in includes(path):
            if target.startswith("broker/"):
                other = target.split("/")[1]
                if LAYERS.index(other) > LAYERS.index(layer):
                    wrong.append(f"{path.relative_to(ROOT)} includes {target}")
                if layer == "routing" and other not in ("base", "routing"):
                    wrong.append(f"{path.relative_to(ROOT)}: routing is pure, but includes {target}")
            elif target.startswith(("plugins/", "cli/", "bench/")):
                wrong.append(f"{path.relative_to(ROOT)} includes {target}")
    assert not wrong, "\n".join(wrong)


def test_plugins_and_sdk_know_nothing_of_the_broker():
    wrong = []
    for path in SOURCES:
        parts = path.relative_to(ROOT).parts
        if parts[0] in ("plugins", "sdk"):
            for target in includes(path):
                own = f"plugins/{parts[1]}/" if parts[0] == "plugins" else "sdk/"
                if target.startswith(("broker/", "cli/")) or (target.startswith("plugins/") and not target.startswith(own)):
                    wrong.append(f"{path.relative_to(ROOT)} includes {target}")
    assert not wrong, "\n".join(wrong)


def test_every_folder_of_code_opens_with_a_readme():
    folders = [ROOT / "broker" / layer for layer in LAYERS] + [p for p in (ROOT / "plugins").iterdir() if p.is_dir()]
    folders += [ROOT / name for name in ("sdk", "cli", "bench", "tests")]
    missing = [str(f.relative_to(ROOT)) for f in folders if not (f / "README.md").exists()]
    assert not missing, missing
