"""The project's bucket as the place of its state: there, and keeping older versions, before anything is recorded."""

from botocore.exceptions import ClientError

from sentictl.aws.lookup import says_taken
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.errors import ForeignError
from sentictl.lifecycle.reconcile import differences, is_ours
from sentictl.lifecycle.resource import Context
from sentictl.services.resources.storage import Bucket, bucket_exists


def state_bucket_is_there(context: Context) -> bool:
    """Tell whether the project's bucket is there, as nobody's or as the project's own.

    Raises:
        AccessError: it is, but not for these credentials to see.
        ForeignError: it is another project's.
    """
    bucket = Bucket(context)
    if not bucket_exists(context, bucket.name):
        return False
    if not is_ours(bucket, bucket.name):
        where = env_option(context.environment.name, default=LOCAL)
        raise ForeignError(
            f"There is a bucket called {bucket.name} already, and it is not this project's: its state cannot be kept "
            "there.",
            f"Give this project another name: sentictl config set project.name {context.another_name}{where}. Or keep "
            f"it elsewhere: sentictl config set project.state s3://BUCKET/PREFIX{where}",
        )
    return True


def make_state_bucket(context: Context) -> None:
    """Make the project's bucket, if it is not there, and have it keep older versions.

    It is recorded by the first walk over the chain: until then its name and its tags tell whose it is.
    """
    bucket = Bucket(context)
    live = bucket.read(bucket.name)
    if live is None:
        try:
            bucket.create()
        except ClientError as refusal:
            if not says_taken(refusal):
                raise
            bucket.update()  # made by somebody else just now, or by a call whose answer was lost
    elif differences(bucket, live):
        bucket.update()
