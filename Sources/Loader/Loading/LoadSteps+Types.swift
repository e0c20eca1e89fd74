internal import KernelABI
internal import BPFObject
internal import Linux

/// The object's type information.
extension LoadSteps {
  /// Loads the types, as the kernel takes them.
  ///
  /// A kernel that is older than a part of the format gets them without that part. Types that it refuses all the same are
  /// left out where nothing in the object needs them, as libbpf leaves them out: they serve debuggers then.
  ///
  /// - Returns: nil for an object without types, or whose types were left out; and what was done about them.
  func loadBTF() throws(BPFLoadError) -> (types: KernelObject?, submitted: SubmittedTypes) {
    guard !linked.btf.isEmpty else { return (nil, .absent) }
    let refusal: SystemError
    do throws(SystemError) {
      return (try BPF.loadBTF(linked.btf), .asLinked)
    } catch {
      if let refused = refusedEntry(error, "the object") { throw refused }
      refusal = error
    }
    if let release = KernelReports.runningRelease(), let adapted = linked.types(adaptedTo: release),
      let types = try? BPF.loadBTF(adapted.bytes)
    {
      return (types, .adapted(adapted.edits))
    }
    var log = BPF.Log(level: 1, capacity: 1 << 16)
    _ = try? BPF.loadBTF(linked.btf, log: &log)
    // A kernel that is out of memory has nothing against the types.
    guard [.einval, .eexist, .enotsupp, .e2big].contains(refusal.code) else {
      throw .btfRefused(error: refusal, need: linked.needOfTypes, log: log.text)
    }
    if let need = linked.needOfTypes { throw .btfRefused(error: refusal, need: need, log: log.text) }
    let said = log.text.split(separator: "\n").last.map { String($0) }
    return (nil, .leftOut(reason: said ?? refusal.description))
  }
}
