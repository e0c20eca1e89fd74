internal import Base

/// One target of a device-mapper table: a range of the device, and what is behind it.
public struct TableTarget: Equatable, Sendable {
  /// Where it begins on the device, in sectors of 512 bytes.
  public let start: UInt64
  /// Its length in sectors of 512 bytes.
  public let length: UInt64
  /// The target type's name: `verity`, `linear`, `crypt`.
  public let type: String
  /// Its parameters or its state, as the target type writes them.
  public let text: String

  public init(start: UInt64, length: UInt64, type: String, text: String) {
    self.start = start
    self.length = length
    self.type = type
    self.text = text
  }

  /// Reads what DM_TABLE_STATUS answers behind its header: `count` times struct dm_target_spec (40 bytes: start,
  /// length, status, place of the next one from the list's beginning, 16 bytes of type) and a text ended by a zero
  /// (include/uapi/linux/dm-ioctl.h, `retrieve_status` in drivers/md/dm-ioctl.c).
  public static func list(_ bytes: RawSpan, count: UInt32) throws(TableError) -> [TableTarget] {
    // A table of verity has one; nobody needs to see more than these.
    guard count <= 1024 else { throw .targetCount(Int(count)) }
    var targets: [TableTarget] = []
    var place = 0
    for _ in 0..<count {
      let next: Int
      do throws(ByteError) {
        let header = try bytes.slice(at: place, count: 40)
        next = Int(try header.u32(at: 20))
        let name = try header.slice(at: 24, count: 16).copyBytes().prefix { $0 != 0 }
        guard let type = String(validating: name, as: UTF8.self),
          let text = try bytes.cString(at: place + 40, limit: 1 << 16)
        else { throw ByteError(offset: place, needed: 41, available: bytes.byteCount) }
        targets.append(
          TableTarget(start: try header.u64(at: 0), length: try header.u64(at: 8), type: type, text: text))
      } catch {
        throw .targets(reason: "\(error)")
      }
      guard next > place else { throw .targets(reason: "a target's successor does not come after it") }
      place = next
    }
    return targets
  }

  /// The one target that makes up the whole device, when it is a verity target.
  ///
  /// The kernel allows a verity target no company (DM_TARGET_SINGLETON); this asks again.
  public static func soleVerity(_ targets: [TableTarget]) throws(TableError) -> TableTarget {
    guard targets.count == 1, let target = targets.first else { throw .targetCount(targets.count) }
    guard target.type == "verity" else { throw .targetType(target.type) }
    guard target.start == 0 else { throw .targets(reason: "the verity target begins at sector \(target.start)") }
    return target
  }
}
