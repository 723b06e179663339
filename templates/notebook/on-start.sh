# What a notebook instance does as root each time it starts. The lines above this one, which sentictl writes, say:
#   NOTEBOOK      the instance's name              WHEEL         where sentictl's wheel lies on S3
#   ENVIRONMENT   the environment's name           PROJECT       where the project to begin with lies there
#   REGION        the instance's                   IDLE_MINUTES  after which the instance stops itself
# SageMaker gives this five minutes. Installing may take longer, so it all goes on in the background. Nothing but
# SageMaker/ outlives a stop: what lies elsewhere is made again at each start.
set -eu

OWNER=${OWNER:-ec2-user}
OWNER_HOME=${OWNER_HOME:-/home/ec2-user}
LOGS=${LOGS:-/var/log}

install_sentictl() {
    set -eu
    cd "$OWNER_HOME/SageMaker"
    mkdir -p .sentictl-notebook
    local python=.sentictl-notebook/venv/bin/python file=./.sentictl-notebook/${WHEEL##*/}
    if ! { "$python" -c "import sentictl" && grep -qxF "$WHEEL" .sentictl-notebook/installed; }; then
        rm -rf .sentictl-notebook/venv
        "$(find_python)" -m venv .sentictl-notebook/venv
        aws s3 cp --only-show-errors "$WHEEL" "$file"
        "$python" -m pip install --no-cache-dir "${file}[notebook]"
        echo "$WHEEL" > .sentictl-notebook/installed
    fi
    "$python" -m ipykernel install --user --name sentictl --display-name "sentictl ($ENVIRONMENT)" \
        --env SENTICTL_ENV "$ENVIRONMENT"
    [ -e sentictl.toml ] || fetch_project
    [ -e walkthrough.ipynb ] || "$python" -c "$WALKTHROUGH"
    echo "sentictl is installed."
}

fetch_project() {
    local file=.sentictl-notebook/project.tar.gz
    aws s3 cp --only-show-errors "$PROJECT" "$file"
    tar -xzf "$file" --exclude=sentictl.toml
    tar -xzf "$file" sentictl.toml  # last: where it is, all is there
}

# shellcheck disable=SC2089  # it is Python, whose quotes are meant literally
WALKTHROUGH='
import json, pathlib
from sentictl.assets.installed import walkthrough
notebook = json.loads(walkthrough().read_bytes())
notebook["metadata"]["kernelspec"] = {"display_name": "sentictl", "language": "python", "name": "sentictl"}
pathlib.Path("walkthrough.ipynb").write_text(json.dumps(notebook, indent=1))
'

find_python() {
    local python
    for python in python3.13 python3.12 python3.11 "$OWNER_HOME"/anaconda3/bin/python "$OWNER_HOME"/anaconda3/envs/*/bin/python; do
        if "$python" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2> /dev/null; then
            command -v "$python"
            return
        fi
    done
    "$OWNER_HOME/anaconda3/bin/conda" create -y -q -p .sentictl-notebook/python python=3.12 >&2
    echo "$PWD/.sentictl-notebook/python/bin/python"
}

stop_when_idle() {
    local used idle now
    used=$(date +%s)
    while sleep 60; do
        # Where Jupyter does not answer, what it last said stays: an instance that cannot tell stops as well.
        now=$({ jupyter_says kernels && jupyter_says terminals; } | python3 -c "$LAST_USED" "$used") && used=$now
        idle=$((($(date +%s) - used) / 60))
        if [ "$idle" -ge "$IDLE_MINUTES" ]; then
            echo "Not used for $idle minutes: stopping."
            aws sagemaker stop-notebook-instance --notebook-instance-name "$NOTEBOOK" && return
        fi
    done
}

jupyter_says() {
    curl -fsk --max-time 20 "https://localhost:8443/api/$1" && echo
}

# A kernel that computes is busy; one that does not, and a terminal, say when they were last active.
# shellcheck disable=SC2089  # it is Python, whose quotes are meant literally
LAST_USED='
import datetime, json, sys, time
used = int(sys.argv[1])
for line in sys.stdin:
    for each in json.loads(line):
        if each.get("execution_state") == "busy":
            used = int(time.time())
        elif "last_activity" in each:
            last = datetime.datetime.strptime(each["last_activity"][:19], "%Y-%m-%dT%H:%M:%S")
            used = max(used, int(last.replace(tzinfo=datetime.timezone.utc).timestamp()))
print(used)
'

# Runs one of these functions as the owner of the notebooks, apart from this script, which ends at once.
in_background() {
    local program
    # shellcheck disable=SC2090  # declare -p quotes what it prints, for bash -c to read
    program="
        $(declare -p NOTEBOOK ENVIRONMENT REGION WHEEL PROJECT IDLE_MINUTES OWNER_HOME WALKTHROUGH LAST_USED)
        $(declare -f install_sentictl find_python fetch_project stop_when_idle jupyter_says)
        export AWS_DEFAULT_REGION=\$REGION PATH=\$PATH:/usr/local/bin:\$OWNER_HOME/anaconda3/bin
        $1"
    nohup setsid sudo -H -u "$OWNER" bash -c "$program" > "$LOGS/sentictl-$1.log" 2>&1 < /dev/null &
}

in_background install_sentictl
in_background stop_when_idle
