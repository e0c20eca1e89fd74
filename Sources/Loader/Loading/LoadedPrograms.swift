internal import KernelABI
public import Linux

/// The programs that this host's kernel has loaded, by any tool.
public enum LoadedPrograms {
  /// One after the other by id. A program that goes while they are listed is left out.
  ///
  /// - Throws: `SystemError` when the kernel does not let this process look (CAP_SYS_ADMIN).
  public static func list() throws(SystemError) -> [BPF.ProgramInfo] {
    var found: [BPF.ProgramInfo] = []
    for id in try BPF.programIDs() {
      do throws(SystemError) {
        found.append(try BPF.programInfo(try BPF.program(id: id)))
      } catch  where error.code == .enoent {
        continue
      }
    }
    return found
  }
}
