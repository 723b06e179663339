#!/usr/bin/env bash
# The SDK's image table gives four families of Graviton machines an image for x86 processors.
#
# Packages: sagemaker-core==2.27.0 boto3==1.44.5.
# Expected: all Graviton families that SageMaker hosts on get the repository pytorch-inference-arm64, as c6g and c7g do.
# Seen: the text under `seen` below. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sagemaker-core==2.27.0 boto3==1.44.5

cat >"$folder/try.py" <<'PYTHON'
from botocore.session import get_session
from sagemaker.core import image_uris

listed = get_session().get_service_model("sagemaker").shape_for("ProductionVariantInstanceType").enum
for family in ("c6g", "c6gd", "c6gn", "m6g", "m6gd", "r6g", "r6gd", "c7g", "r7gd", "c8g", "m8g", "r8g"):
    name = next(instance for instance in listed if instance.split(".")[1] == family)
    address = image_uris.retrieve(
        "pytorch", "eu-west-1", version="2.6.0", py_version="py312", instance_type=name, image_scope="inference"
    )
    print(family, address.partition("/")[2].partition(":")[0])
PYTHON

cat >"$folder/seen" <<'SEEN'
c6g pytorch-inference-arm64
c6gd pytorch-inference-arm64
c6gn pytorch-inference-arm64
m6g pytorch-inference-arm64
m6gd pytorch-inference-arm64
r6g pytorch-inference-arm64
r6gd pytorch-inference-arm64
c7g pytorch-inference-arm64
r7gd pytorch-inference
c8g pytorch-inference
m8g pytorch-inference
r8g pytorch-inference
SEEN

"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
