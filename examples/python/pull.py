"""A service that has plates pulled: it adds clips to the library, finds them, looks at the plan,
hands it in and waits for the package.

Stubs and environment are those of client.py:

    platefarm inspect --json /cards > clips.json
    PYTHONPATH=stubs python examples/python/pull.py atlas clips.json cut.edl show.fdl /plates/cut
"""

import os
import sys

import grpc
from client import channel, code_of
from platefarm.v1 import farm_pb2, farm_pb2_grpc, library_pb2, library_pb2_grpc, pulls_pb2, pulls_pb2_grpc


def document(path):
    """A file as it is sent: its name, and its bytes as they are."""
    with open(path, "rb") as file:
        return pulls_pb2.NamedText(name=os.path.basename(path), text=file.read())


def main(show, clips, edl, fdl, out_dir):
    line = channel()
    library = library_pb2_grpc.LibraryStub(line)
    with open(clips, "rb") as file:
        added = library.AddClips(library_pb2.AddClipsRequest(show=show, clips_json=file.read()), timeout=30)
    print("added", added.new, "new,", added.unchanged, "unchanged")
    found = library.Search(library_pb2.SearchRequest(show=show, words=["reel:A001"], most=10), timeout=10)
    for clip in found.clips:
        print("found", clip.clip_name, clip.reel_name, clip.start, clip.frames)

    order = pulls_pb2.PullOrder(
        show=show,
        edit_list=document(edl),
        fdl=document(fdl),
        template="VFX_PULL",
        out_dir=out_dir,
        handles=2,
    )
    pulls = pulls_pb2_grpc.PullsStub(line)
    plan = pulls.Plan(pulls_pb2.PlanRequest(pull=order), timeout=60)
    for plate in plan.plates:
        print("plate", plate.name, plate.frames.first, plate.frames.last, plate.clip_name, plate.tier)
    for one in plan.rejected:
        print("rejected", one.event.number, one.fault.code, one.fault.message)

    # The key is yours: a submission that was not answered is sent again with it.
    request = pulls_pb2.SubmitRequest(pull=order, idempotency_key=f"pull.py {out_dir}")
    job = pulls.Submit(request, timeout=60).job
    again = pulls.Submit(request, timeout=60)
    assert again.job == job and again.existed, "one key, one job"
    farm = farm_pb2_grpc.FarmStub(line)
    for state in farm.WatchJob(farm_pb2.WatchJobRequest(job=job), timeout=300):
        view = state.job
        print(f"j{view.id} {view.frames_done}/{view.frames_total}", flush=True)
    print("settled with", view.frames_done, "done and", view.frames_failed, "failed")

    try:
        pulls.Plan(pulls_pb2.PlanRequest(pull=pulls_pb2.PullOrder(show=show)), timeout=10)
    except grpc.RpcError as error:
        print("refused", error.code().name, code_of(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
