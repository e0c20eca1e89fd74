import Glibc
import Linux

/// A directory for one input's files, which are gone with this value.
final class Scratch {
  let path: String

  init() throws(BrokenPromise) {
    path = try keep("a temporary directory can be made") { () throws(SystemError) in
      try Directory.createTemporary(prefix: "verity-bpf-fuzz")
    }
  }

  deinit { Cleanup.remove(path) }

  func write(_ name: String, _ bytes: [UInt8], mode: UInt32 = 0o600) throws(BrokenPromise) {
    try keep("a file can be written") { () throws(SystemError) in
      let file = try OwnedFD.open("\(path)/\(name)", [.writeOnly, .create, .truncate], mode: mode)
      try file.writeAll(bytes.span.bytes)
    }
  }

  func makeDirectory(_ name: String) throws(BrokenPromise) {
    try keep("a directory can be made") { () throws(SystemError) in
      try Directory.create("\(path)/\(name)", mode: 0o700)
    }
  }
}
