import BPFObject
import Base
import Linux
import Signatures
import TestSupport
import Testing

/// Objects that other people compiled, found by `tools/corpus`: signed, stripped, and changed in every section.
@Suite(
  .enabled(if: ForeignObjects.directory != nil, "VERITY_BPF_CORPUS names no directory of objects"))
struct ForeignObjectTests {
  @Test func everyObjectCanBeSigned() throws {
    let signer = try Signer()
    let trusted = try signer.trusted("alice")
    let key = try signer.key("alice")
    let certificate = try signer.pem("alice.crt")
    let paths = try ForeignObjects.paths()
    #expect(paths.count > 90)
    for path in paths {
      let object = try OwnedFD.open(path, .readOnly).readToEnd(limit: 64 << 20) ?? []
      let signed = try ObjectSigner.sign(
        object.rawSpan, certificate: certificate, key: key, forKernel: KernelSigningPlan(object: object.rawSpan))
      let isSound = Self.holds(signed, trusted)
      #expect(isSound, "\(path)")
      let isSoundStripped = Self.holds(try signer.changed(signed, by: "llvm-strip", "-g"), trusted)
      #expect(isSoundStripped, "\(path), stripped")
      for place in try Self.places(in: signed, signer) {
        var changed = signed
        changed[place] ^= 0x20
        let isTaken = Self.holds(changed, trusted)
        #expect(!isTaken, "\(path), byte \(place)")
      }
    }
  }

  private static func holds(_ object: [UInt8], _ trusted: borrowing Certificates) -> Bool {
    do throws(ObjectSignatureError) {
      _ = try ObjectVerifier.verify(object.rawSpan, trusted: trusted)
      return true
    } catch {
      return false
    }
  }

  /// A byte in the middle of every section, as llvm-readelf sees them; of string tables the last, which ends a name.
  private static func places(in object: [UInt8], _ signer: Signer) throws -> [Int] {
    let table = try Tools.run("llvm-readelf", "-S", "--wide", try signer.directory.write("signed.o", object))
    var places: [Int] = []
    for line in table.split(separator: "\n") {
      guard
        let match = line.firstMatch(of: #/\] (\S+) +(\S+) +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) /#), match.2 != "NOBITS",
        let offset = Int(match.3, radix: 16), let size = Int(match.4, radix: 16), size > 0
      else { continue }
      places.append(match.2 == "STRTAB" ? offset : offset + size / 2)
    }
    return places
  }
}

/// The directory that VERITY_BPF_CORPUS names.
private enum ForeignObjects {
  static let directory = Environment.value("VERITY_BPF_CORPUS")

  static func paths() throws -> [String] {
    guard let directory else { return [] }
    let listing = try Tools.run("find", directory, "-name", "*.o", "-type", "f")
    return listing.split(separator: "\n").map { String($0) }.sorted()
  }
}
