import BPFTestSupport
import BPFObject
import Base
import Linux
import Testing

/// Where objects that others compiled are, when there are any.
private let foreignObjects = Environment.value("VERITY_BPF_OBJECTS")

/// Objects that others compiled, from the directory that VERITY_BPF_OBJECTS names: each links to the bytes libbpf
/// makes of it, and loads, or is refused for a reason.
@Suite(.enabled(if: foreignObjects != nil, "VERITY_BPF_OBJECTS names no directory of objects"))
struct ForeignObjectTests {
  static var files: [String] {
    guard let directory = foreignObjects, let names = try? Directory.names(directory) else { return [] }
    return names.filter { $0.hasSuffix(".o") }
  }

  @Test(arguments: files)
  func linksAsInLibbpf(_ file: String) throws {
    let bytes = try TestObject.read("\(foreignObjects ?? "")/\(file)")
    let name = String(file.prefix { $0 != "." }).replacing("-", with: "_")
    do throws(BPFObjectError) {
      _ = try BPFObject.link(bytes: bytes.rawSpan, objectName: name, allowsExterns: true)
    } catch {
      #expect(error.check == .unsupportedSection, "\(file): \(error)")
      return
    }
    do {
      try SkeletonOracleTests.compare(bytes, name: name)
    } catch let error as SkeletonOracleTests.NoSkeleton {
      print("\(file): no skeleton: \(error.reason.split(separator: "\n").filter { $0.contains("libbpf:") })")
    }
  }

  @Test(.enabled(if: KernelOracle.isAvailable, "bpf(2) is not allowed here"), arguments: files)
  func typesAndMapsLoad(_ file: String) throws {
    let bytes = try TestObject.read("\(foreignObjects ?? "")/\(file)")
    guard let object = try? BPFObject.link(bytes: bytes.rawSpan, allowsExterns: true), object.externs.isEmpty else {
      return
    }
    let oracle = try KernelOracle(object)
    for program in object.programs where program.kind.attachTarget == nil && !program.kind.isOptional {
      do {
        _ = try oracle.tryLoad(program)
      } catch let refusal as KernelOracle.Refusal {
        // The kernel's verdict on the program is the program's affair; that it came to one is what counts here.
        let log = refusal.log.split(separator: "\n").suffix(4).joined(separator: " | ")
        print("\(file): \(program.name) (\(program.section)): \(refusal.error): \(log)")
      }
    }
  }
}
