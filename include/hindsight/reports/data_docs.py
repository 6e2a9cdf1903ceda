"""Data Docs: Great Expectations' own page of a validation, made to stand alone and to run nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

_TEMPLATES = Path(__file__).parent / "templates"
_HARMLESS = str.maketrans({"<": "‹", ">": "›", "\x00": None})


def data_docs(validation: Mapping[str, Any], *, title: str) -> str:
    """Return the HTML page of a validation result, given in the form of Great Expectations' JSON.

    Great Expectations lets some names through as markup and lets a content network style its page: here no text of the
    result can be markup, and the frame of the page is our own, with its style sheet and without scripts.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when Great Expectations is imported
    with catch_warnings():
        simplefilter("ignore")
        from great_expectations.core.expectation_validation_result import expectationSuiteValidationResultSchema
        from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
        from great_expectations.render.view.view import DefaultJinjaPageView

        result = expectationSuiteValidationResultSchema.load(_harmless(validation))
        renderer: Any = ValidationResultsPageRenderer(run_info_at_end=True)
        view: Any = DefaultJinjaPageView(custom_views_directory=str(_TEMPLATES))
        return str(view.render(renderer.render(result), template="data_docs.j2", title=_harmless(title)))


def _harmless(content: Any) -> Any:
    """Return JSON content without anything that could open a tag; escaping would show where it is escaped again."""
    if isinstance(content, str):
        return content.translate(_HARMLESS)
    if isinstance(content, Mapping):
        return {_harmless(key): _harmless(value) for key, value in content.items()}
    return [_harmless(each) for each in content] if isinstance(content, list | tuple) else content
