internal import LinuxSys

/// mkfs.erofs, run so that equal input gives equal bytes.
struct FileSystemMaker {
  /// What the program calls its version.
  let version: String
  private let hasBlockSizeOption: Bool

  /// Finds out which mkfs.erofs there is.
  init() throws(BuildError) {
    do throws(SystemError) {
      // 1.5 knows no -V and prints its name and version before it complains; later ones print just that.
      let banner = try Subprocess.run(["mkfs.erofs", "-V"]).text
      let words = banner.split(whereSeparator: { $0 == " " || $0.isNewline })
      version = words.count > 1 && words[0] == "mkfs.erofs" ? String(words[1].prefix(32)) : "unknown"
      // 1.5 has only 4096-byte blocks; later ones take the machine's page size unless told.
      hasBlockSizeOption = try Subprocess.run(["mkfs.erofs", "--help"]).text.contains("\n -b#")
    } catch {
      throw .noFileSystemMaker(error)
    }
  }

  /// Packs a directory into an existing empty file: uncompressed, every time 0, every owner root, no extended attributes.
  func make(_ image: String, from directory: String, uuid: String) throws(BuildError) {
    var arguments = ["mkfs.erofs", "--quiet", "-T0", "-U", uuid, "--all-root", "-x-1"]
    if hasBlockSizeOption { arguments.append("-b4096") }
    let result: Subprocess.Result
    do throws(SystemError) {
      result = try Subprocess.run(arguments + [image, directory])
    } catch {
      throw .noFileSystemMaker(error)
    }
    guard result.status == 0 else { throw .fileSystemMaker(status: result.status, text: result.text) }
  }
}
