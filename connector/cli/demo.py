"""`holdfast demo`: the whole job on a made-up company, told step by step, with nothing to set up.

holdfast demo                 sandboxes of an ERP and a CRM on this machine
holdfast demo --erp tryton    a real Tryton, brought up in an environment of its own
holdfast -c config.toml demo  the systems that are configured
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import threading
from decimal import Decimal
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import PROBLEMS, Cli, bars, console, exit_code, say, show_run, t
from connector.cli.demo_stage import Stage, set_up
from connector.errors import ConfigError, HoldfastError, RejectedError
from connector.text import Text

if TYPE_CHECKING:
    from connector.adapter import Rehearsal
    from connector.cli.demo_cast import Player
    from connector.connect import Connected
    from jobs.run import Run


def register(app: typer.Typer) -> None:
    @app.command(
        "demo",
        help=t(
            "The whole job on a made-up company: no account, no set-up.", "用虚构公司演示完整流程：无需账号，无需配置。"
        ),
    )
    def command(
        context: typer.Context,
        erp: Annotated[
            str,
            typer.Option(
                help=t(
                    "sandbox (also odoo-sandbox, files-sandbox), or tryton: a real one in an environment of its own.",
                    "sandbox（沙箱，也可用 odoo-sandbox、files-sandbox），或 tryton（自动安装的真实系统）。",
                )
            ),
        ] = "sandbox",
        crm: Annotated[
            str, typer.Option(help=t("Whose sandbox is the CRM.", "以哪个产品的沙箱作为 CRM。"))
        ] = "zoho_crm",
        customers: Annotated[int, typer.Option(min=20, max=5000, help=t("How many customers.", "客户数量。"))] = 200,
        seed: Annotated[
            int, typer.Option(help=t("The same seed tells the same story.", "相同种子得到相同的故事。"))
        ] = 1,
        keep: Annotated[
            Path | None,
            typer.Option(
                help=t(
                    "Keep configuration, database and sandboxes in this folder.",
                    "把配置、数据库和沙箱保留在此文件夹。",
                )
            ),
        ] = None,
        pages: Annotated[
            bool,
            typer.Option(
                "--pages",
                help=t(
                    "Afterwards the desk and the console of this demo in your browser, until Ctrl+C.",
                    "演示结束后在浏览器中打开该公司的工作台与控制台，直到按 Ctrl+C。",
                ),
            ),
        ] = False,
        yes: Annotated[
            bool,
            typer.Option(
                "--yes",
                help=t("Do not ask before working in configured systems.", "在已配置的系统中操作前不再询问。"),
            ),
        ] = False,
    ) -> None:
        cli: Cli = context.obj
        if cli.given:
            _agreed(cli, yes)
            raise typer.Exit(tell(Stage(cli)))
        if pages:
            from connector.cli.serve import need_web

            need_web()  # told before the story, not after it
        with contextlib.ExitStack() as stack:
            folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-demo-")))
            stage = stack.enter_context(set_up(folder, erp, crm, customers, seed, kept=keep is not None))
            code = tell(stage)
            if pages:
                from connector.cli.demo_shown import heading
                from connector.cli.serve import serve_here

                heading(t("In your browser", "在浏览器中"))
                code = serve_here(stage.cli)
            elif keep is not None:
                _goodbye(stage)
            else:
                _next()
        raise typer.Exit(code)


def _agreed(cli: Cli, yes: bool) -> None:
    """The demo acts in the systems it is given; nobody's real books should see that by accident."""
    if not cli.config.systems:
        raise ConfigError(
            Text(
                "{path} names no system yet. Add one with `holdfast init`, or run `holdfast demo` without it.",
                "{path} 中尚未配置系统。请用 `holdfast init` 添加，或直接运行 `holdfast demo`。",
            ).fill(path=cli.path)
        )
    names = ", ".join(s.name for s in cli.config.systems)
    warned = Text(
        "The demo works in the systems configured in {path} ({names}): it makes fields, writes credit results, pays an "
        "invoice and places an order in the ERP. Use test systems.",
        "演示会在 {path} 中配置的系统（{names}）里实际操作：创建字段、写入信用结果，并在 ERP 中付清一张发票、"
        "下一张订单。请使用测试系统。",
    ).fill(path=cli.path, names=names)
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(
            Text("{warned} If that is what you want, add --yes.", "{warned}确定要这样做，请加上 --yes。").fill(
                warned=warned
            )
        )
    console().print(say(warned), markup=False)
    typer.confirm(t("Go on?", "继续吗？"), abort=True)


def _next() -> None:
    """What can be done after a demo that leaves nothing behind."""
    from connector.cli.demo_shown import heading

    heading(t("What next", "接下来"))
    for command, en, zh in (
        ("holdfast demo --pages", "this company's desk and console in your browser", "在浏览器中查看该公司的工作台与控制台"),
        ("holdfast demo --keep FOLDER", "kept, to try every command on it", "保留下来，可逐一试用各命令"),
        ("holdfast init", "your own systems", "接入您自己的系统"),
    ):  # fmt: skip
        console().print(f"  {command:<28} {t(en, zh)}", markup=False, soft_wrap=True)


def _goodbye(stage: Stage) -> None:
    """What can be done with a kept demo; where somebody watches, the sandboxes go on until Ctrl+C."""
    from connector.cli.demo_shown import heading, note

    path, out = stage.cli.path, console()
    heading(t("Kept", "已保留"))
    # Whole on one line, however long: they are to be copied.
    for words in ("order list", "report positions", "report problems", "run", "serve"):
        out.print(f"  holdfast -c {quote(str(path))} {words}", markup=False, soft_wrap=True)
    if sys.stdin.isatty() and sys.stdout.isatty():
        note(
            t(
                "The systems run until you press Ctrl+C here; use another terminal meanwhile.",
                "各系统会一直运行，直到您在此按 Ctrl+C；期间请使用另一个终端。",
            )
        )
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
        return
    note(
        t(
            "Reports work as they are; for pull and push the sandboxes must run:",
            "报表可直接使用；拉取和推送需要沙箱处于运行状态：",
        )
    )
    for line in stage.again:
        out.print(f"  {line}", markup=False, soft_wrap=True)


# --- the story -----------------------------------------------------------------------------------------------------------
def tell(stage: Stage) -> int:
    """Provision, run, look, run again, change two things in the ERP, run, look at what changed. Gives the exit code."""
    from connector.cli import demo_shown as show
    from connector.cli.report import collect
    from jobs.night import connected_systems

    cli = stage.cli
    systems = connected_systems(cli.config, cli.clock)
    show.heading(t("1  Make the fields that are missing", "1  创建缺少的字段"))
    _provision(systems)

    show.heading(t("2  First run: pull, link, evaluate, push", "2  首次运行：拉取、关联、评估、推送"))
    runs = _run(cli, systems)
    if any(r.failed for r in runs):
        return exit_code(runs)
    answers, _ = collect(cli, None, None)

    show.heading(t("3  What sales sees in the CRM", "3  销售人员在 CRM 中看到的内容"))
    show.sales(cli, systems)
    show.heading(t("4  What the credit controller sees", "4  信用管理人员看到的内容"))
    show.controller(cli, answers)

    show.heading(t("5  Second run: nothing has changed, nothing is written", "5  第二次运行：没有变化，不写入任何内容"))
    before = stage.writes()
    again = _run(cli, systems)
    written = sum(r.counts["done"] for r in again if r.job == "push")
    calls = stage.writes() - before
    show.note(
        t(
            f"Records written: {written}." + (f" Write calls the sandboxes saw: {calls}." if stage.sandboxes else ""),
            f"写入记录：{written}。" + (f"沙箱收到的写调用：{calls}。" if stage.sandboxes else ""),
        ),
        style="bold",
    )

    show.heading(
        t("6  In the ERP: one customer pays, another one orders", "6  在 ERP 中：一个客户付款，另一个客户下单")
    )
    ledger = next((c for c in systems if "erp" in c.system.roles), None)
    if ledger is None or ledger.adapter.rehearsal is None:
        show.note(t("(Nothing can be paid or ordered through this adapter.)", "（该适配器不支持付款和下单演示。）"))
        return _verdict([*runs, *again], written, 0)
    buyer = _act(cli, ledger, ledger.adapter.rehearsal)
    last = _last_owed(cli)
    third = _run(cli, systems)

    show.heading(t("7  Exactly what changed", "7  具体变化"))
    lost = show.changes(cli, systems, last)
    if buyer is not None and ledger.adapter.rehearsal.refuses:
        show.heading(t("8  The same customer wants to order once more", "8  同一客户想再次下单"))
        _say(buyer, ledger.adapter.rehearsal.order(ledger.client, buyer.ref, Decimal(100)))
    _desk(cli, 8 if buyer is None or not ledger.adapter.rehearsal.refuses else 9)
    return _verdict([*runs, *again, *third], written, lost)


def _desk(cli: Cli, chapter: int) -> None:
    from connector.cli.demo_desk import desk
    from connector.cli.demo_shown import heading, note

    heading(t(f"{chapter}  Why an order is held, and the way out", f"{chapter}  订单为何冻结，如何解除"))
    try:
        desk(cli)
    except HoldfastError as wrong:
        note(say(wrong.user), "!")


def _verdict(runs: list[Run], written: int, lost: int) -> int:
    """0 where all went as told; what was written twice or did not arrive is no success."""
    code = exit_code(runs)
    return code or (PROBLEMS if written or lost else code)


def _run(cli: Cli, systems: list[Connected]) -> list[Run]:
    from jobs.night import lease, work

    with lease(cli.store, cli.clock, "run") as held, bars() as progress:
        return work(
            held,
            cli.config,
            cli.policy,
            cli.clock,
            systems=systems,
            progress=progress,
            told=lambda run: show_run(run, problems_most=2),
        )


def _last_owed(cli: Cli) -> int:
    from connector.store import outbox

    with cli.store.reading() as tx:
        return max((r.id for r in outbox.listing(tx, states=None, limit=1)), default=0)


def _provision(systems: list[Connected]) -> None:
    from connector.cli.demo_shown import note

    for connected in systems:
        if connected.adapter.provision is None:
            continue
        title = f"{connected.name} ({say(connected.adapter.title)})"
        try:
            findings = connected.adapter.provision(connected.client, connected.needs(), False)
        except HoldfastError as wrong:
            note(f"{title}{t(': ', '：')}{say(wrong.user)}", "!")
            continue
        made = sum(f.state == "made" for f in findings)
        rest = [f for f in findings if f.state in ("todo", "wrong")]
        there = len(findings) - made - len(rest)
        note(t(f"{title}: {made} made, {there} there already", f"{title}：新建 {made} 项，已有 {there} 项"), "✓")
        for finding in rest:
            note(t(" ", "").join([say(finding.what), say(finding.fix) if finding.fix else ""]), "!", indent=2)


def _act(cli: Cli, ledger: Connected, rehearsal: Rehearsal[object]) -> Player | None:
    """Pays what holds a customer up, the oldest first, and places an order that breaks the limit of a good one, whom it gives."""
    from connector.cli import demo_cast as cast
    from connector.cli.demo_shown import note

    for payer in cast.payers(cli, ledger.name)[:5]:
        with contextlib.suppress(RejectedError):  # what is overdue may be no invoice there
            for _ in range(payer.payments):
                _say(payer, rehearsal.pay(ledger.client, payer.ref))
            break
    else:
        note(t("(Nobody has an overdue invoice to pay.)", "（没有可付款的逾期发票。）"))
    for buyer in cast.buyers(cli, ledger.name)[:1]:
        _say(buyer, rehearsal.order(ledger.client, buyer.ref, buyer.amount))
        return buyer
    note(t("(Nobody has a limit that an order could break.)", "（没有客户的额度可供订单突破。）"))
    return None


def _say(player: Player, what: Text) -> None:
    from connector.cli.demo_shown import note

    note(f"{player.ref} {player.name}{t(': ', '：')}{say(what)}", "•")
