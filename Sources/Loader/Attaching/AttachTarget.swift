internal import BPFObject

/// What a section, or the option that stands in for it, says of the place to attach to.
///
/// `--target` takes what could stand behind the slash in the section's name.
struct AttachTarget {
  private let program: LinkedProgram
  private let options: LoadOptions
  /// The section's first word, without `?` and the `.s` of programs that may sleep: `kprobe`, `uretprobe.multi`.
  let word: Substring

  init(_ program: LinkedProgram, _ options: LoadOptions) {
    self.program = program
    self.options = options
    let name = program.section.drop { $0 == "?" }.prefix { $0 != "/" }
    word = name.hasSuffix(".s") ? name.dropLast(2) : name
  }

  /// `kretprobe`, `uretprobe.multi` … probe the return of a function.
  var isReturnProbe: Bool { word.dropFirst().hasPrefix("ret") }

  // MARK: Options

  /// The target's text, from the section or else from `--target`.
  func text(_ form: String) throws(BPFLoadError) -> String {
    if !program.kind.target.isEmpty { return program.kind.target }
    guard let target = options.attachTarget, !target.isEmpty else { throw needs("--target \(form)") }
    return target
  }

  func interface() throws(BPFLoadError) -> String {
    guard let interface = options.interface else { throw needs("--interface IFACE") }
    return interface
  }

  func cgroup() throws(BPFLoadError) -> String {
    guard let cgroup = options.cgroup else { throw needs("--cgroup PATH") }
    return cgroup
  }

  func isEgress() throws(BPFLoadError) -> Bool {
    switch options.attachTarget {
    case "ingress": return false
    case "egress": return true
    default: throw needs("--target ingress|egress")
    }
  }

  private func needs(_ option: String) -> BPFLoadError {
    .attachNeeds(program: program.name, section: program.section, option: option)
  }

  private func bad(_ text: String, _ expected: String) -> BPFLoadError {
    .badAttachTarget(program: program.name, section: program.section, expected: expected, found: text)
  }

  // MARK: Events and probes

  /// `CATEGORY/NAME`, of letters, digits and `_`: the names become part of a path.
  func tracepoint() throws(BPFLoadError) -> String {
    let text = try text("CATEGORY/NAME")
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let isName = parts.allSatisfy { part in
      !part.isEmpty && part.utf8.allSatisfy { Self.isWordByte($0) || $0 == UInt8(ascii: "-") }
    }
    guard parts.count == 2, isName else { throw bad(text, "CATEGORY/NAME") }
    return text
  }

  /// `FUNCTION`, or `FUNCTION+OFFSET`; also `MODULE:FUNCTION`.
  func kernelProbe() throws(BPFLoadError) -> Attachment.Probe {
    let text = try text("FUNCTION[+OFFSET]")
    let probe = try probe(text)
    guard !probe.symbol.isEmpty else { throw bad(text, "FUNCTION[+OFFSET]") }
    return probe
  }

  /// `ksyscall/NAME`: the function that the kernel's table of system calls leads to.
  func systemCallProbe() throws(BPFLoadError) -> Attachment.Probe {
    let name = try text("NAME")
    guard !name.isEmpty, name.utf8.allSatisfy({ Self.isWordByte($0) }) else {
      throw bad(name, "a system call's name")
    }
    #if arch(arm64)
    let prefix = "__arm64_sys_"
    #else
    let prefix = "__x64_sys_"
    #endif
    return Attachment.Probe(symbol: prefix + name, offset: 0, atReturn: isReturnProbe)
  }

  /// `FUNCTION`, `FUNCTION+OFFSET` or `0xOFFSET`.
  func probe(_ text: String) throws(BPFLoadError) -> Attachment.Probe {
    let parts = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
    var probe = Attachment.Probe(symbol: text, offset: 0, atReturn: isReturnProbe)
    if parts.count == 2 {
      guard let offset = Self.number(parts[1]), !parts[0].isEmpty else { throw bad(text, "FUNCTION[+OFFSET]") }
      probe.symbol = String(parts[0])
      probe.offset = offset
    } else if let offset = Self.number(parts[0]) {
      probe.symbol = ""
      probe.offset = offset
    }
    guard !isReturnProbe || probe.offset == 0 || probe.symbol.isEmpty else {
      throw bad(text, "FUNCTION: only whole functions return")
    }
    return probe
  }

  /// `PATH:PLACE`. The path has the last word on colons: neither functions nor offsets have any.
  func fileAndPlace() throws(BPFLoadError) -> (file: String, place: String) {
    let text = try text("PATH:FUNCTION[+OFFSET]")
    guard let colon = text.lastIndex(of: ":"), colon != text.startIndex, text.index(after: colon) != text.endIndex
    else { throw bad(text, "PATH:FUNCTION[+OFFSET]") }
    return (String(text[..<colon]), String(text[text.index(after: colon)...]))
  }

  /// `PATH:PROVIDER:NAME`.
  func markedPlace() throws(BPFLoadError) -> Attachment.MarkedPlace {
    let text = try text("PATH:PROVIDER:NAME")
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { throw bad(text, "PATH:PROVIDER:NAME") }
    return Attachment.MarkedPlace(file: String(parts[0]), provider: String(parts[1]), name: String(parts[2]))
  }

  /// `cpu-clock@99`.
  func sampledEvent() throws(BPFLoadError) -> SampledEvent {
    let text = try text("cpu-clock@HZ")
    guard let event = SampledEvent(text) else { throw bad(text, "\(SampledEvent.names.joined(separator: "|"))@HZ") }
    return event
  }

  /// `ipv4/local_in/0`.
  func netfilterHook() throws(BPFLoadError) -> NetfilterHook {
    let form = "ipv4|ipv6/HOOK[/PRIORITY]"
    let text = try text(form)
    guard let hook = NetfilterHook(text) else {
      throw bad(text, "\(form) with HOOK one of \(NetfilterHook.hooks.joined(separator: ", "))")
    }
    return hook
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// Decimal or `0x…`.
  private static func number(_ text: Substring) -> UInt64? {
    if text.hasPrefix("0x") || text.hasPrefix("0X") { return UInt64(text.dropFirst(2), radix: 16) }
    return text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? UInt64(text) : nil
  }
}

/// A performance event that a program is given samples of.
struct SampledEvent: Equatable {
  let name: String
  /// `enum perf_type_id` and the event's number in it (include/uapi/linux/perf_event.h).
  let type: UInt32
  let config: UInt64
  /// Samples a second, on each processor.
  let frequency: UInt64

  static let names = ["cpu-clock", "cpu-cycles"]

  /// Reads `cpu-clock@99`, nil when it is none.
  init?(_ text: String) {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, let frequency = UInt64(parts[1]), frequency > 0 else { return nil }
    switch parts[0] {
    case "cpu-clock": type = 1  // PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK
    case "cpu-cycles": type = 0  // PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES
    default: return nil
    }
    name = String(parts[0])
    config = 0
    self.frequency = frequency
  }
}

/// A hook of netfilter, where a program decides about packets.
struct NetfilterHook: Equatable {
  /// NFPROTO_IPV4 (2) or NFPROTO_IPV6 (10).
  let family: UInt32
  /// `enum nf_inet_hooks`.
  let hook: UInt32
  let priority: Int32
  let text: String

  /// In the order of `enum nf_inet_hooks` (include/uapi/linux/netfilter.h).
  static let hooks = ["pre_routing", "local_in", "forward", "local_out", "post_routing"]

  /// Reads `ipv4/local_in` or `ipv6/forward/-100`, nil when it is none. The priority is 0 where none is given.
  init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count), let hook = Self.hooks.firstIndex(where: { $0 == parts[1] }),
      let priority = parts.count == 3 ? Int32(parts[2]) : 0
    else { return nil }
    switch parts[0] {
    case "ipv4": family = 2
    case "ipv6": family = 10
    default: return nil
    }
    self.hook = UInt32(hook)
    self.priority = priority
    self.text = text
  }
}
