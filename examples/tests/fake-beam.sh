#!/bin/sh
# A stand-in for `beam` in the tests of examples/src/machine: the same commands, files and process
# groups, no cryptography. It is a file of the checkout because a program that a test has just
# written cannot be executed reliably while other tests fork ("text file busy").
command=$1
for argument; do
    case "$previous" in
    --home) home=$argument ;;
    --node-home) node_home=$argument ;;
    esac
    previous=$argument
done

case "$command" in
init)
    mkdir -p "$home"
    echo "$node_home" >"$home/node-home"
    echo "$@" >"$home/init"
    : >"$home/node.toml"
    ;;
watermark) echo "$@" >"$home/watermark" ;;
status) echo '{"role":"leader"}' ;;
switchover)
    echo "no other machine" >&2
    exit 3
    ;;
start)
    # Adopts a node that still runs; else starts one in its own group, as the real pilot does.
    read -r node _ <"$home/node.pid" 2>/dev/null
    if [ -z "$node" ] || ! kill -0 "$node" 2>/dev/null; then
        sh -c 'while :; do sleep 0.02; done' node "$(cat "$home/node-home")" &
        node=$!
        echo "$node 1" >"$home/node.pid"
    fi
    trap 'kill "$node"; exit 0' TERM
    while :; do sleep 0.02; done
    ;;
esac
