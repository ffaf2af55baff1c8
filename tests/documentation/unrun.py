"""Which commands and blocks the tests don't run, and why. What isn't listed here is run; a stale entry fails."""

from __future__ import annotations

# Too long for `make test`; the campaign `documentation` runs them.
IN_THE_CAMPAIGN = {
    "python3 -m venv .venv": "the packages that go into it take minutes",
    ". .venv/bin/activate": "likewise",
    "pip install -r requirements.txt": "some minutes and gigabytes",
    'pip install ".[onnx]"': "likewise",
    'pip install ".[scale]"': "likewise",
    "make site": "makes an environment of its own",
    "make lint": "likewise",
    "make docs": "likewise; tests/documentation/test_built.py builds the documentation in any case",
    "python generate.py config.yaml": "the repository's own circuits at full size",
    "python generate.py my-circuit.yaml --survey fire2/expand3x3 --estimate": "measures for some seconds",
    "python generate.py my-circuit.yaml --survey fire2/expand3x3": "all units of a layer, as tests/layers",
    "python generate.py class.yaml --survey fire4/expand3x3": "likewise",
    "python generate.py class.yaml --strict --confined": "a second circuit from nothing",
    "python generate.py sweep.yaml --estimate": "measures for some seconds",
    "python generate.py sweep.yaml": "likewise",
    "python generate.py from-code.yaml": "the same network a second time",
    "VIZENGINE_WEIGHTS=that/folder python generate.py config.yaml": "likewise",
}

# Pages that only the campaign follows: each computes for a minute what other tests compute too.
PAGES_IN_THE_CAMPAIGN = (
    "docs/how-to/class.md",
    "docs/how-to/github-pages.md",
    "docs/how-to/own-network.md",
    "docs/how-to/own-photos.md",
)

# Never run by the tests of the documentation.
NEVER = {
    "make test": "it is what runs this",
    "make test TESTS=tests/config": "likewise, in an environment of its own",
    "make pythons": "makes environments of its own; `make test` runs it",
    "make campaign": "it is what runs this",
    "dask scheduler --host 10.0.0.1": "needs a cluster; tests/layers/test_cluster.py starts both as processes",
    "dask worker tcp://10.0.0.1:8786 --nthreads 1": "likewise",
    "python generate.py sweep.yaml --scheduler tcp://10.0.0.1:8786": "likewise",
}

# Blocks of Python, by their first line.
NEVER_PYTHON = {
    "import torch": "PyTorch isn't among the packages; tests/network/test_onnx.py has files with the nodes it writes",
    "from dask_jobqueue import SLURMCluster": "needs SLURM",
    "from dask_kubernetes.operator import KubeCluster": "needs Kubernetes",
}
