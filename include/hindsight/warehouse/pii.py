"""Personal data: columns replaced by keyed hashes before anything is written; without a key nothing is read."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import sha256

import pyarrow as pa

from hindsight.errors import ConfigError, Problem


class Hasher:
    """Replaces the values of columns by HMAC-SHA-256 under one key, separated by column.

    `key_id` names the key without telling it, so that hashes under an older key stay distinguishable. The same value
    in columns of the same name has the same hash, in whatever table and of whatever type; null stays null.
    """

    def __init__(self, columns: Iterable[str], key: bytes | None) -> None:
        self._columns = tuple(columns)
        if self._columns and not key:
            raise ConfigError(
                Problem(
                    f"{', '.join(self._columns)} cannot be hashed without a key: set the password of connection "
                    "hindsight_pii (AIRFLOW_CONN_HINDSIGHT_PII) to a long random text, or list the columns in pii.drop",
                    field="pii.hash",
                )
            )
        self.key_id = sha256(b"hindsight key id" + key).hexdigest()[:8] if key and self._columns else ""
        self._keys = {c: hmac.digest(key, f"hindsight column {c}".encode(), "sha256") for c in self._columns if key}

    def schema(self, schema: pa.Schema) -> pa.Schema:
        """The schema after hashing: hashed columns are text."""
        return pa.schema([field.with_type(pa.string()) if field.name in self._keys else field for field in schema])

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its personal columns hashed, each distinct value once."""
        arrays = [
            _hashed(array, self._keys[name]) if name in self._keys else array
            for name, array in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema(batch.schema))


def _hashed(array: pa.Array, key: bytes) -> pa.Array:
    distinct = array.dictionary_encode()
    kind = distinct.dictionary.type
    texts = distinct.dictionary if pa.types.is_binary(kind) else distinct.dictionary.cast(pa.string())
    values = (v if isinstance(v, bytes) else v.encode() for v in texts.to_pylist())
    hashes = pa.array([hmac.digest(key, value, "sha256").hex() for value in values], pa.string())
    return hashes.take(distinct.indices)
