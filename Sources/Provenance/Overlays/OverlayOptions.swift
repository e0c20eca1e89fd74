internal import Base
internal import Linux

/// What the options of an overlay's mount say of its layers (Documentation/filesystems/overlayfs.rst).
///
/// They only say where to look: what a layer holds is verified there, and its bytes are compared with those that the overlay
/// shows. An option that is not known here may give them another meaning, and is refused.
struct OverlayOptions: Equatable {
  /// The layers' directories as they were named, the uppermost first. A name that does not begin with a slash is relative
  /// to a directory that the kernel does not tell.
  let layers: [String]
  /// Whether what the overlay notes on files is in attributes that users may set (`userxattr`).
  let usesUserAttributes: Bool
  /// Whether a file's metadata and its contents may come from two layers; nil where the module's parameter says it.
  let takesMetadataApart: Bool?

  /// Options of the file system and of all (fs/overlayfs/params.c, fs/proc_namespace.c; labels: security/selinux/hooks.c) that
  /// choose neither the layers nor which of them a file comes from.
  private static let withoutMeaning: Set<String> = [
    "ro", "rw", "sync", "dirsync", "mand", "lazytime", "seclabel", "context", "fscontext", "defcontext", "rootcontext",
    "default_permissions", "redirect_dir", "index", "uuid", "nfs_export", "xino", "verity", "workdir", "volatile",
    "fsync", "override_creds", "nooverride_creds",
  ]

  init(_ options: [Mount.Option]) throws(OverlayRefusal) {
    var layers: [String] = []
    var usesUserAttributes = false
    var takesMetadataApart: Bool?
    for option in options {
      switch (option.name, option.value) {
      case ("upperdir", let name): throw .writable(name ?? "")
      case ("datadir+", let name): throw .dataOnly(name ?? "")
      case ("lowerdir", let names?): layers += try Self.split(names)
      // One name, with nothing in it that stands for something else.
      case ("lowerdir+", let name?): layers.append(name)
      case ("lowerdir", nil), ("lowerdir+", nil): throw .unnamed
      case ("userxattr", nil): usesUserAttributes = true
      case ("metacopy", "on"): takesMetadataApart = true
      case ("metacopy", "off"): takesMetadataApart = false
      case (let name, _):
        guard Self.withoutMeaning.contains(name) else { throw .unknown(option: name) }
      }
    }
    guard !layers.isEmpty, !layers.contains("") else { throw .unnamed }
    self.layers = layers
    self.usesUserAttributes = usesUserAttributes
    self.takesMetadataApart = takesMetadataApart
  }

  /// Takes `lowerdir` apart as the kernel does (fs/overlayfs/params.c): at colons, where a backslash takes its meaning from
  /// the byte behind it. Two colons begin the layers that hold contents only.
  private static func split(_ names: String) throws(OverlayRefusal) -> [String] {
    var layers: [[UInt8]] = [[]]
    var rest = names.systemBytes[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: ":") {
        if rest.first == byte { throw .dataOnly(String(systemBytes: Array(rest.dropFirst()))) }
        layers.append([])
      } else {
        let isEscape = byte == UInt8(ascii: "\\")
        layers[layers.count - 1].append(isEscape ? rest.popFirst() ?? byte : byte)
      }
    }
    return layers.map { String(systemBytes: $0) }
  }
}

/// Why the layer that an overlay shows a file of is not asked for it.
enum OverlayRefusal: Error, Equatable {
  /// It has a layer that is written to.
  case writable(String)
  /// It has a layer that holds contents for metadata of others.
  case dataOnly(String)
  /// Metadata and contents may come from two layers.
  case metadataApart
  /// It has an option that this build does not know.
  case unknown(option: String)
  /// Its options name no layer.
  case unnamed
  /// It is mounted nowhere in this mount namespace.
  case elsewhere
  /// Its layers are named relative to a directory that the kernel does not tell, and not found here.
  case relative(String)
  /// A layer that comes before the file's, or is it, cannot be looked at.
  case closed(layer: String, String)
  /// No layer has the file.
  case inNone(path: String)
  /// A layer hides what those below it have under that path.
  case hidden(path: String, layer: String)
  /// A layer renames a directory, so that those below it have the file under another path.
  case renamed(path: String, layer: String)
  /// The layer has another file there.
  case other(path: String, String)

  /// The same as the end of a sentence about the descriptor.
  var why: String {
    switch self {
    case .writable(let name): "it has a writable layer, `\(name)`, so what it shows need not be what an image holds"
    case .dataOnly(let name):
      "it has data-only layers (`\(name)`), so that a file's contents come from another layer than its name"
    case .metadataApart: "metacopy is on, so that a file's metadata and contents can come from two layers"
    case .unknown(let option):
      "its mount option `\(option)` is not known to this build, and may change which layer a file comes from"
    case .unnamed: "its mount options name no layer"
    case .elsewhere: "it is not mounted in this mount namespace, so its layers are not known"
    case .relative(let name):
      "its layer `\(name)` is named relative to a directory that the kernel does not tell, and is neither below the "
        + "current directory nor beside the mount point"
    case .closed(let layer, let reason): "its layer `\(layer)` cannot be looked at: \(reason)"
    case .inNone(let path): "none of its layers has `\(path)`"
    case .hidden(let path, let layer): "its layer `\(layer)` hides what is below it at `\(path)`"
    case .renamed(let path, let layer): "its layer `\(layer)` gives a directory on the way to `\(path)` another name"
    case .other(let path, let found):
      "the layer that it should have the file from has another one at `\(path)`: \(found)"
    }
  }

  /// What can be done about it.
  var next: String {
    switch self {
    case .writable, .dataOnly, .metadataApart, .unknown, .renamed:
      "open the object where its own layer is mounted, or load it by `--image`"
    case .unnamed, .elsewhere, .relative, .closed, .inNone, .hidden, .other:
      "open the object where its own layer is mounted, or mount the overlay with absolute names of its layers"
    }
  }
}
