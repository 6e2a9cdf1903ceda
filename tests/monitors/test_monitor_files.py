"""What a writer of monitor files is told: every error, with its line, in words they know."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.errors import ConfigError
from hindsight.monitors.document import read_document
from hindsight.monitors.loader import lint, load_folder, load_monitor
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.severity import Severity
from tests.builders import a_monitor, at

VALID = """\
name: credit
model: {name: credit, task: binary}
source:
  predictions: {table: log, id: id, timestamp: at, prediction: prediction, score: score, latency_ms: ms}
  labels: {table: truth, id: id, label: label}
features: {amount: numeric, region: categorical}
reference: {trailing: 28d}
"""


def write(folder: Path, text: str | bytes, name: str = "credit.yml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def told(folder: Path, text: str | bytes) -> str:
    """The problems of a file as lines, with the folder cut away."""
    return "\n".join(str(problem) for problem in lint([write(folder, text)])).replace(f"{folder}/", "")


def test_a_short_file_is_enough(tmp_path: Path) -> None:
    monitor = load_monitor(write(tmp_path, VALID))
    assert monitor.name == "credit"
    assert monitor.retrain_dag == "retrain__credit"


def test_an_unknown_method_is_told_with_file_line_field_and_a_suggestion(tmp_path: Path) -> None:
    assert told(tmp_path, VALID + "drift:\n  method: psl\n") == (
        "credit.yml:9 drift.method: unknown method 'psl' - did you mean 'psi'?"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1\nb: 2", "credit.yml:2: not valid YAML: expected ',' or ']'"),
        ("name: x\nmodel:\n\ttask: binary\n", "credit.yml:3: not valid YAML: found a tab"),
        (b"\xef\xbb\xbfname: x\n", "credit.yml:1: starts with a byte order mark"),
        ("name: x\nowner: Müller\n".encode("latin-1"), "credit.yml:2: byte 0xfc is not UTF-8"),
        ("name: \x07\n", "credit.yml:1: character '\\x07' is not allowed"),
        ("a: 1\n---\nb: 2\n", "credit.yml:2: not valid YAML: but found another document"),
        ("a: *b\n", "credit.yml:1: not valid YAML: found undefined alias"),
        ("", "credit.yml:1: expected a mapping of keys such as name, model and source; the file is empty"),
        ("# only this\n", "the file is empty"),
        ("- name: x\n", "found a list"),
        ("hello", "found the text hello"),
        ("[" * 5000, "nested deeper than 20 levels"),
    ],
)
def test_a_file_that_is_no_mapping_of_yaml_is_told_where_it_breaks(tmp_path: Path, text, expected) -> None:
    message = told(tmp_path, text)
    assert expected in message
    assert "Traceback" not in message


@pytest.mark.parametrize("text", [b"name: x\nowner: M\xfcller\n", "name: x\nmodel:\n\ttask: y\n", "a: b: c\n"])
def test_a_syntax_error_is_told_with_its_column(tmp_path: Path, text) -> None:
    assert "(column " in told(tmp_path, text)


def test_a_duplicate_key_names_both_lines(tmp_path: Path) -> None:
    assert told(tmp_path, VALID + "name: other\n") == (
        "credit.yml:8 name: key is already given in line 1; keep one of the two"
    )


@pytest.mark.parametrize(
    ("addition", "expected"),
    [
        ("drift: {treshold: 0.2}", "drift.treshold: unknown key 'treshold' - did you mean 'threshold'?"),
        ("kritisch: 1", "kritisch: unknown key 'kritisch'; known are alerts, anchor, calendar"),
        ("rule_changes: []", "rule_changes: unknown key"),
        ("kpis: {revenue: {summe: amount}}", "kpis.revenue.summe: unknown key 'summe' - did you mean 'sum'?"),
        ("rules: [{id: drift, treshhold: 1, above: 1}]", "rules[0].treshhold: unknown key"),
        ("1: x", "1: unknown key '1'"),
        ("? [a, b]\n: 1", "expected a name as key, found a list"),
    ],
)
def test_an_unknown_key_is_told_with_what_is_known_at_that_place(tmp_path: Path, addition, expected) -> None:
    assert expected in told(tmp_path, VALID + addition + "\n")


@pytest.mark.parametrize(
    ("addition", "expected"),
    [
        ("window: 12:30:00", "window: expected a duration such as 15m, 6h or 7d, got '12:30:00'"),
        ("window: 15", "window: expected a duration such as 15m, 6h or 7d, found 15"),
        ("lateness: -5m", "lateness: expected a duration such as 15m, 6h or 7d, got '-5m'"),
        ("labels: {matures_after: -1d}", "labels.matures_after: expected a duration"),
        ("labels: {min_labels: 0100}", "labels.min_labels: expected a whole number, found '0100'"),
        ("owner: 1.50", "owner: expected text, found 1.50 - put it in quotes"),
        ("owner:", "owner: expected text, found nothing"),
        ("start: 2026-13-01", "start: expected a date or time such as 2026-09-01"),
        ("state: activ", "state: expected 'active', 'paused' or 'archived', found 'activ' - did you mean 'active'?"),
        ("segments: region", "segments: expected a list, found 'region' - write [region]"),
        ("kpis: [amount, region]", "kpis: expected a mapping, found a list - write {name: value, …}"),
        (
            "rules: {id: drift, enabled: false}",
            "rules: expected a list, found a mapping - write [{…}], or each entry on a",
        ),
        ("drift: {threshold: aut}", "drift.threshold: expected a number or 'auto', found 'aut'"),
        ("drift: {share: .nan}", "drift.share: expected a finite number, found .nan"),
        ("drift: {threshold: -.inf}", "drift.threshold: expected"),
        ("drift: {threshold: 0}", "drift.threshold: expected more than 0"),
        ("rules: [{id: drift, enabled: yes}]", "rules[0].enabled: expected true or false, found 'yes' - write true"),
        ("rules: [{id: drift, above: .inf}]", "rules[0].above: expected a finite number, found .inf"),
        ("rules: [{id: drift, above: -1}]", "rules[0].above: 'drift.drifted' is at least 0 and at most 1, found -1"),
        (
            "rules: [{id: accuracy_drop, drops_by: 15}]",
            "rules[0].drops_by: expected a percentage such as 15%, got 15 - did you mean 15%?",
        ),
        (
            "rules: [{id: accuracy_drop, drops_by: 15 percent}]",
            "rules[0].drops_by: expected a percentage such as 15%, got '15 percent'",
        ),
        ("retrain: {train: fit}", "retrain.train: expected a function as package.module:function, found 'fit'"),
        (
            "retrain: {train: 'a:b', budget: twice}",
            "retrain.budget: expected a budget such as '2 per 30d', got 'twice'",
        ),
        ("kpis: {revenue: {sum: a, mean: b}}", "kpis.revenue: declare one of: sum, mean, count or ratio"),
    ],
)
def test_a_wrong_value_is_told_with_what_was_expected_and_what_stands_there(tmp_path: Path, addition, expected) -> None:
    lines = VALID.replace("reference: {trailing: 28d}\n", "").splitlines()
    assert f"credit.yml:7 {expected}" in told(tmp_path, "\n".join([*lines, addition, ""]))


@pytest.mark.parametrize("name", ["a/b", "..", "a b", "😀", "x" * 300, "CON", "", "1a", "ÿ", "a\\n"])
def test_a_name_that_cannot_be_a_path_and_a_dag_id_is_refused(tmp_path: Path, name) -> None:
    message = told(tmp_path, VALID.replace("name: credit\n", f'name: "{name}"\n', 1))
    assert "credit.yml:1 name: expected a name of lower-case letters, digits and underscores" in message


def test_yaml_1_1_guesses_are_not_made(tmp_path: Path) -> None:
    path = write(tmp_path, "a: yes\nb: 12:30:00\nc: 0123\nd: 1_000\ne: 2026-09-01\non: 1e-3\nf: 0o17\n")
    expected = {"a": "yes", "b": "12:30:00", "c": "0123", "d": "1_000", "e": "2026-09-01", "on": 0.001, "f": "0o17"}
    assert read_document(path).data == expected


def test_dates_are_read_as_utc(tmp_path: Path) -> None:
    assert load_monitor(write(tmp_path, VALID + "start: 2026-09-01\n")).start == at("2026-09-01")


def test_a_python_tag_is_refused_and_nothing_runs(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    message = told(tmp_path, VALID + f'owner: !!python/object/apply:os.system ["touch {mark}"]\n')
    assert message == ("credit.yml:8 owner: tag !!python/object/apply:os.system is not allowed; write plain values")
    assert not mark.exists()


def test_template_braces_stay_text(tmp_path: Path) -> None:
    assert load_monitor(write(tmp_path, VALID + "description: '{{ 7*7 }} {% raw %}'\n")).description == (
        "{{ 7*7 }} {% raw %}"
    )


def test_a_bomb_of_aliases_is_refused_at_once(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10)
    )
    started = time.perf_counter()
    assert "values once aliases are expanded" in told(tmp_path, bomb)
    assert "levels once aliases are expanded" in told(tmp_path, "a: &a [*a]\n")
    assert time.perf_counter() - started < 30  # expanded, its thousand million values would take hours


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "credit.yml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    started = time.perf_counter()
    assert "larger than 256 kB" in str(lint([path])[0])
    assert time.perf_counter() - started < 1


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in str(lint([tmp_path / "none.yml"])[0])


def test_all_errors_of_a_file_come_at_once_in_its_order(tmp_path: Path) -> None:
    text = dedent("""\
        name: Credit
        model: {name: credit, task: binary}
        source:
          predictions: {table: log, id: id, timestamp: at, score: score}
        window: 5
        drift: {method: psl}
        alerts: {email: [nobody]}
        rules: [{id: low, metric: performance.acuracy, below: 0.9}]
        retrain: {train: fit, require: [drft]}
        """)
    fields = [line.split(" ")[1].rstrip(":") for line in told(tmp_path, text).splitlines()]
    assert fields == [
        "name",
        "source.predictions.prediction",
        "window",
        "drift.method",
        "alerts.email[0]",
        "rules[0].metric",
        "retrain.train",
        "retrain.require[0]",
    ]


def test_two_files_with_one_name_are_both_named_in_full(tmp_path: Path) -> None:
    first, second = write(tmp_path, VALID, "a.yml"), write(tmp_path, VALID, "b.yaml")
    problems = lint([tmp_path])
    assert [problem.file for problem in problems] == [first, second]
    assert str(second) in problems[0].message
    assert str(first) in problems[1].message
    with pytest.raises(ConfigError, match="names must differ"):
        load_monitor("credit", tmp_path)
    assert load_folder(tmp_path).monitors == {}


def test_one_broken_file_takes_away_only_itself(tmp_path: Path) -> None:
    write(tmp_path, VALID, "credit.yml")
    write(tmp_path, VALID.replace("name: credit\n", "name: churn\nwindow: 1\n"), "churn.yml")
    write(tmp_path, b"\xff\xfe", "binary.yml")
    write(tmp_path, "not a monitor", "notes.txt")
    loaded = load_folder(tmp_path)
    assert list(loaded.monitors) == ["credit"]
    assert loaded.files["credit"] == tmp_path / "credit.yml"
    assert {problem.file.name for problem in loaded.problems if problem.file} == {"churn.yml", "binary.yml"}


def test_a_monitor_is_found_by_the_name_in_its_file(tmp_path: Path) -> None:
    write(tmp_path, VALID, "some_file.yml")
    write(tmp_path, VALID.replace("name: credit\n", "name: churn\n", 1), "credit.yml")
    assert load_monitor("credit", tmp_path).name == "credit"
    with pytest.raises(ConfigError, match=r"no monitor 'chrun' .* - did you mean 'churn'\?"):
        load_monitor("chrun", tmp_path)
    with pytest.raises(ConfigError, match=r"no folder .*nowhere of monitor files"):
        load_monitor("credit", tmp_path / "nowhere")


def test_a_named_monitor_that_is_broken_says_what_is_wrong(tmp_path: Path) -> None:
    write(tmp_path, VALID + "window: 1\n")
    with pytest.raises(ConfigError, match=r"credit\.yml:8 window: expected a duration"):
        load_monitor("credit", tmp_path)


def test_a_class_may_be_a_number_and_a_score_a_column_for_each(tmp_path: Path) -> None:
    text = VALID.replace("binary", "multiclass").replace("score: score", "score: {0: score_0, 1: score_1}")
    assert load_monitor(write(tmp_path, text)).source.predictions.score == {"0": "score_0", "1": "score_1"}


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_text_at_all_raises_anything_but_a_config_error(tmp_path_factory: pytest.TempPathFactory, text) -> None:
    path = write(tmp_path_factory.getbasetemp(), VALID + text.encode("utf-8", "replace").decode())
    for problem in lint([path]):
        assert problem.file == path


@settings(deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner)))
def test_any_value_at_any_key_is_told_and_not_raised(tmp_path_factory: pytest.TempPathFactory, value) -> None:
    for name, info in Monitor.model_fields.items():
        key = info.alias or name
        kept = "".join(line for line in VALID.splitlines(keepends=True) if not line.startswith((f"{key}:", "  ")))
        path = write(tmp_path_factory.getbasetemp(), f"{kept}{key}: {json.dumps(value)}\n")
        lint([path])


@pytest.mark.parametrize(
    ("criticality", "loud", "drop", "news", "nulls"),
    [("high", "P0", "P0", "P2", 0.02), ("medium", "P1", "P0", "P2", 0.05), ("low", "P2", "P1", "P2", 0.1)],
)
def test_criticality_says_how_loud_built_in_rules_are(
    criticality: str, loud: str, drop: str, news: str, nulls: float
) -> None:
    rules = {rule.id: rule for rule in a_monitor(criticality=criticality).rules}
    assert [rules[id].severity for id in ("no_data", "accuracy_drop", "news")] == [loud, drop, news]
    assert rules["null_rate"].above == nulls


def test_what_the_file_says_of_a_rule_counts_whatever_the_model_is() -> None:
    own = [{"id": "no_data", "severity": "P2"}, {"id": "null_rate", "above": 0.3}, {"id": "x", "metric": "kpi.y"}]
    rules = {rule.id: rule for rule in a_monitor(criticality="high", rules=own).rules}
    assert (rules["no_data"].severity, rules["null_rate"].above, rules["x"].severity) == ("P2", 0.3, "P2")


def test_one_time_of_reminders_is_for_all_that_is_grave() -> None:
    repeat = a_monitor(alerts={"repeat": "12h"}).alerts.repeat
    assert repeat == {Severity.P0: timedelta(hours=12), Severity.P1: timedelta(hours=12)}
