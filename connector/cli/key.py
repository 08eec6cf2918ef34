"""`holdfast key …`: keys that open the API, for a person or a program: made, listed, rotated, revoked."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import Cli, near, say, t, tell
from connector.cli.options import As, Why
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.errors import ConfigError
from connector.text import Text, same

if TYPE_CHECKING:
    from connector.credit.authority import Person
    from connector.store.api_keys import Key

Number = Annotated[str, typer.Argument(metavar="ID", help=t("Of the key: holdfast key list.", "密钥编号：holdfast key list。"))]  # fmt: skip
Days = Annotated[int | None, typer.Option("--days", min=1, max=3650, help=t("Good for so many days.", "有效天数。"))]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help=t("Keys of the API: create, list, rotate, revoke.", "接口密钥：新建、查看、轮换、吊销。"),
        no_args_is_help=True,
    )
    app.add_typer(group, name="key")
    for command in (_create, _list, _rotate, _revoke):
        command(group)


def _create(group: typer.Typer) -> None:
    @group.command(
        "create",
        help=t(
            "A new key for a person or a program. It is printed once and kept nowhere.",
            "为人员或程序新建密钥。密钥只显示一次，系统不留存。",
        ),
    )
    def command(
        context: typer.Context,
        person: Annotated[
            str | None,
            typer.Option("--person", help=t("For this person; else yourself.", "使用密钥的人员；缺省为本人。")),
        ] = None,
        program: Annotated[
            str | None,
            typer.Option("--app", help=t("For a program of this name; needs --role.", "使用密钥的程序名称；须指定 --role。")),
        ] = None,
        roles: Annotated[
            list[str] | None,
            typer.Option("--role", help=t("Role of the program; may be repeated.", "程序的角色，可重复。")),
        ] = None,
        rights: Annotated[
            list[str] | None,
            typer.Option(
                "--right",
                help=t(
                    "Only this of what the roles allow: read, check, request, decide, credit, configure, audit.",
                    "仅保留该权限：read、check、request、decide、credit、configure、audit；可重复。",
                ),
            ),
        ] = None,
        days: Days = None,
        note: Annotated[str, typer.Option(help=t("What it is for.", "用途。"))] = "",
        who: As = None,
    ) -> None:  # fmt: skip
        from jobs import keys

        cli: Cli = context.obj
        by, now = _may(cli, who), cli.clock.now()
        owner, given = _owner(cli, by, person, program, roles or [])
        narrowed = _narrowed(cli, owner, given, rights)
        expires = now + dt.timedelta(days=days or cli.config.sign_in.key_days)
        with cli.store.writing() as tx:
            made, token = keys.create(
                tx, by, owner, roles=given, rights=narrowed, note=note, expires_at=expires, now=now, here=True
            )
        _handed_over(made, token)


def _list(group: typer.Typer) -> None:
    @group.command("list", help=t("All keys, without their secrets.", "全部密钥（不含密钥本身）。"))
    def command(context: typer.Context, form: Form = Format.table, out: Out = None) -> None:
        from connector.store import api_keys
        from jobs.keys import plain

        cli: Cli = context.obj
        now = cli.clock.now()
        with cli.store.reading() as tx:
            keys = api_keys.listing(tx)
        emit(lambda: _table(now, keys), {"keys": [plain(key, now) for key in keys]}, form, out)


def _rotate(group: typer.Typer) -> None:
    @group.command(
        "rotate",
        help=t(
            "A new secret for a key; the old one stays good for a while, so that nothing stops.",
            "为密钥更换新的密钥串；旧的在一段时间内仍有效，业务不中断。",
        ),
    )
    def command(
        context: typer.Context,
        number: Number,
        overlap: Annotated[
            int | None,
            typer.Option(
                "--overlap", min=0, max=720, help=t("Hours for which the old one stays good.", "旧密钥继续有效的小时数。")
            ),
        ] = None,
        days: Days = None,
        why: Why = "",
        who: As = None,
    ) -> None:  # fmt: skip
        from connector.store import api_keys
        from jobs import keys

        cli: Cli = context.obj
        now = cli.clock.now()
        hours = cli.config.sign_in.key_overlap_hours if overlap is None else overlap
        with cli.store.writing() as tx:
            key = api_keys.get(tx, number)
            by = _may(cli, who, key)
            most = cli.config.sign_in.key_days
            # Whose key it is lets it live on, but no longer than any other.
            own = not by.alone and "admin" not in by.roles
            expires = now + dt.timedelta(days=min(days or most, most) if own else days or most)
            made, token = keys.rotate(
                tx, by, key, overlap=dt.timedelta(hours=hours), expires_at=expires, why=why, now=now, here=True
            )
        _handed_over(made, token)
        if made.old_until is not None and made.old_until > now:
            until = made.old_until.isoformat(timespec="minutes")
            tell(t(f"The old one is good until {until}.", f"旧密钥有效至 {until}。"))


def _revoke(group: typer.Typer) -> None:
    @group.command("revoke", help=t("End a key for good, within seconds everywhere.", "吊销密钥，数秒内全面失效。"))
    def command(context: typer.Context, number: Number, why: Why = "", who: As = None) -> None:
        from connector.store import api_keys
        from jobs import keys

        cli: Cli = context.obj
        now = cli.clock.now()
        with cli.store.writing() as tx:
            key = api_keys.get(tx, number)
            by = _may(cli, who, key)
            if not keys.revoke(tx, by, key, why=why, now=now):
                raise ConfigError(Text("The key {id} was revoked before.", "密钥 {id} 此前已吊销。").fill(id=key.id))
        print(say(Text("Revoked: {id}", "已吊销：{id}").fill(id=key.id)))


def _may(cli: Cli, who: str | None, key: Key | None = None) -> Person:
    """Who acts: an administrator, or whose key it is."""
    from connector.errors import NotAllowed

    person = cli.acting(who)
    if person.alone or "admin" in person.roles or (key is not None and key.owner == person.actor):
        return person
    raise NotAllowed(
        Text("Keys are made and ended by an administrator; {name} is none.", "密钥由系统管理员管理，{name} 不是管理员。").fill(
            name=person.name or person.id
        )
    )  # fmt: skip


def _owner(
    cli: Cli, by: Person, person: str | None, program: str | None, roles: list[str]
) -> tuple[str, tuple[str, ...]]:
    """Whose key it will be, and the roles that are kept with it."""
    import re

    from connector.config_people import ALL_ROLES, acting

    if program is None:
        if roles:
            raise ConfigError(
                Text("--role goes with --app: a person's stand in config.toml.", "--role 仅用于 --app：人员角色在 config.toml 中设置。")
            )  # fmt: skip
        owner = acting(cli.config.people, person) if person is not None else by
        # Who is alone has a key with every role, which ends to be good as soon as people are configured.
        return owner.actor, tuple(sorted(ALL_ROLES)) if owner.alone else ()
    if person is not None:
        raise ConfigError(Text("One of --person and --app.", "--person 与 --app 只能指定一个。"))
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,39}", program):
        raise ConfigError(
            Text("--app: small letters, digits, dots and dashes.", "--app：仅限小写字母、数字、点和连字符。")
        )
    known = sorted(ALL_ROLES)
    for role in roles:
        if role not in known:
            raise ConfigError(
                Text("--role: there is no role {role}: {near}", "--role：没有角色 {role}：{near}").fill(
                    role=role, near=near(role, known)
                )
            )
    if not roles:
        raise ConfigError(
            Text("Say what the program is: --role {roles}", "请指定程序的角色：--role {roles}").fill(
                roles=" | ".join(known)
            )
        )
    return f"app:{program}", tuple(dict.fromkeys(roles))


def _narrowed(cli: Cli, owner: str, roles: tuple[str, ...], rights: list[str] | None) -> tuple[str, ...] | None:
    """The rights that a key is narrowed to: some of what its roles allow. ConfigError for one that they do not."""
    from connector.web.rights import RIGHTS, allowed

    if not rights:
        return None
    most = allowed(cli.config.people, owner, roles)
    for right in rights:
        if right not in RIGHTS:
            raise ConfigError(
                Text("--right: there is no right {right}: {near}", "--right：没有权限 {right}：{near}").fill(
                    right=right, near=near(right, list(RIGHTS))
                )
            )
        if right not in most:
            raise ConfigError(
                Text(
                    "--right {right}: the roles of {owner} do not allow it. They allow: {most}",
                    "--right {right}：{owner} 的角色没有该权限。可用：{most}",
                ).fill(right=right, owner=owner, most=", ".join(r for r in RIGHTS if r in most) or "-")
            )
    return tuple(right for right in RIGHTS if right in rights)


def _handed_over(key: Key, token: str) -> None:
    tell(
        t(
            f"Key {key.id} for {key.owner}, good until {key.expires_at.date()}. It is shown this once; keep it safe. Send it as\n"
            f"  Authorization: Bearer KEY",
            f"密钥 {key.id}（{key.owner}），有效期至 {key.expires_at.date()}。仅显示这一次，请妥善保存。调用时请带上\n"
            f"  Authorization: Bearer 密钥",
        )
    )
    print(token)


def _table(now: dt.datetime, keys: list[Key]) -> Table:
    from jobs.keys import STATES

    every = Text("all of its roles", "角色的全部权限")
    table = Table(
        Text("Keys of the API", "接口密钥"),
        [
            Column("id", Text("id", "编号"), style="bold"),
            Column("owner", Text("for", "使用者")),
            Column("state", Text("state", "状态")),
            Column("rights", Text("rights", "权限"), spare=1),
            Column("expires", Text("until", "有效期至")),
            Column("used", Text("last used", "最近使用"), spare=2),
            Column("note", Text("what for", "用途"), spare=3),
        ],
        [
            {
                "id": key.id,
                "owner": key.owner,
                "state": STATES[key.state(now)],
                "rights": every if key.rights is None else same(", ".join(key.rights)),
                "expires": key.expires_at.date().isoformat(),
                "used": key.used_at.date().isoformat() if key.used_at else None,
                "note": key.note or None,
            }
            for key in keys
        ],
    )
    if not keys:
        table.notes.append(Text("There is none yet: holdfast key create", "尚无密钥：holdfast key create"))
    return table
