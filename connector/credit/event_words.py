"""The kinds of events (domain 9) as people say them: registers, courts, bureaus, insurers, banks."""

from __future__ import annotations

from connector.text import Text, same

EVENT_KINDS: dict[str, Text] = {
    "registry_checked": Text("register of companies looked up", "已查询工商登记"),
    "registry_status": Text("status in the register of companies", "工商登记状态"),
    "registry_abnormal": Text("listed for abnormal operations", "列入经营异常名录"),
    "registry_serious_illegal": Text("listed as seriously illegal", "列入严重违法失信名单"),
    "simple_cancellation": Text("simplified deregistration announced", "简易注销公告"),
    "strike_off_proposed": Text("strike-off proposed", "拟被除名公告"),
    "liquidation": Text("liquidation", "清算"),
    "court_checked": Text("courts looked up", "已查询司法信息"),
    "court_executed": Text("enforcement by a court", "被执行人"),
    "court_dishonest": Text("listed as a dishonest debtor", "失信被执行人"),
    "consumption_restriction": Text("consumption restricted by a court", "限制高消费"),
    "terminated_execution": Text("enforcement ended without assets", "终结本次执行"),
    "lawsuit": Text("lawsuit", "涉诉"),
    "bankruptcy": Text("insolvency", "破产"),
    "bureau_rating": Text("bureau rating", "征信评级"),
    "bureau_score": Text("bureau score", "征信评分"),
    "bounced_payment": Text("payment bounced", "付款退回"),
    "dishonoured_bill": Text("bill dishonoured", "票据拒付"),
    "insurer_limit": Text("cover of the credit insurer", "保险公司承保额度"),
    "insurer_cut": Text("credit insurer cut its cover", "保险公司削减承保额度"),
    "insurer_withdrawn": Text("credit insurer withdrew its cover", "保险公司撤销承保"),
}


def event_kind(kind: str) -> Text:
    """A kind of event in words; one that nobody listed as it is written."""
    return EVENT_KINDS.get(kind, same(kind))
