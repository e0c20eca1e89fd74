#!/bin/sh
# Shows a loaded demo program at its work: sh images/demo/show.sh NAME PIN_DIRECTORY
#
# The program was loaded with --pin-path PIN_DIRECTORY (and with --attach, where its section names its target). Only
# bpftool and iproute2 touch it here, so that nobody has to believe verity-bpf. Needs root; fails when the program does
# not do what it should; leaves nothing behind but what the loader pinned.
set -eu

name=${1:?which program?}
pins=$(realpath "${2:?where is it pinned?}")
program="$pins/prog/$name"

# A network and mounts of its own: no interface, cgroup mount or packet of the machine is touched.
if [ "${VERITY_BPF_SHOW_NAMESPACE:-}" != yes ]; then
  VERITY_BPF_SHOW_NAMESPACE=yes exec unshare --net --mount --propagation private sh "$0" "$name" "$pins"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/verity-bpf-show-XXXXXX")
group=
finish() {
  status=$?
  # A cgroup can be removed only when its last process is gone.
  [ -z "$group" ] || rmdir "$group" 2>/dev/null || { sleep 0.2; rmdir "$group" 2>/dev/null; } || true
  umount "$work/cgroup" 2>/dev/null || true
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { printf '   %s\n' "$*"; }
wrong() { echo "show: $name: $*" >&2; exit 1; }

# number MAP FIELD KEY...: a field of the value under a key, or of a data section.
number() {
  map=$1 field=$2
  shift 2
  bpftool map lookup pinned "$pins/map/$map" key "$@" | sed -n "s/.*\"$field\": \([0-9]*\).*/\1/p" | head -n 1
}
send_udp() { bash -c "echo hello > /dev/udp/127.0.0.1/$1" 2>/dev/null; }
# frame PORT: an Ethernet frame with an IPv4 UDP packet to that port, its checksums left out.
frame() {
  printf '\002\002\002\002\002\002\002\002\002\002\002\002\010\000'
  printf '\105\000\000\050\000\001\000\000\100\021\000\000\177\000\000\001\177\000\000\001\234\100'
  printf "\\$(printf %03o $(($1 / 256)))\\$(printf %03o $(($1 % 256)))"
  printf '\000\024\000\000\000\000\000\000\000\000\000\000\000\000\000\000'
}
attached() { [ -e "$pins/link/$1" ] || wrong "not attached; load it with --attach"; }

ip link set lo up

case $name in
  xdp_counter)
    bpftool net attach xdpgeneric pinned "$program" dev lo
    for _ in 1 2 3; do send_udp 9; done
    packets=$(number counters packets 17 0 0 0)
    bytes=$(number counters bytes 17 0 0 0)
    [ "$packets" -eq 3 ] || wrong "counted $packets UDP packets of 3"
    say "attached to lo; 3 UDP packets were sent: counted $packets, $bytes bytes"
    bpftool map update pinned "$pins/map/data" key 0 0 0 0 value 0 0 0 0
    send_udp 9
    [ "$(number counters packets 17 0 0 0)" -eq 3 ] || wrong "did not pause"
    say "paused through .data; 1 more was sent: still $packets"
    if bpftool map update pinned "$pins/map/rodata" key 0 0 0 0 value 9 0 0 0 2>/dev/null; then
      wrong ".rodata could be written"
    fi
    say ".rodata is frozen: writing it is refused"
    bpftool net detach xdpgeneric dev lo
    ;;
  tcx_classifier)
    tc qdisc add dev lo clsact
    tc filter add dev lo ingress bpf direct-action object-pinned "$program"
    send_udp 53
    send_udp 53
    send_udp 873
    total() { # the sum over the processors
      bpftool map lookup pinned "$pins/map/classes" key "$1" 0 0 0 |
        sed -n 's/.*"value": \([0-9]*\).*/\1/p' | awk '{ sum += $1 } END { print sum + 0 }'
    }
    [ "$(total 2)" -eq 2 ] && [ "$(total 1)" -eq 1 ] || wrong "interactive $(total 2) of 2, bulk $(total 1) of 1"
    say "attached to lo; of 2 DNS packets and 1 rsync packet: interactive $(total 2), bulk $(total 1)"
    tc qdisc del dev lo clsact
    ;;
  egress_filter)
    mkdir "$work/cgroup"
    mount -t cgroup2 none "$work/cgroup"
    group="$work/cgroup/verity-bpf-show-$$"
    mkdir "$group"
    bpftool cgroup attach "$group" egress pinned "$program"
    bpftool map update pinned "$pins/map/blocked_ports" key 9 0 value 0 0 0 0 0 0 0 0
    # 127.66.0.0/16, the prefix length as a little-endian number first.
    bpftool map update pinned "$pins/map/blocked_networks" key 16 0 0 0 127 66 0 0 value 0 0 0 0 0 0 0 0
    inside() { bash -c "echo \$\$ > '$group/cgroup.procs'; echo hello > /dev/udp/$1/$2" 2>&1 | grep -o 'Operation not permitted'; }
    [ -n "$(inside 127.0.0.1 9)" ] || wrong "port 9 is not blocked"
    [ -n "$(inside 127.66.1.2 99)" ] || wrong "127.66.0.0/16 is not blocked"
    [ -z "$(inside 127.0.0.1 99)" ] || wrong "port 99 is blocked"
    say "attached to a cgroup; a process in it may not send to port 9: Operation not permitted"
    say "nor to 127.66.0.0/16: Operation not permitted; other packets pass"
    bpftool cgroup detach "$group" egress pinned "$program"
    ;;
  socket_filter)
    frame 53 > "$work/dns"
    frame 80 > "$work/web"
    result() { bpftool prog run pinned "$program" data_in "$1" repeat 1 | sed -n 's/.*Return value: \([0-9]*\).*/\1/p'; }
    [ "$(result "$work/dns")" = 96 ] || wrong "port 53 does not pass"
    [ "$(result "$work/web")" = 0 ] || wrong "port 80 passes"
    say "run on a DNS packet: keeps 96 bytes; on another one: skips it"
    bpftool map update pinned "$pins/map/data" key 0 0 0 0 value 80 0
    [ "$(result "$work/web")" = 96 ] || wrong "port 80 does not pass now"
    say "told through .data to keep port 80: keeps 96 bytes of the other one"
    ;;
  exec_logger)
    attached exec_logger
    ln -s /bin/true "$work/vbpf-hello"
    "$work/vbpf-hello"
    "$work/vbpf-hello"
    bpftool map dump pinned "$pins/map/starts" > "$work/starts"
    count=$(tr -d '\n' < "$work/starts" | sed -n 's/.*"vbpf-hello"[^v]*"value": \([0-9]*\).*/\1/p')
    [ "${count:-0}" -eq 2 ] || wrong "vbpf-hello was seen ${count:-0} times of 2"
    say "attached to sched_process_exec; \`vbpf-hello\` was started twice: seen $count times"
    ;;
  runq_latency)
    attached task_switched
    for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 0.01; done
    bpftool map dump pinned "$pins/map/histogram" | tr -d '\n' | sed 's/}/\n/g' |
      sed -n 's/.*"key": \([0-9]*\).*"value": \([0-9]*\).*/\1 \2/p' > "$work/histogram"
    total=$(awk '{ sum += $2 } END { print sum + 0 }' "$work/histogram")
    [ "$total" -ge 10 ] || wrong "measured only $total waits"
    say "attached to the scheduler; $total waits for a processor, by microseconds:"
    awk -v total="$total" '$2 > 0 {
      bar = ""
      for (step = 0; step < 40 * $2 / total; step++) bar = bar "#"
      printf "   %8d  %6d  %s\n", 2 ^ $1, $2, bar
    }' "$work/histogram"
    ;;
  task_list)
    attached task_list
    cat "$pins/link/task_list" > "$work/tasks"
    grep -q " $$ " "$work/tasks" || wrong "this shell ($$) is not in the list"
    say "read $(($(wc -l < "$work/tasks") - 1)) tasks from the pinned iterator, this shell among them:"
    { head -n 2 "$work/tasks"; grep -m 1 " $$ " "$work/tasks"; } | sed 's/^/   /'
    ;;
  *) wrong "no such demo program" ;;
esac
