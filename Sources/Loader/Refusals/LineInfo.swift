internal import BPFObject
internal import Base

/// Where in the source an instruction comes from, after `struct bpf_line_info` (include/uapi/linux/bpf.h).
struct LineInfo {
  /// A line of source code.
  struct Place: Equatable {
    let file: String
    let line: Int
    let code: String
  }

  private let records: [UInt8]
  private let recordSize: Int
  private let btf: BTF?

  /// - Parameter btf: the section whose strings the records refer to; when it cannot be read, nothing is known.
  init(_ program: LinkedProgram, btf: [UInt8]) {
    records = program.lineInfo
    recordSize = Int(program.lineInfoRecordSize)
    self.btf = try? BTF(btf.rawSpan)
  }

  /// The place of the last record that is not after the instruction.
  func place(ofInstruction index: Int) -> Place? {
    guard let btf, recordSize >= 16 else { return nil }
    let bytes = records.rawSpan
    var found: Place?
    for record in stride(from: 0, to: records.count, by: recordSize) {
      guard let start = try? bytes.u32(at: record), let file = try? bytes.u32(at: record + 4),
        let line = try? bytes.u32(at: record + 8), let column = try? bytes.u32(at: record + 12)
      else { return found }
      guard start <= index else { return found }
      guard let fileName = try? btf.string(at: file), let code = try? btf.string(at: line) else { continue }
      found = Place(file: fileName, line: Int(column >> 10), code: String(code.drop { $0 == " " || $0 == "\t" }))
    }
    return found
  }
}
