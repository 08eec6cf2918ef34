"""Bulk read: the whole of a module as zipped CSV, for the first pull. One job costs as little as one call.

A job's result is kept by Zoho for a day, so a pull that was cut off goes on in the same file; where the job is gone it
starts a new one. What changes while the job runs is met again by the first pull of changes, which starts from the
moment, by Zoho's clock, at which the job was made.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from adapters.zoho_crm.client import Refused, Zoho, contents
from adapters.zoho_crm.fields import from_csv
from adapters.zoho_crm.times import utc
from connector.errors import HoldfastError, ProtocolError, RejectedError, TransientError
from connector.text import Text

_CSV_BYTES_MOST = 2 * 1024 * 1024 * 1024
_WAITS = (1.0, 2.0, 3.0, 5.0, 10.0)
_WAIT_MOST = 1800.0


class Unavailable(HoldfastError):
    """This organisation, sign-in or module cannot be read in bulk; read it page by page instead."""


def read(client: Zoho, module: str, columns: Sequence[str], state: Any) -> Iterator[tuple[list[dict[str, Any]], Any]]:
    """Rows and the state to go on from after each page; the last state is `{"mark": …}`, the start of the changes.

    `state` None starts a job, and so does one whose job read other columns or is gone. Raises `Unavailable` where bulk
    is not permitted, where Zoho gives a job up, and where one file does not hold everything: further files would be cut
    from a list that has moved meanwhile, and a record could fall between two of them.
    """
    if not state or state["columns"] != list(columns):
        state = _start(client, module, columns)
    try:
        table = _finished(client, module, state["job"])
    except RejectedError as gone:
        if gone.code != "RESOURCE_NOT_FOUND":
            raise
        state = _start(client, module, columns)
        table = _finished(client, module, state["job"])
    size = client.settings.page_size
    for _ in islice(table, state["row"]):
        pass
    while len(rows := list(islice(table, size))) == size:
        state = {**state, "row": state["row"] + size}
        yield rows, state
    yield rows, {"mark": state["mark"]}


def _finished(client: Zoho, module: str, job: str) -> Iterator[dict[str, Any]]:
    if _wait(client, job).get("more_records"):
        raise Unavailable(Text("One bulk file does not hold everything.", "一个批量文件装不下全部记录。"))
    return _rows(client, module, job)


def _start(client: Zoho, module: str, columns: Sequence[str]) -> dict[str, Any]:
    query = {"module": {"api_name": module}, "fields": list(columns), "page": 1}
    try:
        answer = client.http.call(
            "POST", client.bulk_path("/read"), safe=True, json={"query": query, "file_type": "csv"}
        )
    except (Refused, RejectedError) as refused:
        raise Unavailable(refused.user, refused.log) from refused
    details = _first(contents(answer)).get("details") or {}
    if not details.get("id"):
        raise ProtocolError(Text("Zoho's bulk reply holds no job.", "Zoho 的批量应答中没有任务编号。"))
    return {
        "job": str(details["id"]),
        "columns": list(columns),
        "row": 0,
        "mark": utc(str(details.get("created_time"))),
    }


def _wait(client: Zoho, job: str) -> dict[str, Any]:
    """The result of a finished job. TransientError where it takes too long, `Unavailable` where Zoho gave it up."""
    waited, tries = 0.0, 0
    while True:
        row = _first(contents(client.http.call("GET", client.bulk_path(f"/read/{job}"), safe=True)))
        if row.get("state") == "COMPLETED":
            return dict(row.get("result") or {})
        if row.get("state") in ("FAILURE", "FAILED"):
            raise Unavailable(Text("Zoho gave up the bulk read.", "Zoho 放弃了批量读取。"))
        wait = _WAITS[min(tries, len(_WAITS) - 1)]
        if waited + wait > _WAIT_MOST:
            raise TransientError(
                Text("Zoho's bulk read is not ready yet.", "Zoho 的批量读取尚未完成。"), retry_after=600.0
            )
        client.connection.clock.sleep(wait)
        waited, tries = waited + wait, tries + 1


def _rows(client: Zoho, module: str, job: str) -> Iterator[dict[str, Any]]:
    """The records of a finished job, in the shape in which the JSON API gives them."""
    answer = client.http.call(
        "GET", client.bulk_path(f"/read/{job}/result"), safe=True, headers={"accept": "application/zip, */*"}
    )
    fields = client.fields(module)
    try:
        archive = zipfile.ZipFile(io.BytesIO(answer.body))
        entry = next(i for i in archive.infolist() if i.filename.lower().endswith(".csv"))
    except (zipfile.BadZipFile, StopIteration) as wrong:
        raise ProtocolError(
            Text("Zoho's bulk result is not a zip with one CSV file.", "Zoho 的批量结果不是包含一个 CSV 的 zip 文件。")
        ) from wrong
    if entry.file_size > _CSV_BYTES_MOST:
        raise ProtocolError(Text("Zoho's bulk result is too large.", "Zoho 的批量结果过大。"))

    def table() -> Iterator[dict[str, Any]]:
        with archive.open(entry) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as text:
            reader = csv.reader(text)
            try:
                header = next(reader, [])
                name_of = {"Id": "id", "ID": "id"}
                names = [name_of.get(n, n) for n in header]
                for cells in reader:
                    if len(cells) != len(names):
                        raise ProtocolError(
                            Text("Zoho's bulk CSV has a ragged line.", "Zoho 的批量 CSV 中有列数不符的行。")
                        )
                    yield {n: from_csv(fields.by_name.get(n), c) for n, c in zip(names, cells, strict=True)}
            except (csv.Error, UnicodeDecodeError, zipfile.BadZipFile) as wrong:
                raise ProtocolError(
                    Text("Zoho's bulk CSV cannot be read.", "Zoho 的批量 CSV 无法读取。"), log=str(wrong)
                ) from wrong

    return table()


def _first(body: Any) -> dict[str, Any]:
    rows = body.get("data") or [{}]
    return dict(rows[0])
