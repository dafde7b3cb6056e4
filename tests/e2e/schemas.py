"""JSON Schema for the tests, by python3-jsonschema where it is installed.

Must never be the judge of a value's meaning: a schema knows shapes only.
"""

import json
import unittest
from pathlib import Path

try:
    import jsonschema
except ImportError:
    jsonschema = None

OURS = Path(__file__).resolve().parent.parent.parent / "reporter" / "schemas"
needs_jsonschema = unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")


def validate(document, schema_file):
    """What is wrong with the document: an empty list when nothing is, or nobody can tell."""
    if jsonschema is None:
        return []
    schema = json.loads(Path(schema_file).read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for error in validator.iter_errors(document)]
