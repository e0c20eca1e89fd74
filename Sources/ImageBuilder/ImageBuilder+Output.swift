internal import ByteKit
internal import LinuxSys
internal import Manifest

extension ImageBuilder {
  func checkLabels() throws(BuildError) {
    for (option, text) in [("--name", request.name), ("--version", request.version)] {
      guard let text, !Manifest.isAcceptableName(text) else { continue }
      throw .badLabel(option: option, text: text)
    }
  }

  /// The results replace regular files only: a rename as root would replace a device node just as well.
  func checkOutputs() throws(BuildError) {
    let paths = [request.output, request.rootHashFile] + (request.manifestFile.map { [$0] } ?? [])
    for (index, path) in paths.enumerated() {
      guard !path.isEmpty, !paths[..<index].contains(path) else {
        throw .badOutput(path: path, found: path.isEmpty ? "an empty name" : "the name of another result")
      }
      guard let kind = try? FileStatus.of(path: path, followLinks: false).kind else { continue }
      guard kind == .regular || kind == .symbolicLink else { throw .badOutput(path: path, found: "a \(kind.rawValue)") }
    }
  }

  func pending(_ path: String, _ contents: [UInt8]) throws(BuildError) -> PendingFile {
    do throws(SystemError) {
      let file = try PendingFile(replacing: path)
      try file.descriptor.writeAll(contents.rawSpan)
      return file
    } catch {
      throw .output(path: path, error)
    }
  }

  func commit(_ file: consuming PendingFile, as path: String) throws(BuildError) {
    do throws(SystemError) {
      try file.commit()
    } catch {
      throw .output(path: path, error)
    }
  }
}

/// A private directory beside the image, on the same file system: mkfs.erofs writes there by name, where nobody else
/// can put another file under that name, and the finished image leaves it by a rename.
struct Workshop: ~Copyable {
  private let directory: PrivateDirectory

  init(besides output: String) throws(BuildError) {
    var components = output.split(separator: "/", omittingEmptySubsequences: false)
    let name = components.popLast() ?? ""
    let parent = components.isEmpty ? "." : components.joined(separator: "/")
    do throws(SystemError) {
      directory = try PrivateDirectory(prefix: ".\(name)", in: parent.isEmpty ? "/" : parent)
    } catch {
      throw .output(path: output, error)
    }
  }

  func pendingImage(_ output: String) throws(BuildError) -> PendingFile {
    do throws(SystemError) {
      return try PendingFile(replacing: output, in: directory.path)
    } catch {
      throw .output(path: output, error)
    }
  }
}
