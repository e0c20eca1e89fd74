import Linux
import TestSupport

/// What becomes of volumes when a run is killed, when two run at once, and when others share the mount.
enum MountLifeCases {
  static let suite = Suite(
    name: "mount-life",
    cases: [
      // What `umount` does first, and then no more; and what umount(8) does.
      Case("goes-with-a-plain-umount") {
        let place = try Machine.temporaryDirectory()
        for image in ["demo", "ddi"] {
          try Command.expectStatus(0, try run(["mount", "/images/\(image).raw", place, "--no-signature"]))
          try expect(!MountCases.remains().isEmpty, "no volume to begin with")
          try Mount.unmount(place)
          try MountCases.expectNothingLeft()
        }
      },
      Case("left-by-a-killed-mount") { try leftVolume() },
      Case("killed-anywhere") { try killedAnywhere() },
      Case("two-at-once") { try twoAtOnce() },
      Case("bound-by-others") { try boundByOthers() },
    ])

  private static func run(_ arguments: [String]) throws -> Command.Result { try MountCases.run(arguments) }

  /// The name that the demo image's volume gets.
  private static func demoName() throws -> String {
    "verity-bpf-\(try Machine.text("/images/demo.roothash").prefix(16))"
  }

  private static func leftVolume() throws {
    let place = try Machine.temporaryDirectory()
    let name = try demoName()
    let mount = ["mount", "/images/demo.raw", place, "--no-signature"]
    for word in [name, "/dev/mapper/\(name)"] {
      // What `mount` does first, and then no more.
      let left = try VerityVolume("demo", name: name)
      let second = try run(mount)
      try Command.expectStatus(1, second)
      try expect(second.text.contains("error[mount.active]"), second.text)
      try expect(second.text.contains("verity-bpf umount \(name)"), "no command that removes it: \(second.text)")
      let removed = try run(["umount", word])
      try Command.expectStatus(0, removed)
      try expect(removed.text.contains("is gone"), removed.text)
      let again = try run(["umount", word])
      try Command.expectStatus(1, again)
      left.close()
      try MountCases.expectNothingLeft()
    }
    // Where it is in use, that is said, and it goes then; suspended, it goes too.
    let left = try VerityVolume("demo", name: name)
    let user = try OwnedFD.open(try left.device, .readOnly)
    let kept = try run(["umount", name])
    try Command.expectStatus(0, kept)
    try expect(kept.text.contains("remains") && kept.text.contains("has it open"), kept.text)
    try user.close()
    left.close()
    try MountCases.expectNothingLeft()
    let suspended = try VerityVolume("demo", name: name)
    try suspended.suspend()
    try Command.expectStatus(0, try run(["umount", name]))
    suspended.close()
    try MountCases.expectNothingLeft()
    // A mounted one is unmounted by its name; another's volume is not touched by whatever name.
    try Command.expectStatus(0, try run(mount))
    let unmounted = try run(["umount", name])
    try Command.expectStatus(0, unmounted)
    try expect(unmounted.text.contains("is gone"), unmounted.text)
    let other = try VerityVolume("demo", name: "others")
    let foreign = try run(["umount", "/dev/mapper/others"])
    try Command.expectStatus(64, foreign)
    try expect(foreign.text.contains("error[mount.not-ours]"), foreign.text)
    _ = try other.number
    other.close()
    try MountCases.expectNothingLeft()
  }

  /// A run that is killed has mounted the image, or left nothing, or a volume that `umount` removes.
  private static func killedAnywhere() throws {
    let place = try Machine.temporaryDirectory()
    let name = try demoName()
    for round in 0..<6 {
      _ = try Subprocess.run([
        "/bin/sh", "-c",
        """
        /usr/bin/verity-bpf mount /images/demo.raw \(place) --no-signature > /dev/null 2>&1 &
        /bin/busybox usleep \(round * 80_000)
        kill -9 $!
        wait
        """,
      ])
      if try run(["umount", place]).status != 0 {
        let removed = try run(["umount", name])
        try expect([0, 1].contains(removed.status), "killed after \(round * 80) ms: \(removed.text)")
      }
      try MountCases.expectNothingLeft()
    }
  }

  /// One of them mounts the image; the other is told, and has changed nothing.
  private static func twoAtOnce() throws {
    for round in 0..<3 {
      let places = try (0..<2).map { _ in try Machine.temporaryDirectory() }
      // Now and then at one place.
      let second = round % 3 == 2 ? places[0] : places[1]
      let result = try Subprocess.run([
        "/bin/sh", "-c",
        """
        mount() { /usr/bin/verity-bpf mount /images/demo.raw "$1" --no-signature > "$1-$2" 2>&1; }
        mount \(places[0]) 1 & a=$!
        mount \(second) 2 & b=$!
        wait $a; a=$?
        wait $b; b=$?
        echo "status $((a + b)) $((a * b))"
        cat \(places[0])-1 \(second)-2
        """,
      ])
      try expect(result.text.contains("status 1 0"), "round \(round): \(result.text)")
      try expect(result.text.contains("error[mount.active]"), "round \(round): \(result.text)")
      let name = try demoName()
      let unmounted = try run(["umount", name])
      try Command.expectStatus(0, unmounted)
      try expect(unmounted.text.contains("is gone"), unmounted.text)
      try MountCases.expectNothingLeft()
    }
  }

  private static func boundByOthers() throws {
    let places = try (0..<3).map { _ in try Machine.temporaryDirectory() }
    try Command.expectStatus(0, try run(["mount", "/images/demo.raw", places[0], "--no-signature"]))
    let file = "\(places[0])/xdp_counter.bpf.o"
    // A part of it, the whole elsewhere, and the whole over itself.
    for (source, target) in [("/.verity-bpf", places[2]), ("", places[1]), ("", places[0])] {
      try OriginCases.bind("\(places[0])\(source)", on: target)
      let refused = try run(["umount", target])
      try Command.expectStatus(64, refused)
      try expect(refused.text.contains("error[mount.not-ours]"), refused.text)
      try expect(refused.text.contains("verity-bpf umount \(places[0])"), refused.text)
      try expect(!(try Directory.names(target)).isEmpty, "\(target) was unmounted")
    }
    try Mount.unmount(places[2])
    // The bind mount over our own mount goes as it came.
    try Mount.unmount(places[0])
    _ = try FileStatus.of(path: file)
    // Ours goes; what keeps its volume is said.
    let own = try run(["umount", places[0]])
    try Command.expectStatus(0, own)
    try expect(own.text.contains("remains") && own.text.contains(places[1]), own.text)
    _ = try FileStatus.of(path: "\(places[1])/xdp_counter.bpf.o")
    try Mount.unmount(places[1])
    try MountCases.expectNothingLeft()
    // Without the list of mounts it is not known whose mount it is.
    try Command.expectStatus(0, try run(["mount", "/images/demo.raw", places[0], "--no-signature"]))
    try OriginCases.bind(places[2], on: "/proc")
    let hidden = try run(["umount", places[0]])
    try Mount.unmount("/proc")
    try Command.expectStatus(4, hidden)
    try expect(hidden.text.contains("error[provenance.cannot-ask]"), hidden.text)
    try Command.expectStatus(0, try run(["umount", places[0]]))
    try MountCases.expectNothingLeft()
  }
}
