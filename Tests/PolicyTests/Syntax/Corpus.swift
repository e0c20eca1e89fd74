import Testing
import Linux
import Policy

/// The recorded answers of a running 6.12 kernel, under Tests/Fixtures/ipe-corpus.
enum Corpus {
  static let directory: String = {
    // #filePath is in Tests/PolicyTests/Syntax; the fixtures are beside PolicyTests.
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/") + "/Fixtures/ipe-corpus"
  }()

  static func read(_ path: String) throws -> [UInt8] {
    let descriptor = try OwnedFD.open("\(directory)/\(path)", .readOnly)
    return try descriptor.readToEnd(limit: 1 << 24) ?? []
  }

  /// One policy that was written to securityfs.
  struct Row: CustomTestStringConvertible, Sendable {
    let id: String
    /// `new`, or `update:NAME`.
    let operation: String
    let answer: String
    let name: String
    let version: String
    var testDescription: String { id }
  }

  static let rows: [Row] = {
    guard let table = try? read("kernel-6.12.tsv") else { return [] }
    return String(decoding: table, as: UTF8.self).split(separator: "\n").compactMap { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0) }
      guard fields.count >= 5, !line.hasPrefix("#") else { return nil }
      return Row(id: fields[0], operation: fields[1], answer: fields[2], name: fields[3], version: fields[4])
    }
  }()

  static func policy(_ row: Row) throws -> [UInt8] { try read("policies/\(row.id).pol") }
}
