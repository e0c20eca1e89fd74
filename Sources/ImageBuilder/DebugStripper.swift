internal import BPFObject

enum DebugStripper {
  static func strip(_ bytes: [UInt8]) throws(BPFObjectError) -> [UInt8] { bytes }
}
