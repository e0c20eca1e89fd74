import Dispatch
import Linux
import Testing

@testable import Loader

/// Directories that several loads of a run pin in.
@Suite(.enabled(if: Machine.loads)) struct PinDirectoryTests {
  private func own(_ files: MountedFileSystem) throws -> [String] {
    try Directory.names(files.path).filter { $0 != "maps.debug" && $0 != "progs.debug" }
  }

  @Test func goWithTheLastThatFails() throws {
    let files = try MountedFileSystem("bpf")
    let directories = PinDirectories()
    let path = "\(files.path)/run"
    do {
      var first = PinnedPaths(directories)
      try first.makeDirectory("\(path)/first")
      do {
        var second = PinnedPaths(directories)
        try second.makeDirectory("\(path)/second")
        #expect(try Directory.names(path) == ["first", "second"])
        _ = consume first
        // The second's place does not go with the first.
        #expect(try Directory.names(path) == ["second"])
      }
    }
    #expect(try own(files) == [])
  }

  @Test func stayForOneThatIsKept() throws {
    let files = try MountedFileSystem("bpf")
    let directories = PinDirectories()
    do {
      var kept = PinnedPaths(directories)
      try kept.makeDirectory("\(files.path)/run/kept")
      kept.keep()
      var failed = PinnedPaths(directories)
      try failed.makeDirectory("\(files.path)/run/failed")
    }
    #expect(try Directory.names("\(files.path)/run") == ["kept"])
  }

  @Test func thatWereThereStay() throws {
    let files = try MountedFileSystem("bpf")
    try Directory.create("\(files.path)/there")
    let directories = PinDirectories()
    for name in ["a", "b"] {
      var failed = PinnedPaths(directories)
      try failed.makeDirectory("\(files.path)/there/\(name)/deep")
    }
    #expect(try own(files) == ["there"] && Directory.names("\(files.path)/there") == [])
  }

  /// Loads that begin and fail side by side find what they have made, and leave nothing.
  @Test func survivesManyAtOnce() throws {
    let files = try MountedFileSystem("bpf")
    let directories = PinDirectories()
    let base = "\(files.path)/run/all"
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      for round in 0..<500 {
        var pins = PinnedPaths(directories)
        do throws(BPFLoadError) {
          try pins.makeDirectory("\(base)/\(thread)-\(round)")
          try pins.makeOne("\(base)/\(thread)-\(round)/map")
        } catch {
          Issue.record("\(error.diagnostic)")
        }
      }
    }
    #expect(try own(files) == [])
  }
}
