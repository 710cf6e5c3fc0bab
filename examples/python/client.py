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
from platefarm.v1 import events_pb2, events_pb2_grpc, farm_pb2, farm_pb2_grpc, types_pb2


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


def here(events):
    """The cursor from which on nothing has happened yet."""
    call = events.WatchEvents(events_pb2.WatchEventsRequest(), timeout=10)
    cursor = next(call).cursor
    call.cancel()
    return cursor


def follow(events, cursor, job):
    """The events of a job until it ends. The cursor is all that has to be kept: whoever goes on
    from it, on any connection, misses nothing and gets nothing twice."""
    wanted = events_pb2.EventFilter(jobs=[job])
    while True:
        call = events.WatchEvents(events_pb2.WatchEventsRequest(after=cursor, filter=wanted), timeout=120)
        try:
            for answer in call:
                for event in answer.events:
                    yield event
                    if event.kind in ("job.done", "job.failed", "job.cancelled"):
                        return
                cursor = answer.cursor
                if answer.events:
                    break  # a line that is cut; a real one would not ask
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
        finally:
            call.cancel()


def main(show):
    farm = farm_pb2_grpc.FarmStub(channel())
    step = types_pb2.StepSpec(
        name="nothing",
        kind="noop",
        frames=types_pb2.FrameRange(first=1001, last=1048),
        spec_json=json.dumps({"millis_per_frame": 1}),
    )
    events = events_pb2_grpc.EventsStub(channel())
    cursor = here(events)
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

    told, done = [], []
    for event in follow(events, cursor, answer.job):
        assert not told or event.cursor > told[-1].cursor, "nothing comes twice"
        told.append(event)
        if event.kind == "frames.done":
            done += [frame for run in event.frames for frame in range(run.first, run.last + 1)]
    print("told", told[0].kind, "to", told[-1].kind, "with", len(done), "frames,", len(set(done)), "of them different")

    try:
        events.WatchEvents(events_pb2.WatchEventsRequest(after=2**63), timeout=10).next()
    except grpc.RpcError as error:
        print("refused", error.code().name, code_of(error))

    try:
        farm.GetJob(farm_pb2.GetJobRequest(job=999999), timeout=10)
    except grpc.RpcError as error:
        print("refused", error.code().name, code_of(error))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "show")
