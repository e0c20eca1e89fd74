internal import KernelABI
internal import BPFObject

/// What a signature for the kernel would be over, program by program; or why there can be none.
public struct KernelSigningPlan: Equatable, Sendable {
  /// Something to sign.
  public struct Content: Equatable, Sendable {
    public let program: String
    public let form: KernelSignature.Form
    /// The bytes that the kernel checks the signature over.
    public let bytes: [UInt8]
  }

  /// A program, or a form of one, that gets no signature.
  public struct Omission: Equatable, Sendable {
    /// The program; nil for the whole object.
    public let program: String?
    /// The form that is left out; nil for both.
    public let form: KernelSignature.Form?
    /// Why, for people.
    public let reason: String
  }

  /// In the order of the programs, and of the forms of each.
  public private(set) var contents: [Content] = []
  public private(set) var omissions: [Omission] = []

  /// What can be signed in an object. An object that cannot be linked has nothing to sign for the kernel.
  public init(object: RawSpan) {
    do throws(BPFObjectError) {
      // The name is only for the kernel's names of data maps, which nothing signs.
      plan(try BPFObject.link(bytes: object, objectName: "object", allowsExterns: true))
    } catch {
      omissions = [Omission(program: nil, form: nil, reason: "the object cannot be linked: \(error.message)")]
    }
  }

  private mutating func plan(_ linked: LinkedObject) {
    let maps = Self.mapContents(of: linked)
    for program in linked.programs {
      if let error = program.linkError {
        omissions.append(Omission(program: program.name, form: nil, reason: "it cannot be linked: \(error.message)"))
        continue
      }
      guard program.externUses.isEmpty else {
        omissions.append(
          Omission(
            program: program.name, form: nil,
            reason: "it names kernel functions or variables, whose numbers are those of one build of the kernel"))
        continue
      }
      contents.append(Content(program: program.name, form: .instructions, bytes: program.instructions))
      // Nothing that the other form would add.
      guard program.usesMaps else { continue }
      switch maps {
      case .success(let values):
        contents.append(
          Content(program: program.name, form: .instructionsAndMaps, bytes: program.instructions + values))
      case .failure(let obstacle):
        omissions.append(Omission(program: program.name, form: .instructionsAndMaps, reason: obstacle.reason))
      }
    }
  }

  private struct Obstacle: Error {
    let reason: String
  }

  /// The values of all maps one after the other, as they are when the program is loaded.
  private static func mapContents(of linked: LinkedObject) -> Result<[UInt8], Obstacle> {
    // An exclusive map belongs to one program, and all of an object's maps are in every program's `fd_array`.
    guard linked.programs.count == 1, linked.structOps.isEmpty else {
      return .failure(Obstacle(reason: "the object has several programs, and such a map belongs to one"))
    }
    guard linked.configurationMap == nil else {
      return .failure(Obstacle(reason: "a map holds what only the running kernel's configuration says"))
    }
    var values: [UInt8] = []
    for map in linked.maps {
      guard map.type == .array, map.maxEntries == 1, map.inner.isEmpty, !map.pinsByName else {
        return .failure(Obstacle(reason: "map `\(map.name)` is no array of one entry of this program alone"))
      }
      let size = Int(map.valueSize)
      guard map.initialValue.count <= size else {
        return .failure(Obstacle(reason: "map `\(map.name)` begins with more than it holds"))
      }
      values += map.initialValue + [UInt8](repeating: 0, count: size - map.initialValue.count)
    }
    return .success(values)
  }
}
