import Base
import KernelABI
import Linux
import Testing

/// What the kernel says, and what was put in its place. More of how it is done by root is in
/// `Tests/VMTests/KeyringCases.swift` and `LoopbackTests`.
@Suite struct KernelFileTests {
  @Test func readsWhatTheKernelSays() throws {
    // By way of links that stay within procfs.
    #expect(KernelFile.text(.threadStatus)?.contains("CapEff:") == true)
    #expect(KernelFile.text(.processStatus, "self")?.isEmpty == false)
    #expect(try KernelFile.askNumber(.taint) != nil)
    #expect(try KernelFile.has(.firmware) == (try? FileStatus.of(path: "/sys/firmware/efi")).map { _ in true } ?? false)
    #expect(try KernelFile.names(.networkInterfaces)?.contains("lo") == true)
    #expect(KernelFile.link(.executable)?.hasPrefix("/") == true)
  }

  @Test func saysThatTheKernelHasNone() throws {
    for (statement, words) in [
      (KernelStatement.diskSequence, "0:0"), (.loopBackingFile, "no"), (.processStatus, "none"), (.loopNumber, "none"),
    ] {
      #expect(KernelFile.read(statement, words) == .absent, "\(statement)")
      #expect(try KernelFile.ask(statement, words) == nil && !KernelFile.has(statement, words))
    }
    #expect(try KernelFile.askNumber(.diskSequence, "0:0") == nil && KernelFile.order(of: .blockDevice, "0:0") == nil)
  }

  /// Paths that lead out of the kernel's own file systems, and statements that are read in another way.
  @Test func isAnsweredByNobodyElse() throws {
    for (statement, word) in [
      (KernelStatement.processStatus, "self/root/etc/hostname\0"), (.processStatus, "self/cwd/.."),
      (.tracingFile, "../../../etc/hostname"), (.networkInterfaces, ""), (.processStatus, "../etc"),
    ] {
      guard case .unknown(let error) = KernelFile.read(statement, word) else {
        // A directory that is not mounted has none of its files.
        #expect(KernelFile.read(statement, word) == .absent, "\(statement) \(word)")
        continue
      }
      #expect(error.unanswered == statement)
    }
    for statement in [KernelStatement.release, .mapperControl, .distributionConfiguration] {
      guard case .unknown(let error) = KernelFile.read(statement) else {
        Issue.record("\(statement) is read as a file")
        continue
      }
      #expect(error.unanswered == statement && error.diagnostic.code == "provenance.cannot-ask")
    }
  }

  /// The words for each `*`, where this machine has something of that name.
  static func words(_ statement: KernelStatement) -> [String] {
    switch statement {
    case .processStatus: ["self"]
    case .loopNumber: ["0"]
    case .eventSource: ["software", "type"]
    case .integrityPolicyActive, .integrityPolicyVersion: ["policy"]
    case .tracingFile, .debugTracingFile: ["available_filter_functions"]
    default: ["7:0"]
    }
  }

  /// Over each file in turn lies another one, then over its file system. Neither is read.
  @Test(.enabled(if: ProcessIdentity.effectiveUser == 0, "mounts need root"))
  func nothingPutOverAFileIsBelieved() throws {
    let directory = try PrivateDirectory(prefix: "kernel-file")
    let (forged, empty) = ("\(directory.path)/forged", "\(directory.path)/empty")
    try OwnedFD.open(forged, [.writeOnly, .create]).writeAll(Array("N\n".utf8).rawSpan)
    try Directory.create(empty)
    let faults = IsolatedThread.run {
      var faults: [String] = []
      var tried = 0
      for statement in KernelStatement.allCases {
        guard statement.authentication == .kernelFile, case .file = statement.source else { continue }
        let words = Self.words(statement)
        let path = statement.place(words)
        let place = path.hasPrefix("/proc") ? "/proc" : "/sys"
        func refused() -> Bool {
          guard case .unknown(let error) = KernelFile.read(statement, words) else { return false }
          return error.unanswered == statement
        }
        // Absent files cannot be bound over; the file system can.
        if (try? FileStatus.of(path: path)) != nil {
          let was = refused()
          let isPut = try IsolatedThread.bind(forged, over: path) {
            if !refused() { faults.append("\(statement): a file over it is believed") }
          }
          if isPut, !was { tried += 1 }
        }
        _ = try IsolatedThread.bind(empty, over: place) {
          if !refused() { faults.append("\(statement): \(place) hidden is an answer") }
        }
        // Its root has the number that the kernel's own have.
        try Mount.mount("tmpfs", on: place, type: "tmpfs")
        defer { try? Mount.unmount(place) }
        if !refused() { faults.append("\(statement): another file system at \(place) is an answer") }
      }
      return tried > 10 ? faults : faults + ["only \(tried) files could be tried"]
    }
    #expect(faults.isEmpty, "\(faults)")
  }

  /// sysfs numbers its directories in their order: a loop device that was made later has a greater number.
  @Test func directoriesHaveAnOrder() throws {
    let first = try KernelFile.order(of: .firmware) ?? KernelFile.order(of: .networkInterfaces)
    #expect(try #require(first) > 0)
    #expect(first == (try KernelFile.order(of: .firmware) ?? KernelFile.order(of: .networkInterfaces)))
  }
}
