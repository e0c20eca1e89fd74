internal import Base
internal import Linux

/// Attaching to places that a program's author marked (USDT), as libbpf does it: a probe at each place, whose cookie
/// says under which key of a map of the object the program finds where the arguments are.
extension Probing {
  /// The map, by the name that libbpf's usdt.bpf.h gives it.
  static let staticProbeMap = "__bpf_usdt_specs"

  /// - Parameters:
  ///   - next: the first key that is free; afterwards, the next.
  ///   - entries: how many keys the map has.
  static func links(
    of program: KernelObject, _ probe: Attachment.MarkedPlace, arguments map: KernelObject, entries: UInt32,
    next: inout UInt32
  ) throws(AttachFailure) -> [KernelObject] {
    let path = try ProbedFile.path(of: probe.file)
    let bytes = try ProbedFile.contents(of: path)
    let places: [StaticProbe]
    do throws(ByteError) {
      places = try StaticProbe.all(in: bytes.rawSpan, provider: probe.provider, name: probe.name)
    } catch {
      throw .missing("`\(path)` is no 64-bit executable or library whose notes can be read")
    }
    guard !places.isEmpty else { throw .missing("`\(path)` marks no place `\(probe.provider):\(probe.name)`") }
    var keys: [String: UInt32] = [:]
    var links: [KernelObject] = []
    for place in places {
      let key: UInt32
      if let known = keys[place.arguments] {
        key = known
      } else {
        guard let value = StaticProbeArguments.encode(place.arguments) else {
          throw .missing("the arguments there are written in an unknown way: `\(place.arguments)`")
        }
        guard next < entries else { throw .missing("room in the object's map `\(staticProbeMap)`: it is too small") }
        key = next
        next += 1
        keys[place.arguments] = key
        try AttachFailure.calling { () throws(SystemError) in
          var index: [UInt8] = []
          index.appendLittleEndian(key)
          try BPF.update(map, key: index, value: value)
        }
      }
      links.append(try link(program, file: path, offset: place.offset, counter: place.counter, cookie: UInt64(key)))
    }
    return links
  }

  private static func link(
    _ program: KernelObject, file: String, offset: UInt64, counter: UInt64, cookie: UInt64
  ) throws(AttachFailure) -> KernelObject {
    var event = try event(of: "uprobe", atReturn: false)
    event.place = file
    event.offset = offset
    // `config:32-63`: where the file counts who is watching, so that it takes the trouble to pass arguments.
    event.config |= counter << 32
    return try link(program, event, cookie: cookie)
  }
}
