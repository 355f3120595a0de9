"""Coverage-guided fuzzing of the archive and index readers.

``python -m cis490_pipeline_tests.drills.fuzz_readers CORPUS -max_total_time=600`` runs until a
crash, a hang (10 s), an allocation of more than 256 MB or 2 GB of memory, and leaves the input that
did it; put it into ``found`` and mend the reader. All of libFuzzer's flags may follow.

Needs atheris, which has wheels for Linux on x86-64 alone; it is no dependency of anything else.
"""

import importlib
import sys
from pathlib import Path
from typing import Final

_FLAGS: Final = ("-timeout=10", "-rss_limit_mb=2048", "-malloc_limit_mb=256", "-max_len=16384")


def main(arguments: list[str]) -> None:
    """Fuzz until libFuzzer stops."""
    import atheris

    # compiled code cannot be instrumented: its modules are imported before
    for name in ("episodes.row_kernels", "features.kernels", "telemetry.kernels"):
        importlib.import_module(f"cis490_pipeline.{name}")

    with atheris.instrument_imports(include=["cis490_pipeline.episodes"]):
        from cis490_pipeline_tests.drills.readers import check, seeds

    corpus = Path(arguments[0])
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number:02d}").write_bytes(seed)
    artifacts = f"-artifact_prefix={corpus.parent}/"
    argv = [sys.argv[0], str(corpus), artifacts, *_FLAGS, *arguments[1:]]
    atheris.Setup(argv, check, enable_python_coverage=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
