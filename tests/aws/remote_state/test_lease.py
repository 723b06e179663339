"""The lease of an environment: one has it, the dead lose it, and it is renewed while it is needed."""

import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sentictl.aws.remote_state import signature
from sentictl.aws.remote_state.lease import Holder, Lease, end_by_hand
from sentictl.aws.remote_state.server_clock import ServerClock
from sentictl.aws.remote_state.shared_object import SharedObject
from sentictl.aws.remote_state.signature import Process, Signature, _started
from sentictl.errors import LeaseError
from tests.aws.remote_state.conftest import BUCKET

SIGNED = Signature("arn:aws:iam::1:user/ana", "ana@laptop", "laptop", "up")


def lease(s3: Any, **options: Any) -> Lease:
    clock = ServerClock()
    return Lease(SharedObject(lambda: s3, BUCKET, "it", clock), clock, SIGNED, **options)


def holder(s3: Any) -> Holder:
    return Holder.from_json(s3.get_object(Bucket=BUCKET, Key="it")["Body"].read(), "it")


def test_it_is_given_back_for_the_next_one(s3: Any) -> None:
    first, second = lease(s3), lease(s3)
    assert first.take() is False
    with pytest.raises(LeaseError, match="ana@laptop"):
        second.take()
    first.release()
    first.release()
    assert second.take() is False
    second.release()
    assert holder(s3).free


def test_of_a_process_that_is_dead_on_this_machine_it_is_taken_at_once(s3: Any) -> None:
    lease(s3).take()
    with subprocess.Popen(["sleep", "600"]) as other:
        theirs = Process(Process.this().machine, other.pid, _started(other.pid))
        s3.put_object(Bucket=BUCKET, Key="it", Body=replace(holder(s3), process=theirs).to_json())
        following = lease(s3)
        with pytest.raises(LeaseError):
            following.take()
        other.kill()
    assert following.take() is True
    following.release()


def test_a_process_elsewhere_is_not_known_to_be_dead() -> None:
    here = Process.this()
    assert not here.is_dead
    assert not Process("another", here.pid, "1").is_dead
    assert not Process("", here.pid, "1").is_dead
    assert Process(here.machine, here.pid, "1").is_dead is bool(here.machine)


def test_a_process_that_may_not_be_looked_at_is_not_known_to_be_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    here, machine = Process.this(), Process.this().machine
    monkeypatch.setattr(signature, "PROC", Path("/nowhere"))  # as where /proc hides other people's processes
    monkeypatch.setattr(signature, "_machine", lambda: machine)
    assert not replace(here, started="1").is_dead
    with subprocess.Popen(["true"]) as ended:
        pass
    assert Process(machine, ended.pid, "1").is_dead is bool(machine)


def test_what_goes_wrong_once_ends_no_renewing(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    held, renewed, met = lease(s3, seconds=0.06), threading.Event(), []
    renew = Lease._renew

    def once(of: Lease) -> None:
        met.append(1)
        if len(met) == 1:
            raise ValueError("a proxy's Date")
        renew(of)
        renewed.set()

    monkeypatch.setattr(Lease, "_renew", once)
    held.take()
    assert renewed.wait(30)
    held.release()
    assert holder(s3).free


def test_one_that_was_ended_by_hand_counts_as_not_given_back(s3: Any) -> None:
    first, following = lease(s3), lease(s3)
    first.take()
    clock = ServerClock()
    ended = end_by_hand(SharedObject(lambda: s3, BUCKET, "it", clock), clock, lambda _: None)
    assert ended is not None
    assert following.take() is True  # whoever takes it, not only whoever ended it
    following.release()
    first.release()


def test_it_is_renewed_while_it_is_held(s3: Any) -> None:
    held = lease(s3, seconds=0.06)
    renewed = threading.Event()
    puts = []

    def seen(**_: Any) -> None:
        puts.append(1)
        if len(puts) > 3:
            renewed.set()

    s3.meta.events.register("before-call.s3.PutObject", seen)
    held.take()
    assert renewed.wait(30)
    held.check()
    held.release()
    s3.meta.events.unregister("before-call.s3.PutObject", seen)


@pytest.mark.usefixtures("asleep")
def test_one_that_ran_out_is_regained_if_nobody_took_it(s3: Any) -> None:
    held = lease(s3, seconds=-9.0)
    held.take()
    held.check()
    held.release()
    assert holder(s3).free


@pytest.mark.usefixtures("asleep")
def test_who_lost_it_is_told_who_has_it_and_takes_it_from_nobody(s3: Any) -> None:
    late, following = lease(s3, seconds=-9.0), lease(s3)
    late.take()
    assert following.take() is True
    with pytest.raises(LeaseError, match=r"ran out at .*, and was taken by ana@laptop"):
        late.check()
    late.release()
    assert not holder(s3).free
    following.check()
    following.release()


@pytest.mark.usefixtures("asleep")
def test_one_that_was_deleted_is_lost(s3: Any) -> None:
    held = lease(s3, seconds=-9.0)
    held.take()
    s3.delete_object(Bucket=BUCKET, Key="it")
    with pytest.raises(LeaseError, match="s3://shared/it was deleted"):
        held.check()
    held.release()
