internal import Base
internal import Verity
internal import ImageFormat
internal import Image
internal import Linux
internal import Trust

/// The data blocks under a dm-verity device, verified here as they are read.
struct VolumeBlocks: ~Copyable {
  let device: ProvenImage.Device
  /// The node of the device that holds them, and what it is.
  let path: String
  let status: FileStatus
}

extension ProvenImage {
  /// Opens the devices under a dm-verity device, so that the bytes are proven here too, from the same blocks and against
  /// the root hash that the kernel has in force.
  static func open(
    under witness: KernelWitness, expected: Digest?, trust: Trust
  ) throws(ProvenanceError) -> ProvenImage {
    let facts = witness.facts
    try witness.require(expected)
    let signature = try RootHashVerdict.judge(facts.rootHash, signature(of: facts), trust: trust)
    let blocks = try VolumeBlocks.open(under: witness)
    let (path, status) = (blocks.path, blocks.status)
    return try settle(
      blocks.takeDevice(), path: path, wasExpected: expected != nil, status: status, signature: signature)
  }

  /// The signature that lies beside the file under the data device, or in it, when there is one.
  ///
  /// The kernel keeps no signature that it has taken. Where this one was found does not matter: it is held against the
  /// root hash that the kernel has in force.
  private static func signature(of facts: VolumeFacts) -> EnclosedSignature? {
    guard let loop = try? LoopFacts(of: facts.dataDevice) else { return nil }
    // Of a disk with several slots, the one with the root hash that is in force.
    return try? ImageFile.open(
      loop.backingFile, offset: loop.offset, sizeLimit: loop.sizeLimit, rootHash: facts.rootHash
    ).signature
  }
}

extension VolumeBlocks {
  /// The device, without the rest.
  consuming func takeDevice() -> ProvenImage.Device { device }

  /// Opens the devices under a dm-verity device.
  ///
  /// The table decides where things are; the superblock on the device must say the same.
  static func open(under witness: KernelWitness) throws(ProvenanceError) -> VolumeBlocks {
    let facts = witness.facts
    let treeEnd = try treeEnd(of: witness)
    let isAppended = facts.dataDevice == facts.hashDevice && witness.hasTreeBehindData
    let data = try window(of: facts.dataDevice, byteCount: isAppended ? treeEnd : witness.parameters.dataByteCount)
    let path: String
    let status: FileStatus
    do throws(SystemError) {
      path = try KernelDevice.nodePath(of: facts.dataDevice)
      status = try data.base.descriptor.status()
    } catch {
      throw .system(error)
    }

    let device: ProvenImage.Device
    if isAppended {
      let layout: VerityLayout
      do throws(LayoutError) {
        layout = try DiskLayout.appended(in: data, hashOffset: witness.parameters.dataByteCount)
      } catch {
        throw .image(path: path, error.diagnostic)
      }
      try requireSame(layout, as: witness)
      do throws(VerityError) {
        device = try ProvenImage.Device(data, layout: layout, rootHash: facts.rootHash)
      } catch {
        throw .image(path: path, error.diagnostic)
      }
    } else {
      let tree = try window(of: facts.hashDevice, byteCount: treeEnd)
      let blockSize = UInt64(witness.parameters.hashBlockSize)
      guard witness.treeOffset >= blockSize else {
        throw .volume(
          number: facts.device, message: "has a tree without a superblock", expected: "a superblock before the tree",
          found: "a tree at the beginning of device \(facts.hashDevice)")
      }
      let layout: VerityLayout
      do throws(LayoutError) {
        layout = try DiskLayout.separate(data: data, hashes: tree, hashOffset: witness.treeOffset - blockSize)
      } catch {
        throw .image(path: path, error.diagnostic)
      }
      try requireSame(layout, as: witness)
      do throws(VerityError) {
        device = try ProvenImage.Device(data: data, hashes: tree, layout: layout, rootHash: facts.rootHash)
      } catch {
        throw .image(path: path, error.diagnostic)
      }
    }
    return VolumeBlocks(device: device, path: path, status: status)
  }

  /// Where the tree ends on its device, in bytes.
  private static func treeEnd(of witness: KernelWitness) throws(ProvenanceError) -> UInt64 {
    do throws(VerityError) {
      let geometry = try TreeGeometry(witness.parameters)
      let end = witness.treeOffset.addingReportingOverflow(geometry.byteCount)
      return end.overflow ? UInt64.max : end.partialValue
    } catch {
      throw .image(path: "device \(witness.facts.device)", error.diagnostic)
    }
  }

  /// The first bytes of a block device.
  private static func window(
    of number: DeviceNumber, byteCount: UInt64
  ) throws(ProvenanceError) -> SourceWindow<FileSource> {
    let file: FileSource
    do throws(SystemError) {
      file = try FileSource(KernelDevice.openBlock(number))
    } catch {
      throw .system(error)
    }
    let available = file.byteCount
    guard let window = SourceWindow(file, from: 0, byteCount: byteCount) else {
      throw .volume(
        number: number, message: "is too small for the table", expected: "\(byteCount) bytes or more",
        found: "\(available) bytes")
    }
    return window
  }

  private static func requireSame(_ layout: VerityLayout, as witness: KernelWitness) throws(ProvenanceError) {
    guard layout.parameters == witness.parameters, layout.treeOffset == witness.treeOffset else {
      throw .volume(
        number: witness.facts.device, message: "is made otherwise than its superblock says",
        expected: "the superblock's parameters and place of the tree", found: "`\(witness.facts.table)`")
    }
  }
}
