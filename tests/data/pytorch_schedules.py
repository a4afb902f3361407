# SPDX-License-Identifier: Apache-2.0
"""Dumps PyTorch's own pipeline schedules as CSV, and loads and dumps again those found in the folder.

usage: pytorch_schedules.py FOLDER    exit code 77: this PyTorch has no such schedules
"""
import pathlib
import sys

SKIPPED = 77
RANKS, MICRO_BATCHES = 4, 12

try:
    from torch.distributed.pipelining import schedules
    from torch.distributed.pipelining.stage import _PipelineStageBase

    kinds = {
        "interleaved-1f1b": schedules.ScheduleInterleaved1F1B,
        "zb-v": schedules.ScheduleZBVZeroBubble,
        "dualpipev": schedules.ScheduleDualPipeV,
    }
    runtime = schedules._PipelineScheduleRuntime
except (ImportError, AttributeError) as error:
    print(error)
    sys.exit(SKIPPED)


class Stage(_PipelineStageBase):
    """As much of a stage as ordering needs."""

    def __init__(self):
        self.submod = None
        self.num_stages = 2 * RANKS
        self.group_size = RANKS
        self.group_rank = 0
        self.group = None


Stage.__abstractmethods__ = frozenset()  # later versions declare methods that only running needs


def stages():
    return [Stage(), Stage()]


folder = pathlib.Path(sys.argv[1])
for name, kind in kinds.items():
    schedule = kind(stages(), MICRO_BATCHES)
    schedule._dump_csv(folder / f"{name}.compute.csv", format="compute_only")
    schedule._dump_csv(folder / f"{name}.comms.csv", format="compute_comms")
for ours in folder.glob("*.ours.csv"):
    schedule = runtime(stages(), MICRO_BATCHES)
    schedule._load_csv(ours)
    schedule._dump_csv(str(ours).replace(".ours.csv", ".returned.csv"), format="compute_only")
