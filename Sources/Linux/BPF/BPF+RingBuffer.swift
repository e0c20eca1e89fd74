internal import Base
internal import CLinuxShim
internal import Glibc

extension BPF {
  /// A ring buffer (BPF_MAP_TYPE_RINGBUF) as this process sees it: a page with its own position, a page with the kernel's,
  /// and the data, which is mapped twice so that no record is cut at its end (kernel/bpf/ringbuf.c).
  ///
  /// There is one position for all readers of a map: what one has taken, no other sees.
  @safe public final class RingBuffer {
    private let map: KernelObject
    private let consumer: UnsafeMutableRawPointer
    private let producer: UnsafeRawPointer
    private let pageSize: Int
    /// Bytes of data, a power of two.
    private let size: Int

    /// BPF_RINGBUF_BUSY_BIT, BPF_RINGBUF_DISCARD_BIT, BPF_RINGBUF_HDR_SZ (include/uapi/linux/bpf.h).
    private static let busy: UInt32 = 1 << 31
    private static let discarded: UInt32 = 1 << 30
    private static let headerSize = 8

    /// - Parameter size: bytes of the map's data (`max_entries`).
    public init(_ map: KernelObject, size: UInt32) throws(SystemError) {
      self.map = map
      self.size = Int(size)
      pageSize = max(4096, sysconf(CInt(_SC_PAGESIZE)))
      guard self.size >= pageSize, self.size & (self.size - 1) == 0 else {
        throw SystemError("mmap", path: "ring buffer", errno: EINVAL)
      }
      let (page, length) = (pageSize, pageSize + 2 * self.size)
      let own = unsafe map.descriptor.withRaw { raw in
        unsafe mmap(nil, page, PROT_READ | PROT_WRITE, MAP_SHARED, raw, 0)
      }
      guard let own = unsafe own, Int(bitPattern: own) != -1 else { throw .current("mmap", path: "ring buffer") }
      let kernels = unsafe map.descriptor.withRaw { raw in
        unsafe mmap(nil, length, PROT_READ, MAP_SHARED, raw, off_t(page))
      }
      guard let kernels = unsafe kernels, Int(bitPattern: kernels) != -1 else {
        let error = SystemError.current("mmap", path: "ring buffer")
        unsafe munmap(own, page)
        throw error
      }
      unsafe consumer = own
      unsafe producer = UnsafeRawPointer(kernels)
    }

    deinit {
      unsafe munmap(consumer, pageSize)
      unsafe munmap(UnsafeMutableRawPointer(mutating: producer), pageSize + 2 * size)
    }

    /// Bytes that were ever taken out; 0 says that no reader has taken a record.
    public var taken: UInt64 { unsafe vb_load_acquire_64(consumer) }

    /// The records that are there and are not taken, in their order; they stay.
    public func look() -> [[UInt8]] { read(from: taken).records }

    /// Takes the records that are there, in their order.
    ///
    /// - Parameter keep: what is done with them before they are gone from the buffer; when it throws, they stay.
    public func take<Failure>(_ keep: ([[UInt8]]) throws(Failure) -> Void) throws(Failure) {
      let (records, end) = read(from: taken)
      if !records.isEmpty { try keep(records) }
      unsafe vb_store_release_64(consumer, end)
    }

    /// Waits for a record.
    ///
    /// - Parameter milliseconds: for how long at most.
    /// - Returns: whether there may be one.
    public func wait(milliseconds: Int32) throws(SystemError) -> Bool {
      let answer = map.descriptor.withRaw { vb_poll_readable($0, milliseconds) }
      guard answer >= 0 || Glibc.errno == EINTR else { throw .current("poll", path: "ring buffer") }
      return answer > 0
    }

    /// Up to the first record that the kernel is still writing.
    private func read(from start: UInt64) -> (records: [[UInt8]], end: UInt64) {
      let end = unsafe vb_load_acquire_64(producer)
      var records: [[UInt8]] = []
      var position = start
      while position < end {
        let place = unsafe producer + pageSize + Int(position & UInt64(size - 1))
        let header = unsafe vb_load_acquire_32(place)
        guard header & Self.busy == 0 else { break }
        let length = Int(header & ~(Self.busy | Self.discarded))
        // The kernel's own word; a record is never longer than the buffer.
        guard length <= size - Self.headerSize else { break }
        if header & Self.discarded == 0 {
          records.append(
            unsafe Array(UnsafeRawBufferPointer(start: place + Self.headerSize, count: length)))
        }
        position += UInt64((length + Self.headerSize + 7) & ~7)
      }
      return (records, position)
    }
  }
}
