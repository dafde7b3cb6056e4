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

OURS = Path(__file__).resolve().parents[3] / "reporter" / "schemas"
needs_jsonschema = unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")


def validate(document, schema_file):
    """What is wrong with the document: an empty list when nothing is, or nobody can tell."""
    if jsonschema is None:
        return []
    schema = json.loads(Path(schema_file).read_text(encoding="utf-8"))
    # One of ours may refer to another by its name; nothing is ever fetched.
    ours = {file.name: json.loads(file.read_text(encoding="utf-8"))
            for file in OURS.glob("*.schema.json")}
    kind = jsonschema.validators.validator_for(schema)
    resolver = jsonschema.RefResolver.from_schema(schema, id_of=kind.ID_OF, store=ours)
    validator = kind(schema, resolver=resolver)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for error in validator.iter_errors(document)]
