#!/usr/bin/env bash
# Run on the machine with the GPU, from the folder that `npm run gpu:pack` wrote. Results go to a folder with the GPU's
# name in $OUT (default ./gpu-results), all within LIMIT seconds (default 460). What says most comes first: is the
# engine right, how fast is a step, how fast is PyTorch's; then 12,000 iterations of lite with samples, as many of
# article as fit, and longer checks. log.txt has a line for each part, report.txt what they print.
#   SOFTWARE=1   tries the script where there is only a software adapter: small batches, few iterations, up to an hour
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath -m "${OUT:-gpu-results}")
software=${SOFTWARE:-}
limit=${LIMIT:-460}
[ -n "$software" ] && limit=${LIMIT:-3600}
work=$(mktemp -d)
export HOME="$work/home" XDG_RUNTIME_DIR="$work" DENO_NO_UPDATE_CHECK=1 DENO_WEBGPU_BACKEND=vulkan PYTHONUNBUFFERED=1
PATH=$PATH:/sbin:/usr/sbin
began=$(date +%s)
elapsed() { echo $(($(date +%s) - began)); }
left() { echo $((limit - $(elapsed))); }
say() { echo "[$(elapsed) s] $*" | tee -a "$out/log.txt"; }
unpack() { xz -dc "$1" 2> /dev/null || python3 -c "import lzma,sys,shutil; shutil.copyfileobj(lzma.open('$1'), sys.stdout.buffer)"; }

unpack "$here/deno.xz" > "$work/deno" && chmod +x "$work/deno"
unpack "$here/payload.tar.xz" | tar xf - -C "$work"
# The Vulkan loader and the libraries that NVIDIA's Vulkan driver is linked to, where the machine lacks them.
for deb in "$here"/debs/*.deb; do [ -f "$deb" ] && dpkg -x "$deb" "$work/packages"; done
libraries=$work/packages/usr/lib/x86_64-linux-gnu
known=$(ldconfig -p)
for library in "$libraries"/*.so*; do grep -qF "$(basename "$library") " <<< "$known" && rm -f "$library"; done
export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$libraries:/usr/local/nvidia/lib64:/usr/local/nvidia/lib"
icd=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
[ -f $icd ] && export VK_DRIVER_FILES=$icd
cd "$work/killme" || { echo "error: $here/payload.tar.xz could not be unpacked" >&2; exit 1; }

deno="$work/deno run --allow-all --unstable-webgpu --no-lock --node-modules-dir=manual"
killme="$deno apps/trainer/src/cli.ts"
bench_step="$deno apps/trainer/src/bench/step/bench-step.ts --backend webgpu"
find_adapter() {
  adapter=$(timeout 60 $deno apps/trainer/src/engines/webgpu/probe.ts 2>&1 | tail -n 1)
  device=$(sed -n 's/.*"device":"\([^"]*\)".*/\1/p' <<< "$adapter" | tr -cs '[:alnum:].\n' -)
}
card=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2> /dev/null)
find_adapter
if [ -z "$device" ] && [ "$(id -u)" = 0 ]; then
  # Some drivers look in the system's folders only.
  [ -d "$libraries" ] && cp -an "$libraries/." /usr/lib/x86_64-linux-gnu/ && ldconfig
  find_adapter
fi
out=$out/${device:-no-adapter}
out=${out%-}
mkdir -p "$out"
say "card: ${card:-none by nvidia-smi}; adapter: $adapter"

# Runs a part for at most so many seconds, its output at the end of a file: FILE NAME SECONDS COMMAND…
part() {
  local file=$out/$1 name=$2 seconds=$3 status
  shift 3
  [ "$(left)" -lt "$seconds" ] && seconds=$(left)
  [ "$seconds" -lt 5 ] && { say "$name: no time left"; return; }
  printf '\n== %s: %s\n' "$name" "$*" >> "$file"
  # SIGINT: training then writes a checkpoint and ends, a benchmark prints what it has.
  timeout --signal=INT --kill-after=20 "$seconds" "$@" >> "$file" 2>&1
  status=$?
  say "$name: ended with $status; $(tail -n 1 "$file" | cut -c1-200)"
}

small=; [ -n "$software" ] && small='--batch 2'
train() { # PRESET ITERATIONS SECONDS SAMPLE_EVERY [OPTION…]
  part "train-$1.txt" "train $1" "$3" $killme train --backend webgpu --preset "$1" --iterations "$2" --seed 1 --name "$1" \
    --measure-every 0 --sample-every "$4" --save-every "$4" $small "${@:5}"
  [ -f "runs/$1/metrics.csv" ] || return
  # In the warm-up there are no losses of D. The first iterations of a kind compile shaders.
  awk -F, -v preset="$1" 'NR == 1 { for (i = 1; i <= NF; i++) { if ($i == "seconds") at = i; if ($i == "realLoss") d = i } next }
    { kind = $d == "" ? "warm-up" : "with D"; if (++seen[kind] > 98) { sum[kind] += $at; n[kind]++ } }
    END { for (kind in n) printf "%s, %s: %d iterations after the first 98, %.5f s each (mean)\n", preset, kind, n[kind], sum[kind] / n[kind] }' \
    "runs/$1/metrics.csv" | tee -a "$out/log.txt"
  local files="options.json metrics.csv log.txt samples"
  [ "$1" = lite ] && files="$files generator" # that of article is 50 MB
  (cd runs && tar czf "$out/$1.tgz" --ignore-failed-read $(printf "$1/%s " $files)) 2> /dev/null
}

if [ -z "$device" ]; then
  for file in /usr/local/nvidia/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json /usr/share/vulkan/icd.d/*.json; do
    [ -f "$file" ] || continue
    library=$(sed -n 's/.*"library_path" *: *"\([^"]*\)".*/\1/p' "$file")
    part report.txt "what $library of $file lacks" 10 python3 -c "import ctypes, sys; ctypes.CDLL(sys.argv[1])" "$library"
  done
  part report.txt bench-torch 120 python3 test/reference/bench_torch.py --seconds 1.5
  echo "error: WebGPU finds no adapter: $adapter" >&2
  exit 1
elif [ -n "$software" ]; then
  part report.txt check 600 $killme check-engine --backend webgpu --trace test/reference/traces/narrow
  part report.txt bench-step 300 $bench_step --iterations 2 --batch 2
  part report.txt bench-torch 30 python3 test/reference/bench_torch.py --seconds 0.1 --batch 2
  part report.txt check-replay 300 $killme check-replay --narrow --iterations 6
  train lite 5 1500 2 --image-size 64 --warm-up 2 --mapping-steps 2
  train article 2 1200 2
else
  part report.txt check 40 $killme check-engine --backend webgpu --trace test/reference/traces/narrow
  part report.txt bench-step 85 $bench_step --wide --iterations 12
  part report.txt bench-torch 70 python3 test/reference/bench_torch.py --seconds 1.5
  part report.txt check-replay 45 $killme check-replay --batch 16
  train lite 12000 $(($(left) - 80)) 2000
  train article 200000 $(($(left) - 30)) 1000
  part report.txt 'check full' 60 $killme check-engine --backend webgpu --trace test/reference/traces/full test/reference/traces/narrow-no-dropout
fi
say "results: $out"
