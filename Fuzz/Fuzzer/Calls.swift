import CFuzzer
import FuzzTargets
import Glibc

/// The target that the program's own name says: fuzz-object, fuzz-disk … libFuzzer starts the program anew to reduce an
/// input, and keeps its name.
let target: FuzzTarget = {
  let name = CommandLine.arguments[0].split(separator: "/").last.map(String.init) ?? ""
  guard name.hasPrefix("fuzz-"), let target = FuzzTarget(rawValue: String(name.dropFirst("fuzz-".count))) else {
    print("fuzz: call it as fuzz-TARGET: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
    exit(64)
  }
  return target
}()

/// A promise that does not hold ends the process, which libFuzzer reports with the input.
@c func fuzzOne(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  do throws(BrokenPromise) {
    try target.check(Array(UnsafeBufferPointer(start: data, count: size)))
  } catch {
    // Unbuffered, because nothing is flushed afterwards.
    let message = Array("broken promise: \(error)\n".utf8)
    _ = write(STDERR_FILENO, message, message.count)
    // SIGABRT, which libFuzzer catches to save the input.
    abort()
  }
  return 0
}

@c func mutate(_ data: UnsafeMutablePointer<UInt8>?, _ size: Int, _ capacity: Int, _ seed: CUnsignedInt) -> Int {
  let bytes = Array(UnsafeBufferPointer(start: UnsafePointer(data), count: size))
  var mutator = Mutator(seed: UInt64(seed), plain: plainlyChanged)
  let changed = target.mutate(bytes, capacity: capacity, &mutator).prefix(capacity)
  let buffer = UnsafeMutableBufferPointer(start: data, count: capacity)
  for (index, byte) in changed.enumerated() { buffer[index] = byte }
  return changed.count
}

/// libFuzzer's own change of some bytes.
private func plainlyChanged(_ bytes: [UInt8], _ capacity: Int) -> [UInt8] {
  let kept = bytes.prefix(capacity)
  guard capacity > 0 else { return [] }
  var buffer = kept + [UInt8](repeating: 0, count: capacity - kept.count)
  let count = buffer.withUnsafeMutableBufferPointer { LLVMFuzzerMutate($0.baseAddress, kept.count, capacity) }
  return Array(buffer.prefix(count))
}
