"""The instructor's side: lessons are built from one source, graded by nbgrader, and tested against wrong answers."""
