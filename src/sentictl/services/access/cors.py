"""The CORS headers: which pages may ask the API from a browser, and what they may send.

API Gateway's own answers are made of constants. Where several origins may ask, a preflight is answered by a template
that compares (as AWS's CDK does it), while an error of the gateway's own can only repeat the origin that asks: any page
may read those, which say nothing but why there is no answer.
"""

from sentictl.config.settings import ANY_ORIGIN, Settings
from sentictl.lifecycle.resource import Context
from sentictl.services.access.ways import way_of

NAMES = (ORIGIN, METHODS, HEADERS) = (
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
)
MAX_AGE, VARY = "Access-Control-Max-Age", "Vary"
MAX_AGE_SECONDS = 600  # for which a browser need not ask again; Chromium takes 7,200 at most, Firefox 86,400


def origins(context: Context) -> list[str]:
    """Return the origins whose pages may ask, the project's own page among them where that is on another host."""
    wanted = context.settings.api.cors_origins
    if wanted == ANY_ORIGIN or context.settings.site.publish != "s3":
        return wanted
    page = "/".join(context.environment.website_url(context.naming.website_bucket).split("/")[:3])
    return list(dict.fromkeys([*wanted, page]))


def cors(context: Context) -> dict[str, str]:
    """Return the headers of every answer, each a constant as API Gateway's mappings have it: in single quotes."""
    first = origins(context)[0]
    sent = ",".join(("Content-Type", "Accept", *way_of(context.settings).headers))
    varying = {} if [first] == ANY_ORIGIN else {VARY: "'Origin'"}
    return {ORIGIN: f"'{first}'", METHODS: "'GET,POST,OPTIONS'", HEADERS: f"'{sent}'", **varying}


def cors_of_errors(context: Context) -> dict[str, str]:
    """Return the headers of the gateway's own errors."""
    repeated = {ORIGIN: "method.request.header.Origin"} if len(origins(context)) > 1 else {}
    return cors(context) | repeated


def preflight(context: Context) -> dict[str, str]:
    """Return the headers of the answer to a preflight, as they are without its template."""
    return cors(context) | {MAX_AGE: f"'{MAX_AGE_SECONDS}'"}


def preflight_template(context: Context) -> str:
    """Return the mapping template that names the origin that asks, where there are several; empty for a single one.

    How clients spell the header's name, API Gateway leaves as it is.
    """
    _, *others = origins(context)
    if not others:
        return ""
    parameters = '$input.params().header.get("{}")'
    matches = " || ".join(f'$origin == "{origin}"' for origin in others)
    return "\n".join(
        (
            f"#set($origin = {parameters.format('Origin')})",
            '#if($origin == "")',
            f"#set($origin = {parameters.format('origin')})",
            "#end",
            f"#if({matches})",
            f"#set($context.responseOverride.header.{ORIGIN} = $origin)",
            "#end",
        )
    )


def header_names(settings: Settings) -> tuple[str, ...]:
    """Return the names of the headers that every answer has."""
    return NAMES if settings.api.cors_origins == ANY_ORIGIN else (*NAMES, VARY)
