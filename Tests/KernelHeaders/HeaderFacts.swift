public import KernelABI

/// What one version of the kernel's headers says, as far as KernelABI has a word for it.
public struct HeaderFacts: Sendable {
  /// `7.3.4-1~bpo13+1`, or whatever tells the headers apart.
  public let version: String
  /// By the vocabulary's title: names and numbers.
  public let numbers: [String: [String: Int64]]

  /// Reads headers.
  ///
  /// - Parameter text: the contents of a header, by its path below the directory of headers.
  public init<Failure: Error>(version: String, text: (String) throws(Failure) -> String) throws(Failure) {
    var parsed: [[String]: CHeader] = [:]
    var numbers: [String: [String: Int64]] = [:]
    for vocabulary in Vocabulary.all {
      let header: CHeader
      if let known = parsed[vocabulary.headers] {
        header = known
      } else {
        var whole = ""
        for path in vocabulary.headers { whole += try text(path) + "\n" }
        header = CHeader(whole)
        parsed[vocabulary.headers] = header
      }
      var found: [String: Int64] = [:]
      for name in Self.names(of: vocabulary, in: header) { found[name] = header.value(of: name) }
      numbers[vocabulary.title] = found
    }
    self.version = version
    self.numbers = numbers
  }

  private static func names(of vocabulary: Vocabulary, in header: CHeader) -> [String] {
    switch vocabulary.scope {
    case .enumeration(let name):
      // `__MAX_…` and `NR_…` count the others.
      header.enumerators(beside: name).filter {
        !$0.hasPrefix("_") && !$0.hasPrefix("NR_") && !vocabulary.exceptions.contains($0)
      }
    case .macros(let prefix):
      header.macros(withPrefix: prefix).filter { !vocabulary.exceptions.contains($0) }
    case .chosen: vocabulary.constants.map(\.headerName)
    }
  }

  /// Reads what ``text`` wrote.
  ///
  /// - Returns: nil for anything else.
  public init?(text: String) {
    let lines = text.split(separator: "\n")
    guard let first = lines.first, first.hasPrefix("# linux-libc-dev ") else { return nil }
    version = String(first.dropFirst("# linux-libc-dev ".count))
    var numbers: [String: [String: Int64]] = [:]
    for line in lines.dropFirst() {
      let fields = line.split(separator: "\t")
      guard fields.count == 3, let number = Int64(fields[2]) else { return nil }
      numbers[String(fields[0]), default: [:]][String(fields[1])] = number
    }
    self.numbers = numbers
  }

  /// A line a number: vocabulary, name and number, with tabs between.
  public var text: String {
    var lines = ["# linux-libc-dev \(version)"]
    for vocabulary in Vocabulary.all {
      let rows = (numbers[vocabulary.title] ?? [:]).sorted { ($0.value, $0.key) < ($1.value, $1.key) }
      lines += rows.map { "\(vocabulary.title)\t\($0.key)\t\($0.value)" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Where KernelABI and these headers differ, a sentence each.
  ///
  /// - Parameter release: of the kernel that the headers are of; nil to expect everything that KernelABI has.
  public func drift(asOf release: KernelRelease? = nil) -> [String] {
    Vocabulary.all.flatMap { drift(in: $0, asOf: release) }
  }

  private func drift(in vocabulary: Vocabulary, asOf release: KernelRelease?) -> [String] {
    let stated = numbers[vocabulary.title] ?? [:]
    var rows: [String] = []
    for constant in vocabulary.constants {
      let isExpected = release.map { (constant.since ?? $0) <= $0 } ?? true
      let place = "\(vocabulary.title): \(constant.headerName) (\(constant.number))"
      switch stated[constant.headerName] {
      case constant.number? where isExpected: break
      case constant.number?: rows.append("\(place) is there already, and not only since \(constant.since, default: "")")
      case nil where isExpected && constant.since != nil: rows.append("\(place) is not in the headers")
      case nil: break
      case let other?: rows.append("\(place) has the number \(other) in the headers")
      }
    }
    let known = Set(vocabulary.constants.map(\.number))
    for (name, number) in stated.sorted(by: { $0.key < $1.key }) where !known.contains(number) {
      rows.append("\(vocabulary.title): \(name) (\(number)) is not in KernelABI")
    }
    return rows
  }
}
