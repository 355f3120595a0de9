"""The catalog is cheap to import and says what it knows."""

import subprocess
import sys

import pytest

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.models.catalog import FAMILIES, family
from cis490_pipeline.models.hyper_parameters import scalars_of


def test_names_are_unique_and_looked_up():
    assert len({spec.name for spec in FAMILIES}) == len(FAMILIES)
    for spec in FAMILIES:
        assert family(spec.name) is spec


def test_an_unknown_family_lists_the_known_ones():
    with pytest.raises(ConfigurationError) as caught:
        family("perceptron")
    for spec in FAMILIES:
        assert spec.name in str(caught.value)


def test_catalog_requests_and_registry_import_no_learning_library():
    code = (
        "import sys\n"
        "import cis490_pipeline.models.catalog, cis490_pipeline.models.bundle\n"
        "import cis490_pipeline.models.predict, cis490_pipeline.models.registry\n"
        "import cis490_pipeline.training.request, cis490_pipeline.training.run\n"
        "print(sorted({'torch', 'xgboost', 'sklearn', 'safetensors'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_bert_differs_from_the_transformer_by_its_pre_training_alone():
    ours, other = (scalars_of(family(name).hyper_parameters) for name in ("transformer", "bert"))
    assert ours.items() <= other.items()
