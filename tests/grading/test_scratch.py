"""The gradebook that goes to the workers: one that nbgrader takes for its own, made without its help."""

import subprocess

from nbgrader.api import Gradebook

from autograder import records


def test_a_scratch_gradebook_is_made_and_opened_again_without_alembic(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    with records.scratch(tmp_path / "gradebook.db", "a course") as gradebook:
        gradebook.update_or_create_assignment("ps1")
        gradebook.update_or_create_student("ada")
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}", "a course") as again:
        assert [s.id for s in again.students] == ["ada"]
        assert [a.name for a in again.assignments] == ["ps1"]
