internal import Base
internal import KernelABI
internal import Glibc

/// The kernel's own type information, /sys/kernel/btf/vmlinux, as read-only bytes.
///
/// Newer kernels (6.16) let it be mapped, so that only what is looked at is touched; otherwise it is read, a page a
/// call, because that is all sysfs gives.
@safe public struct KernelBTF: ~Copyable {
  public static var path: String { KernelStatement.kernelTypes.place() }

  private let mapping: UnsafeRawPointer?
  private let byteCount: Int
  private let copy: [UInt8]

  private init(mapping: UnsafeRawPointer?, byteCount: Int, copy: [UInt8]) {
    unsafe self.mapping = mapping
    self.byteCount = byteCount
    self.copy = copy
  }

  /// Opens the running kernel's type information. ENOENT: this kernel was built without it. EXDEV: another file lies
  /// over it, which would have calls of kernel functions lead elsewhere.
  public static func open() throws(SystemError) -> KernelBTF {
    let descriptor = try KernelFile.open(.kernelTypes)
    let size = Int(clamping: try descriptor.status().size)
    let address = unsafe descriptor.withRaw { raw in unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE, raw, 0) }
    if let address = unsafe address, Int(bitPattern: address) != -1 {
      return unsafe KernelBTF(mapping: UnsafeRawPointer(address), byteCount: size, copy: [])
    }
    // The real ones have some 5 MB.
    let bytes = try descriptor.readToEnd(of: path, limit: 64 << 20)
    return unsafe KernelBTF(mapping: nil, byteCount: 0, copy: bytes)
  }

  deinit {
    if let mapping = unsafe mapping { unsafe munmap(UnsafeMutableRawPointer(mutating: mapping), byteCount) }
  }

  /// The bytes, a BTF header first.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      guard let mapping = unsafe mapping else { return copy.rawSpan }
      // The mapping lives as long as this value does.
      return unsafe _overrideLifetime(RawSpan(_unsafeStart: mapping, byteCount: byteCount), borrowing: self)
    }
  }
}
