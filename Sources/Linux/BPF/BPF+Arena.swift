internal import Glibc

extension BPF {
  /// Maps an arena into this process, writes its first bytes, and unmaps it again. The arena keeps the bytes and the
  /// address, at which every later process has to map it.
  ///
  /// - Parameters:
  ///   - pages: how many there are (`max_entries`).
  ///   - address: where it must lie (`map_extra`); 0 leaves it to the kernel. What lies there already is not replaced:
  ///     EEXIST, because the address is the object's word and the memory is ours.
  public static func fillArena(
    _ arena: KernelObject, pages: UInt32, at address: UInt64, _ contents: [UInt8]
  ) throws(SystemError) {
    let page = max(4096, sysconf(CInt(_SC_PAGESIZE)))
    let (size, overflows) = Int(pages).multipliedReportingOverflow(by: page)
    guard !overflows, contents.count <= size, let place = Int(exactly: address) else {
      throw SystemError("mmap", path: "arena", errno: EINVAL)
    }
    // MAP_FIXED_NOREPLACE (include/uapi/asm-generic/mman-common.h), which Glibc's module does not show.
    let flags = MAP_SHARED | (place == 0 ? 0 : 0x10_0000)
    let mapped = unsafe arena.descriptor.withRaw { raw in
      unsafe mmap(UnsafeMutableRawPointer(bitPattern: place), size, PROT_READ | PROT_WRITE, flags, raw, 0)
    }
    withExtendedLifetime(arena) {}
    guard let mapped = unsafe mapped, Int(bitPattern: mapped) != -1 else { throw .current("mmap", path: "arena") }
    unsafe UnsafeMutableRawBufferPointer(start: mapped, count: size).copyBytes(from: contents)
    unsafe munmap(mapped, size)
  }
}
