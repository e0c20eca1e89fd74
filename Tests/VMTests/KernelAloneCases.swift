import Linux

/// A dm-verity volume whose devices this process cannot read: nothing can be proven, and the kernel alone vouches.
enum KernelAloneCases {
  static let suite = Suite(
    name: "kernel-alone",
    cases: [
      Case("is-refused-by-default") {
        let volume = try VerityVolume("demo", name: "alone", signature: Machine.signature)
        let path = "\(try volume.mount())/xdp_counter.bpf.o"
        let result = try withoutNode(of: volume) {
          try load(path, "dmverity_roothash=sha256:\(volume.rootHash)", "x_witness=BOTH")
        }
        try Command.expectStatus(4, result)
        try expect(result.text.contains("provenance.cannot-ask") && result.text.contains(volume.loop), result.text)
      },
      Case("is-enough-for-a-rule-that-says-so") {
        let volume = try VerityVolume("demo", name: "alone", signature: Machine.signature)
        let path = "\(try volume.mount())/xdp_counter.bpf.o"
        // The rules before it would match, and are about other evidence.
        let rules = [
          "dmverity_roothash=sha256:\(volume.rootHash)", "x_witness=BOTH",
          "dmverity_roothash=sha256:\(volume.rootHash) x_witness=KERNEL",
        ]
        let result = try withoutNode(of: volume) { try load(path, rules) }
        try Command.expectStatus(0, result)
        for text in [#""witness":"kernel""#, #""rule_line":5"#] {
          try expect(result.text.contains(text), "no \(text) in \(result.text)")
        }
        // What the image states of its objects cannot be read either, so they are loaded as they are.
        let configured = try withoutNode(of: volume) { try load(path, rules, options: ["--program", "xdp_counter"]) }
        try Command.expectStatus(2, configured)
        try expect(configured.text.contains("load.not-configurable"), configured.text)
        // What can be proven is proven all the same.
        let proven = try load(path, rules)
        try Command.expectStatus(0, proven)
        try expect(proven.text.contains(#""witness":"both""#), proven.text)
      },
      Case("is-no-reason-for-another-volume") {
        let volume = try VerityVolume("demo", name: "alone", signature: Machine.signature)
        let path = "\(try volume.mount())/xdp_counter.bpf.o"
        let other = try Machine.text("/images/other.roothash").trimmed
        let result = try withoutNode(of: volume) {
          try load(path, default: "ALLOW", "dmverity_roothash=sha256:\(other) x_witness=KERNEL")
        }
        try Command.expectStatus(2, result)
      },
      Case("is-nothing-where-the-kernel-does-not-vouch") {
        let volume = try VerityVolume(
          "demo", name: "alone", signature: Machine.signature, options: ["ignore_corruption"])
        let path = "\(try volume.mount())/xdp_counter.bpf.o"
        let result = try withoutNode(of: volume) { try load(path, "x_witness=KERNEL") }
        try Command.expectStatus(4, result)
      },
      Case("does-not-excuse-what-fails-its-proof") {
        let volume = try VerityVolume("demo", name: "alone", signature: Machine.signature)
        let path = "\(try volume.mount())/xdp_counter.bpf.o"
        let evil = try LoopDevices.attachReadOnly(OwnedFD.open("/images/evil.raw", .readOnly))
        defer { try? LoopDevices.detach(evil) }
        try volume.load(loop: evil, rootHash: Machine.text("/images/evil.roothash").trimmed)
        try volume.resume()
        try Machine.dropCaches()
        _ = try Machine.read(path)
        try volume.load(loop: volume.loop, signature: Machine.signature)
        try volume.resume()
        let result = try load(path, "x_witness=KERNEL")
        try Command.expectStatus(4, result)
        try expect(result.text.contains("provenance.page-cache"), result.text)
      },
    ])

  /// Takes the node of the device under the volume away for a while: the kernel does not need it, everybody else does.
  private static func withoutNode(
    of volume: VerityVolume, _ body: () throws -> Command.Result
  ) throws -> Command.Result {
    try Machine.rename(volume.loop, to: "\(volume.loop).away")
    defer { try? Machine.rename("\(volume.loop).away", to: volume.loop) }
    return try body()
  }

  private static func load(
    _ path: String, default fallback: String = "DENY", _ rules: String...
  ) throws -> Command.Result { try load(path, default: fallback, rules) }

  /// Loads an object; the answer has the audit record at its end.
  private static func load(
    _ path: String, default fallback: String = "DENY", _ rules: [String], options: [String] = []
  ) throws -> Command.Result {
    let directory = try Machine.temporaryDirectory()
    let lines = rules.map { "op=BPF_PROG_LOAD \($0) action=ALLOW\n" }.joined()
    try Machine.write(
      "\(directory)/p.pol",
      Array("policy_name=alone policy_version=1.0.0\nDEFAULT action=\(fallback)\n\(lines)".utf8))
    let result = try Command.run(
      ["load", "--fd", "3", "--policy", "\(directory)/p.pol", "--audit-dir", directory] + options, object: path)
    let records = try Directory.names(directory).filter { $0 != "p.pol" }.compactMap {
      try? Machine.text("\(directory)/\($0)")
    }
    return Command.Result(status: result.status, text: result.text + records.joined())
  }
}
