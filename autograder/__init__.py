"""The instructor's side: lessons are built from one source, graded by nbgrader, and tested against wrong answers."""

import sys

# Where it is installed, jsonschema compiles a grammar of all web addresses for a check that no notebook's schema has:
# more than a second of each process that reads notebooks. It does without where the import fails.
sys.modules.setdefault("rfc3987_syntax", None)
