"""What the check-* scripts share: how they are called, and which files they look at.

A check is a function that takes the project's root and yields one sentence for each finding, beginning with
"path:line:" or "path:". Every check comes with cases that prove that it can fail, and that it can pass.
"""

import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator

Check = Callable[[pathlib.Path], Iterable[str]]

ROOT = pathlib.Path(__file__).resolve().parent.parent


def project_files(root: pathlib.Path) -> Iterator[pathlib.Path]:
    """The files that are or would be committed; every file, where there is no repository."""
    listing = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True)
    if listing.returncode == 0:
        names = sorted(set(listing.stdout.decode().split("\0")) - {""})
        paths = [root / name for name in names]
    else:
        paths = sorted(root.rglob("*"))
    # A file that is deleted but not committed yet is still listed.
    return (path for path in paths if path.is_file() and not path.is_symlink())


def main(check: Check, passing: dict[str, str], failing: dict[str, dict[str, str]]) -> None:
    """Runs the check on the project, or with --self-test on its own cases.

    ``passing`` maps paths to contents that must yield no finding. ``failing`` maps the name of a case to the files
    that replace or join those and must yield one.
    """
    if sys.argv[1:] == ["--self-test"]:
        problems = list(self_test(check, passing, failing))
    elif not sys.argv[1:]:
        problems = list(check(ROOT))
    else:
        sys.exit(f"usage: {sys.argv[0]} [--self-test]")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


def self_test(check: Check, passing: dict[str, str], failing: dict[str, dict[str, str]]) -> Iterator[str]:
    name = pathlib.Path(sys.argv[0]).name
    for case, files in {"clean": {}, **failing}.items():
        with tempfile.TemporaryDirectory(prefix="instanta-check.") as folder:
            root = pathlib.Path(folder)
            for path, content in {**passing, **files}.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(content)
            findings = list(check(root))
        if case == "clean" and findings:
            yield f"{name}: found something in a clean tree: {findings}"
        elif case != "clean" and not findings:
            yield f"{name}: does not notice: {case}"
