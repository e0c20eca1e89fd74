/// What was found out about a device before an object was examined, held against what the kernel says afterwards.
extension LoopFacts {
  /// Refuses when the loop device was set up otherwise meanwhile.
  func requireUnchanged(_ after: LoopFacts) throws(ProvenanceError) {
    guard after == self else {
      throw .mountDiffers(
        message: "loop device \(device) was changed while it was examined",
        expected: "disk sequence \(diskSequence) over `\(backingFile)`",
        found: "disk sequence \(after.diskSequence) over `\(after.backingFile)`")
    }
  }
}

extension VolumeFacts {
  /// Refuses when anything about the dm-verity device is otherwise now, be it only the count of events.
  func requireUnchanged(_ after: VolumeFacts) throws(ProvenanceError) {
    guard after == self else { throw .tableChanged(number: device, before: table, after: after.table) }
  }
}
