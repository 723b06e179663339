"""Mapping templates: conditions, variables, and headers that are set."""

import pytest

from sentictl.twin.apigateway.mapping_templates import MappingTemplate, TemplateError

ORIGINS = """\
#set($origin = $input.params().header.get("Origin"))
#if($origin == "")
#set($origin = $input.params("origin"))
#end
#if($origin == "https://a.example" || $origin == "https://b.example")
#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)
#elseif($origin != "" && $context.stage == "prod")
other
#else
none
#end
"""


@pytest.mark.parametrize(
    ("sent", "text", "headers"),
    [
        ({"Origin": "https://b.example"}, "", {"Access-Control-Allow-Origin": "https://b.example"}),
        ({"origin": "https://a.example"}, "", {"Access-Control-Allow-Origin": "https://a.example"}),
        ({"Origin": "https://c.example"}, "other\n", {}),
        ({}, "none\n", {}),
    ],
)
def test_a_template_compares_and_sets(sent: dict[str, str], text: str, headers: dict[str, str]) -> None:
    template = MappingTemplate(ORIGINS, {"stage": "prod"}, lambda name: sent.get(name, ""))
    assert (template.render(), template.headers) == (text, headers)


def test_references_are_filled_in() -> None:
    template = MappingTemplate("#set($x = 'y')<p>$context.stage ${x} $5</p>", {"stage": "prod"}, lambda _: "")
    assert template.render() == "<p>prod y $5</p>"


@pytest.mark.parametrize(
    "text",
    [
        "#foreach($x in $y)#end",
        "#if($x == 'a')",
        "#end",
        "#set($x)",
        "#set($input.x = 'a')",
        "#if($x.matches('a'))#end",
    ],
)
def test_what_is_not_read_is_no_guess(text: str) -> None:
    with pytest.raises(TemplateError):
        MappingTemplate(text, {}, lambda _: "").render()
