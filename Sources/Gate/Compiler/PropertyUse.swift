internal import Policy

/// Who can say what a property asks for: a row, the plan, or only the load itself.
enum PropertyUse {
  /// The kernel's hook, of each load.
  case row
  /// The kernel's hook, of executables whose digests and volumes are known when the plan is made.
  case executable
  /// The plan, of the programs of the images that it was given.
  case plan
  /// The kernel and the loader, when the object is loaded.
  case load

  init(_ property: PolicyDocument.Property) {
    self =
      switch property.name {
      case .programType, .attachType, .helpers: .row
      case .requesterObject, .requesterRoothash: .executable
      case .dmverityRoothash, .blocksVerified, .path, .object, .imageName, .imageVersionMin, .lockdown, .programClass,
        .reads:
        .plan
      // What the hook admits without a digest has no object that it knows; programs of images have one.
      case .dynamic: property.value == .flag(true) ? .row : .plan
      // Only the plan's own verification is known beforehand, not the kernel's word.
      case .witness: property.value == .word("USERSPACE") ? .plan : .load
      case .bootVerified, .dmveritySignature, .fsverityDigest, .fsveritySignature, .bpfSignature, .bpfKeyring,
        .bpfKernel,
        .signatureSource, .signer, .kernelExecute, .executed, .configured, .coreByLoader, .dmverityMode, .requesterUID,
        .requesterGID,
        .requesterPath,
        .requesterSignature:
        .load
      }
  }
}

extension PolicyDocument.Statement {
  /// Whether it allows BPF programs.
  var allowsPrograms: Bool { action == .allow && (operation == .bpfProgLoad || operation == nil) }

  /// Whether rows alone can say all that it asks for.
  var isForRows: Bool {
    kind == .rule
      && properties.allSatisfy { property in
        switch PropertyUse(property) {
        case .row, .executable: true
        case .plan, .load: false
        }
      }
  }

  /// Whether it names the process that asks by its executable.
  var namesExecutable: Bool {
    properties.contains { property in
      switch PropertyUse(property) {
      case .executable: true
      case .row, .plan, .load: false
      }
    }
  }

  /// Whether it is about programs that were made at run time.
  var isAboutGenerators: Bool { properties.contains { $0.name == .dynamic && $0.value == .flag(true) } }

  /// What it asks for that is only known when an object is loaded, each name once.
  var knownAtLoad: [String] {
    var names: [String] = []
    for property in properties where !names.contains(property.name.rawValue) {
      switch PropertyUse(property) {
      case .load: names.append(property.name.rawValue)
      case .row, .executable, .plan: break
      }
    }
    return names
  }

  /// The words of a property that is a list: those of all its lists where it stands several times; nil where it does
  /// not.
  func words(of name: PropertyName) -> [String]? {
    var common: [String]?
    for property in properties where property.name == name {
      guard case .words(let words) = property.value else { continue }
      common = common?.filter { words.contains($0) } ?? words
    }
    return common
  }
}
