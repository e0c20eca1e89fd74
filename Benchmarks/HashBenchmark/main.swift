import Base
import Linux

// SHA-256 of salted 4 KiB blocks on one core, by each kernel this processor has and by OpenSSL, taking turns so that all
// meet the same noise: hash-benchmark [ROUNDS]. One JSON object a line, with the median ratio to OpenSSL, and the best rate:
// what the core can do when no neighbour of a virtual machine is on its other half.

let rounds = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 100 : 100
let salt = (0..<32).map { UInt8($0) }
let blocks = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
let kernels: [HashKernel?] = [nil] + HashKernel.allCases.filter(\.isAvailable).map { $0 }

/// Nanoseconds for the whole buffer.
func time(_ kernel: HashKernel?) throws -> Double {
  var hasher = try BlockHasher(.sha256, salt: salt.rawSpan, kernel: kernel)
  var digests = [UInt8](repeating: 0, count: blocks.count / 4096 * 32)
  let start = ContinuousClock.now
  do {
    var span = digests.mutableSpan
    var view = span.mutableBytes
    try hasher.hashBlocks(blocks.rawSpan, blockSize: 4096, into: &view)
  }
  return (ContinuousClock.now - start) / .nanoseconds(1)
}

var times = [[Double]](repeating: [], count: kernels.count)
for round in 0...rounds {
  for (index, kernel) in kernels.enumerated() {
    let nanoseconds = try time(kernel)
    if round > 0 { times[index].append(nanoseconds) }  // the first round warms up
  }
}
func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
for (index, kernel) in kernels.enumerated() {
  let ratio = median(zip(times[0], times[index]).map { $0 / $1 })
  let rate = Double(blocks.count) / median(times[index])
  let best = Double(blocks.count) / (times[index].min() ?? .infinity)
  let name = kernel.map { "\($0)" } ?? "openssl"
  try StandardStream.output.write(
    "{\"kernel\": \"\(name)\", \"fastest\": \(kernel == .fastest && kernel != nil), \"gigabytes_per_second\": \(rate), "
      + "\"best_gigabytes_per_second\": \(best), \"ratio\": \(ratio)}\n")
}
