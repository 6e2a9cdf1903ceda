"""Trust: which types an archive may hold without anybody having named them.

Rebuilding a model makes objects of the types an archive names and sets their attributes; predicting calls the functions
it names. So a type is known when scikit-learn itself defines it, in a part that models are made of, and a function when
it is one of scikit-learn's public ones that compute numbers from arrays and do nothing else. Names are looked up in the
scikit-learn that is installed and must be defined where the archive says: a module that only imported `os` has not
defined it. Of scipy and numpy only what is listed here is known: `scipy.stats` compiles source that its distributions
carry, and `numpy.load` reads files. What skops itself takes to be harmless (numbers, arrays, estimators) is not asked.
"""

from __future__ import annotations

import importlib
import inspect
import warnings
from types import ModuleType
from typing import Any

SPARSE = ("array", "matrix")
REVIEWED = frozenset(
    {f"numpy.{name}" for name in ("clip", "max", "mean", "median", "min", "nan_to_num", "round", "sum")}
    | {f"scipy.sparse._{form}.{form}_{kind}" for form in ("bsr", "coo", "csc", "csr", "dia") for kind in SPARSE}
    | {
        "functools.partial",  # what it wraps is a type of its own in the archive and audited as such
        "numpy.dtype",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",  # a spline remembers how its arrays are made
        "scipy.interpolate._bsplines.BSpline",
        "sklearn.cluster._kmeans._kmeans_single_elkan",
        "sklearn.cluster._kmeans._kmeans_single_lloyd",
        "sklearn.utils._bunch.Bunch",
        "sklearn.utils._metadata_requests.MetadataRequest",
        "sklearn.utils._metadata_requests.MethodMetadataRequest",
        "sklearn.utils.validation.check_array",
    }
)
NO_PART_OF_MODELS = frozenset(  # they read files, start processes, draw, test, or are not scikit-learn's own
    {"_build_utils", "_plot", "callback", "conftest", "datasets", "experimental", "externals", "inspection", "tests"}
    | {"utils"}
)
FUNCTIONS_OF = ("sklearn.metrics", "sklearn.metrics.pairwise", "sklearn.feature_selection", "sklearn.preprocessing")


def is_known(name: str) -> bool:
    """Whether `package.module.Name` is reviewed, or defined by the installed scikit-learn as part of its models."""
    if name in REVIEWED:
        return True
    module, _, short = name.rpartition(".")
    package, *parts = module.split(".")
    if package != "sklearn" or NO_PART_OF_MODELS & set(parts):
        return False
    found = getattr(_imported(module), short, None)
    if getattr(found, "__module__", None) != module or getattr(found, "__qualname__", None) != short:
        return False
    return isinstance(found, type) or _is_public_function(found, module)


def _is_public_function(found: Any, module: str) -> bool:
    homes = [home for home in FUNCTIONS_OF if f"{module}.".startswith(f"{home}.")]
    public = not found.__name__.startswith("_") and inspect.isfunction(found)
    return public and any(getattr(_imported(home), found.__name__, None) is found for home in homes)


def _imported(module: str) -> ModuleType | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a module that will move says so to whoever imports it
            return importlib.import_module(module)
    except ImportError:
        return None
