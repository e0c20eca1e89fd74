import Trust

/// What this host's settings say in place of options that a caller did not give, and whether they leave a choice at all.
enum Site {
  /// Read once, when the first command option depends on them.
  private static let read: Result<Settings, SettingsError> = {
    do throws(SettingsError) { return .success(try Settings.read()) } catch { return .failure(error) }
  }()

  static func settings() throws(SettingsError) -> Settings { try read.get() }

  /// The directory of the audit log that is written to.
  static func auditDirectory(_ given: String?) throws(SettingsError) -> String {
    try settings().chosen(.auditDirectory, by: CommonOptions.auditDirectory.parameter.name, given) ?? ""
  }

  /// Which records of a load are on the disk before the run goes on.
  static func auditSync(_ given: AuditSync?) throws(SettingsError) -> AuditSync {
    try settings().chosenSync(by: CommonOptions.auditSync.parameter.name, given)
  }

  /// In which process objects are linked.
  static func link(_ given: LinkMethod?) throws(SettingsError) -> LinkMethod {
    try settings().chosenLink(by: LoadCommand.link.parameter.name, given)
  }

  /// The trust anchors of a command that lets something in.
  static func bindingTrust(_ given: String?) throws -> Trust {
    try Trust.chosen(in: settings().chosen(.trustAnchors, by: CommonOptions.trustAnchors.parameter.name, given))
  }

  /// The trust anchors of a command that only answers.
  static func trust(_ given: String?) throws -> Trust {
    try Trust.chosen(in: given ?? settings().directory(.trustAnchors))
  }

  /// The directory of installed policies.
  static func store(_ given: String?) throws(SettingsError) -> String {
    if let given { return given }
    return try settings().directory(.policyStore) ?? ""
  }
}
