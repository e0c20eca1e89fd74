import Linux
import Testing

struct ProcessIdentityTests {
  @Test func isWhatProcSays() throws {
    let identity = ProcessIdentity.current()
    func value(_ name: String) throws -> String {
      let file = try OwnedFD.open("/proc/thread-self/\(name)", .readOnly)
      return String(decoding: try #require(try file.readToEnd(limit: 4096)), as: UTF8.self)
    }
    #expect(String(decoding: identity.command, as: UTF8.self) + "\n" == (try value("comm")))
    #expect((try value("status")).contains("\nTgid:\t\(identity.pid)\n"))
    #expect(String(identity.auditUID ?? .max) == (try value("loginuid")))
    #expect(String(ProcessIdentity.auditSession() ?? .max) == (try value("sessionid")))
  }

  @Test func theExecutableIsTheFileThatRuns() throws {
    let opened = try KernelFile.openExecutable().status()
    let named = try FileStatus.of(path: try #require(ProcessIdentity.current().executable))
    #expect(opened.inode == named.inode && opened.device == named.device && opened.kind == .regular)
  }
}
