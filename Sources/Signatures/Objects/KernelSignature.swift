/// A signature of one program that the kernel itself checks when the program is loaded (Linux 6.18 and later).
public struct KernelSignature: Equatable, Sendable {
  /// What is signed. Which of the two a kernel takes depends on its version.
  public enum Form: UInt32, Sendable, CaseIterable {
    /// The instructions as they are given to BPF_PROG_LOAD, before the kernel applies CO-RE. Linux 6.18 to 7.2 take it
    /// whatever maps the program uses, 7.3 only for a program that uses none (kernel/bpf/syscall.c,
    /// bpf_prog_verify_signature).
    case instructions = 1
    /// The instructions, then the value of each map in the order of `fd_array`. Linux 7.3: all maps are arrays of one
    /// entry, frozen, and made for this program alone.
    case instructionsAndMaps = 2

    /// In a word, for people and JSON.
    public var name: String { self == .instructions ? "instructions" : "instructions-and-maps" }
  }

  /// The program's name in the object.
  public let program: String
  public let form: Form
  /// A detached PKCS#7 message in DER, never empty.
  public let message: [UInt8]

  /// Nil for an empty message or name: the kernel takes no message for no signature.
  public init?(program: String, form: Form, message: [UInt8]) {
    guard !message.isEmpty, !program.isEmpty else { return nil }
    self.program = program
    self.form = form
    self.message = message
  }

  /// In the section: the form, the length of the name, the name, the message.
  var record: [UInt8] {
    let name = Array(program.utf8)
    let count = UInt32(truncatingIfNeeded: name.count)
    let numbers = [form.rawValue, count].flatMap { number in
      [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
    return numbers + name + message
  }

  /// Reads what ``record`` writes; nil for anything else.
  init?(record: [UInt8]) {
    func number(at start: Int) -> UInt32? {
      guard record.count >= start + 4 else { return nil }
      return record[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
    guard let form = number(at: 0).flatMap({ Form(rawValue: $0) }), let count = number(at: 4),
      record.count - 8 > Int(count), let name = String(validating: record[8..<8 + Int(count)], as: UTF8.self)
    else { return nil }
    self.init(program: name, form: form, message: Array(record[(8 + Int(count))...]))
  }
}
