import Glibc
import Linux

/// The reading side of a BPF ring buffer (kernel/bpf/ringbuf.c): a page with the reader's position, one with the
/// writer's, then the data, mapped twice so that no record is split.
final class RingBuffer {
  private let consumer: UnsafeMutableRawPointer
  private let producer: UnsafeMutableRawPointer
  private let size: Int
  private static var page: Int { Int(sysconf(Int32(_SC_PAGESIZE))) }

  init(_ map: KernelObject, size: Int) throws {
    func mapped(_ length: Int, _ protection: CInt, at offset: Int) throws -> UnsafeMutableRawPointer {
      let address = map.descriptor.withRaw { mmap(nil, length, protection, MAP_SHARED, $0, off_t(offset)) }
      guard let address, Int(bitPattern: address) != -1 else { throw SystemError("mmap", errno: errno) }
      return address
    }
    consumer = try mapped(Self.page, PROT_READ | PROT_WRITE, at: 0)
    self.size = size
    producer = try mapped(Self.page + 2 * size, PROT_READ, at: Self.page)
  }

  deinit {
    munmap(consumer, Self.page)
    munmap(producer, Self.page + 2 * size)
  }

  /// Every record that is complete, oldest first.
  func records() -> [[UInt8]] {
    let data = producer + Self.page
    var position = consumer.load(as: UInt.self)
    let end = producer.load(as: UInt.self)
    var records: [[UInt8]] = []
    while position < end {
      // struct bpf_ringbuf_hdr: length with two flag bits (busy, discard), page offset.
      let header = data + Int(position & UInt(size - 1))
      let length = header.load(as: UInt32.self)
      guard length & 1 << 31 == 0 else { break }
      let bytes = Int(length & 0x3fff_ffff)
      if length & 1 << 30 == 0 { records.append(Array(UnsafeRawBufferPointer(start: header + 8, count: bytes))) }
      position += UInt((bytes + 8 + 7) & ~7)
    }
    consumer.storeBytes(of: position, as: UInt.self)
    return records
  }
}
