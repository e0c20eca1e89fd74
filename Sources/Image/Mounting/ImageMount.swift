internal import KernelABI
internal import Base
internal import FileSystems
internal import Verity
internal import ImageFormat
internal import Linux
internal import Signatures
internal import Trust

/// Mounting an image so that it can be opened by descriptor: under dm-verity where the kernel has it, else on a plain
/// loop device.
///
/// Every block is proven against the root hash first. A file system that nobody vouches for is never shown to the
/// kernel's parser, and a wrong root hash is noticed before the first read, not by it.
public enum ImageMount {
  /// What the names of our volumes begin with.
  public static let prefix = "verity-bpf-"

  /// What is written on our loop devices.
  static let loopLabel = "verity-bpf"

  /// Mounts the image, read-only, without devices and set-user-ID programs; needs root.
  ///
  /// - Parameters:
  ///   - image: is not opened again. What is checked and what is set up are one open file, whatever its path leads to by
  ///     then.
  ///   - progress: told the bytes proven and in all.
  public static func mount(
    _ image: borrowing ImageFile, _ request: MountRequest, threads: Int,
    progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
  ) throws(ActivationError) -> MountedVolume {
    let signature = try judge(image, request)
    if let message = signature.forKernel, message.isEmpty {
      throw .signature(
        image: image.path, Diagnostic("mount.signature", .integrity, "it is empty", found: "0 bytes"), messages: [])
    }
    let usesMapper = request.usesDeviceMapper ? try hasDeviceMapper() : false
    if usesMapper { try requireFree(request.volumeName) }
    try prove(image, request, threads: threads, progress)
    let flags: Mount.Flags = [.readOnly, .noDevices, .noSetUserID]
    let options = request.allowsExecution ? flags : flags.union(.noExecution)
    return usesMapper
      ? try mountVolume(image, request, signature, options) : try mountPlain(image, request, signature, options)
  }

  /// The signature that is for the kernel, and what our own trust anchors say of it.
  private struct JudgedSignature {
    let forKernel: [UInt8]?
    let verdict: RootHashVerdict?
  }

  /// Asks whether the root hash or who signed it was revoked. That which came with the image is asked about in any case:
  /// nothing is loaded from an image whose signer was revoked.
  private static func judge(
    _ image: borrowing ImageFile, _ request: MountRequest
  ) throws(ActivationError) -> JudgedSignature {
    func judge(_ signature: EnclosedSignature?) throws(ActivationError) -> JudgedSignature {
      do throws(Revocation) {
        return JudgedSignature(
          forKernel: request.usesDeviceMapper ? signature?.message : nil,
          verdict: try RootHashVerdict.judge(
            request.rootHash, signature: signature?.message, from: signature?.place ?? "", trust: request.trust,
            at: Timestamp.now().seconds))
      } catch {
        throw .revoked(error)
      }
    }
    let enclosed = try judge(image.signature)
    return switch request.signature {
    case .enclosed: enclosed
    case .named(let signature): try judge(signature)
    case .none: JudgedSignature(forKernel: nil, verdict: nil)
    }
  }

  /// A volume that is active already is said to be so: the library would only say that it exists.
  private static func requireFree(_ name: String) throws(ActivationError) {
    let active: DeviceMapper.Device?
    do throws(SystemError) {
      active = try DeviceMapper.open().device(named: name)
    } catch {
      throw .system(error, doing: "device-mapper cannot be used")
    }
    guard let active else { return }
    throw .active(
      name: name, active.number, mounts: Mount.shownPlaces(of: active.number), isGoing: active.isRemovedWhenClosed)
  }

  /// Checks every block of the image.
  private static func prove(
    _ image: borrowing ImageFile, _ request: MountRequest, threads: Int, _ progress: (UInt64, UInt64) -> Void
  ) throws(ActivationError) {
    let report: VerificationReport
    do throws(VerityError) {
      report = try image.verify(rootHash: request.rootHash, threads: threads) { done, total in
        progress(done, total)
        return true
      }
    } catch {
      throw .image(error.diagnostic)
    }
    guard report.isSound, image.holdsFileSystem else {
      var diagnostic =
        report.faults.first?.error.diagnostic
        ?? Diagnostic(
          "mount.no-file-system", .integrity, "it holds no file system that is read here",
          expected: FileSystemFormat.names)
      diagnostic.message = "`\(image.path)` was not mounted: \(diagnostic.message)"
      diagnostic.next = "verity-bpf verify \(image.path)"
      throw .image(diagnostic)
    }
  }

  private static func hasDeviceMapper() throws(ActivationError) -> Bool {
    do throws(SystemError) {
      _ = try DeviceMapper.open()
      return true
    } catch {
      // Only the kernel itself can say that it has none.
      guard error.unanswered == nil, [.enoent, .enodev, .enxio].contains(error.code) else {
        throw .system(error, doing: "device-mapper cannot be used")
      }
      return false
    }
  }

  /// Mounts the image's data on a loop device alone.
  private static func mountPlain(
    _ image: borrowing ImageFile, _ request: MountRequest, _ signature: JudgedSignature, _ options: Mount.Flags
  ) throws(ActivationError) -> MountedVolume {
    if case .named = request.signature, signature.forKernel != nil {
      throw .image(
        Diagnostic(
          "mount.no-device-mapper", .unsupported, "the signature cannot be given to the kernel",
          expected: "device-mapper (/dev/mapper/control)", found: "a kernel or container without it",
          next: "mount by root hash alone, for objects that `load` proves by itself: without --root-hash-signature"))
    }
    let loop = try attach(.data, of: image)
    try mount(loop.number, at: loop.path, of: image, on: request.directory, options)
    return MountedVolume(
      directory: request.directory, device: loop.path, rootHash: request.rootHash, witness: .none, keyring: nil,
      signature: signature.verdict, isSignatureUnused: signature.forKernel != nil)
  }

  /// Mounts the device of that number, whatever its node's path leads to by now. One that is suspended is not waited for.
  private static func mount(
    _ number: DeviceNumber, at path: String, of image: borrowing ImageFile, on directory: String,
    _ options: Mount.Flags
  ) throws(ActivationError) {
    let failure: SystemError?
    // What claims to be none of them was refused when its blocks were verified.
    let type = (image.fileSystemFormat ?? .erofs).magic.name
    do throws(SuspendedDevice) {
      failure = try SuspendedDevice.bounding(number) {
        do throws(SystemError) {
          try KernelDevice.requireBlock(number, at: path)
          try Mount.mount(path, on: directory, type: type, options)
          return nil
        } catch {
          return error
        }
      }
    } catch {
      var diagnostic = error.diagnostic
      diagnostic.message = "`\(image.path)` was not mounted: \(diagnostic.message)"
      throw .image(diagnostic)
    }
    do throws(SystemError) {
      if let failure { throw failure }
      // mount(2) looks the path up by itself.
      let mounted = try FileStatus.of(path: directory).device
      guard mounted == number else {
        try? Mount.unmount(directory)
        throw SystemError.unanswered(.blockNode, at: path, found: "device \(mounted), and not device \(number)")
      }
    } catch {
      throw .system(error, doing: "`\(image.path)` was not mounted")
    }
  }

  private static func attach(
    _ part: ImageFile.Part, of image: borrowing ImageFile
  ) throws(ActivationError) -> AttachedLoop {
    do throws(SystemError) {
      return try image.attach(part, label: loopLabel)
    } catch {
      throw .system(error, doing: "no loop device for `\(image.path)`")
    }
  }

  /// Activates a device-mapper volume over the image's parts and mounts that.
  private static func mountVolume(
    _ image: borrowing ImageFile, _ request: MountRequest, _ signature: JudgedSignature, _ options: Mount.Flags
  ) throws(ActivationError) -> MountedVolume {
    let name = request.volumeName
    let data = try attach(image.kind == .appended ? .whole : .data, of: image)
    let hashes = image.kind == .appended ? nil : try attach(.hashes, of: image)
    let hashDevice =
      switch hashes {
      case .some(let hashes): hashes.path
      case nil: data.path
      }
    do throws(VerityActivation.Failure) {
      try VerityActivation(
        name: name, dataDevice: data.path, hashDevice: hashDevice, hashOffset: image.layout.superblockOffset,
        rootHash: request.rootHash.bytes, signature: signature.forKernel
      ).activate()
    } catch {
      // Another run may have been faster, between the question whether the name is free and this.
      if case .refused = error { try requireFree(name) }
      // The kernel decides what it takes. Why it did not can be that there was nothing to take.
      if let message = signature.forKernel, case .refused(_, let messages) = error {
        do throws(SignatureError) {
          try SignedMessage.checkForm(message, isDetached: true)
        } catch {
          throw .signature(image: image.path, error.diagnostic, messages: messages)
        }
      }
      throw .activation(name: name, error, isSigned: signature.forKernel != nil)
    }
    let volume: HeldVolume
    do throws(SystemError) {
      volume = try HeldVolume(name)
    } catch {
      // Nothing is left behind; should this fail too, the first failure is the one to be told.
      try? VerityActivation.deactivate(name: name)
      throw .system(error, doing: "`\(image.path)` was not mounted")
    }
    do throws(ActivationError) {
      try mount(volume.number, at: volume.path, of: image, on: request.directory, options)
    } catch {
      let number = volume.number
      _ = consume volume
      _ = goes { KernelFile.read(.mappedName, number.description).text != name }
      throw error
    }
    return MountedVolume(
      directory: request.directory, device: volume.path, rootHash: request.rootHash,
      witness: signature.forKernel == nil ? .rootHash : .signed,
      keyring: signature.forKernel == nil ? nil : .ask(about: volume.number), signature: signature.verdict,
      isSignatureUnused: false)
  }
}

/// A volume that is held open, and that the kernel takes down with its last user: this value, or whatever has mounted or
/// opened it by then. So nothing is left of a run that is killed, nor of one that others unmounted.
private struct HeldVolume: ~Copyable {
  let number: DeviceNumber
  let path: String
  private let device: OwnedFD

  /// Takes hold of a volume that was just activated.
  init(_ name: String) throws(SystemError) {
    let mapper = try DeviceMapper.open()
    guard let active = try mapper.device(named: name) else {
      throw SystemError.unanswered(.mapperDevice, at: name, found: "no such device")
    }
    let node = KernelStatement.mappedNode.place(name)
    let open = try KernelDevice.openBlock(active.number, at: node)
    // By the number, which no other device has while this one is open.
    guard try mapper.removeWhenUnused(active.number) else {
      throw SystemError.unanswered(.mapperDevice, at: name, found: "a device that was removed though it is open")
    }
    number = active.number
    path = node
    device = open
  }
}
