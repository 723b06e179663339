"""Whose an access key is, by what it signs, and what its owner may do."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.core.utils import utcnow

from sentictl.twin.control_plane.control_plane import ACCOUNT, ControlPlane
from sentictl.twin.core.credentials import SECRET, opens, role_of, same
from sentictl.twin.iam import policies
from sentictl.twin.iam.roles import AssumedRole


@dataclass(frozen=True)
class Identity:
    """The owner of an access key.

    Args:
        arn: as AWS's messages name it.
        user_id: AWS's id of it.
        secret: the key's secret.
        token: the session token that has to come along; empty where none does.
        expired: whether the session is over.
        grants: what it may do, as identity policies; None for the account itself, which may do everything.
        limits: a session's own policies, beside which nothing is allowed; None where there are none.
    """

    arn: str
    user_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    expired: bool = False
    grants: Sequence[dict[str, Any]] | None = None
    limits: Sequence[dict[str, Any]] | None = None

    def decide(self, action: str, resource: str) -> str:
        """Return IAM's decision: `allowed`, `explicitDeny` or `implicitDeny`."""
        decisions = [policies.decide(p, action, resource) for p in (self.grants, self.limits) if p is not None]
        return next((decision for decision in decisions if decision != "allowed"), "allowed")


class Identities:
    """Finds the owners of access keys: the twin's own user, functions in their roles, IAM users, sessions of roles.

    Args:
        control: the control plane.
        key: the twin's key.
    """

    def __init__(self, control: ControlPlane, key: str) -> None:
        self._control = control
        self._key = key

    def of(self, access_key: str) -> Identity | None:
        """Return who owns an access key; None where it is nobody's, or no longer in use."""
        if opens(access_key, self._key):
            return self._own(access_key)
        with self._control.lock:
            return self._user(access_key) or self._session(access_key)

    def _own(self, access_key: str) -> Identity:
        name = role_of(access_key)
        if not name:
            return Identity(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, SECRET)
        role = AssumedRole.named(self._control, name, "function")
        return Identity(f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/function", name, SECRET, grants=role.policies())

    def _user(self, access_key: str) -> Identity | None:
        iam = self._control.backend("iam")
        key = next((known for known in iam.access_keys.values() if same(known.access_key_id, access_key)), None)
        if key is None or key.status != "Active" or key.user_name not in iam.users:
            return None
        user = iam.users[key.user_name]
        holders = [user, *iam.get_groups_for_user(user.name)]
        granted = [document for holder in holders for document in _attached(holder)]
        return Identity(user.arn, user.id, key.secret_access_key, grants=granted)

    def _session(self, access_key: str) -> Identity | None:
        sessions = self._control.backend("sts").assumed_roles
        found = next((session for session in sessions if same(session.access_key_id, access_key)), None)
        if found is None:
            return None
        return Identity(
            found.arn,
            found.user_id,
            found.secret_access_key,
            found.session_token,
            expired=found.expiration.replace(tzinfo=None) < utcnow().replace(tzinfo=None),
            grants=AssumedRole(self._control, found.role_arn).policies(),
            limits=[policies.document(found.policy)] if found.policy else None,
        )


def _attached(holder: Any) -> list[dict[str, Any]]:
    """The inline policies of a user or group, and those that are attached to it."""
    inline = [json.loads(text) if isinstance(text, str) else text for text in holder.policies.values()]
    return inline + [policies.document(policy.document) for policy in holder.managed_policies.values()]
