internal import KernelABI
internal import Loader
internal import BPFAnalysis
internal import BPFObject
internal import Base
internal import Gate
internal import ImageFormat
internal import Linux
internal import Policy
internal import Provenance
internal import Trust

/// The one place where evidence and a program's report become the facts that a policy judges.
extension Facts {
  init(about program: ProgramReport, evidence: Evidence, requester: Requester) {
    self.init(operation: .bpfProgLoad)
    // A load that user space asks for, and asks for here: the kernel has no part in it and checks no signature.
    bpfKernel = false
    isDynamic = false
    requesterUID = requester.identity.uid
    requesterGID = requester.identity.gid
    requesterPath = requester.identity.executable
    requesterObject = requester.facts.digest.map { DigestLiteral($0) }
    requesterRoothash = requester.facts.rootHash.map { DigestLiteral($0) }
    requesterSignature = requester.facts.isSigned
    executed = evidence.isExecuted
    take(program)
    takeSignature(evidence.signature)
    if let file = evidence.fileVerity { takeFileVerity(file, evidence) }
    if let execution = evidence.execution { takeExecution(execution) }
    self.object = evidence.file.map { DigestLiteral($0.digest) }
    if evidence.verity == nil, evidence.volume != nil || evidence.unproven != nil { takeKernelsWord(evidence) }
    settle(evidence)
    guard let verity = evidence.verity, let object = evidence.object else { return }
    // Verified here, whatever the kernel's word is worth: a rule that denies by it does so, and none that allows does
    // while there is a doubt.
    dmverityRoothash = DigestLiteral(verity.rootHash)
    blocksVerified = true
    if let volume = evidence.volume {
      dmverityMode = DMVerityMode(rawValue: volume.mode)
      doubts = volume.doubts.map { VolumeDoubt($0) }
      witnesses = volume.kernelVouches ? .both : .userspace
      takeKernelsSignature(of: volume, evidence)
    } else {
      // A descriptor is on a device, and what the device is has to be known.
      if evidence.descriptor != nil, evidence.loop == nil { doubts = [.deviceUnknown] }
      witnesses = .userspace
      // Without a dm-verity device the kernel has checked no signature.
      dmveritySignature = false
    }
    if let signature = evidence.rootHashSignature, let signer = signature.signer {
      takeSigner(signer, counts: signature.counts && doubts.isEmpty)
    }
    path = "/" + object.path
    self.object = DigestLiteral(object.digest)
    imageName = evidence.image?.name
    imageVersion = evidence.image?.version.flatMap { Manifest.versionNumbers($0) }
  }

  /// What the kernel says of a volume that was not read by a reader here. The engine lets such an object pass by no rule that
  /// does not say x_witness=KERNEL.
  private mutating func takeKernelsWord(_ evidence: Evidence) {
    witnesses = .kernel
    blocksVerified = evidence.unproven?.verifiedBlocks != nil
    object = evidence.unproven.map { DigestLiteral($0.digest) } ?? object
    guard let volume = evidence.volume else {
      doubts = [.deviceUnknown]
      return
    }
    dmverityMode = DMVerityMode(rawValue: volume.mode)
    dmverityRoothash = DigestLiteral(volume.rootHash)
    doubts = volume.doubts.map { VolumeDoubt($0) }
    takeKernelsSignature(of: volume, evidence)
  }

  /// The signature that the kernel took with a volume. Whose it was the kernel does not say: while a signer is revoked, it
  /// counts only where a signer of the root hash is known who is not.
  private mutating func takeKernelsSignature(of volume: VolumeFacts, _ evidence: Evidence) {
    let isSigned = volume.isVouchedByKernelKey && !evidence.mayBeARevokedSigners
    dmveritySignature = isSigned
    if isSigned { takeSource(.kernel) }
  }

  /// What the kernel's IPE says of executing the object. Where its policy allows what no rule is about, its word means
  /// nothing.
  private mutating func takeExecution(_ execution: ExecutionFacts) {
    let document = PolicyDocument.parse(execution.policy.text, dialect: .kernel)
    guard let policy = try? CompiledPolicy(document), policy.deniesByDefault(.execute) else { return }
    kernelExecute = execution.isAllowed
  }

  /// Notes of which properties nothing is missing, because the bytes under the root hash say all that there is.
  private mutating func settle(_ evidence: Evidence) {
    let isInImage = evidence.verity != nil && evidence.object != nil
    if isInImage {
      // What an image proves has no fs-verity beside it.
      settled.insert(.fsverityDigest)
      settled.insert(.fsveritySignature)
      if let image = evidence.image {
        if image.name == nil { settled.insert(.imageName) }
        if image.version == nil { settled.insert(.imageVersionMin) }
      }
      // The object's signature is in its bytes.
      if evidence.signature != nil {
        settled.insert(.bpfSignature)
        settled.insert(.bpfKeyring)
      }
    }
    let others = isInImage ? evidence.rootHashSignature?.signer : evidence.fileVerity?.signature?.signer
    guard others != nil, let signature = evidence.signature else { return }
    switch signature.verdict {
    case .unsigned: if isInImage { settled.insert(.signer) }
    case .ok, .expired: settled.insert(.signer)
    // It is signed, and by whom is not known, unless it was found out all the same.
    case .badSignature, .unknownKey, .fault: if signature.signer != nil { settled.insert(.signer) }
    }
  }

  /// What is known of the object's explicit signature. It was checked here, never by the kernel.
  private mutating func takeSignature(_ signature: SignatureFacts?) {
    guard let signature else { return }
    bpfSignature = SignatureVerdict(rawValue: signature.verdict.rawValue) ?? .fault
    // A certificate that is made for something else is in no keyring. One that has run out is; the engine keeps it from
    // rules that do not say EXPIRED.
    if signature.verdict == .ok || signature.verdict == .expired {
      bpfKeyring = signature.keyring.flatMap { SignatureKeyring(word: $0.uppercased()) }
    }
    // By a signer whose certificate has run out, or is made for something else, no rule allows.
    if let signer = signature.signer { takeSigner(signer, counts: signature.verdict == .ok) }
  }

  /// The signer of a signature that was checked here and holds.
  private mutating func takeSigner(_ signer: Digest, counts: Bool) {
    guard counts else { return doubtedSigners.append(DigestLiteral(signer)) }
    signers.append(DigestLiteral(signer))
    takeSource(.userspace)
  }

  /// What the kernel will have checked when the program is loaded: its instructions, and nothing else. Not what CO-RE makes
  /// of them, not what is in the maps, not the program's type, nor what it is attached to. Its word alone is therefore
  /// enough only for a program that has nothing of the first two, in an image whose signed root hash is over the rest.
  ///
  /// It stands in for a trust anchor that is not there. What was found wrong here (BADSIG, EXPIRED, FAULT) stays as found.
  ///
  /// A ring that its user fills vouches for nothing here: the kernel checks the signature, and no rule hears of it.
  ///
  /// - Parameters:
  ///   - ring: the kernel's own keyring that is to have the key; nil when the kernel is not asked, or asked about another.
  ///   - program: what the kernel would be given; nil counts as one with everything.
  mutating func takeKernelCheck(by ring: Keyring?, of program: LinkedProgram?, _ evidence: Evidence) {
    guard let ring else { return }
    if bpfSignature == .ok {
      takeSource(.kernel)
    } else if bpfSignature == .unknownKey, !evidence.revokesSigners {
      guard let program, program.coreRelocations.isEmpty, !program.usesMaps, hasSignedImage(evidence) else {
        bpfSignature = .partial
        return
      }
      bpfSignature = .ok
      bpfKeyring = .kernel(ring)
      takeSource(.kernel)
    }
  }

  /// Whether the object's bytes, and with them the sections that say what its programs are, lie under a root hash with
  /// a signature that counts.
  private func hasSignedImage(_ evidence: Evidence) -> Bool {
    guard evidence.verity != nil, evidence.object != nil, doubts.isEmpty else { return false }
    return dmveritySignature == true || evidence.rootHashSignature?.counts == true
  }

  /// One more who checked a signature: of the root hash, the object or the file.
  private mutating func takeSource(_ source: Witnesses) {
    signatureSources = (signatureSources ?? []).union(source)
  }

  /// What the kernel says of a file with fs-verity, after the bytes were proven to be those it means.
  private mutating func takeFileVerity(_ file: FileVerityFacts, _ evidence: Evidence) {
    fsverityDigest = DigestLiteral(file.digest)
    let signer = file.signature?.signer
    // As IPE has it: by a key in the kernel's own ring. What the trust anchors say is another fact. While a signer is
    // revoked, it has to be known who this one is.
    fsveritySignature = file.signature?.isCheckedByKernel == true && (signer != nil || !evidence.revokesSigners)
    if let signer { takeSigner(signer, counts: true) }
  }
}

extension VolumeDoubt {
  init(_ doubt: VolumeFacts.Doubt) {
    self =
      switch doubt {
      case .ignoresCorruption: .ignoresCorruption
      case .corruptionSeen: .corruptionSeen
      case .checksAtMostOnce: .checksAtMostOnce
      }
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

  /// The name of the object's own directory of pins.
  var pinName: String { Manifest.LoadEntry.pin(of: objectName) }
}
