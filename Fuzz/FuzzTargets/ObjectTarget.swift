import BPFAnalysis
import BPFObject
import Base
import ImageFormat
import Signatures

/// A BPF object, and all that is done with its bytes before the kernel sees them: tables, linking, analysis, description.
enum ObjectTarget {
  private static let path = "fuzz/object.bpf.o"

  static func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    let object: LinkedObject
    do throws(BPFObjectError) {
      object = try BPFObject.link(bytes: bytes.rawSpan, objectName: path, allowsExterns: true)
    } catch {
      try requireExplained(error.diagnostic)
      // What is not linked is not described either.
      let file = try file(bytes)
      let described = try? ObjectDescription.describe(bytes, file: file)
      try require(described == nil, "an object that is not linked has no description")
      _ = ObjectVerifier.isSigned(bytes.rawSpan)
      return false
    }
    try checkLinking(object, of: bytes)
    try checkVariables(object)
    try checkChoosing(object)
    try checkSectionTypes(object)
    try checkAnalysis(object)
    try checkDescription(object, of: bytes)
    try checkRewriting(object, of: bytes)
    return true
  }

  private static func file(_ bytes: [UInt8]) throws(BrokenPromise) -> Manifest.File {
    let digest = try keep("SHA-256 is there") { () throws(HashingError) in try Digest.of(bytes.rawSpan) }
    return Manifest.File(path: path, digest: digest, size: UInt64(bytes.count))
  }

  // MARK: - Linking

  /// Instructions are the object's own, but for those that linking says it has changed.
  private static func checkLinking(_ object: LinkedObject, of bytes: [UInt8]) throws(BrokenPromise) {
    try require(object.programs.contains { $0.linkError == nil }, "a linked object has a program that is linked")
    try require(
      object.btf.isEmpty || (try? BTF(object.btf.rawSpan)) != nil, "the type information that is loaded can be read")
    var own: Set<UInt64>?
    if let inventory = try? BPFObject.inventory(bytes.rawSpan) {
      own = Set(inventory.entries.filter(\.holdsInstructions).flatMap { words($0.contents) })
    }
    for program in object.programs {
      guard program.linkError == nil else {
        try require(
          program.instructions.isEmpty && program.edits.isEmpty && program.externUses.isEmpty,
          "nothing is left of a program that cannot be linked")
        continue
      }
      let count = program.instructions.count / 8
      try require(program.instructions.count.isMultiple(of: 8) && count > 0, "a program is of whole instructions")
      try require(
        !program.funcInfo.isEmpty || program.coreRelocations.isEmpty,
        "a program with CO-RE records has func_info, without which they are ignored")
      let changed = program.edits.map(\.index)
      try require(zip(changed, changed.dropFirst()).allSatisfy { $0 < $1 }, "edits are in order, each once")
      try require(changed.allSatisfy { (0..<count).contains($0) }, "edits are of instructions that are there")
      try require(
        program.externUses.allSatisfy { $0.extern < object.externs.count && $0.instruction < count },
        "uses of the kernel's symbols are of instructions and symbols that are there")
      guard let own else { continue }
      var isChanged = Set(changed)
      // Of a load of 64 bits the second half may hold an offset.
      for index in changed where program.instructions[index * 8] == 0x18 { isChanged.insert(index + 1) }
      for (index, word) in words(program.instructions).enumerated() where !isChanged.contains(index) {
        try require(own.contains(word), "instruction \(index) of \(program.name) is the object's own")
      }
    }
    let resolutions = object.externs.map { extern -> ExternResolution in
      extern.kind == .address ? .address(0xffff_8000_0000_1000) : .btf(id: 1, module: 0)
    }
    let value = object.configurationMap.map { [UInt8](repeating: 1, count: object.maps[$0].initialValue.count) }
    _ = try? object.resolving(resolutions, configuration: value)
  }

  private static func words(_ bytes: [UInt8]) -> [UInt64] {
    stride(from: 0, to: bytes.count / 8 * 8, by: 8).map { start in
      bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
  }

  // MARK: - What a load may change

  /// What is chosen of an object is what was there.
  private static func checkChoosing(_ object: LinkedObject) throws(BrokenPromise) {
    for name in Set(object.programs.prefix(3).map(\.name)) {
      var chosen = object
      chosen.keepPrograms { $0.name == name }
      let own = object.programs.filter { $0.name == name }
      try require(chosen.programs.map(\.name) == own.map(\.name), "the programs are those that were named")
      try require(chosen.programs.map(\.instructions) == own.map(\.instructions), "a choice changes no instruction")
      try require(chosen.programs.allSatisfy { !$0.kind.isOptional }, "what was named is loaded")
      try require(chosen.maps == object.maps, "a choice leaves out no map")
      for (new, old) in zip(chosen.programs, own) {
        try require(new.externUses.count == old.externUses.count, "the kernel's symbols stay in use")
        for (use, before) in zip(new.externUses, old.externUses) {
          try require(
            chosen.externs.indices.contains(use.extern) && chosen.externs[use.extern] == object.externs[before.extern],
            "a use is of the symbol that it was of")
        }
      }
      _ = BPFObject.reports(of: chosen)
    }
  }

  /// A section has the type that was stated for it, where its name says none, or attaches to another place with the type that
  /// it has; and what is refused changes nothing.
  private static func checkSectionTypes(_ object: LinkedObject) throws(BrokenPromise) {
    let open = object.sectionsWithoutType
    let named = object.programs.prefix(2).map(\.section).filter { !open.contains($0) }
    for section in open.prefix(2) + named + ["no such section"] {
      for type in ["socket", "xdp", "fentry/do_unlinkat"] {
        guard let stated = SectionType(section: section, type: type) else { continue }
        var changed = object
        guard (try? changed.take([stated])) != nil else {
          try require(changed == object && !open.contains(section), "only what has a type is refused one")
          continue
        }
        let isOpen = open.contains(section)
        for (now, before) in zip(changed.programs, object.programs) where !isOpen {
          try require(
            now.kind.type == before.kind.type && now.kind.expectedAttachType == before.kind.expectedAttachType,
            "a type that is there stays, whatever else its programs attach to")
        }
        try require(!changed.sectionsWithoutType.contains(section), "a type that was stated is there")
        try require(
          changed.programs.map(\.instructions) == object.programs.map(\.instructions), "a type changes no instruction")
        _ = BPFObject.reports(of: changed)
      }
    }
  }

  /// Setting constants changes what is in frozen maps, and nothing else.
  private static func checkVariables(_ object: LinkedObject) throws(BrokenPromise) {
    guard let names = try? object.settableVariables() else { return }
    for name in names.prefix(4) {
      for value in ["1", "-1", "true", "x", "[1]", "[[1,2],[3]]"] {
        for place in [name, name + "[0]", name + ".x"] {
          guard let setting = VariableSetting(place: place, value: value) else { continue }
          var changed = object
          guard (try? changed.set([setting])) != nil else {
            try require(changed == object, "what is refused changes nothing")
            continue
          }
          try require(changed.programs == object.programs, "a constant is no part of a program")
          for (old, new) in zip(object.maps, changed.maps) {
            try require(old.initialValue == new.initialValue || old.isFrozen, "only constants are set")
            try require(old.initialValue.count == new.initialValue.count, "a constant keeps its size")
          }
        }
      }
    }
  }

  // MARK: - Analysis

  private static func checkAnalysis(_ object: LinkedObject) throws(BrokenPromise) {
    let reports = BPFObject.reports(of: object)
    try require(reports.count == object.programs.count, "each program is reported on")
    for (program, report) in zip(object.programs, reports) { try ProgramTarget.check(report, of: program) }
  }

  // MARK: - Description

  /// What an image would say of the object is read back as it was written.
  private static func checkDescription(_ object: LinkedObject, of bytes: [UInt8]) throws(BrokenPromise) {
    let file = try file(bytes)
    let found = try keep("an object that is linked can be described") { () throws(BPFObjectError) in
      try ObjectDescription.describe(bytes, file: file)
    }
    try require(found.programs.count == object.programs.count, "each program is described")
    let manifest = Manifest(name: nil, version: nil, dataBlocks: 1, objects: [found], files: [])
    let again = try keep("the manifest of an object can be read") { () throws(ManifestError) in
      try Manifest(parsing: manifest.text)
    }
    try require(again == manifest, "the manifest of an object comes back as it was written")
    try keep("an object is what its manifest says") { () throws(ManifestError) in
      try again.objects[0].check(against: found)
    }
  }

  // MARK: - Writing it anew

  /// An object without its debugging sections, or with a signature section, loads as the same programs and maps.
  private static func checkRewriting(_ object: LinkedObject, of bytes: [UInt8]) throws(BrokenPromise) {
    let plan = KernelSigningPlan(object: bytes.rawSpan)
    try require(
      plan.contents.allSatisfy { content in object.programs.contains { $0.name == content.program } },
      "what is signed for the kernel is of programs that are there")
    if let stripped = try? BPFObject.strip(bytes.rawSpan) {
      try requireSame(stripped, object, "the stripped object")
      let again = try keep("a stripped object can be stripped") { () throws(BPFObjectError) in
        try BPFObject.strip(stripped.rawSpan)
      }
      try require(again == stripped, "stripping twice changes nothing")
    }
    guard let text = try? ObjectSigner.bytesToSign(of: bytes.rawSpan) else { return }
    let manifest = try keep("the text of an object's signature can be read") { () throws(ObjectSignatureError) in
      try ObjectManifest(text: text)
    }
    try require(manifest.text == text, "the text of an object's signature comes back as it was written")
    guard
      let signed = try? BPFObject.settingSection(
        named: SignatureSection.name, to: [1, 2, 3], in: bytes.rawSpan)
    else { return }
    try requireSame(signed, object, "the object with a signature section")
    let signedText = try? ObjectSigner.bytesToSign(of: signed.rawSpan)
    try require(signedText == text, "a signature section changes nothing of what is signed")
  }

  private static func requireSame(
    _ bytes: [UInt8], _ object: LinkedObject, _ what: String
  ) throws(BrokenPromise) {
    let linked = try keep("\(what) can be linked") { () throws(BPFObjectError) in
      try BPFObject.link(bytes: bytes.rawSpan, objectName: path, allowsExterns: true)
    }
    try require(linked == object, "\(what) is linked to the same programs and maps")
  }
}
