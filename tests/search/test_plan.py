"""`search plan`: its numbers against brute force, its statistics in worlds whose answer is known, and the command."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median_low

import numpy as np
import pytest
from click.testing import CliRunner, Result

from search import calibration, forecast, home, plan, pricing
from search.calibration import Calibration
from search.commands.plan import plan_command
from search.errors import SearchError
from search.forecast import Forecast
from search.places import Places
from search.plan import Plan
from search.settings import StudySettings
from search.site import Site
from space.filling import settle
from space.fitting import BudgetError, largest, parameters, share_within, smallest
from space.ranges import Value
from workers import sources
from workers.pace import Pace

DIGITS = StudySettings.make("digits", 5000, 0.97)
MNIST = StudySettings.make("mnist", 10_000, 0.994)


@pytest.fixture(scope="module")
def digits() -> Plan:
    return plan.make(DIGITS)


@pytest.fixture(scope="module")
def mnist() -> Plan:
    return plan.make(MNIST)


def run_plan(arguments: str) -> Result:
    return CliRunner().invoke(plan_command, arguments.split(), standalone_mode=False)


def test_sizes_are_those_of_the_space_and_of_random_draws(mnist: Plan) -> None:
    space, sizes = MNIST.space, mnist.sizes
    rng = random.Random(0)
    counts = [parameters(space, space.random(rng)) for _ in range(plan.DRAWS)]
    assert (sizes.smallest, sizes.largest) == (parameters(space, smallest(space)), parameters(space, largest(space)))
    assert sizes.median == median_low(counts)
    assert sizes.draws == plan.DRAWS
    (reach,) = mnist.reaches
    assert reach.within == share_within(space, (10_000,))[10_000] == sum(count <= 10_000 for count in counts) / 2000


def test_each_draw_over_budget_costs_a_proposal_besides_its_projection(mnist: Plan) -> None:
    written = sum(1 if parameters(MNIST.space, choices) <= 10_000 else 2 for choices in draws(MNIST))
    assert mnist.proposals == pytest.approx(written / plan.DRAWS)


def draws(settings: StudySettings) -> list[dict[str, Value]]:
    rng = random.Random(settings.seed)
    return [settings.space.random(rng) for _ in range(plan.DRAWS)]


def test_candidates_are_draws_as_a_search_fits_them_to_the_budget(mnist: Plan) -> None:
    for network, choices in zip(mnist.candidates, draws(MNIST), strict=False):
        assert network == MNIST.space.architecture(settle(MNIST.space, choices, 10_000))
        assert network.totals.parameters <= 10_000


def test_published_networks_within_the_budget_come_first_unless_from_a_cold_start(mnist: Plan, digits: Plan) -> None:
    names = [start.name for start in mnist.published]
    assert names[0] == "article-2"
    assert "steps-3" in names
    assert "eip-4, separable" in names[7:]  # 11,118 parameters
    assert max(network.totals.parameters for network in mnist.first) <= 10_000
    assert digits.published == ()
    assert plan.make(MNIST, cold_start=True).published == ()


def test_several_budgets_are_one_search(mnist: Plan) -> None:
    several = plan.make(StudySettings.make("mnist", (10_000, 2000), 0.994))
    small, large = several.reaches
    assert (small.budget, large.budget) == (2000, 10_000)
    assert large == mnist.reaches[0]
    assert small.within < large.within
    assert small.uniform[-1].filters < large.uniform[-1].filters
    assert several.proposals == mnist.proposals, "only what is over all budgets is told so"
    for place, (network, choices) in enumerate(zip(several.candidates, draws(MNIST), strict=False)):
        aim = (2000, 10_000)[place % 2]
        assert network == MNIST.space.architecture(settle(MNIST.space, choices, aim))


def test_it_says_which_published_networks_are_trained_first_and_then() -> None:
    text = run_plan("--budget 10k --target 99.4% --calibration 0").output
    assert "published      first 7 networks within budget; best article-2, 99.47 %\n" in text
    assert "               then 12 that fill the budget with separable convolutions\n" in text
    small = run_plan("--budget 700,800 --target 99% --calibration 0").output
    assert "published      first 24 that fill a budget with separable convolutions\n" in small


def test_each_budget_has_its_line_its_table_and_its_confirmations(digits: Plan) -> None:
    text = run_plan("--budget 3k,1k --target 97% --dataset digits --calibration 0").output
    assert "digits, at most 1,000 or 3,000 parameters, target 97.00 %" in text
    assert "of the draws have at most 1,000" in text
    assert "3,000 parameters buy equal 3x3 convolutions" in text
    assert max(map(len, text.splitlines())) <= 80
    row = json.loads(run_plan("--budget 3k,1k --target 97% --dataset digits --calibration 0 --json").output)
    assert [budget["budget"] for budget in row["budgets"]] == [1000, 3000]
    several = replace(digits, settings=StudySettings.make("digits", (3000, 5000), 0.97))
    one, both = (forecast.forecast(plan, calibrated(plan), 1, [7]).estimates[0].hours for plan in (digits, several))
    assert both > one


def test_deciles_are_values_that_are_there() -> None:
    assert plan.deciles(range(11)) == (1, 5, 9)
    assert plan.deciles([7]) == (7, 7, 7)
    assert plan.deciles([3, 1, 2]) == (1, 2, 2)


def test_a_sample_lies_evenly_and_holds_none_twice(digits: Plan) -> None:
    found = digits.sample(12)
    macs = [network.totals.macs for network in found]
    assert len(set(found)) == len(found) == 12
    assert macs == sorted(macs)
    assert macs[0] == min(network.totals.macs for network in digits.candidates)
    assert macs[-1] == max(network.totals.macs for network in digits.candidates)
    assert len(digits.sample(10_000)) == len(set(digits.candidates))
    assert len(digits.sample(1)) == 1


@pytest.mark.parametrize("budget", [38, 39, 60])
def test_a_budget_that_hardly_anything_meets_can_be_planned(budget: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_BUILT", 5)
    found = plan.make(StudySettings.make("mnist", budget, 0.5))
    assert found.reaches[0].within <= 0.01
    assert found.reaches[0].uniform == ()
    assert all(network.totals.parameters <= budget for network in found.candidates)
    assert found.sample(12)


def test_below_the_smallest_network_there_is_no_plan() -> None:
    with pytest.raises(BudgetError, match="must be at least 38 parameters"):
        StudySettings.make("mnist", 37, 0.5)


def calibrated(known: Plan, step: float = 0.01, image: float = 1e-12) -> Calibration:
    """A world in which every network takes the same time."""
    networks = tuple(known.sample(12))
    paces = (Pace(step, image),) * len(networks)
    return Calibration(networks=networks, paces=paces, processes=2, device="cpu", numerics="float32")


def test_prices_are_found_again_by_the_fit(digits: Plan) -> None:
    networks = digits.sample(12)
    truth = np.array([1e-3, 2e-9, 3e-8, 1e-4])
    seconds = pricing.features(networks) @ truth
    assert pricing.coefficients(pricing.features(networks), seconds) == pytest.approx(truth, rel=1e-6)


def test_no_price_is_negative_whatever_was_timed(digits: Plan) -> None:
    networks = digits.sample(12)
    falling = np.linspace(2, 1, len(networks))
    assert min(pricing.coefficients(pricing.features(networks), falling)) >= 0


def test_an_epoch_is_as_many_steps_as_the_training_images_make(digits: Plan) -> None:
    paces = calibrated(digits, step=0.01, image=0.001)
    prices = pricing.Pricing(paces, DIGITS, digits.candidates).sample(np.random.default_rng(0))
    images = sources.find("digits").images
    assert prices.epoch == pytest.approx(0.01 * ((images - images // 6) // DIGITS.recipe.batch), rel=1e-6)
    assert prices.validation == pytest.approx(0.001 * (images // 6), rel=1e-6)
    assert prices.training(4) == pytest.approx(4 * prices.epoch + prices.validation)


def epochs_of_a_run(known: Plan, number: int, slots: int = 1) -> tuple[float, float, float]:
    """The estimate in epochs, where each takes an hour and nothing else takes any time."""
    images = sources.find("digits").images
    steps = (images - images // 6) // DIGITS.recipe.batch
    found = forecast.forecast(known, calibrated(known, step=3600 / steps), slots, [number])
    (estimate,) = found.estimates
    return (estimate.interval[0], estimate.hours, estimate.interval[1])


def test_epochs_are_those_of_rungs_from_which_a_sixth_or_more_goes_on(digits: Plan) -> None:
    low, median, high = (epochs - 3 * 16 for epochs in epochs_of_a_run(digits, 1000))
    assert 1000 * (1 + 16 / 6) < low < median < high < 1000 * (1 + 16 * 2.5 / 6)
    assert median == pytest.approx(1000 * (1 + 16 * 1.75 / 6), rel=0.05)


def test_of_three_rungs_a_quarter_or_more_goes_on_from_each(digits: Plan) -> None:
    three = replace(digits, settings=StudySettings.make("digits", DIGITS.budgets, DIGITS.target, rungs=(1, 4, 16)))
    low, median, high = (epochs - 3 * 16 for epochs in epochs_of_a_run(three, 1000))
    share, most = 1.75 / 4, 2.5 / 4
    assert 1000 * (1 + 4 / 4 + 16 / 16) < low < median < high < 1000 * (1 + 4 * most + 16 * most**2)
    assert median == pytest.approx(1000 * (1 + 4 * share + 16 * share**2), rel=0.05)


def test_nine_in_ten_runs_lie_within_the_interval(digits: Plan) -> None:
    """Shares are uniform, so that the epochs of many candidates can be drawn in another way."""
    shares = np.random.default_rng(1).uniform(1 / 6, 2.5 / 6, 100_000)
    expected = np.quantile(1 + 16 * shares, (0.05, 0.95))
    low, _, high = epochs_of_a_run(digits, 10_000)
    assert (low / 10_000, high / 10_000) == pytest.approx(expected, rel=0.05)


def test_a_run_is_as_long_as_its_longest_candidate_however_many_slots_there_are(digits: Plan) -> None:
    assert epochs_of_a_run(digits, 1, 64) == pytest.approx((33, 33, 33))  # 1 + 16, then confirmations side by side
    assert epochs_of_a_run(digits, 100, 64)[1] == pytest.approx(33)
    assert epochs_of_a_run(digits, 1000, 4)[1] == pytest.approx(
        (epochs_of_a_run(digits, 1000)[1] - 48) / 4 + 16, rel=0.01
    )


def test_networks_that_differ_in_cost_widen_the_interval_of_few_candidates(digits: Plan) -> None:
    even = calibrated(digits)
    paces = tuple(Pace(1e-8 * network.totals.macs, 1e-12) for network in even.networks)
    (one,) = forecast.forecast(digits, even, 1, [3]).estimates
    (other,) = forecast.forecast(digits, replace(even, paces=paces), 1, [3]).estimates
    assert other.interval[1] / other.interval[0] > 1.5 * one.interval[1] / one.interval[0]


def test_equal_arguments_give_equal_estimates(digits: Plan) -> None:
    first, second = (forecast.forecast(digits, calibrated(digits), 2, [100, 7]) for _ in range(2))
    assert first == second
    assert [each.candidates for each in first.estimates] == [100, 7]


def test_without_a_calibration_neither_torch_nor_ray_is_imported(petitnet_home: Path) -> None:
    script = (
        "import sys\nfrom search.commands.plan import plan_command\n"
        "plan_command.main(sys.argv[1:], standalone_mode=False)\n"
        "heavy = [name for name in ('torch', 'ray', 'pandas', 'plotly') if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    command = [sys.executable, "-c", script, *"--budget 5k --target 97% --dataset digits --calibration 0".split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "median" in done.stdout
    assert done.stderr == ""
    assert not petitnet_home.exists()


def test_text_and_json_say_the_same_in_80_columns(digits: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(found: Plan, trials: int, seconds: float, site: Site) -> Forecast:
        assert (trials, seconds, site) == (1000, 20.0, Site(workers=2))
        return forecast.forecast(found, calibrated(found), 2, [100, trials])

    monkeypatch.setattr("search.commands.plan._forecast", timed)
    arguments = "--budget 5k --target 97% --dataset digits --workers 2"
    told, text = json.loads(run_plan(f"{arguments} --json").output), run_plan(arguments).output
    assert max(map(len, text.splitlines())) <= 80
    assert told["parameters"] == {
        "smallest": digits.sizes.smallest,
        "median": digits.sizes.median,
        "largest": digits.sizes.largest,
    }
    assert (told["dataset"], told["target"]) == ("digits", 0.97)
    (bought,) = told["budgets"]
    assert bought["budget"] == 5000
    assert told["time"]["slots"] == told["time"]["processes"] == 2
    assert told["time"]["confidence"] == 0.9
    assert [each["candidates"] for each in told["time"]["estimates"]] == [100, 1000]
    for value in (*told["parameters"].values(), *(row["parameters"] for row in bought["uniform"])):
        assert f"{value:,}" in text
    for values in told["candidates"].values():
        assert all(f"{value:,}" in text for value in values.values())
    assert "90 % interval" in text


def test_a_plan_is_timed_here_and_leaves_nothing_behind(petitnet_home: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    search = str(Path(sys.executable).with_name("search"))
    arguments = "plan --budget 5k --target 97% --dataset digits --calibration 0.1 --trials 30 --workers 2 --json"
    environment = os.environ | {"TMPDIR": str(scratch), "CC": "false"}  # not compiled, which takes its time
    done = subprocess.run([search, *arguments.split()], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "timing training steps of 12 networks for 0.1 s on 2 slots\n"
    time = json.loads(done.stdout)["time"]
    assert (time["slots"], time["processes"], time["networks_timed"], time["address"]) == (2, 2, 12, None)
    assert [each["candidates"] for each in time["estimates"]] == [30, 100]
    for each in time["estimates"]:
        assert 0 < each["interval"][0] <= each["hours"] <= each["interval"][1]
    assert not petitnet_home.exists()
    assert list(scratch.glob("petitnet*")) == []  # torch has a directory of its own there


def test_what_is_remembered_of_this_machine_is_used_and_left_as_it_is(
    petitnet_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PETITNET_KERNELS")
    (petitnet_home / "kernels").mkdir(parents=True)
    (petitnet_home / "kernels" / "any.so").write_text("compiled")
    home.numerics_file().write_text("{}")
    with calibration._scratch_home() as scratch:
        assert (scratch / "kernels" / "any.so").read_text() == "compiled"
        assert (scratch / "numerics.json").read_text() == "{}"
    assert not scratch.exists()
    assert sorted(file.name for file in petitnet_home.iterdir()) == ["kernels", "numerics.json"]


def test_a_process_that_dies_is_an_error_with_its_reason(digits: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "write", lambda _network: "nonsense")
    with pytest.raises(SearchError, match=r"training steps could not be timed: .*nonsense"):
        calibration.calibrate(digits.sample(2), DIGITS, 2, 0.1)


def test_a_run_has_as_many_slots_as_it_would_use() -> None:
    cores = len(os.sched_getaffinity(0))
    assert calibration.slots(DIGITS, Site(gpus=0)) == (cores, cores)
    assert calibration.slots(DIGITS, Site(gpus=0, workers=3)) == (3, 3)


@pytest.fixture
def on_cluster(monkeypatch: pytest.MonkeyPatch) -> Site:
    """A cluster of two nodes with four cores each, one of them with a GPU, beside this machine of two cores."""

    @contextmanager
    def joined(_scratch: Path, site: Site) -> Iterator[Places]:
        yield Places(cpus=site.cpus, gpus=site.gpus or 0.0, cpu_nodes=site.cpu_nodes, most=site.workers)

    monkeypatch.setattr(calibration, "connected", joined)
    monkeypatch.setattr(calibration, "nodes", lambda: [{"CPU": 4.0}, {"CPU": 4.0, "GPU": 1.0}])
    monkeypatch.setattr(calibration, "own_places", lambda site: Places(most=min(2, site.workers or 2)))
    return Site(address="head:6379", gpus=0)


def test_a_cluster_has_its_own_slots_and_is_timed_on_those_here(on_cluster: Site) -> None:
    assert calibration.slots(DIGITS, on_cluster) == (8, 2)
    assert calibration.slots(DIGITS, replace(on_cluster, cpus=2.0)) == (4, 2)
    assert calibration.slots(DIGITS, replace(on_cluster, workers=1)) == (1, 1)


def test_a_machine_without_gpus_says_nothing_of_a_cluster_that_has_some(on_cluster: Site) -> None:
    with pytest.raises(SearchError, match="head:6379 trains on GPUs and this machine has none"):
        calibration.slots(DIGITS, replace(on_cluster, gpus=0.5))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--budget 37 --target 0.994", "budget must be at least 38 parameters for 28x28 images of 10 classes"),
        ("--budget 10k --target 994", "target must be above 0 and at most 1"),
        ("--budget 10k --target 0.9 --dataset cifar", "must be one of mnist, mnist-16, digits"),
        ("--budget 10k --target 0.9 --calibration -1", "calibration"),
        ("--budget 10k --target 0.9 --address ray://host:10001", "address must be that of a cluster's head"),
    ],
)
def test_bad_input_is_one_line_as_search_run_gives_it(petitnet_home: Path, arguments: str, said: str) -> None:
    search = str(Path(sys.executable).with_name("search"))
    refused = subprocess.run([search, "plan", *arguments.split()], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert said in refused.stderr.strip().splitlines()[-1]
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""
    assert not petitnet_home.exists()
