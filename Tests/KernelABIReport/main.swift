import Base
import Glibc
import KernelABI
import KernelHeaders
import Linux

// Compares KernelABI with headers of the kernel and writes their numbers down: kernel-abi HEADERS VERSION NUMBERS.
// HEADERS is a directory like /usr/include, VERSION that of its package, NUMBERS the file that the tests read. Prints a
// line for everything that only one of the two has, and exits with 1 then; tools/kernel-abi gets the headers.

let arguments = CommandLine.arguments
guard arguments.count == 4, let release = KernelRelease(parsing: arguments[2]) else {
  try StandardStream.error.write("usage: kernel-abi HEADERS VERSION NUMBERS\n")
  exit(64)
}
do throws(SystemError) {
  let facts = try HeaderFacts(version: arguments[2]) { (path) throws(SystemError) in
    let file = try OwnedFD.open("\(arguments[1])/\(path)", .readOnly)
    return String(decoding: try file.readToEnd(limit: 8 << 20) ?? [], as: UTF8.self)
  }
  let numbers = try OwnedFD.open(arguments[3], [.writeOnly, .create, .truncate])
  try numbers.writeAll(Array(facts.text.utf8).rawSpan)
  let drift = facts.drift()
  for row in drift { try StandardStream.output.write("\(row)\n") }
  let count = facts.numbers.values.reduce(0) { $0 + $1.count }
  try StandardStream.output.write(
    "kernel-abi: \(count) numbers of Linux \(release) (linux-libc-dev \(facts.version)); "
      + (drift.isEmpty ? "KernelABI has them all\n" : "\(drift.count) differ\n"))
  if !drift.isEmpty { exit(1) }
} catch {
  try StandardStream.error.write("kernel-abi: \(error)\n")
  exit(2)
}
