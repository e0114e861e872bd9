"""Sort plans: which ZIP goes to which tray.

========  ================================================
`rules`   `Plan` and `Range`
`toml`    a plan as a file: `read_plan`, `write_plan`
`made`    plans made from the directory of ZIPs
`l002`    a plan from the Postal Service's labeling list
========  ================================================
"""

from digitlens.mail.plan.l002 import LabelingList, parse_l002, read_l002
from digitlens.mail.plan.made import WAYS, make_plan
from digitlens.mail.plan.rules import RESERVED, Plan, Range
from digitlens.mail.plan.toml import parse_plan, read_plan, write_plan

__all__ = [
    "RESERVED",
    "WAYS",
    "LabelingList",
    "Plan",
    "Range",
    "make_plan",
    "parse_l002",
    "parse_plan",
    "read_l002",
    "read_plan",
    "write_plan",
]
