internal import Base
internal import Policy

/// The fields of a decision as `ausearch -i` prints them: names from outside are decoded and stand without quotes, and a
/// digest in the rule has lost bytes, because ausearch takes the first quote inside for the end of the rule.
enum InterpretedFields {
  struct Failure: Error {
    let reason: String
  }

  private static func cut(_ name: String) -> Failure { Failure(reason: "the field \(name)= is missing or cut") }

  static func access(_ body: ArraySlice<UInt8>) throws(Failure) -> AuditRecord {
    // The kernel prints the rule last. A name from outside may hold blanks and what looks like fields, so the fields behind
    // it are looked for from the end.
    guard let rulePlace = last(" rule=", in: body) else { throw cut("rule") }
    let rule = try rule(body[(rulePlace + 6)...])
    guard let inodePlace = last(" ino=", in: body[..<rulePlace]) else { throw cut("ino") }
    guard let devicePlace = last(" dev=", in: body[..<inodePlace]) else { throw cut("dev") }
    let head = body[..<devicePlace]
    guard let commandPlace = head.firstIndex(of: Array(" comm=".utf8)) else { throw cut("comm") }
    guard let pathPlace = head.firstIndex(of: Array(" path=".utf8), from: commandPlace) else { throw cut("path") }
    var words: [String: String] = [:]
    for word in head[..<commandPlace].split(separator: 0x20) {
      guard let equals = word.firstIndex(of: UInt8(ascii: "=")) else { continue }
      words[text(word[..<equals])] = text(word[(equals + 1)...])
    }
    guard let operation = words["ipe_op"] else { throw cut("ipe_op") }
    guard let hook = words["ipe_hook"] else { throw cut("ipe_hook") }
    guard let enforcing = words["enforcing"].flatMap({ flags[$0] }) else { throw cut("enforcing") }
    guard let pid = words["pid"].flatMap({ Int32($0) }) else { throw cut("pid") }
    let device = value(body[(devicePlace + 5)..<inodePlace])
    let file = device.map {
      AccessRecord.File(
        path: value(body[(pathPlace + 6)..<devicePlace]), device: Array($0),
        inode: UInt64(text(body[(inodePlace + 5)..<rulePlace])))
    }
    let record = AccessRecord(
      operation: operation, hook: hook, enforcing: enforcing, pid: pid,
      command: value(head[(commandPlace + 6)..<pathPlace]) ?? [], file: file, rule: rule)
    return RefusalRecord(record).map { .refusal($0) } ?? .access(record)
  }

  private static let flags = ["1": true, "yes": true, "0": false, "no": false]

  private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  /// A value without its quotes, where it has any; nil for `?`.
  private static func value(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
    if bytes.elementsEqual([UInt8(ascii: "?")]) { return nil }
    let isQuoted = bytes.count >= 2 && bytes.first == 0x22 && bytes.last == 0x22
    return Array(isQuoted ? bytes.dropFirst().dropLast() : bytes)
  }

  private static func last(_ word: String, in bytes: ArraySlice<UInt8>) -> Int? {
    let wanted = Array(word.utf8)
    var (found, from): (Int?, Int?) = (nil, nil)
    while let place = bytes.firstIndex(of: wanted, from: from) { (found, from) = (place, place + 1) }
    return found
  }

  /// The rule as policies write it.
  private static func rule(_ bytes: ArraySlice<UInt8>) throws(Failure) -> String {
    var rule = text(bytes.filter { $0 != 0x22 }[...])
    while rule.hasSuffix(" ") { rule.removeLast() }
    for action in Action.allCases where rule.hasSuffix(" action=unknown-action(\(action.rawValue))") {
      rule.removeLast(action.rawValue.count + 16)
      rule += "\(action.rawValue)"
    }
    guard Action.allCases.contains(where: { rule.hasSuffix("action=\($0.rawValue)") }) else { throw cut("rule") }
    // `dmverity_roothash=" ha256":AB` was `dmverity_roothash="sha256":AB`.
    var words: [Substring] = []
    var owner: Substring?
    for word in rule.split(separator: " ") {
      guard let name = owner else {
        if word == "dmverity_roothash=" || word == "fsverity_digest=" { owner = word } else { words.append(word) }
        continue
      }
      let rest = word.prefix { $0 != ":" }
      let known = DigestLiteral.knownAlgorithms.filter { $0.dropFirst() == rest }
      guard known.count == 1, let algorithm = known.first else {
        throw Failure(reason: "ausearch -i has lost a part of the rule's digest; ausearch --raw prints it")
      }
      words.append("\(name)\(algorithm)\(word.dropFirst(rest.count))")
      owner = nil
    }
    guard owner == nil else { throw cut("rule") }
    return AuditEncoding.policyText(words.map { String($0) }.separated(by: " "))
  }
}
