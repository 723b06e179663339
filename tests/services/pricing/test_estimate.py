"""What a project costs, by a Price List that answers over HTTP, by one that does not, and by the built-in table."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from sentictl.aws.environment import Environment
from sentictl.errors import NoCredentialsError
from sentictl.lifecycle.cost import HOURS_A_MONTH, dollars
from sentictl.lifecycle.resource import Context
from sentictl.services.chain import CHAIN
from sentictl.services.notebook.instance import Notebook
from sentictl.services.pricing import estimate as pricing
from sentictl.services.pricing.estimate import Estimate
from sentictl.services.pricing.table import TABLE
from tests.listener import running
from tests.services.conftest import ContextOf

NOTHING_LISTENS = "http://127.0.0.1:9"
SETTINGS = "[deploy]\ninstance_count = 2\n[train]\nspot = true\n"


def product(usage: str, price: str) -> str:
    dimension = {"unit": "Hrs", "pricePerUnit": {"USD": price}}
    terms = {"OnDemand": {"SKU.TERM": {"priceDimensions": {"SKU.TERM.RATE": dimension}}}}
    return json.dumps({"product": {"attributes": {"usagetype": usage}}, "terms": terms})


class PriceList(ThreadingHTTPServer):
    """The Price List of eu-west-1, which knows three machines, until it is told to refuse."""

    known = {  # noqa: RUF012  (never changed)
        ("Hosting", "ml.m5.large"): [
            product("EUW1-AsyncInf:ml.m5.large", "9"),
            product("EUW1-Host:ml.m5.large", "0.128"),
        ],
        ("Training", "ml.m5.xlarge"): [product("EUW1-Train:ml.m5.xlarge", "0.257")],
        ("Notebook", "ml.t3.large"): [product("EUW1-Notebk:ml.t3.large", "0.11")],
    }

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.questions: list[dict[str, str]] = []
        self.refuses = False

    def answer(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        asked = {entry["Field"]: entry["Value"] for entry in request["Filters"]}
        self.questions.append(asked)
        if self.refuses:
            return 400, {"__type": "AccessDeniedException", "Message": "not authorized to perform: pricing:GetProducts"}
        found = self.known.get((asked["component"], asked["instanceName"]), [])
        return 200, {"PriceList": found if asked["regionCode"] == "eu-west-1" else []}


class Answers(BaseHTTPRequestHandler):
    """Speaks AWS's JSON protocol."""

    server: PriceList

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, document = self.server.answer(request)
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def price_list(monkeypatch: pytest.MonkeyPatch) -> Iterator[PriceList]:
    server = PriceList()
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", f"http://127.0.0.1:{server.server_port}")
    with running(server):
        yield server


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")


def estimate(context: Context, standing: set[str] | None = None) -> Estimate:
    return pricing.estimate(context, CHAIN, standing)


def notebook_price(context: Context) -> tuple[str, str]:
    return pricing.machine_price(context, Notebook(context).machines())


def on_aws(context: Context) -> Context:
    return replace(context, environment=Environment("prod", "eu-west-1"))


def test_on_aws_the_price_list_of_the_region_is_asked(context_of: ContextOf, price_list: PriceList) -> None:
    cost = estimate(on_aws(context_of(SETTINGS)))
    assert cost.hourly == pytest.approx(2 * 0.128)
    assert cost.monthly == pytest.approx(2 * 0.128 * HOURS_A_MONTH)
    assert cost.training_hourly == pytest.approx(0.257)
    assert cost.source == f"AWS Price List, {datetime.now(UTC).date()}"
    assert str(cost) == f"$0.256 an hour, about $187 a month while the endpoint stands ({cost.source})"
    assert (
        cost.training == f"A training job costs $0.257 an hour while it runs; spot machines cost less ({cost.source})"
    )


def test_the_price_list_is_asked_once_a_day(context_of: ContextOf, price_list: PriceList) -> None:
    context = on_aws(context_of(""))
    first = estimate(context)
    assert estimate(context) == first
    assert len(price_list.questions) == 2  # one for each machine
    for cache in context.config.folder.cache.glob("prices-*.json"):
        document = json.loads(cache.read_text())
        document["at"] = (datetime.now(UTC) - timedelta(days=1, minutes=1)).isoformat()
        cache.write_text(json.dumps(document))
    estimate(context)
    assert len(price_list.questions) == 4


@pytest.mark.parametrize("kept", ["", "[]", '{"at": "2026-01-01"}', '{"at": "yesterday", "prices": []}'])
def test_a_cache_that_says_nothing_is_written_anew(context_of: ContextOf, price_list: PriceList, kept: str) -> None:
    context = on_aws(context_of(""))
    context.config.folder.cache.mkdir()
    cache = context.config.folder.cache / "prices-eu-west-1.json"
    cache.write_text(kept)
    assert estimate(context).hourly == 0.128
    assert json.loads(cache.read_text())["prices"]


def test_another_machine_is_asked_about_at_once(context_of: ContextOf, price_list: PriceList) -> None:
    estimate(on_aws(context_of("")))
    estimate(on_aws(context_of('[train]\ninstance_type = "ml.m5.large"')))
    assert {"component": "Training", "instanceName": "ml.m5.large", "regionCode": "eu-west-1"} in price_list.questions


def test_what_a_notebook_costs_is_asked_beside_the_rest(context_of: ContextOf, price_list: PriceList) -> None:
    context = on_aws(context_of('[notebook]\ninstance_type = "ml.t3.large"'))
    estimate(context)
    assert notebook_price(context) == ("$0.11 an hour", f"AWS Price List, {datetime.now(UTC).date()}")
    estimate(context)
    notebook_price(context)
    assert len(price_list.questions) == 3  # what was kept of one is not lost by asking for the other


@pytest.mark.parametrize(
    ("instance_type", "price"), [("ml.t3.medium", "$0.05 an hour"), ("ml.p3.2xlarge", "a price that is not known")]
)
def test_of_notebooks_the_table_knows_the_usual_one(
    context_of: ContextOf, price_list: PriceList, instance_type: str, price: str
) -> None:
    price_list.refuses = True
    context = on_aws(context_of(f'[notebook]\ninstance_type = "{instance_type}"'))
    found, source = notebook_price(context)
    assert (found, source.startswith("built-in table of 20")) == (price, True)


def test_a_price_list_that_refuses_leaves_the_table(context_of: ContextOf, price_list: PriceList) -> None:
    price_list.refuses = True
    context = on_aws(context_of(""))
    cost = estimate(context)
    assert cost.source.startswith("built-in table of 20")
    assert cost.source.endswith(", us-east-1")
    assert cost.hourly == 0.115
    assert len(price_list.questions) == 1  # after one refusal no more is asked
    assert not context.config.folder.cache.exists()


def test_a_price_list_out_of_reach_leaves_the_table(context_of: ContextOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", NOTHING_LISTENS)
    assert "built-in table" in str(estimate(on_aws(context_of(""))))


def test_a_machine_that_the_price_list_lacks_leaves_the_table(context_of: ContextOf, price_list: PriceList) -> None:
    cost = estimate(on_aws(context_of('[deploy]\ninstance_type = "ml.c5.large"')))
    assert (cost.hourly, cost.source[:14]) == (0.102, "built-in table")


def test_on_this_machine_nothing_is_asked_or_billed(context_of: ContextOf, price_list: PriceList) -> None:
    cost = estimate(context_of(""))
    assert not price_list.questions
    assert not cost.billed
    assert str(cost) == (
        f"Nothing on this machine; on AWS it would cost $0.115 an hour, about $84 a month ({cost.source})"
    )
    assert "would cost on AWS $0.23 an hour" in cost.training


def test_a_price_that_nobody_knows_is_not_invented(context_of: ContextOf) -> None:
    settings = '[deploy]\ninstance_type = "ml.p5.48xlarge"\n[train]\ninstance_type = "ml.p5.48xlarge"'
    cost = estimate(context_of(settings))
    assert (cost.hourly, cost.monthly, cost.training_hourly) == (None, None, None)
    assert "ml.p5.48xlarge" in str(cost)
    assert "not known" in str(cost)
    assert "not known" in cost.training
    assert cost.document()["hourly_cost"] is None


def test_what_scales_costs_from_the_fewest_machines_to_the_most(context_of: ContextOf) -> None:
    cost = estimate(context_of("[deploy]\nmin_instances = 2\ninstance_count = 3\nmax_instances = 4\n"))
    assert cost.hourly == pytest.approx(0.23)
    assert cost.hourly_most == pytest.approx(0.46)
    assert "$0.23 to $0.46 an hour, about $168 to $336 a month" in str(cost)
    assert cost.document()["monthly_cost_most"] == pytest.approx(0.46 * HOURS_A_MONTH)
    assert next(use.price for use in cost.uses if use.what == "Scaling") == 0.2


def test_machines_to_fall_back_on_cost_from_the_cheapest_to_the_dearest(context_of: ContextOf) -> None:
    cost = estimate(context_of('[deploy]\nfallback_types = ["ml.c5.large", "ml.m5.xlarge"]\n'))
    assert (cost.hourly, cost.hourly_most) == (0.102, 0.23)
    unknown = estimate(context_of('[deploy]\nfallback_types = ["ml.m6i.large"]\n'))
    assert unknown.hourly is None
    assert "The price of ml.m5.large or ml.m6i.large in eu-west-1 is not known" in str(unknown)


def test_a_month_costs_what_its_hours_do(context_of: ContextOf) -> None:
    cost = estimate(context_of('[deploy]\nhours.up = "mon-fri 08:00"\nhours.down = "mon-fri 19:00"\n'))
    assert cost.hourly == 0.115
    assert cost.monthly == pytest.approx(83.95 * 55 / 168)
    assert "$0.115 an hour, about $27 a month at 55 hours a week" in str(cost)
    assert cost.document()["hours_a_week"] == pytest.approx(55)


def test_without_an_endpoint_nothing_costs_by_the_hour(context_of: ContextOf) -> None:
    cost = estimate(context_of(""), {"bucket", "training-job"})
    assert (cost.hourly, cost.monthly) == (0, 0)
    assert "Nothing of the chain" in str(cost)
    assert cost.training_hourly == 0.23


def test_what_is_paid_by_use_follows_the_function_s_memory(context_of: ContextOf) -> None:
    small, large = (
        {use.what: use for use in estimate(context_of(f"[lambda]\nmemory_mb = {mb}")).uses} for mb in (1024, 2048)
    )
    assert small["Lambda"].price == pytest.approx(1000 * (0.0000002 + 0.1 * 0.0000166667))
    assert large["Lambda"].price > small["Lambda"].price
    assert str(small["API Gateway"]) == "API Gateway: $0.0035 for 1,000 predictions"


def test_a_serverless_endpoint_is_paid_by_use(context_of: ContextOf, price_list: PriceList) -> None:
    cost = estimate(context_of('[deploy]\nserving = "serverless"\nmemory_mb = 4096'))
    uses = {use.what: use for use in cost.uses}
    assert (cost.hourly, cost.by_use) == (0, True)
    assert uses["Serverless inference"].price == pytest.approx(1000 * 0.05 * 4 * 0.00002)
    assert str(uses["Serverless inference"]) == "Serverless inference: $0.004 for 1,000 predictions of 0.05 s"
    paid = sum(uses[what].price for what in ("Serverless inference", "Lambda", "API Gateway"))
    assert str(cost) == (
        f"Nothing of the chain costs money by the hour; 1,000 predictions would cost {dollars(paid)} on AWS "
        "(built-in table of 2026-09-28, us-east-1)."
    )


def test_what_is_kept_warm_is_paid_by_the_hour(context_of: ContextOf, price_list: PriceList) -> None:
    settings = '[deploy]\nserving = "serverless"\nprovisioned_concurrency = 2'
    for context in (context_of(settings), on_aws(context_of(settings))):
        cost = estimate(context)
        assert cost.hourly == pytest.approx(2 * 2 * 0.000005 * 3600)
        assert not cost.by_use
        assert "about $53 a month" in str(cost)
        assert cost.source.startswith("built-in table")  # the Price List is asked for machines alone
    inference = next(use for use in cost.uses if use.what == "Serverless inference")
    assert inference.price == pytest.approx(1000 * 0.05 * 2 * 0.00001165)


def test_the_model_in_the_function_is_paid_by_its_memory(context_of: ContextOf) -> None:
    cost = estimate(context_of('[deploy]\nserving = "lambda"\nmemory_mb = 3072'))
    uses = {use.what: use for use in cost.uses}
    assert (cost.hourly, cost.by_use) == (0, True)
    assert uses["Lambda"].price == pytest.approx(1000 * (0.0000002 + 0.05 * 3 * 0.0000133334))
    assert "Serverless inference" not in uses
    assert "1,000 predictions would cost" in str(cost)


def test_machines_to_compare_are_priced_where_they_would_be(context_of: ContextOf, price_list: PriceList) -> None:
    prices, source = pricing.hosting_prices(on_aws(context_of("")), ["ml.m5.large"])
    assert (prices, source) == ({"ml.m5.large": 0.128}, f"AWS Price List, {datetime.now(UTC).date()}")


def test_machines_are_compared_where_nobody_is_logged_in(
    context_of: ContextOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentictl.services.pricing.estimate.listed_prices", _nobody)
    prices, source = pricing.hosting_prices(on_aws(context_of("")), ["ml.m5.large"])
    assert (prices, source[:14]) == ({"ml.m5.large": 0.115}, "built-in table")


def _nobody(*_: object) -> None:
    raise NoCredentialsError("There are no AWS credentials.")


def test_the_document_says_the_same_to_programs(context_of: ContextOf) -> None:
    document = estimate(context_of("")).document()
    assert document["hourly_cost"] == 0.115
    assert document["monthly_cost"] == pytest.approx(83.95)
    assert (document["currency"], document["billed"]) == ("USD", False)
    assert json.loads(json.dumps(document)) == document


def test_the_table_holds_machines_that_sagemaker_knows() -> None:
    table = json.loads(Path(TABLE).read_text())
    model = boto3.client("sagemaker", region_name="us-east-1").meta.service_model
    known = {
        *model.shape_for("TrainingInstanceType").enum,
        *model.shape_for("ProductionVariantInstanceType").enum,
    }
    assert table["instance_hour"].keys() <= known
    assert all(0 < price < 50 for price in table["instance_hour"].values())


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0.115, "$0.115"), (0.7364, "$0.7364"), (20.36, "$20.36"), (0.0035, "$0.0035"), (1234.5, "$1,234")],
)
def test_amounts_are_short(amount: float, text: str) -> None:
    assert dollars(amount) == text
