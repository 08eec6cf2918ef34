"""`holdfast person …`: people whom an administrator enters into the database: listed, added, changed, taken out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, say, t
from connector.cli.options import As, Why
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.cli.versions_shown import versions_answer, versions_table
from connector.errors import ConfigError
from connector.text import Text, joined

if TYPE_CHECKING:
    from jobs.people import Listed

Id = Annotated[str, typer.Argument(metavar="ID", help=t("Short name, as in --as.", "简称，用于 --as。"))]
Name = Annotated[str | None, typer.Option("--name", help=t("Name as people write it.", "姓名。"))]
Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        help=t(
            "viewer, sales, credit_controller, approver, admin, auditor; may be repeated.",
            "角色，可重复：viewer、sales、credit_controller、approver、admin、auditor。",
        ),
    ),
]
Tongue = Annotated[str | None, typer.Option("--language", help=t("en or zh.", "en 或 zh。"))]
Email = Annotated[str | None, typer.Option("--email", help=t("E-mail address.", "电子邮件地址。"))]
Users = Annotated[
    list[str] | None,
    typer.Option("--user", metavar="SYSTEM=ID", help=t("User id in a system; may be repeated.", "在某系统中的用户编号，可重复。")),
]  # fmt: skip
Subject = Annotated[
    str | None, typer.Option("--subject", help=t("Subject at the issuer of [sign_in].", "在 [sign_in] 签发方的主体标识。"))
]  # fmt: skip
Most = Annotated[
    int | None,
    typer.Option(
        "--approve-up-to",
        min=0,
        help=t("Most that this person may approve, in the reporting currency.", "个人审批上限（报告币种）。"),
    ),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help=t("People who work here: list, add, change, remove.", "人员：查看、新增、修改、移除。"),
        no_args_is_help=True,
    )
    app.add_typer(group, name="person")
    for command in (_list, _add, _change, _confirm, _remove, _activate, _history):
        command(group)


def _list(group: typer.Typer) -> None:
    @group.command(
        "list", help=t("Everybody, of config.toml and of the database.", "config.toml 与数据库中的全部人员。")
    )
    def command(context: typer.Context, form: Form = Format.table, out: Out = None) -> None:
        from jobs import people

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            found = people.listing(tx, cli.config)
        emit(lambda: _table(found), {"people": [_plain(one) for one in found]}, form, out)


def _add(group: typer.Typer) -> None:
    @group.command(
        "add",
        help=t("Enter somebody. From the first on, only people who are entered may act.", "新增人员。自第一人起，仅名单内人员可操作。"),
    )  # fmt: skip
    def command(
        context: typer.Context,
        id: Id,
        name: Name = None,
        roles: Roles = None,
        tongue: Tongue = None,
        email: Email = None,
        users: Users = None,
        subject: Subject = None,
        most: Most = None,
        why: Why = "",
        who: As = None,
    ) -> None:
        from jobs import people

        cli: Cli = context.obj
        person = cli.acting(who)
        values = {k: v for k, v in _values(name, roles, tongue, email, users, subject, most).items() if v is not None}
        with cli.store.writing() as tx:
            made = people.add(
                tx, cli.config, {"id": id, **values}, person=person, now=cli.clock.now(), note=why, here=True
            )
        print(say(Text("Entered: {id}", "已新增：{id}").fill(id=made.id)))


def _change(group: typer.Typer) -> None:
    @group.command(
        "change",
        help=t('Change what is given; an empty text ("") takes a setting out.', "修改所给各项；空文本（\"\"）表示清除该项。"),
    )  # fmt: skip
    def command(
        context: typer.Context,
        id: Id,
        name: Name = None,
        roles: Roles = None,
        tongue: Tongue = None,
        email: Email = None,
        users: Users = None,
        subject: Subject = None,
        most: Most = None,
        unbound: Annotated[
            bool, typer.Option("--unbound", help=t("No bound of one's own any more.", "取消个人审批上限。"))
        ] = False,
        why: Why = "",
        who: As = None,
    ) -> None:
        from jobs import people

        cli: Cli = context.obj
        person = cli.acting(who)
        given = _values(name, roles, tongue, email, users, subject, most)
        values = {k: None if v == "" else v for k, v in given.items() if v is not None}
        if unbound:
            values["approve_up_to"] = None
        if not values:
            raise ConfigError(Text("Say what to change: --role, --name …", "请指明要修改的内容：--role、--name 等。"))
        with cli.store.writing() as tx:
            made = people.change(tx, cli.config, id, values, person=person, now=cli.clock.now(), note=why, here=True)
        print(say(Text("Changed: {id}", "已修改：{id}").fill(id=made.id)))


def _confirm(group: typer.Typer) -> None:
    @group.command(
        "confirm",
        help=t(
            "You have asked this person, who is who he is said to be: roles that rest count again.",
            "已向本人核实其身份：恢复其暂停的角色。",
        ),
    )
    def command(context: typer.Context, id: Id, why: Why = "", who: As = None) -> None:
        from connector.credit.authority import role_names
        from jobs import unconfirmed

        cli: Cli = context.obj
        person = cli.acting(who)
        with cli.store.writing() as tx:
            one = unconfirmed.confirm(tx, cli.config, id, person=person, now=cli.clock.now(), note=why, here=True)
        print(
            say(Text("Confirmed: {id}, as {roles}", "已确认：{id}，{roles}").fill(id=id, roles=role_names(one.roles)))
        )


def _remove(group: typer.Typer) -> None:
    @group.command(
        "remove", help=t("Take somebody out: sign-in and keys end everywhere.", "移除人员：其登录与密钥随即失效。")
    )
    def command(context: typer.Context, id: Id, why: Why = "", who: As = None) -> None:
        from jobs import people

        cli: Cli = context.obj
        person = cli.acting(who)
        with cli.store.writing() as tx:
            people.remove(tx, cli.config, id, person=person, now=cli.clock.now(), note=why)
        print(say(Text("Taken out: {id}", "已移除：{id}").fill(id=id)))


def _activate(group: typer.Typer) -> None:
    @group.command("activate", help=t("Go back to an earlier version of all.", "恢复名单的某个版本。"))
    def command(
        context: typer.Context,
        number: Annotated[int, typer.Argument(help=t("Of the version: holdfast person history.", "版本号：holdfast person history。"))],
        why: Why = "",
        who: As = None,
    ) -> None:  # fmt: skip
        from jobs import people

        cli: Cli = context.obj
        person = cli.acting(who)
        with cli.store.writing() as tx:
            made = people.activate(tx, cli.config, number, person=person, now=cli.clock.now(), note=why, here=True)
        print(say(Text("In use: version {number}", "使用中：版本 {number}").fill(number=made.number)))


def _history(group: typer.Typer) -> None:
    @group.command("history", help=t("All versions, and who put which in use.", "全部版本及启用记录。"))
    def command(context: typer.Context, form: Form = Format.table, out: Out = None) -> None:
        from jobs import people

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            kept, journal = people.history(tx)
        used = journal[0].number if journal else None
        origin = Text("config.toml", "config.toml")
        if used is not None:
            origin = Text("config.toml and version {number}", "config.toml 与版本 {number}").fill(number=used)
        zone = cli.config.business.time_zone
        title = Text("People of the database", "数据库中的人员")
        emit(
            lambda: versions_table(title, origin, used, kept, journal, zone), versions_answer(kept, journal), form, out
        )


def _values(
    name: str | None,
    roles: list[str] | None,
    tongue: str | None,
    email: str | None,
    users: list[str] | None,
    subject: str | None,
    most: int | None,
) -> dict[str, Any]:
    """What the options say, by the names of `[[people]]`; None where nothing was said."""
    return {
        "name": name,
        "roles": roles or None,
        "language": tongue,
        "email": email,
        "ids": _ids(users) if users else None,
        "subject": subject,
        "approve_up_to": most,
    }


def _ids(users: Sequence[str]) -> dict[str, str]:
    found = {}
    for one in users:
        system, sign, user = one.partition("=")
        if not sign or not system or not user:
            raise ConfigError(Text("--user: SYSTEM=ID, such as crm=5001", "--user：系统=编号，例如 crm=5001"))
        found[system] = user
    return found


_RESTS = Text(
    "{id} is to be confirmed as {roles}: holdfast person confirm {id}",
    "{id} 待确认为{roles}：holdfast person confirm {id}",
)
_KEPT = {"file": Text("config.toml", "config.toml"), "database": Text("database", "数据库")}


def _plain(one: Listed) -> dict[str, Any]:
    found: dict[str, Any] = one.settings.model_dump(mode="json")
    rests = sorted(one.resting.roles) if one.resting is not None else []
    return {**found, "kept": one.kept, "resting": rests, "problems": [say(p.what) for p in one.problems]}


def _table(found: Sequence[Listed]) -> Table:
    from connector.credit.authority import ROLE_NAMES, role_names

    table = Table(
        Text("People", "人员"),
        [
            Column("id", Text("id", "简称"), style="bold"),
            Column("name", Text("name", "姓名")),
            Column("roles", Text("roles", "角色")),
            Column("email", Text("e-mail", "邮箱"), spare=2),
            Column("most", Text("approves up to", "审批上限"), right=True, spare=1),
            Column("kept", Text("stands in", "来源")),
        ],
        [
            {
                "id": one.settings.id,
                "name": one.settings.name or None,
                "roles": joined([ROLE_NAMES[r] for r in one.settings.roles], ", ", "、"),
                "email": one.settings.email,
                "most": one.settings.approve_up_to,
                "kept": _KEPT[one.kept],
            }
            for one in found
        ],
    )
    table.notes += [Text("{id} counts for nothing now: {what} {fix}", "{id} 目前不生效：{what}{fix}").fill(id=one.settings.id, what=p.what, fix=p.fix) for one in found for p in one.problems]  # fmt: skip
    table.notes += [
        _RESTS.fill(id=one.settings.id, roles=role_names(one.resting.roles)) for one in found if one.resting
    ]
    if not found:
        table.notes.append(
            Text("Nobody is entered: whoever sits at this machine may do everything.", "尚未登记人员：操作本机者拥有全部权限。")
        )  # fmt: skip
    return table
