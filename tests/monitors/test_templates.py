"""Templates: what a file has from the one it extends, what it says itself, and where each error is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hindsight.errors import ConfigError
from hindsight.monitors.loader import lint, load_file, load_folder, load_monitor, monitor_files
from hindsight.monitors.templates import read_extended

BASE = """\
model: {name: credit, task: binary}
start: 2026-09-01
source:
  connection: warehouse
  predictions:
    table: inference_log
    id: request_id
    timestamp: predicted_at
    prediction: prediction
    latency_ms: latency_ms
    cost: cost_usd
drift: {method: psi, threshold: 0.1}
segments: [region, product]
rules:
  - {id: slow, metric: operations.latency_p99_ms, above: 1000, for: 3}
  - {id: cost, metric: operations.cost_per_prediction, above: 0.01}
alerts:
  email: [risk-ml@example.com]
  cap: 5
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    (tmp_path / "base.yml").write_text(BASE)

    def written(text: str, name: str = "credit") -> Path:
        (tmp_path / f"{name}.yml").write_text(f"extends: base.yml\nname: {name}\n{text}")
        return tmp_path / f"{name}.yml"

    return written


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as found:
        load_file(path)
    return [str(problem).replace(f"{path.parent}/", "") for problem in found.value.problems]


def test_what_a_file_does_not_say_it_has_from_its_template(write: Any) -> None:
    monitor = load_file(write(""))

    assert (monitor.name, monitor.drift.threshold, monitor.alerts.cap) == ("credit", 0.1, 5)
    assert monitor.source.predictions.table == "inference_log"


def test_mappings_are_merged_down_to_any_depth_and_lists_replaced(write: Any) -> None:
    monitor = load_file(write("source: {predictions: {table: other_log}}\nsegments: [region]\nalerts: {cap: 9}\n"))

    assert monitor.source.predictions.table == "other_log"
    assert monitor.source.predictions.id == "request_id"
    assert (monitor.segments, monitor.alerts.cap) == (("region",), 9)
    assert monitor.alerts.email == ("risk-ml@example.com",)


def test_rules_are_merged_by_id(write: Any) -> None:
    rules = load_file(
        write("rules:\n  - {id: cost, above: 0.5}\n  - {id: mine, metric: operations.error_rate, above: 0.2}\n")
    )
    found = {change.id: change.above for change in rules.rule_changes}

    assert found == {"slow": 1000, "cost": 0.5, "mine": 0.2}


def test_null_takes_out_what_the_template_says(write: Any) -> None:
    monitor = load_file(write("start: null\nalerts: {cap: null}\n"))

    assert monitor.start is None
    assert monitor.alerts.cap == 20


def test_a_name_is_never_inherited(write: Any, tmp_path: Path) -> None:
    write("")
    (tmp_path / "other.yml").write_text("extends: credit.yml\n")

    assert "other.yml name: is missing" in problems(tmp_path / "other.yml")


def test_a_monitor_may_be_a_template_too(write: Any, tmp_path: Path) -> None:
    write("window: 6h\n")
    (tmp_path / "other.yml").write_text("extends: credit.yml\nname: other\n")

    assert set(load_folder(tmp_path).monitors) == {"credit", "other"}
    assert load_monitor("other", tmp_path).window.total_seconds() == 6 * 3600


def test_an_error_names_the_file_and_the_line_it_was_written_in(write: Any, tmp_path: Path) -> None:
    (tmp_path / "base.yml").write_text(BASE.replace("method: psi", "method: psl"))
    path = write("window: 1x\n")

    first, second = problems(path)
    assert first.startswith("base.yml:12 drift.method: unknown method 'psl' - did you mean 'psi'?")
    assert first.endswith("- credit.yml extends it")
    assert second.startswith("credit.yml:3 window: ")


def test_an_error_of_a_merged_rule_is_in_the_line_that_says_it(write: Any, tmp_path: Path) -> None:
    path = write(
        "\nrules:\n  - {id: fast, metric: operations.throughput_rps, above: much}\n  - {id: cost, above: high}\n"
    )
    (tmp_path / "base.yml").write_text(BASE.replace("for: 3", "for: 0"))

    assert {"base.yml:15 rules[0].for", "credit.yml:5 rules[2].above", "credit.yml:6 rules[1].above"} <= {
        said.partition(": ")[0] for said in problems(path)
    }


def test_what_is_replaced_in_the_file_is_no_error_of_the_template(write: Any, tmp_path: Path) -> None:
    (tmp_path / "base.yml").write_text(BASE.replace("method: psi", "method: psl"))

    assert load_file(write("drift: {method: psi}\n")).drift.method == "psi"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("extends: bas.yml\n", "credit.yml:1 extends: there is no file"),
        ("extends: [base.yml]\n", "credit.yml:1 extends: expected a file such as base.yml"),
        ("extends: /etc/base.yml\n", "credit.yml:1 extends: expected a file such as base.yml"),
        (
            "extends: credit.yml\n",
            "credit.yml:1 extends: templates extend each other in a circle: credit.yml -> credit.yml",
        ),
        ("extends: null\n", "credit.yml:1 extends: expected a file"),
    ],
)
def test_what_cannot_be_extended_is_said(tmp_path: Path, write: Any, text: str, said: str) -> None:
    (tmp_path / "credit.yml").write_text(text + "name: credit\n")

    assert problems(tmp_path / "credit.yml")[0].startswith(said)


def test_a_circle_of_templates_is_refused_where_it_closes(tmp_path: Path, write: Any) -> None:
    (tmp_path / "base.yml").write_text("extends: top.yml\n")
    (tmp_path / "top.yml").write_text("# the third\nextends: base.yml\n")

    assert "top.yml:2 extends: templates extend each other in a circle: base.yml -> top.yml -> base.yml" in "\n".join(
        problems(write(""))
    )


def test_a_template_may_extend_another(tmp_path: Path, write: Any) -> None:
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "all.yml").write_text(BASE)
    (tmp_path / "base.yml").write_text("extends: top/all.yml\ndrift: {threshold: 0.3}\n")
    drift = load_file(write("")).drift

    assert (drift.method, drift.threshold) == ("psi", 0.3)


def test_a_template_is_no_monitor(tmp_path: Path, write: Any) -> None:
    path = write("")

    assert monitor_files(tmp_path) == [path]
    assert lint([tmp_path]) == []


def test_a_broken_template_is_said_once_and_leaves_other_monitors_alone(tmp_path: Path, write: Any) -> None:
    (tmp_path / "base.yml").write_text(BASE.replace("task: binary", "task: binry"))
    for k in range(50):
        write("", f"credit_{k:02}")
    (tmp_path / "well.yml").write_text("name: well\n" + BASE)
    loaded = load_folder(tmp_path)

    assert set(loaded.monitors) == {"well"}
    (problem,) = loaded.problems
    assert (problem.file, problem.line) == (tmp_path / "base.yml", 1)
    assert problem.message.endswith("credit_00.yml and 49 more extend it")
    for k in range(50):
        (said,) = problems(tmp_path / f"credit_{k:02}.yml")
        assert said.count("base.yml") == 1


def test_a_template_that_is_no_yaml_is_said_where_it_is_broken(tmp_path: Path, write: Any) -> None:
    (tmp_path / "base.yml").write_text("model: [\nsource: }\n")

    assert problems(write(""))[0].startswith("base.yml:2: not valid YAML")


def test_a_changed_template_is_read_again(tmp_path: Path, write: Any) -> None:
    path = write("")
    assert load_file(path).alerts.cap == 5
    (tmp_path / "base.yml").write_text(BASE.replace("cap: 5", "cap: 7"))
    assert load_file(path).alerts.cap == 7


def test_a_file_is_read_once_for_each_of_its_versions(
    tmp_path: Path, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hindsight.monitors import loader

    asked: list[str] = []
    read = loader.read_document
    monkeypatch.setattr(loader, "read_document", lambda path: asked.append(path.name) or read(path))
    path = write("")
    for _ in range(3):
        load_folder(tmp_path)
    os.utime(path)
    load_folder(tmp_path)

    assert asked == 2 * ["credit.yml", "base.yml"]


def test_places_know_the_template(write: Any, tmp_path: Path) -> None:
    document = read_extended(write("alerts: {cap: 9}\n"))

    assert document.places[("alerts", "cap")].file is None
    assert document.places[("alerts", "email")].file == tmp_path / "base.yml"
