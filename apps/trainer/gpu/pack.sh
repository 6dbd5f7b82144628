#!/usr/bin/env bash
# npm run gpu:pack: packs the trainer for a machine with a GPU that has neither Node nor a network.
# Run it after `npm ci` on Linux x64; it writes .gpu/ (under 50 MB). On the GPU machine: .gpu/run.sh.
set -euo pipefail
cd "$(dirname "$0")/../../.."
out=.gpu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out/debs" "$work/killme/node_modules/@killme" "$work/home"

# What the trainer needs while it runs under Deno: no other backends, no types, no sources.
skip='^node_modules/(deno|core-js|typescript|undici-types|google-protobuf|tar|npmlog|gauge|progress|adm-zip|nopt|rimraf|@deno|@types|@webgpu|@mapbox|@killme|@iconify-json|@tensorflow/tfjs-node-gpu)(/|$)'
{
  npm ls -w @killme/trainer -w @killme/data -w @killme/model --omit=dev --all --parseable |
    sed "s#^$PWD/##"
  printf '%s\n' node_modules/@img node_modules/node-fetch
} | grep '^node_modules/' | grep -vE "$skip" | sort -u > "$work/packages"
tar cf - --exclude='*.map' --exclude='*.d.ts' --exclude='*.min.js' --exclude='*fesm*' --exclude='*es2017*' \
 --exclude='node_modules/@tensorflow/*/src' \
  --exclude='node_modules/zod/src' --exclude='node_modules/zod/v3' --exclude='node_modules/@jsquash/jxl/codec/enc' \
  --exclude='node_modules/h5wasm/dist/iife' -T "$work/packages" | tar xf - -C "$work/killme"
find "$work/killme/node_modules/@tensorflow" -path '*/dist/*' -type f \
  ! -name '*.node.js' ! -name '*.wasm' ! -name package.json -delete
tar cf - --exclude=node_modules --exclude='*.test.ts' --exclude='*/fixtures' \
  package.json tsconfig.base.json apps/trainer packages test/reference/traces test/reference/bench_torch.py test/package.json |
  tar xf - -C "$work/killme"
# Deno strips no types in real folders under node_modules: workspaces stay symbolic links.
for name in command-line data model; do ln -s "../../packages/$name" "$work/killme/node_modules/@killme/$name"; done
ln -s ../../apps/trainer "$work/killme/node_modules/@killme/trainer"

# The stand-in icons, rendered here.
HOME="$work/home" npx --no-install node --input-type=module -e "
  import { loadDataset } from '@killme/data';
  await loadDataset({ imageSize: 128, strict: true, log: console.log });"

tar cf - -C "$work" killme home | xz -6 -T0 > "$out/payload.tar.xz"
[ -f "$out/deno.xz" ] && [ "$out/deno.xz" -nt node_modules/deno/deno ] || xz -6 -T0 -c node_modules/deno/deno > "$out/deno.xz"
# The Vulkan loader, and what NVIDIA's Vulkan driver is linked to (of X11 and GLVND, though it needs no display), where
# apt has them; run.sh takes of them what the GPU machine lacks.
packages='libvulkan1 libegl1 libglvnd0 libopengl0 libgl1 libglx0 libgles2 libx11-6 libxext6 libxcb1 libxau6 libxdmcp6 libbsd0 libmd0'
if command -v apt-get > /dev/null; then
  for package in $packages; do
    [ -n "$(find "$out/debs" -name "${package}_*")" ] ||
      (cd "$out/debs" && apt-get download -q "$package" > /dev/null) ||
      echo "no package $package: the GPU machine may need its own"
  done
fi
cp apps/trainer/gpu/run.sh "$out/"
megabytes=$(du -sm --apparent-size "$out" | cut -f1)
echo "$out: $megabytes MB"
[ "$megabytes" -lt 50 ] || { echo 'error: it must stay under 50 MB' >&2; exit 1; }
