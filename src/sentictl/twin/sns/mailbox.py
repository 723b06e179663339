"""The mails that the twin sends: files in its folder, which stay there. Imports nothing heavy."""

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path

from sentictl.assets.atomic import write_atomically

SENDER = "no-reply@sns.amazonaws.com"
DIGITS = 6  # of a mail's number, which is its file's name


@dataclass(frozen=True)
class Mail:
    """A mail that was sent.

    Args:
        to: the address.
        date: when, as mails have it.
        subject: its subject.
        text: what it says.
    """

    to: str
    date: str
    subject: str
    text: str


@dataclass(frozen=True)
class Mailbox:
    """All mails that a twin has sent, oldest first, whoever they are for."""

    folder: Path

    def send(self, to: str, subject: str, text: str, sender: str = "") -> None:
        """Keep one more mail.

        Args:
            to: the address.
            subject: one line.
            text: what it says.
            sender: the name that it is from.
        """
        mail = EmailMessage(policy.SMTP.clone(max_line_length=10_000))
        mail["From"] = f"{sender or 'AWS Notifications'} <{SENDER}>"
        mail["To"] = to
        mail["Date"] = formatdate(localtime=False)
        mail["Subject"] = subject
        mail.set_content(text, cte="8bit")
        self.folder.mkdir(parents=True, exist_ok=True)
        number = int(self._files()[-1].stem) + 1 if self._files() else 1
        write_atomically(self.folder / f"{number:0{DIGITS}}.eml", bytes(mail))

    def mails(self) -> Iterator[Mail]:
        """Yield all mails, oldest first."""
        for path in self._files():
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            text = mail.get_content() if isinstance(mail, EmailMessage) else ""
            yield Mail(str(mail["To"]), str(mail["Date"]), str(mail["Subject"]), text.replace("\r\n", "\n").rstrip())

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.eml"))
