import BPFObject
import Base
import Image
import Linux
import Signatures

/// `verity-bpf sign file`: the explicit signature of an object that is on no image.
struct SignFileCommand: Command {
  enum Format: String, ArgumentChoice {
    case companion
    case module
  }

  static let object: Key<String> = .required("OBJECT", takes: .object, "The object, as clang made it.")
  static let format: Key<Format> = .optional(
    "--format", default: .companion, "How the signature is put to the object.")
  static let emitTBS: Key<String?> = .optional(
    "--emit-tbs", takes: .file, "Write the bytes to sign to this file, and sign nothing.")
  static let attachSignature: Key<String?> = .optional(
    "--attach-signature", takes: .file, "Put this signature to the object, a detached PKCS#7 message in DER.")
  static let output: Key<String?> = .optional(
    "--output", short: "-o", takes: .file, "The file to write. (default: the object itself)")

  static let declaration = Declaration(
    "Sign a BPF object.",
    discussion: """
      The object gets a section .bpf_sig with a list of everything in it that matters for loading, and a detached PKCS#7 \
      signature over that list. bpftool and libbpf load the object as before; stripping debugging data \
      (llvm-strip -g) keeps the signature valid, and any other change breaks it. A signature that is there already is \
      replaced. --format module puts the signature of kernel modules behind the file instead, as the kernel's own \
      scripts/sign-file does: it covers every byte.

      Each program also gets a signature that the kernel itself can check (Linux 6.18 and later, `load --keyring`), over \
      its instructions as they are loaded.

      With --emit-tbs nothing is signed: the bytes to sign are written to a file. Whatever holds the key signs them \
      (openssl cms -sign -binary -noattr -nocerts -md sha256 -outform DER), and --attach-signature puts the result to \
      the object.

      The key is a PEM file, or a URI that OpenSSL's store opens: file:, or pkcs11: and the like when openssl.cnf loads \
      a provider for it. For pkcs11: OpenSSL's engine of that name will do.
      """,
    examples: ["verity-bpf sign file agent.bpf.o --certificate cert.pem --private-key key.pem"],
    arguments: [object],
    options: [
      SigningOptions.certificate, SigningOptions.privateKey, SigningOptions.passphraseFile, format, emitTBS,
      attachSignature, output, CommonOptions.json,
    ])
  static let schema = "verity-bpf/sign-file/1"

  static let configuresLibraries = true

  let object: String
  let certificate: String?
  let privateKey: String?
  let passphraseFile: String?
  let format: Format
  let emitTbs: String?
  let attachSignature: String?
  let output: String?
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    object = try words[Self.object]
    certificate = try words[SigningOptions.certificate]
    privateKey = try words[SigningOptions.privateKey]
    passphraseFile = try words[SigningOptions.passphraseFile]
    format = try words[Self.format]
    emitTbs = try words[Self.emitTBS]
    attachSignature = try words[Self.attachSignature]
    output = try words[Self.output]
    json = try words[CommonOptions.json]
    guard passphraseFile == nil || privateKey != nil else { throw UsageError(SigningOptions.passphraseWithoutKey) }
    switch (emitTbs, attachSignature) {
    case (nil, nil):
      guard certificate != nil, privateKey != nil else {
        throw UsageError("Signing takes both --certificate and --private-key.")
      }
    case (_?, nil):
      guard certificate == nil, privateKey == nil, output == nil else {
        throw UsageError("--emit-tbs signs nothing: it takes neither a certificate, nor a key, nor --output.")
      }
    case (nil, _?):
      guard privateKey == nil else { throw UsageError("--attach-signature takes no key: the signature is there.") }
    case (_?, _?):
      throw UsageError("Give --emit-tbs or --attach-signature, not both: they are two steps.")
    }
  }

  var wantsJSON: Bool { json }
  var done: String? { "`\(emitTbs ?? output ?? object)` is written" }

  func execute() throws -> Int32 {
    let bytes = try read()
    if let emitTbs { return try emit(to: emitTbs, of: bytes) }
    let pem = try certificate.map { try CertificateOption.read($0) }
    let signed: [UInt8]
    var plan: KernelSigningPlan?
    if let attachSignature {
      let message = try PolicyFile.read(attachSignature)
      signed = try attach(message, to: bytes, certificate: pem)
      if pem == nil {
        Output.warning(
          "signature.unchecked", "the signature was not checked: --certificate FILE says whose it should be")
      }
    } else {
      // `init` saw to it that both are there.
      let key = try PrivateKey(try KeySource.named(privateKey ?? "", passphraseFile: passphraseFile))
      switch format {
      case .companion:
        let contents = KernelSigningPlan(object: bytes.rawSpan)
        signed = try ObjectSigner.sign(bytes.rawSpan, certificate: pem ?? [], key: key, forKernel: contents)
        plan = contents
      case .module: signed = try ModuleSignature.sign(bytes.rawSpan, certificate: pem ?? [], key: key)
      }
    }
    // With its signature it may be no larger than what is read.
    try BPFObject.requireSize(UInt64(signed.count))
    // In place: the file behind a symbolic link, with the owner and mode that it has.
    let path = try output ?? Directory.resolved(object)
    // The object may be replaced: that is where its signature goes.
    var inputs = RunInputs(certificate: certificate, key: privateKey, passphraseFile: passphraseFile)
    inputs.add(attachSignature, as: "the signature")
    try PolicyFile.save(signed, to: path, keeping: inputs, keepsStatus: output == nil)
    let signer = try pem.flatMap { try Certificates(pem: $0).fingerprints().first }
    if json {
      try Output.json([
        "schema": .string(Self.schema), "object": .string(object), "output": .string(path),
        "format": .string(format.rawValue), "signer": .optional(signer?.description),
        "kernel": plan?.json ?? nil,
      ])
    } else {
      var lines = [Output.row("signed", path)]
      if let signer { lines.append(Output.row("signer", "\(signer)")) }
      lines += plan?.lines ?? []
      if attachSignature != nil, format == .companion {
        lines.append(
          Output.row(
            "kernel", "nothing: this signature is of the object; signed with --private-key, its programs are signed too"
          ))
      }
      try Printout.print(lines)
    }
    return 0
  }

  /// The object; for a companion section without the module signature that it may have, which would cover other bytes.
  private func read() throws -> [UInt8] {
    let file = try OwnedFD.openRegular(object)
    try requireObject(file)
    try BPFObject.requireSize(try file.status().size)
    let bytes = try file.readToEnd(of: object, limit: BPFObject.maximumByteCount)
    let content = try ModuleSignature.bytesToSign(of: bytes.rawSpan)
    // What is no object is not signed as one, whatever the form.
    _ = try ObjectSigner.bytesToSign(of: content.rawSpan)
    guard format == .companion, content.count < bytes.count else { return bytes }
    Output.warning(
      "sign.trailer-removed", "the module signature behind `\(object)` is not over the new section: it is gone")
    return content
  }

  /// Refuses what is no object before its size is asked for: an image is larger than any object.
  private func requireObject(_ file: borrowing OwnedFD) throws {
    var head = [UInt8](repeating: 0, count: BPFObject.FileKind.headByteCount)
    guard try file.readFully(at: 0, into: &head), case .other = BPFObject.FileKind(ofHead: head) else { return }
    var isImage = false
    do throws(ImageFileError) {
      _ = try ImageFile.open(object)
      isImage = true
    } catch {}
    throw DiagnosedFailure(
      Diagnostic(
        BPFObjectError.Check.notELF.rawValue, .incomplete, "`\(object)` is no BPF object", expected: "an ELF file",
        found: isImage ? "a dm-verity image" : "something else",
        next: isImage
          ? "sign its root hash: verity-bpf sign root-hash \(object) --certificate CERTIFICATE --private-key KEY"
          : "compile one: clang -target bpf -O2 -g -c program.bpf.c -o program.o"))
  }

  /// The first of two steps.
  private func emit(to path: String, of bytes: [UInt8]) throws -> Int32 {
    let content =
      switch format {
      case .companion: try ObjectSigner.bytesToSign(of: bytes.rawSpan)
      case .module: try ModuleSignature.bytesToSign(of: bytes.rawSpan)
      }
    var inputs = RunInputs()
    inputs.add(object, as: "the object")
    try PolicyFile.save(content, to: path, keeping: inputs)
    if json {
      try Output.json([
        "schema": .string(Self.schema), "object": .string(object), "to_be_signed": .string(path),
        "format": .string(format.rawValue),
      ])
    } else {
      try Output.line(Output.row("to sign", "\(path), \(content.count) bytes"))
    }
    return 0
  }

  private func attach(_ message: [UInt8], to bytes: [UInt8], certificate: [UInt8]?) throws -> [UInt8] {
    guard let certificate else {
      return switch format {
      case .companion: try ObjectSigner.attachUnchecked(message, to: bytes.rawSpan)
      case .module: try ModuleSignature.attachUnchecked(message, to: bytes.rawSpan)
      }
    }
    let trusted = try Certificates(pem: certificate)
    return switch format {
    case .companion: try ObjectSigner.attach(message, to: bytes.rawSpan, trusted: trusted)
    case .module: try ModuleSignature.attach(message, to: bytes.rawSpan, trusted: trusted)
    }
  }
}
