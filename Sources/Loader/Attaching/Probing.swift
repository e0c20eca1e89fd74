internal import KernelABI
internal import Base
internal import Linux

/// Probes, tracepoints and samples: events that are opened first and then given a program, with a link that keeps them
/// open.
enum Probing {
  // MARK: Performance events

  /// A tracepoint, `sched/sched_switch`; the tracing file system knows its number.
  static func link(_ program: KernelObject, tracepoint: String) throws(AttachFailure) -> KernelObject {
    let text = try tracing(
      "events/\(tracepoint)/id", limit: 64, otherwise: "the kernel has no tracepoint of that name")
    guard let id = UInt64(text.prefix { $0.isNumber }) else { throw .missing("tracefs gives it no number") }
    // PERF_TYPE_TRACEPOINT.
    return try link(program, PerfEvent.Attributes(type: 2, config: id))
  }

  /// A file of the tracing file system.
  private static func tracing(_ name: String, limit: Int, otherwise: String) throws(AttachFailure) -> String {
    guard TracingFiles.isMounted else { throw .missing("no tracefs is mounted in /sys/kernel/tracing") }
    do throws(SystemError) {
      return try TracingFiles.text(name, limit: limit)
    } catch {
      guard error.code == .enoent else { throw .refused(error) }
      // Locked down, it never made them (fs/tracefs/inode.c, tracefs_create_file).
      if let mode = KernelSettings.lockdownMode(), mode >= .confidentiality { throw .lockedDown(mode, error) }
      throw .missing(otherwise)
    }
  }

  /// A probe in the kernel, by the event source `kprobe`.
  static func link(
    _ program: KernelObject, kernelProbe probe: Attachment.Probe
  ) throws(AttachFailure) -> KernelObject {
    var event = try event(of: "kprobe", atReturn: probe.atReturn)
    event.place = probe.symbol
    event.offset = probe.offset
    do throws(AttachFailure) {
      return try link(program, event)
    } catch {
      guard case .refused(let error) = error, error.code == .enoent || error.code == .eaddrnotavail else {
        throw error
      }
      throw .missing("the kernel has no such function, or none that can be probed")
    }
  }

  /// A probe in a file, by the event source `uprobe`.
  static func link(
    _ program: KernelObject, file: String, _ probe: Attachment.Probe
  ) throws(AttachFailure) -> KernelObject {
    let path = try ProbedFile.path(of: file)
    var event = try event(of: "uprobe", atReturn: probe.atReturn)
    event.place = path
    event.offset = probe.offset
    if !probe.symbol.isEmpty {
      guard let start = try ProbedFile.functions(of: path, matching: probe.symbol).first else {
        throw .missing("`\(path)` has no function `\(probe.symbol)` in its symbol tables")
      }
      event.offset = start.addingReportingOverflow(probe.offset).partialValue
    }
    return try link(program, event)
  }

  /// Samples on every processor that is online, with a link for each.
  static func links(
    of program: KernelObject, samplesOf event: SampledEvent
  ) throws(AttachFailure) -> [KernelObject] {
    var attributes = PerfEvent.Attributes(type: event.type, config: event.config)
    attributes.frequency = event.frequency
    var links: [KernelObject] = []
    for processor in 0..<Int32(clamping: KernelSettings.possibleProcessors() ?? 1) {
      do throws(AttachFailure) {
        links.append(try link(program, attributes, processor: processor))
      } catch {
        // A processor that is possible, and not there.
        guard case .refused(let error) = error, error.code == .enodev, processor > 0 else { throw error }
      }
    }
    return links
  }

  static func event(of source: String, atReturn: Bool) throws(AttachFailure) -> PerfEvent.Attributes {
    let number: String
    let bit: String
    do throws(SystemError) {
      number = try PerfEvent.source(source, "type")
      bit = try PerfEvent.source(source, "format/retprobe")
    } catch {
      guard error.code == .enoent else { throw .refused(error) }
      throw .missing("this kernel has no event source `\(source)` (CONFIG_\(source.uppercased())_EVENTS)")
    }
    // `config:0`: the bit of the configuration that asks for the return.
    guard let type = UInt32(number), let shift = bit.split(separator: ":").last.flatMap({ UInt64($0) }), shift < 64
    else { throw .missing("the event source `\(source)` describes itself in an unknown way") }
    return PerfEvent.Attributes(type: type, config: atReturn ? 1 << shift : 0)
  }

  static func link(
    _ program: KernelObject, _ event: PerfEvent.Attributes, processor: Int32 = 0, cookie: UInt64 = 0
  ) throws(AttachFailure) -> KernelObject {
    try AttachFailure.calling { () throws(SystemError) in
      let opened = try PerfEvent.open(event, processor: processor)
      let link = try BPF.link(program, event: opened, cookie: cookie)
      try PerfEvent.enable(opened)
      return link
    }
  }

  // MARK: Many probes in one link

  /// Functions of the kernel; with `*` or `?` in the pattern, all that match and can be traced.
  static func link(
    _ program: KernelObject, type: AttachType, kernelFunctions pattern: String, atReturn: Bool
  ) throws(AttachFailure) -> KernelObject {
    var names = [pattern]
    if Pattern.isPattern(pattern) {
      let list = try tracing(
        "available_filter_functions", limit: 64 << 20, otherwise: "the kernel does not say which functions it can trace"
      )
      let pattern = Pattern(pattern)
      // `name` or `name [module]`; a name may stand there twice, and one is enough.
      names = Set(
        list.split(separator: "\n").map { $0.prefix { $0 != " " && $0 != "\t" } }.filter { pattern.matches($0) }
      ).map { String($0) }.sorted()
      guard !names.isEmpty else { throw .missing("no function that can be traced matches") }
    }
    return try AttachFailure.calling { () throws(SystemError) in
      try BPF.link(program, type: type, kernelFunctions: names, atReturn: atReturn)
    }
  }

  /// Functions of a file, as its symbol tables name them.
  static func link(
    _ program: KernelObject, type: AttachType, file: String, functions pattern: String, atReturn: Bool
  ) throws(AttachFailure) -> KernelObject {
    let path = try ProbedFile.path(of: file)
    let offsets = try ProbedFile.functions(of: path, matching: pattern)
    guard !offsets.isEmpty else { throw .missing("`\(path)` has no function that matches `\(pattern)`") }
    return try AttachFailure.calling { () throws(SystemError) in
      try BPF.link(program, type: type, file: path, offsets: offsets, atReturn: atReturn)
    }
  }
}

/// Names with `*` for any text and `?` for any byte, as libbpf matches them.
struct Pattern {
  private let bytes: [UInt8]

  init(_ text: String) { bytes = Array(text.utf8) }

  /// Whether the text is more than a plain name.
  static func isPattern(_ text: String) -> Bool { text.utf8.contains { $0 == star || $0 == mark } }

  private static let star = UInt8(ascii: "*")
  private static let mark = UInt8(ascii: "?")

  /// Goes back to the last `*` where a byte does not fit, so the time is the product of both lengths at worst.
  func matches(_ name: some StringProtocol) -> Bool {
    let text = Array(name.utf8)
    var (at, here) = (0, 0)
    var retry: (at: Int, here: Int)?
    while here < text.count {
      if at < bytes.count, bytes[at] == Self.star {
        retry = (at, here)
        at += 1
      } else if at < bytes.count, bytes[at] == Self.mark || bytes[at] == text[here] {
        at += 1
        here += 1
      } else if let last = retry {
        retry = (last.at, last.here + 1)
        at = last.at + 1
        here = last.here + 1
      } else {
        return false
      }
    }
    return bytes[at...].allSatisfy { $0 == Self.star }
  }
}
