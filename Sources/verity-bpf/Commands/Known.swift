import FileSystems
import Image
import KernelABI
import Linux
import ImageFormat
import Trust
import Workbench

/// What this machine has that a word of the command line can name. Whatever cannot be read is not proposed.
enum Known {
  /// The objects that the manifest of an image names.
  static func objects(inImage path: String) -> [String] {
    do {
      let file = try ImageFile.open(path)
      let rootHash = file.ownRootHash
      var image = try AnyFileSystem(try file.device(rootHash: rootHash))
      guard let inode = try Manifest.inode(in: image) else { return [] }
      var reader = try ManifestReader(inode, in: &image)
      var paths: [String] = []
      while let listed = try reader.next(in: &image) {
        for case .object(let object) in listed { paths.append(object.file.path) }
      }
      return paths
    } catch {
      return []
    }
  }

  /// The policies that are installed.
  static func policies() -> [String] {
    let state = try? PolicyStore(directory: Site.store(nil), trust: .none).state()
    return state?.policies.keys.sorted() ?? []
  }

  /// The network interfaces.
  static func interfaces() -> [String] { (try? KernelFile.names(.networkInterfaces))?.sorted() ?? [] }

  static var errorCodes: [String] { ErrorCatalogue.codes }
}
