import json
import subprocess
import sys
from pathlib import Path

TALKING = """
import logging, sys
from tests.bench import __main__ as bench

log = logging.StreamHandler(sys.stdout)  # it keeps the stream, as the functions' loggers do

def measure():
    log.stream.write("a log line\\n")
    print("a metric")
    yield {"us": 1}

bench.BENCHES = {"one": measure}
sys.exit(bench.main(["one"]))
"""


def test_standard_output_has_the_lines_of_the_bench_only() -> None:
    root = Path(__file__).parents[2]
    told = subprocess.run(
        [sys.executable, "-c", TALKING], cwd=root, capture_output=True, text=True, check=True
    )
    assert [json.loads(line) for line in told.stdout.splitlines()] == [{"bench": "one", "us": 1}]
    assert told.stderr.splitlines()[-2:] == ["a log line", "a metric"]
