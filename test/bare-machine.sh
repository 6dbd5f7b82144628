#!/usr/bin/env bash
# The two commands on a bare machine: a Debian with git, this machine's Node, and nothing else.
#
#     test/bare-machine.sh [FOLDER]              # npm ci, npm start, the tests of the page
#     test/bare-machine.sh FOLDER 'npm test'     # npm ci, then any command
#
# It clones what is committed. It wants root, debootstrap, and a network for npm and Debian.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
root=${1:-/tmp/killme-bare}
command=${2:-bash test/bare-start.sh}

if [ ! -d "$root/usr" ]; then
  debootstrap --variant=minbase --include=git,ca-certificates bookworm "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
fi
cp --remove-destination "$(readlink -f "$(command -v node)")" "$root/usr/bin/node"
mkdir -p "$root/usr/lib/node_modules"
cp -a "$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")" "$root/usr/lib/node_modules/"
ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/bin/npx"
# How this machine reaches its network.
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
[ ! -f "$HOME/.npmrc" ] || cp "$HOME/.npmrc" "$root/root/"

rm -rf "$root/killme"
git clone -q --no-hardlinks "$repository" "$root/killme"

# Namespaces of its own: when the shell in it ends, so do the processes and the mounts.
env -i ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt} \
  PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
  unshare --mount --pid --fork --kill-child bash -euc '
    mount -t proc proc "$1/proc"
    mkdir -p "$1/dev/shm" && mount -t tmpfs tmpfs "$1/dev/shm"
    exec chroot "$1" bash -euc "cd /killme && npm ci && $2"
  ' bash "$root" "$command"
