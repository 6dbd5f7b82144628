#!/usr/bin/env bash
# Run on the machine with the GPU, from the folder that `npm run gpu:pack` wrote. Results go to a folder with the GPU's
# name in $OUT (default ./gpu-results), all within LIMIT seconds (default 460): check-engine, check-replay, bench:step,
# PyTorch's steps, then 12,000 iterations of lite with samples, then as many of article as fit.
#   SOFTWARE=1   tries the script where there is only a software adapter: small batches, few iterations, up to an hour
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath -m "${OUT:-gpu-results}")
software=${SOFTWARE:-}
limit=${LIMIT:-460}
[ -n "$software" ] && limit=${LIMIT:-3600}
work=$(mktemp -d)
export HOME="$work/home" XDG_RUNTIME_DIR="$work" DENO_NO_UPDATE_CHECK=1
began=$(date +%s)
elapsed() { echo $(($(date +%s) - began)); }
left() { echo $((limit - $(elapsed))); }
say() { echo "[$(elapsed) s] $*" | tee -a "$out/log.txt"; }
unpack() { xz -dc "$1" 2> /dev/null || python3 -c "import lzma,sys,shutil; shutil.copyfileobj(lzma.open('$1'), sys.stdout.buffer)"; }

unpack "$here/deno.xz" > "$work/deno" && chmod +x "$work/deno"
unpack "$here/payload.tar.xz" | tar xf - -C "$work"
if ! PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -q 'libvulkan\.so\.1'; then
  for deb in "$here"/debs/*.deb; do dpkg -x "$deb" "$work/loader"; done
  export LD_LIBRARY_PATH="$work/loader/usr/lib/x86_64-linux-gnu:${LD_LIBRARY_PATH:-}"
fi
icd=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
[ -f $icd ] && export VK_DRIVER_FILES=$icd
cd "$work/killme"

deno="$work/deno run --allow-all --unstable-webgpu --no-lock --node-modules-dir=manual"
killme="$deno apps/trainer/src/cli.ts"
card=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2> /dev/null)
adapter=$(timeout 30 $deno apps/trainer/src/engines/webgpu/probe.ts 2>&1 | tail -n 1)
device=$(sed -n 's/.*"device":"\([^"]*\)".*/\1/p' <<< "$adapter" | tr -cs '[:alnum:].\n' -)
[ -n "$device" ] || { echo "error: WebGPU finds no adapter: $adapter" >&2; exit 1; }
out=$out/${device%-}
mkdir -p "$out"
say "card: ${card:-none by nvidia-smi}; adapter: $adapter"

# Runs a part for at most so many seconds: NAME SECONDS COMMAND…
part() {
  local name=$1 seconds=$2 status
  shift 2
  [ "$(left)" -lt "$seconds" ] && seconds=$(left)
  [ "$seconds" -lt 5 ] && { say "$name: no time left"; return; }
  # SIGINT: training then writes a checkpoint and ends.
  timeout --signal=INT --kill-after=20 "$seconds" "$@" > "$out/$name.txt" 2>&1
  status=$?
  say "$name: ended with $status; $(tail -n 1 "$out/$name.txt" | cut -c1-200)"
}

small=; [ -n "$software" ] && small='--batch 2'
train() { # PRESET ITERATIONS SECONDS SAMPLE_EVERY [OPTION…]
  part "train-$1" "$3" $killme train --backend webgpu --preset "$1" --iterations "$2" --seed 1 --name "$1" \
    --measure-every 0 --sample-every "$4" --save-every "$4" $small "${@:5}"
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "seconds") at = i }
    NR > 100 { sum += $at; n++ } END { if (n) printf "%d iterations after the first 98, %.4f s each (mean)\n", n, sum / n }' \
    "runs/$1/metrics.csv" | tee -a "$out/log.txt"
  tar czf "$out/$1.tgz" --ignore-failed-read "runs/$1"/{options.json,metrics.csv,log.txt,samples,generator} 2> /dev/null
}

if [ -n "$software" ]; then
  part check 600 $killme check-engine --backend webgpu --trace test/reference/traces/narrow
  part check-replay 300 $killme check-replay --narrow --iterations 6
  part bench-step 300 $deno apps/trainer/src/bench/step/bench-step.ts --backend webgpu --iterations 2 --batch 2
  part bench-torch 30 python3 test/reference/bench_torch.py --seconds 0.1 --batch 2
  train lite 5 1500 2 --image-size 64 --warm-up 2 --mapping-steps 2
  train article 2 1200 2
else
  part check 100 $killme check-engine --backend webgpu
  part check-replay 40 $killme check-replay --batch 16
  part bench-step 60 $deno apps/trainer/src/bench/step/bench-step.ts --backend webgpu --wide --iterations 30
  part bench-torch 60 python3 test/reference/bench_torch.py --seconds 1.5
  train lite 12000 $(($(left) * 2 / 3)) 2000
  train article 200000 $(($(left) - 15)) 1000
fi
say "results: $out"
