import HostReport
import Testing

/// Registrations with binfmt_misc, as the kernel prints them and as we write them.
struct BinaryFormatTests {
  private static let path = "/usr/bin/verity-bpf"

  /// As Linux 6.18 prints what ``BPFObjectFormat/line(_:)`` has registered.
  private static func printed(
    _ interpreter: String = path, flags: String = "OF", state: String = "enabled", machine: String = "f7"
  ) -> String {
    """
    \(state)
    interpreter \(interpreter)
    flags: \(flags)
    offset 0
    magic 7f454c460201010000000000000000000100\(machine)00
    mask ffffffffffffff000000000000000000ffffffff
    """
  }

  @Test func theLineIsTheKernelsForm() {
    #expect(
      BPFObjectFormat.line(Self.path)
        == #":verity-bpf:M:0:\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\xf7\x00:"#
        + #"\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff:/usr/bin/verity-bpf:OF"#)
    #expect(BinaryFormat(Self.printed()) == BPFObjectFormat.registration(Self.path))
  }

  @Test(arguments: [
    ("/usr/bin/verity-bpf", true), ("/a", true), ("verity-bpf", false), ("", false), ("/a:b", false), ("/a\nb", false),
    ("/" + String(repeating: "a", count: 126), true), ("/" + String(repeating: "a", count: 127), false),
    ("/" + String(repeating: "ä", count: 63), true), ("/" + String(repeating: "ä", count: 64), false),
  ])
  func pathsThatCanBeRegistered(path: String, fits: Bool) {
    #expect((BPFObjectFormat.fault(inPath: path) == nil) == fits)
  }

  @Test func readsWhatOthersRegister() throws {
    let ending = try #require(BinaryFormat("disabled\ninterpreter /usr/bin/mono\nflags: \nextension .exe\n"))
    #expect(ending == BinaryFormat(pattern: .ending("exe"), interpreter: "/usr/bin/mono", flags: [], isEnabled: false))
    let plain = try #require(BinaryFormat("enabled\ninterpreter /usr/bin/a b\nflags: POCF\noffset 2\nmagic 0102"))
    #expect(plain.pattern == .bytes([1, 2], mask: [0xff, 0xff], offset: 2) && plain.interpreter == "/usr/bin/a b")
    #expect(plain.flags == Set(BinaryFormat.Flag.allCases) && plain.letters == "POCF")
  }

  /// What is not understood is no registration that is known.
  @Test(arguments: [
    "", "enabled", "on\ninterpreter /a\nflags: \nextension .o", "enabled\ninterpreter /a\nflags: X\nextension .o",
    "enabled\ninterpreter /a\nflags: \nextension o", "enabled\ninterpreter /a\nflags: \nextension .o\noffset 0",
    "enabled\ninterpreter /a\nflags: \noffset 0\nmagic 7f4\n", "enabled\ninterpreter /a\nflags: \noffset -1\nmagic 7f",
    "enabled\ninterpreter /a\nflags: \noffset 9223372036854775807\nmagic 7f",
    "enabled\ninterpreter /a\nflags: \noffset 0\nmagic 7f45\nmask ff", "enabled\nflags: \noffset 0\nmagic 7f",
    "enabled\ninterpreter /a\nflags: \noffset 0\nmagic 7f\nmagic 7f", "enabled\ninterpreter /a\noffset 0\nmagic 7f",
    "enabled\ninterpreter /a\nflags: \noffset 0\nmagic 7f\nweight 3",
  ])
  func otherTextIsNotUnderstood(text: String) { #expect(BinaryFormat(text) == nil) }

  @Test(arguments: [
    // Another machine's objects, and programs.
    (printed(machine: "3e"), false),
    ("enabled\ninterpreter /q\nflags: \noffset 0\nmagic 7f454c460201010000000000000000000200f700", false),
    // All of ELF; what looks behind the header; a shorter magic; an OS ABI that objects may have.
    ("enabled\ninterpreter /q\nflags: \noffset 0\nmagic 7f454c46", true),
    ("enabled\ninterpreter /q\nflags: \noffset 64\nmagic 00", true),
    ("enabled\ninterpreter /q\nflags: \noffset 18\nmagic f700", true),
    ("enabled\ninterpreter /q\nflags: \noffset 7\nmagic 03", true),
    ("enabled\ninterpreter /q\nflags: \noffset 17\nmagic 01", false),
    ("enabled\ninterpreter /q\nflags: \noffset 0\nmagic 4d5a\nmask 0000", true),
    ("enabled\ninterpreter /q\nflags: \nextension .o", true),
    ("enabled\ninterpreter /q\nflags: \nextension .exe", false),
  ])
  func filesThatTwoAreFor(text: String, share: Bool) throws {
    let other = try #require(BinaryFormat(text))
    let own = BPFObjectFormat.registration(Self.path)
    #expect(own.mayShareFiles(with: other) == share && other.mayShareFiles(with: own) == share)
  }

  private static func judge(
    _ entries: [(name: String, text: String?, registered: Int64?)], isEnabled: Bool = true, changed: Int64? = 5
  ) -> ObjectExecution {
    ObjectExecution(
      isEnabled: isEnabled,
      entries: entries.map { .init(name: $0.name, text: $0.text, registered: $0.registered) },
      program: (path, changed), isProgram: { $0 == "/usr/sbin/verity-bpf" })
  }

  @Test func standings() {
    let own = (name: "verity-bpf", text: Self.printed() as String?, registered: 10 as Int64?)
    let qemu = "enabled\ninterpreter /q\nflags: \noffset 0\nmagic 7f454c46"
    #expect(Self.judge([]).standing == .absent)
    #expect(Self.judge([("qemu", qemu, 3)]).standing == .absent)
    #expect(Self.judge([own]).standing == .enabled)
    #expect(Self.judge([own], isEnabled: false).standing == .allDisabled)
    #expect(Self.judge([("verity-bpf", Self.printed(state: "disabled"), 10)]).standing == .disabled)
    #expect(Self.judge([own], changed: nil).standing == .enabled)
    #expect(Self.judge([own], changed: 10).standing == .enabled)
    #expect(Self.judge([own], changed: 11).standing == .outdated)
    // The same file by another name is this program.
    #expect(Self.judge([("verity-bpf", Self.printed("/usr/sbin/verity-bpf"), 10)]).standing == .enabled)
    for text in [
      Self.printed("/tmp/verity-bpf"), Self.printed(flags: "O"), Self.printed(flags: "F"), Self.printed(flags: "OCF"),
      Self.printed(flags: "POF"), Self.printed(machine: "3e"), "what is this", nil,
    ] { #expect(Self.judge([("verity-bpf", text, 10)]).standing == .other, "\(text ?? "nil")") }
  }

  /// The newest registration is asked first; where times say nothing, the worst counts.
  @Test func whoIsAskedFirst() {
    let own = (name: "verity-bpf", text: Self.printed() as String?, registered: 10 as Int64?)
    let elf = "enabled\ninterpreter /q\nflags: \noffset 0\nmagic 7f454c46"
    for (text, registered, isFirst) in [
      (elf, 9, false), (elf, 10, true), (elf, 11, true), (elf, nil, true), ("new in the next kernel", 11, true),
    ] as [(String?, Int64?, Bool)] {
      let execution = Self.judge([("qemu", text, registered), own])
      #expect(execution.standing == (isFirst ? .second : .enabled), "\(text ?? "") \(registered ?? 0)")
      #expect(execution.others == ["qemu"] && execution.before == (isFirst ? ["qemu"] : []))
    }
    #expect(Self.judge([own, ("unread", nil, 9)]).standing == .enabled)
    #expect(Self.judge([own, ("unread", nil, nil)]).standing == .second)
    // It matches other files, or none.
    #expect(Self.judge([own, ("x", Self.printed(machine: "3e"), 11)]).others == [])
    #expect(Self.judge([own, ("x", Self.printed("/x", state: "disabled"), 11)]).others == [])
  }

  @Test func theFileOfSystemdHasTheLine() {
    let lines = BPFObjectFormat.configuration(Self.path).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 3 && lines[0].hasPrefix("#") && lines[1] == BPFObjectFormat.line(Self.path))
    #expect(lines[2].isEmpty)
  }
}
