#!/bin/bash
# Submits a sweep: an array of its tasks, and a job that merges the results when all have ended.
#
#     deploy/slurm/submit.sh [OPTIONS OF SBATCH] -- [OPTIONS OF npm run ablate]
#     deploy/slurm/submit.sh --time=4:00:00 -- --data icons faces --seeds 1 2 3            (CPU)
#     deploy/slurm/submit.sh --gpus=1 --time=4:00:00 -- --backend webgpu --data icons      (GPU)
set -euo pipefail
KILLME=$(cd "$(dirname "$0")/../.." && pwd)
export KILLME

sbatch=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do sbatch+=("$1"); shift; done
[ $# -gt 0 ] && shift

ablate() { "$KILLME/node_modules/.bin/node" "$KILLME/apps/trainer/src/cli.ts" ablate "$@"; }
plan=$(ablate "$@" --plan)
count() { grep -c "\"kind\": \"$1\"" <<<"$plan" || true; }
warm_ups=$(count warm-up)
tasks=$((warm_ups + $(count variants)))

# With --split the warm-ups have the lowest numbers, and all others wait for them.
after=()
if [ "$warm_ups" -gt 0 ]; then
  first=$(sbatch --parsable "${sbatch[@]}" --array="0-$((warm_ups - 1))" "$KILLME/deploy/slurm/ablate.sbatch" "$@")
  after=(--dependency="afterany:$first")
fi
array=$(sbatch --parsable "${sbatch[@]}" "${after[@]}" --array="$warm_ups-$((tasks - 1))" \
  "$KILLME/deploy/slurm/ablate.sbatch" "$@")
# Not afterok: a task that failed once and was requeued would hold the merge for ever. The merge says itself
# what is missing, and so does a task whose warm-up is.
merge=$(sbatch --parsable --dependency="afterany:$array" "$KILLME/deploy/slurm/merge.sbatch" "$@")
echo "tasks: job $array (${warm_ups} to $((tasks - 1))); merge: job $merge"
