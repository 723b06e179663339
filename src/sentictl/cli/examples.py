"""The examples that the help of each command begins with. A test runs every line."""

Examples = list[tuple[str, str]]  # what to type, and what it does

REVIEW = "a wonderful film, superbly acted"  # the default model is sure of it: benchmarks/examples.py asks

ROOT: Examples = [
    ("sentictl up", "reviews, model, endpoint, API and web page, on this machine: no AWS account, no bill"),
    (f"sentictl predict '{REVIEW}'", "ask the model"),
    ("sentictl down --yes", "delete everything again"),
    ("sentictl up --env prod", "the same on AWS, in the environment that [env.prod] of sentictl.toml describes"),
]

COMMANDS: dict[str, Examples] = {
    "init": [
        ("sentictl init", "write a sentictl.toml to read and change"),
        ("sentictl init --name films --eject", "also copy the model code and the page's template here"),
    ],
    "up": [
        ("sentictl up", "everything, on this machine"),
        ("sentictl up --dry-run", "what would be done"),
        ("sentictl up --env prod", "everything, on AWS"),
    ],
    "doctor": [
        ("sentictl doctor", "check this machine and the project"),
        ("sentictl doctor --env prod", "also credentials, quotas and permissions on AWS"),
        ("sentictl doctor --policy --env prod --output policies", "the IAM policies that you need, and no more"),
        ("sentictl doctor --callers-policy --env prod > ask.json", 'what callers need where api.auth is "iam"'),
    ],
    "data": [
        ("sentictl data", "prepare the reviews that sentictl.toml names"),
        ("sentictl data --source reviews.csv", "use your own: a row a review, with the columns review and label"),
        ("sentictl data --source feedback.csv --review-column text", "where the column is called otherwise"),
        ("sentictl data --source stars.csv --positive 4,5 --negative 1,2 --ignore 3", "stars for labels"),
    ],
    "train": [
        ("sentictl train", "train with the settings in sentictl.toml"),
        ("sentictl train --arch ngram", "the linear part alone: seconds instead of minutes"),
        ("sentictl train --env prod --spot", "on AWS's spare machines, which cost less"),
        ("sentictl train --tune --dry-run", "what looking for better hyperparameters would cost"),
    ],
    "deploy": [
        ("sentictl deploy", "serve the model that was trained last"),
        ("sentictl deploy --model previous", "go back to the one before; forth again: --model latest"),
        ("sentictl deploy --shadow latest", "let the newest version be asked the same, and answer nobody"),
        ("sentictl deploy --env prod --ttl 8h", "on AWS, for a working day"),
    ],
    "wire-lambda": [
        ("sentictl wire-lambda", "make the function and its role"),
        ("sentictl wire-lambda --memory-mb 512", "give it more memory"),
    ],
    "wire-api": [
        ("sentictl wire-api", "make the public address"),
        ("sentictl wire-api --auth cognito", "let in only who signs in"),
        ("sentictl wire-api --auth key", "let in only who has a key"),
        ("sentictl wire-api --throttle-rate 5 --throttle-burst 10", "let fewer requests through"),
    ],
    "site": [
        ("sentictl site --serve", "look at the page while you change it"),
        ("sentictl site", "publish it"),
        ("sentictl site --title 'Did they like it?'", "publish it under another heading"),
        ("sentictl site --publish s3 --env prod", "on AWS, from a bucket that is a public website"),
    ],
    "alerts": [
        ("sentictl alerts --email ops@example.org", "mails when something is wrong, once they are confirmed there"),
        ("sentictl alerts --dry-run", "what would be made, and what it costs"),
    ],
    "metrics": [
        ("sentictl metrics", "of the last 24 hours"),
        ("sentictl metrics --since 3h --period 5m", "finer"),
        ("sentictl metrics --env prod --json", "for a script"),
    ],
    "plan": [
        ("sentictl plan", "what up would do, and what that costs"),
        ("sentictl plan --env prod --exit-code", "for a script: 3 if there is anything to do"),
    ],
    "costs": [
        ("sentictl costs --requests 10000/day", "with this project's settings; without one, with the defaults"),
        ("sentictl costs --requests 2M/month --reviews-per-request 20 --words 80", "many short ones at once"),
    ],
    "status": [
        ("sentictl status", "what stands, and where the page is"),
        ("sentictl status --env prod --json", "for a script"),
    ],
    "models": [
        ("sentictl models", "every version, how good it is, and which is live"),
        ("sentictl models compare-live", "how the shadow's answers differ from the live ones"),
    ],
    "runs": [
        ("sentictl runs", "every trial and every version"),
        ("sentictl runs --sort accuracy --plot runs.svg", "the best first, and all of them as a drawing"),
    ],
    "history": [
        ("sentictl history", "who changed this environment, when and from where, newest first"),
    ],
    "logs": [
        ("sentictl logs --since 15m", "API, function and endpoint, by time"),
        ("sentictl logs --follow --env prod", "as they are written on AWS"),
        ("sentictl logs --request ID", "one request on its way through all of them"),
        ("sentictl logs train", "what the latest training job wrote"),
    ],
    "predict": [
        (f"sentictl predict '{REVIEW}'", "one review, or several"),
        ("sentictl predict --explain 'what a waste of time'", "and which words made it so"),
        ("sentictl predict --file reviews.csv --output answers.jsonl", "a file of any size"),
        ("sentictl predict --via batch --file reviews.csv --output answers.csv", "on machines that start for it"),
    ],
    "evaluate": [
        ("sentictl evaluate", "on the test split"),
        ("sentictl evaluate --report evaluation.html", "and as a page with charts"),
        ("sentictl evaluate --data reviews.csv --mistakes 10", "on other labelled reviews"),
    ],
    "down": [
        ("sentictl down endpoint --yes", "stop what costs by the hour; sentictl deploy brings it back"),
        ("sentictl down --keep-data --yes", "keep the reviews and the trained models"),
        ("sentictl down --yes", "everything on this machine"),
        ("sentictl down --env prod --confirm films", "everything on AWS, in the project films"),
    ],
    "prune": [
        ("sentictl prune", "show what nothing serves, and what deleting it frees"),
        ("sentictl prune --keep 5 --yes", "delete it, but keep the five newest versions"),
    ],
    "config": [
        ("sentictl config show", "every setting in force"),
        ("sentictl config set train.epochs 5", "change one"),
    ],
    "config show": [
        ("sentictl config show", "every setting in force"),
        ("sentictl config show --env prod", "on AWS"),
    ],
    "config get": [
        ("sentictl config get train.epochs", "one setting"),
    ],
    "config set": [
        ("sentictl config set train.epochs 5", "in every environment"),
        ("sentictl config set deploy.instance_type ml.m5.xlarge --env prod", "in this one alone"),
    ],
    "local": [
        ("sentictl local status", "whether the twin runs, and where"),
        ("sentictl local stop", "stop it; the next command that needs it starts it again"),
    ],
    "local start": [
        ("sentictl local start", "start it, where it was before"),
    ],
    "local stop": [
        ("sentictl local stop", "stop it, and keep what it holds"),
    ],
    "local status": [
        ("sentictl local status", "whether it runs, and where"),
    ],
    "local run": [
        ("sentictl local run aws s3 ls", "AWS's own command line, asking the twin"),
        ("sentictl local run python count.py", "a script that uses boto3"),
    ],
    "local mail": [
        ("sentictl local mail", "all alerts, and what asks to be confirmed"),
    ],
    "local logs": [
        ("sentictl local logs", "everything that it wrote"),
    ],
    "keys": [
        ("sentictl keys create alice", "make a key, and print it this once"),
        ("sentictl keys list", "who has one, and what is left of its quota"),
        ("sentictl keys revoke alice", "take it back"),
    ],
    "keys create": [
        ("sentictl keys create alice", "make a key, and print it this once"),
        ("sentictl keys create ci --output ci.key", "write it to a new file that only you can read"),
    ],
    "keys list": [("sentictl keys list", "who has a key, and what is left of its quota")],
    "keys revoke": [("sentictl keys revoke alice", "refuse whoever has it from now on")],
    "users": [
        ("sentictl users add ada@example.com", "let somebody sign in, and print the first password"),
        ("sentictl users list", "who may sign in"),
        ("sentictl users remove ada@example.com", "let them no more"),
    ],
    "users add": [
        ("sentictl users add ada@example.com", "print the password for the first sign-in, this once"),
        ("sentictl users add bob@example.com --output bob.txt", "write it to a new file that only you can read"),
    ],
    "users list": [("sentictl users list", "who may sign in, and who has not yet")],
    "users remove": [("sentictl users remove ada@example.com", "let them sign in no more")],
    "notebook": [
        ("sentictl notebook create", "a Jupyter with sentictl and the walkthrough in it"),
        ("sentictl notebook open", "start it if it is stopped, and open it in a browser"),
        ("sentictl notebook delete --yes", "with all that is in its folder"),
    ],
    "notebook create": [
        ("sentictl notebook create", "on this machine"),
        ("sentictl notebook create --idle-minutes 30 --env prod", "on AWS, stopped after half an hour without a cell"),
    ],
    "notebook open": [
        ("sentictl notebook open", "in a browser"),
        ("sentictl notebook open --no-open", "print the address alone"),
    ],
    "notebook stop": [
        ("sentictl notebook stop", "keep what is in its folder"),
    ],
    "notebook delete": [
        ("sentictl notebook delete --yes", "with all that is in its folder"),
    ],
    "notebook policy": [
        ("sentictl notebook policy --env prod > notebook.json", "what IAM must allow beside doctor --policy"),
    ],
    "state": [
        ("sentictl state move s3", "keep it in the project's bucket, for all who change this environment"),
        ("sentictl state pull > state.json", "print it, with its history"),
        ("sentictl state unlock --yes", "take the lease from a process that is known to be dead"),
    ],
    "state pull": [
        ("sentictl state pull > state.json", "print it, with its history"),
    ],
    "state push": [
        ("sentictl state push state.json", "put it in the place of what is recorded"),
    ],
    "state unlock": [
        ("sentictl state unlock --yes", "take the lease from a process that is known to be dead"),
    ],
    "state move": [
        ("sentictl state move s3", "keep it in the project's bucket, for all who change this environment"),
    ],
    "export": [
        ("sentictl export --cloudformation", "show the template"),
        ("sentictl export --cloudformation --env prod --output stack.json", "write that of AWS to a file"),
        ("sentictl export --openapi --output openapi.json", "write the API, as other tools read it, to a file"),
    ],
    "import": [
        ("sentictl import --env prod", "record again what stands on AWS"),
    ],
    "completion": [
        ("echo 'eval \"$(sentictl completion bash)\"' >> ~/.bashrc", "for Bash, from the next shell on"),
        ("echo 'eval \"$(sentictl completion zsh)\"' >> ~/.zshrc", "for Zsh, after its compinit"),
        ("sentictl completion fish > ~/.config/fish/completions/sentictl.fish", "for fish"),
    ],
}


def examples_of(path: str) -> Examples:
    """The examples of a command, such as "train" or "local start"; of the program itself for an empty path."""
    return COMMANDS[path] if path else ROOT
