internal import KernelABI
internal import Loader
internal import BPFAnalysis
internal import BPFObject
internal import Base
internal import Linux
internal import Policy
internal import Provenance
internal import Trust

/// The one place where evidence and a program's report become the facts that a policy judges.
extension Facts {
  init(about program: ProgramReport, evidence: Evidence, requester: ProcessIdentity) {
    self.init(operation: .bpfProgLoad)
    // A load that user space asks for, and asks for here: the kernel has no part in it and checks no signature.
    bpfKernel = false
    requesterUID = requester.uid
    requesterGID = requester.gid
    requesterPath = requester.executable
    programTypes = [program.typeName]
    attachTypes = program.attachTypeName.map { [$0] } ?? []
    // A helper that has no name here has one that no rule can list, so a rule about helpers does not match.
    helpers = program.helpers.map { $0.name ?? "unknown#\($0.id)" }
    lockdown = program.strictestLockdown
    programClass = program.isRestricted ? .restricted : .full
    reads = KernelReads(program.readScope)

    takeSignature(evidence.signature)
    if let file = evidence.fileVerity { takeFileVerity(file) }
    self.object = evidence.file.map { DigestLiteral($0.digest) }
    if let volume = evidence.volume, let unproven = evidence.unproven { takeKernelsWord(volume, unproven) }
    guard let verity = evidence.verity, let object = evidence.object else { return }
    if let volume = evidence.volume {
      dmverityMode = DMVerityMode(rawValue: volume.mode)
      // On a dm-verity device both witnesses are wanted: where the kernel's word is in doubt, a root hash is nothing
      // that a rule can go by.
      dmverityRoothash = volume.kernelVouches ? DigestLiteral(verity.rootHash) : nil
      witnesses = volume.kernelVouches ? .both : .userspace
      dmveritySignature = volume.isVouchedByKernelKey
      if volume.isVouchedByKernelKey { takeSource(.kernel) }
    } else {
      dmverityRoothash = DigestLiteral(verity.rootHash)
      witnesses = .userspace
      // Without a dm-verity device the kernel has checked no signature.
      dmveritySignature = false
    }
    if let signature = evidence.rootHashSignature, signature.counts, let signer = signature.signer {
      signers.append(DigestLiteral(signer))
      takeSource(.userspace)
    }
    path = "/" + object.path
    self.object = DigestLiteral(object.digest)
    imageName = evidence.image?.name
    imageVersion = evidence.image?.version.flatMap { Self.version($0) }
  }

  /// What the kernel says of a volume that could not be read here. The engine lets such an object pass by no rule that
  /// does not say x_witness=KERNEL.
  private mutating func takeKernelsWord(_ volume: VolumeFacts, _ unproven: UnprovenFacts) {
    dmverityMode = DMVerityMode(rawValue: volume.mode)
    dmverityRoothash = DigestLiteral(volume.rootHash)
    witnesses = .kernel
    dmveritySignature = volume.isVouchedByKernelKey
    if volume.isVouchedByKernelKey { signatureSources = (signatureSources ?? []).union(.kernel) }
    object = DigestLiteral(unproven.digest)
  }

  /// What is known of the object's explicit signature. It was checked here, never by the kernel.
  private mutating func takeSignature(_ signature: SignatureFacts?) {
    bpfSignature = signature.map { SignatureVerdict(rawValue: $0.verdict.rawValue) ?? .fault } ?? .unsigned
    // A certificate that is made for something else is in no keyring. One that has run out is; the engine keeps it from
    // rules that do not say EXPIRED.
    if let signature, signature.verdict == .ok || signature.verdict == .expired {
      bpfKeyring = signature.keyring.flatMap { SignatureKeyring(word: $0.uppercased()) }
    }
    // A signer whose certificate has run out is nobody that a rule names by `x_signer` alone: that takes EXPIRED.
    guard let signature, signature.verdict == .ok, let signer = signature.signer else { return }
    signers.append(DigestLiteral(signer))
    takeSource(.userspace)
  }

  /// What the kernel will have checked when the program is loaded: its instructions, and nothing of what CO-RE makes of
  /// them. Its word alone is therefore enough only for a program without CO-RE records; with them, the signature of the
  /// whole object must hold as well, which covers records and types.
  ///
  /// It stands in for a trust anchor that is not there. What was found wrong here (BADSIG, EXPIRED, FAULT) stays as found.
  ///
  /// A ring that its user fills vouches for nothing here: the kernel checks the signature, and no rule hears of it.
  ///
  /// - Parameters:
  ///   - handover: nil when the kernel is not asked.
  ///   - relocations: the program's CO-RE records; nil counts as some.
  mutating func takeKernelCheck(_ handover: KernelHandover?, relocations: [UInt8]?) {
    guard let ring = handover?.keyring.ring else { return }
    if bpfSignature == .ok {
      takeSource(.kernel)
    } else if bpfSignature == .unknownKey {
      // With CO-RE records nobody vouches for what the instructions become.
      guard relocations?.isEmpty == true else {
        bpfSignature = .partial
        return
      }
      bpfSignature = .ok
      bpfKeyring = .kernel(ring)
      takeSource(.kernel)
    }
  }

  /// One more who checked a signature: of the root hash, the object or the file.
  private mutating func takeSource(_ source: Witnesses) {
    signatureSources = (signatureSources ?? []).union(source)
  }

  /// What the kernel says of a file with fs-verity, after the bytes were proven to be those it means.
  private mutating func takeFileVerity(_ file: FileVerityFacts) {
    fsverityDigest = DigestLiteral(file.digest)
    // As IPE has it: by a key in the kernel's own ring. What the trust anchors say is another fact.
    fsveritySignature = file.signature?.isCheckedByKernel ?? false
    guard let signer = file.signature?.signer else { return }
    signers.append(DigestLiteral(signer))
    takeSource(.userspace)
  }

  /// Dotted decimal numbers; nil for anything else, so that no rule about versions matches.
  private static func version(_ text: String) -> [UInt32]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt32($0) }
    return parts.contains(nil) ? nil : parts.compactMap { $0 }
  }
}

extension KernelReads {
  init(_ scope: ReadScope) {
    self =
      switch scope {
      case .none: .none
      case .declared: .declared
      case .undeclared: .undeclared
      }
  }
}

extension DigestLiteral {
  init(_ digest: Digest) {
    self.init(algorithm: Array(digest.algorithm.rawValue.utf8), bytes: digest.bytes)
  }
}

extension Evidence {
  /// The block device under the mount, in the kernel's short form.
  var deviceName: String? {
    volume.map { "dm-\($0.device.minor)" } ?? loop?.name
  }

  /// The object's file name, for names the kernel shows; `object` when there is none.
  var objectName: String {
    (object?.path ?? file?.path)?.split(separator: "/").last.map { String($0) } ?? "object"
  }

  /// The name of the object's own directory of pins: its file name without `.bpf.o` or `.o`. The BPF file system
  /// refuses names with dots, so they become underscores.
  var pinName: String {
    var name = objectName[...]
    for suffix in [".o", ".bpf"] where name.hasSuffix(suffix) && name.utf8.count > suffix.utf8.count {
      name.removeLast(suffix.utf8.count)
    }
    return String(name.prefix(255).map { $0 == "." ? "_" : $0 })
  }
}
