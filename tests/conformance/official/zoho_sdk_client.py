"""Zoho's official Python SDK at work against one address; prints what it understood as JSON. Run in the SDK's own environment.

    python zoho_sdk_client.py BASE_URL FOLDER

The SDK keeps global state and swallows exceptions, so every step says which object it got.
"""

import json
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, Initializer, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api.bulk_read import BodyWrapper as BulkBody
from zohocrmsdk.src.com.zoho.crm.api.bulk_read import BulkReadOperations, FileBodyWrapper
from zohocrmsdk.src.com.zoho.crm.api.bulk_read import Query as BulkQuery
from zohocrmsdk.src.com.zoho.crm.api.coql import BodyWrapper as CoqlBody
from zohocrmsdk.src.com.zoho.crm.api.coql import CoqlOperations
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.fields import BodyWrapper as FieldsBody
from zohocrmsdk.src.com.zoho.crm.api.fields import Fields, FieldsOperations, GetFieldsParam, Unique
from zohocrmsdk.src.com.zoho.crm.api.modules import MinifiedModule, ModulesOperations
from zohocrmsdk.src.com.zoho.crm.api.notifications import BodyWrapper as WatchBody
from zohocrmsdk.src.com.zoho.crm.api.notifications import (
    DeleteNotificationParam,
    Notification,
    NotificationsOperations,
)
from zohocrmsdk.src.com.zoho.crm.api.org import OrgOperations
from zohocrmsdk.src.com.zoho.crm.api.record import (
    APIException,
    BodyWrapper,
    DeleteRecordsParam,
    GetDeletedRecordsHeader,
    GetDeletedRecordsParam,
    GetRecordsHeader,
    GetRecordsParam,
    Record,
    RecordOperations,
    SearchRecordsParam,
    SuccessResponse,
)
from zohocrmsdk.src.com.zoho.crm.api.record import Field as F
from zohocrmsdk.src.com.zoho.crm.api.record_locking import BodyWrapper as LockBody
from zohocrmsdk.src.com.zoho.crm.api.record_locking import LockRecord, RecordLockingOperations
from zohocrmsdk.src.com.zoho.crm.api.record_locking_configuration import BodyWrapper as LockingBody
from zohocrmsdk.src.com.zoho.crm.api.record_locking_configuration import (
    RecordLock,
    RecordLockingConfigurationOperations,
)
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig
from zohocrmsdk.src.com.zoho.crm.api.users import GetUsersParam, UsersOperations
from zohocrmsdk.src.com.zoho.crm.api.util import Choice

BASE, FOLDER = sys.argv[1], Path(sys.argv[2])
TOLD: dict = {}


def tell(step, response, read):
    """The status, the class of the object, and what `read` makes of it."""
    thing = response.get_object() if response is not None else None
    told = {"status": response.get_status_code() if response is not None else None, "object": type(thing).__name__}
    try:
        told["said"] = read(thing)
    except Exception as wrong:
        told["failed"] = f"{type(wrong).__name__}: {wrong}"
    TOLD[step] = told
    return thing


def params(*pairs):
    made = ParameterMap()
    for name, value in pairs:
        made.add(name, value)
    return made


def headers(*pairs):
    made = HeaderMap()
    for name, value in pairs:
        made.add(name, value)
    return made


def rows(wrapper):
    """One line per row of a write's answer."""
    told = []
    for row in wrapper.get_data():
        kind = (
            "ok"
            if isinstance(row, SuccessResponse)
            else "error"
            if isinstance(row, APIException)
            else type(row).__name__
        )
        told.append([kind, row.get_code().get_value(), str((row.get_details() or {}).get("id", ""))])
    return told


def names(wrapper):
    return [r.get_key_value("Account_Name") for r in wrapper.get_data()]


def record(**values):
    made = Record()
    for name, value in values.items():
        made.add_key_value(name, value)
    return made


def body(records, check=None):
    made = BodyWrapper()
    made.set_data(records)
    made.set_trigger([])
    if check:
        made.set_duplicate_check_fields(check)
    return made


def start():
    environment = DataCenter.Environment(BASE, BASE + "/oauth/v2/token", BASE)
    token = OAuthToken(client_id="c-id", client_secret="c-secret", refresh_token="r-token", find_user=False)
    Initializer.initialize(
        environment,
        token,
        store=FileStore(str(FOLDER / "tokens.txt")),
        resource_path=str(FOLDER),
        sdk_config=SDKConfig(auto_refresh_fields=True, pick_list_validation=False, connect_timeout=5, read_timeout=20),
    )


def metadata():
    tell("org", OrgOperations().get_organization(), lambda o: o.get_org()[0].get_company_name())
    tell("modules", ModulesOperations().get_modules(), lambda o: sorted(m.get_api_name() for m in o.get_modules()))
    tell(
        "users",
        UsersOperations().get_users(params((GetUsersParam.type, "ActiveUsers"))),
        lambda o: [u.get_email() for u in o.get_users()],
    )
    asked = params((GetFieldsParam.module, "Accounts"))
    tell("fields", FieldsOperations().get_fields(asked), lambda o: sorted(f.get_api_name() for f in o.get_fields()))
    field, unique = Fields(), Unique()
    unique.set_casesensitive("false")
    field.set_field_label("Credit Task Key")
    field.set_data_type("text")
    field.set_length(120)
    field.set_unique(unique)
    wanted = FieldsBody()
    wanted.set_fields([field])
    tell(
        "create_field",
        FieldsOperations().create_field(wanted, params((GetFieldsParam.module, "Tasks"))),
        lambda o: [f.get_code().get_value() for f in o.get_fields()],
    )


def reading():
    since = datetime.now(UTC) - timedelta(days=3000)
    accounts = RecordOperations("Accounts")
    asked = [
        (GetRecordsParam.fields, "Account_Name,Owner,Modified_Time,ERP_Customer_No"),
        (GetRecordsParam.per_page, 20),
    ]
    asked += [(GetRecordsParam.sort_by, "Modified_Time"), (GetRecordsParam.sort_order, "asc")]
    first = tell(
        "list",
        accounts.get_records(
            params(*asked, (GetRecordsParam.page, 1)), headers((GetRecordsHeader.if_modified_since, since))
        ),
        lambda o: [len(o.get_data()), o.get_info().get_more_records(), o.get_data()[0].get_key_value("Owner").get_id()],
    )
    token = first.get_info().get_next_page_token()
    tell(
        "page_token",
        accounts.get_records(
            params(*asked, (GetRecordsParam.page_token, token)), headers((GetRecordsHeader.if_modified_since, since))
        ),
        names,
    )
    tell("expired_page_token", accounts.get_records(params(*asked, (GetRecordsParam.page_token, "gone"))), _code)
    soon = datetime.now(UTC) + timedelta(days=1)
    tell(
        "not_modified",
        accounts.get_records(params(*asked), headers((GetRecordsHeader.if_modified_since, soon))),
        lambda o: o,
    )
    one = first.get_data()[0]
    tell("one", accounts.get_record(one.get_id()), names)
    query = CoqlBody()
    query.set_select_query(
        "select Account_Name, Modified_Time, Owner from Accounts "
        "where (Modified_Time > '2000-01-01T00:00:00+00:00' and id > 1) order by Modified_Time asc, id asc limit 0, 5"
    )
    tell("coql", CoqlOperations().get_records(query), names)
    query.set_select_query("select Account_Name from Accounts where id = 1")
    tell("coql_empty", CoqlOperations().get_records(query), lambda o: o)
    query.set_select_query("select Nonsense from Accounts where id > 1")
    tell("coql_wrong", CoqlOperations().get_records(query), _code)
    name = one.get_key_value("Account_Name")
    tell(
        "search", accounts.search_records(params((SearchRecordsParam.criteria, f"(Account_Name:equals:{name})"))), names
    )
    return one.get_id()


def _code(thing):
    return [type(thing).__name__, thing.get_code().get_value()]


def writing(account):
    accounts, tasks = RecordOperations("Accounts"), RecordOperations("Tasks")
    made = tell(
        "create",
        accounts.create_records(
            body([record(Account_Name="Acme A", ERP_Customer_No="Z-1"), record(ERP_Customer_No="Z-2")])
        ),
        rows,
    )
    fresh = made.get_data()[0].get_details()["id"]
    change = record(Description="changed")
    change.set_id(int(fresh))
    nobody = record(Description="nobody")
    nobody.set_id(1)
    tell("update", accounts.update_records(body([change, nobody])), rows)
    upsert = [
        record(Account_Name="Acme A", Description="again"),
        record(Account_Name="Acme B"),
        record(Description="no name"),
    ]
    tell("upsert", accounts.upsert_records(body(upsert, ["Account_Name"])), rows)
    about = Record()
    about.set_id(account)
    task = Record()
    task.add_field_value(F.Tasks.subject(), "Overdue 34 days")
    task.add_field_value(F.Tasks.what_id(), about)
    task.add_key_value("$se_module", "Accounts")
    task.add_key_value("Credit_Task_Key", "overdue:1")
    tell("task", tasks.upsert_records(body([task], ["Credit_Task_Key"])), rows)
    again = tell("task_again", tasks.upsert_records(body([task], ["Credit_Task_Key"])), rows)
    key = again.get_data()[0].get_details()["id"]
    completed = Record()
    completed.set_id(int(key))
    completed.add_field_value(F.Tasks.status(), Choice("Completed"))
    tell("task_completed", tasks.update_records(body([completed])), rows)
    asked = params((GetRecordsParam.fields, "Status,Subject"), (GetRecordsParam.ids, f"{key},1"))
    tell("task_read", tasks.get_records(asked), lambda o: [r.get_key_value("Status").get_value() for r in o.get_data()])
    locking = RecordLockingConfigurationOperations("Accounts")
    configuration = RecordLock()
    configuration.set_lock_type(Choice("manual"))
    configuration.set_locked_for("all_profiles")
    configuration.set_restricted_actions(["update", "delete"])
    configuration.set_lock_for_portal_users(True)
    settings = LockingBody()
    settings.set_record_locking_configurations([configuration])
    tell(
        "locking",
        locking.add_record_locking_configuration(settings),
        lambda o: o.get_record_locking_configurations()[0].get_code().get_value(),
    )
    tell(
        "locking_read",
        locking.get_record_locking_configurations(),
        lambda o: [c.get_lock_type().get_value() for c in o.get_record_locking_configurations()],
    )

    def reason(words):
        wanted, lock = LockBody(), LockRecord()
        lock.set_locked_reason__s(words)
        wanted.set_data([lock])
        return wanted

    def code(answer):
        return answer.get_data()[0].get_code().get_value()

    locks = RecordLockingOperations(account, "Accounts")
    tell("lock", locks.lock_records(reason("Credit hold CH-1")), code)
    held = locks.get_record_locking_informations()
    tell("lock_read", held, lambda o: [x.get_key_value("Locked_Reason__s") for x in o.get_data()])
    key = held.get_object().get_data()[0].get_id()
    tell("lock_changed", locks.update_record_locking_information(key, reason("Credit hold CH-2")), code)
    change.set_id(account)
    tell("locked", accounts.update_records(body([change])), rows)
    tell("unlock", locks.unlock_record(key), code)
    tell("unlocked", accounts.update_records(body([change])), rows)
    tell("delete", accounts.delete_records(params((DeleteRecordsParam.ids, str(fresh)))), rows)
    since = datetime.now(UTC) - timedelta(days=1)
    tell(
        "deleted",
        accounts.get_deleted_records(
            params((GetDeletedRecordsParam.type, "all")), headers((GetDeletedRecordsHeader.if_modified_since, since))
        ),
        lambda o: [[str(r.get_id()), r.get_display_name(), r.get_type()] for r in o.get_data()],
    )
    return str(fresh)


def in_bulk():
    module = MinifiedModule()
    module.set_api_name("Accounts")
    query = BulkQuery()
    query.set_module(module)
    query.set_fields(["id", "Account_Name", "Owner"])
    query.set_page(1)
    wanted = BulkBody()
    wanted.set_query(query)
    bulk = BulkReadOperations()
    job = tell("bulk_start", bulk.create_bulk_read_job(wanted), lambda o: o.get_data()[0].get_code().get_value())
    key = int(job.get_data()[0].get_details()["id"])
    tell(
        "bulk_state",
        bulk.get_bulk_read_job_details(key),
        lambda o: [o.get_data()[0].get_state().get_value(), o.get_data()[0].get_result().get_count()],
    )

    def unpacked(thing):
        assert isinstance(thing, FileBodyWrapper)
        path = FOLDER / "bulk.zip"
        path.write_bytes(b"".join(thing.get_file().get_stream()))
        with zipfile.ZipFile(path) as archive:
            return archive.read(archive.namelist()[0]).decode().splitlines()[0]

    tell("bulk_result", bulk.download_result(key), unpacked)


def watching():
    """A channel is made, shown, prolonged and ended."""
    watches = NotificationsOperations()

    def asked(days):
        one = Notification()
        one.set_channel_id("1000000068001")
        one.set_events(["Accounts.all", "Sales_Orders.edit"])
        one.set_channel_expiry(datetime.now(UTC).replace(microsecond=0) + timedelta(days=days))
        one.set_token("opaque")
        one.set_notify_url("https://connector.example.com/hooks/zoho")
        wanted = WatchBody()
        wanted.set_watch([one])
        return wanted

    def outcome(answer):
        row = answer.get_watch()[0]
        events = (row.get_details() or {}).get("events") or []
        return [row.get_code().get_value(), sorted(str(e.get_resource_name()) for e in events)]

    tell("watch", watches.enable_notifications(asked(2)), outcome)
    tell(
        "watch_read",
        watches.get_notifications(),
        lambda o: sorted([w.get_resource_name(), w.get_channel_id(), w.get_token()] for w in o.get_watch()),
    )
    tell("watch_longer", watches.update_notifications(asked(6)), outcome)
    tell("watch_too_long", watches.update_notifications(asked(8)), outcome)
    ended = watches.delete_notification(params((DeleteNotificationParam.channel_ids, "1000000068001")))
    tell("watch_ended", ended, lambda o: o.get_watch()[0].get_code().get_value())
    tell("watch_gone", watches.update_notifications(asked(2)), outcome)
    tell("watch_none", watches.get_notifications(), lambda o: o)


start()
metadata()
account_id = reading()
TOLD["deleted_id"] = writing(account_id)
in_bulk()
watching()
tell("throttled", RecordOperations("Deals").get_records(params((GetRecordsParam.fields, "Deal_Name"))), _code)
tell("expired", RecordOperations("Contacts").get_records(params((GetRecordsParam.fields, "Last_Name"))), _code)
print(json.dumps(TOLD, default=str))
