internal import FileSystems

extension OpenObject {
  /// The file system that it is on, when it is one that is read and verified here.
  var format: FileSystemFormat? { FileSystemFormat(statfs: fileSystem) }
}
