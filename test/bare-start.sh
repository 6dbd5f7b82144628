#!/usr/bin/env bash
# Starts the server as a newcomer does, asks for one picture, then runs the tests of the page.
set -euo pipefail
port=${1:-8797}
set -m # a process group of its own for the server, which Ctrl-C would reach
npm start -- --port "$port" >start.log 2>&1 &
server=$!
until grep -q 'Ready on' start.log; do
  kill -0 "$server" 2>/dev/null || { cat start.log; exit 1; }
  sleep 0.2
done
node -e '
  const response = await fetch(process.argv[1]);
  const bytes = new Uint8Array(await response.arrayBuffer());
  console.log(process.argv[1], response.status, response.headers.get("content-type"), bytes.length);
  process.exitCode = response.ok ? 0 : 1;
' --input-type=module "http://localhost:$port/img?seed=alice"
kill -INT -- "-$server"
wait "$server" || true
npm run --silent test -w @killme/test -- browser
