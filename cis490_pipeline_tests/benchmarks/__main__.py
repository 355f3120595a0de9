"""``python -m cis490_pipeline_tests.benchmarks``."""

from cis490_pipeline_tests.benchmarks.command import main

if __name__ == "__main__":
    main()
