import Linux
import TestSupport

/// BPF objects that are executed: binfmt_misc hands them to the command, after the kernel has judged the execution.
enum ExecutableCases {
  private static let place = "/proc/sys/fs/binfmt_misc"

  /// Mounts binfmt_misc and registers the command while `body` runs.
  private static func registered(_ body: (String) throws -> Void) throws {
    do {
      try Mount.mount("binfmt_misc", on: place, type: "binfmt_misc")
    } catch {
      throw Skipped(reason: "this kernel has no binfmt_misc: \(error)")
    }
    // The registrations go with the mount.
    defer { try? Mount.unmount(place) }
    try Command.expectStatus(0, try Command.run("binfmt", "enable"))
    try body(try Machine.temporaryDirectory())
  }

  /// Runs a script that says what came of each step, with a policy for objects of a volume that were executed.
  private static func run(
    _ script: String, in directory: String, volume: VerityVolume, object: String
  ) throws -> [String] {
    for (name, property) in [("x", "dmverity_roothash=sha256:\(volume.rootHash) "), ("open", "")] {
      let rule = "op=BPF_PROG_LOAD \(property)x_executed=TRUE action=ALLOW"
      try Machine.write(
        "\(directory)/\(name).pol", Array("policy_name=x policy_version=1.0.0\nDEFAULT action=DENY\n\(rule)\n".utf8))
    }
    let start = """
      exec 2> /dev/null # the shell tells of processes that a signal has ended
      cd \(directory); o=\(object); a='--policy x.pol --audit-dir audit --interface lo'
      nap() { busybox sleep 0.1; n=$((n + 1)); [ $n -lt 900 ]; }
      say() { echo "$1 $?" $(grep -o 'error.[a-z.-]*' err | busybox head -n 1); }
      attempts() { grep -c '"stage":"attempt"' audit/audit.jsonl; }
      there() { verity-bpf ps --audit-dir audit --json | grep -q '"name":"xdp_counter"'; }

      """
    let text = try Subprocess.run(
      ["/bin/sh", "-c", start + script], environment: ["PATH=/usr/bin:/usr/sbin:/bin", "LC_ALL=C"]
    ).text
    return text.split(separator: "\n").map { String($0) }
  }

  /// How an object is executed until a signal ends it.
  private static let life = """
    live() { n=0; $o $a > out 2> err & p=$!; until grep -q '^note' err || ! nap; do :; done; }
    die() { kill -$1 $p; wait $p; echo "ended $?"; n=0; while there && nap; do :; done; there || echo gone; }

    """

  static let suite = Suite(
    name: "executable",
    cases: [
      Case("loads-and-attaches", on: .integrity) {
        try registered { directory in
          let volume = try VerityVolume("executable", name: "executable")
          let object = "\(try volume.mount())/xdp_counter.bpf.o"
          let lines = try run(
            life + """
              live; there && echo there; grep -c '^attached xdp_counter  to interface lo' out; die TERM
              live; die HUP
              $o $a --pin-path /sys/fs/bpf/executable > out 2> err; say pinned; there && echo there
              verity-bpf unload --pin-path /sys/fs/bpf/executable > out 2> err; say unloaded
              $o $a --dry-run > out 2> err; say dry-run
              $o --policy x.pol --audit-dir audit > out 2> err; say no-interface
              $o $a more > out 2> err; say argument
              busybox ln -s $o link; n=0; ./link $a > out 2> err & p=$!
              until grep -q '^note' err || ! nap; do :; done; there && echo there; die TERM
              verity-bpf load --fd 3 $a --attach 3< $o > out 2> err; say load
              """, in: directory, volume: volume, object: object)
          try expectEqual(
            lines,
            [
              "there", "1", "ended 143", "gone", "ended 129", "gone", "pinned 0", "there", "unloaded 0", "dry-run 0",
              "no-interface 64 error[load.attach-place", "argument 64", "there", "ended 143", "gone",
              "load 2 error[policy.denied",
            ], "what was executed")
        }
      },
      // What is no object of the volume, or may not be executed.
      Case("what-cannot-be-executed", on: .integrity) {
        try registered { directory in
          let volume = try VerityVolume("executable", name: "executable")
          let object = "\(try volume.mount())/xdp_counter.bpf.o"
          let plain = try VerityVolume("demo", name: "not-executable")
          let noBit = "\(try plain.mount())/xdp_counter.bpf.o"
          let lines = try run(
            """
            \(noBit) $a > out 2> err; say no-bit
            busybox mkdir -p m/u m/w m/o noexec; mount -t tmpfs none m; busybox mkdir -p m/u m/w m/o
            mount -t overlay -o lowerdir=${o%/*},upperdir=m/u,workdir=m/w none m/o || echo no overlay
            m/o/xdp_counter.bpf.o $a > out 2> err; say overlay
            busybox touch m/o/xdp_counter.bpf.o; m/o/xdp_counter.bpf.o $a > out 2> err; say copied-up
            umount m/o; umount m
            cp $o copy; ./copy $a > out 2> err; say copy
            mount -t tmpfs -o noexec none noexec; cp $o noexec; noexec/xdp_counter.bpf.o $a > out 2> err; say noexec
            umount noexec
            cp $o load; ./load --fd 3 $a 3< $o > out 2> err; say like-a-command
            cp $o suid; busybox chmod 4755 suid
            user='/bin/setpriv --reuid 1000 --regid 1000 --clear-groups'
            busybox mkdir audit-1000; busybox chown 1000:1000 audit-1000; busybox chmod 755 .
            b='--policy open.pol --audit-dir audit-1000 --interface lo'
            $user $o $b > out 2> err; say without-privilege
            $user ./suid $b > out 2> err; say set-uid
            f=\(place); echo -1 > $f/verity-bpf
            before=$(attempts); $o $a > out 2> err; [ "$(attempts)" = "$before" ] && echo not started
            m='\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x01\\x00\\xf7\\x00'
            echo ":verity-bpf:M::$m::/usr/bin/verity-bpf:OC" > $f/register
            $user ./suid $b > out 2> err; say others-rights
            verity-bpf binfmt status > out 2> err; say other
            verity-bpf binfmt disable > out 2> err; say disable
            """, in: directory, volume: volume, object: object)
          try expectEqual(
            lines,
            [
              "no-bit 126", "overlay 4 error[provenance.file-system", "copied-up 4 error[provenance.file-system",
              "copy 4 error[provenance.file-system", "noexec 126", "like-a-command 64",
              "without-privilege 5 error[provenance.no-permission", "set-uid 4 error[provenance.file-system",
              "not started",
              "others-rights 2 error[binfmt.others-rights", "other 1", "disable 0",
            ], "what was executed")
        }
      },
      Case("registration", on: .integrity) {
        try Command.expectStatus(6, try Command.run("binfmt", "status"))
        try registered { directory in
          try Command.expectStatus(0, try Command.run("binfmt", "status"))
          try Command.expectStatus(0, try Command.run("binfmt", "enable"))
          // The interpreter is the file that was there at the registration (flag F).
          try expect(try Machine.text("\(place)/verity-bpf").contains("flags: OF\n"), "the flags")
          try Machine.write("\(place)/verity-bpf", Array("0".utf8))
          try Command.expectStatus(1, try Command.run("binfmt", "status"))
          try Command.expectStatus(0, try Command.run("binfmt", "disable"))
          try Command.expectStatus(1, try Command.run("binfmt", "status"))
        }
      },
      // IPE's rules for execution judge the object, before the command is started: nothing is on record then.
      Case("ipe-refuses-before-the-command", on: .secureBoot) {
        try IPE.require()
        defer { IPE.relax() }
        try registered { directory in
          let signed = try VerityVolume("executable", name: "executable", signature: "executable.roothash.p7s")
          let unsigned = try VerityVolume("executable", name: "not-signed")
          let object = "\(try signed.mount())/xdp_counter.bpf.o"
          let twin = "\(try unsigned.mount())/xdp_counter.bpf.o"
          try IPE.enforce("signed-only")
          let lines = try run(
            life + """
              cp $o copy
              ./copy $a > out 2> err; say copy
              \(twin) $a > out 2> err; say other-volume
              busybox mkdir m; mount -t tmpfs none m; busybox mkdir m/u m/w m/o
              mount -t overlay -o lowerdir=${o%/*},upperdir=m/u,workdir=m/w none m/o || echo no overlay
              busybox touch m/o/xdp_counter.bpf.o; m/o/xdp_counter.bpf.o $a > out 2> err; say copied-up
              umount m/o; umount m
              ls audit 2> err; say records
              live; there && echo there; die TERM; attempts
              """, in: directory, volume: signed, object: object)
          try expectEqual(
            lines,
            [
              "copy 126", "other-volume 126", "copied-up 126", "records 1", "there", "ended 143", "gone", "1",
            ], "what was executed")
        }
      },
    ])
}
