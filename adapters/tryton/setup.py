"""Check and provisioning: what the integration user may do, and the hold's category and rule.

The integration user is not an administrator and should not be. Category and rule need one: where `admin_user` is set,
provisioning signs in as that user for this purpose only; where it is not, the checklist says what to click.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.adapter import Finding, Need
from connector.errors import ConfigError, ProtocolError, RejectedError
from connector.text import Text, same

from . import hold_setup, holds, limits
from .client import Tryton

# What is read, and what it is needed for.
READ: tuple[tuple[str, Text], ...] = (
    ("party.party", Text("customers", "客户")),
    ("account.move.line", Text("the receivable ledger", "应收分录")),
    ("account.move", Text("ledger moves", "凭证")),
    ("account.invoice", Text("invoices", "发票")),
    ("sale.sale", Text("sales orders", "销售订单")),
    ("currency.currency.rate", Text("exchange rates", "汇率")),
)
OPTIONAL: tuple[tuple[str, Text], ...] = (
    ("account.dunning", Text("disputes (blocked dunnings)", "争议（被冻结的催款）")),
    ("stock.move", Text("delivered quantities", "已发货数量")),
    ("company.employee", Text("employees", "员工")),
    ("account.invoice.payment_term", Text("payment terms", "付款条件")),
)
GROUPS = "Accounting, Dunning, Account Credit Limit, Sales, Party Administration"


def check(client: Tryton, needs: Sequence[Need]) -> Sequence[Finding]:
    """Signs in, reads one record of everything, looks at what will be written. ConfigError where signing in fails."""
    series = ".".join(map(str, client.series))
    currency = client.currency
    findings = [
        Finding(
            "fine",
            Text(
                "Tryton {series}, database {database}, company currency {currency}",
                "Tryton {series}，数据库 {database}，公司本位币 {currency}",
            ).fill(series=series, database=client.settings.database, currency=currency),
        )
    ]
    for model, what in READ:
        findings.append(_readable(client, model, what, needed=True))
    for model, what in OPTIONAL:
        findings.append(_readable(client, model, what, needed=False))
    findings.append(_limit(client))
    findings += _hold(client)
    findings.append(hold_setup.check(client))
    findings += [_field(client, need) for need in needs]
    return findings


def _readable(client: Tryton, model: str, what: Text, needed: bool) -> Finding:
    about = Text("read {what} ({model})", "读取{what}（{model}）").fill(what=what, model=model)
    if client.can_read(model):
        return Finding("fine", about)
    fix = Text(
        "Give the user the groups {groups}; a module may be missing too.",
        "请为该用户添加用户组 {groups}；也可能缺少模块。",
    ).fill(groups=GROUPS)
    if needed:
        return Finding("wrong", about, fix)
    left_out = Text("Without it these are left out. {fix}", "缺少时将不读取这部分。{fix}").fill(fix=fix)
    return Finding("todo", about, left_out)


def _limit(client: Tryton) -> Finding:
    about = Text("credit limits of parties", "参与方信用额度")
    if limits.FIELD in client.fields("party.party", [limits.FIELD]):
        return Finding("fine", about)
    return Finding(
        "todo",
        about,
        Text(
            "Limits are neither read nor written: install account_credit_limit and add the user to “Account Credit Limit”.",
            "无法读写额度：请安装 account_credit_limit，并把该用户加入“Account Credit Limit”用户组。",
        ),
    )


def _hold(client: Tryton) -> list[Finding]:
    name = client.settings.hold_category
    category = Text("party category “{name}”", "参与方类别“{name}”").fill(name=name)
    rule = Text("rule on the button “Confirm” of orders", "订单“确认”按钮上的规则")
    if holds.category(client) is None:
        return [Finding("todo", category, _CATEGORY.fill(name=name)), Finding("todo", rule, _rule_by_hand(client))]
    there = holds.rules(client)
    findings = [Finding("fine", category)]
    if not there:
        findings.append(Finding("todo", rule, _rule_by_hand(client)))
    elif any(r["group"] is None for r in there):
        findings.append(
            Finding(
                "wrong",
                rule,
                Text(
                    "The rule names no group: anybody's second click lifts the hold. Set its group to “{group}”.",
                    "该规则未指定用户组：任何人再点一次即可解除冻结。请把其用户组设为“{group}”。",
                ).fill(group=client.settings.hold_group),
            )
        )
    else:
        findings.append(Finding("fine", rule))
    return findings


def party_rule(client: Tryton) -> Finding:
    """Whether a party in the hold category is really stopped: the worst of what is found of category and rule."""
    found = _hold(client)
    return next((finding for finding in found if finding.state != "fine"), found[-1])


def _field(client: Tryton, need: Need) -> Finding:
    about = Text("field “{name}” of parties", "参与方字段“{name}”").fill(name=need.name)
    if need.name in client.fields("party.party", [need.name]):
        return Finding("fine", about)
    return Finding(
        "todo",
        about,
        Text(
            "Tryton has no fields made at run time: install a small module that adds “{name}” to parties, or take the line out of the mapping.",
            "Tryton 不支持运行时自定义字段：请安装一个为参与方增加“{name}”的小模块，或从映射中删除该行。",
        ).fill(name=need.name),
    )


def provision(client: Tryton, needs: Sequence[Need], dry: bool) -> Sequence[Finding]:
    """Makes the hold's category and rule where they are missing; changes and deletes nothing that is there."""
    name, group = client.settings.hold_category, client.settings.hold_group
    category = Text("party category “{name}”", "参与方类别“{name}”").fill(name=name)
    rule = Text("rule on the button “Confirm” of orders", "订单“确认”按钮上的规则")
    findings = []
    admin = (
        Tryton(client.connection, client.settings.admin_user, "admin_password")
        if client.settings.admin_user
        else client
    )
    if holds.category(client) is not None:
        findings.append(Finding("fine", category))
    elif dry:
        findings.append(Finding("would", category))
    else:
        findings.append(_make(admin, category, "party.category", {"name": name}, _CATEGORY.fill(name=name)))
    held = holds.category(client)
    if held is not None and holds.rules(client):
        findings.append(Finding("fine", rule))
    elif dry:
        findings.append(Finding("would", rule))
    elif held is None:
        findings.append(Finding("todo", rule, _rule_by_hand(client)))
    else:
        findings.append(_make_rule(admin, rule, held, group))
    findings.append(hold_setup.provision(client, admin, group, dry))
    return [*findings, *(_field(client, need) for need in needs)]


def _make_rule(admin: Tryton, rule: Text, held: int, group: str) -> Finding:
    by_hand = _rule_by_hand(admin, held)
    model, button = holds.BUTTON
    try:
        buttons = admin.rows("ir.model.button", [["model", "=", model], ["name", "=", button]], ["name"], limit=1)
        groups = hold_setup.group_named(admin, group)
    except (ConfigError, ProtocolError) as wrong:
        return Finding("todo", rule, Text("{why} {fix}", "{why}{fix}").fill(why=wrong.user, fix=by_hand))
    if not buttons or groups is None:
        return Finding("todo", rule, by_hand)
    values = {
        "button": buttons[0]["id"],
        "description": "Customer on credit hold",
        "number_user": 1,
        "group": groups,
        "condition": holds.condition(held),
    }
    return _make(admin, rule, "ir.model.button.rule", values, by_hand)


def _make(admin: Tryton, what: Text, model: str, values: dict[str, object], by_hand: Text) -> Finding:
    try:
        admin.call(f"model.{model}.create", [values], safe=False)
    except RejectedError as wrong:
        why = Text("Tryton refuses: {why} {fix}", "Tryton 拒绝：{why}{fix}").fill(why=wrong.user, fix=by_hand)
        return Finding("todo", what, why)
    return Finding("made", what)


_CATEGORY = Text(
    "Make it under Parties > Configuration > Categories, with exactly the name “{name}”; or set admin_user and admin_password and run `holdfast provision`.",
    "请在“参与方 > 配置 > 类别”中创建，名称必须为“{name}”；或设置 admin_user 与 admin_password 后运行 `holdfast provision`。",
)


def _rule_by_hand(client: Tryton, held: int | None = None) -> Text:
    known = held if held is not None else holds.category(client)
    condition = holds.condition(known) if known is not None else "…"
    return Text(
        "As administrator, open Administration > Models > Buttons, button “confirm” of sale.sale, and add a rule: "
        "users 1, group “{group}”, condition {condition}; or set admin_user and admin_password and run `holdfast provision`.",
        "请以管理员身份打开“系统管理 > 模型 > 按钮”，在 sale.sale 的“confirm”按钮上添加规则："
        "用户数 1，用户组“{group}”，条件 {condition}；或设置 admin_user 与 admin_password 后运行 `holdfast provision`。",
    ).fill(group=client.settings.hold_group, condition=same(condition) if known is not None else _CONDITION_LATER)


_CONDITION_LATER = Text("(shown by `check` once the category exists)", "（类别创建后由 `check` 给出）")
