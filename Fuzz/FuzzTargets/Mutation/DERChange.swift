/// A change of one element of DER, with the lengths of all that hold it made right: a message whose lengths do not fit is
/// refused before anything in it is looked at.
enum DERChange {
  private struct Element {
    let tag: UInt8
    var contents: Contents

    indirect enum Contents {
      case bytes([UInt8])
      case elements([Element])
    }

    var encoded: [UInt8] {
      let bytes: [UInt8] =
        switch contents {
        case .bytes(let bytes): bytes
        case .elements(let elements): elements.flatMap(\.encoded)
        }
      return [tag] + DERChange.length(bytes.count) + bytes
    }

    /// Elements in this one, with itself.
    var count: Int {
      switch contents {
      case .bytes: 1
      case .elements(let elements): elements.reduce(1) { $0 + $1.count }
      }
    }
  }

  private static let depthLimit = 24
  /// Tags of ASN.1 types, and of fields by number.
  private static let tags: [UInt8] = [1, 2, 3, 4, 5, 6, 12, 19, 23, 24, 48, 49, 0xa0, 0xa1, 0x80, 0x81]

  /// Nil for bytes that are no DER.
  static func make(_ bytes: [UInt8], _ capacity: Int, _ mutator: inout Mutator) -> [UInt8]? {
    guard let elements = elements(of: bytes[...], depth: 0), !elements.isEmpty else { return nil }
    var changed = elements
    for _ in 0...mutator.number(below: 3) {
      var number = mutator.number(below: changed.reduce(0) { $0 + $1.count })
      change(&changed, &number, &mutator)
    }
    let encoded = changed.flatMap(\.encoded)
    return encoded.count <= capacity ? encoded : nil
  }

  /// Changes the element with that number, counted from the first one.
  private static func change(_ elements: inout [Element], _ number: inout Int, _ mutator: inout Mutator) {
    for index in elements.indices {
      if number == 0 {
        number = -1
        return changeOne(&elements, index, &mutator)
      }
      number -= 1
      guard case .elements(var inner) = elements[index].contents else { continue }
      change(&inner, &number, &mutator)
      elements[index].contents = .elements(inner)
      if number < 0 { return }
    }
  }

  private enum Kind: CaseIterable {
    case remove
    case repeated
    case exchange
    case tag
    case empty
    case contents
  }

  /// Contents change more often than what is around them.
  private static let kinds = Kind.allCases + [.contents, .contents]

  private static func changeOne(_ elements: inout [Element], _ index: Int, _ mutator: inout Mutator) {
    switch mutator.pick(kinds) ?? .contents {
    case .remove: elements.remove(at: index)
    case .repeated: elements.insert(elements[index], at: mutator.number(below: elements.count + 1))
    case .exchange: elements.swapAt(index, mutator.number(below: elements.count))
    case .tag: elements[index] = Element(tag: mutator.pick(tags) ?? 0, contents: elements[index].contents)
    case .empty: elements.insert(Element(tag: mutator.pick(tags) ?? 0, contents: .bytes([])), at: index)
    case .contents:
      let old = elements[index]
      let contents: [UInt8] =
        switch old.contents {
        case .bytes(let bytes): bytes
        case .elements(let inner): inner.flatMap(\.encoded)
        }
      let new = mutator.changed(contents, capacity: contents.count + 32)
      elements[index] = Element(tag: old.tag, contents: .bytes(new))
    }
  }

  private static func elements(of bytes: ArraySlice<UInt8>, depth: Int) -> [Element]? {
    guard depth < depthLimit else { return nil }
    var found: [Element] = []
    var rest = bytes
    while let tag = rest.popFirst() {
      guard tag & 0x1f != 0x1f, let first = rest.popFirst() else { return nil }
      var count = Int(first)
      if first >= 0x80 {
        guard (1...3).contains(first & 0x7f), rest.count >= Int(first & 0x7f) else { return nil }
        count = rest.prefix(Int(first & 0x7f)).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(Int(first & 0x7f))
      }
      guard count <= rest.count else { return nil }
      let contents = rest.prefix(count)
      rest = rest.dropFirst(count)
      if tag & 0x20 != 0, let inner = elements(of: contents, depth: depth + 1) {
        found.append(Element(tag: tag, contents: .elements(inner)))
      } else {
        found.append(Element(tag: tag, contents: .bytes(Array(contents))))
      }
    }
    return found
  }

  fileprivate static func length(_ count: Int) -> [UInt8] {
    if count < 0x80 { return [UInt8(count)] }
    if count < 0x100 { return [0x81, UInt8(count)] }
    return count < 0x1_0000
      ? [0x82, UInt8(count >> 8), UInt8(count & 255)]
      : [0x83, UInt8(truncatingIfNeeded: count >> 16), UInt8(count >> 8 & 255), UInt8(count & 255)]
  }
}

/// A change of a message, or of an object that has one in a section.
enum SignatureChange {
  static func make(_ bytes: [UInt8], _ capacity: Int, _ mutator: inout Mutator) -> [UInt8]? {
    bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46])
      ? ObjectChange.make(bytes, capacity, &mutator) : DERChange.make(bytes, capacity, &mutator)
  }
}
