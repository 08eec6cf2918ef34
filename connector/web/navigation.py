"""Navigation: the pages there are, in the groups that people know, for whoever may see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from connector.text import Text
from connector.web.rights import Right


@dataclass(frozen=True, slots=True)
class Item:
    """One page; `right`: who sees it."""

    name: Text
    address: str
    right: Right = "read"
    here: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    name: Text
    items: Sequence[Item]


GROUPS: Sequence[Group] = (
    Group(
        Text("Credit desk", "信用工作台"),
        (
            Item(Text("Work list", "待办事项"), "/desk"),
            Item(Text("Orders", "订单"), "/desk/orders"),
            Item(Text("Customers", "客户"), "/desk/customers"),
            Item(Text("Limits", "信用额度"), "/desk/limits"),
            Item(Text("Collection", "催收"), "/desk/collection"),
            Item(Text("Reviews", "信用复评"), "/desk/reviews"),
            Item(Text("Portfolio", "应收组合"), "/desk/portfolio"),
            Item(Text("Simulator", "政策模拟"), "/desk/simulator"),
        ),
    ),
    Group(
        Text("Console", "管理控制台"),
        (
            Item(Text("First steps", "开始使用"), "/admin/first-steps", "configure"),
            Item(Text("Systems", "系统连接"), "/admin/systems", "configure"),
            Item(Text("Field mappings", "字段映射"), "/admin/mappings", "configure"),
            Item(Text("Policy", "信用政策"), "/admin/policy", "configure"),
            Item(Text("Runs", "运行记录"), "/admin/runs", "configure"),
            Item(Text("Problems", "问题"), "/admin/problems", "configure"),
            Item(Text("Outbox", "待写出"), "/admin/outbox", "configure"),
            Item(Text("Links", "客户关联"), "/admin/links", "configure"),
            Item(Text("People and keys", "人员与密钥"), "/admin/people", "configure"),
            Item(Text("Health", "运行状况"), "/admin/health", "configure"),
            Item(Text("Audit trail", "审计日志"), "/admin/audit", "audit"),
        ),
    ),
)


def navigation(rights: Collection[Right], path: str) -> list[Group]:
    """The groups for somebody with these rights; the page that is looked at is marked."""
    every = [item.address for group in GROUPS for item in group.items]
    here = max((a for a in every if path == a or path.startswith(a + "/")), key=len, default="")
    found = []
    for group in GROUPS:
        own = [Item(i.name, i.address, i.right, i.address == here) for i in group.items if i.right in rights]
        if own:
            found.append(Group(group.name, own))
    return found
