"""A service that submits work to a farm, follows it, and reads what came of it.

The stubs are made from our protos, into a directory of yours:

    pip install grpcio grpcio-tools grpcio-status
    python -m grpc_tools.protoc -I proto --python_out=stubs --grpc_python_out=stubs proto/platefarm/v1/*.proto
    PYTHONPATH=stubs PLATEFARM_FARM=127.0.0.1:7878 python examples/python/client.py

Behind TLS, PLATEFARM_CA names whom to trust, and PLATEFARM_TOKEN_FILE holds the token.
"""

import json
import os
import sys
import uuid

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from platefarm.v1 import farm_pb2, farm_pb2_grpc, types_pb2


def channel():
    """A connection to the farm, as the environment says."""
    target = os.environ.get("PLATEFARM_FARM", "127.0.0.1:7878")
    target = target.removeprefix("https://").removeprefix("http://")
    authority = os.environ.get("PLATEFARM_CA")
    if not authority:
        return grpc.insecure_channel(target)
    with open(authority, "rb") as file:
        transport = grpc.ssl_channel_credentials(file.read())
    with open(os.environ["PLATEFARM_TOKEN_FILE"]) as file:
        token = grpc.access_token_call_credentials(file.read().strip())
    return grpc.secure_channel(target, grpc.composite_channel_credentials(transport, token))


def code_of(error):
    """The stable code of a refusal, as docs/errors.md lists it."""
    for detail in rpc_status.from_call(error).details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.domain == "platefarm":
            return info.reason
    return None


def main(show):
    farm = farm_pb2_grpc.FarmStub(channel())
    step = types_pb2.StepSpec(
        name="nothing",
        kind="noop",
        frames=types_pb2.FrameRange(first=1001, last=1048),
        spec_json=json.dumps({"millis_per_frame": 1}),
    )
    # The same key is accepted once: a submission that was not answered may be sent again.
    job = types_pb2.JobSpec(name="from python", show=show, idempotency_key=str(uuid.uuid4()), steps=[step])
    answer = farm.SubmitJob(farm_pb2.SubmitJobRequest(job=job), timeout=10)
    again = farm.SubmitJob(farm_pb2.SubmitJobRequest(job=job), timeout=10)
    assert again.job == answer.job and again.existed, "one key, one job"

    for state in farm.WatchJob(farm_pb2.WatchJobRequest(job=answer.job), timeout=120):
        view = state.job
        print(f"j{view.id} {view.frames_done}/{view.frames_total}", flush=True)

    frames = farm.ListFrames(farm_pb2.ListFramesRequest(job=answer.job), timeout=10)
    print("done", len(frames.steps[0].frames))

    try:
        farm.GetJob(farm_pb2.GetJobRequest(job=999999), timeout=10)
    except grpc.RpcError as error:
        print("refused", error.code().name, code_of(error))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "show")
