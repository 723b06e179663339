"""What a command line of `smspark-submit` runs, and what is said where Spark cannot."""

import sys
from pathlib import Path

import pytest

from sentictl.twin.sagemaker.processing import spark


def test_the_script_follows_the_options_of_smspark_submit() -> None:
    command = ["smspark-submit", "--local-spark-event-logs-dir", "/events", "-v", "/code/a.py", "--data", "x"]
    assert spark.script_of(command) == ["/code/a.py", "--data", "x"]
    assert spark.script_of(["smspark-submit"]) == []


def test_without_pyspark_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(spark.NoSparkError, match=r"needs PySpark: .*spark"):
        spark.check()


def test_without_java_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(spark, "find_spec", lambda _name: object())
    with pytest.raises(spark.NoSparkError, match="Java 17"):
        spark.check()
