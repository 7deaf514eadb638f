"""Write the messages of rows that have none yet."""

from tests.golden import HERE, composed

for row in sorted(HERE.glob("*.json")):
    if not row.with_suffix(".eml").exists():
        row.with_suffix(".eml").write_bytes(composed(row))
