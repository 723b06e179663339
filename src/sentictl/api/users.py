"""The Python API's part for the users who may sign in."""

from sentictl.api.session import Session
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.services.web.users import AddedUser, User, add_user, list_users, remove_user


class ProjectUsers:
    """The users of the pool that was made for a project in one environment.

    Each method does what the command of its name does.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, email: str) -> AddedUser:
        """Make a user. The password for the first sign-in is told this once.

        Args:
            email: the address that the user signs in with.

        Raises:
            UsageError: it is no address, there is such a user, or the pool is not sentictl's.
            MissingStepError: there is no pool yet, or no page to sign in from.
        """
        context = self._session.read(announced=True)
        added = add_user(context, email)
        if context.settings.api.auth != "cognito":
            where = env_option(context.environment.name, default=LOCAL)
            self._session.observer.remark(
                f"  Nobody is asked to sign in: sentictl config set api.auth cognito{where} && sentictl up{where}"
            )
        return added

    def list(self) -> list[User]:
        """Return the users, by their addresses."""
        return list_users(self._session.read())

    def remove(self, email: str) -> None:
        """Delete a user, who can sign in no more.

        Raises:
            UsageError: there is no such user.
        """
        remove_user(self._session.read(announced=True), email)
