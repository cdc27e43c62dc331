"""What a new system has of templates."""

from __future__ import annotations

from activities.usecases import templates
from chassis.transaction import Transaction

_MAIL = 2
_BODY_ZH = (
    "{{customer}}：{{title}}（{{number}}）\n\n"
    "一、需求与现状\n二、目标\n三、方案说明\n四、实施计划与里程碑\n五、价格与付款方式\n六、服务与保障\n\n"
    "请按以上结构编写方案，并将定稿上传为商机附件。"
)
_BODY_EN = (
    "{{customer}}: {{title}} ({{number}})\n\n"
    "1. Needs and present state\n2. Aims\n3. The solution\n4. Plan and milestones\n5. Price and payment\n6. Service\n\n"
    "Please write the solution along these lines and upload it to the opportunity."
)


def seed(tx: Transaction) -> None:
    """The template that the shipped automation mails when a deal comes to its solution (O27). The company uploads its
    own documents on it. Nothing where there is or was any template."""
    if templates.none_yet(tx):
        templates.store(
            tx,
            {
                "display_name": "标准解决方案",
                "kind": _MAIL,
                "subject_zh": "标准方案模板：{{title}}",
                "subject_en": "Standard solution template: {{title}}",
                "body_zh": _BODY_ZH,
                "body_en": _BODY_EN,
            },
        )
