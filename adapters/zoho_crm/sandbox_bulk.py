"""The sandbox's bulk read: a job, its state, and a zip with one CSV."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.zoho_crm import sandbox_metadata as metadata
from adapters.zoho_crm.sandbox_records import Records, Row, refusal
from connector.sandbox import Reply, Request


class Bulk:
    """Jobs. `bulk_polls` and `bulk_rows` of the switches say how slow and how small they are."""

    def __init__(self, records: Records, switches: Mapping[str, Any]) -> None:
        self.records, self.switches = records, switches

    def start(self, request: Request) -> Reply:
        asked = request.json()["query"]
        module = asked["module"]["api_name"]
        if not self.records.has(module):
            return refusal("MODULE_NOT_AVAILABLE", "module not available", 400)
        unknown = [n for n in asked.get("fields", []) if n != "id" and n not in self.records.types(module)]
        if unknown:
            return refusal("INVALID_REQUEST", "unknown fields", 400, {"fields": unknown})
        key, now = self.records.new_id(), self.records.now()
        job = {
            "id": key,
            "module": module,
            "fields": asked.get("fields") or ["id", *self.records.types(module)],
            "page": asked.get("page") or 1,
            "created_time": now,
            "polls": int(self.switches.get("bulk_polls", 0)),
            # The file holds what there was when the job was made.
            "rows": [r["id"] for r in self.records.all(module)],
        }
        self.records.shelf.put("~bulk", key, job)
        details = {
            "id": key,
            "operation": "read",
            "state": "ADDED",
            "created_by": self.records.user,
            "created_time": now,
        }
        done = {"status": "success", "code": "ADDED_SUCCESSFULLY", "message": "Added successfully.", "details": details}
        return Reply.json({"data": [done], "info": {}}, 201)

    def _job(self, key: str) -> tuple[Row, int, Sequence[str]] | None:
        job = self.records.shelf.get("~bulk", key)
        if not job:
            return None
        size = int(self.switches.get("bulk_rows", 200_000))
        return job, size, job["rows"][(job["page"] - 1) * size : job["page"] * size]

    def state(self, request: Request, key: str) -> Reply:
        found = self._job(key)
        if not found:
            return refusal("RESOURCE_NOT_FOUND", "The requested resource doesn't exist.", 404, {"resource": key})
        job, size, rows = found
        state = "COMPLETED"
        if job["polls"]:
            job["polls"] -= 1
            state = "IN PROGRESS"
            self.records.shelf.put("~bulk", key, job)
        module = {"api_name": job["module"], "id": metadata.MODULES[job["module"]][0]}
        row: Row = {
            "id": key,
            "operation": "read",
            "state": state,
            "query": {"module": module, "fields": job["fields"], "page": job["page"]},
            "created_by": self.records.user,
            "created_time": job["created_time"],
            "file_type": "csv",
        }
        if state == "COMPLETED":
            row["result"] = {
                "page": job["page"],
                "count": len(rows),
                "download_url": f"/crm/bulk/v8/read/{key}/result",
                "per_page": size,
                "more_records": job["page"] * size < len(job["rows"]),
            }
        return Reply.json({"data": [row]})

    def result(self, request: Request, key: str) -> Reply:
        found = self._job(key)
        if not found:
            return refusal("RESOURCE_NOT_FOUND", "The requested resource doesn't exist.", 404, {"resource": key})
        job, _, ids = found
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["Id" if n == "id" else n for n in job["fields"]])
        rows = [r for r in (self.records.get(job["module"], k) for k in ids) if r]
        for record in rows:
            table.writerow([_cell(record.get(n)) for n in job["fields"]])
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{key}.csv", text.getvalue())
        headers = {"content-type": "application/zip", "content-disposition": f"attachment;filename={key}.zip"}
        return Reply(200, packed.getvalue(), headers, records=len(rows))


def _cell(value: Any) -> str:
    """A value as the bulk CSV writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return str(value.get("id") or "")
    if isinstance(value, (list, tuple)):
        return ";".join(map(str, value))
    return format(value, "f") if isinstance(value, Decimal) else str(value)
