import Trust

/// verity-bpf.conf(5): the page about the settings of a host, made of the table of them.
enum SettingsManual {
  static let name = Settings.file
  /// The command that prints the settings.
  static let command = ["verity-bpf", "config", "show"]

  static func page(version: String) -> (file: String, text: String) {
    let places =
      Settings.directories.map { "\($0)/\(Settings.file)" }
      + Settings.directories.map { "\($0)/\(Settings.file).d/*.conf" }
    var lines = Manual.head(name, section: 5, of: "File Formats", version, summary: "settings of a host for verity-bpf")
    lines += [".SH SYNOPSIS", ".nf"] + places.map { Manual.escaped($0) } + [".fi"]
    lines += [".SH DESCRIPTION"] + Manual.paragraphs(description).dropFirst()
    lines += Manual.section("SETTINGS", SettingName.allCases.map { (heading($0), text($0)) })
    lines += [".SH CONFIGURATION DIRECTORIES AND PRECEDENCE"] + Manual.paragraphs(order).dropFirst()
    lines += [".SH OWNER AND MODE"] + Manual.paragraphs(ownership).dropFirst()
    lines += [".SH EXAMPLES"] + Manual.example([example])
    lines += [".SH SEE ALSO", Manual.references([(command.joined(separator: "-"), 1), (command[0], 1)])]
    return ("\(name).5", lines.joined(separator: "\n") + "\n")
  }

  private static func heading(_ name: SettingName) -> String {
    "\\fB\(Manual.escaped(name.rawValue))\\fR = \\fI\(Manual.escaped(name.kind.expectation))\\fR"
  }

  private static func text(_ name: SettingName) -> String {
    "\(name.summary) (default: \(name.standard.text ?? "not set"))"
  }

  private static let description = """
    A host says here once where its policies, its audit log and its trust anchors are, and whether callers of the commands \
    may choose others. A line is NAME = VALUE; blanks around both do not count. Empty lines, and lines that begin with # or \
    ;, are remarks; there are no sections, no quotes, and no remarks behind a value.

    A name that is not listed here, a value that is not of its kind, and a name that stands twice in one file are errors, \
    with exit status 3, for every command that the settings are for: a misspelt setting would bind nobody.
    """

  private static let order = """
    Of the files \(Settings.file) the first that is there counts, in the order above. After it the drop-ins of all \
    directories are read, in the order of their names, whatever directory they are in: of two with one name the one in the \
    directory that stands first counts, and of two that set the same, the one whose name comes last. Names that begin with a \
    dot or do not end in .conf are passed over.

    An empty file, and a symbolic link to /dev/null, mask what has their name in a directory that stands later. This is the \
    order of the Configuration Files Specification (UAPI.6), which systemd's own files follow.

    A file has at most \(Settings.sizeLimit) bytes.
    """

  private static let ownership = """
    Each file, and each directory on the way to it, belongs to root or to the user who runs the command, and nobody else may write to it; a directory with the \
    sticky bit may be on the way. A file is a regular one. Everything else is an error, as is a file that cannot be read: \
    what stands there could bind the command. Nothing of these files is taken from the environment.
    """

  private static let example = """
    # /etc/verity-bpf/verity-bpf.conf
    audit-dir = /var/log/verity-bpf
    audit-sync = decision
    trust-anchors = /etc/verity-bpf/trust
    require-active-policy = yes
    """
}
